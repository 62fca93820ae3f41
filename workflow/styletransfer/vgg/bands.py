"""Large pictures in bands of rows, so that the first blocks of the network never have all their activations in memory.

At 4096 x 2731 pixels each layer of the first block takes 2.9 GB. The first two blocks, and then the third, are computed
band by band: a window holds the rows of a band and, above and below, as many more as its results can depend on.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import tensorflow as tf


class Band(NamedTuple):
    """Rows of a picture, or of what pooling made of it, and those that its window has besides.

    A layer may have every second or fourth of its rows only: that is its `scale`.

    Args:
        first: the first row; a number, or a scalar tensor.
        rows: how many.
        above: rows of the window before the first.
        below: rows of the window after the last.
    """

    first: int | tf.Tensor
    rows: int
    above: int
    below: int

    @property
    def window_rows(self) -> int:
        """How many rows its window has."""
        return self.above + self.rows + self.below

    def window(self, whole: tf.Tensor) -> tf.Tensor:
        """The band's window of the picture, (1, H, W, C)."""
        return _rows(whole, self.first - self.above, self.window_rows)

    def of_whole(self, whole: tf.Tensor, scale: int) -> tf.Tensor:
        """The band's rows of a whole layer, (1, h, w, C)."""
        return _rows(whole, self.first // scale, -(-self.rows // scale))

    def of_window(self, X: tf.Tensor, scale: int) -> tf.Tensor:
        """The band's rows of its window of a layer, (1, h, w, C)."""
        return _rows(X, self.above // scale, -(-self.rows // scale))

    def in_window(self, X: tf.Tensor, scale: int) -> tf.Tensor:
        """The inverse of `of_window`, with zeros for the other rows."""
        return tf.pad(X, [[0, 0], [self.above // scale, self.below // scale], [0, 0], [0, 0]])


def _rows(X: tf.Tensor, first: int | tf.Tensor, count: int) -> tf.Tensor:
    return tf.slice(X, [0, first, 0, 0], [1, count, *X.shape[2:]])


class Segment(NamedTuple):
    """Successive layers, up to a pooling, that are computed in the same bands.

    Args:
        names: of its convolutions.
        scale: rows of its input that make one row after the last pooling. Bands begin where windows of poolings do.
        halo: how many more rows of the input, on either side, a row after the last pooling depends on, or more.
        pixels: of its input that a band has at most, about; so many are a single band.
        largest: an input of at most so many pixels is computed whole all the same where its activations are needed
            again: computing them twice takes longer.
    """

    names: tuple[str, ...]
    scale: int
    halo: int
    pixels: int
    largest: int

    def scale_of(self, name: str) -> int:
        """How many rows of the input a row of a layer stands for. name: such as `2_1` or `relu2_1`."""
        return 2 ** (int(name[-3]) - int(self.names[0][0]))

    def bands(self, height: int, width: int) -> list[Band]:
        """The bands of an input: one, or several of equal rows, of which only the last may have some more."""
        count = max(1, min(math.ceil(height * width / self.pixels), height // (4 * self.halo)))
        rows = height // (self.scale * count) * self.scale
        return [
            Band(
                first=place * rows,
                rows=rows if place < count - 1 else height - place * rows,
                above=self.halo if place else 0,
                below=self.halo if place < count - 1 else 0,
            )
            for place in range(count)
        ]


# The targets of runs with more pixels are measured in bands; their gradients are computed so from `largest` on.
LARGE = 2**19
# `largest`: pictures of 1024 x 1024 pixels; and behind the second pooling those of 2048 x 2048.
SEGMENTS = (
    Segment(("1_1", "1_2", "2_1", "2_2"), scale=4, halo=8, pixels=2**18, largest=2**20),
    Segment(("3_1", "3_2", "3_3", "3_4"), scale=2, halo=4, pixels=2**17, largest=2**18),
)
