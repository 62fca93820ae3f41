"""The loop that optimises one image of one size: evaluate it, keep it if it is the best, change it by one step.

Every hyper-parameter and every target is a tensor: one traced graph serves all runs of equal shapes. How a step changes
the image is left to `optimizers`; reading, writing and reporting to `runs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from styletransfer.optim import terms as loss_terms
from styletransfer.optim.losses import Targets
from styletransfer.optim.optimizers import LBFGS, OPTIMIZERS, Adam, Hyperparameters
from styletransfer.optim.terms import Evaluation
from styletransfer.settings import Settings

# The terms and the gradient of their weighted sum, of (image, targets, weights, blend): see `losses.AutodiffGradient`.
Loss = Callable[[tf.Tensor, Targets, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


class Problem(NamedTuple):
    """What a run minimises, and with which hyper-parameters. weights: (terms,), one for each. blend: (styles,)."""

    targets: Targets
    weights: tf.Tensor
    blend: tf.Tensor
    hyper: Hyperparameters

    @classmethod
    def of(cls, settings: Settings, targets: Targets) -> Problem:
        """The problem that these settings and targets state."""
        weights = tf.constant(loss_terms.weights(settings), tf.float32)
        blend = tf.constant(settings.style_blend_weights, tf.float32)
        return cls(targets, weights, blend, Hyperparameters.of(settings))


class Optimization:
    """The optimisation of one image from its start.

    Args:
        stepper: takes the steps; optimisations of equal shapes may share one.
        targets: what the image is compared with.
        settings: the weights of the losses, the optimizer and its hyper-parameters, the number of iterations.
        start: (H, W, 3) float32, less the mean pixel.
        span: the iterations to evaluate, a step after each; default: all.
        optimizer: what it knows at the start; default: nothing.
    """

    def __init__(
        self,
        stepper: Stepper,
        targets: Targets,
        settings: Settings,
        start: np.ndarray,
        span: range | None = None,
        optimizer: Adam | LBFGS | None = None,
    ) -> None:
        self._stepper = stepper
        self._problem = Problem.of(settings, targets)
        self._span = range(settings.iterations + 1) if span is None else span
        self._images = ImageState.init(start)
        self.optimizer = optimizer or OPTIMIZERS[settings.optimizer].init(start)
        self._iteration = self._span.start

    def run(self) -> Iterator[Evaluation]:
        """Take all steps that are left. Yields the evaluation of the image before each step and of the final one.

        Ends early, after the first evaluation that is not finite: from there on every pixel would be NaN.
        """
        while (first := self._iteration) in self._span:
            # A call ends where `steps_per_call` divides: there the images are those of the iteration.
            count = min(-first % self._stepper.steps_per_call + 1, self._span.stop - first)
            found = self._stepper.steps(self._images, self.optimizer, self._problem, tf.constant(count))
            self._iteration = first + count
            rows = zip(*(result.numpy()[:count] for result in found), strict=True)
            for iteration, (terms, finite, best) in enumerate(rows, start=first):
                yield Evaluation(iteration, terms, bool(finite), bool(best))
                if not finite:
                    return

    @property
    def iteration(self) -> int:
        """The iteration that the state is at: the one to evaluate next."""
        return self._iteration

    @property
    def image(self) -> np.ndarray:
        """The image to evaluate next, (H, W, 3) less the mean pixel."""
        return self._images.image.numpy()

    @property
    def last(self) -> np.ndarray:
        """The newest image whose loss was finite, (H, W, 3) less the mean pixel."""
        return self._images.last.numpy()

    @property
    def best(self) -> np.ndarray:
        """The image with the lowest total loss so far, (H, W, 3) less the mean pixel."""
        return self._images.best.numpy()

    def place(self, image: np.ndarray) -> None:
        """Continue from another image, (H, W, 3) less the mean pixel."""
        self._images.image.assign(image)

    def state(self) -> dict[str, np.ndarray]:
        """All that decides the rest of the run, by name: `iteration`, the images and the state of the optimizer.

        No generator is part of it: noise is drawn once, for the start.
        """
        variables = {name: variable.numpy() for name, variable in self._variables().items()}
        return {"iteration": np.array(self._iteration), **variables}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue as the run with the same settings and targets does whose `state` this is; to the same bit."""
        for name, variable in self._variables().items():
            variable.assign(state[name])
        self._iteration = int(state["iteration"])

    def _variables(self) -> dict[str, tf.Variable]:
        return {**self._images._asdict(), **self.optimizer._asdict()}


class Stepper:
    """Takes steps, by a graph that is traced once for all runs whose shapes are equal.

    Args:
        loss: the terms of the loss and the gradient of their weighted sum.
        compiled: whether XLA compiles the graph.
        steps_per_call: steps that a device takes without Python, at most.
    """

    def __init__(self, loss: Loss, compiled: bool = False, steps_per_call: int = 1) -> None:
        self._loss = loss
        self.steps_per_call = steps_per_call
        # Nothing here is Python control flow over tensors, so there is nothing to translate: that halves the tracing.
        self.steps = tf.function(self._steps, autograph=False, jit_compile=compiled or None)

    def _step(
        self, images: ImageState, optimizer: Adam | LBFGS, problem: Problem
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """One step. Returns terms, whether the loss is finite, and whether it is the lowest so far.

        What the last step makes of the image is never evaluated: that spares a second graph which would only evaluate.
        """
        terms, gradient = self._loss(images.image.read_value(), problem.targets, problem.weights, problem.blend)
        total = tf.reduce_sum(problem.weights * terms)
        finite, best = images.update(total)
        optimizer.step(images.image, gradient, total, problem.hyper)
        return terms, finite, best

    def _steps(
        self, images: ImageState, optimizer: Adam | LBFGS, problem: Problem, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """`count` steps, at most `steps_per_call`, or fewer: the last is the first whose loss is not finite.

        Returns what `_step` does, of every step, (steps_per_call, ...); zeros and False for those that were not taken.
        """
        if self.steps_per_call == 1:
            return tuple(result[tf.newaxis] for result in self._step(images, optimizer, problem))
        kinds = ((tf.float32, problem.weights.shape), (tf.bool, ()), (tf.bool, ()))
        begin = tuple(tf.TensorArray(dtype, self.steps_per_call, element_shape=shape) for dtype, shape in kinds)

        def take(
            number: tf.Tensor, _: tf.Tensor, rows: tuple[tf.TensorArray, ...]
        ) -> tuple[tf.Tensor, tf.Tensor, tuple[tf.TensorArray, ...]]:
            results = self._step(images, optimizer, problem)
            written = tuple(row.write(number, result) for row, result in zip(rows, results, strict=True))
            return number + 1, results[1], written

        _, _, rows = tf.while_loop(
            lambda number, finite, rows: tf.logical_and(number < count, finite), take, (0, True, begin)
        )
        return tuple(row.stack() for row in rows)


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
