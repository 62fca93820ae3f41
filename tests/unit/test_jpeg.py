"""JPEGs: broken application data change no pixel, and a missing end is found."""

import io
import random
import struct

import numpy as np
import pytest
from PIL import Image

from styletransfer.errors import InputError
from styletransfer.images.io import check_whole, image_size, read_image

MPF = b"MPF\0MM\0*\0\0\0\x08\0\x02\xb0\0\0\x07\0\0\0\x040100\xb0\x01\0\x04\0\0\0\x01\0\0\0\x02\0\0\0\0"
PHOTOSHOP = b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10\0\x48\0\0\0\1\0\1\0\x48\0\0\0\1\0\1"
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x1a\0\5\0\0\0\1\0\0\0\x1a\0\0\0\0\0\0\0\x48\0\0\0\1"
SEGMENTS = {
    "JFIF thumbnail": (0xE0, b"JFXX\0\x13\x09\x09" + bytes(30)),
    "EXIF": (0xE1, EXIF),
    "XMP": (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
    "profile": (0xE2, b"ICC_PROFILE\0\1\1" + bytes(60)),
    "several pictures": (0xE2, MPF),
    "anything": (0xE5, b"anything"),
    "Photoshop": (0xED, PHOTOSHOP),
    "Adobe": (0xEE, b"Adobe\0\x64\0\0\0\0"),
    "comment": (0xFE, b"by hand"),
}


def segment(kind, data):
    return b"\xff" + bytes([kind]) + struct.pack(">H", len(data) + 2) + data


def jpeg(**options):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (21, 34, 3), np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("name", SEGMENTS)
def test_broken_application_data_change_no_pixel(tmp_path, name):
    kind, sound = SEGMENTS[name]
    path, plain, chance = tmp_path / "a.jpg", jpeg(), random.Random(name)
    path.write_bytes(plain)
    right = read_image(path)
    for length in range(len(sound) + 1):
        data = bytearray(sound)
        for _ in range(length and 2):
            data[chance.randrange(len(data))] = chance.choice([0, 255, chance.randrange(256)])
        for broken in (sound[:length], bytes(data)):
            # Adobe's kind of colour is of pixels: whole, it counts.
            if kind == 0xEE and len(broken) >= 12:
                continue
            path.write_bytes(plain[:20] + segment(kind, broken) + plain[20:])
            check_whole(path)
            np.testing.assert_array_equal(read_image(path), right)
            assert image_size(path) == (34, 21)


def test_the_kind_of_color_that_adobe_tells_counts(tmp_path):
    """RGB as it is, not as luma and chroma: other pixels."""
    (tmp_path / "a.jpg").write_bytes(plain := jpeg(subsampling=0))
    rgb = read_image(tmp_path / "a.jpg")
    without_jfif = plain[:2] + segment(0xEE, b"Adobe\0\x64\0\0\0\0\0") + plain[20:]
    (tmp_path / "a.jpg").write_bytes(without_jfif)
    with Image.open(io.BytesIO(without_jfif)) as image:
        np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), np.asarray(image))
    assert (read_image(tmp_path / "a.jpg") != rgb).any()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}], ids=str)
def test_every_end_that_is_missing_is_found(tmp_path, options):
    whole, path = jpeg(**options), tmp_path / "a.jpg"
    for cut in range(2, len(whole) - 2):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"a\.jpg' (is|cannot be)"):
            check_whole(path)
        with pytest.raises(InputError, match=r"a\.jpg' (is|cannot be)"):
            read_image(path)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}], ids=str)
def test_what_follows_the_end_does_not_count(tmp_path, options):
    """Telephones put a film there."""
    whole, path = jpeg(**options), tmp_path / "a.jpg"
    path.write_bytes(whole)
    right = read_image(path)
    path.write_bytes(whole + b"\0\0\0\x18ftypmp42" + bytes(999))
    check_whole(path)
    np.testing.assert_array_equal(read_image(path), right)
