"""Colours: those of one picture in the luma of another, and those of one picture matched to another's."""

from __future__ import annotations

import numpy as np

from styletransfer.errors import InputError
from styletransfer.images.resize import size_text, to_uint8, to_uint16

# Rec. 601, full range, as in JPEG.
LUMA = np.array([0.299, 0.587, 0.114])
# Grey levels squared. A direction in which a style varies less has no colours to match: it is noise, and stays small.
LEAST_VARIANCE = 1.0
# The settings with which a result has the chroma of the content.
OF_CONTENT = ("content", "luminance")


def preserve_colors(result: np.ndarray, content: np.ndarray) -> np.ndarray:
    """The luma of `result` with the chroma of `content`, in YCbCr (Rec. 601, full range).

    R = Y + 1.402 Cr, G = Y - 0.344 Cb - 0.714 Cr and B = Y + 1.772 Cb: with Cb and Cr kept, a change of luma adds to
    every channel alike, so no conversion is needed and nothing is rounded.

    Args:
        result: (H, W, 3) in 0..255.
        content: The same shape.

    Returns:
        (H, W, 3) float32. Where the colour does not exist at that luma, values are outside 0..255: `to_uint8` clips
        them.

    Raises:
        InputError: The sizes differ.
    """
    if result.shape != content.shape:
        raise InputError(
            f"the result is {size_text(result)} but the picture that lends its colors {size_text(content)}: "
            "resize one of them"
        )
    change_of_luma = (np.asarray(result, np.float64) - content) @ LUMA
    return (content + change_of_luma[..., np.newaxis]).astype(np.float32)


def finished(image: np.ndarray, content: np.ndarray, colors: str) -> np.ndarray:
    """The picture that a run keeps, of the image that it ended with.

    The content's chroma goes onto the rounded picture, so that it can be added to a finished one as well.

    Args:
        image: (H, W, 3) RGB, not yet clipped to 0..255.
        content: The content picture at that size, (H, W, 3) in 0..255.
        colors: The setting.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InputError: Values are not finite.
    """
    picture = to_uint8(image)
    return to_uint8(preserve_colors(picture, content)) if colors in OF_CONTENT else picture


def finished_exactly(image: np.ndarray, content: np.ndarray, colors: str) -> np.ndarray:
    """The same with 16 bits a channel: (H, W, 3) uint16."""
    clipped = np.clip(image, 0, 255)
    return to_uint16(preserve_colors(clipped, content) if colors in OF_CONTENT else clipped)


def gray(picture: np.ndarray) -> np.ndarray:
    """The luma of a picture in all three channels.

    Args:
        picture: (H, W, 3).

    Returns:
        (H, W, 3) float32.
    """
    luma = (np.asarray(picture, np.float64) @ LUMA).astype(np.float32)
    return np.repeat(luma[..., np.newaxis], 3, axis=2)


def match_colors(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """The style with the mean and the covariance of the content's colours.

    x becomes A (x - mean of the style) + mean of the content, A = C^(1/2) S^(-1/2) with the covariances C of the
    content's pixels and S of the style's. Of two gray pictures only mean and standard deviation are matched.

    Args:
        style: (h, w, 3) in 0..255.
        content: (H, W, 3) in 0..255.

    Returns:
        (h, w, 3) float32. Values outside 0..255 are kept: clipped, they would have other moments.

    Source:
        Gatys, Bethge, Hertzmann & Shechtman 2016, arXiv:1606.05897: the symmetric form.
    """
    style_mean, style_covariance = _moments(style)
    content_mean, content_covariance = _moments(content)
    matrix = _power(content_covariance, 0.5, 0.0) @ _power(style_covariance, -0.5, LEAST_VARIANCE)
    return (np.einsum("ij,hwj->hwi", matrix, style - style_mean) + content_mean).astype(np.float32)


def _moments(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the pixels, (3,) and (3, 3). Summed in one order, however many threads there are."""
    pixels = np.asarray(picture, np.float64)
    mean = pixels.mean(axis=(0, 1))
    centred = pixels - mean
    return mean, np.einsum("hwi,hwj->ij", centred, centred) / centred[..., 0].size


def _power(matrix: np.ndarray, exponent: float, least: float) -> np.ndarray:
    """A symmetric matrix to a power; eigenvalues below `least` count as that."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, least) ** exponent) @ vectors.T
