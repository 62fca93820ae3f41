"""How much another seed changes what is measured of pictures, and so which differences between settings are none.

Runs that are alike but for their seed tell the spread of a measure, pooled over all settings of a pair. From it every
setting gets a bar. Two whose bars do not touch differ: if none of the settings did, this would be said of any two of
them in at most `LEVEL` of all studies, however many settings a study compares (Tukey 1953, Kramer 1956).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from styletransfer.analysis import measures
from styletransfer.settings import PARAMETERS

# So of 500 studies that plant nothing at most 25 are said to have a difference, with a probability of 99.6 %.
LEVEL = 0.03
# The columns that have a bar.
NOISY = (measures.STYLE_REACHED.column, measures.CONTENT_KEPT.column, "ssim", "sharpness")
REPEAT, REPEAT_OF, REPEATS, FREEDOM = "repeat", "repeat_of", "repeats", "degrees_of_freedom"
SETTING = ["pair", REPEAT_OF]


class Spread(NamedTuple):
    """A pooled standard deviation, and its degrees of freedom; nan and 0 where nothing was run twice."""

    deviation: float
    freedom: int


def spread(values: Sequence[float], settings: Sequence[object]) -> Spread:
    """The standard deviation within settings, pooled over them.

    Args:
        values: a number for each run.
        settings: to which of the settings each run belongs.

    """
    numbers, (labels, _) = np.asarray(values, float), pd.factorize(np.asarray(settings))
    counts = np.bincount(labels)
    freedom = len(numbers) - len(counts)
    if not freedom:
        return Spread(math.nan, 0)
    means = np.bincount(labels, numbers) / counts
    return Spread(math.sqrt(((numbers - means[labels]) ** 2).sum() / freedom), freedom)


def bars(found: Spread, repeats: Sequence[float]) -> np.ndarray:
    """How long the bar of each setting is, to either side of the mean of its repeats.

    Two bars that just touch are as far apart as two means must be by the test of Tukey and Kramer. Where settings have
    unequal numbers of repeats, so it is for the most unequal two; the bars of others are up to 1.41 times as long.

    Args:
        found: the spread.
        repeats: how many runs each setting has; infinity where no noise is drawn.

    """
    shares = 1 / np.sqrt(np.asarray(repeats, float))
    if not shares.any() or not found.freedom:
        return np.where(shares > 0, math.nan, 0.0)
    # Of the sum of two bars: what the deviation of a difference is.
    touching = math.hypot(shares.max(), shares.min()) / (shares.max() + shares.min())
    return shares * touching * found.deviation * _critical(max(2, len(shares)), found.freedom)


@functools.cache
def _critical(count: int, freedom: int) -> float:
    """By how many deviations of a difference the two of `count` means that lie farthest apart may differ by chance."""
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - LEVEL, count, freedom)) / math.sqrt(2)


def with_columns(runs: pd.DataFrame) -> pd.DataFrame:
    """A table of runs with more columns, which say what of its numbers is noise.

    `repeats`: how many runs of the row's setting went well. For each of `NOISY`: `*_sd`, its pooled standard deviation
    in the row's pair, and `*_bar`, to either side of the mean over the repeats; `degrees_of_freedom`: of the former. In
    a pair of which nothing was run twice there are gaps, but for bars of 0 where no noise is drawn.
    """
    good = runs[runs["status"] == "ok"].drop_duplicates(["pair", "run_id"])
    others = [name for name in PARAMETERS if name in runs and name != "seed"]
    same = good.groupby(["pair", *others], sort=False, dropna=False).ngroup()
    parts = [_of_pair(of_pair, same[of_pair.index]) for _, of_pair in good.groupby("pair", sort=False)]
    columns = [REPEATS, FREEDOM, *(f"{name}_{what}" for name in NOISY for what in ("sd", "bar"))]
    told = pd.concat(parts) if parts else pd.DataFrame(columns=[*SETTING, *columns])
    placed = runs[SETTING].merge(told, how="left", on=SETTING)[columns].set_axis(runs.index).astype(float)
    return pd.concat([runs, placed.fillna({REPEATS: 0, FREEDOM: 0}).astype({REPEATS: int, FREEDOM: int})], axis=1)


def _of_pair(runs: pd.DataFrame, same: pd.Series) -> pd.DataFrame:
    """A row for each setting of a pair. same: equal where runs are alike but for their seed."""
    table = runs.groupby(SETTING, sort=False).size().rename(REPEATS).reset_index().assign(**{FREEDOM: 0})
    for name in NOISY:
        known = runs.dropna(subset=[name])
        found = spread(known[name], same[known.index])
        settings = known.groupby(SETTING, sort=False)
        counts = settings.size().where(settings["initial_noiseblend"].first() > 0, math.inf)
        lengths = pd.Series(bars(found, counts), counts.index, name=f"{name}_bar")
        table = table.join(lengths, on=SETTING).assign(**{f"{name}_sd": found.deviation})
        table[FREEDOM] = table[FREEDOM].clip(lower=found.freedom)
    return table


def averaged(runs: pd.DataFrame) -> pd.DataFrame:
    """The first repeat of each setting, with the means over its repeats in place of what was measured of it."""
    if REPEAT not in runs or not runs[REPEAT].any():
        return runs
    good = runs[runs["status"] == "ok"].drop_duplicates(["pair", "run_id"])
    means = runs[SETTING].merge(good.groupby(SETTING)[list(NOISY)].mean(), how="left", on=SETTING).set_axis(runs.index)
    is_bad = runs["status"] != "ok"
    numbers = {name: runs[name].where(is_bad, means[name]) for name in NOISY}
    first = runs.assign(**numbers).sort_values(REPEAT, kind="stable")
    return first.drop_duplicates(["pair", "parameter", "label", REPEAT_OF]).sort_index()
