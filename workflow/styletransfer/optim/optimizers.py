"""How an image moves downhill: Adam (Kingma & Ba 2015, arXiv:1412.6980) and L-BFGS (Liu & Nocedal 1989).

What a method remembers between steps is a tuple of variables, so that one traced graph serves all runs. What is
descended, and when to stop, is left to `loop`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from styletransfer.settings import Settings


class Pace(NamedTuple):
    """The hyper-parameters of both methods: scalars, float64."""

    learning_rate: tf.Tensor
    beta1: tf.Tensor
    beta2: tf.Tensor
    eps: tf.Tensor

    @classmethod
    def of(cls, settings: Settings) -> Pace:
        """What these settings say."""
        return cls(*(tf.constant(getattr(settings, name), tf.float64) for name in cls._fields))


class Adam(NamedTuple):
    """The running means of the gradient and of its square, (H, W, 3) float32, and the number of steps taken."""

    mean: tf.Variable
    square: tf.Variable
    steps: tf.Variable

    @classmethod
    def begin(cls, start: np.ndarray) -> Adam:
        """Before the first step."""
        mean, square = (tf.Variable(tf.zeros(start.shape)) for _ in range(2))
        return cls(mean, square, tf.Variable(0, dtype=tf.float64))

    def move(self, image: tf.Variable, gradient: tf.Tensor, loss: tf.Tensor, pace: Pace) -> None:
        """One step, with the bias corrections folded into its size (section 2 of the paper). The loss is not needed."""
        number = self.steps.assign_add(1)
        size = pace.learning_rate * tf.sqrt(1 - pace.beta2**number) / (1 - pace.beta1**number)
        size, beta1, beta2, eps = (tf.cast(value, tf.float32) for value in (size, pace.beta1, pace.beta2, pace.eps))
        mean = self.mean.assign(beta1 * self.mean + (1 - beta1) * gradient)
        square = self.square.assign(beta2 * self.square + (1 - beta2) * tf.square(gradient))
        image.assign_sub(size * mean / (tf.sqrt(square) + eps))


CORRECTIONS = 20
# A trial is accepted if the loss falls by this share of what the slope promises (Armijo's condition).
SUFFICIENT_DECREASE = 1e-4
# Below this size of a step what is known of the curvature leads nowhere: it is forgotten.
SHORTEST_STEP = 2.0**-10
# A pair of differences counts if its curvature is positive beyond rounding.
LEAST_CURVATURE = 1e-10


class LBFGS(NamedTuple):
    """What is known at the last accepted image, and of the way there; vectors are flat, (n,) float32.

    place, gradient, loss: of the accepted image; loss is infinite before the first. direction, size: the image on
    trial is place + size * direction. moves, turns: differences of successive places and gradients, (20, n), a ring of
    which `pairs` entries have been written so far; curvatures: their scalar products, (20,), 0 where nothing is kept.
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
    def begin(cls, start: np.ndarray) -> LBFGS:
        """Before the first evaluation."""
        place, gradient, direction = (tf.Variable(tf.zeros(start.size)) for _ in range(3))
        moves, turns = (tf.Variable(tf.zeros((CORRECTIONS, start.size))) for _ in range(2))
        loss, size = tf.Variable(np.float32(np.inf)), tf.Variable(np.float32(1))
        curvatures, pairs = tf.Variable(tf.zeros(CORRECTIONS)), tf.Variable(0)
        return cls(place, gradient, loss, direction, size, moves, turns, curvatures, pairs)

    def move(self, image: tf.Variable, gradient: tf.Tensor, loss: tf.Tensor, pace: Pace) -> None:
        """Accept the image on trial and try a whole step from it; or, if the loss is not low enough, half the step.

        Where no curvature is known the step goes straight downhill and changes the pixels by `learning_rate` grey
        levels (root mean square).
        """
        trial, slope = tf.reshape(image, [-1]), tf.reshape(gradient, [-1])
        downhill = tf.cast(pace.learning_rate, tf.float32)
        promised = self.size * dot(self.gradient, self.direction)

        def accept() -> tf.Tensor:
            self._learn(trial - self.place, slope - self.gradient)
            self.place.assign(trial)
            self.gradient.assign(slope)
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

    def _learn(self, move: tf.Tensor, turn: tf.Tensor) -> None:
        """Keep a pair of differences, if the curvature along it is positive."""
        curvature = dot(move, turn)

        def keep() -> tf.Tensor:
            slot = [[self.pairs % CORRECTIONS]]
            self.moves.scatter_nd_update(slot, [move])
            self.turns.scatter_nd_update(slot, [turn])
            self.curvatures.scatter_nd_update(slot, [curvature])
            return self.pairs.assign_add(1)

        begun = tf.math.is_finite(self.loss)
        positive = curvature > LEAST_CURVATURE * tf.norm(move) * tf.norm(turn)
        tf.cond(tf.logical_and(begun, positive), keep, self.pairs.read_value)

    def _aim(self, downhill: tf.Tensor) -> tf.Tensor:
        """Set the direction: minus the gradient times the inverse Hessian, as far as it is known. Returns the size, 1.

        The two-loop recursion (Nocedal & Wright 2006, algorithm 7.4). Entries of the ring that are empty have no share.
        """
        moves, turns = self.moves.read_value(), self.turns.read_value()
        weights = tf.math.reciprocal_no_nan(self.curvatures)
        newest = [(self.pairs - 1 - age) % CORRECTIONS for age in range(CORRECTIONS)]
        direction, steps = -self.gradient, []
        for entry in newest:
            steps.append(weights[entry] * dot(moves[entry], direction))
            direction -= steps[-1] * turns[entry]
        turn = turns[newest[0]]
        scale = tf.math.divide_no_nan(self.curvatures[newest[0]], dot(turn, turn))
        steepest = downhill * tf.math.rsqrt(tf.maximum(tf.reduce_mean(tf.square(direction)), 1e-30))
        direction *= tf.where(self.pairs > 0, scale, steepest)
        for entry, step in zip(reversed(newest), reversed(steps), strict=True):
            direction += moves[entry] * (step - weights[entry] * dot(turns[entry], direction))
        self.direction.assign(direction)
        return tf.constant(1.0)


def dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """The scalar product of two vectors."""
    return tf.reduce_sum(a * b)


METHODS: dict[str, type[Adam] | type[LBFGS]] = {"adam": Adam, "lbfgs": LBFGS}
