"""A kernel that takes a function apart: what each axis does on its own, and what two of them do together.

Each axis has a Matern 5/2 kernel whose functions have mean 0 along it, so that the parts of a sum over axes, and over
pairs of them, are those of the analysis of variance. Source: Durrande et al. 2013, "ANOVA kernels and RKHS of zero mean
functions for model-based sensitivity analysis"; Duvenaud et al. 2011, "Additive Gaussian processes". Only what fits
such a model loads this module: scikit-learn takes its time to start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel

# Places and weights of a mean over an axis, by Gauss and Legendre.
_points, _weights = np.polynomial.legendre.leggauss(24)
NODES, WEIGHTS = (_points + 1) / 2, _weights / 2
# In standard deviations of normalised measures, and in lengths of an axis.
VARIANCE_BOUNDS, LENGTH_BOUNDS, TOGETHER_BOUNDS = (1e-4, 1e1), (0.15, 1e1), (1e-3, 1e2)


def matern(a: np.ndarray, b: np.ndarray, length: float) -> tuple[np.ndarray, np.ndarray]:
    """The Matern 5/2 kernel between places, (n, m), and its derivative by the logarithm of the length."""
    u = np.sqrt(5) / length * np.abs(a[:, None] - b[None])
    falling = np.exp(-u)
    return (1 + u + u**2 / 3) * falling, u**2 * (1 + u) / 3 * falling


def centred(a: np.ndarray, b: np.ndarray, length: float) -> tuple[np.ndarray, np.ndarray]:
    """The kernel of functions of mean 0 on [0, 1] and of mean variance 1, and its derivative as `matern` has it."""
    inner, inner_slope = matern(NODES, NODES, length)
    mean, mean_slope = inner @ WEIGHTS, inner_slope @ WEIGHTS
    total, total_slope = WEIGHTS @ mean, WEIGHTS @ mean_slope
    size = 1 - WEIGHTS @ mean**2 / total
    size_slope = -2 * WEIGHTS @ (mean * mean_slope) / total + WEIGHTS @ mean**2 * total_slope / total**2
    (of_a, a_slope), (of_b, b_slope) = ([part @ WEIGHTS for part in matern(at, NODES, length)] for at in (a, b))
    kernel, slope = matern(a, b, length)
    kernel = kernel - np.outer(of_a, of_b) / total
    slope = slope - (np.outer(a_slope, of_b) + np.outer(of_a, b_slope)) / total
    slope = slope + np.outer(of_a, of_b) * total_slope / total**2
    return kernel / size, slope / size - kernel * size_slope / size**2


def alike(a: np.ndarray, b: np.ndarray, choices: int) -> np.ndarray:
    """The same of an axis of words: those that are one, less the mean over all of them."""
    same = (a * choices).astype(int)[:, None] == (b * choices).astype(int)[None]
    return (choices * same - 1.0) / (choices - 1)


def basis(places: np.ndarray, length: float, choices: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The functions that such a kernel is a sum of: their values at places, (n, r), and the variance of each, (r,).

    Over the axis they have mean 0, mean square 1, and no correlation (Karhunen and Loeve). Of numbers there are at most
    `most`, since the others have next to no variance; those of words all have the same.
    """
    if choices:
        nodes, weights = (np.arange(choices) + 0.5) / choices, np.full(choices, 1 / choices)
        between, at_places = alike(nodes, nodes, choices), alike(places, nodes, choices)
    else:
        nodes, weights = NODES, WEIGHTS
        between, at_places = centred(nodes, nodes, length)[0], centred(places, nodes, length)[0]
    root = np.sqrt(weights)
    variances, vectors = np.linalg.eigh(root[:, None] * between * root)
    kept = [at for at in np.argsort(-variances)[: most if not choices else None] if variances[at] > 1e-9]
    return at_places @ (root[:, None] * vectors[:, kept]) / variances[kept], variances[kept]


class Anova(Kernel):
    """The sum over axes, and over pairs of them; a constant of variance 1 is added, for the mean.

    Args:
        choices: of each axis, the number of its words; 0 for numbers.
        pairs: of axes that may act together, by place.
        variances: of what each axis does on its own, (d,).
        lengths: over which it changes, one for each axis of numbers.
        together: variance of what a pair does, as a multiple of the product of its axes' variances.
    """

    def __init__(
        self,
        choices: Sequence[int] = (0,),
        pairs: Sequence[tuple[int, int]] = (),
        variances: Any = 0.1,
        lengths: Any = 1.0,
        together: float = 1.0,
    ) -> None:
        self.choices, self.pairs = choices, pairs
        self.variances, self.lengths, self.together = variances, lengths, together

    @property
    def hyperparameter_variances(self) -> Hyperparameter:
        """Of each axis."""
        return Hyperparameter("variances", "numeric", VARIANCE_BOUNDS, len(self.choices))

    @property
    def hyperparameter_lengths(self) -> Hyperparameter:
        """Of each axis of numbers; fixed where there is none."""
        numbers = sum(count == 0 for count in self.choices)
        return Hyperparameter("lengths", "numeric", LENGTH_BOUNDS if numbers else "fixed", max(1, numbers))

    @property
    def hyperparameter_together(self) -> Hyperparameter:
        """Fixed where no two axes may act together."""
        return Hyperparameter("together", "numeric", TOGETHER_BOUNDS if self.pairs else "fixed")

    def length_of(self) -> list[float]:
        """The length of each axis; 1, which is not used, of those of words."""
        lengths = iter(np.atleast_1d(self.lengths).tolist())
        return [1.0 if count else next(lengths) for count in self.choices]

    def __call__(self, X: np.ndarray, Y: np.ndarray | None = None, eval_gradient: bool = False) -> Any:
        """As scikit-learn calls it: (n, m), and with `eval_gradient` the derivatives by `theta`, (n, n, p)."""
        other = X if Y is None else Y
        parts, slopes = [], []
        scales = np.atleast_1d(self.variances)
        for at, (count, length) in enumerate(zip(self.choices, self.length_of(), strict=True)):
            if count:
                kernel, slope = alike(X[:, at], other[:, at], count), None
            else:
                kernel, slope = centred(X[:, at], other[:, at], length)
            parts.append(scales[at] * kernel)
            slopes.append(None if slope is None else scales[at] * slope)
        beside = [np.zeros_like(parts[0]) for _ in parts]  # of each axis, the sum of those that it may act with
        for one, two in self.pairs:
            beside[one] += parts[two]
            beside[two] += parts[one]
        both = sum((part * sums for part, sums in zip(parts, beside, strict=True)), np.zeros_like(parts[0])) / 2
        kernel = 1 + sum(parts) + self.together * both
        if not eval_gradient:
            return kernel
        factors = [1 + self.together * sums for sums in beside]
        found = [slope * factor for slope, factor in zip(slopes, factors, strict=True) if slope is not None]
        found += [self.together * both] if self.pairs else []
        found += [part * factor for part, factor in zip(parts, factors, strict=True)]
        return kernel, np.stack(found, axis=-1)

    def diag(self, X: np.ndarray) -> np.ndarray:
        """The diagonal of the kernel, (n,)."""
        return np.array([self(row[None])[0, 0] for row in X])

    def is_stationary(self) -> bool:
        """It is not: a mean over an axis is another one at its ends."""
        return False
