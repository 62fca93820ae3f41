"""How an image moves downhill: Adam (Kingma & Ba 2015, arXiv:1412.6980) and L-BFGS (Liu & Nocedal 1989).

The state of an optimizer is a tuple of variables, so that one traced graph serves all runs. What is minimised, and
when to stop, is left to `loop`. The names of the variables are those of a saved state's arrays.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from styletransfer.images.resize import enlarge
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

    def enlarged(self, size: tuple[int, ...], larger: tuple[int, ...]) -> Adam:
        """What is known of a larger picture. The losses are means over positions: where there are more of them, each
        has the smaller gradient.

        Args:
            size: the shape of the image, (H, W, 3).
            larger: that of the next one.
        """
        share = np.float32(math.prod(size) / math.prod(larger))
        moments = (self.mean, self.square)
        mean, square = (enlarge(moment.numpy(), larger[1], larger[0], smooth=True) for moment in moments)
        return Adam(tf.Variable(share * mean), tf.Variable(share**2 * square), tf.Variable(self.steps))

    def step(self, image: tf.Variable, gradient: tf.Tensor, loss: tf.Tensor, hyper: Hyperparameters) -> None:
        """One step, with the bias corrections folded into its size (section 2 of the paper).

        Args:
            image: (H, W, 3), replaced by the next one.
            gradient: of the loss with respect to it, (H, W, 3).
            loss: not needed.
            hyper: all of them.
        """
        number = self.steps.assign_add(1)
        size = hyper.learning_rate * tf.sqrt(1 - hyper.beta2**number) / (1 - hyper.beta1**number)
        size, beta1, beta2, eps = (tf.cast(value, tf.float32) for value in (size, hyper.beta1, hyper.beta2, hyper.eps))
        mean = self.mean.assign(beta1 * self.mean + (1 - beta1) * gradient)
        square = self.square.assign(beta2 * self.square + (1 - beta2) * tf.square(gradient))
        image.assign_sub(size * mean / (tf.sqrt(square) + eps))


# Pairs of differences that are kept; fewer where they would have more bytes: above 1880 x 1880 pixels.
HISTORY_SIZE, HISTORY_BYTES = 20, 1_700_000_000
# A trial is accepted if the loss falls by this share of what the gradient promises (Armijo's condition).
SUFFICIENT_DECREASE = 1e-4
# Below this size of a step what is known of the curvature leads nowhere: it is forgotten.
SHORTEST_STEP = 2.0**-10
# A pair of differences counts if its curvature is positive beyond rounding.
LEAST_CURVATURE = 1e-10


class LBFGS(NamedTuple):
    """What is known at x, the last accepted image, and of the way there; vectors are flat, (n,) float32.

    Args:
        x: the accepted image.
        gradient: of the loss at x.
        loss: at x; infinite before the first.
        direction: the image on trial is x + step_size * direction.
        step_size: 1, or less where the loss was not low enough.
        s: differences of successive x, (pairs, n), a ring of which `num_pairs` entries have been written so far.
        y: differences of successive gradients, likewise.
        curvature: their scalar products, (pairs,), in textbooks 1 / rho; 0 where nothing is kept.
        num_pairs: pairs of s and y so far.
    """

    x: tf.Variable
    gradient: tf.Variable
    loss: tf.Variable
    direction: tf.Variable
    step_size: tf.Variable
    s: tf.Variable
    y: tf.Variable
    curvature: tf.Variable
    num_pairs: tf.Variable

    @classmethod
    def init(cls, start: np.ndarray) -> LBFGS:
        """Before the first evaluation."""
        x, gradient, direction = (tf.Variable(tf.zeros(start.size)) for _ in range(3))
        pairs = pairs_kept(start.size)
        s, y = (tf.Variable(tf.zeros((pairs, start.size))) for _ in range(2))
        loss, step_size = tf.Variable(np.float32(np.inf)), tf.Variable(np.float32(1))
        curvature, num_pairs = tf.Variable(tf.zeros(pairs)), tf.Variable(0)
        return cls(x, gradient, loss, direction, step_size, s, y, curvature, num_pairs)

    def enlarged(self, size: tuple[int, ...], larger: tuple[int, ...]) -> LBFGS:
        """What is known of a larger picture: nothing, as before the first evaluation. Arguments as `Adam.enlarged` has.

        The curvature of the smaller one misleads: it is of directions without any detail.
        """
        return LBFGS.init(np.empty(larger, np.float32))

    def step(self, image: tf.Variable, gradient: tf.Tensor, loss: tf.Tensor, hyper: Hyperparameters) -> None:
        """Accept the image on trial and try a whole step from it; or, if the loss is not low enough, half the step.

        Where no curvature is known the step goes straight downhill and changes the pixels by `learning_rate` grey
        levels (root mean square).

        Args:
            image: (H, W, 3), on trial; replaced by the next one.
            gradient: of the loss with respect to it, (H, W, 3).
            loss: its total loss, a scalar.
            hyper: of them only the learning rate.
        """
        trial, new_gradient = tf.reshape(image, [-1]), tf.reshape(gradient, [-1])
        first_step = tf.cast(hyper.learning_rate, tf.float32)
        promised = self.step_size * dot(self.gradient, self.direction)

        def accept() -> tf.Tensor:
            self._add_pair(trial - self.x, new_gradient - self.gradient)
            self.x.assign(trial)
            self.gradient.assign(new_gradient)
            self.loss.assign(loss)
            return self._set_direction(first_step)

        def halve() -> tf.Tensor:
            useless = tf.logical_and(self.step_size < 2 * SHORTEST_STEP, self.num_pairs > 0)
            return tf.cond(useless, forget, lambda: self.step_size / 2)

        def forget() -> tf.Tensor:
            self.num_pairs.assign(0)
            self.curvature.assign(tf.zeros_like(self.curvature))
            return self._set_direction(first_step)

        self.step_size.assign(tf.cond(loss <= self.loss + SUFFICIENT_DECREASE * promised, accept, halve))
        image.assign(tf.reshape(self.x + self.step_size * self.direction, image.shape))

    def _add_pair(self, s: tf.Tensor, y: tf.Tensor) -> None:
        """Keep a pair of differences, if the curvature along it is positive."""
        curvature = dot(s, y)

        def keep() -> tf.Tensor:
            slot = [[self.num_pairs % self.s.shape[0]]]
            self.s.scatter_nd_update(slot, [s])
            self.y.scatter_nd_update(slot, [y])
            self.curvature.scatter_nd_update(slot, [curvature])
            return self.num_pairs.assign_add(1)

        begun = tf.math.is_finite(self.loss)
        positive = curvature > LEAST_CURVATURE * tf.norm(s) * tf.norm(y)
        tf.cond(tf.logical_and(begun, positive), keep, self.num_pairs.read_value)

    def _set_direction(self, first_step: tf.Tensor) -> tf.Tensor:
        """Minus the gradient times the inverse Hessian, as far as it is known. Returns the step size, 1.

        The two-loop recursion (Nocedal & Wright 2006, algorithm 7.4). Entries of the ring that are empty have no share.
        """
        pairs = self.s.shape[0]
        rho = tf.math.reciprocal_no_nan(self.curvature)
        newest = [(self.num_pairs - 1 - age) % pairs for age in range(pairs)]
        direction, alphas = -self.gradient, []
        for entry in newest:
            s, y = self._pair(entry, direction)
            alphas.append(rho[entry] * dot(s, direction))
            direction -= alphas[-1] * y
        _, last_y = self._pair(newest[0], direction)
        scale = tf.math.divide_no_nan(self.curvature[newest[0]], dot(last_y, last_y))
        steepest = first_step * tf.math.rsqrt(tf.maximum(tf.reduce_mean(tf.square(direction)), 1e-30))
        direction *= tf.where(self.num_pairs > 0, scale, steepest)
        for entry, alpha in zip(reversed(newest), reversed(alphas), strict=True):
            s, y = self._pair(entry, direction)
            direction += s * (alpha - rho[entry] * dot(y, direction))
        self.direction.assign(direction)
        return tf.constant(1.0)

    def _pair(self, entry: tf.Tensor, after: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The differences of one entry, (n,) each. They are read when `after` is there: not all pairs at once."""
        with tf.control_dependencies([after]):
            return self.s.sparse_read([entry])[0], self.y.sparse_read([entry])[0]


def pairs_kept(size: int) -> int:
    """How many pairs of differences L-BFGS keeps of an image of so many numbers."""
    return min(HISTORY_SIZE, HISTORY_BYTES // (2 * tf.float32.size * size))


def dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """The scalar product of two vectors."""
    return tf.reduce_sum(a * b)


OPTIMIZERS: dict[str, type[Adam] | type[LBFGS]] = {"adam": Adam, "lbfgs": LBFGS}
