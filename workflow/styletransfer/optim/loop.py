"""The optimisation of one image, and what is remembered on the way.

Every hyper-parameter and every target is a tensor: one traced graph serves all runs of equal shapes. How a step is
taken is the matter of `optimizers`; reading, writing and reporting are left to `runs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from styletransfer.optim import losses
from styletransfer.optim import terms as loss_terms
from styletransfer.optim.losses import Targets
from styletransfer.optim.optimizers import LBFGS, OPTIMIZERS, Adam, Hyperparameters
from styletransfer.optim.terms import STYLE_LAYERS, TERMS, Evaluation
from styletransfer.settings import Settings
from styletransfer.vgg.network import VGG19

NOISE_SCALE = 0.256

# The terms and the gradient of their weighted sum, of (image, targets, weights, blend): see `losses.AutodiffGradient`.
Loss = Callable[[tf.Tensor, Targets, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


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


class Optimization:
    """The optimisation of one image from its start."""

    def __init__(self, stepper: Stepper, targets: Targets, settings: Settings, start: np.ndarray) -> None:
        self._stepper = stepper
        self._targets = targets
        self._weights = tf.constant(loss_terms.weights(settings), tf.float32)
        self._blend = tf.constant(settings.style_blend_weights, tf.float32)
        self._hyperparameters = Hyperparameters.of(settings)
        self._iterations = settings.iterations
        self._images = ImageState.init(start)
        self._method = OPTIMIZERS[settings.optimizer].init(start)
        self._variables = {**self._images._asdict(), **self._method._asdict()}
        self._iteration = 0

    @property
    def iteration(self) -> int:
        """The iteration that the state is at: the one to evaluate next."""
        return self._iteration

    def state(self) -> dict[str, np.ndarray]:
        """All that decides the rest of the run, by name: `iteration`, the images and the state of the optimizer.

        No generator is part of it: noise is drawn once, for the start.
        """
        variables = {name: variable.numpy() for name, variable in self._variables.items()}
        return {"iteration": np.array(self._iteration), **variables}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on as the run with the same settings and targets goes on whose `state` this is; to the same bit."""
        for name, variable in self._variables.items():
            variable.assign(state[name])
        self._iteration = int(state["iteration"])

    @property
    def last(self) -> np.ndarray:
        """The newest image whose loss was finite, (H, W, 3) less the mean pixel."""
        return self._images.last.numpy()

    @property
    def best(self) -> np.ndarray:
        """The image with the lowest total loss so far, (H, W, 3) less the mean pixel."""
        return self._images.best.numpy()

    def place(self, image: np.ndarray) -> None:
        """Go on from another image, (H, W, 3) less the mean pixel."""
        self._images.image.assign(image)

    def run(self) -> Iterator[Evaluation]:
        """Take all steps that are left. Yields the evaluation of the image before each step and of the final one.

        Ends early, after the first evaluation that is not finite: from there on every pixel would be NaN.
        """
        steps_per_call = self._stepper.steps_per_call
        while (first := self._iteration) <= self._iterations:
            # A call ends where `steps_per_call` divides: there the images are those of the iteration.
            count = min(-first % steps_per_call, self._iterations - first) + 1
            found = self._stepper.steps(
                self._images,
                self._method,
                self._targets,
                self._weights,
                self._blend,
                self._hyperparameters,
                tf.constant(count),
            )
            self._iteration = first + count
            rows = zip(*(result.numpy()[:count] for result in found), strict=True)
            for iteration, (terms, finite, best) in enumerate(rows, start=first):
                yield Evaluation(iteration, terms, bool(finite), bool(best))
                if not finite:
                    return


class Stepper:
    """Takes steps: evaluates an image, keeps it, changes it. Traced once for all runs whose shapes are equal.

    compiled: by XLA. steps_per_call: how many at most, so that a GPU need not wait for Python.
    """

    def __init__(self, loss: Loss, compiled: bool = False, steps_per_call: int = 1) -> None:
        self._loss = loss
        self.steps_per_call = steps_per_call
        # Nothing here is Python control flow over tensors, so there is nothing to translate: that halves the tracing.
        self.steps = tf.function(self._steps, autograph=False, jit_compile=compiled or None)

    def _steps(
        self,
        images: ImageState,
        method: Adam | LBFGS,
        targets: Targets,
        weights: tf.Tensor,
        blend: tf.Tensor,
        hyper: Hyperparameters,
        count: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """`count` steps, at most `steps_per_call`, or fewer: the last is the first whose loss is not finite.

        Returns what `_step` does, of every step, (steps_per_call, ...); zeros and False for those that were not taken.
        """
        if self.steps_per_call == 1:
            return tuple(result[tf.newaxis] for result in self._step(images, method, targets, weights, blend, hyper))
        size = self.steps_per_call
        begin = tuple(
            tf.TensorArray(dtype, size, element_shape=shape)
            for dtype, shape in ((tf.float32, (len(TERMS),)), (tf.bool, ()), (tf.bool, ()))
        )

        def take(
            number: tf.Tensor, _: tf.Tensor, rows: tuple[tf.TensorArray, ...]
        ) -> tuple[tf.Tensor, tf.Tensor, tuple[tf.TensorArray, ...]]:
            results = self._step(images, method, targets, weights, blend, hyper)
            written = tuple(row.write(number, result) for row, result in zip(rows, results, strict=True))
            return number + 1, results[1], written

        _, _, rows = tf.while_loop(
            lambda number, finite, rows: tf.logical_and(number < count, finite), take, (0, True, begin)
        )
        return tuple(row.stack() for row in rows)

    def _step(
        self,
        images: ImageState,
        method: Adam | LBFGS,
        targets: Targets,
        weights: tf.Tensor,
        blend: tf.Tensor,
        hyper: Hyperparameters,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """One step. Returns terms, whether the loss is finite, and whether it is the lowest so far.

        The step after the last evaluation goes unseen: that spares a second graph which would only evaluate.
        """
        terms, gradient = self._loss(images.image.read_value(), targets, weights, blend)
        total = tf.reduce_sum(weights * terms)
        finite, best = images.update(total)
        method.step(images.image, gradient, total, hyper)
        return terms, finite, best


class ImageState(NamedTuple):
    """The images of a run, (H, W, 3) variables: the one to evaluate next, the newest and the best evaluated."""

    image: tf.Variable
    last: tf.Variable
    best: tf.Variable
    best_loss: tf.Variable

    @classmethod
    def init(cls, start: np.ndarray) -> ImageState:
        """Before the first evaluation."""
        image, last, best = (tf.Variable(start, dtype=tf.float32) for _ in range(3))
        return cls(image, last, best, tf.Variable(np.inf, dtype=tf.float32))

    def update(self, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Keep the image that has just been evaluated; returns whether its loss is finite, and the best so far."""
        finite = tf.math.is_finite(total)
        best = tf.logical_and(finite, total < self.best_loss)
        self.last.assign(tf.where(finite, self.image, self.last))
        self.best.assign(tf.where(best, self.image, self.best))
        self.best_loss.assign(tf.where(best, total, self.best_loss))
        return finite, best


def content_features(network: VGG19, content: np.ndarray, layers: tuple[str, ...]) -> dict[str, tf.Tensor]:
    """P, (h, w, C) float32, of the named layers. content: (H, W, 3) RGB in 0..255, at the run's size."""
    P = network.features(network.preprocess(content), layers)
    return {layer: tf.cast(P[layer], tf.float32) for layer in layers}


def style_grams(network: VGG19, styles: list[np.ndarray]) -> dict[str, tf.Tensor]:
    """Gram matrices of all styles, (styles, C, C) float32, by layer. styles: (H, W, 3) RGB in 0..255, scaled."""
    features = [network.features(network.preprocess(style), STYLE_LAYERS) for style in styles]
    return {layer: tf.stack([losses.gram_matrix(S[layer]) for S in features]) for layer in STYLE_LAYERS}


def measure_targets(network: VGG19, settings: Settings, content: np.ndarray, styles: list[np.ndarray]) -> Targets:
    """What a run is compared with. content, styles: (H, W, 3) RGB in 0..255, at the sizes that the run wants."""
    return Targets(content_features(network, content, losses.content_layers(settings)), style_grams(network, styles))
