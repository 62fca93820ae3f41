"""Sample style pictures, painted by rule: the same pixels every time, free of anybody's rights.

Feature sizes are shares of the width, so a painting looks alike at every size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage, spatial

from styletransfer.errors import InputError

SUPERSAMPLING = 2
# Width and height of a painting where nobody asks for another size.
SIZE = (768, 768)


@dataclass(frozen=True)
class Painting:
    """A picture made by rule. Its version, which is part of a run's identity, is in `images.samples`."""

    title: str
    paint: Callable[[int, int, np.random.Generator], np.ndarray]


def paint(name: str, width: int, height: int) -> np.ndarray:
    """Paint a picture: (height, width, 3) uint8 RGB. Raises `InputError` for an unknown name or size."""
    if name not in PAINTINGS:
        raise InputError(f"there is no painting {name!r}: choose one of {', '.join(PAINTINGS)}")
    for side in (width, height):
        if not 16 <= side <= 8192:
            raise InputError(f"a painting of {width} x {height} pixels: each side must be 16 to 8192")
    canvas = PAINTINGS[name].paint(width * SUPERSAMPLING, height * SUPERSAMPLING, np.random.default_rng(1889))
    return np.asarray(Image.fromarray(canvas).resize((width, height), Image.Resampling.LANCZOS))


def _smooth_noise(width: int, height: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of mean 0 and deviation 1, smooth over `scale` pixels: (height, width)."""
    coarse = rng.standard_normal((max(2, round(height / scale)) + 3, max(2, round(width / scale)) + 3))
    rows = np.linspace(1, coarse.shape[0] - 2, height)
    columns = np.linspace(1, coarse.shape[1] - 2, width)
    field = ndimage.map_coordinates(coarse, np.meshgrid(rows, columns, indexing="ij"), order=3)
    return (field - field.mean()) / field.std()


def _colors(*hexes: str) -> np.ndarray:
    return np.array([[int(text[i : i + 2], 16) for i in (0, 2, 4)] for text in hexes])


def _strokes(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Thick curved strokes along a swirling field, laid from coarse to fine."""
    palette = _colors("0b1f4b", "173f8a", "2f6fc4", "6fb1e0", "d9e8d2", "f6d743", "e89b1c", "12315f")
    tone = _smooth_noise(width, height, width / 5, rng)
    angle = 2.4 * _smooth_noise(width, height, width / 3, rng)
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


def _glass(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """A mosaic of glass panes with lead between them, light falling unevenly through each."""
    palette = _colors("c8102e", "f2a900", "00843d", "0057b8", "5f259f", "ff6a13", "00a3ad", "f7e6a1")
    seeds = rng.uniform((0, 0), (height, width), (230, 2))
    rows, columns = np.mgrid[0:height, 0:width]
    bend = width / 60
    warped = np.stack(
        [
            rows + bend * _smooth_noise(width, height, width / 9, rng),
            columns + bend * _smooth_noise(width, height, width / 9, rng),
        ],
        axis=-1,
    )
    distances, nearest = spatial.cKDTree(seeds).query(warped, k=2)
    panes = palette[rng.integers(len(palette), size=len(seeds))] * rng.uniform(0.7, 1.15, (len(seeds), 1))
    light = (
        1 + 0.16 * _smooth_noise(width, height, width / 40, rng) + 0.07 * _smooth_noise(width, height, width / 150, rng)
    )
    glass = panes[nearest[..., 0]] * light[..., np.newaxis]
    lead = np.clip((distances[..., 1] - distances[..., 0]) / (width * 0.009) - 0.4, 0, 1)[..., np.newaxis]
    return np.clip(glass * lead + 18 * (1 - lead), 0, 255).astype(np.uint8)


def _candy(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Discs, rings and curls of sugar colours, outlined, packed over each other."""
    palette = _colors("ff4f8b", "ffd166", "06d6a0", "118ab2", "f94144", "f8f0e3", "9b5de5", "ff924c")
    image = Image.new("RGB", (width, height), tuple(palette[5]))
    draw = ImageDraw.Draw(image)
    for radius, count in ((0.11, 60), (0.07, 130), (0.04, 260), (0.02, 420)):
        for x, y in rng.uniform((0, 0), (width, height), (count, 2)):
            _sweet(draw, x, y, radius * width * rng.uniform(0.6, 1.1), palette, rng)
    grain = 1 + 0.05 * _smooth_noise(width, height, width / 200, rng)
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


PAINTINGS = {
    "strokes": Painting("Swirling oil strokes in night blue and gold", _strokes),
    "glass": Painting("Stained glass", _glass),
    "candy": Painting("Candy discs and curls", _candy),
}
