"""Pixels in and out: every picture format becomes 8-bit RGB, and results become files.

Pixel arrays are (H, W, 3) RGB in 0..255. What the pixels mean to a network is `vgg`'s matter.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from styletransfer import files
from styletransfer.errors import InputError

MAX_PIXELS = 200_000_000
# Formats that Pillow decodes by itself: none that starts another program, as EPS does.
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class Sample:
    """A free photograph that the installed package scikit-image ships."""

    file: str
    sha256: str
    attribution: str


SAMPLES = {
    "astronaut": Sample(
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "Eileen Collins, NASA Great Images database, public domain",
    ),
}


def sample_file(name: str) -> Path:
    """The file of a sample. Raises `InputError` for an unknown name, a missing package or another file."""
    if name not in SAMPLES:
        raise InputError(f"there is no sample picture {name!r}: choose one of {', '.join(SAMPLES)}")
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        raise InputError(f"sample {name!r} comes with the package scikit-image, which is not installed")
    path = Path(package.origin).parent / "data" / SAMPLES[name].file
    if not path.exists() or files.checksum(path) != SAMPLES[name].sha256:
        raise InputError(f"{path} is not the picture it should be: install the pinned version of scikit-image")
    return path


def read_image(path: str | Path) -> np.ndarray:
    """The picture as it is meant to be seen: (H, W, 3) uint8 RGB.

    EXIF orientation is applied, transparency laid over white, 16-bit values scaled to 8; of an animation the first
    picture counts. Raises `InputError` for whatever is not a whole picture of at most 200 megapixels.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"picture {str(path)!r} is {'not a file' if path.exists() else 'missing'}: check the path")
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise InputError(
                    f"picture {str(path)!r} has {width} x {height} pixels, more than {MAX_PIXELS:,}: make it smaller"
                )
            image.load()
            return np.asarray(_to_rgb(ImageOps.exif_transpose(image)))
    except InputError:
        raise
    # Decoders of damaged files raise errors of many kinds; each means that the file is no picture.
    except Exception as error:
        raise InputError(
            f"picture {str(path)!r} cannot be read ({error}): give a whole file in one of {', '.join(FORMATS)}"
        ) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit grey, whatever Pillow calls it; RGB with 16 bits a channel is scaled by Pillow on opening.
        image = Image.fromarray((np.clip(np.asarray(image, np.int64), 0, 65535) / 257).round().astype(np.uint8))
    elif image.mode == "F":
        image = Image.fromarray(np.nan_to_num(np.clip(np.asarray(image), 0, 255)).round().astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def resize_to_width(pixels: np.ndarray, width: int) -> np.ndarray:
    """Resize (H, W, 3) uint8 to `width`, height by the aspect, at least 1. Returns float32 in 0..255."""
    height, old_width = pixels.shape[:2]
    return resize(pixels, width, max(1, round(height * width / old_width)))


def resize(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize (H, W, 3) uint8 with Pillow's LANCZOS, contrast left alone. Returns (height, width, 3) float32."""
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise InputError(f"cannot resize a picture to {width} x {height} pixels: choose another width or scale")
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized, np.float32)


def preserve_colors(result: np.ndarray, content: np.ndarray) -> np.ndarray:
    """The luma of `result` with the chroma of `content` (YCbCr, Rec. 601).

    Chroma is what differs from luma, so adding the difference in luma to every channel of the content is the same.
    Both (H, W, 3) in 0..255; returns float32, not yet clipped.
    """
    luma = np.array([0.299, 0.587, 0.114])
    difference = (np.asarray(result, np.float64) - content) @ luma
    return (content + difference[..., np.newaxis]).astype(np.float32)


def to_uint8(pixels: np.ndarray) -> np.ndarray:
    """Clip to 0..255 and round to the nearest integer. Raises `InputError` for values that are not finite."""
    if not np.isfinite(pixels).all():
        raise InputError("the picture has values that are not finite numbers")
    return np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)


def check_suffix(path: Path) -> None:
    """Raise `InputError` if the file name does not tell a format that can be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"cannot write a picture to {str(path)!r}: its name must end in one of {', '.join(SUFFIXES)}")


def write_image(path: str | Path, pixels: np.ndarray) -> None:
    """Write (H, W, 3) uint8 atomically, in the format that the suffix names; JPEG with quality 95 and full chroma."""
    path = Path(path)
    check_suffix(path)
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if path.suffix.lower() in (".jpg", ".jpeg") else {}
    with files.atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, **options)
