"""The loss, term by term (Gatys, Ecker & Bethge 2015, arXiv:1508.06576).

Every term is a plain mean of squares without its weight; `terms` makes losses of them. So a traced graph serves
every value of every weight, and the unweighted losses come for free.

P, S and X are the features of the content picture, a style picture and the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from styletransfer.optim.terms import CONTENT_LAYERS, STYLE_LAYERS, TERMS
from styletransfer.settings import Settings
from styletransfer.vgg.network import VGG19


class Targets(NamedTuple):
    """What the result is compared with.

    Args:
        content: layer -> P, (h, w, C) float32.
        style: layer -> Gram matrices of all styles, (styles, C, C) float32.
    """

    content: Mapping[str, tf.Tensor]
    style: Mapping[str, tf.Tensor]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the losses need."""
        return (*self.content, *self.style)


def content_layers(settings: Settings) -> tuple[str, ...]:
    """The content layers that count: without relu5_2 the network is cut four convolutions earlier."""
    return CONTENT_LAYERS if settings.content_weight_blend < 1 else CONTENT_LAYERS[:1]


def content_features(network: VGG19, content: np.ndarray, layers: tuple[str, ...]) -> dict[str, tf.Tensor]:
    """The features of the content picture.

    Args:
        network: that the run looks with.
        content: (H, W, 3) RGB in 0..255, at the run's size.
        layers: such as `relu4_2`.

    Returns:
        layer -> P, (h, w, C) float32.
    """
    P = network.features(network.preprocess(content), layers)
    return {layer: tf.cast(P[layer], tf.float32) for layer in layers}


def style_grams(network: VGG19, styles: list[np.ndarray]) -> dict[str, tf.Tensor]:
    """The Gram matrices of the style pictures.

    Args:
        network: that the run looks with.
        styles: (H, W, 3) RGB in 0..255, each at the size that the run wants.

    Returns:
        layer -> (styles, C, C) float32.
    """
    features = [network.features(network.preprocess(style), STYLE_LAYERS) for style in styles]
    return {layer: tf.stack([gram_matrix(S[layer]) for S in features]) for layer in STYLE_LAYERS}


def measure_targets(network: VGG19, settings: Settings, content: np.ndarray, styles: list[np.ndarray]) -> Targets:
    """What a run is compared with. content, styles: (H, W, 3) RGB in 0..255, at the sizes that the run wants."""
    return Targets(content_features(network, content, content_layers(settings)), style_grams(network, styles))


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
        targets: what they are compared with. A content layer without a target counts as 0.
        blend: (styles,), sum 1.

    Returns:
        (8,) float32, in the order of `TERMS`.
    """
    values: dict[str, tf.Tensor] = {"tv": total_variation(image)}
    for layer, P in targets.content.items():
        values[f"content_{layer}"] = mean_squared_difference(features[layer], P)
    for layer, grams in targets.style.items():
        values[f"style_{layer}"] = style_loss(features[layer], grams, blend)
    return tf.stack([values.get(name, tf.constant(0.0)) for name in TERMS])


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
            weights: (8,), in the order of `TERMS`.
            blend: (styles,), sum 1.

        Returns:
            All terms, (8,), and the gradient of their weighted sum with respect to the image, (H, W, 3); float32.
        """
        with tf.GradientTape() as tape:
            tape.watch(image)
            values = terms(image, self._network.features(image, targets.layers), targets, blend)
            total = tf.reduce_sum(weights * values)
        return values, tape.gradient(total, image)
