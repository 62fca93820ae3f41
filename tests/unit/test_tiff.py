"""TIFFs: tags that say nothing about pixels change none, whatever they point to."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from styletransfer.errors import InputError
from styletransfer.images.io import check_whole, read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8)
# Software, description, resolution, artist, XMP, IPTC, Photoshop, EXIF, GPS, profile, and one that nobody knows.
METADATA = (270, 271, 282, 305, 315, 700, 33723, 34377, 34665, 34675, 34853, 65000)
FAR = 10**7


def saved(compression="raw", big=False, **options):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "TIFF", compression=compression, big_tiff=big, **options)
    return buffer.getvalue()


def with_tag(content, *added):
    """The file with one more tag in its first directory, which is written behind all else."""
    big = content[2] == 43
    number, count, entry = ("<Q", "<Q", "<HHQQ") if big else ("<I", "<H", "<HHII")
    (place,) = struct.unpack_from(number, content, 8 if big else 4)
    (entries,) = struct.unpack_from(count, content, place)
    begin, size = place + struct.calcsize(count), struct.calcsize(entry)
    found = [content[begin + size * each : begin + size * (each + 1)] for each in range(entries)]
    found = sorted([*found, struct.pack(entry, *added)], key=lambda each: each[:2][::-1])
    head = content[: 8 if big else 4] + struct.pack(number, len(content)) + content[16 if big else 8 :]
    return head + struct.pack(count, len(found)) + b"".join(found) + bytes(8)


@given(
    tag=st.sampled_from(METADATA),
    kind=st.integers(1, 18),
    count=st.integers(1, 2**31),
    place=st.integers(0, FAR),
    compression=st.sampled_from(["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]),
    big=st.booleans(),
)
def test_metadata_that_lie_beyond_the_file_or_anywhere_change_no_pixel(
    tmp_path_factory, tag, kind, count, place, compression, big
):
    path = tmp_path_factory.getbasetemp() / "a.tif"
    place = FAR if tag == 34675 else place  # a profile within the file is read
    path.write_bytes(with_tag(saved(compression, big), tag, kind, count, place))
    np.testing.assert_array_equal(read_image(path), PIXELS)
    check_whole(path)


def test_what_is_beyond_the_file_would_hide_the_tags_behind_it():
    """Otherwise the test above could not fail."""
    with pytest.raises(SyntaxError, match="unknown pixel mode"):
        TiffImagePlugin.TiffImageFile(io.BytesIO(with_tag(saved(), 270, 2, 500, FAR)))


def floats(bits, samples):
    """A TIFF of floating-point numbers, by hand: Pillow writes grey ones alone."""
    data = np.linspace(0, 4, 20 * 20 * samples).astype(f"<f{bits // 8}").tobytes()
    each, end = samples > 2, 8 + 2 + 10 * 12 + 4
    values = {256: 20, 257: 20, 258: end if each else bits, 259: 1, 262: 2 if samples > 1 else 1}
    values |= {273: end + 12, 277: samples, 278: 20, 279: len(data), 339: end + 6 if each else 3}
    entries = b"".join(
        struct.pack("<HHII", tag, 3, samples if tag in (258, 339) else 1, value) for tag, value in values.items()
    )
    head = struct.pack("<2sHIH", b"II", 42, 8, len(values)) + entries + bytes(4)
    return head + struct.pack("<6H", *[bits] * 3, *[3] * 3) + data


@pytest.mark.parametrize(("bits", "samples"), [(32, 3), (16, 3), (64, 3), (16, 1), (64, 1)])
def test_floating_point_colors_are_named(tmp_path, bits, samples):
    (path := tmp_path / "a.tif").write_bytes(floats(bits, samples))
    with pytest.raises(InputError, match="is an HDR picture, a TIFF of floating-point numbers: map its tones to 8"):
        read_image(path)


def test_grey_of_32_bits_is_read_and_its_range_is_told(tmp_path):
    (path := tmp_path / "a.tif").write_bytes(floats(32, 1))
    with pytest.raises(InputError, match=r"has grey values from 0 to 4, .*if it is an HDR picture: map its tones"):
        read_image(path)
    Image.fromarray(np.full((3, 3), 0.5, np.float32)).save(path)
    assert (read_image(path) == 128).all()
