"""How an image moves downhill: Adam (Kingma & Ba 2015, arXiv:1412.6980) and L-BFGS (Liu & Nocedal 1989).

The state of an optimizer is a tuple of variables, so that one traced graph serves all runs. What is minimised, and
when to stop, is left to `loop`. The names of the variables are those of a saved state's arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from styletransfer.settings import Settings


class Hyperparameters(NamedTuple):
    """The hyper-parameters of both methods: scalars, float64."""

    learning_rate: tf.Tensor
    beta1: tf.Tensor
    beta2: tf.Tensor
    eps: tf.Tensor

    @classmethod
    def of(cls, settings: Settings) -> Hyperparameters:
        """What these settings say."""
        return cls(*(tf.constant(getattr(settings, name), tf.float64) for name in cls._fields))


class Adam(NamedTuple):
    """The running means of the gradient and of its square, (H, W, 3) float32, and the number of steps taken."""

    mean: tf.Variable
    square: tf.Variable
    steps: tf.Variable

    @classmethod
    def init(cls, start: np.ndarray) -> Adam:
        """Before the first step."""
        mean, square = (tf.Variable(tf.zeros(start.shape)) for _ in range(2))
        return cls(mean, square, tf.Variable(0, dtype=tf.float64))

    def step(self, image: tf.Variable, gradient: tf.Tensor, loss: tf.Tensor, hyper: Hyperparameters) -> None:
        """One step, with the bias corrections folded into its size (section 2 of the paper). The loss is not needed."""
        number = self.steps.assign_add(1)
        size = hyper.learning_rate * tf.sqrt(1 - hyper.beta2**number) / (1 - hyper.beta1**number)
        size, beta1, beta2, eps = (tf.cast(value, tf.float32) for value in (size, hyper.beta1, hyper.beta2, hyper.eps))
        mean = self.mean.assign(beta1 * self.mean + (1 - beta1) * gradient)
        square = self.square.assign(beta2 * self.square + (1 - beta2) * tf.square(gradient))
        image.assign_sub(size * mean / (tf.sqrt(square) + eps))


HISTORY_SIZE = 20
# A trial is accepted if the loss falls by this share of what the gradient promises (Armijo's condition).
SUFFICIENT_DECREASE = 1e-4
# Below this size of a step what is known of the curvature leads nowhere: it is forgotten.
SHORTEST_STEP = 2.0**-10
# A pair of differences counts if its curvature is positive beyond rounding.
LEAST_CURVATURE = 1e-10


class LBFGS(NamedTuple):
    """What is known at the last accepted image, and of the way there; vectors are flat, (n,) float32.

    place, gradient, loss: of the accepted image; loss is infinite before the first. direction, size: the image on
    trial is place + size * direction. moves, turns: differences of successive places and gradients (in textbooks s and
    y), (20, n), a ring of which `pairs` entries have been written so far; curvatures: their scalar products, (20,), 0
    where nothing is kept (in textbooks 1 / rho).
    """

    place: tf.Variable
    gradient: tf.Variable
    loss: tf.Variable
    direction: tf.Variable
    size: tf.Variable
    moves: tf.Variable
    turns: tf.Variable
    curvatures: tf.Variable
    pairs: tf.Variable

    @classmethod
    def init(cls, start: np.ndarray) -> LBFGS:
        """Before the first evaluation."""
        place, gradient, direction = (tf.Variable(tf.zeros(start.size)) for _ in range(3))
        moves, turns = (tf.Variable(tf.zeros((HISTORY_SIZE, start.size))) for _ in range(2))
        loss, size = tf.Variable(np.float32(np.inf)), tf.Variable(np.float32(1))
        curvatures, pairs = tf.Variable(tf.zeros(HISTORY_SIZE)), tf.Variable(0)
        return cls(place, gradient, loss, direction, size, moves, turns, curvatures, pairs)

    def step(self, image: tf.Variable, gradient: tf.Tensor, loss: tf.Tensor, hyper: Hyperparameters) -> None:
        """Accept the image on trial and try a whole step from it; or, if the loss is not low enough, half the step.

        Where no curvature is known the step goes straight downhill and changes the pixels by `learning_rate` grey
        levels (root mean square).
        """
        trial, new_gradient = tf.reshape(image, [-1]), tf.reshape(gradient, [-1])
        downhill = tf.cast(hyper.learning_rate, tf.float32)
        promised = self.size * dot(self.gradient, self.direction)

        def accept() -> tf.Tensor:
            self._learn(trial - self.place, new_gradient - self.gradient)
            self.place.assign(trial)
            self.gradient.assign(new_gradient)
            self.loss.assign(loss)
            return self._aim(downhill)

        def halve() -> tf.Tensor:
            useless = tf.logical_and(self.size < 2 * SHORTEST_STEP, self.pairs > 0)
            return tf.cond(useless, forget, lambda: self.size / 2)

        def forget() -> tf.Tensor:
            self.pairs.assign(0)
            self.curvatures.assign(tf.zeros_like(self.curvatures))
            return self._aim(downhill)

        self.size.assign(tf.cond(loss <= self.loss + SUFFICIENT_DECREASE * promised, accept, halve))
        image.assign(tf.reshape(self.place + self.size * self.direction, image.shape))

    def _learn(self, s: tf.Tensor, y: tf.Tensor) -> None:
        """Keep a pair of differences, if the curvature along it is positive."""
        curvature = dot(s, y)

        def keep() -> tf.Tensor:
            slot = [[self.pairs % HISTORY_SIZE]]
            self.moves.scatter_nd_update(slot, [s])
            self.turns.scatter_nd_update(slot, [y])
            self.curvatures.scatter_nd_update(slot, [curvature])
            return self.pairs.assign_add(1)

        begun = tf.math.is_finite(self.loss)
        positive = curvature > LEAST_CURVATURE * tf.norm(s) * tf.norm(y)
        tf.cond(tf.logical_and(begun, positive), keep, self.pairs.read_value)

    def _aim(self, downhill: tf.Tensor) -> tf.Tensor:
        """Set the direction: minus the gradient times the inverse Hessian, as far as it is known. Returns the size, 1.

        The two-loop recursion, in its letters (Nocedal & Wright 2006, algorithm 7.4). Entries of the ring that are
        empty have no share.
        """
        s, y = self.moves.read_value(), self.turns.read_value()
        rho = tf.math.reciprocal_no_nan(self.curvatures)
        newest = [(self.pairs - 1 - age) % HISTORY_SIZE for age in range(HISTORY_SIZE)]
        direction, alphas = -self.gradient, []
        for entry in newest:
            alphas.append(rho[entry] * dot(s[entry], direction))
            direction -= alphas[-1] * y[entry]
        last_y = y[newest[0]]
        scale = tf.math.divide_no_nan(self.curvatures[newest[0]], dot(last_y, last_y))
        steepest = downhill * tf.math.rsqrt(tf.maximum(tf.reduce_mean(tf.square(direction)), 1e-30))
        direction *= tf.where(self.pairs > 0, scale, steepest)
        for entry, alpha in zip(reversed(newest), reversed(alphas), strict=True):
            direction += s[entry] * (alpha - rho[entry] * dot(y[entry], direction))
        self.direction.assign(direction)
        return tf.constant(1.0)


def dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """The scalar product of two vectors."""
    return tf.reduce_sum(a * b)


OPTIMIZERS: dict[str, type[Adam] | type[LBFGS]] = {"adam": Adam, "lbfgs": LBFGS}
