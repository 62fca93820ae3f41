"""Adam on the pixels of one image (Kingma & Ba 2015, arXiv:1412.6980), and what is remembered on the way.

Every hyper-parameter is a tensor: one traced graph serves all values. Reading, writing and reporting are left to
`transfer`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from styletransfer import losses, weighting
from styletransfer.losses import Targets
from styletransfer.settings import Settings
from styletransfer.vgg import VGG19

NOISE_SCALE = 0.256


@dataclass(frozen=True)
class Evaluation:
    """The image after `iteration` steps, as far as the loss saw it. terms: (8,) float32, see `weighting.TERMS`."""

    iteration: int
    terms: np.ndarray
    finite: bool
    best: bool


def starting_image(settings: Settings, initial: np.ndarray | None, shape: tuple[int, int, int]) -> np.ndarray:
    """The image before the first step: noise of standard deviation 0.256, blended with an initial image if any.

    initial: (H, W, 3) less the mean pixel, or None for pure noise. Returns `shape` = (H, W, 3) float32.
    """
    noise_share = np.float32(settings.initial_noiseblend)
    if initial is not None and noise_share == 0:
        return np.asarray(initial, np.float32)
    noise = NOISE_SCALE * np.random.default_rng(settings.seed).standard_normal(shape, dtype=np.float32)
    if initial is None:
        return noise.astype(np.float32)
    return ((1 - noise_share) * np.asarray(initial, np.float32) + noise_share * noise).astype(np.float32)


class Optimization(tf.Module):
    """The optimisation of one image: its pixels, Adam's moments, the last and the best image seen.

    network and targets fix the graph; everything else of the settings enters as numbers.
    """

    def __init__(self, network: VGG19, targets: Targets, settings: Settings, start: np.ndarray) -> None:
        super().__init__()
        self._network = network
        self._targets = targets
        self._weights = tf.constant(weighting.weights(settings), tf.float32)
        self._blend = tf.constant(settings.style_blend_weights, tf.float32)
        self._adam = tf.constant([settings.learning_rate, settings.beta1, settings.beta2, settings.eps], tf.float64)
        self._iterations = settings.iterations
        self._image = tf.Variable(start, dtype=tf.float32)
        self._mean = tf.Variable(tf.zeros_like(start))
        self._square = tf.Variable(tf.zeros_like(start))
        self._last = tf.Variable(start, dtype=tf.float32)
        self._best = tf.Variable(start, dtype=tf.float32)
        self._best_loss = tf.Variable(np.inf, dtype=tf.float32)

    @property
    def last(self) -> np.ndarray:
        """The newest image whose loss was finite, (H, W, 3) less the mean pixel."""
        return self._last.numpy()

    @property
    def best(self) -> np.ndarray:
        """The image with the lowest total loss so far, (H, W, 3) less the mean pixel."""
        return self._best.numpy()

    def run(self) -> Iterator[Evaluation]:
        """Take all steps. Yields the evaluation of the image before each step and of the final one.

        Ends early, after the first evaluation that is not finite: from there on every pixel would be NaN.
        """
        for iteration in range(self._iterations + 1):
            terms, finite, best = self._step(
                tf.constant(iteration + 1, tf.float64), self._weights, self._blend, self._adam
            )
            evaluation = Evaluation(iteration, terms.numpy(), bool(finite), bool(best))
            yield evaluation
            if not evaluation.finite:
                return

    @tf.function
    def _step(
        self, number: tf.Tensor, weights: tf.Tensor, blend: tf.Tensor, adam: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Evaluate the image, remember it, move it.

        The move after the last evaluation goes unseen: that spares a second graph which would only evaluate.
        """
        with tf.GradientTape() as tape:
            features = self._network.features(self._image, self._targets.layers)
            terms = losses.terms(self._image, features, self._targets, blend)
            total = tf.reduce_sum(weights * terms)
        gradient = tape.gradient(total, self._image)
        finite = tf.math.is_finite(total)
        best = tf.logical_and(finite, total < self._best_loss)
        self._remember(finite, best, total)
        self._move(gradient, number, adam)
        return terms, finite, best

    def _remember(self, finite: tf.Tensor, best: tf.Tensor, total: tf.Tensor) -> None:
        self._last.assign(tf.where(finite, self._image, self._last))
        self._best.assign(tf.where(best, self._image, self._best))
        self._best_loss.assign(tf.where(best, total, self._best_loss))

    def _move(self, gradient: tf.Tensor, number: tf.Tensor, adam: tf.Tensor) -> None:
        """One step of Adam, with the bias corrections folded into the step size (section 2 of the paper)."""
        learning_rate, beta1, beta2, eps = tf.unstack(adam)
        size = tf.cast(learning_rate * tf.sqrt(1 - beta2**number) / (1 - beta1**number), tf.float32)
        beta1, beta2, eps = (tf.cast(value, tf.float32) for value in (beta1, beta2, eps))
        mean = self._mean.assign(beta1 * self._mean + (1 - beta1) * gradient)
        square = self._square.assign(beta2 * self._square + (1 - beta2) * tf.square(gradient))
        self._image.assign_sub(size * mean / (tf.sqrt(square) + eps))


def measure_targets(network: VGG19, settings: Settings, content: np.ndarray, styles: list[np.ndarray]) -> Targets:
    """The content features and the styles' Gram matrices.

    content, styles: (H, W, 3) RGB in 0..255, at the sizes that the run wants.
    """
    layers = losses.content_layers(settings)
    P = network.features(network.preprocess(content), layers)
    grams = [
        {
            layer: losses.gram_matrix(S)
            for layer, S in network.features(network.preprocess(style), weighting.STYLE_LAYERS).items()
        }
        for style in styles
    ]
    return Targets(
        content={layer: tf.cast(P[layer], tf.float32) for layer in layers},
        style={layer: tf.stack([gram[layer] for gram in grams]) for layer in weighting.STYLE_LAYERS},
    )
