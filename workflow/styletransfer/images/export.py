"""Pictures for print: 8 or 16 bits a channel, with their resolution, an sRGB profile, and transparency if there is any.

Pillow writes no RGB of 16 bits: a PNG is written chunk by chunk here, and a TIFF by tifffile.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile
from PIL import Image, ImageCms

from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.images import png

FORMATS = ("png", "tif", "jpg")
DEPTHS = (8, 16)
# A row of pixels is written as the differences to the row above. PNG specification, section 9.
FILTER_UP = 2
KINDS_OF_COLOR = {3: 2, 4: 6}
METRES_PER_INCH = 0.0254
# When a profile was made is part of it; equal pictures are to be equal files.
PROFILE_DATE, SOME_DATE = slice(24, 36), struct.pack(">6H", 2000, 1, 1, 0, 0, 0)


def check(kind: str, bits: int, transparent: bool = False) -> None:
    """Raise `InputError` for what a format cannot hold. kind: one of `FORMATS`; bits: one of `DEPTHS`."""
    if kind == "jpg" and bits > 8:
        raise InputError("a JPEG has 8 bits a channel: for 16 choose png or tif")
    if kind == "jpg" and transparent:
        raise InputError("a JPEG has no transparency: choose png or tif to keep it")


def write(path: Path, pixels: np.ndarray, bits: int, dpi: float) -> None:
    """Write a picture atomically, in the format that the suffix names. Equal pictures give equal bytes.

    Args:
        path: Its suffix is one of `FORMATS`.
        pixels: (H, W, 3) uint16 in sRGB, or (H, W, 4) with opacity.
        bits: Of a channel, 8 or 16.
        dpi: Pixels per inch.

    Raises:
        InputError: The format does not hold that.
        WriteError: The system refuses to write; nothing is left behind.
    """
    kind, channels = path.suffix[1:], pixels.shape[2]
    check(kind, bits, channels == 4)
    if bits == 8:
        pixels = np.rint(pixels / 257).astype(np.uint8)
    profile = srgb()
    with atomic.atomic_path(path) as temporary:
        if kind == "png":
            with temporary.open("wb") as file:
                _write_png(file, pixels, dpi, profile)
        elif kind == "tif":
            tifffile.imwrite(
                temporary,
                pixels,
                photometric="rgb",
                compression="zlib",
                extrasamples=["unassalpha"] * (channels - 3),
                resolution=(dpi, dpi),
                resolutionunit="INCH",
                iccprofile=profile,
                metadata=None,
                software=False,
            )
        else:
            picture = Image.fromarray(pixels)
            picture.save(temporary, "JPEG", quality=95, subsampling=0, dpi=(dpi, dpi), icc_profile=profile)


def srgb() -> bytes:
    """The ICC profile of sRGB."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[PROFILE_DATE] = SOME_DATE
    return bytes(profile)


def _write_png(file: BinaryIO, pixels: np.ndarray, dpi: float, profile: bytes) -> None:
    height, width, channels = pixels.shape
    bits = 8 * pixels.itemsize
    rows = pixels.astype(f">u{pixels.itemsize}").view(np.uint8).reshape(height, -1)
    filtered = np.full((height, 1 + rows.shape[1]), FILTER_UP, np.uint8)
    filtered[:, 1:] = rows
    filtered[1:, 1:] -= rows[:-1]
    per_metre = round(dpi / METRES_PER_INCH)
    file.write(png.SIGNATURE)
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, KINDS_OF_COLOR[channels], 0, 0, 0)),
        (b"iCCP", b"sRGB\0\0" + zlib.compress(profile)),
        (b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
        (b"IDAT", zlib.compress(filtered.tobytes())),
        (b"IEND", b""),
    ):
        png.append(file, kind, data)
