"""The loss, term by term (Gatys, Ecker & Bethge 2015, arXiv:1508.06576).

Every term is a plain mean of squares without its weight. The weights of a run form one vector; the total loss is the
product of the two. So a traced graph serves every value of every weight, and the unweighted losses come for free.

P, S and X are the features of the content picture, a style picture and the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from styletransfer.settings import Settings

CONTENT_LAYERS = ("relu4_2", "relu5_2")
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
TERMS = (
    *(f"content_{layer}" for layer in CONTENT_LAYERS),
    *(f"style_{layer}" for layer in STYLE_LAYERS),
    "tv",
)
# The names under which losses are reported: sums of terms.
LOSSES = ("content", "style", "tv", "total")


@dataclass(frozen=True)
class Targets:
    """What the result is compared with.

    content: layer -> P, (h, w, C) float32. style: layer -> Gram matrices of all styles, (styles, C, C) float32.
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


def gram_matrix(features: tf.Tensor) -> tf.Tensor:
    """Correlations between channels, averaged over positions.

    features: (H, W, C) activations of one layer. Returns (C, C) float32, divided by H * W * C (Gatys et al. 2015,
    eq. 3, normalised by size so that layers of different resolution compare).
    """
    height, width, channels = features.shape
    F = tf.reshape(features, (-1, channels))
    return tf.cast(tf.matmul(F, F, transpose_a=True), tf.float32) / float(height * width * channels)


def mean_squared_difference(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Mean of (a - b)^2 over all elements, in float32."""
    return tf.reduce_mean(tf.math.squared_difference(tf.cast(a, tf.float32), tf.cast(b, tf.float32)))


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """Mean squared difference of vertical neighbours plus that of horizontal ones. image: (H, W, 3).

    A direction with a single pixel has no neighbours and counts as 0.
    """
    height, width, _ = image.shape
    vertical = mean_squared_difference(image[1:], image[:-1]) if height > 1 else 0.0
    horizontal = mean_squared_difference(image[:, 1:], image[:, :-1]) if width > 1 else 0.0
    return tf.convert_to_tensor(vertical + horizontal, tf.float32)


def style_loss(X: tf.Tensor, style_grams: tf.Tensor, blend: tf.Tensor) -> tf.Tensor:
    """One layer's difference in style: the styles' mean squared Gram differences, blended (eq. 4).

    X: (h, w, C). style_grams: (styles, C, C). blend: (styles,), sum 1.
    """
    difference = tf.math.squared_difference(gram_matrix(X), style_grams)
    return tf.reduce_sum(blend * tf.reduce_mean(difference, axis=(1, 2)))


def terms(image: tf.Tensor, features: Mapping[str, tf.Tensor], targets: Targets, blend: tf.Tensor) -> tf.Tensor:
    """All terms in the order of `TERMS`, (8,) float32. A content layer without a target counts as 0."""
    values: dict[str, tf.Tensor] = {"tv": total_variation(image)}
    for layer, P in targets.content.items():
        values[f"content_{layer}"] = mean_squared_difference(features[layer], P)
    for layer, grams in targets.style.items():
        values[f"style_{layer}"] = style_loss(features[layer], grams, blend)
    return tf.stack([values.get(name, tf.constant(0.0)) for name in TERMS])


def layer_weights(exponent: float, layers: int = len(STYLE_LAYERS)) -> np.ndarray:
    """Weights of successive style layers: proportional to exponent^k, sum 1 (0^0 = 1). Returns (layers,) float64."""
    powers = np.float64(exponent) ** np.arange(layers)
    return powers / powers.sum()


def shares(settings: Settings) -> np.ndarray:
    """What each term is of its unweighted loss (content, style, tv): (8,) float64 in the order of `TERMS`."""
    blend = settings.content_weight_blend
    return np.concatenate([[blend, 1 - blend], layer_weights(settings.style_layer_weight_exp), [1.0]])


def weights(settings: Settings) -> np.ndarray:
    """The weight of each term in the total loss: (8,) float64 in the order of `TERMS`."""
    factors = [settings.content_weight] * len(CONTENT_LAYERS) + [settings.style_weight] * len(STYLE_LAYERS)
    return shares(settings) * np.array([*factors, settings.tv_weight])


def report(values: np.ndarray, settings: Settings) -> dict[str, float]:
    """Losses by name from the terms of one evaluation: weighted under the names of `LOSSES`, and `*_unweighted`.

    values: (8,), in the order of `TERMS`. Computed in float64.
    """
    values = np.asarray(values, np.float64)
    losses: dict[str, float] = {}
    for suffix, factors in (("", weights(settings)), ("_unweighted", shares(settings))):
        parts = factors * values
        losses[f"content{suffix}"] = float(parts[: len(CONTENT_LAYERS)].sum())
        losses[f"style{suffix}"] = float(parts[len(CONTENT_LAYERS) : -1].sum())
        losses[f"tv{suffix}"] = float(parts[-1])
    losses["total"] = losses["content"] + losses["style"] + losses["tv"]
    return losses
