"""A model of what people prefer: from which of two settings they chose to how good any setting is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from styletransfer.analysis.posterior import JITTER, Posterior, kernel

# What is expected of a kernel before anything is chosen, as mean and deviation of logarithms: its size, and its scales.
SIZE, SCALE = (np.log(3.0), 1.0), (np.log(0.7), 0.8)
STEPS, CLOSE = 100, 1e-9
SEARCH = {"maxiter": 20, "ftol": 1e-4, "eps": 1e-3}


def likelihood(values: np.ndarray, choices: np.ndarray, shares: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """How likely choices are if settings are worth this, with its first and minus its second derivatives.

    Args:
        values: what each setting is worth, (n,), in units of what a look at one errs by.
        choices: the chosen and the other setting of each choice by their places in `values`, (m, 2).
        shares: how much each choice counts, (m,).

    Returns:
        The log likelihood, its gradient (n,), and minus its Hessian (n, n), which is positive semidefinite.
    """
    from scipy.stats import norm

    count, rows = len(values), np.arange(len(choices))
    differences = np.zeros((len(choices), count))
    differences[rows, choices[:, 0]] += 1 / np.sqrt(2)
    differences[rows, choices[:, 1]] -= 1 / np.sqrt(2)
    margins = differences @ values
    logs = norm.logcdf(margins)
    slopes = np.exp(norm.logpdf(margins) - logs)
    curved = shares * slopes * (margins + slopes)
    return float(shares @ logs), differences.T @ (shares * slopes), (differences.T * curved) @ differences


def likeliest(
    prior: np.ndarray, choices: np.ndarray, shares: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """The most likely values of settings, by Newton's method.

    Args:
        prior: their covariance, (n, n).
        choices: as of `likelihood`.
        shares: as of `likelihood`.
        weights: where to begin, (n,): the values are `prior` times these.

    Returns:
        The values (n,), minus the Hessian of the log likelihood there (n, n), and Laplace's approximation of the log
        of how likely the choices are under the prior; and the weights, (n,).
    """
    count = len(prior)
    weights = np.zeros(count) if weights is None else weights

    def height(weights: np.ndarray) -> float:
        return likelihood(prior @ weights, choices, shares)[0] - 0.5 * weights @ prior @ weights

    reached = height(weights)
    for _ in range(STEPS):
        values = prior @ weights
        _, gradient, precision = likelihood(values, choices, shares)
        step = np.linalg.solve(np.eye(count) + precision @ prior, precision @ values + gradient) - weights
        size = 1.0
        while (new := height(weights + size * step)) < reached and size > CLOSE:
            size /= 2
        weights, gained, reached = weights + size * step, new - reached, max(new, reached)
        if gained < CLOSE:
            break
    values = prior @ weights
    precision = likelihood(values, choices, shares)[2]
    evidence = reached - 0.5 * np.linalg.slogdet(np.eye(count) + precision @ prior)[1]
    return values, precision, float(evidence), weights


def preferences(places: np.ndarray, choices: Sequence[tuple[int, int, float]]) -> Posterior:
    """What is believed of how good settings are, in units of what a look at one errs by.

    Args:
        places: the settings, (n, d), each number from 0 to 1.
        choices: of each the chosen setting and the other one by their places among `places`, and how much it counts.

    Source: Chu and Ghahramani 2005, Preference learning with Gaussian processes; Laplace's approximation. The kernel is
    the likeliest given the choices and a broad prior.
    """
    from scipy.optimize import minimize

    pairs = np.array([(chosen, other) for chosen, other, _ in choices])
    shares = np.array([share for *_, share in choices])
    base = kernel(places.shape[1])
    means = np.array([SIZE[0], *[SCALE[0]] * places.shape[1]])
    deviations = np.array([SIZE[1], *[SCALE[1]] * places.shape[1]])

    def prior(found: Any) -> np.ndarray:
        return found(places) + JITTER * np.eye(len(places))

    weights = np.zeros(len(places))

    def cost(theta: np.ndarray) -> float:
        nonlocal weights
        _, _, evidence, weights = likeliest(prior(base.clone_with_theta(theta)), pairs, shares, weights)
        return 0.5 * (((theta - means) / deviations) ** 2).sum() - evidence

    best = minimize(cost, means, method="L-BFGS-B", bounds=base.bounds, options=SEARCH).x
    found = base.clone_with_theta(best)
    values, precision, *_ = likeliest(prior(found), pairs, shares)
    return Posterior(found, places, values, precision)
