"""Whose losses compare at all, and which runs no other beats in both style and content."""

from __future__ import annotations

import numpy as np
import pandas as pd

from styletransfer.analysis import noise
from styletransfer.analysis.measures import CONTENT, CONTENT_KEPT, STYLE_REACHED

GROUP, FRONT = "comparable_group", "pareto_front"


def with_columns(runs: pd.DataFrame) -> pd.DataFrame:
    """A table of runs with two more columns, which say what of it compares, and what is best.

    `comparable_group`: a number from 0, equal where unweighted losses compare. `pareto_front`: whether the run went
    well and no other of its pair has more of the style and of the content; of several with equal numbers the first. Of
    settings with repeats their means count, and the first run has it.
    """
    runs = runs.assign(**{GROUP: runs.groupby(list(CONTENT.within), sort=False, dropna=False).ngroup()})
    good = noise.averaged(runs[runs["status"] == "ok"]).dropna(subset=[CONTENT_KEPT.column, STYLE_REACHED.column])
    order = ["pair", CONTENT_KEPT.column, STYLE_REACHED.column]
    ordered = good.sort_values(order, ascending=[True, False, False], kind="stable")
    reached = ordered[STYLE_REACHED.column].astype(float)
    highest_before = reached.groupby(ordered["pair"]).transform(lambda of: of.cummax().shift(fill_value=-np.inf))
    best = ordered[reached > highest_before].set_index(["pair", "run_id"]).index
    return runs.assign(**{FRONT: runs.set_index(["pair", "run_id"]).index.isin(best)})
