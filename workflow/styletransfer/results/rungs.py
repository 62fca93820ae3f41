"""Which runs of a study go on to its next rung: decided by what was measured of their pictures.

Equal pictures give equal decisions, in whatever order they came; with one exception: a run that has been computed to
the next rung already goes on as well. So a value that is added to a study later competes with all others, and takes
from none what it has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from styletransfer.analysis import ranking
from styletransfer.errors import InputError
from styletransfer.results import readings
from styletransfer.runs.layout import RUN_FILES
from styletransfer.runs.record import IncompleteError, complete_record, find_record, remedy
from styletransfer.study import rungs
from styletransfer.study.plan import Row, Study


class Candidate(NamedTuple):
    """A run that has come to a rung. A number is NaN if it was not measured."""

    pair: str
    parameter: str
    label: str
    is_default: bool
    run_id: str
    status: str
    style_reached: float
    content_kept: float
    is_ahead: bool  # there already at the next rung


def decide(study: Study, pool: Path, iterations: int) -> tuple[Study, pd.DataFrame]:
    """The study at its next rung; and a row for each run that has come to the one before, with why it goes on or not.

    Of each pair as many go on as `rungs.counts` says, the default first. Beside these goes on what a number is missing
    of, and what is there already at the next rung. A run that diverged does not.

    Args:
        study: by its newest decision. Its runs are finished.
        pool: the folder of all runs.
        iterations: those of the next rung.

    Raises:
        InputError: for a run without a whole result.
    """
    steps, share, by = (study.config[key] for key in ("rungs", "rungs_share", "rungs_by"))
    place = steps.index(iterations)
    found: list[pd.DataFrame] = []
    for pair in dict.fromkeys(row.pair for row in study.rows):
        rows = {row.run_id: row for row in study.rows if row.pair == pair}
        come = [row for row in rows.values() if row.settings.iterations == steps[place - 1]]
        candidates = [_candidate(row, pool, iterations) for row in come]
        found.append(decided(candidates, rungs.counts(steps, share, len(rows))[place], by))
    table = pd.concat(found, ignore_index=True)
    return rungs.at(study, iterations, set(table.loc[table["goes_on"], "run_id"])), table


def decided(candidates: Sequence[Candidate], most: int, by: str) -> pd.DataFrame:
    """A row for each candidate of a pair, in their order: its `front` and `rank`, whether it `goes_on`, and `why`.

    Args:
        candidates: in the order of the study, which decides between equals.
        most: how many go on.
        by: `front`, or the number that ranks them.
    """
    ranked = _ranked(candidates, by)
    ahead_of_all = [place for place, _ in ranked if candidates[place].is_default]
    chosen = set([*ahead_of_all, *(place for place, _ in ranked if place not in ahead_of_all)][:most])
    ranks = {place: (front, rank) for rank, (place, front) in enumerate(ranked, start=1)}
    rows = []
    for place, one in enumerate(candidates):
        front, rank = ranks.get(place, (math.nan, math.nan))
        reasons = (
            (one.status == "diverged", False, "diverged"),
            (place not in ranks, True, "not measured"),
            (place in ahead_of_all, True, "the default"),
            (place in chosen, True, "better"),
            (one.is_ahead, True, "computed already"),
            (True, False, "others are better"),
        )
        goes_on, why = next((goes_on, why) for holds, goes_on, why in reasons if holds)
        rows.append({**one._asdict(), "front": front, "rank": rank, "goes_on": goes_on, "why": why})
    return pd.DataFrame(rows, columns=[*Candidate._fields, "front", "rank", "goes_on", "why"]).astype({"goes_on": bool})


def _ranked(candidates: Sequence[Candidate], by: str) -> list[tuple[int, int]]:
    """The places of candidates that went well and are measured, the best first; and the front of each, from 1."""
    whole = [
        place
        for place, one in enumerate(candidates)
        if one.status == "ok" and math.isfinite(one.style_reached + one.content_kept)
    ]
    style, content = (
        np.array([getattr(candidates[place], name) for place in whole]) for name in ("style_reached", "content_kept")
    )
    order, fronts = ranking.order(style, content)
    if by != "front":
        order = np.argsort(-(style if by == "style_reached" else content), kind="stable")
    return [(whole[place], int(fronts[place]) + 1) for place in order]


def _candidate(row: Row, pool: Path, iterations: int) -> Candidate:
    folder = pool / row.run_id
    try:
        record = complete_record(folder / RUN_FILES["record"], run_id=row.run_id, verify=True)
    except IncompleteError as error:
        raise InputError(f"{error}. {remedy(folder)}") from error
    reading = readings.read(folder, record.outputs[RUN_FILES["image"]]) or readings.NOTHING
    ahead = rungs.continued(row.settings, iterations).run_id
    return Candidate(
        *(row.pair, row.parameter, row.label, row.is_default, row.run_id, record.status),
        *(reading.style_reached, reading.content_kept),
        find_record(pool / ahead / RUN_FILES["record"], run_id=ahead) is not None,
    )
