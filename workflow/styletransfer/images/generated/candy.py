"""Discs, rings and curls of sugar colours."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from styletransfer.images.generated.fields import colors, smooth_noise


def paint(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Discs, rings and curls of sugar colours, outlined, packed over each other."""
    palette = colors("ff4f8b", "ffd166", "06d6a0", "118ab2", "f94144", "f8f0e3", "9b5de5", "ff924c")
    image = Image.new("RGB", (width, height), tuple(palette[5]))
    draw = ImageDraw.Draw(image)
    for radius, count in ((0.11, 60), (0.07, 130), (0.04, 260), (0.02, 420)):
        for x, y in rng.uniform((0, 0), (width, height), (count, 2)):
            _sweet(draw, x, y, radius * width * rng.uniform(0.6, 1.1), palette, rng)
    grain = 1 + 0.05 * smooth_noise(width, height, width / 200, rng)
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(width / 900)))
    return np.clip(soft * grain[..., np.newaxis], 0, 255).astype(np.uint8)


def _sweet(
    draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, palette: np.ndarray, rng: np.random.Generator
) -> None:
    """A disc with rings or a spiral on it."""
    order = [tuple(int(value) for value in palette[i]) for i in rng.permutation(len(palette))]
    outline = max(1, round(radius / 9))
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=order[0], outline=(40, 20, 60), width=outline)
    if rng.random() < 0.5:
        for share, color in ((0.72, order[1]), (0.48, order[2]), (0.24, order[3])):
            r = radius * share
            draw.ellipse((x - r, y - r, x + r, y + r), fill=color)
        return
    turn = np.linspace(0, 3.2 * 2 * np.pi, 90)
    r = radius * 0.86 * turn / turn[-1]
    phase = rng.uniform(0, 2 * np.pi)
    curl = list(zip(x + r * np.cos(turn + phase), y + r * np.sin(turn + phase), strict=True))
    draw.line(curl, fill=order[1], width=max(1, round(radius / 6)), joint="curve")
