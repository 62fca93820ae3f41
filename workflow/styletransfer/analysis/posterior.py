"""What is believed of a function after it was looked at: a Gaussian process near its mode, of whatever was observed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

# Squared, relative to the kernel's: of what is believed, and for a matrix that is nearly singular.
CERTAIN, JITTER = 1e-6, 1e-8
# Of the kernel's hyperparameters: scales of places from 0 to 1, and squares of values with standard deviation 1.
SCALES, SQUARES, NOISES = (0.1, 20.0), (0.05, 50.0), (1e-3, 1.0)


def kernel(axes: int) -> Any:
    """A Matern 5/2 kernel of scikit-learn's with a scale for each axis, and the square of the values' size."""
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern

    return ConstantKernel(1.0, SQUARES) * Matern(np.full(axes, 0.7), SCALES, nu=2.5)


@dataclass(frozen=True)
class Posterior:
    """A Gaussian process given its most likely values at n places, and how sharply these are known.

    Args:
        kernel: of scikit-learn.
        places: (n, d).
        mode: the most likely values there, (n,).
        precision: minus the second derivatives of the observations' log likelihood there, (n, n).
        level, unit: what 0 and 1 of the mode stand for.

    Source: Rasmussen and Williams 2006, sections 3.4 and 3.5.
    """

    kernel: Any
    places: np.ndarray
    mode: np.ndarray
    precision: np.ndarray
    level: float = 0.0
    unit: float = 1.0

    @cached_property
    def _solved(self) -> tuple[np.ndarray, np.ndarray]:
        """What the mean and the variance at a place are made of, (n,) and (n, n)."""
        identity = np.eye(len(self.places))
        prior = self.kernel(self.places) + JITTER * identity
        return np.linalg.solve(prior, self.mode), np.linalg.solve(identity + self.precision @ prior, self.precision)

    def predict(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation at places, (m, d): (m,) and (m,)."""
        weights, known = self._solved
        between = self.kernel(places, self.places)
        variance = self.kernel.diag(places) - ((between @ known) * between).sum(axis=1)
        mean = self.level + self.unit * (between @ weights)
        return mean, self.unit * np.sqrt(np.maximum(variance, 1e-12))

    def believing(self, place: np.ndarray) -> Posterior:
        """The same where the mean at a place, (d,), is taken for what was found there."""
        (mean,), _ = self.predict(place[np.newaxis])
        precision = np.pad(self.precision, (0, 1))
        precision[-1, -1] = 1 / CERTAIN
        mode = np.append(self.mode, (mean - self.level) / self.unit)
        return Posterior(self.kernel, np.vstack([self.places, place]), mode, precision, self.level, self.unit)


def regression(places: np.ndarray, values: np.ndarray, seed: int = 0) -> Posterior:
    """What is believed after values were measured.

    Args:
        places: (n, d), each number from 0 to 1.
        values: there, (n,).
        seed: of the starts of the search for the likeliest kernel.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import WhiteKernel

    level, unit = values.mean(), values.std() or 1.0
    scaled = (values - level) / unit
    both = kernel(places.shape[1]) + WhiteKernel(0.01, NOISES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # at a bound, which is meant
        found = GaussianProcessRegressor(both, n_restarts_optimizer=1, random_state=seed).fit(places, scaled).kernel_
    smooth, noise = found.k1, found.k2.noise_level
    prior = smooth(places) + JITTER * np.eye(len(places))
    mode = prior @ np.linalg.solve(prior + noise * np.eye(len(places)), scaled)
    return Posterior(smooth, places, mode, np.eye(len(places)) / noise, level, unit)
