"""Watercolour: glazes over each other on rough paper, pigment gathered at their wet edges and in its hollows."""

from __future__ import annotations

import numpy as np

from styletransfer.images.generated.fields import colors, smooth_noise
from styletransfer.images.resize import to_uint8

PAPER = colors("fbf7ec")
# Size as a share of the width, count, softness of the edge as a share of the size, strength.
WASHES = (
    (0.26, 16, 0.7, 0.5),
    (0.13, 34, 0.3, 0.5),
    (0.075, 80, 0.03, 0.6),
    (0.04, 130, 0.03, 0.7),
    (0.006, 260, 0.2, 0.9),
)


def paint(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Leaf-shaped dabs of the brush, wet and large ones first, neighbours in related colours, splatter last."""
    absorbed = -np.log(colors("1f4e9c", "2b8aa6", "3f8f5a", "c9b227", "e08a1e", "cf3f5c", "8b3f8f", "2a3f8a") / 255)
    hue = smooth_noise(width, height, width / 2.6, rng)
    turn = 1.6 * smooth_noise(width, height, width / 3, rng)
    flow = smooth_noise(width, height, width / 14, rng) + 0.5 * smooth_noise(width, height, width / 45, rng)
    tooth = smooth_noise(width, height, width / 190, rng) + 0.7 * smooth_noise(width, height, width / 420, rng)
    density = np.zeros((height, width, 3))
    for size, count, softness, strength in WASHES:
        for x, y in rng.uniform((0, 0), (width, height), (count * height // width, 2)):
            at = int(y), int(x)
            pigment = int((hue[at] + 2.2) / 4.4 * len(absorbed) + rng.normal(0, 0.5)) % len(absorbed)
            radius = size * width * rng.uniform(0.6, 1.2)
            angle = turn[at] + rng.normal(0, 0.4)
            part, amount = _dab(x, y, radius, angle, softness, flow, tooth, rng)
            density[part] += strength * amount[..., np.newaxis] * absorbed[pigment]
    density *= (_backruns(width, height, rng) * (1 + 0.13 * tooth))[..., np.newaxis]
    light = 1 + 0.012 * tooth[..., np.newaxis]
    return to_uint8(PAPER * light * np.exp(-density))


def _dab(
    x: float,
    y: float,
    radius: float,
    angle: float,
    softness: float,
    flow: np.ndarray,
    tooth: np.ndarray,
    rng: np.random.Generator,
) -> tuple[tuple[slice, slice], np.ndarray]:
    """One dab: the part of the picture that it touches, and the pigment in every pixel of that part."""
    reach = 1.5 * radius
    height, width = flow.shape
    part = (
        slice(max(0, int(y - reach)), min(height, int(y + reach) + 1)),
        slice(max(0, int(x - reach)), min(width, int(x + reach) + 1)),
    )
    rows, columns = np.mgrid[part]
    along = ((columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)) / radius
    across = ((rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)) / radius * rng.uniform(1.2, 2.6)
    theta = np.arctan2(across, along)
    outline = 1 + sum(rng.normal(0, 0.16 / k) * np.cos(k * theta + rng.uniform(0, 6.3)) for k in (2, 3, 5, 8))
    depth = outline - np.hypot(along, across) + 0.03 * flow[part] + 0.012 * tooth[part]
    inside = np.clip(depth / max(softness, 2 / radius), 0, 1)
    pool = rng.uniform(-0.45, 0.45) * along + 0.16 * flow[part]
    rim = np.exp(-np.abs(depth) * radius / (0.0026 * width)) * (softness < 0.1)
    return part, inside * np.clip(0.55 + pool + 0.65 * rim, 0.05, None)


def _backruns(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Where water ran back into a drying wash: lighter inside, a ragged dark line around."""
    water = sum(smooth_noise(width, height, width / k, rng) / k**0.5 for k in (4, 13, 40, 110))
    depth = water - 0.55
    return np.where(depth > 0, 0.72 + 0.28 * np.exp(-depth / 0.15), 1) + 0.5 * np.exp(-np.abs(depth) / 0.03)
