"""Whose losses compare at all, and which runs no other beats in both content and style loss."""

from __future__ import annotations

import numpy as np
import pandas as pd

from styletransfer.analysis.measures import CONTENT, STYLE

GROUP, FRONT = "comparable_group", "pareto_front"


def with_columns(runs: pd.DataFrame) -> pd.DataFrame:
    """A table of runs with two more columns, which say what of it compares, and what of that is best.

    `comparable_group`: a number from 0, equal where unweighted losses compare. `pareto_front`: whether the run went
    well and no other of its group beats it in both content and style loss; of several with equal losses the first.
    """
    runs = runs.assign(**{GROUP: runs.groupby(list(CONTENT.within), sort=False, dropna=False).ngroup()})
    good = runs[runs["status"] == "ok"].dropna(subset=[CONTENT.column, STYLE.column])
    ordered = good.sort_values([GROUP, CONTENT.column, STYLE.column], kind="stable")
    style = ordered[STYLE.column].astype(float)
    lowest_before = style.groupby(ordered[GROUP]).transform(lambda losses: losses.cummin().shift(fill_value=np.inf))
    best = ordered[style < lowest_before].set_index([GROUP, "run_id"]).index
    return runs.assign(**{FRONT: runs.set_index([GROUP, "run_id"]).index.isin(best)})


def compares_with_default(runs: pd.DataFrame) -> pd.Series:
    """Which runs went well and measure what the default does; without a default, what the first run does."""
    reference = runs.sort_values("is_default", ascending=False, kind="stable")[GROUP].iloc[0]
    return (runs[GROUP] == reference) & (runs["status"] == "ok")
