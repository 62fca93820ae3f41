"""A study at work, as its files tell: which runs are done, at work or stopped, on what, and how long the rest takes.

It reads records, logs and locks in the folders of the runs, and writes nothing; so it goes beside a workflow that is at
work, on this host or on others that share the folder. Showing is left to `dashboard`.
"""

from __future__ import annotations

import collections
import datetime
import functools
import os
import statistics
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from styletransfer import stages
from styletransfer.analysis import device_usage
from styletransfer.results.estimates import Calibration, Estimates, Observation, calibration, finished_here
from styletransfer.runs import status
from styletransfer.runs.layout import RUN_FILES, RUN_LOG
from styletransfer.runs.record import Record
from styletransfer.runs.status import Status
from styletransfer.settings import Settings, default_of
from styletransfer.study.plan import Study, find, newest

if TYPE_CHECKING:
    from styletransfer.runs.history import Progress

# What these tell of is as good as now: older ones may be of another machine.
NEWEST = 50
# So many finished runs show by themselves how much runs differ; before, half and twice the usual are thought possible.
ENOUGH = 4
SILENT_SECONDS = 60.0


@dataclass(frozen=True)
class RunningRun:
    """A run that a process works on. device: empty while it waits for one. seconds: since the attempt began.

    reports: its progress so far, in order. silent: seconds without a report, where that is longer than it should be.
    """

    run_id: str
    label: str
    host: str
    device: str
    seconds: float
    reports: Sequence[Progress]
    silent: float | None = None

    @property
    def last(self) -> Progress | None:
        """Its newest report, if there is any."""
        return self.reports[-1] if self.reports else None


@dataclass(frozen=True)
class DeviceUse:
    """What a device has done and does. seconds: a run took on it in the median; None before the first."""

    name: str
    done: int
    at_work: int
    seconds: float | None


@dataclass(frozen=True)
class TimeLeft:
    """Seconds until the last run ends: if the rest goes like the quicker quarter of runs, as usual, like the slower."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True)
class Snapshot:
    """A study at one moment. time: seconds since 1970. counts: runs by status. newest: finished runs, newest first.

    unprepared: whether pictures or weights are still to be made of which runs are.
    """

    study: str
    time: float
    counts: Mapping[str, int]
    devices: Sequence[DeviceUse]
    at_work: Sequence[RunningRun]
    stopped: Mapping[str, Status]
    newest: Sequence[str]
    diverged: Collection[str]
    labels: Mapping[str, str]
    left: TimeLeft | None
    unprepared: bool = False

    @property
    def total(self) -> int:
        """All runs of the study."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Runs that have a result."""
        return sum(self.counts.get(name, 0) for name in status.WITH_RESULT)

    @property
    def complete(self) -> bool:
        """Whether every run has a result."""
        return self.done == self.total


class Monitor:
    """Looks at the runs of a study in a pool, again and again; what is finished is read once."""

    def __init__(self, watched: Study, pool: Path) -> None:
        self._pool = pool
        # What finished runs of other studies tell.
        self._others = functools.cache(lambda kind: calibration(finished_here(pool, kind)))
        self._look_at(watched)

    def _look_at(self, watched: Study) -> None:
        self._study = watched
        self._pictures = watched.picture_files(watched.runs)
        self._finished: dict[str, Status] = {}
        self.name = watched.name
        self.labels = labels(watched)

    def follow(self) -> bool:
        """Where every run has a result: go on to the study at its next rung, if it is decided. False at the last."""
        if not self._study.goes_on:
            return False
        folder = self._pool.parent / "studies" / self.name
        decided = newest(folder)
        if decided is None:
            return True
        if decided.runs == self._study.runs:
            # Where all diverge, none comes to the last rung.
            return not find(folder).stem.endswith(f"-{self._study.config['rungs'][-1]}")
        self._look_at(decided)
        return True

    def snapshot(self) -> Snapshot:
        """The study now."""
        now = time.time()
        found = {
            run_id: self._finished.get(run_id) or status.run_status(self._pool / run_id).within(self._study.stopped)
            for run_id in self._study.runs
        }
        self._finished = {run_id: one for run_id, one in found.items() if one.finished}
        records = {run_id: one.record for run_id, one in found.items() if one.record}
        at_work = [self._at_work(run_id, one, now) for run_id, one in found.items() if one.name == "running"]
        ended = sorted(records, key=lambda run_id: records[run_id].end, reverse=True)
        return Snapshot(
            study=self._study.name,
            time=now,
            counts=collections.Counter(one.name for one in found.values()),
            devices=device_use(list(records.values()), at_work),
            at_work=at_work,
            stopped={
                run_id: one
                for run_id, one in found.items()
                if not one.finished and one.name not in ("running", "waiting")
            },
            newest=ended,
            diverged={run_id for run_id, one in self._finished.items() if one.name == "diverged"},
            labels=self.labels,
            left=time_left(
                self._study,
                [records[run_id] for run_id in ended[:NEWEST]],
                at_work,
                [self._study.runs[run_id] for run_id, one in found.items() if one.name == "waiting"],
                self._others,
            ),
            unprepared=not all(map(os.path.exists, (self._study.weights.file, *self._pictures))),
        )

    def _at_work(self, run_id: str, one: Status, now: float) -> RunningRun:
        from styletransfer.runs import history  # Snakemake's terminal looks at this module, and has no NumPy

        log = self._pool / run_id / RUN_LOG
        try:
            reports = history.read(log.read_text(encoding="utf-8", errors="replace"))
            silent = now - log.stat().st_mtime
        except OSError:
            reports, silent = [], 0.0
        start = _seconds(one.details.get("start")) or now
        # A log of an attempt before this one tells nothing of it.
        if now - silent < start:
            reports, silent = [], now - start
        return RunningRun(
            run_id=run_id,
            label=self.labels[run_id],
            host=str(one.details.get("host", "")),
            device=str(one.details.get("device", "")),
            seconds=max(0.0, now - start),
            reports=reports,
            silent=silent if silent > max(SILENT_SECONDS, 3 * _interval(reports)) else None,
        )

    def picture(self, run_id: str) -> Path:
        """Where the picture of a finished run lies."""
        return self._pool / run_id / RUN_FILES["image"]

    def colors_of(self, run_id: str) -> Path | None:
        """The content picture of a run, whose colours it may be shown in; None if it has colours by its settings."""
        (content,) = self._study.pictures_of(run_id)["content"]
        return Path(content.file) if self._study.runs[run_id].colors == default_of("colors") else None

    def log(self, run_id: str) -> Path:
        """Where the log of a run lies."""
        return self._pool / run_id / RUN_LOG


def labels(watched: Study) -> dict[str, str]:
    """What people call each run: the first label that the study gives it, with the pair where there are several."""
    several = len({row.pair for row in watched.rows}) > 1
    found: dict[str, str] = {}
    for row in watched.rows:
        seed = f", seed {row.settings.seed}" if row.repeat else ""
        name = f"{row.parameter.replace('_', ' ')} {row.label}".strip() + seed
        found.setdefault(row.run_id, f"{row.pair}: {name}" if several else name)
    return found


def device_use(records: Sequence[Record], at_work: Sequence[RunningRun]) -> list[DeviceUse]:
    """What each device has done and does, by name. records: of finished runs."""
    places = [(record.host, record.device.uuid) for record in records]
    working = [(run.host, run.device) for run in at_work if run.device]
    several = len({host for host, _ in (*places, *working)}) > 1

    def name(place: tuple[str, str]) -> str:
        host, device = place[0], device_usage.short(place[1])
        return f"{host} {device}" if several else device

    seconds: dict[str, list[float]] = {name(place): [] for place in sorted({*places, *working})}
    for place, record in zip(places, records, strict=True):
        seconds[name(place)].append(record.seconds)
    now = collections.Counter(map(name, working))
    return [
        DeviceUse(each, len(took), now[each], statistics.median(took) if took else None)
        for each, took in seconds.items()
    ]


def time_left(
    watched: Study,
    finished: Sequence[Record],
    at_work: Sequence[RunningRun],
    waiting: Sequence[Settings],
    others: Callable[[str], Calibration],
) -> TimeLeft | None:
    """How long a study still takes, if as many runs stay at work as now; None while none has a device.

    finished: runs of late. waiting: those that have not begun. others: by the kind of device, what tells of the speed
    before any run of the study does. Runs that wait for a device are at work as soon as one is free, so they do not
    count as places.
    """
    computing = [run for run in at_work if run.device]
    if not computing:
        return None
    timed = [record for record in finished if record.is_timed]
    estimates = _estimates(watched, timed, computing, others)
    durations = [_seconds_left(run, estimates.seconds(watched.runs[run.run_id])) for run in computing]
    durations += [estimates.seconds(watched.runs[run.run_id]) for run in at_work if not run.device]
    durations += [estimates.seconds(run) for run in waiting]
    likely = device_usage.elapsed(device_usage.schedule(durations, len(computing)))
    ratios = [
        record.seconds / estimates.calibration.seconds(Observation.of(record).work, record.work + 1) for record in timed
    ]
    low, _, high = statistics.quantiles(ratios) if len(ratios) >= ENOUGH else (0.5, 1.0, 2.0)
    return TimeLeft(min(1.0, low) * likely, likely, max(1.0, high) * likely)


def _estimates(
    watched: Study,
    timed: Sequence[Record],
    computing: Sequence[RunningRun],
    others: Callable[[str], Calibration],
) -> Estimates:
    """By finished runs of the study; before the first by runs at work, and before their first steps by `others`."""
    if timed:
        newest = timed[0]
        # Of runs that share a process most have no start of their own.
        found = calibration(timed, least_start=0)
        return Estimates(watched, newest.device.kind, newest.backend_used, newest.threads, found)
    kind = "cpu" if computing[0].device == "cpu" else "gpu"
    by_model = Estimates(watched, kind)
    steps = [
        Observation(by_model.work(watched.runs[run.run_id]), _at_full_width(watched.runs[run.run_id], run.last))
        for run in computing
        if run.last and run.last.seconds_per_iteration
    ]
    return Estimates(watched, kind, calibration=Calibration.by(steps) if steps else others(kind))


def _at_full_width(run: Settings, last: Progress) -> float:
    """Seconds that a step of the last stage takes, going by the newest of a run at work."""
    stage = stages.stage_of(last.iteration, run.stages, run.iterations)
    return (last.seconds_per_iteration or 0.0) / stages.cost(stage, run.stages)


def _seconds_left(work: RunningRun, expected: float) -> float:
    left = work.last.seconds_left if work.last else None
    return max(0.0, expected - work.seconds) if left is None else left


def _interval(reports: Sequence[Progress]) -> float:
    """Seconds between two reports, as the newest two tell it; 0 if there is none to tell."""
    if len(reports) < 2 or reports[-1].seconds_per_iteration is None:
        return 0.0
    return (reports[-1].iteration - reports[-2].iteration) * reports[-1].seconds_per_iteration


def _seconds(timestamp: Any) -> float | None:
    """Seconds since 1970 of a time in a record."""
    try:
        return datetime.datetime.fromisoformat(str(timestamp)).timestamp()
    except ValueError:
        return None
