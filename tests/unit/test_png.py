"""PNGs of every kind that there is, against a second decoder; and metadata that never decide about pixels.

The kinds are those of Willem van Schaik's PngSuite; the files are written here.
"""

import io
import itertools
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from styletransfer.errors import InputError
from styletransfer.images.io import check_whole, image_size, read_image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
KINDS = [(color, bits) for color, depths in DEPTHS.items() for bits in depths]
# Adam7: first column, first row, and the steps between columns and rows.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
# Of ancillary chunks one each that PngSuite has; none of them changes a pixel.
METADATA = {
    b"gAMA": struct.pack(">I", 35_000),
    b"cHRM": struct.pack(">8I", *[31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000]),
    b"pHYs": struct.pack(">IIB", 1, 4, 0),
    b"sBIT": b"\5",
    b"bKGD": b"\0\0",
    b"hIST": b"\0\1",
    b"sPLT": b"six-cube\0\x08" + bytes(6),
    b"tIME": struct.pack(">H5B", 2000, 1, 1, 12, 34, 56),
    b"tEXt": b"Title\0PngSuite",
    b"zTXt": b"Disclaimer\0\0" + zlib.compress(b"Freeware."),
    b"iTXt": b"Title\0\0\0en\0Title\0PngSuite",
    b"eXIf": b"MM\0*\0\0\0\x08\0\0",
    b"iCCP": b"sRGB\0\0" + zlib.compress(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
    b"acTL": struct.pack(">II", 2, 0),
    b"fcTL": struct.pack(">5I2H2B", 0, 9, 9, 0, 0, 1, 1, 0, 0),
    b"prVt": b"anything",
}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(rows, bits):
    """Rows of samples as bytes, the first sample in the highest bits."""
    if bits == 16:
        return [struct.pack(f">{len(row)}H", *row) for row in rows]
    each = 8 // bits
    packed_rows = []
    for row in rows:
        padded = list(row) + [0] * (-len(row) % each)
        packed_rows.append(
            bytes(
                sum(sample << 8 - bits - bits * place for place, sample in enumerate(padded[first : first + each]))
                for first in range(0, len(padded), each)
            )
        )
    return packed_rows


def predicted(kind, left, above, corner):
    if kind == 4:
        guess = left + above - corner
        return min((left, above, corner), key=lambda value: abs(guess - value))
    return (0, left, above, (left + above) // 2)[kind]


def filtered(rows, step, kinds):
    """Rows of bytes by the filters of PNG, one kind after the other."""
    data, before = b"", bytes(len(rows[0]) if rows else 0)
    for row, kind in zip(rows, itertools.cycle(kinds)):
        data += bytes([kind]) + bytes(
            row[i] - predicted(kind, row[i - step] if i >= step else 0, before[i], before[i - step] if i >= step else 0)
            & 255
            for i in range(len(row))
        )
        before = row
    return data


def parts_of(height, width, interlaced):
    """The columns and rows of each pass; one without interlacing."""
    passes = PASSES if interlaced else ((0, 0, 1, 1),)
    return [(range(y, height, by_y), range(x, width, by_x)) for x, y, by_x, by_y in passes if x < width and y < height]


def encoded(
    samples, color, bits, interlaced=False, filters=(0, 1, 2, 3, 4), idat=None, level=6, before=(), palette=b""
):
    """A PNG. samples: (H, W, channels). idat: the most bytes of pixels in a chunk. before: chunks ahead of them."""
    height, width, channels = samples.shape
    step = max(1, channels * bits // 8)
    data = b""
    for ys, xs in parts_of(height, width, interlaced):
        rows = [[int(sample) for x in xs for sample in samples[y, x]] for y in ys]
        data += filtered(packed(rows, bits), step, filters)
    data = zlib.compress(data, level)
    idat = idat or len(data)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlaced))]
    chunks += [(b"PLTE", palette)] if palette else []
    chunks += [*before, *((b"IDAT", data[at : at + idat]) for at in range(0, len(data), idat)), (b"IEND", b"")]
    return SIGNATURE + b"".join(itertools.starmap(chunk, chunks))


def decoded(png):
    """The second decoder: (H, W, 4) of 0..1, by the letter of the specification."""
    at, chunks = 8, {}
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        chunks[kind] = chunks.get(kind, b"") + png[at + 8 : at + 8 + length]
        at += 12 + length
    width, height, bits, color, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    channels, data, at = CHANNELS[color], zlib.decompress(chunks[b"IDAT"]), 0
    step = max(1, channels * bits // 8)
    samples = np.zeros((height, width, channels), int)
    for ys, xs in parts_of(height, width, interlaced):
        size = -(-len(xs) * channels * bits // 8)
        above = bytearray(size)
        for y in ys:
            kind, row = data[at], bytearray(data[at + 1 : at + 1 + size])
            at += 1 + size
            for i in range(size):
                left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
                row[i] = (row[i] + predicted(kind, left, above[i], corner)) & 255
            above, number = row, int.from_bytes(row)
            for place, (x, channel) in enumerate(itertools.product(xs, range(channels))):
                samples[y, x, channel] = number >> 8 * size - bits * (place + 1) & (1 << bits) - 1
    alpha, most = np.ones((height, width)), (1 << bits) - 1
    transparency = chunks.get(b"tRNS")
    if color == 3:
        palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
        opacity = np.r_[np.frombuffer(transparency or b"", np.uint8), [255] * 256]
        rgb, alpha = palette[samples[..., 0]] / 255, opacity[samples[..., 0]] / 255
    else:
        rgb = np.broadcast_to(samples[..., : 3 if color in (2, 6) else 1], (height, width, 3)) / most
        if color in (4, 6):
            alpha = samples[..., -1] / most
        elif transparency:
            key = np.frombuffer(transparency, ">u2")
            alpha = 1.0 - (samples == key).all(axis=-1)
    return np.concatenate([rgb, alpha[..., np.newaxis]], axis=-1)


def expected(png):
    """What `read_image` is to give, as real numbers: transparency over white."""
    pixels = decoded(png)
    alpha = pixels[..., 3:]
    return 255 * (pixels[..., :3] * alpha + 1 - alpha)


def check(path, png, bits, has_steps=False):
    """Exact where 8 bits hold the value; of the 16 bits of samples and of opacities the low ones are dropped."""
    path.write_bytes(png)
    found = read_image(path)
    tolerance = (1 if bits == 16 else 0) + (1 if has_steps else 0)
    np.testing.assert_allclose(found, expected(png), rtol=0, atol=tolerance + 1e-9)
    assert image_size(path) == found.shape[1::-1]
    check_whole(path)


def drawn(color, bits, height=9, width=11, seed=0):
    """Any samples, and a palette where they need one."""
    rng = np.random.default_rng([seed, color, bits])
    samples = rng.integers(0, 1 << bits, (height, width, CHANNELS[color]))
    palette = rng.integers(0, 256, 3 << bits, np.uint8).tobytes() if color == 3 else b""
    return samples, palette


@pytest.mark.parametrize("interlaced", [False, True], ids=["basn", "basi"])
@pytest.mark.parametrize(("color", "bits"), KINDS)
def test_every_kind_of_color_and_depth(tmp_path, color, bits, interlaced):
    samples, palette = drawn(color, bits)
    png = encoded(samples, color, bits, interlaced, palette=palette)
    check(tmp_path / "a.png", png, bits, color in (4, 6))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("color", "bits"), [(color, bits) for color, bits in KINDS if color in (0, 2)])
def test_a_key_color_is_compared_at_the_depth_of_the_file(tmp_path, color, bits, interlaced):
    """Of neighbours that differ in one bit from the key, wherever that bit is, none is transparent."""
    channels = CHANNELS[color]
    for seed in range(4):
        samples, _ = drawn(color, bits, 8, 18, seed)
        rng = np.random.default_rng(seed)
        key = rng.integers(0, 1 << bits, channels)
        samples[::2, ::3] = key
        for number, (bit, channel) in enumerate(itertools.product(range(bits), range(channels))):
            near = key.copy()
            near[channel] ^= 1 << bit
            samples[1 + number // 18, number % 18] = near
        # Bits above the depth are no part of the key: decoders differ in nothing else.
        chunks = [(b"tRNS", struct.pack(f">{channels}H", *map(int, key)))]
        check(tmp_path / "a.png", encoded(samples, color, bits, interlaced, before=chunks), bits)


def test_bits_of_a_key_above_the_depth_do_not_count(tmp_path):
    samples = np.array([[[3], [5]]])
    (tmp_path / "a.png").write_bytes(encoded(samples, 0, 4, before=[(b"tRNS", b"\x01\x05")]))
    assert read_image(tmp_path / "a.png")[0, :, 0].tolist() == [3 * 17, 255]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("bits", DEPTHS[3])
@pytest.mark.parametrize("opacities", [b"\0", b"\xff\0", b"\0\n", b"\xff\0\n", b"\x80\x40", bytes(range(0, 256, 16))])
def test_a_palette_with_opacities(tmp_path, bits, interlaced, opacities):
    """Two of them end in what looks like a line break to a pattern."""
    samples, palette = drawn(3, bits)
    png = encoded(samples, 3, bits, interlaced, palette=palette, before=[(b"tRNS", opacities[: 1 << bits])])
    check(tmp_path / "a.png", png, bits, True)


def test_a_key_color_beside_an_alpha_channel_does_not_count(tmp_path):
    for color in (4, 6):
        samples, _ = drawn(color, 8)
        png = encoded(samples, color, 8, before=[(b"tRNS", struct.pack(">3H", *map(int, samples[0, 0, [0, 0, 0]])))])
        check(tmp_path / "a.png", png, 8, True)


@pytest.mark.parametrize("size", [*range(1, 10), *range(32, 41)])
@pytest.mark.parametrize("interlaced", [False, True], ids=["n", "i"])
def test_odd_sizes(tmp_path, size, interlaced):
    samples, palette = drawn(3, 4, size, size)
    check(tmp_path / "a.png", encoded(samples, 3, 4, interlaced, palette=palette), 4)


@pytest.mark.parametrize("options", [{"filters": [kind]} for kind in range(5)] + [{"level": level} for level in (0, 9)])
@pytest.mark.parametrize(("color", "bits"), [(0, 8), (2, 8), (2, 16)])
def test_filters_and_compression(tmp_path, color, bits, options):
    samples, _ = drawn(color, bits)
    check(tmp_path / "a.png", encoded(samples, color, bits, **options), bits)


@pytest.mark.parametrize("idat", [1, 7, 100])
@pytest.mark.parametrize(("color", "bits"), [(0, 16), (2, 16)])
def test_pixels_in_many_chunks(tmp_path, color, bits, idat):
    samples, _ = drawn(color, bits)
    key = [(b"tRNS", struct.pack(f">{CHANNELS[color]}H", *map(int, samples[2, 2])))]
    check(tmp_path / "a.png", encoded(samples, color, bits, idat=idat, before=key), bits)


@pytest.mark.parametrize(("color", "bits"), [(2, 16), (6, 8)])
def test_a_palette_that_true_color_suggests_does_not_count(tmp_path, color, bits):
    samples, _ = drawn(color, bits)
    check(tmp_path / "a.png", encoded(samples, color, bits, palette=bytes(range(30))), bits, color == 6)


# --- Metadata ---


@pytest.fixture(params=[(0, 4), (2, 8), (2, 16), (3, 8)], ids=str)
def plain(request):
    """How to encode a picture, with more chunks before its pixels or after; and its pixels without them."""
    color, bits = request.param
    samples, palette = drawn(color, bits)

    def encode(*before, after=b""):
        png = encoded(samples, color, bits, palette=palette, before=before)
        return png[:-12] + after + png[-12:]

    return encode


def pixels_of(path, png):
    path.write_bytes(png)
    check_whole(path)
    width, height = image_size(path)
    pixels = read_image(path)
    assert pixels.shape[:2] == (height, width)
    return pixels


def broken(kind, data, how):
    """A chunk that is wrong in one of many ways, as bytes."""
    sound = bytearray(chunk(kind, data))
    if how == "checksum":
        sound[-1] ^= 1
        return bytes(sound)
    if how == "data":
        sound[8] ^= 0x40
        return bytes(sound)
    changed = {"short": data[:1], "empty": b"", "long": data + bytes(50), "noise": random.Random(0).randbytes(40)}
    return chunk(kind, changed[how])


@pytest.mark.parametrize("how", ["checksum", "data", "short", "empty", "long", "noise"])
@pytest.mark.parametrize("kind", METADATA, ids=bytes.decode)
def test_broken_metadata_are_as_if_they_were_not_there(tmp_path, plain, kind, how):
    right = pixels_of(tmp_path / "plain.png", plain())
    bad = broken(kind, METADATA[kind], how)
    png = plain()
    for changed in (png[:33] + bad + png[33:], plain(after=bad)):
        np.testing.assert_array_equal(pixels_of(tmp_path / "a.png", changed), right)


def test_sound_metadata_change_nothing_either(tmp_path, plain):
    right = pixels_of(tmp_path / "plain.png", plain())
    neutral = {kind: data for kind, data in METADATA.items() if kind != b"iCCP"}
    np.testing.assert_array_equal(pixels_of(tmp_path / "a.png", plain(*neutral.items())), right)


def test_a_profile_that_does_not_unpack_is_ignored(tmp_path, plain):
    right = pixels_of(tmp_path / "plain.png", plain())
    for data in (b"a\0\1" + zlib.compress(b"x"), b"a\0\0no zlib", b"a\0\0" + zlib.compress(b"no profile" * 9)):
        np.testing.assert_array_equal(pixels_of(tmp_path / "a.png", plain((b"iCCP", data))), right)


@pytest.mark.parametrize("size", [1_200_000, 70_000_000])
@pytest.mark.parametrize("kind", ["iTXt", "zTXt", "iCCP"])
def test_huge_metadata_are_no_reason_to_refuse_a_picture(tmp_path, size, kind):
    text = zlib.compress(b"x" * size, 1)
    head = {"iTXt": b"XML:com.adobe.xmp\0\1\0\0\0", "zTXt": b"Comment\0\0", "iCCP": b"a\0\0"}[kind]
    samples, _ = drawn(2, 8)
    png = encoded(samples, 2, 8, before=[(kind.encode(), head + text)] * 2)
    np.testing.assert_array_equal(pixels_of(tmp_path / "a.png", png), samples)


def test_many_texts_are_no_reason_either(tmp_path):
    """Pillow refuses 64 megabytes of them together."""
    samples, _ = drawn(2, 8)
    texts = [(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 1_000_000))] * 70
    np.testing.assert_array_equal(pixels_of(tmp_path / "a.png", encoded(samples, 2, 8, before=texts)), samples)


@pytest.mark.parametrize("padding", [0, 2_000_000])
def test_a_profile_counts_however_large_it_is(tmp_path, padding):
    """With red and blue exchanged: pixels tell whether it was used. Those of printers have more than a megabyte."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = bytearray(plain.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ"))
    profile += bytes(padding)
    profile[:4] = struct.pack(">I", len(profile))
    samples = np.broadcast_to([250, 20, 20], (4, 4, 3))
    chunks = [(b"iCCP", b"exchanged\0\0" + zlib.compress(bytes(profile)))]
    (tmp_path / "a.png").write_bytes(encoded(samples, 2, 8, before=chunks))
    red, _, blue = read_image(tmp_path / "a.png")[0, 0].tolist()
    assert red < 60
    assert blue > 200


@pytest.mark.parametrize("after", [False, True], ids=["before the pixels", "after them"])
@pytest.mark.parametrize("kind", ["eXIf", "zTXt", "iTXt", "huge iTXt"])
def test_which_side_is_up_is_known_from_all_that_say_so(tmp_path, kind, after):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif = exif.tobytes()
    xmp = b'<x tiff:Orientation="6"/>'
    name, data = {
        "eXIf": (b"eXIf", exif[6:]),
        "zTXt": (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n   99\n" + exif.hex().encode())),
        "iTXt": (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
        "huge iTXt": (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp + b" " * 1_200_000)),
    }[kind]
    samples, _ = drawn(2, 8)
    png = encoded(samples, 2, 8, before=[] if after else [(name, data)])
    if after:
        png = png[:-12] + chunk(name, data) + png[-12:]
    np.testing.assert_array_equal(pixels_of(tmp_path / "a.png", png), np.rot90(samples, -1))


# --- Damage ---


@pytest.mark.parametrize("kind", ["IHDR", "PLTE", "tRNS", "IDAT"])
@pytest.mark.parametrize("bit", range(32))
def test_a_wrong_checksum_of_what_pixels_are_made_of_is_named(tmp_path, kind, bit):
    samples, palette = drawn(3, 4)
    png = bytearray(encoded(samples, 3, 4, palette=palette, idat=20, before=[(b"tRNS", b"\0\x80")]))
    at = png.rindex(kind.encode())
    end = at + 4 + int.from_bytes(png[at - 4 : at])
    png[end + bit // 8] ^= 1 << bit % 8
    (tmp_path / "a.png").write_bytes(png)
    for read in (read_image, check_whole):
        with pytest.raises(InputError, match=rf"a\.png' is damaged or incomplete: the checksum of {kind} is wrong"):
            read(tmp_path / "a.png")


def test_every_end_that_is_missing_is_found_and_named(tmp_path):
    samples, _ = drawn(2, 8)
    png = encoded(samples, 2, 8, idat=90, before=[(b"tEXt", b"Title\0" + b"x" * 30)])
    for cut in range(len(png) - 12):
        (tmp_path / "a.png").write_bytes(png[:cut])
        for read in (read_image, check_whole):
            with pytest.raises(InputError, match=r"a\.png' (is|cannot be)"):
                read(tmp_path / "a.png")
    for cut in range(len(png) - 12, len(png)):
        (tmp_path / "a.png").write_bytes(png[:cut])
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), samples)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ((1, 8), "IHDR says 8 bits a sample for the kind of colour 1"),
        ((9, 8), "kind of colour 9"),
        ((2, 0), "IHDR says 0 bits"),
        ((0, 3), "IHDR says 3 bits"),
        ((2, 99), "IHDR says 99 bits"),
        ((3, 16), "IHDR says 16 bits a sample for the kind of colour 3"),
    ],
)
def test_kinds_that_png_does_not_have(tmp_path, kind, message):
    header = struct.pack(">IIBBBBB", 4, 4, kind[1], kind[0], 0, 0, 0)
    png = SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(png)
    with pytest.raises(InputError, match=message):
        read_image(tmp_path / "a.png")


def test_no_pixels_a_short_key_and_chunks_out_of_place(tmp_path):
    samples, _ = drawn(2, 8)
    png = encoded(samples, 2, 8)
    cases = {
        "it has no IDAT": png[:33] + png[-12:],
        "it does not begin with IHDR": SIGNATURE + png[33:],
        "tRNS, its transparent colour, has 2 bytes: 6 are needed": encoded(samples, 2, 8, before=[(b"tRNS", b"ab")]),
        "at byte 33 there is no chunk": png[:33] + bytes(20) + png[33:],
    }
    for message, content in cases.items():
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(InputError, match=message):
            read_image(tmp_path / "a.png")


def test_pixels_are_those_of_pillow_where_pillow_is_right(tmp_path):
    """Whatever has no key colour and sound metadata."""
    for color, bits in KINDS:
        samples, palette = drawn(color, bits)
        png = encoded(samples, color, bits, palette=palette)
        with Image.open(io.BytesIO(png)) as image:
            if image.mode == "I;16":
                continue
            rgba = image.convert("RGBA")
        white = Image.new("RGB", rgba.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        (tmp_path / "a.png").write_bytes(png)
        np.testing.assert_allclose(read_image(tmp_path / "a.png"), np.asarray(white), atol=1 if color in (4, 6) else 0)
