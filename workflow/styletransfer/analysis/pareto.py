"""Which runs no other beats in both content and style loss, and whose losses can be compared at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from styletransfer.optim.terms import MEASURES


def loss_column(term: str) -> str:
    """The column of a loss of the kept picture."""
    return f"best_{term}_unweighted"


def front(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that no other beats in both content and style loss, by content loss."""
    ordered = runs.sort_values([loss_column("content"), loss_column("style")])
    lowest = ordered[loss_column("style")].astype(float).cummin().shift(fill_value=np.inf)
    return ordered[ordered[loss_column("style")] < lowest]


def comparable(runs: pd.DataFrame) -> pd.Series:
    """Which runs went well and measure what the default does (without a default: what the first run does)."""
    reference = runs.sort_values("is_default", ascending=False, kind="stable").iloc[0]
    same = pd.Series(True, index=runs.index)
    for name in MEASURES:
        same &= runs[name] == reference[name]
    return same & (runs["status"] == "ok")
