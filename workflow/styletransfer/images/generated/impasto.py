"""Impasto: dabs of thick oil, each with the grooves of its bristles and a ridge at its end, under raking light."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from styletransfer.images.generated.fields import colors, smooth_noise
from styletransfer.images.resize import to_uint8

# Length of a dab as a share of the width, and how many.
DABS = ((0.17, 420), (0.11, 800), (0.07, 900), (0.04, 500))


def paint(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Dabs along the flow of a field, from large to small, neighbours in related colours."""
    palette = colors("17324d", "1f6f78", "6fb3a8", "f4ead0", "f6c445", "ee8a2a", "d2452d", "7a1f3d", "2b4a8b")
    turn = 1.3 * smooth_noise(width, height, width / 2.6, rng)
    tone = smooth_noise(width, height, width / 3.4, rng) + 0.35 * smooth_noise(width, height, width / 10, rng)
    color = np.empty((height, width, 3))
    color[:] = palette[0]
    relief = np.zeros((height, width))
    for length, count in DABS:
        for x, y in rng.uniform((0, 0), (width, height), (count * height // width, 2)):
            at = int(y), int(x)
            place = (tone[at] + rng.normal(0, 0.28) + 2.2) / 4.4 * len(palette)
            pigment = palette[int(np.clip(place, 0, len(palette) - 1))] + rng.normal(0, 10, 3)
            size = length * width * rng.uniform(0.6, 1.1)
            _dab(color, relief, x, y, size, turn[at] + rng.normal(0, 0.22), pigment, rng)
    return _lit(color, relief)


def _dab(
    color: np.ndarray,
    relief: np.ndarray,
    x: float,
    y: float,
    length: float,
    angle: float,
    pigment: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Lay one dab over what is there: its paint, of several barely mixed bristles, and its height."""
    height, width = relief.shape
    reach = 0.6 * length
    part = (
        slice(max(0, int(y - reach)), min(height, int(y + reach) + 1)),
        slice(max(0, int(x - reach)), min(width, int(x + reach) + 1)),
    )
    rows, columns = np.mgrid[part]
    along = ((columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)) / length
    across = ((rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)) / length + rng.normal(0, 0.35) * along**2
    breadth = rng.uniform(0.13, 0.2)
    bristle = (across / breadth + 1) * 11
    number = np.clip(bristle.astype(int), 0, 22)
    ends = 0.5 - 0.12 * rng.random((2, 23)) - 0.1 * np.linspace(-1, 1, 23) ** 2
    inside = (np.abs(across) < breadth) & (along < ends[0][number]) & (along > -ends[1][number])
    groove = 0.5 - np.abs(bristle % 1 - 0.5) + rng.normal(0, 0.35, 23)[number]
    ridge = np.exp(-(ends[0][number] - along) / 0.035) + 0.8 * np.exp(-(breadth - np.abs(across)) / 0.016)
    thick = (0.8 + 0.3 * groove + 0.75 * ridge) * length * 0.12
    mixed = pigment + rng.normal(0, 13, (23, 1))[number]
    color[part][inside] = mixed[inside]
    relief[part][inside] = 0.35 * relief[part][inside] + thick[inside]


def _lit(color: np.ndarray, relief: np.ndarray) -> np.ndarray:
    """The paint under light from the upper left: shaded slopes, and a gloss where they face it."""
    width = relief.shape[1]
    smooth = ndimage.gaussian_filter(relief, width / 900)
    down, right = np.gradient(smooth)
    facing = -(0.75 * down + 0.66 * right)
    facing = facing / np.hypot(1, 1.5 * facing)
    shade = 1 + 0.42 * facing
    gloss = 90 * np.clip(facing - 0.28, 0, None)
    soft = ndimage.gaussian_filter(color, (width / 1500, width / 1500, 0))
    return to_uint8(soft * shade[..., np.newaxis] + gloss[..., np.newaxis])
