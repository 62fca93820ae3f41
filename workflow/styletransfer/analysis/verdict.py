"""Which settings to take: one for more of the content, one between, one for more of the style.

A setting is judged by the means of `content_kept` and `style_reached` over all pairs of pictures, by their weighted
harmonic mean: much of one does not make up for little of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from styletransfer.analysis import measures
from styletransfer.analysis.measures import CONTENT_KEPT, STYLE_REACHED
from styletransfer.analysis.space import PAIR, Space

RULERS = tuple(ruler.column for ruler in measures.RULERS)


class Aim(NamedTuple):
    """What somebody wants. content: how many times it counts what style does. among: the settings that compete."""

    name: str
    content: float
    says: str
    among: str = "settings"


MORE_CONTENT = Aim(
    "more content", 2.0, "content counts twice what style does", "settings with more content than the balanced one"
)
BALANCED = Aim("balanced", 1.0, "content and style count alike")
MORE_STYLE = Aim(
    "more style", 0.5, "style counts twice what content does", "settings with more style than the balanced one"
)
# As they are shown, with less content from one to the next.
AIMS = (MORE_CONTENT, BALANCED, MORE_STYLE)


# Settings whose score is so much of the best one's are as good: the numbers are no more exact.
AS_GOOD = 0.98


@dataclass(frozen=True)
class Recommended:
    """A setting that is the best of a study by an aim.

    Args:
        aim: what for.
        settings: the varied parameters in which it differs from the default; all of them where there is no default.
        score: by which it is the best.
        reached: `style_reached` and `content_kept`, means over the pairs.
        bars: of both, to either side; None where noise was not measured.
        runs: pair -> run.
        of_pairs: pair -> its own two numbers.
        beaten: pair -> `settings` of another that has more of both there; only where there is one.
        compared: how many settings were (`Aim.among`); all pairs have them.
        alike: `settings` of others that are as good, the best first: their score is nearly as high, or noise does not
            tell them from it in either number.
    """

    aim: Aim
    settings: Mapping[str, Any]
    score: float
    reached: Mapping[str, float]
    bars: Mapping[str, float | None]
    runs: Mapping[str, str]
    of_pairs: Mapping[str, Mapping[str, float]]
    beaten: Mapping[str, Mapping[str, Any]]
    compared: int
    alike: tuple[Mapping[str, Any], ...]


def recommended(runs: pd.DataFrame) -> list[Recommended]:
    """The best setting by each aim, for all pairs alike, in the order of `AIMS`.

    The two others have more than the balanced one of what they aim at; an aim for which no setting has is left out. Of
    equal ones the first in the table is taken. Nothing is recommended of which a pair has no run, or one that diverged.

    Args:
        runs: the table of a study's runs; `noise.with_columns` tells the bars.

    Source:
        Weighted harmonic mean: van Rijsbergen 1979, Information Retrieval, ch. 7.
    """
    good = runs[runs["status"] == "ok"].dropna(subset=list(RULERS)).drop_duplicates([PAIR, "run_id"])
    if good.empty:
        return []
    names = [name for name in Space.of(good).names if name != PAIR]
    every, of_pairs = _settings(good, names)
    settings = every[every["runs"].map(len) == runs[PAIR].nunique()]
    if settings.empty:
        return []
    scores = {aim: score(settings, aim) for aim in AIMS}
    balanced = scores[BALANCED].idxmax()
    among = {BALANCED: settings}
    for aim, ruler in ((MORE_CONTENT, CONTENT_KEPT), (MORE_STYLE, STYLE_REACHED)):
        among[aim] = settings[settings[ruler.column] > settings[ruler.column][balanced]]
    default = every[every["is_default"]][names].head(1).to_dict("records")
    titles = {key: changed(row[names], default) for key, row in every.iterrows()}
    return [_told(among[aim], of_pairs, titles, aim, scores[aim][among[aim].index]) for aim in AIMS if len(among[aim])]


def score(settings: pd.DataFrame, aim: Aim) -> pd.Series:
    """The weighted harmonic mean of both numbers; what is below 0 counts as 0."""
    reached, kept = (settings[ruler].clip(lower=1e-9) for ruler in RULERS)
    return (aim.content + 1) / (aim.content / kept + 1 / reached)


def _settings(good: pd.DataFrame, names: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row for each setting: its `runs`, pair -> run, and the means over its pairs; and a row for each of its pairs.

    names: of the parameters that vary.
    """
    bars = {f"{ruler}_bar" for ruler in RULERS}
    numbers = good.assign(**{bar: good[bar] if bar in good else float("nan") for bar in bars})[[*RULERS, *bars]]
    key = good[names].astype(str).agg("\n".join, axis=1) if names else pd.Series("", index=good.index)
    # Repeats count as one, or a pair with more of them would count more.
    of_pairs = numbers.groupby([key, good[PAIR]], sort=False).mean()
    means = of_pairs.groupby(level=0, sort=False).agg(lambda of_setting: of_setting.mean(skipna=False))
    told = good.groupby(key, sort=False)[names].first() if names else pd.DataFrame(index=means.index)
    chosen: dict[str, dict[str, str]] = {}
    for setting, pair, run_id in zip(key, good[PAIR], good["run_id"], strict=True):
        chosen.setdefault(setting, {}).setdefault(pair, run_id)
    told = told.assign(is_default=good.groupby(key, sort=False)["is_default"].any(), runs=pd.Series(chosen))
    return told.join(means), of_pairs[list(RULERS)]


def _told(
    settings: pd.DataFrame,
    of_pairs: pd.DataFrame,
    titles: Mapping[Any, Mapping[str, Any]],
    aim: Aim,
    scores: pd.Series,
) -> Recommended:
    key = scores.idxmax()
    row = settings.loc[key]
    bars = {ruler: row[f"{ruler}_bar"] for ruler in RULERS}
    # Without bars noise tells nothing: a comparison with NaN is false.
    apart = {ruler: (settings[ruler] - row[ruler]).abs() for ruler in RULERS}
    near = [apart[ruler] <= settings[f"{ruler}_bar"] + bars[ruler] for ruler in RULERS]
    as_good = (near[0] & near[1]) | (scores >= AS_GOOD * scores[key])
    alike = scores[as_good & (settings.index != key)].sort_values(ascending=False, kind="stable")
    own = of_pairs.loc[key]
    beaten = {pair: _beaten(of_pairs.xs(pair, level=1), numbers) for pair, numbers in own.iterrows()}
    return Recommended(
        aim,
        titles[key],
        float(scores[key]),
        {ruler: float(row[ruler]) for ruler in RULERS},
        {ruler: None if pd.isna(bar) else float(bar) for ruler, bar in bars.items()},
        row["runs"],
        {str(pair): numbers.astype(float).to_dict() for pair, numbers in own.iterrows()},
        {str(pair): titles[other] for pair, other in beaten.items() if other is not None},
        len(settings),
        tuple(titles[other] for other in alike.index),
    )


def _beaten(of_pair: pd.DataFrame, numbers: pd.Series) -> Any:
    """Of the settings that have more of both numbers in a pair, the one with the most in sum; None if none has."""
    more = of_pair[(of_pair > numbers).all(axis=1)]
    return None if more.empty else more.sum(axis=1).idxmax()


def changed(values: pd.Series, default: list[dict[str, Any]]) -> dict[str, Any]:
    """The values in which a setting differs from the default; all of them where there is none."""
    return {name: value for name, value in values.items() if not default or default[0][name] != value}
