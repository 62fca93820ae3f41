"""All that a GPU is measured by, within minutes, part by part: what has no time left is left out, and said so."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import itertools
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from styletransfer.benchmarks.gpu_steps import Device, Way
from styletransfer.benchmarks.measure import NO_TIME, Options, finish, seconds_of, started
from styletransfer.benchmarks.workflow import snakemake_words, study_of, transfer_words
from styletransfer.devices import host, precision
from styletransfer.errors import InputError
from styletransfer.optim.stylize import BACKENDS
from styletransfer.runs.layout import state_file
from styletransfer.runs.record import Record

PRECISIONS = ("bfloat16", "tensorfloat32", "float32")
# Iterations of the long run, of a run of the study, and of what has to last for some seconds unless it is told.
LONG, OF_STUDY, SOME_SECONDS = 1000, 200, 4.0
RESUMABLE = ("--resume", "--state-seconds", "0.5")
WORKFLOWS = 2


@dataclass(frozen=True)
class Wanted:
    """What is measured.

    Args:
        options: the weights, the device, and the width of whole runs and of the study.
        widths: of single steps; the first is also that of runs that share the device.
        precisions: of `PRECISIONS`.
        backends: of `stylize.BACKENDS`.
        slots: how many processes share the device.
        runs: of the study.
        iterations: of each run, for trials; default: as many as tell something.
    """

    options: Options
    widths: Sequence[int] = (256, 512, 1024)
    precisions: Sequence[str] = PRECISIONS
    backends: Sequence[str] = tuple(BACKENDS)
    slots: Sequence[int] = (1, 2, 4)
    runs: int = 24
    iterations: int | None = None


@dataclass
class Bench:
    """What is known so far, and how much time is left.

    Args:
        wanted: what is measured.
        folder: for runs and studies.
        found: figures by part.
    """

    wanted: Wanted
    folder: Path
    found: dict[str, Any] = field(default_factory=dict)
    end: float = 0.0

    @property
    def left(self) -> float:
        """Seconds of this part. Raises `InputError` if there is none."""
        if (seconds := self.end - time.monotonic()) <= 0:
            raise InputError(NO_TIME)
        return seconds

    def note(self, part: str, name: Any, measure: Callable[[], Any]) -> None:
        """Keep a figure, or why there is none; again if there was no time before."""
        found = self.found.setdefault(part, {})
        if str(found.get(name, NO_TIME)).startswith(NO_TIME):
            try:
                found[name] = measure()
            except InputError as error:
                found[name] = str(error)

    def ask(self, part: str, name: Any, device: Device, *question: Any) -> None:
        """Likewise, what a device answers."""
        self.note(part, name, lambda: device.ask(self.left, *question))

    def precisions(self) -> list[str]:
        """Those that the device has, as far as is known."""
        return [name for name in self.wanted.precisions if isinstance(self.found.get("products", {}).get(name), dict)]

    def step(self, name: str, width: int) -> dict[str, Any] | None:
        """The figures of the default backend."""
        found = self.found.get("steps", {}).get((Way(name, default_backend(name, self)), width))
        return found if isinstance(found, dict) else None

    def iterations(self, name: str, width: int) -> int:
        """So many that a run lasts for some seconds."""
        step = self.step(name, width)
        some = LONG if step is None else round(SOME_SECONDS / step["seconds per iteration"])
        return self.wanted.iterations or min(max(some, 20), LONG)


def default_backend(name: str, bench: Bench) -> str:
    """What `backend: auto` is in a precision."""
    return precision.DEFAULT_BACKEND.get((bench.wanted.options.device, name), "analytic")


def measure_gpu(wanted: Wanted, seconds: float, write: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Measure all parts in turn, in no more time than that.

    Args:
        wanted: what to measure.
        seconds: for all of it.
        write: called with all figures after each part.

    Raises:
        MachineError: if there is no such device, or TensorFlow does not find it.
    """
    device = wanted.options.device
    begin = time.monotonic()
    host.check(device, device, 1, max(wanted.slots))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(wanted, Path(folder))
        bench.found["budget, seconds"] = seconds
        for name, share, measure in PARTS:
            # What a part does not need is the next one's.
            bench.end = begin + share * seconds
            print(f"{time.monotonic() - begin:4.0f} s: {name}", flush=True)
            with contextlib.suppress(InputError):
                measure(bench)
            bench.found["seconds"] = round(time.monotonic() - begin)
            write(bench.found)
    return bench.found


def measure_steps(bench: Bench) -> None:
    """The machine; products of matrices; and all backends, those that are not compiled first."""
    wanted = bench.wanted
    uncompiled = sorted(wanted.backends, key=lambda name: BACKENDS[name].compiled)
    with Device(wanted.options) as device:
        bench.ask("machine", "device", device, "device")
        bench.found["machine"] |= {
            "driver": host.driver(),
            "python": platform.python_version(),
            "date": datetime.date.today().isoformat(),
        }
        for name in wanted.precisions:
            bench.ask("products", name, device, "products", name)
        # The typical width first, if there is not enough time for all.
        widths = sorted(wanted.widths, key=lambda width: width != wanted.options.width)
        for compiled, width in itertools.product((False, True), widths):
            for way in (Way(*both) for both in itertools.product(wanted.precisions, uncompiled)):
                if BACKENDS[way.backend].compiled == compiled:
                    bench.ask("steps", (way, width), device, "step", *way, width)


def measure_bytes(bench: Bench) -> None:
    """Whether a run gives the same bytes again, and after it was killed and went on."""
    for name in bench.precisions():
        bench.note("bytes", name, functools.partial(_repeated, bench, name))


def _repeated(bench: Bench, name: str) -> dict[str, Any]:
    options = bench.wanted.options
    options = dataclasses.replace(options, iterations=bench.iterations(name, options.width))
    first, again, resumed = (bench.folder / f"{which}-{name}.json" for which in ("first", "again", "resumed"))
    for record in (first, again):
        _run(bench, record, options, name, RESUMABLE)
    _kill(bench, resumed, options, name)
    _run(bench, resumed, options, name, RESUMABLE)
    return {
        "iterations": options.steps,
        "again": same_bytes(first, again),
        "killed and resumed": same_bytes(first, resumed),
    }


def _run(
    bench: Bench, record: Path, options: Options, name: str = "auto", more: Sequence[str] = ()
) -> tuple[float, Record]:
    """The seconds of a run by the command, and its record. What it costs beside its iterations is kept."""
    seconds = seconds_of([*transfer_words(record, options, name), *more], bench.left)
    run = Record.read(record)
    if not run.resumed:
        outside = seconds - (run.iterations_done + 1) * run.seconds_per_iteration
        bench.found.setdefault("outside", []).append(round(outside, 2))
    return seconds, run


def _kill(bench: Bench, record: Path, options: Options, name: str) -> None:
    """Kill a run as soon as it has a state. Raises `InputError` if it had ended by then."""
    words = [*transfer_words(record, options, name), *RESUMABLE]
    with started(words) as process:
        while not state_file(record).exists() and process.poll() is None and bench.left:
            time.sleep(0.01)
        process.kill()
        process.wait()
    if record.exists():
        raise InputError(f"{options.steps} iterations had ended before they could be killed")


def same_bytes(record: Path, other: Path) -> bool:
    """Whether picture and losses of two runs are equal to the bit."""
    endings = (".png", ".csv")
    return all(record.with_suffix(end).read_bytes() == other.with_suffix(end).read_bytes() for end in endings)


def measure_run(bench: Bench) -> None:
    """A run of 1000 iterations as a user starts it."""
    options = dataclasses.replace(bench.wanted.options, iterations=bench.wanted.iterations or LONG)

    def run() -> dict[str, Any]:
        seconds, made = _run(bench, bench.folder / "long.json", options)
        return {
            "iterations": options.steps,
            "computed in": f"{made.precision_used}, {made.backend_used}",
            "seconds": round(seconds, 1),
            "seconds per iteration": made.seconds_per_iteration,
            "host memory, MiB": made.peak_memory_mib,
            "gpu": made.gpu,
        }

    bench.note("run", options.width, run)


def measure_slots(bench: Bench) -> None:
    """Iterations per second of several processes on one device."""
    width = bench.wanted.widths[0]
    (name, *_) = bench.precisions() or ["float32"]
    for count in bench.wanted.slots:
        bench.note("slots", count, functools.partial(_together, bench, name, width, count))


def _together(bench: Bench, name: str, width: int, count: int) -> float:
    options = dataclasses.replace(bench.wanted.options, slots=count)
    steps = bench.iterations(name, width)
    with contextlib.ExitStack() as all_of_them:
        devices = [all_of_them.enter_context(Device(options)) for _ in range(count)]
        for device in devices:
            device.tell("step", name, default_backend(name, bench), width)
        for device in devices:
            device.answer(bench.left)
        for device in devices:
            device.tell("more", steps)
        return count * steps / max([device.answer(bench.left) for device in devices])


def measure_study(bench: Bench) -> None:
    """A study in batches of half its runs, up to the contact sheet."""
    wanted, folder = bench.wanted, bench.folder / "study"

    def study() -> dict[str, Any]:
        batch = max(1, wanted.runs // 2)
        options = dataclasses.replace(wanted.options, iterations=wanted.iterations or OF_STUDY)
        config = study_of(options, wanted.runs) | {"runs_per_job": batch}
        sheet = f"results/studies/{config['study']}/figures/contact_sheet.png"
        seconds = seconds_of([*snakemake_words(folder, config), sheet], bench.left)
        records = list(_records(folder))
        outside = [record.seconds - record.iterations_done * record.seconds_per_iteration for record in records]
        return {
            "runs": len(records),
            "runs per job": batch,
            "iterations": options.steps,
            "seconds": round(seconds, 1),
            "seconds of a run in its batch": round(statistics.median(record.seconds for record in records), 2),
            "of them outside iterations": round(statistics.median(outside), 2),
        }

    bench.note("study", wanted.options.width, study)


def measure_workflows(bench: Bench) -> None:
    """Two workflows at once on one device: whether both end, and no two runs ever have the device at the same time."""
    wanted = bench.wanted

    def both() -> dict[str, Any]:
        folders = [bench.folder / f"workflow-{number}" for number in range(WORKFLOWS)]
        for folder in folders:
            folder.mkdir()
            # Weights and pictures that the study has prepared.
            (folder / "resources").symlink_to(bench.folder / "study/resources")
        began = time.monotonic()
        steps = wanted.iterations or OF_STUDY
        options = dataclasses.replace(wanted.options, width=wanted.widths[0], iterations=steps)
        config = study_of(options, WORKFLOWS) | {"runs_per_job": WORKFLOWS}
        table = f"results/studies/{config['study']}/runs.csv"
        commands = [[*snakemake_words(folder, config), table] for folder in folders]
        with contextlib.ExitStack() as all_of_them:
            processes = [all_of_them.enter_context(started(words)) for words in commands]
            for process, words in zip(processes, commands, strict=True):
                finish(process, words, bench.left)
        spans = sorted((record.start, record.end) for folder in folders for record in _records(folder))
        return {
            "runs": len(spans),
            "seconds": round(time.monotonic() - began, 1),
            "at the same time": sum(after[0] < before[1] for before, after in itertools.pairwise(spans)),
        }

    bench.note("workflows", WORKFLOWS, both)


def _records(folder: Path) -> Iterator[Record]:
    return map(Record.read, folder.glob("results/runs/*/run.json"))


# What is measured, and by which share of the time it must have ended.
PARTS: tuple[tuple[str, float, Callable[[Bench], None]], ...] = (
    ("products of matrices, and steps", 0.36, measure_steps),
    ("a long run", 0.44, measure_run),
    ("the same bytes again, and after a kill", 0.58, measure_bytes),
    ("several runs on one device", 0.68, measure_slots),
    ("a study", 0.88, measure_study),
    ("two workflows at once", 0.97, measure_workflows),
    ("steps that had no time", 0.98, measure_steps),
    ("bytes that had no time", 0.99, measure_bytes),
)
