"""JPEG files, segment by segment: application data that say nothing about pixels stay away from Pillow.

It takes a broken one for a broken picture. What it gets is JFIF, EXIF, XMP, the profile, and Adobe's kind of colour.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

SIGNATURE = b"\xff\xd8\xff"
_BEGIN_OF_SCAN, _END, _COMMENT, _APPLICATION = 0xDA, 0xD9, 0xFE, range(0xE0, 0xF0)
# By the kind of application data: how those begin that say something about pixels, and the bytes that they need.
_OF_PIXELS = {0xE0: (b"", 0), 0xE1: (b"", 0), 0xE2: (b"ICC_PROFILE\0", 14), 0xEE: (b"Adobe", 12)}
# In pixels 0xff is followed by 0, by the number of a restart, or by another 0xff.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass
class Jpeg:
    """A JPEG file without what Pillow need not know.

    Args:
        stream: the file for Pillow.
        has_end: whether the file is there to the end of its pixels; not known if only its header was read.
        info: nothing: Pillow has it all.

    """

    stream: io.BytesIO
    has_end: bool
    info: dict[str, Any] = field(default_factory=dict)


def read(file: BinaryIO, pixels: bool) -> Jpeg:
    """What a JPEG file has of pixels; all of it where it is not built as a JPEG is.

    Args:
        file: the file.
        pixels: whether to look for their end.
    """
    data = file.read()
    kept, place = [data[:2]], 2
    for kind, begin, end in _segments(data):
        if kind == _BEGIN_OF_SCAN:
            break
        if _is_of_pixels(kind, data[begin + 4 : end]):
            kept.append(data[begin:end])
        place = end
    has_end = pixels and any(kind == _END for kind, *_ in _segments(data))
    return Jpeg(io.BytesIO(b"".join([*kept, data[place:]])), has_end)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, begin and end of each segment with a length, up to the end of the pixels or where none follows."""
    place, in_scan = 2, False
    while found := _MARKER.search(data, place) if in_scan else _MARKER.match(data, place):
        begin, kind = found.start(), data[found.start() + 1]
        if kind == _END:
            yield kind, begin, begin + 2
            return
        end = begin + 2 + int.from_bytes(data[begin + 2 : begin + 4])
        if end > len(data) or end < begin + 4:
            return
        yield kind, begin, end
        in_scan |= kind == _BEGIN_OF_SCAN
        place = end


def _is_of_pixels(kind: int, data: bytes) -> bool:
    if kind not in _APPLICATION:
        return kind != _COMMENT
    begin, least = _OF_PIXELS.get(kind, (b"", len(data) + 1))
    return data.startswith(begin) and len(data) >= least
