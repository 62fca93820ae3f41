"""What paintings are made from: smooth noise and palettes."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def smooth_noise(width: int, height: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of mean 0 and deviation 1, smooth over `scale` pixels: (height, width)."""
    coarse = rng.standard_normal((max(2, round(height / scale)) + 3, max(2, round(width / scale)) + 3))
    rows = np.linspace(1, coarse.shape[0] - 2, height)
    columns = np.linspace(1, coarse.shape[1] - 2, width)
    field = ndimage.map_coordinates(coarse, np.meshgrid(rows, columns, indexing="ij"), order=3)
    return (field - field.mean()) / field.std()


def colors(*hexes: str) -> np.ndarray:
    """Colours such as "f6efe0", one a row: (N, 3) RGB, 0 to 255. A single one is (1, 3)."""
    return np.array([[int(text[i : i + 2], 16) for i in (0, 2, 4)] for text in hexes])
