"""A Gaussian process of a measure over the space of a study, and functions drawn from it, taken apart.

It is a sum of what each axis does alone and of what two do together (`analysis.anova`). How large each part is, how
fast it changes and how much is noise are fitted to the runs: the most likely, by a weak prior and by what was measured.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from styletransfer.analysis.space import PAIR, Axis, Space

if TYPE_CHECKING:
    from sklearn.gaussian_process import GaussianProcessRegressor

# Of two parameters together fewer runs tell nothing that vary both. Pictures are crossed with whatever varies, so that
# one does.
LEAST_BOTH = 4
# Its parameters are fitted to so many runs at most: what it then says rests on all.
FITTED = 150
RESTARTS = 2
# Processes drawn, and functions from each.
PROCESSES, FUNCTIONS = 24, 16
# Functions that stand for an axis alone, and for each of two together.
ALONE, TOGETHER = 8, 6
CURVE_PLACES = 25
# The prior of its parameters, as logarithms: mean, and standard deviation.
PRIORS = {"lengths": (0.0, 0.7), "together": (0.0, 1.5), "variances": (np.log(0.1), 1.5), "noise": (np.log(0.02), 2.0)}
NOISE_BOUNDS = (1e-5, 2.0)


class Process:
    """A Gaussian process of a measure over a space, fitted to runs.

    Args:
        space: (d axes).
        places: of the runs, (n, d).
        values: of the measure, (n,).
    """

    def __init__(self, space: Space, places: np.ndarray, values: np.ndarray) -> None:
        from styletransfer.analysis.anova import Anova

        self.axes, self.places = space.axes, places
        self.mean = float(values.mean())
        within = values - pd.Series(values).groupby(self._pairs()).transform("mean").to_numpy()
        self.scale = float(within.std())
        self.y = within / self.scale  # in standard deviations within a pair, from its mean
        self.centre = np.array([most_frequent(column) for column in places.T])
        self.both = {pair: varying_both(places, *pair) for pair in itertools.combinations(range(len(self.axes)), 2)}
        least = {pair: 1 if PAIR in (self.axes[at].name for at in pair) else LEAST_BOTH for pair in self.both}
        self.pairs = tuple(pair for pair, count in self.both.items() if count >= least[pair])
        self.choices = tuple(len(axis.choices) for axis in self.axes)
        self.kernel = Anova(
            self.choices,
            self.pairs,
            np.full(len(self.axes), 0.1),
            np.full(max(1, self.choices.count(0)), 1.0),
        )
        fitted = evenly(len(values), FITTED)
        self.regressor = self._fit(places[fitted], self.y[fitted])
        self.theta = self.regressor.kernel_.theta

    def _pairs(self) -> np.ndarray:
        """Which pair of pictures each run is of, (n,)."""
        names = [axis.name for axis in self.axes]
        return self.places[:, names.index(PAIR)] if PAIR in names else np.zeros(len(self.places))

    def beside(self, axis: int) -> list[int]:
        """The axes that no run varies together with this one: their own centres are all that is known beside it."""
        untold = [pair for pair in self.both if axis in pair and pair not in self.pairs]
        return [one if two == axis else two for one, two in untold]

    @property
    def noise(self) -> float:
        """Standard deviation of what the model leaves, in the measure's unit."""
        return float(self.scale * np.exp(self.theta[-1] / 2))

    def _fit(self, places: np.ndarray, y: np.ndarray) -> GaussianProcessRegressor:
        """The most likely process, by what is thought beforehand and by the runs."""
        from scipy.optimize import minimize
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import WhiteKernel

        kernel = self.kernel + WhiteKernel(0.02, NOISE_BOUNDS)
        free = [part for part in self.kernel.hyperparameters if not part.fixed]
        self.prior = np.array([PRIORS[part.name] for part in free for _ in range(part.n_elements)] + [PRIORS["noise"]])

        def most_likely(objective: Any, start: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, float]:
            def penalised(theta: np.ndarray) -> tuple[float, np.ndarray]:
                value, slope = objective(theta)
                away = (theta - self.prior[:, 0]) / self.prior[:, 1]
                return value + away @ away / 2, slope + away / self.prior[:, 1]

            found = minimize(penalised, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 60})
            return found.x, found.fun

        regressor = GaussianProcessRegressor(
            kernel, alpha=0.0, optimizer=most_likely, n_restarts_optimizer=RESTARTS, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parameters at their bounds: an axis that does nothing is at one
            return regressor.fit(places, y)

    def predicts(self) -> float:
        """The share of the variance within pairs of pictures that is predicted of runs left out (Q2)."""
        return float(1 - np.mean(self.left_out() ** 2))

    def left_out(self) -> np.ndarray:
        """By how much each run is missed by the model of the others, (n,), in standard deviations of the measure.

        Runs of the same settings are left out together, or one would tell of the other.
        """
        inverse = np.linalg.inv(self.regressor.kernel_(self.places))
        weighted = inverse @ self.y
        missed = np.empty_like(self.y)
        _, groups = np.unique(self.places.round(9), axis=0, return_inverse=True)
        for group in range(groups.max() + 1):
            same = np.flatnonzero(groups == group)
            missed[same] = np.linalg.solve(inverse[np.ix_(same, same)], weighted[same])
        return missed

    def together(self, one: int, two: int, at_one: np.ndarray, at_two: np.ndarray) -> np.ndarray:
        """The mean of the measure over all axes but two, (n, m), at places of one, (n,), and of the other, (m,)."""
        from styletransfer.analysis.anova import alike, centred

        kernel = self.regressor.kernel_.k1
        lengths, scales = kernel.length_of(), np.atleast_1d(kernel.variances)
        left, right = (
            scales[axis] * (alike(at, seen, count) if count else centred(at, seen, lengths[axis])[0])
            for axis, at in ((one, at_one), (two, at_two))
            for seen, count in [(self.places[:, axis], self.choices[axis])]
        )
        both = kernel.together * left[:, None] * right[None]
        weights = np.linalg.solve(self.regressor.kernel_(self.places), self.y)
        return self.mean + self.scale * ((1 + left[:, None] + right[None] + both) @ weights)


class Drawn:
    """Functions drawn from a process, taken apart: `alone` and `together` have their variances, `curves` their means.

    A curve is a mean over the other axes, but for those that no run varies with it: they are at their centre.

    The parameters of the process are drawn as well: from a normal distribution around the most likely ones (Laplace).
    """

    def __init__(self, process: Process) -> None:
        self.of, self.random = process, np.random.default_rng(0)
        count = len(process.axes)
        alone: list[list[np.ndarray]] = [[] for _ in range(count)]
        curves: list[list[np.ndarray]] = [[] for _ in range(count)]
        together: dict[tuple[int, int], list[np.ndarray]] = {pair: [] for pair in process.pairs}
        for theta in self._thetas():
            blocks, at_curves = self._functions(theta)
            constant, *weights = self._weights(blocks, theta)
            along = [features @ parts for features, parts in zip(at_curves, weights, strict=False)]
            for at in range(count):
                alone[at].append((weights[at] ** 2).sum(0))
                fixed = sum(along[other][-1] for other in process.beside(at))
                curves[at].append((constant + fixed + along[at][:-1]).T)
            for pair, found in zip(process.pairs, weights[count:], strict=True):
                together[pair].append((found**2).sum(0))
        self.alone = [np.concatenate(found) for found in alone]
        self.curves = [np.concatenate(found) for found in curves]
        self.together = {pair: np.concatenate(found) for pair, found in together.items()}

    def _thetas(self) -> Iterator[np.ndarray]:
        """Parameters of the process: the most likely ones, and others that are likely as well."""
        regressor, theta, prior = self.of.regressor, self.of.theta, self.of.prior
        size = len(theta)
        curvature, step = np.empty((size, size)), 1e-3
        for at in range(size):
            change = step * np.eye(size)[at]
            slopes = [regressor.log_marginal_likelihood(theta + way * change, eval_gradient=True)[1] for way in (1, -1)]
            curvature[at] = (slopes[1] - slopes[0]) / (2 * step)
        values, vectors = np.linalg.eigh((curvature + curvature.T) / 2 + np.diag(prior[:, 1] ** -2))
        spread = vectors / np.sqrt(np.maximum(values, prior[:, 1].max() ** -2))
        low, high = regressor.kernel_.bounds.T
        yield theta
        for _ in range(PROCESSES - 1):
            yield np.clip(theta + spread @ self.random.standard_normal(size), low, high)

    def _functions(self, theta: np.ndarray) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[np.ndarray]]:
        """The functions that a process is a sum of: at the runs, with the variance of each; and along each axis.

        What is along an axis ends with what is at its centre.
        """
        from styletransfer.analysis.anova import basis

        of = self.of
        kernel = of.regressor.kernel_.clone_with_theta(theta).k1
        lengths, scales = kernel.length_of(), np.atleast_1d(kernel.variances)
        blocks = [(np.ones((len(of.y), 1)), np.ones(1))]
        at_curves, axes = [], []
        for at, (axis, count, length) in enumerate(zip(of.axes, of.choices, lengths, strict=True)):
            along = np.append(curve_places(axis), of.centre[at])
            features, sizes = basis(np.concatenate([of.places[:, at], along]), length, count, ALONE)
            at_curves.append(features[len(of.y) :])
            axes.append((features[: len(of.y)], scales[at] * sizes))
        blocks += axes
        for one, two in of.pairs:
            (left, left_sizes), (right, right_sizes) = axes[one], axes[two]
            few, others = (None if of.choices[at] else TOGETHER for at in (one, two))
            features = left[:, :few, None] * right[:, None, :others]
            sizes = kernel.together * np.outer(left_sizes[:few], right_sizes[:others])
            blocks.append((features.reshape(len(features), -1), sizes.ravel()))
        return blocks, at_curves

    def _weights(self, blocks: Sequence[tuple[np.ndarray, np.ndarray]], theta: np.ndarray) -> list[np.ndarray]:
        """Weights of the functions given the runs, for each block (r, functions drawn), by Matheron's rule."""
        from scipy.linalg import cho_factor, cho_solve

        wide, variances = (np.concatenate(found, axis=-1) for found in zip(*blocks, strict=True))
        noise = np.exp(theta[-1])
        count = len(wide)
        factor = cho_factor((wide * variances) @ wide.T + (noise + 1e-10) * np.eye(count))
        before = np.sqrt(variances)[:, None] * self.random.standard_normal((len(variances), FUNCTIONS))
        seen = wide @ before + np.sqrt(noise) * self.random.standard_normal((count, FUNCTIONS))
        after = before + variances[:, None] * (wide.T @ cho_solve(factor, self.of.y[:, None] - seen))
        return np.split(after, np.cumsum([len(sizes) for _, sizes in blocks])[:-1])


def curve_places(axis: Axis) -> np.ndarray:
    """Where the curve of an axis is drawn: at each word, or evenly."""
    count = len(axis.choices)
    return (np.arange(count) + 0.5) / count if count else np.linspace(0, 1, CURVE_PLACES)


def varying_both(places: np.ndarray, one: int, two: int) -> int:
    """How many runs differ in both axes from what most runs have: a star varies one at a time, so none does."""
    away = [abs(column - most_frequent(column)) > 1e-9 for column in places[:, [one, two]].T]
    return int(np.sum(away[0] & away[1]))


def most_frequent(column: np.ndarray) -> float:
    """What most runs have: of a star, the default."""
    found, counts = np.unique(column.round(9), return_counts=True)
    return float(found[counts.argmax()])


def evenly(count: int, most: int) -> np.ndarray:
    """At most so many of `count` places, drawn at random, the same ones each time."""
    return np.sort(np.random.default_rng(0).permutation(count)[:most])
