"""Stained glass."""

from __future__ import annotations

import numpy as np
from scipy import spatial

from styletransfer.images.generated.fields import colors, smooth_noise


def paint(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """A mosaic of glass panes with lead between them, light falling unevenly through each."""
    palette = colors("c8102e", "f2a900", "00843d", "0057b8", "5f259f", "ff6a13", "00a3ad", "f7e6a1")
    seeds = rng.uniform((0, 0), (height, width), (230, 2))
    rows, columns = np.mgrid[0:height, 0:width]
    bend = width / 60
    warped = np.stack(
        [
            rows + bend * smooth_noise(width, height, width / 9, rng),
            columns + bend * smooth_noise(width, height, width / 9, rng),
        ],
        axis=-1,
    )
    distances, nearest = spatial.cKDTree(seeds).query(warped, k=2)
    panes = palette[rng.integers(len(palette), size=len(seeds))] * rng.uniform(0.7, 1.15, (len(seeds), 1))
    light = (
        1 + 0.16 * smooth_noise(width, height, width / 40, rng) + 0.07 * smooth_noise(width, height, width / 150, rng)
    )
    glass = panes[nearest[..., 0]] * light[..., np.newaxis]
    lead = np.clip((distances[..., 1] - distances[..., 0]) / (width * 0.009) - 0.4, 0, 1)[..., np.newaxis]
    return np.clip(glass * lead + 18 * (1 - lead), 0, 255).astype(np.uint8)
