"""Which settings to try next: where a model expects most of them, each different from all that were tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from styletransfer.analysis.posterior import Posterior

# Of the search for the best place: places all over the space, then rounds nearer to the best of them.
ANYWHERE, BEST, AROUND = 2048, 20, 40
REACHES = (0.2, 0.1, 0.05, 0.025, 0.012)


def excess(mean: np.ndarray, deviation: np.ndarray, level: Any) -> np.ndarray:
    """By how much normal numbers are above a level, where they are, on average."""
    from scipy.stats import norm

    standard = (mean - level) / deviation
    return deviation * (standard * norm.cdf(standard) + norm.pdf(standard))


def front_growth(means: np.ndarray, deviations: np.ndarray, points: np.ndarray, least: np.ndarray) -> np.ndarray:
    """By how much the area below a front is expected to grow by a point.

    Args:
        means: of both measures at each of m places, (m, 2).
        deviations: likewise; the measures are taken for independent.
        points: the measures of all points so far, (n, 2); higher is better.
        least: the corner of the area that counts, (2,).

    Returns:
        (m,).

    Source: Emmerich, Deutz and Klinkenberg 2011: the expected hypervolume improvement. With two measures it is a sum
    over strips between the points of the front, of an expected width times an expected height.
    """
    edges, heights = strips(points, least)
    above = excess(means[:, :1], deviations[:, :1], edges)
    widths = above - np.pad(above[:, 1:], ((0, 0), (0, 1)))
    return (widths * excess(means[:, 1:], deviations[:, 1:], heights)).sum(axis=1)


def strips(points: np.ndarray, least: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The area below a front as strips: where each begins in the first measure, and how high it is in the second."""
    kept = points[(points > least).all(axis=1)]
    ordered = kept[np.lexsort((kept[:, 0], kept[:, 1]))][::-1]  # the highest first
    before = np.maximum.accumulate(np.append(-np.inf, ordered[:, 0]))[:-1]
    front = ordered[ordered[:, 0] > before]
    # From the left: up to each point's first measure the strip is as high as its second.
    return np.append(least[0], front[:, 0]), np.append(front[:, 1], least[1])


def area(points: np.ndarray, least: np.ndarray) -> float:
    """The area below a front, from a corner on."""
    edges, heights = strips(points, least)
    return float((np.diff(edges) * (heights[:-1] - least[1])).sum())


def by_rulers(models: Sequence[Posterior], measured: np.ndarray) -> Callable[[np.ndarray, Sequence[Posterior]], Any]:
    """What is to be gained at places: growth of the front of two measures, (n, 2), and of what models believe."""
    least = measured.min(axis=0)

    def gain(places: np.ndarray, models: Sequence[Posterior]) -> np.ndarray:
        means, deviations = np.stack([model.predict(places) for model in models], axis=-1)
        believed = np.stack([model.level + model.unit * model.mode for model in models], axis=1)[len(measured) :]
        return front_growth(means, deviations, np.vstack([measured, believed]), least)

    return gain


def improvement(places: np.ndarray, models: Sequence[Posterior]) -> np.ndarray:
    """What is to be gained at places by one measure: how much better than the best so far they are expected to be."""
    (model,) = models
    return excess(*model.predict(places), model.level + model.unit * model.mode.max())


def batch(
    models: Sequence[Posterior],
    gain: Callable[[np.ndarray, Sequence[Posterior]], np.ndarray],
    settle: Callable[[np.ndarray], np.ndarray],
    is_new: Callable[[np.ndarray], bool],
    count: int,
    seed: int = 0,
) -> list[np.ndarray]:
    """Several places to try, each chosen as if what is expected of those before it had been found (kriging believer).

    Args:
        models: what is believed.
        gain: what is to be gained at places, (m,), from places (m, d) and models.
        settle: moves places, (m, d), to the nearest ones that can be tried.
        is_new: whether a place that can be tried, (d,), has not been.
        count: of places; fewer are returned where there are no more.
        seed: of the search.
    """
    rng = np.random.default_rng(seed)
    chosen: list[np.ndarray] = []
    for _ in range(count):
        place = _best(models, gain, settle, lambda place: is_new(place) and not _among(place, chosen), rng)
        if place is None:
            break
        chosen.append(place)
        models = [model.believing(place) for model in models]
    return chosen


def _among(place: np.ndarray, others: Sequence[np.ndarray]) -> bool:
    return any(np.allclose(place, other, rtol=0, atol=1e-12) for other in others)


def _best(
    models: Sequence[Posterior],
    gain: Callable[[np.ndarray, Sequence[Posterior]], np.ndarray],
    settle: Callable[[np.ndarray], np.ndarray],
    is_new: Callable[[np.ndarray], bool],
    rng: np.random.Generator,
) -> np.ndarray | None:
    """The new place of the most gain; None if none is found."""
    axes = models[0].places.shape[1]
    found = settle(np.vstack([rng.random((ANYWHERE, axes)), models[0].places]))
    gains = gain(found, models)
    for reach in REACHES:
        best = found[np.argsort(-gains, kind="stable")[:BEST]]
        moved = np.repeat(best, AROUND, axis=0)
        # Few axes at a time: so that what is good along the others stays.
        moves = rng.normal(0, reach, moved.shape) * (rng.random(moved.shape) < max(0.5, 1 / axes))
        near = settle(np.clip(moved + moves, 0, 1))
        found, gains = np.vstack([found, near]), np.append(gains, gain(near, models))
    order = np.argsort(-gains, kind="stable")
    return next((found[at] for at in order if is_new(found[at])), None)
