"""The kernel of the response model: held against finite differences, and against what its parts must be."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import Matern

from styletransfer.analysis.anova import NODES, WEIGHTS, Anova, alike, basis, centred, matern

RANDOM = np.random.default_rng(3)
PLACES = RANDOM.random((30, 4))
PLACES[:, 3] = (np.floor(3 * PLACES[:, 3]) + 0.5) / 3
KERNEL = Anova((0, 0, 0, 3), ((0, 1), (1, 3)), np.array([0.1, 0.5, 0.2, 0.3]), np.array([0.3, 1.0, 4.0]), 0.7)


@pytest.mark.parametrize("length", [0.15, 1.0, 10.0])
def test_the_kernel_of_an_axis_is_scikit_learns(length):
    column = PLACES[:, :1]
    assert matern(column[:, 0], column[:, 0], length)[0] == pytest.approx(Matern(length, nu=2.5)(column))


@pytest.mark.parametrize("length", [0.15, 1.0, 10.0])
def test_its_functions_have_mean_0_and_variance_1(length):
    kernel = centred(PLACES[:, 0], NODES, length)[0]
    assert kernel @ WEIGHTS == pytest.approx(0, abs=1e-9)
    assert WEIGHTS @ np.diag(centred(NODES, NODES, length)[0]) == pytest.approx(1)


def test_so_have_those_of_words():
    words = (np.arange(3) + 0.5) / 3
    kernel = alike(words, words, 3)
    assert kernel.sum(1) == pytest.approx(0, abs=1e-12)
    assert np.diag(kernel).mean() == pytest.approx(1)
    assert basis(words, 1, 3, 8)[1] == pytest.approx([0.5, 0.5])


def test_the_slopes_are_those_of_finite_differences():
    _, slopes = KERNEL(PLACES, eval_gradient=True)
    for place, change in enumerate(1e-5 * np.eye(len(KERNEL.theta))):
        above, below = (KERNEL.clone_with_theta(KERNEL.theta + way * change)(PLACES) for way in (1, -1))
        assert slopes[..., place] == pytest.approx((above - below) / 2e-5, abs=1e-7)


def test_it_is_the_sum_of_its_parts():
    parts = [centred(PLACES[:, at], PLACES[:, at], length)[0] for at, length in enumerate((0.3, 1.0, 4.0))]
    parts.append(alike(PLACES[:, 3], PLACES[:, 3], 3))
    zero, one, two, three = (scale * part for scale, part in zip((0.1, 0.5, 0.2, 0.3), parts, strict=True))
    expected = 1 + zero + one + two + three + 0.7 * (zero * one + one * three)
    assert KERNEL(PLACES) == pytest.approx(expected)
    assert KERNEL.diag(PLACES) == pytest.approx(np.diag(expected))
    assert np.linalg.eigvalsh(KERNEL(PLACES)).min() > -1e-9


@pytest.mark.parametrize(("length", "choices"), [(0.5, 0), (2.0, 0), (1.0, 3)])
def test_the_functions_of_a_kernel_are_orthonormal_and_add_up_to_it(length, choices):
    places = PLACES[:, 3] if choices else PLACES[:, 0]
    features, variances = basis(places, length, choices, 12)
    kernel = alike(places, places, choices) if choices else centred(places, places, length)[0]
    assert (features * variances) @ features.T == pytest.approx(kernel, abs=1e-3)
    nodes, weights = ((np.arange(3) + 0.5) / 3, np.full(3, 1 / 3)) if choices else (NODES, WEIGHTS)
    at_nodes, _ = basis(nodes, length, choices, 12)
    products = (at_nodes.T * weights) @ at_nodes
    assert products == pytest.approx(np.eye(len(variances)), abs=1e-6)
