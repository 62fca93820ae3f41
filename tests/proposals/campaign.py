"""How good proposals are on responses of six parameters that act together, where the best is known.

python tests/proposals/campaign.py aims --seeds 100        # or: one, area, choices

Of each seed: what 60 runs of a Sobol design find, what these and three times ten proposals find, and what a star of 252
finds, each as a share of what there is.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # its matrices are small: more threads only wait for each other

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow"))

from styletransfer.analysis import posterior, preference, propose
from styletransfer.study import sequences

AXES, FIRST, ROUNDS, BATCH = 6, 60, 3, 10
STAR_VALUES = 42
CLOSE = 0.95
# Of what is measured, as repeated runs differ; and of a look at a picture, of which there are so many for each round.
NOISE, LOOK, LOOKS = 0.01, 0.03, (90, 30)
CORNER, AIMS = np.zeros(2), (0.25, 0.5, 0.75)


class Response:
    """A measure of six parameters, at most 1 and above 0: one setting is best, and from there it falls off in ridges.

    Parameters matter by a factor of 30 more or less, four pairs of them act together, and no scale is quite right.
    """

    def __init__(self, rng: np.random.Generator, steep: float = 20.0) -> None:
        self.best = rng.uniform(0.15, 0.85, AXES)
        self.bend = np.exp(rng.normal(0, 0.4, AXES))
        matter = rng.permutation([3.0, 2.0, 1.5, 1.0, 0.5, 0.1])
        shape = np.diag(matter)
        for one, other in (rng.choice(AXES, 2, replace=False) for _ in range(4)):
            together = rng.choice([-1, 1]) * rng.uniform(0.6, 0.95) * np.sqrt(matter[one] * matter[other])
            shape[[one, other], [other, one]] += together
        sizes, directions = np.linalg.eigh(shape)
        shape = (directions * np.maximum(sizes, 0.05)) @ directions.T
        self.shape = shape * steep / np.trace(shape)

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """The measure at places, (n, 6), each number from 0 to 1."""
        away = places**self.bend - self.best**self.bend
        return np.exp(-np.einsum("ni,ij,nj->n", away, self.shape, away))


def one(seed: int) -> tuple[float, ...]:
    """One measure, by expected improvement."""
    rng = np.random.default_rng(seed)
    response, places = Response(rng), design(seed)

    def measured(places: np.ndarray) -> np.ndarray:
        return response(places) + rng.normal(0, NOISE, len(places))

    values = measured(places)
    for _ in range(ROUNDS):
        new = proposed([posterior.regression(places, values)], propose.improvement, seed)
        places, values = np.vstack([places, new]), np.append(values, measured(new))
    return response(places[:FIRST]).max(), response(places).max(), response(star()).max()


def aims(seed: int) -> tuple[float, ...]:
    """Two measures, by the expected growth of their front: more of one, of both, or more of the other, the least of it.

    An aim is a mean of both, geometric: it is best somewhere on the front.
    """

    def best(values: np.ndarray) -> np.ndarray:
        return np.array([(values ** [share, 1 - share]).prod(axis=1).max() for share in AIMS])

    *found, front = two(seed)
    return tuple((best(values) / best(front)).min() for values in found)


def area(seed: int) -> tuple[float, ...]:
    """The same, by the area below the front: 30 runs cannot be everywhere on it."""
    *found, front = two(seed)
    return tuple(propose.area(values, CORNER) / propose.area(front, CORNER) for values in found)


@functools.cache
def two(seed: int) -> list[np.ndarray]:
    """Two measures of the first runs, of these and the proposals, of the star, and on the true front."""
    rng = np.random.default_rng(seed)
    both, places = (Response(rng, 10.0), Response(rng, 10.0)), design(seed)

    def exact(places: np.ndarray) -> np.ndarray:
        return np.stack([response(places) for response in both], axis=1)

    def measured(places: np.ndarray) -> np.ndarray:
        return exact(places) + rng.normal(0, NOISE, (len(places), 2))

    values = measured(places)
    for _ in range(ROUNDS):
        models = [posterior.regression(places, column) for column in values.T]
        new = proposed(models, propose.by_rulers(models, values), seed)
        places, values = np.vstack([places, new]), np.vstack([values, measured(new)])
    return [*map(exact, (places[:FIRST], places, star())), true_front(exact, rng)]


def choices(seed: int) -> tuple[float, ...]:
    """What a person likes, told by choices alone: 90 among the first runs, then 30 in each round."""
    rng = np.random.default_rng(seed)
    response, places = Response(rng), design(seed)
    found: list[tuple[int, int, float]] = []

    def look(one: int, other: int) -> None:
        gap = np.diff(response(places[[other, one]]))[0] + rng.normal(0, LOOK * np.sqrt(2))
        found.append((one, other, 1.0) if gap > 0 else (other, one, 1.0))

    order = rng.permutation(FIRST)
    for place in range(FIRST):  # each is seen twice
        look(order[place], order[place - 1])
    new: range = range(0)
    for wanted in range(LOOKS[0], LOOKS[0] + LOOKS[1] * ROUNDS + 1, LOOKS[1]):
        ranking = np.argsort(-preference.preferences(places, found).predict(places)[0])
        for fresh in new:
            for other in (other for other in ranking[:2] if other != fresh):
                look(fresh, other)
        while len(found) < wanted:
            look(*rng.choice(ranking[:12], 2, replace=False))
        if len(places) < FIRST + ROUNDS * BATCH:
            more = proposed([preference.preferences(places, found)], propose.improvement, seed)
            new = range(len(places), len(places) + len(more))
            places = np.vstack([places, more])
    return response(places[:FIRST]).max(), response(places).max(), response(star()).max()


def design(seed: int) -> np.ndarray:
    """The first runs, each seed others."""
    return np.array(list(itertools.islice(sequences.sobol([f"{seed} {axis}" for axis in range(AXES)]), FIRST)))


def star() -> np.ndarray:
    """One parameter at a time around the middle."""
    middle = np.full(AXES, 0.5)
    around = [
        np.where(np.arange(AXES) == axis, value, middle)
        for axis in range(AXES)
        for value in np.linspace(0, 1, STAR_VALUES)
    ]
    return np.array(around)


def proposed(models: list[posterior.Posterior], gain: Callable, seed: int) -> np.ndarray:
    """The next runs, whose values have three digits."""
    return np.array(propose.batch(models, gain, lambda places: places.round(3), lambda _: True, BATCH, seed))


def true_front(exact: Callable[[np.ndarray], np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """The measures on the front, by many rounds of small changes of what is best."""
    places = rng.random((4096, AXES))
    for _ in range(80):
        values = exact(places)
        order = np.lexsort((values[:, 0], values[:, 1]))[::-1]
        before = np.maximum.accumulate(np.append(-np.inf, values[order, 0]))[:-1]
        front = places[order[values[order, 0] > before]]
        moves = rng.normal(0, rng.choice([0.1, 0.03, 0.01, 0.003]), (1000, AXES)) * (rng.random((1000, AXES)) < 0.5)
        places = np.vstack([front, np.clip(front[rng.integers(0, len(front), 1000)] + moves, 0, 1)])
    return exact(front)


KINDS: dict[str, Callable[[int], tuple[float, ...]]] = {"one": one, "aims": aims, "area": area, "choices": choices}


def main() -> None:
    """Print a line for each seed, then how many came close to the optimum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="seed")
    options = parser.parse_args()
    found = []
    print("seed   60 runs   60 + 30   star of 252")
    for seed in range(options.first, options.first + options.seeds):
        found.append(KINDS[options.kind](seed))
        print(f"{seed:4} " + "".join(f"{share:10.3f}" for share in found[-1]), flush=True)
    close = (np.array(found) >= CLOSE).sum(axis=0)
    print(f"within 5 % of the optimum, of {options.seeds} seeds: " + ", ".join(map(str, close)))


if __name__ == "__main__":
    main()
