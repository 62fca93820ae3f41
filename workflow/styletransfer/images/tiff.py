"""TIFF files, tag by tag: what says nothing about pixels stays away from Pillow.

It stops at the first tag that it cannot read, and then misses those of the pixels.
"""

from __future__ import annotations

import contextlib
import io
import struct
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from styletransfer.images.foreign import HDR, ForeignError

# The order of bytes, and how numbers that point into the file and entries of the directory are packed.
_KINDS = {
    b"II*\0": ("<", "I", "H"),
    b"MM\0*": (">", "I", "H"),
    b"II+\0": ("<", "Q", "Q"),
    b"MM\0+": (">", "Q", "Q"),
}
SIGNATURES = tuple(_KINDS)
_BITS, _SAMPLES, _FORMAT, _PROFILE = 258, 277, 339, 34675
_FLOATING = 3
# What decoding takes; orientation and profile; and how a camera's RAW file is told (`foreign.is_raw`).
_OF_PIXELS = {
    *(254, 255, 256, 257, _BITS, 259, 262, 266, 273, 274, _SAMPLES, 278, 279, 284, 292, 293, 317, 320),
    *(322, 323, 324, 325, 330, 332, 338, _FORMAT, 347, *range(512, 522), 529, 530, 531, 532),
    *(33421, _PROFILE, 50706),
}
# Bytes of a value by its type, from 1.
_BYTES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 1, 1, 8, 8, 8), start=1))
_MOST_ENTRIES = 4096


@dataclass
class Tiff:
    """A TIFF file without what Pillow need not know.

    Args:
        stream: the file for Pillow.
        has_end: whether the file is there to the end of its pixels: only reading them tells.
        info: nothing: Pillow has it all.

    """

    stream: io.BytesIO
    has_end: bool = False
    info: dict[str, Any] = field(default_factory=dict)


def read(file: BinaryIO) -> Tiff:
    """What a TIFF file has of pixels; all of it where it is not built as a TIFF is.

    Raises:
        ForeignError: its colours are floating-point numbers, which Pillow does not read.
    """
    data = bytearray(file.read())
    found: dict[int, int] = {}
    # Of what is cut short Pillow says what is wrong.
    with contextlib.suppress(struct.error):
        found = _without_metadata(data)
    if found.get(_FORMAT) == _FLOATING and (found.get(_SAMPLES, 1) > 1 or found.get(_BITS) != 32):
        raise ForeignError(f"is {HDR[0]}, a TIFF of floating-point numbers: {HDR[1]}")
    return Tiff(io.BytesIO(data))


def _without_metadata(data: bytearray) -> dict[int, int]:
    """Empty the tags of the first directory that say nothing about pixels; returns the first value of some others."""
    order, offset, count = _KINDS[bytes(data[:4])]
    width = struct.calcsize(order + offset)
    entry = struct.Struct(f"{order}HH{offset}{offset}")
    (directory,) = struct.unpack_from(order + offset, data, width)
    (entries,) = struct.unpack_from(order + count, data, directory)
    begin = directory + struct.calcsize(order + count)
    found: dict[int, int] = {}
    for place in range(begin, begin + min(entries, _MOST_ENTRIES) * entry.size, entry.size):
        tag, kind, values, value = entry.unpack_from(data, place)
        size = values * _BYTES.get(kind, 1)
        at = place + entry.size - width if size <= width else value
        if tag not in _OF_PIXELS or (tag == _PROFILE and at + size > len(data)):
            entry.pack_into(data, place, tag, 1, 0, 0)
        elif tag in (_BITS, _SAMPLES, _FORMAT):
            (found[tag],) = struct.unpack_from(order + "H", data, at)
    return found
