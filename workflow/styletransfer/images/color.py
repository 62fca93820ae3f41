"""The colours of one picture in the luma of another."""

from __future__ import annotations

import numpy as np

from styletransfer.errors import InputError
from styletransfer.images.resize import size_text

# Rec. 601, full range, as in JPEG.
LUMA = np.array([0.299, 0.587, 0.114])


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
