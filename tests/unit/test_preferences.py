"""The page's model of choices, in node, against choix and NumPy."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from helpers.workflow import ROOT

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no node")


def fitted(**given):
    done = subprocess.run(
        [NODE, str(ROOT / "tests/page/fit.mjs")], input=json.dumps(given), check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    return {name: np.array(value) for name, value in found.items()}


def comparisons(count, choices, seed=0):
    """So many random pairs, most of which the one with the higher number wins."""
    noise = np.random.default_rng(seed)
    pairs = [noise.choice(count, 2, replace=False) for _ in range(choices)]
    return [
        {"left": int(left), "right": int(right), "share": int(noise.random() < 1 / (1 + np.exp((right - left) / 4)))}
        for left, right in pairs
    ]


@pytest.mark.parametrize(("count", "choices", "alpha"), [(5, 3, 0.5), (12, 60, 0.05), (40, 30, 0.02)])
def test_with_independent_strengths_the_fit_is_that_of_choix(count, choices, alpha):
    choix = pytest.importorskip("choix")
    made = comparisons(count, choices)
    wins = [(one["left"], one["right"])[:: 1 if one["share"] else -1] for one in made]
    expected = choix.opt_pairwise(count, wins, alpha=alpha, tol=1e-12)
    # The prior of choix is exp(-alpha * x^2).
    assert np.abs(expected).max() > 0.3
    found = fitted(count=count, variance=1 / (2 * alpha), comparisons=made)
    np.testing.assert_allclose(found["mean"], expected, atol=1e-6)


def test_shared_strength_and_ties_are_the_mode_and_the_curvature_there():
    count, noise = 20, np.random.default_rng(1)
    places = [[float(x), float(y), str(word)] for x, y, word in zip(*noise.random((2, count)), "ab" * 10, strict=True)]
    made = [one | {"share": share} for one, share in zip(comparisons(count, 25), [1, 0, 0.5, 1, 0] * 5, strict=True)]
    found = fitted(count=count, places=places, comparisons=made)
    across = np.zeros((len(made), count))
    for row, one in zip(across, made, strict=True):
        row[one["left"]], row[one["right"]] = 1, -1
    shares, mean, prior = np.array([one["share"] for one in made]), found["mean"], found["prior"]
    chance = 1 / (1 + np.exp(-across @ mean))
    # Where the posterior has no slope.
    np.testing.assert_allclose(mean, prior @ across.T @ (shares - chance), atol=1e-7)
    assert np.ptp(mean) > 0.5
    weights = np.diag(chance * (1 - chance))
    known = np.linalg.inv(np.linalg.pinv(prior) + across.T @ weights @ across + np.ones((count, count)))
    centre = np.eye(count) - 1 / count
    np.testing.assert_allclose(found["covariance"], centre @ known @ centre, atol=1e-6)
    assert np.allclose(prior.sum(axis=0), 0)
