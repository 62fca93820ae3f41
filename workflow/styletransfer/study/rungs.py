"""Rungs: after how many steps the runs of a study are compared, and how many of them go on.

All runs take the steps of the first rung, the better part of each pair those of the second, and so on: successive
halving (Jamieson and Talwalkar 2016, arXiv:1502.07943). A run at a rung is the run of that many iterations, under its
own id, and the next rung continues it from its kept state; so nothing is computed twice, and a run that goes all the
way is the run of a study without rungs, byte for byte. What is decided at a rung is written as a plan of the study:
those that go on have the iterations of the next rung, the others stay as they are. Whatever reads a plan reads it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from styletransfer.errors import InputError
from styletransfer.settings import Settings
from styletransfer.stages import count
from styletransfer.study.plan import Study

# Far less than a run or a step, and more than sums of floats are off by.
ROUNDING = 1e-6


def at(study: Study, iterations: int, going: Collection[str] | None = None) -> Study:
    """The study at a rung.

    Args:
        study: before it.
        iterations: of the runs at the rung.
        going: the runs that go on to it, by their ids; the others stay as they are. Default: all.
    """
    rows = (
        dataclasses.replace(row, settings=continued(row.settings, iterations))
        if going is None or row.run_id in going
        else row
        for row in study.rows
    )
    return dataclasses.replace(study, rows=tuple(rows))


def every(study: Study) -> Study:
    """The study with rows for every run that it may come to compute."""
    rungs = study.config.get("rungs")
    if not rungs:
        return study  # which knows its runs already
    rows = (row for iterations in rungs for row in at(study, iterations).rows)
    return dataclasses.replace(study, rows=tuple(rows))


def continued(run: Settings, iterations: int) -> Settings:
    """The run with that many iterations, and everything else as it is."""
    return dataclasses.replace(run, iterations=iterations)


def by_pair(study: Study) -> list[dict[str, Settings]]:
    """The distinct runs of each pair, by their ids."""
    found: dict[str, dict[str, Settings]] = {}
    for row in study.rows:
        found.setdefault(row.pair, {})[row.run_id] = row.settings
    return list(found.values())


def planned(study: Study, run: Settings) -> Settings:
    """A run of the study as it would be all the way: what tables and pages call its iterations."""
    steps = study.config.get("rungs")
    return continued(run, steps[-1]) if steps else run


def counts(rungs: Sequence[int], share: float, runs: int) -> list[int]:
    """How many runs of a pair take part in each rung.

    From each rung about the same part goes on, so many that all together take at most `share` of the steps; but one
    always does.

    Args:
        rungs: steps of a run after each rung, ascending.
        share: of the steps that all runs would take to the last rung.
        runs: of the pair.
    """
    steps = [last - first for first, last in zip((0, *rungs), rungs, strict=False)]
    part = _part(steps, share * rungs[-1])
    found = [runs, *(max(1, int(runs * part**rung + ROUNDING)) for rung in range(1, len(rungs)))]
    left = share * runs * rungs[-1] - sum(many * each for many, each in zip(found, steps, strict=True))
    # Rounding leaves steps over: they go to the last rung first.
    while fitting := [
        rung for rung in range(1, len(rungs)) if found[rung] < found[rung - 1] and steps[rung] <= left + ROUNDING
    ]:
        found[fitting[-1]] += 1
        left -= steps[fitting[-1]]
    return found


def _part(steps: Sequence[int], budget: float) -> float:
    """Which part of the runs goes on from each rung, so that a run takes `budget` steps on average; by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        spent = sum(each * middle**rung for rung, each in enumerate(steps))
        low, high = (middle, high) if spent <= budget else (low, middle)
    return high if low > 1 - 1e-12 else low


def check(config: Mapping[str, Any], runs: Collection[Settings]) -> None:
    """Raise `InputError` for rungs that the runs of the study cannot be stopped at.

    Args:
        config: with its defaults filled in.
        runs: all the way.
    """
    rungs = config["rungs"]
    if not rungs:
        return
    listed = f"rungs is {rungs}"
    if len(rungs) < 2 or rungs != sorted(set(rungs)):
        raise InputError(f"{listed}: list two or more numbers of steps, each larger than the one before")
    if len({run.iterations for run in runs}) > 1:
        raise InputError(
            f"{listed}, and iterations varies: rungs decide how many steps a run takes. Remove iterations, or rungs"
        )
    if (iterations := next(iter(runs)).iterations) != rungs[-1]:
        raise InputError(
            f"{listed}, and iterations is {iterations}: the last rung is all the way. Write defaults: {{iterations: "
            f"{rungs[-1]}}}, or let rungs end with {iterations}"
        )
    if any(count(run.stages) > 1 for run in runs):
        raise InputError(
            f"{listed}, and a run has several stages, which share its iterations: so it cannot go on from one of "
            "fewer. Write stages: 1, or remove rungs"
        )
    if (first := rungs[0] / rungs[-1]) >= (share := config["rungs_share"]):
        raise InputError(
            f"{listed}: the first rung alone takes {first:.0%} of all steps, and rungs_share is {share:.0%}. Begin "
            "with fewer steps, or raise rungs_share"
        )
