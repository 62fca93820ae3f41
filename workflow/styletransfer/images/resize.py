"""The sizes that pictures may have, resizing to them, and rounding to whole values."""

from __future__ import annotations

import numpy as np
from PIL import Image

from styletransfer.errors import InputError

MAX_PIXELS = 200_000_000
# Pictures of a study are shrunk to this: no result is larger than the network can look at.
MAX_SIDE = 4096


def limited(width: int, height: int, max_side: int = MAX_SIDE) -> tuple[int, int]:
    """Width and height in pixels, shrunk until the longer is at most `max_side`; smaller ones stay as they are."""
    longer = max(width, height)
    if longer <= max_side:
        return width, height
    return max(1, round(width * max_side / longer)), max(1, round(height * max_side / longer))


def resize_to_width(pixels: np.ndarray, width: int) -> np.ndarray:
    """Resize (H, W, 3) uint8 to `width` pixels, height by the aspect, at least 1. As `resize` otherwise."""
    height, old_width = pixels.shape[:2]
    return resize(pixels, width, max(1, round(height * width / old_width)))


def resize(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize a picture with Pillow's LANCZOS.

    The resizing itself is done in 8 bits: integer arithmetic gives the same pixels on every machine, keeps even areas
    even and clips overshoot. Contrast is left alone, unlike in the reference program.

    Args:
        pixels: (H, W, 3) uint8.
        width: In pixels.
        height: In pixels.

    Returns:
        (height, width, 3) float32 with whole values, 0..255.

    Raises:
        InputError: A side is below 1, or the area above `MAX_PIXELS`.
    """
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise InputError(
            f"cannot resize a picture to {width} x {height} pixels: each side must be at least 1 and the area at most "
            f"{MAX_PIXELS:,}; choose another width or scale"
        )
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized, np.float32)


def enlarge(values: np.ndarray, width: int, height: int, smooth: bool = False) -> np.ndarray:
    """Resize numbers of any range, each channel for itself.

    Args:
        values: (H, W, C) float32.
        width: In pixels.
        height: In pixels.
        smooth: Whether no number may be outside of the range of its neighbours: linear in place of LANCZOS.

    Returns:
        (height, width, C) float32.
    """
    method = Image.Resampling.BILINEAR if smooth else Image.Resampling.LANCZOS
    channels = [Image.fromarray(np.ascontiguousarray(channel)) for channel in np.moveaxis(values, -1, 0)]
    return np.stack([np.asarray(channel.resize((width, height), method)) for channel in channels], axis=-1)


def to_uint8(pixels: np.ndarray) -> np.ndarray:
    """Clip to 0..255 and round to the nearest integer, halves to even.

    Args:
        pixels: Numbers in any shape.

    Returns:
        uint8 in the same shape.

    Raises:
        InputError: Values are not finite: they would become black or white silently.
    """
    return _whole(pixels, 1).astype(np.uint8)


def to_uint16(pixels: np.ndarray) -> np.ndarray:
    """As `to_uint8`, but 0..255 becomes 0..65535: a grey level is 257."""
    return _whole(pixels, 257).astype(np.uint16)


def _whole(pixels: np.ndarray, scale: int) -> np.ndarray:
    bad = pixels.size - np.count_nonzero(np.isfinite(pixels))
    if bad:
        raise InputError(
            f"{bad:,} of {pixels.size:,} values of the picture are not finite numbers (NaN or infinity): "
            "the optimisation that made it has diverged; lower its learning rate"
        )
    return np.rint(np.clip(pixels, 0, 255) * scale)


def size_text(pixels: np.ndarray) -> str:
    """The size of a picture in words."""
    return f"{pixels.shape[1]} x {pixels.shape[0]} pixels"


def check_size(what: str, size: tuple[int, int], width: int, smallest: int = 1) -> None:
    """Refuse a picture that is too small, or too large, at another width.

    Args:
        what: The picture, for the message.
        size: Its width and height in pixels.
        width: The width that it will have.
        smallest: What each side needs at least. A style may have a single pixel, since poolings round up; see
            `SMALLEST_SIDE` for results.

    Raises:
        InputError: A side would be too small, or the area too large.
    """
    height = max(1, round(size[1] * width / size[0]))
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{what} would have {width} x {height} pixels: {MAX_PIXELS:,} are allowed. Choose a smaller width "
            "or style_scales"
        )
    if min(width, height) < smallest:
        raise InputError(
            f"{what} would have {width} x {height} pixels: each side needs at least {smallest}. Choose a larger width "
            "or style_scales"
        )
