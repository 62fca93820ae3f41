"""The loss, term by term (Gatys, Ecker & Bethge 2015, arXiv:1508.06576).

Every term is a plain mean of squares without its weight; `terms` makes losses of them. So a traced graph serves
every value of every weight, and the unweighted losses come for free.

P, S and X are the features of the content picture, a style picture and the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from styletransfer.optim.terms import content_shares, style_shares
from styletransfer.settings import REST_LAYER, Settings
from styletransfer.vgg.bands import LARGE
from styletransfer.vgg.network import VGG19


class Targets(NamedTuple):
    """What the result is compared with.

    Args:
        content: layer -> P, (h, w, C) float32; None where the layer has no share.
        style: layer -> Gram matrices of all styles, (styles, C, C) float32.
    """

    content: Mapping[str, tf.Tensor | None]
    style: Mapping[str, tf.Tensor]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the losses need."""
        return (*(layer for layer, P in self.content.items() if P is not None), *self.style)

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the loss's terms, as `terms.names` has them."""
        return (*(f"content_{layer}" for layer in self.content), *(f"style_{layer}" for layer in self.style), "tv")

    def stacked(self, values: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Terms by name as one vector; 0 where a layer has no share."""
        return tf.stack([values.get(name, tf.constant(0.0)) for name in self.terms])


def content_features(network: VGG19, settings: Settings, content: np.ndarray) -> dict[str, tf.Tensor | None]:
    """The features of the content picture: layer -> P, (h, w, C) float32.

    Without a share relu5_2 has none, and with the default layers the network is cut four convolutions earlier.

    Args:
        network: that the run looks with.
        settings: the content layers.
        content: (H, W, 3) RGB in 0..255, at the run's size.
    """
    shares = content_shares(settings)
    layers = tuple(layer for layer, share in shares.items() if share or layer != REST_LAYER)
    P: dict[str, list[tf.Tensor]] = {layer: [] for layer in layers}

    def keep(layer: str, rows: tf.Tensor) -> None:
        P[layer].append(tf.cast(rows, tf.float32))

    network.show(network.preprocess(content), layers, keep, is_large(content))
    return {layer: tf.concat(P[layer], axis=0) if layer in P else None for layer in shares}


def is_large(content: np.ndarray) -> bool:
    """Whether the targets of a run are measured in bands. content: (H, W, 3), at the run's size."""
    return content.shape[0] * content.shape[1] > LARGE


def style_grams(
    network: VGG19, settings: Settings, styles: list[np.ndarray], in_bands: bool = False
) -> dict[str, tf.Tensor]:
    """The Gram matrices of the style pictures: layer -> (styles, C, C) float32.

    Args:
        network: that the run looks with.
        settings: the style layers.
        styles: (H, W, 3) RGB in 0..255, each at the size that the run wants.
        in_bands: whether the run `is_large`.
    """
    layers = tuple(style_shares(settings))
    grams = [_grams(network, layers, style, in_bands) for style in styles]
    return {layer: tf.stack([gram[layer] for gram in grams]) for layer in layers}


def _grams(network: VGG19, layers: Sequence[str], style: np.ndarray, in_bands: bool) -> dict[str, tf.Tensor]:
    """The Gram matrices of one picture, (C, C) by layer: sums over positions, some rows at a time."""
    sums: dict[str, tf.Tensor] = {}
    sizes = dict.fromkeys(layers, 0)

    def add(layer: str, S: tf.Tensor) -> None:
        F = tf.cast(tf.reshape(S, (-1, S.shape[-1])), tf.float32)
        product = tf.matmul(F, F, transpose_a=True)
        sums[layer] = sums[layer] + product if layer in sums else product
        sizes[layer] += S.shape.num_elements()

    network.show(network.preprocess(style), layers, add, in_bands)
    return {layer: sums[layer] / float(sizes[layer]) for layer in layers}


def measure_targets(network: VGG19, settings: Settings, content: np.ndarray, styles: list[np.ndarray]) -> Targets:
    """What a run is compared with. content, styles: (H, W, 3) RGB in 0..255, at the sizes that the run wants."""
    grams = style_grams(network, settings, styles, is_large(content))
    return Targets(content_features(network, settings, content), grams)


def gram_matrix(features: tf.Tensor) -> tf.Tensor:
    """Correlations between channels, averaged over positions.

    Args:
        features: (H, W, C) activations of one layer.

    Returns:
        (C, C) float32, divided by H * W * C, so that layers of different resolution compare.

    Source:
        Gatys et al. 2015, eq. 3.
    """
    height, width, channels = features.shape
    # In float32 whatever the features: a converged style differs from its target by less than bfloat16 can tell.
    F = tf.cast(tf.reshape(features, (-1, channels)), tf.float32)
    return tf.matmul(F, F, transpose_a=True) / float(height * width * channels)


def mean_squared_difference(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Mean of (a - b)^2 over all elements, in float32."""
    return tf.reduce_mean(tf.math.squared_difference(tf.cast(a, tf.float32), tf.cast(b, tf.float32)))


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """Mean squared difference of vertical neighbours plus that of horizontal ones.

    Args:
        image: (H, W, 3). A direction with a single pixel has no neighbours and counts as 0.

    Returns:
        A scalar, float32.
    """
    height, width, _ = image.shape
    vertical = mean_squared_difference(image[1:], image[:-1]) if height > 1 else 0.0
    horizontal = mean_squared_difference(image[:, 1:], image[:, :-1]) if width > 1 else 0.0
    return tf.convert_to_tensor(vertical + horizontal, tf.float32)


def style_loss(X: tf.Tensor, style_grams: tf.Tensor, blend: tf.Tensor) -> tf.Tensor:
    """One layer's difference in style: the styles' mean squared Gram differences, blended.

    Args:
        X: (h, w, C), the result's features.
        style_grams: (styles, C, C).
        blend: (styles,), sum 1.

    Returns:
        A scalar, float32.

    Source:
        Gatys et al. 2015, eq. 4.
    """
    difference = tf.math.squared_difference(gram_matrix(X), style_grams)
    return tf.reduce_sum(blend * tf.reduce_mean(difference, axis=(1, 2)))


def terms(image: tf.Tensor, features: Mapping[str, tf.Tensor], targets: Targets, blend: tf.Tensor) -> tf.Tensor:
    """All terms of the loss, without their weights.

    Args:
        image: (H, W, 3), less the mean pixel.
        features: the image's, by layer, (h, w, C).
        targets: what they are compared with.
        blend: (styles,), sum 1.

    Returns:
        (terms,) float32, in the order of `terms.names`.
    """
    values: dict[str, tf.Tensor] = {"tv": total_variation(image)}
    for layer, P in targets.content.items():
        if P is not None:
            values[f"content_{layer}"] = mean_squared_difference(features[layer], P)
    for layer, grams in targets.style.items():
        values[f"style_{layer}"] = style_loss(features[layer], grams, blend)
    return targets.stacked(values)


class AutodiffGradient:
    """The terms of the loss and the gradient of their weighted sum, for one network, by automatic differentiation."""

    def __init__(self, network: VGG19) -> None:
        self._network = network

    def __call__(
        self, image: tf.Tensor, targets: Targets, weights: tf.Tensor, blend: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Evaluate an image.

        Args:
            image: (H, W, 3) float32, less the mean pixel.
            targets: what it is compared with.
            weights: (terms,), in the order of `terms.names`.
            blend: (styles,), sum 1.

        Returns:
            All terms, (terms,), and the gradient of their weighted sum with respect to the image, (H, W, 3); float32.
        """
        with tf.GradientTape() as tape:
            tape.watch(image)
            values = terms(image, self._network.features(image, targets.layers), targets, blend)
            total = tf.reduce_sum(weights * values)
        return values, tape.gradient(total, image)


def of_luma(loss: Callable[..., tuple[tf.Tensor, tf.Tensor]]) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """A loss as a function of luma alone: all channels get the mean of their gradients, so a gray image stays gray.

    Args:
        loss: such as `AutodiffGradient`.
    """

    def evaluate(image: tf.Tensor, *problem: Any) -> tuple[tf.Tensor, tf.Tensor]:
        values, gradient = loss(image, *problem)
        return values, tf.broadcast_to(tf.reduce_mean(gradient, axis=-1, keepdims=True), gradient.shape)

    return evaluate
