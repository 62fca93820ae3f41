"""Pictures in and out: every format becomes 8-bit RGB, and results become files.

Pixel arrays are (H, W, 3) RGB, 0..255, in the sRGB colour space. What the pixels mean to a network is `vgg`'s matter;
painting the sample styles is that of `generated`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from styletransfer.errors import InputError, WriteError
from styletransfer.files import atomic, checks
from styletransfer.images import foreign, jpeg, png, resize, tiff
from styletransfer.images.resize import size_text, to_uint8

BAND_PIXELS = 10_000_000
# A picture of floating-point grey whose largest value is below this is none of 0..255, or there is nothing to be seen.
LEAST_OF_255 = 16
# Formats that Pillow decodes by itself: none that starts another program, as EPS does, and none that is rarely fuzzed.
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF")

# What a prepared picture says of itself.
SOURCE, CHECKSUM_KEY = "styletransfer source", "styletransfer sha256"

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
Found = png.Png | jpeg.Jpeg | tiff.Tiff


def read_image(path: str | Path) -> np.ndarray:
    """The picture as it is meant to be seen.

    - EXIF orientation is applied; of an animation or a file of several pages the first picture counts.
    - Transparency is laid over white. A key colour is compared at the depth of the file.
    - An embedded ICC profile that is valid and fits is converted to sRGB; without one the values are taken for sRGB.
    - 16-bit values are scaled to 8. Floating-point grey is 0..1 or 0..255; it may overshoot its range by a tenth and
      is clipped. What ends in between, as HDR pictures do, is refused. Grey becomes three equal channels.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        InputError: It is no file, no whole picture in one of `FORMATS`, or larger than `MAX_PIXELS`; or a prepared
            picture (see `write_image`) that is not as it was written.
    """
    with _open(path, pixels=True) as (image, found):
        image.load()
        rgb = _over_white(image, found.alpha(image) if isinstance(found, png.Png) else None)
        # Pillow fails to write some EXIF data back: the orientation alone is handed on. A TIFF has been turned by
        # loading, and says so from then on.
        rgb.info.clear()
        rgb.getexif()[ExifTags.Base.Orientation] = _orientation(image)
        ImageOps.exif_transpose(rgb, in_place=True)
        pixels = np.array(rgb)
        if image.info.get(CHECKSUM_KEY, digest := hashlib.sha256(pixels.tobytes()).hexdigest()) != digest:
            raise InputError(f"picture {str(path)!r} is damaged: its checksum differs. {checks.RECREATE}")
        return pixels


def check_source(path: str | Path, checksum: str) -> None:
    """Refuse a prepared picture that says it was made from something else.

    Args:
        path: The prepared picture.
        checksum: As an `Artifact` has it, of what the picture was made from or of the file itself.

    Raises:
        InputError: It was made from something else; or as `read_image` does.
    """
    with _open(path) as (image, _):
        recorded = image.info.get(SOURCE, checksum)
    if checksum not in (recorded, f"sha256:{checks.checksum(path)}"):
        raise InputError(
            f"picture {str(path)!r} was made from {recorded}, not from {checksum}: another picture. {checks.RECREATE}"
        )


def read_alpha(path: str | Path) -> np.ndarray | None:
    """How opaque a picture is, turned as `read_image` does; None if nothing of it is transparent.

    Returns:
        (H, W) uint8, 255 where it is opaque.

    Raises:
        InputError: As `read_image` does.
    """
    with _open(path, pixels=True) as (image, found):
        image.load()
        alpha = found.alpha(image) if isinstance(found, png.Png) else None
        if alpha is None and image.has_transparency_data:
            alpha = image.convert("RGBA").getchannel("A")
        if alpha is None or alpha.getextrema()[0] == 255:
            return None
        alpha.getexif()[ExifTags.Base.Orientation] = _orientation(image)
        return np.array(ImageOps.exif_transpose(alpha))


def image_size(path: str | Path) -> tuple[int, int]:
    """The size of a picture from its header alone. Of damage behind it only the end of a PNG that is missing is seen.

    Returns:
        (width, height) in pixels, as `read_image` would give them.

    Raises:
        InputError: As `read_image` does.
    """
    with _open(path) as (image, _):
        width, height = image.size
        # Pillow gives the size of a TIFF already turned.
        turned = image.format != "TIFF" and _orientation(image) in range(5, 9)
        return (height, width) if turned else (width, height)


def check_whole(path: str | Path) -> None:
    """Refuse a picture that is cut off or damaged, at a tenth of the time that reading it takes.

    A PNG is held against its checksums, and a JPEG must go on to the end of its pixels; others are read.

    Raises:
        InputError: As `read_image` does.
    """
    with _open(path, pixels=True) as (image, sealed):
        if sealed is None or not sealed.has_end:
            image.load()
        if image.mode == "F":
            _to_eight_bits(image)


def check_suffix(path: Path) -> None:
    """Refuse a file name that does not tell a format that can be written.

    Raises:
        InputError: Its suffix is not one of `SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"cannot write a picture to {str(path)!r}: its name must end in one of {', '.join(SUFFIXES)}")


def write_image(path: str | Path, pixels: np.ndarray, source: str | None = None) -> None:
    """Write a picture atomically and without metadata, in the format that the suffix names.

    Equal pixels give equal bytes with the same Pillow. JPEG has quality 95 and full chroma; the others lose nothing.

    Args:
        path: Its suffix is one of `SUFFIXES`.
        pixels: (H, W, 3) uint8.
        source: For a prepared picture, a PNG: what it was made from, as an `Artifact` has it. The file then says so,
            and what checksum its pixels have.

    Raises:
        InputError: The suffix is unknown, or the format does not allow that size.
        WriteError: The system refuses to write; nothing is left behind.
    """
    path = Path(path)
    check_suffix(path)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"write_image takes (H, W, 3) uint8, not {pixels.shape} {pixels.dtype}: see to_uint8")
    try:
        with atomic.atomic_path(path) as temporary:
            Image.fromarray(pixels).save(temporary, **_WRITERS[path.suffix.lower()], **_about(pixels, source))
    except WriteError:
        raise
    # Pillow raises ValueError for a picture larger than the format allows, such as 16384 pixels in WebP.
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot write a picture of {size_text(pixels)} to {str(path)!r} ({reason}): choose another place or format"
        ) from error


def _about(pixels: np.ndarray, source: str | None) -> dict[str, Any]:
    if source is None:
        return {}
    about = PngImagePlugin.PngInfo()
    about.add_text(SOURCE, source)
    about.add_text(CHECKSUM_KEY, hashlib.sha256(pixels.tobytes()).hexdigest())
    return {"pnginfo": about}


@contextlib.contextmanager
def _open(path: str | Path, pixels: bool = False) -> Iterator[tuple[Image.Image, Found | None]]:
    """A picture whose header has been read and found sound; an error while it is open becomes an `InputError`.

    pixels: whether they are wanted. Beside the picture there is what only its chunks tell.
    """
    try:
        if Path(path).is_fifo():
            raise InputError(f"picture {str(path)!r} is a pipe: save the picture to a file")
        with _only_our_limit(), open(path, "rb") as file:
            found = _without_metadata(file, pixels)
            with Image.open(found.stream if found else file, formats=FORMATS) as image:
                width, height = image.size
                if width < 1 or height < 1 or width * height > resize.MAX_PIXELS:
                    raise InputError(
                        f"picture {str(path)!r} has {width} x {height} pixels: each side must be at least 1 and the "
                        f"area at most {resize.MAX_PIXELS:,}; give a smaller version"
                    )
                if image.format == "TIFF" and foreign.is_raw(_beginning(path), getattr(image, "tag_v2", {})):
                    raise InputError(f"picture {str(path)!r} is {': '.join(foreign.RAW)}")
                image.info.update(found.info if found else {})
                yield image, found
    except InputError:
        raise
    # Decoders raise errors of many kinds; each means that this file is no picture.
    except Exception as error:
        raise InputError(f"picture {str(path)!r} {_complaint(path, error)}") from error


def _without_metadata(file: BinaryIO, pixels: bool) -> Found | None:
    """A PNG, JPEG or TIFF as far as its pixels go; None for other kinds. The file is left at its beginning."""
    begin = file.read(len(png.SIGNATURE))
    file.seek(0)
    if begin == png.SIGNATURE:
        return png.read(file, pixels, (SOURCE, CHECKSUM_KEY))
    if begin.startswith(tiff.SIGNATURES):
        return tiff.read(file)
    return jpeg.read(file, pixels) if begin.startswith(jpeg.SIGNATURE) else None


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
        case foreign.ForeignError():
            complaint = str(error)
        case png.DamagedError():
            complaint = f"is damaged or incomplete: {error}. Fetch or save it again"
        case UnidentifiedImageError() if known := foreign.named(_beginning(path)):
            complaint = known
        case UnidentifiedImageError():
            complaint = f"is not recognised as a picture: give a whole file in one of {', '.join(FORMATS)}"
        case _:
            # Some errors come without a text, others with several lines.
            reason = " ".join(str(error).split()) or type(error).__name__
            complaint = f"cannot be decoded ({reason}): it is damaged, incomplete or of a rare kind; save it as PNG"
    return complaint


def _beginning(path: str | Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(4096)


def _orientation(image: Image.Image) -> Any:
    """EXIF orientation: from 5 to 8 width and height change places. Damaged data say nothing."""
    try:
        # Not as PNG has it: that decodes the whole picture to see whether more follows.
        return Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except Exception:
        return 1


def _over_white(image: Image.Image, alpha: Image.Image | None) -> Image.Image:
    """Any loaded picture as 8-bit RGB in sRGB, transparency laid over white. Not yet turned upright.

    alpha: what is known of opacity beside the picture's own.
    """
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_eight_bits(image)
    if alpha is None and image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
    rgb = _to_srgb(image)
    return rgb if alpha is None else Image.composite(rgb, Image.new("RGB", rgb.size, "white"), alpha)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits as mode L."""
    values = np.asarray(image)
    white = 65535 if values.dtype.kind in "iu" else 255 if values.max() >= LEAST_OF_255 else 1
    tolerance = 0 if white == 65535 else 0.1 * white
    # Written so that NaN fails it.
    if not (values.min() >= -tolerance and values.max() <= white + tolerance):
        found = f"{values.min():g} to {values.max():g}, not 0..1, 0..255 or 0..65535"
        raise foreign.ForeignError(f"has grey values from {found}: if it is {': '.join(foreign.HDR)}")
    # In bands: as numbers of 64 bits a whole picture would take many times its size.
    bands = np.array_split(values, -(-values.size // BAND_PIXELS))
    grey = Image.fromarray(np.concatenate([to_uint8(band * (255 / white)) for band in bands]))
    grey.info["icc_profile"] = image.info.get("icc_profile")
    return grey


def _to_srgb(image: Image.Image) -> Image.Image:
    """8-bit RGB by the embedded ICC profile. A profile that is damaged or fits other channels is ignored."""
    kind = {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK"}.get(image.mode, "RGB")
    opaque = image.convert(kind)
    profile = image.info.get("icc_profile")
    if profile and isinstance(profile, bytes):
        # Loaded only for the few pictures that need it.
        from PIL import ImageCms

        with contextlib.suppress(ImageCms.PyCMSError, OSError, ImportError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(opaque, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return opaque.convert("RGB")
