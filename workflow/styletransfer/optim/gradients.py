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
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from styletransfer.devices import precision
from styletransfer.optim import losses
from styletransfer.optim.losses import Targets
from styletransfer.vgg import winograd
from styletransfer.vgg.network import CONVOLUTIONS, VGG19, max_pool_grad

# From this many pairs of channels on, the transforms of `winograd` cost less than they save, by a CPU's instructions: a
# CPU that multiplies at half the speed saves more (measured, docs/benchmark.md)...
WINOGRAD_FROM, WINOGRAD_FROM_ON = 64 * 128, {"avx2": 64 * 64}
# ... if there are this many tiles: its kernels are four times as large, and with few tiles reading them takes longest.
WINOGRAD_TILES = 20
# Parts that a Gram matrix in bfloat16 is summed from.
GRAM_PARTS = 16


class Convolution:
    """A convolution with one kernel, and the way back through it; by Winograd's method or directly.

    Args:
        read_kernel: makes the kernel, (3, 3, C, D), whenever it is needed.
        tiles: of the result, from which on it is by Winograd's method.
    """

    def __init__(self, read_kernel: Callable[[], tf.Tensor], tiles: float) -> None:
        self._read_kernel, self._tiles = read_kernel, tiles

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
        return winograd.tiles(*x.shape[1:3]) >= self._tiles

    # What a picture's size does not need is never made. It is while a graph is traced, but no part of that graph.

    @functools.cached_property
    def _kernel(self) -> tf.Tensor:
        with tf.init_scope():
            return self._read_kernel()

    @functools.cached_property
    def _by_winograd(self) -> tuple[winograd.Convolution, winograd.Convolution]:
        with tf.init_scope():
            kernel = winograd.transformed(self._read_kernel())
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
    """

    def __init__(self, network: VGG19, winograd_from: float | None = None) -> None:
        self._network = network
        measured = WINOGRAD_FROM_ON.get(precision.usable_instructions(), WINOGRAD_FROM)
        default = measured if network.dtype == tf.float32 else math.inf
        pairs, tiles = (default, WINOGRAD_TILES) if winograd_from is None else (winograd_from, 0)
        self._convolutions = {
            name: Convolution(
                functools.partial(network.kernels.read, name), tiles if math.prod(channels) >= pairs else math.inf
            )
            for name, channels in network.channels.items()
        }

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
        deepest = max(targets.layers).removeprefix("relu")
        names = CONVOLUTIONS[: CONVOLUTIONS.index(deepest) + 1]
        x = tf.cast(image, self._network.dtype)[tf.newaxis]
        values, grad = self.evaluate(x, names, LayerLosses(targets, weight, blend))
        values["tv"] = losses.total_variation(image)
        gradient = tf.cast(grad[0], tf.float32) + weight["tv"] * total_variation_grad(image)
        return targets.stacked(values), gradient

    def evaluate(
        self, x: tf.Tensor, names: Sequence[str], layer_losses: LayerLosses
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """The terms that look at some successive layers, and the gradient with respect to their input, (1, h, w, C)."""
        # The network's first layer is as large as any, and computed in a hundredth of a step.
        again = x if names[0] == CONVOLUTIONS[0] else None
        return self.backward(*self.forward(x, names), [], layer_losses.at, again)

    def _layer(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """Activations after ReLU, (1, h, w, D), of a layer's input, (1, h, w, C)."""
        return tf.nn.relu(tf.nn.bias_add(self._convolutions[name].forward(x), self._network.biases[name]))

    def forward(
        self, x: tf.Tensor, names: Sequence[str], pool_last: bool = False
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """Activations after ReLU, (1, h, w, C), of successive layers; and what pooling made of some.

        Args:
            x: their input, (1, h, w, C).
            names: such as `1_1`.
            pool_last: whether the last is pooled, too.
        """
        activations: dict[str, tf.Tensor] = {}
        pooled: dict[str, tf.Tensor] = {}
        for name, following in zip(names, (*names[1:], None), strict=True):
            x = activations[name] = self._layer(name, x)
            if pool_last if following is None else following.endswith("_1"):
                x = pooled[name] = self._network.pool(x)
        return activations, pooled

    def backward(
        self,
        activations: dict[str, tf.Tensor],
        pooled: dict[str, tf.Tensor],
        grads: list[tf.Tensor],
        losses_at: Callable[[str, tf.Tensor], tuple[dict[str, tf.Tensor], list[tf.Tensor]]],
        again: tf.Tensor | None = None,
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """The way back through what `forward` returns.

        Args:
            activations: its first result.
            pooled: its second.
            grads: what deeper layers contribute to the gradient after the last pooling, if there are any.
            losses_at: from a layer and its activations, its terms by name, and what they contribute to its gradient.
            again: the input of the first layer, whose activations are then not kept until here but computed again.

        Returns:
            The terms by name, and the gradient with respect to the input.
        """
        values: dict[str, tf.Tensor] = {}
        first = next(iter(activations))
        for name, kept in reversed(activations.items()):
            passed: list[tf.Tensor] = []
            if name in pooled:
                passed, grads = [self._unpool(grads[0], kept, pooled[name])], []
            # Not sooner than it is needed: a gradient takes as much memory as the activations.
            with tf.control_dependencies(passed + grads):
                X = kept if again is None or name != first else self._layer(name, again)
                found, loss_grads = losses_at(f"relu{name}", X)
            values |= found
            if grads or loss_grads:
                passed.append(tf.raw_ops.ReluGrad(gradients=tf.add_n(grads + loss_grads), features=X))
            grads = [self._convolutions[name].backward(tf.add_n(passed))]
        return values, grads[0]

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


class LayerLosses(NamedTuple):
    """The terms that look at one layer.

    Args:
        targets: what activations are compared with.
        weight: of each term, by name.
        blend: (styles,), sum 1.
    """

    targets: Targets
    weight: Mapping[str, tf.Tensor]
    blend: tf.Tensor

    def at(self, layer: str, X: tf.Tensor) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
        """The terms by name, and for each its weight times its gradient with respect to X, like X.

        Args:
            layer: such as `relu4_2`.
            X: its activations, (1, h, w, C).
        """
        values: dict[str, tf.Tensor] = {}
        grads: list[tf.Tensor] = []
        if (P := self.targets.content.get(layer)) is not None:
            values[f"content_{layer}"], grad = content_grad(X, P)
            grads.append(tf.cast(self.weight[f"content_{layer}"] * grad, X.dtype))
        if layer in self.targets.style:
            gram = gram_sum(X) / float(X.shape.num_elements())
            values[f"style_{layer}"], of_gram = self.style_grad(layer, gram, X.shape.num_elements())
            grads.append(through_gram(X, of_gram))
        return values, grads

    def style_grad(self, layer: str, gram: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
        """`losses.style_loss`, and its weight times what its gradient is of the features: see `through_gram`.

        Args:
            layer: such as `relu4_1`.
            gram: of the result's features, (C, C) float32.
            size: how many numbers they are.

        Returns:
            A scalar, and (C, C) float32.

        Source:
            Gatys et al. 2015, eq. 6.
        """
        difference = gram - self.targets.style[layer]
        value = tf.reduce_sum(self.blend * tf.reduce_mean(tf.square(difference), axis=(1, 2)))
        factor = self.weight[f"style_{layer}"] * (4 / (gram.shape[-1] ** 2 * size))
        return value, tf.tensordot(self.blend, difference, axes=1) * factor


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


def through_gram(X: tf.Tensor, of_gram: tf.Tensor) -> tf.Tensor:
    """The gradient with respect to features, like X (1, h, w, C), from what `LayerLosses.style_grad` returns."""
    F = tf.reshape(X, (-1, X.shape[-1]))
    return tf.reshape(tf.matmul(F, tf.cast(of_gram, F.dtype)), X.shape)


def gram_sum(X: tf.Tensor) -> tf.Tensor:
    """`losses.gram_matrix` before it is divided. A product of bfloat16 is rounded to it: parts are summed in float32.

    Args:
        X: features, (1, h, w, C).

    Returns:
        (C, C) float32.
    """
    F = tf.reshape(X, (-1, X.shape[-1]))
    if F.dtype == tf.float32:
        return tf.matmul(F, F, transpose_a=True)
    positions, channels = F.shape
    whole = positions - positions % GRAM_PARTS
    parts = tf.reshape(F[:whole], (GRAM_PARTS, -1, channels))
    total = tf.reduce_sum(tf.cast(tf.matmul(parts, parts, transpose_a=True), tf.float32), axis=0)
    return total + tf.cast(tf.matmul(F[whole:], F[whole:], transpose_a=True), tf.float32)


def total_variation_grad(image: tf.Tensor) -> tf.Tensor:
    """The gradient of `losses.total_variation`. image: (H, W, 3)."""
    return sum((_neighbour_grad(image, axis) for axis in (0, 1) if image.shape[axis] > 1), tf.zeros_like(image))


def _neighbour_grad(image: tf.Tensor, axis: int) -> tf.Tensor:
    """One direction's part: every difference pulls at both its pixels."""
    difference = image[1:] - image[:-1] if axis == 0 else image[:, 1:] - image[:, :-1]
    before, after = [[0, 0], [0, 0], [0, 0]], [[0, 0], [0, 0], [0, 0]]
    before[axis], after[axis] = [1, 0], [0, 1]
    return (tf.pad(difference, before) - tf.pad(difference, after)) * (2 / difference.shape.num_elements())
