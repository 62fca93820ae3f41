"""Thick curved strokes of oil."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from styletransfer.images.generated.fields import colors, smooth_noise


def paint(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Thick curved strokes along a swirling field, laid from coarse to fine."""
    palette = colors("0b1f4b", "173f8a", "2f6fc4", "6fb1e0", "d9e8d2", "f6d743", "e89b1c", "12315f")
    tone = smooth_noise(width, height, width / 5, rng)
    angle = 2.4 * smooth_noise(width, height, width / 3, rng)
    image = Image.new("RGB", (width, height), tuple(palette[0]))
    draw = ImageDraw.Draw(image)
    for thickness, count in ((0.030, 1500), (0.018, 3000), (0.010, 3500)):
        for x, y in rng.uniform((0, 0), (width, height), (count, 2)):
            value = tone[int(y), int(x)] * 1.3 + rng.normal(0, 0.55)
            color = palette[int(np.clip((value + 2) / 4 * len(palette), 0, len(palette) - 1))]
            _stroke(draw, x, y, angle, thickness * width, color, rng)
    return np.asarray(image)


def _stroke(
    draw: ImageDraw.ImageDraw,
    x: float,
    y: float,
    angle: np.ndarray,
    thickness: float,
    color: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """One stroke of several bristles that follow the field together."""
    height, width = angle.shape
    points = []
    for _ in range(9):
        points.append((x, y))
        direction = angle[int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))]
        x, y = x + 0.8 * thickness * np.cos(direction), y + 0.8 * thickness * np.sin(direction)
    for offset in np.linspace(-0.45, 0.45, 5):
        shade = np.clip(color + rng.normal(0, 16), 0, 255).astype(int)
        moved = [
            (px - offset * thickness * np.sin(direction), py + offset * thickness * np.cos(direction))
            for px, py in points
        ]
        draw.line(moved, fill=tuple(shade), width=max(1, round(thickness / 4)), joint="curve")
