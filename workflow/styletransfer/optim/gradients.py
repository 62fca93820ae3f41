"""The loss and its gradient with a backward pass written out by hand: what `losses.AutodiffGradient` computes, sooner.

Beside the formulas of `losses` nothing here is about style transfer; it is about what a CPU does with them:

- Only gradients with respect to activations are computed, as forward convolutions with flipped kernels.
- Bias and ReLU ride along with the convolution, and the pass back needs no more than what the ReLU let through.
- At a pooling, ReLU is passed back on the pooled side, on a quarter of the pixels: where a maximum is 0 nothing passes.
- The gradient of a Gram matrix's difference is one matrix product per layer.
- Wide convolutions in float32 take a quarter of the multiplications (`winograd`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import tensorflow as tf

from styletransfer.optim import losses
from styletransfer.optim.losses import Targets
from styletransfer.vgg import winograd
from styletransfer.vgg.network import CONVOLUTIONS, VGG19, max_pool_grad

# From this many pairs of channels on, the transforms of `winograd` cost less than they save (measured)...
WINOGRAD_FROM = 64 * 128
# ... if there are this many tiles: its kernels are four times as large, and with few tiles reading them takes longest.
WINOGRAD_TILES = 20
# Parts that a Gram matrix in bfloat16 is summed from.
GRAM_PARTS = 16

# From this many bytes on, the activations of the first block are computed twice in place of being kept: it has half of
# all activations, and a twentieth of the multiplications.
KEPT_BYTES = 2**29


class Convolution:
    """A convolution with one kernel, and the way back through it; by Winograd's method or directly.

    Args:
        kernel: (3, 3, C, D).
        pairs: of channels, from which on it is by Winograd's method.
        tiles: of the result, likewise.
    """

    def __init__(self, kernel: tf.Tensor, pairs: float, tiles: int) -> None:
        self._kernel = kernel
        self._wide = kernel.shape[2] * kernel.shape[3] >= pairs
        self._tiles = tiles

    def forward(self, x: tf.Tensor) -> tf.Tensor:
        """(1, h, w, C) to (1, h, w, D)."""
        if self._worth_transforming(x):
            return self._by_winograd[0](x)
        return tf.nn.conv2d(x, self._kernel, strides=1, padding="SAME")

    def backward(self, grad: tf.Tensor) -> tf.Tensor:
        """From the gradient with respect to what `forward` returns, (1, h, w, D), that for its input, (1, h, w, C)."""
        if self._worth_transforming(grad):
            return self._by_winograd[1](grad)
        return tf.nn.conv2d(grad, self._flipped, strides=1, padding="SAME")

    def _worth_transforming(self, x: tf.Tensor) -> bool:
        return self._wide and winograd.tiles(*x.shape[1:3]) >= self._tiles

    # What a picture's size does not need is never made. It is while a graph is traced, but no part of that graph.

    @functools.cached_property
    def _by_winograd(self) -> tuple[winograd.Convolution, winograd.Convolution]:
        with tf.init_scope():
            kernel = winograd.transformed(self._kernel)
            return winograd.Convolution(kernel), winograd.Convolution(kernel, flipped=True)

    @functools.cached_property
    def _flipped(self) -> tf.Tensor:
        with tf.init_scope():
            return tf.transpose(self._kernel[::-1, ::-1], (0, 1, 3, 2))


class AnalyticGradient:
    """The terms of the loss and the gradient of their weighted sum, for one network.

    Args:
        network: that images are looked at with.
        winograd_from: the product of a kernel's channels from which on `winograd` convolves, however small the picture;
            by default as measured, and never in bfloat16, where it would cost accuracy.
        kept_bytes: how large the activations of the first block may be to be kept until the gradient needs them.
    """

    def __init__(self, network: VGG19, winograd_from: float | None = None, kept_bytes: int = KEPT_BYTES) -> None:
        self._network = network
        self._kept_bytes = kept_bytes
        default = WINOGRAD_FROM if network.dtype == tf.float32 else math.inf
        limits = (default, WINOGRAD_TILES) if winograd_from is None else (winograd_from, 0)
        self._convolutions = {name: Convolution(kernel, *limits) for name, kernel in network.kernels.items()}

    def __call__(
        self, image: tf.Tensor, targets: Targets, weights: tf.Tensor, blend: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Evaluate an image, as `losses.AutodiffGradient` does but for rounding.

        Args:
            image: (H, W, 3) float32, less the mean pixel.
            targets: what it is compared with.
            weights: (terms,), in the order of `terms.names`.
            blend: (styles,), sum 1.

        Returns:
            All terms, (terms,), and the gradient of their weighted sum with respect to the image, (H, W, 3); float32.
        """
        weight = dict(zip(targets.terms, tf.unstack(weights), strict=True))
        activations, pooled = self._activations(image, targets.layers)
        values = {"tv": losses.total_variation(image)}
        grads: list[tf.Tensor] = []  # what the deeper layers and the losses at this one contribute to its gradient
        again = 2 * self._network.dtype.size * math.prod(activations["1_1"].shape) > self._kept_bytes
        for name in reversed(activations):
            if again and name == "1_2":
                # Only after the deeper layers, so that the first activations are gone by then.
                with tf.control_dependencies(grads):
                    activations |= self._activations(image, ("relu1_2",))[0]
            X = activations[name]
            if name in pooled:
                passed, grads = [self._unpool(grads[0], X, pooled[name])], []
            else:
                passed = []
            found, loss_grads = layer_grads(f"relu{name}", X, targets, weight, blend)
            values |= found
            if grads or loss_grads:
                passed.append(tf.raw_ops.ReluGrad(gradients=tf.add_n(grads + loss_grads), features=X))
            grads = [self._convolutions[name].backward(tf.add_n(passed))]
        gradient = tf.cast(grads[0][0], tf.float32) + weight["tv"] * total_variation_grad(image)
        return targets.stacked(values), gradient

    def _activations(
        self, image: tf.Tensor, layers: tuple[str, ...]
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """Activations after ReLU, (1, h, w, C), up to the deepest of the layers; and what pooling made of some."""
        deepest = max(layers).removeprefix("relu")
        names = CONVOLUTIONS[: CONVOLUTIONS.index(deepest) + 1]
        activations: dict[str, tf.Tensor] = {}
        pooled: dict[str, tf.Tensor] = {}
        x = tf.cast(image, self._network.dtype)[tf.newaxis]
        for name, following in zip(names, (*names[1:], None), strict=True):
            x = tf.nn.relu(tf.nn.bias_add(self._convolutions[name].forward(x), self._network.biases[name]))
            activations[name] = x
            if following is not None and following.endswith("_1"):
                x = pooled[name] = self._network.pool(x)
        return activations, pooled

    def _unpool(self, grad: tf.Tensor, X: tf.Tensor, pooled: tf.Tensor) -> tf.Tensor:
        """From the gradient after pooling, that before pooling and ReLU."""
        window = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}
        if self._network.pooling == "max":
            passed = tf.raw_ops.ReluGrad(gradients=grad, features=pooled)
            if self._network.compiled:
                return max_pool_grad(X, pooled, passed)
            return tf.raw_ops.MaxPoolGrad(orig_input=X, orig_output=pooled, grad=passed, **window)
        spread = tf.raw_ops.AvgPoolGrad(orig_input_shape=X.shape, grad=grad, **window)
        return tf.raw_ops.ReluGrad(gradients=spread, features=X)


def layer_grads(
    layer: str, X: tf.Tensor, targets: Targets, weight: Mapping[str, tf.Tensor], blend: tf.Tensor
) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
    """The terms that look at one layer.

    Args:
        layer: such as `relu4_2`.
        X: its activations, (1, h, w, C).
        targets: what they are compared with.
        weight: of each term, by name.
        blend: (styles,), sum 1.

    Returns:
        The terms by name, and for each its weight times its gradient with respect to X, like X.
    """
    values: dict[str, tf.Tensor] = {}
    grads: list[tf.Tensor] = []
    if (P := targets.content.get(layer)) is not None:
        values[f"content_{layer}"], grad = content_grad(X, P)
        grads.append(tf.cast(weight[f"content_{layer}"] * grad, X.dtype))
    if layer in targets.style:
        values[f"style_{layer}"], grad = style_grad(X, targets.style[layer], blend, weight[f"style_{layer}"])
        grads.append(grad)
    return values, grads


def content_grad(X: tf.Tensor, P: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`losses.mean_squared_difference` and its gradient.

    Args:
        X: (1, h, w, C), the result's features.
        P: (h, w, C), the content's.

    Returns:
        A scalar, and its gradient with respect to X, like X; float32.
    """
    difference = tf.cast(X, tf.float32) - P
    return tf.reduce_mean(tf.square(difference)), difference * (2 / difference.shape.num_elements())


def style_grad(
    X: tf.Tensor, style_grams: tf.Tensor, blend: tf.Tensor, weight: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """`losses.style_loss`, and its weight times its gradient.

    Args:
        X: (1, h, w, C), the result's features.
        style_grams: (styles, C, C).
        blend: (styles,), sum 1.
        weight: of this layer in the total loss, a scalar.

    Returns:
        A scalar, and weight times its gradient with respect to X, like X.

    Source:
        Gatys et al. 2015, eq. 6.
    """
    channels = X.shape[-1]
    F = tf.reshape(X, (-1, channels))
    difference = gram_matrix(F) - style_grams
    value = tf.reduce_sum(blend * tf.reduce_mean(tf.square(difference), axis=(1, 2)))
    loss_grad = tf.tensordot(blend, difference, axes=1) * (weight * (4 / (channels**2 * F.shape.num_elements())))
    return value, tf.reshape(tf.matmul(F, tf.cast(loss_grad, F.dtype)), X.shape)


def gram_matrix(F: tf.Tensor) -> tf.Tensor:
    """`losses.gram_matrix` of flat features. A product of bfloat16 is rounded to it, so parts are summed in float32.

    Args:
        F: (positions, C).

    Returns:
        (C, C) float32.
    """
    positions, channels = F.shape
    if F.dtype == tf.float32:
        return tf.matmul(F, F, transpose_a=True) / float(positions * channels)
    whole = positions - positions % GRAM_PARTS
    parts = tf.reshape(F[:whole], (GRAM_PARTS, -1, channels))
    total = tf.reduce_sum(tf.cast(tf.matmul(parts, parts, transpose_a=True), tf.float32), axis=0)
    total += tf.cast(tf.matmul(F[whole:], F[whole:], transpose_a=True), tf.float32)
    return total / float(positions * channels)


def total_variation_grad(image: tf.Tensor) -> tf.Tensor:
    """The gradient of `losses.total_variation`. image: (H, W, 3)."""
    return sum((_neighbour_grad(image, axis) for axis in (0, 1) if image.shape[axis] > 1), tf.zeros_like(image))


def _neighbour_grad(image: tf.Tensor, axis: int) -> tf.Tensor:
    """One direction's part: every difference pulls at both its pixels."""
    difference = image[1:] - image[:-1] if axis == 0 else image[:, 1:] - image[:, :-1]
    before, after = [[0, 0], [0, 0], [0, 0]], [[0, 0], [0, 0], [0, 0]]
    before[axis], after[axis] = [1, 0], [0, 1]
    return (tf.pad(difference, before) - tf.pad(difference, after)) * (2 / difference.shape.num_elements())
