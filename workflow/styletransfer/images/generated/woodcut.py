"""A colour woodcut: inks with the grain of the wood, under a black key block whose cuts follow the forms."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from styletransfer.images.generated.fields import colors, smooth_noise
from styletransfer.images.resize import to_uint8

PAPER, INK = colors("f3e6c8", "17161c")


def paint(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Terraces of a hilly slope, an ink for each; dark cuts start at their edges and taper off in the light."""
    inks = colors("1f3a5f", "2f6f73", "d9a441", "c8472d", "8fb39a", "e7c98b", "32506e", "b5662f")
    slope = 7 * np.arange(height)[:, np.newaxis] / width
    hills = 1.05 * smooth_noise(width, height, width / 3.2, rng) + 0.3 * smooth_noise(width, height, width / 8, rng)
    terrace = np.floor(slope + hills - (slope + hills).min()).astype(int)
    printed = _print_inks(inks[terrace % len(inks)], rng)
    black = _key_block(terrace, rng)
    return to_uint8(np.where(black[..., np.newaxis], INK, printed))


def _print_inks(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Inks on paper, a little beside the key block, thin where the grain of the wood is low."""
    height, width = ink.shape[:2]
    rings = np.arange(height)[:, np.newaxis] / (width * 0.006) + 5 * smooth_noise(width, height, width / 3, rng)
    fibre = smooth_noise(width // 12 + 1, height, width / 250, rng)
    fibre = np.repeat(fibre, 12, axis=1)[:, :width]
    grain = np.abs(rings % 1 - 0.5) + 0.22 * fibre + 0.1 * smooth_noise(width, height, width / 500, rng)
    thin = np.clip(grain - 0.12, 0, 0.55)[..., np.newaxis]
    shift = round(width * 0.003)
    ink = np.pad(ink, ((shift, 0), (0, shift), (0, 0)), "edge")[:height, shift:]
    return ink * (1 - thin) + PAPER * thin


def _key_block(terrace: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where black is printed: (height, width) bool."""
    height, width = terrace.shape
    edge = np.zeros(terrace.shape, bool)
    edge[1:] |= terrace[1:] != terrace[:-1]
    edge[:, 1:] |= terrace[:, 1:] != terrace[:, :-1]
    # From the edge below; the lowest terrace has none, so from the one above.
    below = ndimage.distance_transform_edt(terrace == 0)
    for level in range(1, terrace.max() + 1):
        below = np.where(terrace == level, ndimage.distance_transform_edt(terrace >= level), below)
    wobble = width * 0.003 * smooth_noise(width, height, width / 40, rng)
    phase = (below + wobble) / (width * 0.013)
    cut = phase.astype(int)
    rows, columns = np.mgrid[0:height, 0:width]
    # Every cut tapers where it likes: it reads the noise at a place of its own.
    taper = smooth_noise(width, height, width / 22, rng)[(rows + 131 * cut) % height, (columns + 277 * cut) % width]
    ragged = smooth_noise(width, height, width / 220, rng)
    light = smooth_noise(width, height, width / 4, rng)
    tone = 0.95 * np.exp(-below / (width * 0.055)) + 0.1 * light.clip(-1.5, 1.2) + 0.17 * taper
    line = 1 - 2 * np.abs(phase % 1 - 0.5)
    contour = ndimage.distance_transform_edt(~edge) < width * (0.0028 + 0.0009 * ragged)
    return contour | (line < tone + 0.07 * ragged)
