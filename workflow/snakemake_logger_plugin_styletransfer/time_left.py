"""How long jobs still take: as estimated, times how much longer those took that have ended."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path

from styletransfer.analysis import device_usage
from styletransfer.results.estimates import Estimates
from styletransfer.runs.layout import RUN_FILES
from styletransfer.study.plan import Study

POOL = Path("results/runs")


def expected_seconds(study: Study, kind: str, size: int, pool: Path = POOL) -> dict[str, float]:
    """By what its command chooses (`transfer.smk`), how long each job takes that has runs without a result.

    size: of batches; 0 where every run is a job.
    """
    estimates = Estimates(study, kind)
    jobs = {f"--run {run_id}": [run_id] for run_id in study.runs}
    if size:
        jobs = {f"--batch {number} --batch-size {size}": ids for number, ids in enumerate(study.batches(size), start=1)}
    left = {
        job: [study.runs[run_id] for run_id in run_ids if not (pool / run_id / RUN_FILES["record"]).exists()]
        for job, run_ids in jobs.items()
    }
    return {job: estimates.job_seconds(runs) for job, runs in left.items() if runs}


class TimeLeft:
    """Of jobs that begin and end. Those that are not `planned` take as long as the mean of the others."""

    def __init__(self) -> None:
        self._waiting: dict[str, float] = {}
        self._begun: dict[str, tuple[float, float]] = {}  # when, and the seconds that are expected
        self._ratios: list[float] = []

    def plan(self, expected: Mapping[str, float]) -> None:
        """Jobs that have not begun, with the seconds that each takes."""
        self._waiting = dict(expected)

    def begin(self, job: str) -> None:
        """The job begins; it may have failed before."""
        expected = self._waiting.pop(job, None) or self._mean()
        self._begun[job] = time.monotonic(), expected

    def fail(self, job: str) -> None:
        """The job has ended without a result."""
        if job in self._begun:
            self._waiting[job] = self._begun.pop(job)[1]

    def finish(self, job: str, jobs_left: int) -> float:
        """The job is done. Returns the seconds until that many others are, if as many stay at work as now."""
        if job not in self._begun:
            self.begin(job)
        now, places = time.monotonic(), len(self._begun)
        begun, expected = self._begun.pop(job)
        self._ratios.append((now - begun) / expected)
        ratio = statistics.median(self._ratios)
        running = [max(0.0, ratio * expected - (now - begun)) for begun, expected in self._begun.values()]
        count = max(0, jobs_left - len(running))
        waiting = list(self._waiting.values())[:count]
        waiting += [self._mean()] * (count - len(waiting))
        bars = device_usage.schedule([*running, *(ratio * seconds for seconds in waiting)], places)
        return device_usage.elapsed([*bars, (0, 0.0, 0.0)])

    def _mean(self) -> float:
        known = [*self._waiting.values(), *(seconds for _, seconds in self._begun.values())]
        return statistics.fmean(known) if known else 1.0
