"""Pictures of every kind come in as RGB; what cannot be read is named."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, TiffImagePlugin

from styletransfer.errors import InputError
from styletransfer.images import io as images_io
from styletransfer.images import resize
from styletransfer.images.color import preserve_colors
from styletransfer.images.io import image_size, read_image, write_image
from styletransfer.images.resize import resize_to_width

RED = (200, 30, 40)


def saved(path, image, **options):
    image.save(path, **options)
    return read_image(path)


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("RGB", RED, RED),
        ("L", 90, (90, 90, 90)),
        ("1", 1, (255, 255, 255)),
        ("RGBA", (*RED, 255), RED),
        ("RGBA", (*RED, 0), (255, 255, 255)),
        ("LA", (90, 255), (90, 90, 90)),
        ("I;16", 257 * 90, (90, 90, 90)),
    ],
)
def test_modes(tmp_path, mode, color, expected):
    pixels = saved(tmp_path / "a b'c.png", Image.new(mode, (3, 2), color))
    assert pixels.shape == (2, 3, 3)
    assert pixels.dtype == np.uint8
    assert tuple(pixels[0, 0]) == expected


def test_palette_with_transparency(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, 0, 0, 255])
    image.putpixel((1, 0), 1)
    pixels = saved(tmp_path / "a.png", image, transparency=1)
    assert pixels[0].tolist() == [list(RED), [255, 255, 255]]


def test_cmyk_and_animation(tmp_path):
    assert saved(tmp_path / "a.jpg", Image.new("CMYK", (8, 8), (0, 0, 0, 0))).min() > 250
    frames = [Image.new("RGB", (4, 4), color) for color in (RED, (0, 0, 0))]
    first = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(first[0, 0], RED, atol=8)


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.arange(45, dtype=np.uint8).reshape(3, 5, 3))
    options = {"lossless": True} if suffix == "webp" else {}
    pixels = saved(path := tmp_path / f"a.{suffix}", image, exif=exif, **options)
    with Image.open(path) as again:
        np.testing.assert_array_equal(pixels, ImageOps.exif_transpose(again))
    height, width = (3, 5) if orientation < 5 else (5, 3)
    assert pixels.shape == (height, width, 3)
    assert image_size(path) == (width, height)


@pytest.mark.parametrize("damage", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"no EXIF", bytes(range(256))])
def test_damaged_exif_data_is_no_reason_to_refuse_a_picture(tmp_path, damage):
    image = Image.fromarray(np.arange(45, dtype=np.uint8).reshape(3, 5, 3))
    np.testing.assert_array_equal(saved(tmp_path / "a.png", image, exif=damage), np.asarray(image))
    assert image_size(tmp_path / "a.png") == (5, 3)


@pytest.mark.parametrize("orientation", [0, 9, 6000])
def test_an_orientation_that_there_is_not_leaves_a_picture_as_it_is(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert saved(tmp_path / "a.png", Image.new("RGB", (5, 3)), exif=exif).shape == (3, 5, 3)
    assert image_size(tmp_path / "a.png") == (5, 3)


def test_one_pixel_wide_and_high(tmp_path):
    for size in ((1, 7), (7, 1), (1, 1)):
        assert saved(tmp_path / "thin.png", Image.new("RGB", size, RED)).shape == (size[1], size[0], 3)


def test_a_huge_picture_is_refused_by_its_header(tmp_path):
    """Before its pixels are decoded: 2.5 gigapixels would take 7.5 GB."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    (tmp_path / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    with pytest.raises(InputError, match="50000 x 50000 pixels"):
        read_image(tmp_path / "huge.png")


@pytest.mark.parametrize("cut", [0, 20, 0.3, 0.9])
def test_truncated(tmp_path, cut):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)).save(buffer, "PNG")
    path = tmp_path / "cut.png"
    path.write_bytes(buffer.getvalue()[: cut if isinstance(cut, int) else int(cut * buffer.tell())])
    with pytest.raises(InputError, match=r"cut\.png"):
        read_image(path)


def test_missing_folder_text_and_bomb(tmp_path, monkeypatch):
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (20, 20)).save(tmp_path / "large.png")
    monkeypatch.setattr(resize, "MAX_PIXELS", 399)
    for name, message in (
        ("none.png", "missing"),
        ("", "directory"),
        ("text.png", "picture"),
        ("large.png", "20 x 20"),
    ):
        with pytest.raises(InputError, match=message):
            read_image(tmp_path / name)


def test_resize_keeps_constant_and_aspect():
    resized = resize_to_width(np.full((30, 20, 3), 77, np.uint8), 13)
    assert resized.shape == (20, 13, 3)
    assert (resized == 77).all()
    assert resize_to_width(np.zeros((1, 500, 3), np.uint8), 10).shape == (1, 10, 3)


def test_preserve_colors_takes_luma_and_chroma_apart():
    rng = np.random.default_rng(2)
    result, content = rng.uniform(0, 255, (2, 6, 7, 3))
    matrix = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    found = preserve_colors(result, content).astype(float) @ matrix.T
    np.testing.assert_allclose(found[..., 0], (result @ matrix.T)[..., 0], atol=1e-3)
    np.testing.assert_allclose(found[..., 1:], (content @ matrix.T)[..., 1:], atol=1e-3)


def test_write_round_trip_and_unknown_suffix(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 255, (5, 4, 3), np.uint8)
    write_image(tmp_path / "a.png", pixels)
    assert (read_image(tmp_path / "a.png") == pixels).all()
    with pytest.raises(InputError, match=r"\.xyz"):
        write_image(tmp_path / "a.xyz", pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_grey_of_16_bits_in_bands_is_the_same(tmp_path, monkeypatch):
    values = np.random.default_rng(3).integers(0, 65536, (7, 5), np.uint16)
    monkeypatch.setattr(images_io, "BAND_PIXELS", 8)
    pixels = saved(tmp_path / "a.png", Image.fromarray(values))
    np.testing.assert_array_equal(pixels[..., 0], np.rint(values / 257).astype(np.uint8))


@pytest.mark.parametrize("kind", range(1, 13))
def test_a_profile_that_is_no_bytes_is_ignored(tmp_path, kind):
    """A TIFF tells the type of each tag: text, numbers of any size."""
    profile = bytes(range(200))
    Image.new("RGB", (4, 3), RED).save(path := tmp_path / "a.tif", icc_profile=profile)
    content = bytearray(path.read_bytes())
    content[content.index(struct.pack("<HH", 34675, 7)) + 2] = kind
    path.write_bytes(content)
    assert (read_image(path) == RED).all()


def test_a_tiff_with_a_smaller_version_of_itself_is_no_raw_file(tmp_path):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[330] = 8
    Image.new("RGB", (4, 3), RED).save(path := tmp_path / "a.tif", tiffinfo=tags)
    assert (read_image(path) == RED).all()
    tags[254] = 1
    Image.new("RGB", (4, 3), RED).save(path, tiffinfo=tags)
    with pytest.raises(InputError, match="a camera's RAW file"):
        read_image(path)
