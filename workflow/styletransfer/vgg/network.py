"""VGG-19 up to the layers that a loss looks at (Simonyan & Zisserman 2015, arXiv:1409.1556).

Pictures go in as RGB less the mean pixel; the network's own channel order is dealt with here, once. What the features
are good for is `losses`' matter.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from styletransfer.errors import InputError
from styletransfer.vgg.bands import SEGMENTS, Band
from styletransfer.vgg.weights import OnDemand, Weights

CONVOLUTIONS = (
    *("1_1", "1_2"),
    *("2_1", "2_2"),
    *("3_1", "3_2", "3_3", "3_4"),
    *("4_1", "4_2", "4_3", "4_4"),
    *("5_1", "5_2", "5_3", "5_4"),
)
POOLINGS = {"max": tf.nn.max_pool2d, "avg": tf.nn.avg_pool2d}


# Activations and kernels of a precision; tensorfloat32 rounds only what tensor cores multiply.
DTYPES = {"float32": "float32", "tensorfloat32": "float32", "bfloat16": "bfloat16"}


@tf.custom_gradient
def max_pool(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """`tf.nn.max_pool2d` as `VGG19.pool` needs it, with a gradient that XLA can compile and that is deterministic."""
    pooled = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="SAME")
    return pooled, lambda grad: max_pool_grad(x, pooled, grad)


def max_pool_grad(x: tf.Tensor, pooled: tf.Tensor, grad: tf.Tensor) -> tf.Tensor:
    """The way back through `max_pool`. Of equal maxima in a window the first one gets it, row by row, as in TensorFlow.

    Args:
        x: what was pooled, (1, h, w, C).
        pooled: what it became, (1, ceil(h / 2), ceil(w / 2), C).
        grad: the gradient with respect to that.

    Returns:
        The gradient with respect to x, like x.
    """
    _, height, width, channels = x.shape
    down, across = pooled.shape[1:3]
    padded = tf.pad(x, [[0, 0], [0, 2 * down - height], [0, 2 * across - width], [0, 0]], constant_values=x.dtype.min)
    taken = tf.zeros(pooled.shape, tf.bool)
    rows = []
    for i in (0, 1):
        row = []
        for j in (0, 1):
            first = tf.logical_and(padded[:, i::2, j::2] == pooled, tf.logical_not(taken))
            taken = tf.logical_or(taken, first)
            row.append(tf.where(first, grad, tf.zeros_like(grad)))
        rows.append(tf.reshape(tf.stack(row, axis=3), (1, down, 1, 2 * across, channels)))
    return tf.reshape(tf.concat(rows, axis=2), (1, 2 * down, 2 * across, channels))[:, :height, :width]


class Kernels(OnDemand[tf.Tensor]):
    """Kernels by layer, such as `1_1`: made when they are asked for, and kept until `forget`.

    A graph holds those that it computes with as long as it lives: these stay, for the next graph as well.

    Args:
        names: of the layers.
        read: makes one, (3, 3, C, D), and keeps nothing.
    """

    def __init__(self, names: Sequence[str], read: Callable[[str], tf.Tensor]) -> None:
        super().__init__(names)
        self.read = read
        self._in_graphs: dict[str, tf.Tensor] = {}
        self._others: dict[str, tf.Tensor] = {}

    def __getitem__(self, name: str) -> tf.Tensor:
        if name in self._in_graphs:
            return self._in_graphs[name]
        if name not in self._others:
            with tf.init_scope():
                self._others[name] = self.read(name)
        if not tf.executing_eagerly():
            self._in_graphs[name] = self._others.pop(name)
            return self._in_graphs[name]
        return self._others[name]

    def forget(self) -> None:
        """Free the memory of those that no graph computes with; they are made again when they are asked for."""
        self._others.clear()


class VGG19:
    """The convolutional part of VGG-19 with fixed weights.

    Args:
        weights: its numbers.
        pooling: `max` or `avg`, 2x2 with stride 2 and SAME padding, which keeps the last row of an odd height (Keras'
            own model drops it).
        kernel_layout: `reference` transposes every kernel's height and width, as the 2018 study did.
        precision: `bfloat16` keeps kernels and activations in bfloat16.
        compiled: whether XLA compiles what is made of it.
        deepest: the last convolution that is needed, such as `5_2`.

    Attributes:
        kernels: of its convolutions.
        biases: (D,), likewise.
        channels: (C, D), likewise.
    """

    def __init__(
        self,
        weights: Weights,
        pooling: str = "max",
        kernel_layout: str = "correct",
        precision: str = "float32",
        compiled: bool = False,
        deepest: str = CONVOLUTIONS[-1],
    ) -> None:
        self.dtype = tf.as_dtype(DTYPES[precision])
        self.pooling = pooling
        self.compiled = compiled
        self.source = {**weights.source, "file_sha256": weights.sha256}
        if weights.original:
            self.source["original_checksum"] = weights.original
        reverse = weights.channel_order == "BGR"
        self.mean_pixel = np.asarray(weights.mean, np.float32)[:: -1 if reverse else 1]
        wanted = CONVOLUTIONS[: CONVOLUTIONS.index(deepest) + 1]
        names = tuple(itertools.takewhile(lambda name: f"conv{name}" in weights.kernels, wanted))
        self.biases = {name: tf.constant(weights.biases[f"conv{name}"], self.dtype) for name in names}
        results = [bias.shape[0] for bias in self.biases.values()]
        self.channels = dict(zip(names, itertools.pairwise((3, *results)), strict=True))

        def read(name: str) -> tf.Tensor:
            kernel = weights.kernels[f"conv{name}"]
            if reverse and name == "1_1":
                kernel = kernel[:, :, ::-1, :]
            if kernel_layout == "reference":
                kernel = kernel.transpose(1, 0, 2, 3)
            return tf.constant(kernel, self.dtype)

        self.kernels = Kernels(names, read)

    def preprocess(self, pixels: np.ndarray) -> tf.Tensor:
        """(H, W, 3) RGB in 0..255 to the space the optimisation lives in: RGB less the mean pixel, float32."""
        return tf.constant(np.asarray(pixels, np.float32) - self.mean_pixel)

    def postprocess(self, image: np.ndarray) -> np.ndarray:
        """The inverse of `preprocess`: (H, W, 3) RGB, not yet clipped to 0..255."""
        return np.asarray(image, np.float32) + self.mean_pixel

    def pool(self, x: tf.Tensor) -> tf.Tensor:
        """(1, h, w, C) to half the height and width, rounded up."""
        if self.compiled and self.pooling == "max":
            return max_pool(x)
        return POOLINGS[self.pooling](x, ksize=2, strides=2, padding="SAME")

    def features(self, image: tf.Tensor, layers: Sequence[str]) -> dict[str, tf.Tensor]:
        """Activations after ReLU of the named layers, such as `relu4_2`.

        Args:
            image: (H, W, 3), as `preprocess` gives it.
            layers: the network ends at the deepest of them.

        Returns:
            (h, w, C) tensors of the network's precision, by layer.

        Raises:
            InputError: for a layer that the weights do not have.
        """
        found: dict[str, tf.Tensor] = {}

        def keep(name: str, X: tf.Tensor) -> None:
            if f"relu{name}" in layers:
                found[f"relu{name}"] = X[0]

        self._activations(tf.cast(image, self.dtype)[tf.newaxis], self._names(layers), keep)
        return found

    def show(
        self, image: tf.Tensor, layers: Sequence[str], see: Callable[[str, tf.Tensor], None], in_bands: bool
    ) -> None:
        """`features`, one after another: none is kept here, so that there is memory for the next.

        Args:
            image: (H, W, 3), as `preprocess` gives it.
            layers: as for `features`.
            see: called with a layer and some of its rows, (rows, w, C), from top to bottom.
            in_bands: whether the first layers are computed in bands; else each is seen whole.

        Raises:
            InputError: for a layer that the weights do not have.
        """
        names = self._names(layers)
        x = tf.cast(image, self.dtype)[tf.newaxis]

        def see_rows(scale_of: Callable[[str], int], band: Band, name: str, X: tf.Tensor) -> None:
            if f"relu{name}" in layers:
                see(f"relu{name}", band.of_window(X, scale_of(name))[0])

        for segment in SEGMENTS if in_bands else ():
            own, names = names[: len(segment.names)], names[len(segment.names) :]
            pooled = []
            for band in segment.bands(*x.shape[1:3]):
                see_own = functools.partial(see_rows, segment.scale_of, band)
                last = self._activations(band.window(x), own, see_own)
                pooled += [band.of_window(self.pool(last), segment.scale)] if names else []
                del last
            if not names:
                return
            x = tf.concat(pooled, axis=1)
            del pooled
        self._activations(x, names, lambda name, X: see(f"relu{name}", X[0]) if f"relu{name}" in layers else None)

    def _names(self, layers: Sequence[str]) -> Sequence[str]:
        """The convolutions up to the deepest of some layers. Raises `InputError` if the weights do not have it."""
        deepest = max(layers).removeprefix("relu")
        if deepest not in self.kernels:
            raise InputError(
                f"the weights {self.source['name']} end at conv{max(self.kernels)}, and relu{deepest} is wanted: take "
                "weights with more layers, or shallower content_layers and style_layers"
            )
        return CONVOLUTIONS[: CONVOLUTIONS.index(deepest) + 1]

    def _activations(self, x: tf.Tensor, names: Sequence[str], see: Callable[[str, tf.Tensor], None]) -> tf.Tensor:
        """Activations after ReLU, (1, h, w, C), of successive layers: each is seen, and the last is returned.

        Args:
            x: the input of the first, (1, H, W, C).
            names: such as `1_1`.
            see: called with a name and its activations.
        """
        for name in names:
            if name.endswith("_1") and name != names[0]:
                x = self.pool(x)
            x = tf.nn.conv2d(x, self.kernels[name], strides=1, padding="SAME")
            x = tf.nn.bias_add(x, self.biases[name])
            x = tf.nn.relu(x)
            see(name, x)
        return x
