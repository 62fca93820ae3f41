"""Tables of runs whose response is known, since it is made up."""

import numpy as np
import pandas as pd
from scipy.stats import qmc

PARAMETERS = ("style_weight", "content_weight", "tv_weight", "learning_rate", "style_scales", "content_weight_blend")


def scattered(count, seed=0):
    """Places of a Sobol design over all parameters, (count, 6)."""
    return qmc.Sobol(len(PARAMETERS), rng=np.random.default_rng(seed)).random(2 ** int(np.ceil(np.log2(count))))[:count]


def table(places, measured, **columns):
    """Runs at places, with this style reached: parameters over three decades, or a share from 0 to 1."""
    settings = {name: 10 ** (3 * column) for name, column in zip(PARAMETERS, places.T, strict=True)}
    settings["content_weight_blend"] = places[:, -1]
    run_ids = [f"run{number}" for number in range(len(places))]
    made = {"run_id": run_ids, "pair": "a x b", "status": "ok", **settings, "style_reached": measured}
    return pd.DataFrame(made | columns)


def acting(u, v):
    """What two parameters do, each from -1 to 1: each on its own, and both together (an eighth of the variance)."""
    return np.tanh(1.5 * u) + v - 0.4 * v**2 + u * v


def two_act(seed, count=64, noise=0.2):
    """Runs, and the two parameters of six that act.

    noise: its standard deviation, as a multiple of the response's.
    """
    places = scattered(count, seed)
    one, two = np.random.default_rng(seed).choice(len(PARAMETERS), 2, replace=False)
    response = acting(2 * places[:, one] - 1, 2 * places[:, two] - 1)
    measured = response / response.std() + noise * _noise(seed, count)
    return table(places, 0.5 + 0.2 * measured), (PARAMETERS[one], PARAMETERS[two])


def nothing_acts(seed, count=64):
    """Runs whose measure is noise."""
    return table(scattered(count, seed), _noise(seed, count))


def _noise(seed, count):
    """Of another generator than the design's, which would have the same numbers."""
    return np.random.default_rng([seed, 1]).standard_normal(count)


def star(values=9, pairs=("a x b",)):
    """Runs that differ from the default in one parameter: style_weight and tv_weight act, the others do not."""
    random = np.random.default_rng(0)
    places = [np.full(len(PARAMETERS), 0.5)]
    for at in range(len(PARAMETERS)):
        for value in np.linspace(0, 1, values):
            places.append(np.where(np.arange(len(PARAMETERS)) == at, value, 0.5))
    places = np.unique(places, axis=0)
    response = places[:, 0] - 0.5 * places[:, 2] ** 2
    tables = [
        table(places, response + at + 0.01 * random.standard_normal(len(places)), pair=pair)
        for at, pair in enumerate(pairs)
    ]
    return pd.concat(tables, ignore_index=True)
