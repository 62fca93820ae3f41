"""How long a study's runs take, and how much memory: what plans, limits of jobs and the time left go by.

The model is in `costs`. Finished runs of this machine, of whatever study and size, correct it by how much slower or
faster they were (`Calibration`).
"""

from __future__ import annotations

import collections
import functools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from styletransfer import stages
from styletransfer.devices import host, precision
from styletransfer.errors import InputError
from styletransfer.results.costs import LATER_SECONDS, PROCESS_SECONDS, START_SECONDS, Way, Work
from styletransfer.results.plan import picture_size
from styletransfer.runs.layout import RUN_FILES
from styletransfer.runs.record import Record, find_record
from styletransfer.settings import Settings
from styletransfer.study.plan import Source, Study

MEGA = 1e6
# Where the size of a picture is not known, as in an environment that only plans: that of a photograph.
UNKNOWN_SIZE = (1024, 1024)

# How many of the newest runs an estimate goes by, and how many are looked through for them.
NEWEST, SEARCHED = 30, 300
# Less than any process takes to start TensorFlow, in seconds.
LEAST_START = 1.0

# Limits for a scheduler: more than the estimate by these factors, the time by less where finished runs tell of it.
MEMORY_MARGIN = 1.2
TIME_MARGIN, UNCALIBRATED_MARGIN = 2.0, 4.0
# `runs_per_job: auto`: of a job's time its start takes at most this share. Runs that take as many seconds or more are
# jobs of their own: so each is followed, stopped and tried again by itself.
START_SHARE, LONG_RUN_SECONDS = 0.1, 30.0
MOST_RUNS_PER_JOB = 100
# Beside the runs, for a job of a cluster: it starts Snakemake and TensorFlow, and waits for files.
MINUTES_BESIDE = 5


class Observation(NamedTuple):
    """What a run took. beside: seconds beside its steps, of which one evaluation; None where that is not known.

    seconds_per_iteration: of the last stage, at the full width.
    """

    work: Work
    seconds_per_iteration: float
    beside: float | None = None

    @classmethod
    def of(cls, record: Record) -> Observation:
        """That of a finished run of one step or more."""
        pixels = record.width * record.height / MEGA
        styles = [scale**2 * pixels for scale in record.settings["style_scales"]]
        work = Work(
            Way(record.device.kind, record.backend_used.removesuffix("-xla"), record.precision_used),
            record.settings["optimizer"],
            pixels,
            pixels + sum(styles),
            max(styles),
            record.threads,
        )
        beside = record.seconds - record.iterations_done * record.seconds_per_iteration
        of_full_width = record.seconds_per_iteration * (record.iterations_done / record.work if record.work else 1)
        return cls(work, of_full_width, None if record.resumed else beside)


@dataclass(frozen=True)
class Calibration:
    """How runs compare with the model. ratios: seconds taken to seconds by the model, by way. start: seconds, if known.

    runs: how many it goes by. name: of their device.
    """

    ratios: Mapping[Way, float] = field(default_factory=dict)
    usual: float = 1.0
    start: float | None = None
    runs: int = 0
    name: str = ""

    @classmethod
    def by(cls, observations: Sequence[Observation], name: str = "", least_start: float = LEAST_START) -> Calibration:
        """Medians, which one run that had to wait does not change.

        least_start: a run that took less beside its looks and evaluations was not the first of its process.
        """
        if not observations:
            return cls()
        found = collections.defaultdict(list)
        for work, seconds, _ in observations:
            found[work.way].append(seconds / work.evaluation_seconds)
        ratios = {way: statistics.median(each) for way, each in found.items()}
        starts = [
            beside - ratios[work.way] * (work.look_seconds + work.evaluation_seconds)
            for work, _, beside in observations
            if beside is not None
        ]
        starts = [seconds for seconds in starts if seconds > least_start]
        usual = statistics.median(ratio for each in found.values() for ratio in each)
        return cls(ratios, usual, statistics.median(starts) if starts else None, len(observations), name)

    def ratio(self, way: Way) -> float:
        """Of runs that compute that way, or of all."""
        return self.ratios.get(way, self.usual)

    def start_seconds(self, kind: str) -> float:
        """Of the first run of a process, beside looks and evaluations."""
        return START_SECONDS[kind] if self.start is None else self.start

    def seconds(self, work: Work, evaluations: float) -> float:
        """What a record of such a run would say. evaluations: at the full width."""
        taken = work.look_seconds + evaluations * work.evaluation_seconds
        return self.start_seconds(work.way.kind) + self.ratio(work.way) * taken


def finished_here(pool: Path, kind: str, anywhere: bool = False) -> list[Record]:
    """The newest runs in a pool that were computed on such a device as this machine has; newest first.

    anywhere: on whatever device of that kind, since runs are submitted to other machines. Where there is no GPU, runs
    on whatever GPU tell as well.
    """
    paths = sorted(pool.glob(f"*/{RUN_FILES['record']}"), key=_modified, reverse=True)
    found = [record for path in paths[:SEARCHED] if (record := find_record(path)) and record.is_timed]
    found = [record for record in found if record.device.kind == kind]
    if anywhere or not found:  # a driver that may hang is not asked in vain
        return found[:NEWEST]
    names = (precision.cpu_model(),) if kind == "cpu" else host.gpu_names() or ("",)
    return [record for record in found if record.computed_on[0].startswith(names)][:NEWEST]


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed meanwhile
        return 0.0


def calibration(records: Iterable[Record], least_start: float = LEAST_START) -> Calibration:
    """What finished runs tell; `Calibration.by` has the arguments."""
    timed = [record for record in records if record.is_timed]
    names = collections.Counter(record.computed_on[0] for record in timed).most_common(1)
    return Calibration.by([Observation.of(record) for record in timed], names[0][0] if names else "", least_start)


class Estimates:
    """Time and memory of a study's runs.

    Args:
        study: whose runs.
        kind: of the device, `cpu` or `gpu`.
        backend: as the config has it.
        threads: of a run on the CPU.
        calibration: what finished runs tell.
    """

    def __init__(
        self,
        study: Study,
        kind: str,
        backend: str = "auto",
        threads: int = 1,
        calibration: Calibration = Calibration(),
    ) -> None:
        self._study, self.kind, self._threads = study, kind, threads
        self._backend = backend
        self.calibration = calibration

    def work(self, run: Settings) -> Work:
        """What a run has to do."""
        content = self._sizes[run.content.name]
        width = run.width or content[0]
        result = _megapixels(content, width)
        styles = [
            _megapixels(self._sizes[style.name], scale * width)
            for style, scale in zip(run.styles, run.style_scales, strict=True)
        ]
        used = _number_format(run.precision, self.kind)
        backend = precision.DEFAULT_BACKEND[self.kind, used] if self._backend == "auto" else self._backend
        way = Way(self.kind, backend.removesuffix("-xla"), used)
        return Work(way, run.optimizer, result, result + sum(styles), max(styles), self._threads)

    def seconds(self, run: Settings, done: int = 0) -> float:
        """Of a run in a process of its own. done: evaluations that it need not make again."""
        return self.job_seconds([run], {run.run_id: done})

    def job_seconds(self, runs: Iterable[Settings], done: Mapping[str, int] | None = None) -> float:
        """Of runs that one process computes one after another: they share its start, and looks at the same pictures.

        done: by run id, evaluations that it need not make again.
        """
        seconds, seen = PROCESS_SECONDS + self.calibration.start_seconds(self.kind) - LATER_SECONDS, None
        for run in runs:
            work = self.work(run)
            looks = run.content, run.styles, run.width, run.style_scales, run.pooling, run.kernel_layout, work.way
            left = 1 + stages.work(run.stages, run.iterations, first=(done or {}).get(run.run_id, 0))
            taken = left * work.evaluation_seconds + (work.look_seconds if looks != seen else 0.0)
            seconds, seen = seconds + LATER_SECONDS + self.calibration.ratio(work.way) * taken, looks
        return seconds

    def runs_per_job(self, places: int) -> int:
        """As many runs as `runs_per_job: auto` puts into a job.

        Args:
            places: how many jobs are computed at once. Each gets equally many, as far as there are runs.
        """
        runs = self._study.runs.values()
        start = PROCESS_SECONDS + self.calibration.start_seconds(self.kind) - LATER_SECONDS
        seconds = (self.job_seconds(runs) - start) / len(runs)
        if seconds >= LONG_RUN_SECONDS:
            return 1
        wanted = math.ceil((1 / START_SHARE - 1) * start / seconds)
        jobs = places * max(1, len(runs) // (wanted * places))
        return min(MOST_RUNS_PER_JOB, math.ceil(len(runs) / jobs))

    def memory_mb(self, run_ids: Iterable[str]) -> float:
        """Of a process that computes these runs one after another; in MB (10^6 bytes)."""
        return max(self.work(self._study.runs[run_id]).memory_mb for run_id in run_ids)

    def memory_limit_mb(self, run_ids: Iterable[str]) -> int:
        """What a job of these runs asks a scheduler for."""
        return round(MEMORY_MARGIN * self.memory_mb(run_ids))

    def minutes_limit(self, run_ids: Iterable[str]) -> int:
        """The time after which a job of these runs is taken for stuck."""
        margin = TIME_MARGIN if self.calibration.runs else UNCALIBRATED_MARGIN
        seconds = self.job_seconds(self._study.runs[run_id] for run_id in run_ids)
        return math.ceil(2 * MINUTES_BESIDE + margin * seconds / 60)

    @functools.cached_property
    def _sizes(self) -> dict[str, tuple[int, int]]:
        """Width and height of each picture."""
        return {name: _size(name, source) for name, source in self._study.pictures.items()}


def _megapixels(size: tuple[int, int], width: float) -> float:
    return width * width * size[1] / size[0] / MEGA


def _size(name: str, source: Source) -> tuple[int, int]:
    try:
        return picture_size(name, source) or UNKNOWN_SIZE
    except (ImportError, InputError):
        return UNKNOWN_SIZE


def _number_format(wanted: str, kind: str) -> str:
    """What a precision becomes on a device, as far as it can be told without loading TensorFlow."""
    if kind == "gpu":
        return "bfloat16" if wanted == "auto" else wanted
    return "bfloat16" if wanted in ("auto", "bfloat16") and "bfloat16" in precision.cpu_formats() else "float32"
