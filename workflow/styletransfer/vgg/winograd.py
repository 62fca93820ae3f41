"""3 x 3 convolutions with a quarter of the multiplications (Winograd 1980; Lavin & Gray 2016, arXiv:1509.09308).

A tile of 4 x 4 results depends on 6 x 6 inputs. Seen as a product of polynomials, evaluated at six points, it takes 36
multiplications per pair of channels instead of 144: 36 matrix products over all tiles at once, between cheap linear
transforms. A CPU without matrix units spends its time multiplying, so for it this is the way to be fast.

The six points are 0, +-2/3, +-3/2 and infinity, with half the rounding errors of the usual 0, +-1, +-2. In float32 the
result is as exact as that of a direct convolution; in bfloat16 its error is 1.3 % of the norm in place of 0.25 %. The
inverse of each is another one, so the flipped kernel of the way back has, up to factors, the same values in other
places: both directions share one kernel in memory.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

POINTS = (0.0, 2 / 3, -2 / 3, 3 / 2, -3 / 2)
INVERSES = [5, 3, 4, 1, 2, 0]  # which point, infinity being the last, is the inverse of each
RESULTS = 4  # a tile's side
INPUTS = len(POINTS) + 1  # the side of what a tile depends on

# A strip of tiles is transformed, multiplied and transformed back while it is in the processor's cache.
STRIP_BYTES = 8 * 2**20


def transforms() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matrices B (6, 6), G (6, 3) and A (4, 6) with A ((B d) * (G g)) = the correlation of d (6,) with g (3,).

    Toom-Cook: evaluate at `POINTS` and at infinity, multiply, interpolate.
    """
    inputs, kernel, results = (np.zeros(shape) for shape in ((INPUTS, INPUTS), (INPUTS, 3), (RESULTS, INPUTS)))
    for row, point in enumerate(POINTS):
        others = [other for other in POINTS if other != point]
        inputs[row, :-1] = np.poly(others)[::-1]
        kernel[row] = point ** np.arange(3) / np.prod(point - np.array(others))
        results[:, row] = point ** np.arange(RESULTS)
    inputs[-1] = np.poly(POINTS)[::-1]
    kernel[-1, -1] = results[-1, -1] = 1  # infinity: the leading coefficient
    return inputs, kernel, results


def flipped_transforms() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matrices B' (6, 6), G and A' (4, 6) with A' ((B' d) * (G g)) = the correlation of d (6,) with g flipped.

    A polynomial of degree 2 flipped is p(1/x) x^2: it has the values of p at the inverse points, times factors.
    """
    inputs, kernel, results = transforms()
    flipped = kernel[INVERSES, ::-1]
    factors = np.sum(flipped * kernel, axis=1) / np.sum(kernel * kernel, axis=1)
    return inputs[INVERSES], kernel, results[:, INVERSES] * factors


def tiles(height: int, width: int) -> int:
    """How many tiles a result of that size has."""
    return math.ceil(height / RESULTS) * math.ceil(width / RESULTS)


def transformed(kernel: tf.Tensor) -> tf.Tensor:
    """A kernel, (3, 3, C, D), at all pairs of points, (36, C, D)."""
    _, kernels, _ = transforms()
    transform = tf.constant(np.kron(kernels, kernels), tf.float32)
    points = tf.matmul(transform, tf.reshape(tf.cast(kernel, tf.float32), (9, -1)))
    return tf.cast(tf.reshape(points, (INPUTS**2, *kernel.shape[2:])), kernel.dtype)


class Convolution:
    """A convolution with one kernel, stride 1 and padding SAME.

    kernel: `transformed`. flipped: go back through it, from its D channels to its C, as gradients do. Computes in the
    kernel's precision.
    """

    def __init__(self, kernel: tf.Tensor, flipped: bool = False) -> None:
        inputs, _, results = flipped_transforms() if flipped else transforms()
        self._kernel, self._flipped = kernel, flipped
        # In two dimensions the transforms are Kronecker products.
        self._inputs = tf.constant(np.kron(inputs, inputs), kernel.dtype)
        self._results = tf.constant(np.kron(results, results), kernel.dtype)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(1, H, W, C) to (1, H, W, D); flipped, the other way."""
        _, height, width, channels = x.shape
        down, across = math.ceil(height / RESULTS), math.ceil(width / RESULTS)
        padded = tf.pad(x[0], [[1, down * RESULTS + 1 - height], [1, across * RESULTS + 1 - width], [0, 0]])
        pixels = tf.reshape(padded, (-1, channels))
        strips: list[tf.Tensor] = []
        for first, last in self._strips(down, across, channels):
            # One strip after another: only one is in memory.
            with tf.control_dependencies(strips[-1:]):
                tiles = tf.gather(pixels, _input_places(first, last, across))
            rows = min(height, last * RESULTS) - first * RESULTS
            places = _result_places(rows, width, last - first, across)
            strips.append(tf.gather(self._products(tiles), places))
        return tf.reshape(tf.concat(strips, axis=0), (1, height, width, -1))

    def _products(self, tiles: tf.Tensor) -> tf.Tensor:
        """(36 * tiles, C) inputs, place by place, to (16 * tiles, D) results."""
        points = tf.matmul(self._inputs, tf.reshape(tiles, (INPUTS**2, -1)))
        points = tf.reshape(points, (INPUTS**2, -1, tiles.shape[-1]))
        products = tf.matmul(points, self._kernel, transpose_b=self._flipped)
        results = tf.matmul(self._results, tf.reshape(products, (INPUTS**2, -1)))
        return tf.reshape(results, (-1, products.shape[-1]))

    def _strips(self, down: int, across: int, channels: int) -> list[tuple[int, int]]:
        """First and last + 1 row of tiles of every strip: as large as the kernel, which each of them reads whole."""
        size = self._kernel.dtype.size
        row = across * INPUTS**2 * channels * size
        strip = max(STRIP_BYTES, size * math.prod(self._kernel.shape))
        edges = np.linspace(0, down, min(down, math.ceil(down * row / strip)) + 1).astype(int)
        return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _input_places(first: int, last: int, across: int) -> tf.Tensor:
    """Which pixel of the padded picture each input of each tile is: ordered by place within the tile, then by tile."""
    i, j, tile_y, tile_x = np.ogrid[:INPUTS, :INPUTS, first:last, :across]
    pixel = (tile_y * RESULTS + i) * (across * RESULTS + 2) + tile_x * RESULTS + j
    return _outside_graphs(pixel)


def _result_places(rows: int, width: int, down: int, across: int) -> tf.Tensor:
    """Which result each pixel of a strip is, among results ordered by place within the tile, then by tile."""
    y, x = np.ogrid[:rows, :width]
    place = (y % RESULTS) * RESULTS + x % RESULTS
    return _outside_graphs(place * down * across + (y // RESULTS) * across + x // RESULTS)


def _outside_graphs(places: np.ndarray) -> tf.Tensor:
    """They are inputs of the graph: of its constants TensorFlow keeps seven copies, which at 512 pixels are 40 MiB."""
    with tf.init_scope():
        return tf.constant(places.reshape(-1), tf.int32)
