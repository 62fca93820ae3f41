"""How much another seed changes what is measured of pictures, and so which differences between settings are none.

Runs that are alike but for their seed tell the spread of a measure, pooled over all settings of a pair that have the
same share of noise. From it every setting gets a bar. Two whose bars do not touch differ: if none of the settings did,
this would be said of any two of them in at most `LEVEL` of all studies, however many settings a study compares (Tukey
1953, Kramer 1956).
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
NOISY = (*(measure.column for measure in measures.RULERS), "ssim", "sharpness")
REPEAT, REPEAT_OF, REPEATS, FREEDOM = "repeat", "repeat_of", "repeats", "degrees_of_freedom"
SETTING = ["pair", REPEAT_OF]
_SHARE, _ALIKE = "initial_noiseblend", "alike but for the seed"


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


def bars(deviations: Sequence[float], repeats: Sequence[int], freedom: int) -> np.ndarray:
    """How long the bar of each setting is, to either side of the mean of its repeats.

    Two bars that just touch are as far apart as two means must be by the test of Tukey and Kramer. Where some means are
    less certain than others, so it is for the most unequal two; the bars of others are up to 1.41 times as long.

    Args:
        deviations: the spread of each setting; 0 where no noise is drawn.
        repeats: how many runs each setting has.
        freedom: the degrees of freedom of the spread.

    """
    errors = np.asarray(deviations, float) / np.sqrt(np.asarray(repeats, float))
    if not errors.any() or not freedom:
        return np.where(errors == 0, 0.0, math.nan)
    # Of the sum of two bars: what the deviation of a difference is.
    touching = math.hypot(errors.max(), errors.min()) / (errors.max() + errors.min())
    return errors * touching * _critical(max(2, len(errors)), freedom)


@functools.cache
def _critical(count: int, freedom: int) -> float:
    """By how many deviations of a difference the two of `count` means that lie farthest apart may differ by chance."""
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - LEVEL, count, freedom)) / math.sqrt(2)


def with_columns(runs: pd.DataFrame) -> pd.DataFrame:
    """A table of runs with more columns, which say what of its numbers is noise.

    `repeats`: how many runs of the row's setting went well. For each of `NOISY`: `*_sd`, its pooled standard deviation
    over the settings of the row's pair and share of noise, and `*_bar`, to either side of the mean over the repeats;
    `degrees_of_freedom`: of the former. Of a pair of which nothing was run twice there are gaps. Where no noise is
    drawn, deviation and bar are 0.
    """
    good = runs[runs["status"] == "ok"].drop_duplicates(["pair", "run_id"])
    others = [name for name in PARAMETERS if name in runs and name != "seed"]
    alike = good.groupby(["pair", *others], sort=False, dropna=False).ngroup()
    good = good.assign(**{_ALIKE: alike})
    # Pairs of which nothing was run twice, of which there may be many, have gaps alike.
    group = good["pair"].where(good["pair"].isin(good.loc[alike.duplicated(), "pair"]), "")
    parts = [_of_pair(of) for _, of in good.groupby(group, sort=False)]
    columns = [REPEATS, FREEDOM, *(f"{name}_{what}" for name in NOISY for what in ("sd", "bar"))]
    told = pd.concat(parts) if parts else pd.DataFrame(columns=[*SETTING, *columns])
    placed = runs[SETTING].merge(told, how="left", on=SETTING)[columns].set_axis(runs.index).astype(float)
    return pd.concat([runs, placed.fillna({REPEATS: 0, FREEDOM: 0}).astype({REPEATS: int, FREEDOM: int})], axis=1)


def _of_pair(runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each setting of a pair, or of several without repeats, by its pair and first repeat."""
    table = pd.DataFrame({REPEATS: runs.groupby(SETTING, sort=False).size()}).assign(**{FREEDOM: 0})
    for name in NOISY:
        known = runs.dropna(subset=[name])
        settings = known.groupby(SETTING, sort=False)[_SHARE].agg(["first", "size"])
        # More noise makes more spread.
        found = {share: spread(of[name], of[_ALIKE]) for share, of in known.groupby(_SHARE) if share > 0}
        measured = [one for one in found.values() if one.freedom]
        largest = max((one.deviation for one in measured), default=math.nan)
        least = min((one.freedom for one in measured), default=0)
        deviations = settings["first"].map({0: 0.0} | {share: one.deviation for share, one in found.items()})
        freedoms = settings["first"].map({0: 0} | {share: one.freedom for share, one in found.items()})
        lengths = pd.Series(bars(deviations.fillna(largest), settings["size"], least), settings.index, float)
        table = table.assign(**{f"{name}_sd": deviations, f"{name}_bar": lengths})
        table[FREEDOM] = table[FREEDOM].clip(lower=freedoms.reindex(table.index, fill_value=0))
    return table.reset_index()


def bars_of(runs: pd.DataFrame, column: str) -> pd.Series:
    """The bar of each row of a table; nan where there is none."""
    return runs[f"{column}_bar"] if f"{column}_bar" in runs else pd.Series(np.nan, runs.index)


def has_repeats(runs: pd.DataFrame) -> bool:
    """Whether any setting was run more than once."""
    return REPEAT in runs and bool(runs[REPEAT].any())


def bands(runs: pd.DataFrame, losses: pd.DataFrame, column: str) -> pd.DataFrame:
    """How far the curves of a setting's repeats lie apart.

    Args:
        runs: the table of runs, with repeats.
        losses: rows of the table of losses.
        column: of the latter.

    Returns:
        `min` and `max` of the column, by the first repeat of a setting (`run_id`), `loss` and `iteration`.

    """
    good = runs[runs["status"] == "ok"].drop_duplicates("run_id")
    first = good.sort_values(REPEAT, kind="stable").groupby(REPEAT_OF)["run_id"].transform("first")
    several = first[first.duplicated(keep=False)]
    repeats = pd.DataFrame({"first": several, "run_id": good["run_id"].reindex(several.index)})
    found = repeats.merge(losses, on="run_id").drop(columns="run_id").rename(columns={"first": "run_id"})
    return found.groupby(["run_id", "loss", "iteration"])[column].agg(["min", "max"])


def averaged(runs: pd.DataFrame) -> pd.DataFrame:
    """The first repeat of each setting, with the means over its repeats in place of what was measured of it."""
    if not has_repeats(runs):
        return runs
    good = runs[runs["status"] == "ok"].drop_duplicates(["pair", "run_id"])
    means = runs[SETTING].merge(good.groupby(SETTING)[list(NOISY)].mean(), how="left", on=SETTING).set_axis(runs.index)
    is_bad = runs["status"] != "ok"
    numbers = {name: runs[name].where(is_bad, means[name]) for name in NOISY}
    first = runs.assign(**numbers).sort_values(REPEAT, kind="stable")
    return first.drop_duplicates(["pair", "parameter", "label", REPEAT_OF]).sort_index()
