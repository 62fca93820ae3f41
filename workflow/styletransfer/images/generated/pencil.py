"""A pencil drawing: bundles of parallel strokes, crossed where it is dark, on paper whose tooth takes the graphite."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from styletransfer.images.generated.fields import colors, smooth_noise
from styletransfer.images.resize import to_uint8

PAPER, GRAPHITE = colors("f6efe0", "33343b")
# Direction in radians, and how dark the folds must be for this direction.
LAYERS = ((-0.85, 0.12), (-0.75, 0.4), (0.5, 0.7), (-0.9, 0.85))
BUNDLES, STROKES = 260, 11


def paint(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Folds of a cloth, lit from the upper left."""
    dark = _folds(width, height, rng)
    turn = 0.35 * smooth_noise(width, height, width / 4, rng)
    deposit = np.zeros((height, width))
    for direction, threshold in LAYERS:
        deposit += _hatching(dark, turn + direction, threshold, rng)
    smudge = ndimage.gaussian_filter(deposit, width / 120)
    tooth = smooth_noise(width, height, width / 480, rng)
    density = 0.12 * smudge + deposit * np.clip(1 + 0.38 * tooth, 0.1, None)
    paper = PAPER * (1 + 0.008 * tooth[..., np.newaxis])
    return to_uint8(GRAPHITE + (paper - GRAPHITE) * np.exp(-1.05 * density)[..., np.newaxis])


def _folds(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """How dark each place is, 0 to 1: the slope of creased noise towards the light."""
    relief = -sum(np.abs(smooth_noise(width, height, width * scale, rng)) * scale for scale in (0.3, 0.14))
    down, right = np.gradient(ndimage.gaussian_filter(relief, width / 300))
    slope = (0.8 * down + 0.6 * right) * width
    return np.clip(0.42 - 0.36 * slope / slope.std(), 0, 1)


def _hatching(dark: np.ndarray, angle: np.ndarray, threshold: float, rng: np.random.Generator) -> np.ndarray:
    """What one layer of bundles leaves on the paper: (height, width), 0 to 1."""
    height, width = dark.shape
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)
    for x, y in rng.uniform((0, 0), (width, height), (BUNDLES * height // width, 2)):
        if dark[int(y), int(x)] > threshold + rng.normal(0, 0.06):
            _bundle(draw, x, y, dark, angle[int(y), int(x)] + rng.normal(0, 0.05), rng)
    return np.asarray(image) / 255.0


def _bundle(
    draw: ImageDraw.ImageDraw, x: float, y: float, dark: np.ndarray, angle: float, rng: np.random.Generator
) -> None:
    """Parallel strokes, slightly bent, pressed harder where it is dark and in their middle."""
    height, width = dark.shape
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    spacing, length = width * 0.0125, width * rng.uniform(0.07, 0.14)
    bend = width * rng.normal(0, 0.004)
    for number in range(STROKES):
        aside = (number - STROKES / 2 + rng.normal(0, 0.2)) * spacing
        middle = (x, y) + aside * across + rng.normal(0, 0.1) * length * along
        share = np.linspace(-1, 1, 8)[:, np.newaxis]
        points = middle + share * length / 2 * along + (1 - share**2) * bend * across
        thickness = max(1, round(width * rng.uniform(0.0026, 0.006)))
        for step, (start, end) in enumerate(pairwise(points)):
            at = int(np.clip(start[1], 0, height - 1)), int(np.clip(start[0], 0, width - 1))
            pressure = np.clip(1.5 * dark[at] - 0.12, 0.08, 1) * (1 - abs(step / 3 - 1) ** 3 * 0.8)
            draw.line([*start, *end], fill=int(255 * pressure), width=thickness)
