"""Files that people take for pictures we read: told by their first bytes, and what to do about each."""

from __future__ import annotations

from typing import Any

EXPORT = "open it where it comes from, and save or export it as JPEG or PNG"
PHONE = "export it from the phone as JPEG, or convert it: heif-convert photo.heic photo.jpg"
RAW = "a camera's RAW file, which each program develops in its own way", "develop it, and save it as TIFF, PNG or JPEG"
DRAWING = "render it at the size that you want, and save it as PNG"
VIDEO = "save one of its frames as PNG"
HDR = "an HDR picture", "map its tones to 8 bits, and save it as PNG"

# Where it stands, what stands there, what such a file is called, and what to do.
_BEGINNINGS = (
    (0, (b"\xff\x0a", b"\0\0\0\x0cJXL "), "JPEG XL", EXPORT),
    (0, (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), "JPEG 2000", EXPORT),
    (4, (b"ftypcrx",), *RAW),
    (4, (b"ftyphe", b"ftypmif1", b"ftypmsf1"), "HEIC, the format of iPhones", PHONE),
    (4, (b"ftypavi",), "AVIF that cannot be decoded", EXPORT),
    (4, (b"ftyp", b"moov"), "a video", VIDEO),
    (0, (b"\x1aE\xdf\xa3",), "a video", VIDEO),
    (0, (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM"), *RAW),
    (6, (b"HEAPCCDR",), *RAW),
    (0, (b"8BPS",), "a Photoshop document", "flatten it, and save it as PNG or TIFF"),
    (0, (b"gimp xcf",), "a GIMP document", "export it as PNG"),
    (0, (b"v/1\x01", b"#?RADIANCE", b"#?RGBE"), *HDR),
    (0, (b"%PDF", b"%!PS", b"\xc5\xd0\xd3\xc6"), "a PDF or PostScript document", DRAWING),
    (0, (b"version https://git-lfs",), "a Git LFS pointer", "fetch the file that it stands for: git lfs pull"),
    (8, (b"CR\2",), *RAW),
    (0, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "a TIFF of a rare kind, or a camera's RAW file", EXPORT),
    (0, (b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf"), "an archive", "unpack it"),
)
# TIFF tags, and the bit of the first that says: only a smaller version of another picture in the file.
_SUBFILE, _SUBFILES, _DNG, _CFA = 254, 330, 50706, 33421
_REDUCED = 1


class ForeignError(ValueError):
    """It is a picture of a kind that we do not read. The message says which, and what to do."""


def named(begin: bytes) -> str:
    """What a file is that is no picture we read, and what to do; empty if its first bytes tell nothing.

    Args:
        begin: its first kilobyte, or more.
    """
    for place, words, name, remedy in _BEGINNINGS:
        if begin[place:].startswith(words):
            return f"is {name}: {remedy}"
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in text:
        return f"is SVG, a drawing and no pixels: {DRAWING}"
    if text.startswith((b"<!doctype html", b"<html")):
        return "is a web page: save the picture that it shows"
    return ""


def is_raw(begin: bytes, tags: Any) -> bool:
    """Whether a TIFF is a camera's RAW file: its first picture is then only a preview of what it holds.

    Args:
        begin: its first bytes.
        tags: of the first picture, by number.
    """
    kind = tags.get(_SUBFILE)
    is_preview = _SUBFILES in tags and isinstance(kind, int) and bool(kind & _REDUCED)
    return begin[8:].startswith(b"CR\2") or is_preview or _DNG in tags or _CFA in tags
