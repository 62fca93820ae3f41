"""PNG files, chunk by chunk: what pixels are made of goes to Pillow, and nothing else.

Chunks that hold pixels must be sound, checksums and all. Any other that is broken or huge is left out: it says nothing
about pixels. A key colour (tRNS) is compared at the depth of the file: Pillow knows only what it has reduced to 8 bits.
"""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Bits of a sample for each kind of colour. PNG specification, table 11.1.
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
GREY, COLOR, PALETTE = 0, 2, 3
PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
# What is read of the rest: the profile, and what may say which side is up. A text goes by its keyword.
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
ORIENTATIONS = (b"exif", b"Raw profile type exif", b"XML:com.adobe.xmp")
# The largest profiles of printers have a few megabytes. More than this is not unpacked.
MAX_UNPACKED = 64_000_000


class DamagedError(ValueError):
    """The file is not what its chunks promise. The message names the chunk."""


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    length: int


@dataclass
class Png:
    """A PNG file without what Pillow need not know.

    Args:
        stream: the file for Pillow.
        bits: of a sample.
        color: the kind of colour, as PNG counts.
        info: as Pillow has it: profile, EXIF and texts, as far as they are sound.
        transparency: the data of tRNS, if it is there and counts.
        has_end: whether the file is there to its end.

    """

    stream: io.BytesIO
    bits: int
    color: int
    info: dict[str, Any] = field(default_factory=dict)
    transparency: bytes | None = None
    has_end: bool = True

    def alpha(self, image: Image.Image) -> Image.Image | None:
        """The opacity of each pixel that tRNS tells, mode L; none if it tells nothing.

        image: the loaded picture.
        """
        if self.transparency is None:
            return None
        samples = np.asarray(image)
        if self.color == PALETTE:
            opacity = np.full(256, 255, np.uint8)
            opacity[: len(self.transparency)] = np.frombuffer(self.transparency, np.uint8)[:256]
            return Image.fromarray(opacity[samples])
        # Bits above the depth of the file do not count.
        key = np.array([value & (1 << self.bits) - 1 for (value,) in struct.iter_unpack(">H", self.transparency)])
        if self.color == GREY:
            if self.bits < 8:  # Pillow spreads them over 0..255
                key = key * 255 // ((1 << self.bits) - 1)
            is_key = (samples if image.mode != "1" else samples * np.uint8(255)) == key[0]
        elif self.bits == 8:
            is_key = (samples == key).all(axis=-1)
        else:
            is_key = ((samples == key >> 8) & (self._low_bytes() == key & 255)).all(axis=-1)
        return Image.fromarray(np.where(is_key, 0, 255).astype(np.uint8))

    def _low_bytes(self) -> np.ndarray:
        """The halves of samples of 16 bits that Pillow drops: it finds them where it takes them for the high ones."""
        self.stream.seek(0)
        with Image.open(self.stream, formats=["PNG"]) as image:
            image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
            return np.asarray(image)


def read(file: BinaryIO, pixels: bool, texts: tuple[str, ...] = ()) -> Png:
    """What a PNG file has of pixels.

    Args:
        file: the file.
        pixels: whether they are wanted; else size, profile, EXIF and texts. A file that is cut off is seen anyway.
        texts: keywords of texts that are wanted.

    Raises:
        DamagedError: a chunk that pixels are made of is broken, or the file ends too early.

    """
    chunks = list(_chunks(file))
    if not chunks or chunks[0].kind != b"IHDR" or chunks[0].length != 13:
        raise DamagedError("it does not begin with IHDR, its header")
    header = _sound(file, chunks[0])
    bits, color = header[8:10]
    if bits not in DEPTHS.get(color, ()):
        raise DamagedError(f"IHDR says {bits} bits a sample for the kind of colour {color}, which PNG does not have")
    png = Png(io.BytesIO(SIGNATURE), bits, color)
    png.stream.seek(0, io.SEEK_END)
    kinds = [chunk.kind for chunk in chunks]
    png.has_end = b"IEND" in kinds
    if b"IDAT" not in kinds:
        raise DamagedError("it has no IDAT, which holds the pixels")
    keywords = (*ORIENTATIONS, *(text.encode("latin-1") for text in texts))
    for place, chunk in enumerate(chunks):
        if chunk.kind == b"tRNS":
            # Where there is an alpha channel or pixels have begun it does not count, and the first one does.
            if pixels and color in (GREY, COLOR, PALETTE) and b"IDAT" not in kinds[:place] and not png.transparency:
                png.transparency = _transparency(_sound(file, chunk), color)
        elif chunk.kind == b"IDAT" and not pixels:
            continue
        elif chunk.kind in PIXELS:
            append(png.stream, chunk.kind, _sound(file, chunk))
        elif chunk.kind in (b"iCCP", b"eXIf", *TEXTS) and chunk.length <= MAX_UNPACKED:
            # Whatever is wrong with it, it is as if it were not there.
            with contextlib.suppress(DamagedError, ValueError, IndexError, zlib.error):
                for key, value in _described(chunk.kind, _sound(file, chunk), keywords):
                    png.info.setdefault(key, value)
    if not pixels:
        append(png.stream, b"IDAT", b"")
    append(png.stream, b"IEND", b"")
    png.stream.seek(0)
    return png


def _chunks(file: BinaryIO) -> Iterator[_Chunk]:
    """Kind, place and length of each chunk up to the end. What follows the pixels may be cut off."""
    end = file.seek(0, io.SEEK_END)
    place, had_pixels = len(SIGNATURE), False
    while place < end:
        file.seek(place)
        if len(begin := file.read(8)) < 8:
            break
        length, kind = int.from_bytes(begin[:4]), begin[4:]
        is_name = len(kind) == 4 and kind.isalpha()
        if not is_name or place + 12 + length > end:
            if had_pixels and kind != b"IDAT":
                return
            if is_name:
                there = f"{max(0, end - place - 12):,} of {length:,} bytes are there"
                raise DamagedError(f"it ends within {kind.decode()}: {there}")
            raise DamagedError(f"at byte {place:,} there is no chunk")
        had_pixels |= kind == b"IDAT"
        yield _Chunk(kind, place + 8, length)
        if kind == b"IEND":
            return
        place += 12 + length
    if not had_pixels:
        raise DamagedError(f"it ends at byte {end:,}, before its pixels")


def _sound(file: BinaryIO, chunk: _Chunk) -> bytes:
    """The data of a chunk. Raises `DamagedError` if they are not what their checksum says."""
    file.seek(chunk.start)
    data = file.read(chunk.length)
    if file.read(4) != _checksum(chunk.kind, data):
        raise DamagedError(f"the checksum of {chunk.kind.decode()} is wrong")
    return data


def _checksum(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def append(stream: BinaryIO, kind: bytes, data: bytes) -> None:
    """Write a chunk with its checksum."""
    for part in (struct.pack(">I", len(data)), kind, data, _checksum(kind, data)):
        stream.write(part)


def _transparency(data: bytes, color: int) -> bytes:
    needed = {GREY: 2, COLOR: 6, PALETTE: 0}[color]
    if len(data) < needed:
        raise DamagedError(f"tRNS, its transparent colour, has {len(data)} bytes: {needed} are needed")
    return data[:needed] if needed else data


def _described(kind: bytes, data: bytes, keywords: tuple[bytes, ...]) -> Iterator[tuple[str, Any]]:
    """Key and value, as Pillow has them, of a chunk that is not of pixels; nothing if it is of no interest."""
    if kind == b"eXIf":
        yield "exif", b"Exif\0\0" + data
        return
    keyword, _, value = data.partition(b"\0")
    if kind == b"iCCP":
        yield "icc_profile", _unpacked(value)
    elif keyword in keywords:
        if kind == b"zTXt":
            value = _unpacked(value)
        elif kind == b"iTXt":
            packed, method = value[0], value[1:2]
            value = value[2:].split(b"\0", 2)[2]
            value = _unpacked(method + value) if packed else value
        name = keyword.decode("latin-1")
        yield name, value if name == "exif" else value.decode("utf-8" if kind == b"iTXt" else "latin-1")


def _unpacked(value: bytes) -> bytes:
    """What a method of compression, which must be 0, and compressed data stand for. Raises ValueError, zlib.error."""
    if value[0] != 0:
        raise ValueError(f"compressed by the unknown method {value[0]}")
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(value[1:], MAX_UNPACKED)
    if unpacking.unconsumed_tail:
        raise ValueError(f"more than {MAX_UNPACKED:,} bytes")
    return data
