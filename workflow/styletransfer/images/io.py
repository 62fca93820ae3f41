"""Pixels in and out: every picture format becomes 8-bit RGB, and results become files.

Pixel arrays are (H, W, 3) RGB, 0..255, in the sRGB colour space. What the pixels mean to a network is `vgg`'s matter;
painting the sample styles is that of `paintings`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from styletransfer.errors import InputError, WriteError
from styletransfer.files import atomic as files

MAX_PIXELS = 200_000_000
# Pictures of a study are shrunk to this: no result is larger than the network can look at.
MAX_SIDE = 4096
BAND_PIXELS = 10_000_000
# Formats that Pillow decodes by itself: none that starts another program, as EPS does, and none that is rarely fuzzed.
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF")

# What a prepared picture says of itself.
SOURCE, SEAL = "styletransfer source", "styletransfer sha256"
REMEDY = "Remove it, and the workflow makes it anew"

_JPEG = {"format": "JPEG", "quality": 95, "subsampling": 0}
_TIFF = {"format": "TIFF", "compression": "tiff_adobe_deflate"}
# All but JPEG keep every pixel.
_WRITERS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": {"format": "WEBP", "lossless": True},
    ".tif": _TIFF,
    ".tiff": _TIFF,
}
SUFFIXES = tuple(_WRITERS)

# What turns a picture of each EXIF orientation upright; 1 is upright. From 5 on, width and height change places.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Rec. 601, full range, as in JPEG.
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Sample:
    """A free photograph that the installed package scikit-image ships."""

    file: str
    sha256: str
    attribution: str
    licence: str


# Attribution and licence as scikit-image states them in `skimage.data`.
SAMPLES = {
    "astronaut": Sample(
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "Eileen Collins, NASA Great Images database (https://flic.kr/p/r9qvLn)",
        "public domain",
    ),
    "brick": Sample(
        "brick.png",
        "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
        "brick wall, CC0Textures Bricks25 (https://cc0textures.com)",
        "CC0",
    ),
    "camera": Sample(
        "camera.png",
        "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
        "photographer with camera, Lav Varshney",
        "CC0",
    ),
    "chelsea": Sample(
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "Chelsea the cat, Stefan van der Walt",
        "CC0",
    ),
    "coffee": Sample(
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "coffee cup, Rachel Michetti, courtesy of Pikolo Espresso Bar",
        "CC0",
    ),
    "grass": Sample(
        "grass.png",
        "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
        "grass, linolafett (https://www.deviantart.com/linolafett/art/Grass-01-434853879)",
        "CC0",
    ),
    "gravel": Sample(
        "gravel.png",
        "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
        "gravel, CC0Textures Gravel04 (https://cc0textures.com)",
        "CC0",
    ),
    "hubble": Sample(
        "hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        "Hubble eXtreme Deep Field, NASA (http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/)",
        "public domain",
    ),
    "retina": Sample(
        "retina.jpg",
        "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
        "human retina, Mikael Haggstrom (2014), WikiJournal of Medicine 1 (2), doi:10.15347/wjm/2014.008",
        "CC0",
    ),
    "rocket": Sample(
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "launch of DSCOVR, SpaceX (https://www.flickr.com/photos/spacexphotos/16511594820)",
        "public domain",
    ),
}


def sample_file(name: str) -> Path:
    """The file of a sample. Raises `InputError` for an unknown name, a missing package or another file."""
    if name not in SAMPLES:
        raise InputError(f"there is no sample picture {name!r}: choose one of {', '.join(SAMPLES)}")
    # Finding the package is not importing it, which would take a second.
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        raise InputError(f"sample {name!r} comes with the package scikit-image, which is not installed: install it")
    path = Path(package.origin).parent / "data" / SAMPLES[name].file
    if not path.is_file() or files.checksum(path) != SAMPLES[name].sha256:
        raise InputError(f"{path} is not the picture it should be: install the pinned version of scikit-image")
    return path


def read_image(path: str | Path) -> np.ndarray:
    """The picture as it is meant to be seen: (H, W, 3) uint8 RGB.

    - EXIF orientation is applied; of an animation or a file of several pages the first picture counts.
    - Transparency is laid over white.
    - An embedded ICC profile that is valid and fits is converted to sRGB; without one the values are taken for sRGB.
    - 16-bit values are scaled to 8. Floating-point grey is 0..1 or, if any value reaches 2, 0..255; it may
      overshoot its range by a tenth and is clipped. Grey becomes three equal channels.

    Raises `InputError` for what is no file, no whole picture in one of `FORMATS`, or larger than `MAX_PIXELS`; and for
    a prepared picture (see `write_image`) that is not as it was written.
    """
    with _open(path) as image:
        image.load()
        rgb = _over_white(image)
        # A TIFF has been turned by loading, and says so from then on.
        turn = _UPRIGHT.get(_orientation(image))
        pixels = np.array(rgb if turn is None else rgb.transpose(turn))
        if image.info.get(SEAL, digest := hashlib.sha256(pixels.tobytes()).hexdigest()) != digest:
            raise InputError(f"picture {str(path)!r} is damaged: its checksum differs. {REMEDY}")
        return pixels


def check_source(path: str | Path, checksum: str) -> None:
    """Raise `InputError` for a prepared picture that says it was made from something else.

    checksum: as an `Ingredient` has it, of what the picture was made from or of the file itself.
    """
    with _open(path) as image:
        told = image.info.get(SOURCE, checksum)
    if checksum not in (told, f"sha256:{files.checksum(path)}"):
        raise InputError(f"picture {str(path)!r} was made from {told}, not from {checksum}: another picture. {REMEDY}")


def image_size(path: str | Path) -> tuple[int, int]:
    """(width, height) in pixels as `read_image` would give them, from the header alone. Raises the same errors.

    Damage behind the header goes unnoticed.
    """
    with _open(path) as image:
        width, height = image.size
        # Pillow gives the size of a TIFF already turned.
        turned = image.format != "TIFF" and _orientation(image) >= 5
        return (height, width) if turned else (width, height)


def limited(width: int, height: int, max_side: int = MAX_SIDE) -> tuple[int, int]:
    """Width and height shrunk until the longer of them is at most `max_side`; smaller ones stay as they are."""
    longer = max(width, height)
    if longer <= max_side:
        return width, height
    return max(1, round(width * max_side / longer)), max(1, round(height * max_side / longer))


def resize_to_width(pixels: np.ndarray, width: int) -> np.ndarray:
    """Resize (H, W, 3) uint8 to `width` pixels, height by the aspect, at least 1. As `resize` otherwise."""
    height, old_width = pixels.shape[:2]
    return resize(pixels, width, max(1, round(height * width / old_width)))


def resize(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize (H, W, 3) uint8 with Pillow's LANCZOS. Returns (height, width, 3) float32 with whole values, 0..255.

    The resizing itself is done in 8 bits: integer arithmetic gives the same pixels on every machine, keeps even areas
    even and clips overshoot. Contrast is left alone, unlike in the reference program. Raises `InputError` for a size
    below 1 or above `MAX_PIXELS`.
    """
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise InputError(
            f"cannot resize a picture to {width} x {height} pixels: each side must be at least 1 and the area at most "
            f"{MAX_PIXELS:,}; choose another width or scale"
        )
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized, np.float32)


def preserve_colors(result: np.ndarray, content: np.ndarray) -> np.ndarray:
    """The luma of `result` with the chroma of `content`, in YCbCr (Rec. 601, full range).

    Both (H, W, 3) in 0..255. Returns float32, the same shape; where the colour does not exist at that luma, values lie
    outside 0..255: `to_uint8` clips them.

    R = Y + 1.402 Cr, G = Y - 0.344 Cb - 0.714 Cr and B = Y + 1.772 Cb: with Cb and Cr kept, a change of luma adds to
    every channel alike, so no conversion is needed and nothing is rounded. Raises `InputError` if the sizes differ.
    """
    if result.shape != content.shape:
        raise InputError(
            f"the result is {_size(result)} but the picture that lends its colors {_size(content)}: resize one of them"
        )
    change_of_luma = (np.asarray(result, np.float64) - content) @ _LUMA
    return (content + change_of_luma[..., np.newaxis]).astype(np.float32)


def to_uint8(pixels: np.ndarray) -> np.ndarray:
    """Clip to 0..255 and round to the nearest integer, halves to even. Any shape; returns uint8.

    Raises `InputError` for values that are not finite: they would become black or white without a word.
    """
    bad = pixels.size - np.count_nonzero(np.isfinite(pixels))
    if bad:
        raise InputError(
            f"{bad:,} of {pixels.size:,} values of the picture are not finite numbers (NaN or infinity): "
            "the optimisation that made it has diverged; lower its learning rate"
        )
    return np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)


def check_suffix(path: Path) -> None:
    """Raise `InputError` if the file name does not tell a format that can be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"cannot write a picture to {str(path)!r}: its name must end in one of {', '.join(SUFFIXES)}")


def write_image(path: str | Path, pixels: np.ndarray, source: str | None = None) -> None:
    """Write (H, W, 3) uint8 atomically and without metadata, in the format that the suffix names.

    source: for a prepared picture, a PNG: what it was made from, as an `Ingredient` has it. The file then says so, and
    what checksum its pixels have.

    Equal pixels give equal bytes with the same Pillow. JPEG has quality 95 and full chroma; the others lose nothing.
    Raises `InputError` for an unknown suffix and for a size that the format does not allow, and `WriteError` where the
    system refuses to write; nothing is left behind then.
    """
    path = Path(path)
    check_suffix(path)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"write_image takes (H, W, 3) uint8, not {pixels.shape} {pixels.dtype}: see to_uint8")
    try:
        with files.atomic_path(path) as temporary:
            Image.fromarray(pixels).save(temporary, **_WRITERS[path.suffix.lower()], **_about(pixels, source))
    except WriteError:
        raise
    # Pillow raises ValueError for a picture larger than the format allows, such as 16384 pixels in WebP.
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot write a picture of {_size(pixels)} to {str(path)!r} ({reason}): choose another place or format"
        ) from error


def _about(pixels: np.ndarray, source: str | None) -> dict[str, Any]:
    if source is None:
        return {}
    about = PngImagePlugin.PngInfo()
    about.add_text(SOURCE, source)
    about.add_text(SEAL, hashlib.sha256(pixels.tobytes()).hexdigest())
    return {"pnginfo": about}


@contextlib.contextmanager
def _open(path: str | Path) -> Iterator[Image.Image]:
    """A picture whose header has been read and found sound; an error while it is open becomes an `InputError`."""
    try:
        if Path(path).is_fifo():
            raise InputError(f"picture {str(path)!r} is a pipe: save the picture to a file")
        with _only_our_limit(), open(path, "rb") as file, Image.open(file, formats=FORMATS) as image:
            width, height = image.size
            if width < 1 or height < 1 or width * height > MAX_PIXELS:
                raise InputError(
                    f"picture {str(path)!r} has {width} x {height} pixels: each side must be at least 1 and the area "
                    f"at most {MAX_PIXELS:,}; give a smaller version"
                )
            yield image
    except InputError:
        raise
    # Decoders raise errors of many kinds; each means that this file is no picture.
    except Exception as error:
        raise InputError(f"picture {str(path)!r} {_complaint(path, error)}") from error


@contextlib.contextmanager
def _only_our_limit() -> Iterator[None]:
    """Silence Pillow and lift its own size limit, which is lower than ours and up to twice its value only warns."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _complaint(path: str | Path, error: Exception) -> str:
    """What was wrong with a file, and what to do."""
    match error:
        case FileNotFoundError():
            complaint = "is missing: check the path"
        case IsADirectoryError():
            complaint = "is a directory: name a file in it"
        case PermissionError():
            complaint = "may not be read by this user: change its permissions or copy it"
        case OSError(errno=int()):
            complaint = f"cannot be read ({error.strerror}): check the path"
        case UnidentifiedImageError() if Path(path).stat().st_size == 0:
            complaint = "is empty (0 bytes): fetch or save it again"
        case UnidentifiedImageError():
            complaint = f"is not recognised as a picture: give a whole file in one of {', '.join(FORMATS)}"
        case _:
            # Some errors come without a text, others with several lines.
            reason = " ".join(str(error).split()) or type(error).__name__
            complaint = f"cannot be decoded ({reason}): it is damaged, incomplete or of a rare kind; save it as PNG"
    return complaint


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8. Damaged EXIF data is no reason to refuse sound pixels: the picture is upright then."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        return 1
    return orientation if orientation in _UPRIGHT else 1


def _over_white(image: Image.Image) -> Image.Image:
    """Any loaded picture as 8-bit RGB in sRGB, transparency laid over white. Not yet turned upright."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_eight_bits(image)
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    rgb = _to_srgb(image)
    return rgb if alpha is None else Image.composite(rgb, Image.new("RGB", rgb.size, "white"), alpha)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits as mode L, or LA where one grey value is declared transparent."""
    values = np.asarray(image)
    white = 65535 if values.dtype.kind in "iu" else 255 if values.max() >= 2 else 1
    tolerance = 0 if white == 65535 else 0.1 * white
    # Written so that NaN fails it.
    if not (values.min() >= -tolerance and values.max() <= white + tolerance):
        raise ValueError(f"grey values from {values.min()} to {values.max()}, not 0..1, 0..255 or 0..65535")
    # In bands: as numbers of 64 bits a whole picture would take many times its size.
    bands = np.array_split(values, -(-values.size // BAND_PIXELS))
    grey = Image.fromarray(np.concatenate([to_uint8(band * (255 / white)) for band in bands]))
    if "transparency" in image.info:
        grey.putalpha(Image.fromarray(np.where(values == image.info["transparency"], 0, 255).astype(np.uint8)))
    grey.info["icc_profile"] = image.info.get("icc_profile")
    return grey


def _to_srgb(image: Image.Image) -> Image.Image:
    """8-bit RGB by the embedded ICC profile. A profile that is damaged or fits other channels is ignored."""
    kind = {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK"}.get(image.mode, "RGB")
    opaque = image.convert(kind)
    if profile := image.info.get("icc_profile"):
        # Loaded only for the few pictures that need it.
        from PIL import ImageCms

        with contextlib.suppress(ImageCms.PyCMSError, OSError, ImportError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(opaque, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return opaque.convert("RGB")


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} pixels"
