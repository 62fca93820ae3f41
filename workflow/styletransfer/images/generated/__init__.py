"""Sample style pictures, painted by rule: the same pixels every time, free of anybody's rights.

Each technique is a module with one function `paint(width, height, rng)`. Feature sizes are shares of the width, so a
painting looks alike at every size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from styletransfer.errors import InputError
from styletransfer.images.generated import candy, glass, impasto, pencil, strokes, watercolour, woodcut

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


PAINTINGS = {
    "strokes": Painting("Swirling oil strokes in night blue and gold", strokes.paint),
    "glass": Painting("Stained glass", glass.paint),
    "candy": Painting("Candy discs and curls", candy.paint),
    "woodcut": Painting("Woodcut: hills in coloured inks under black cuts", woodcut.paint),
    "watercolour": Painting("Watercolour: washes with wet edges on rough paper", watercolour.paint),
    "pencil": Painting("Pencil: folds of cloth in crossed hatching", pencil.paint),
    "impasto": Painting("Impasto: thick dabs of oil under raking light", impasto.paint),
}
