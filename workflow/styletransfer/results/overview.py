"""What a study would compute: rows per parameter, what is there already, and what the rest takes in time and memory."""

from __future__ import annotations

import dataclasses
import itertools
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from styletransfer.analysis import device_usage
from styletransfer.devices import host
from styletransfer.results.estimates import Estimates, calibration, finished_here
from styletransfer.results.plan import picture_size
from styletransfer.runs.layout import RUN_FILES, state_file
from styletransfer.runs.record import find_record
from styletransfer.settings import Settings
from styletransfer.study import rungs
from styletransfer.study.plan import Study
from styletransfer.text import duration, number_text

# A result that is this many times as wide as its photograph is told.
ENLARGED = 2
# Rows that are about no parameter: of every design but the star, and the star's defaults.
ALL_AT_ONCE = "(all together)"
TABLE = {
    "cpu": "a table (docs/estimates.md), as no run has been finished on a CPU like this",
    "gpu": "a P100 of 2018 (docs/estimates.md), as no run has been finished on a GPU like this",
}


def summary(
    study: Study, pool: Path, estimates: Estimates, at_once: int = 1, size: int = 1, device: str = "auto"
) -> str:
    """What a study would run: rows per parameter, new, cached and shared runs, and what the new ones take.

    Args:
        study: which. Of one with rungs: at any.
        pool: the folder of all runs.
        estimates: of its runs.
        at_once: how many jobs are computed at the same time, if there is memory for them.
        size: of a job, in runs.
        device: what the config says.
    """
    steps = study.config.get("rungs")
    study = rungs.at(study, steps[0]) if steps else study
    finished = _finished(study, pool)
    lines = [f"study {study.name}: {len(study.rows)} rows, {len(study.runs)} distinct runs", *_pairs(study), ""]
    lines.append(f"  {'parameter':24} {'rows':>6} {'new':>6} {'cached':>6} {'shared':>6}")
    seen: set[str] = set()
    for parameter in dict.fromkeys(row.parameter for row in study.rows):
        rows = [row for row in study.rows if row.parameter == parameter]
        runs = {row.run_id for row in rows} - seen
        seen |= runs
        cached = len(runs & finished)
        lines.append(
            f"  {parameter or ALL_AT_ONCE:24} {len(rows):6} {len(runs) - cached:6} {cached:6} {len(rows) - len(runs):6}"
        )
    new = [run_id for run_id in study.runs if run_id not in finished]
    later = list(_later(study, pool, estimates)) if steps else []
    notes = [
        *study.unused(device),
        *study.repeats(),
        *(_of_rungs(study) if steps else []),
        *of_equal_width(study),
        *enlarged(study),
        f"{len(new)} new runs, {len(finished)} cached" + (f"; at most {len(later)} runs go on" if steps else ""),
    ]
    if new or later:
        notes += _expected(study, new, later, pool, estimates, at_once, size)
    return "\n".join([*lines, "", *(f"  {note}" for note in notes)])


def _finished(study: Study, pool: Path) -> set[str]:
    """The runs of a study that have a result."""
    return {run_id for run_id in study.runs if find_record(pool / run_id / RUN_FILES["record"], run_id=run_id)}


def _of_rungs(study: Study) -> list[str]:
    """How many runs take how many steps at most, in a line."""
    steps = study.config["rungs"]
    every = [rungs.counts(steps, study.config["rungs_share"], len(of_pair)) for of_pair in rungs.by_pair(study)]
    counts = [sum(each) for each in zip(*every, strict=True)]
    spent = sum(count * (last - first) for count, first, last in zip(counts, (0, *steps), steps, strict=False))
    every_step = counts[0] * steps[-1]
    listed = ", ".join(f"{count:,} to {rung:,}" for count, rung in zip(counts, steps, strict=True))
    return [f"rungs: {listed} steps; at most {spent:,} of {every_step:,} steps ({spent / every_step:.0%})"]


def _later(study: Study, pool: Path, estimates: Estimates) -> Iterator[tuple[Settings, int]]:
    """The runs that may go on from each rung and are not there yet, those that take longest; and their steps so far.

    study: at its first rung.
    """
    steps, share = study.config["rungs"], study.config["rungs_share"]
    for place in range(1, len(steps)):
        there = rungs.at(study, steps[place])
        finished = _finished(there, pool)
        for runs in rungs.by_pair(there):
            most = rungs.counts(steps, share, len(runs))[place] - len(finished & set(runs))
            left = [run for run_id, run in runs.items() if run_id not in finished]
            left.sort(key=lambda run: estimates.work(run).evaluation_seconds, reverse=True)
            yield from ((run, steps[place - 1]) for run in left[: max(0, most)])


def _expected(
    study: Study,
    new: Sequence[str],
    later: Sequence[tuple[Settings, int]],
    pool: Path,
    estimates: Estimates,
    at_once: int,
    size: int,
) -> Iterator[str]:
    """What new runs take, and those that go on later from so many steps, in words."""
    done = evaluations_kept(new, pool)
    if done:
        yield f"{len(done)} of the new runs resume from where they were stopped"
    left = set(new)
    batches = [[study.runs[run_id] for run_id in batch if run_id in left] for batch in study.batches(size)]
    jobs = [estimates.job_seconds(batch, done) for batch in batches if batch]
    jobs += [estimates.seconds(run, done=taken) for run, taken in later]
    memory, available = estimates.memory_mb(new or study.runs), host.memory_mb()
    places = max(1, min(at_once, len(jobs), available // estimates.memory_limit_mb(new or study.runs)))
    wall = device_usage.elapsed(device_usage.schedule(jobs, places))
    together = f" ({duration(wall)} with {places} {'runs' if size == 1 else 'jobs'} at once)" if places > 1 else ""
    most = "at most about" if later else "about"
    if size > 1 and new:
        yield f"up to {size} runs share a job, and its start (runs_per_job)"
    yield f"{most} {duration(sum(jobs))} of device time{together}, going by {basis(estimates)}"
    yield f"a run takes up to about {memory / 1000:.1f} GB of memory"
    yield from too_large(estimates, new or list(study.runs), available)


def estimates_of(
    study: Study, pool: Path, kind: str, backend: str = "auto", threads: int = 1, anywhere: bool = False
) -> Estimates:
    """Estimates that go by finished runs of a pool: on such a device as this machine's, or `anywhere`."""
    return Estimates(study, kind, backend, threads, calibration(finished_here(pool, kind, anywhere)))


def basis(estimates: Estimates) -> str:
    """What estimates go by, in words."""
    found = estimates.calibration
    return f"{found.runs} finished runs on {found.name}" if found.runs else TABLE[estimates.kind]


def evaluations_kept(run_ids: Sequence[str], pool: Path) -> dict[str, int]:
    """By run, how many evaluations its state spares it; of those that have one."""
    try:
        from styletransfer.runs import checkpoint
    except ImportError:  # an environment that only plans
        return {}
    kept = {run_id: checkpoint.iteration_of(state_file(pool / run_id / RUN_FILES["record"])) for run_id in run_ids}
    return {run_id: count for run_id, count in kept.items() if count}


def too_large(estimates: Estimates, run_ids: Sequence[str], available: int) -> list[str]:
    """A line if a run needs more memory than there is, in MB."""
    memory = estimates.memory_mb(run_ids)
    if memory <= available:
        return []
    return [
        f"a run needs about {memory / 1000:.1f} GB of memory, and there are {available / 1000:.1f} GB for it here: "
        "choose a smaller width or style_scales, or compute on a larger machine"
    ]


def of_equal_width(study: Study) -> list[str]:
    """A line about runs without a width that come to the pixels of others, since their content is as wide as those."""
    alike = 0
    for run in study.runs.values():
        size = _size(study, run.content.name) if run.width is None else None
        alike += size is not None and dataclasses.replace(run, width=size[0]).run_id in study.runs
    runs = "1 run" if alike == 1 else f"{alike} runs"
    return [f"width null is the width of the content: {runs} with it, the same pixels as others"] if alike else []


def enlarged(study: Study) -> list[str]:
    """A line for each photograph of which results are more than twice as wide."""
    widest: dict[str, int] = {}
    for run in study.runs.values():
        widest[run.content.name] = max(widest.get(run.content.name, 0), run.width or 0)
    lines = []
    for name, width in widest.items():
        size = _size(study, name)
        if size and width > ENLARGED * size[0]:
            lines.append(
                f"{name}: {width:,} px is {number_text(width / size[0], 2)} times the photograph's {size[0]:,} px: "
                "enlarging costs time, and adds no detail of the photograph"
            )
    return lines


def _size(study: Study, name: str) -> tuple[int, int] | None:
    try:
        return picture_size(name, study.pictures[name])
    except ImportError:
        return None


def _pairs(study: Study) -> list[str]:
    """The pictures of a study of several pairs, each with the file that it is."""
    pairs = study.config["pairs"]
    if len(pairs) < 2:
        return []
    lines = [f"  {len(pairs)} pairs of pictures"]
    for role, used in (("contents", [[pair["content"]] for pair in pairs]), ("styles", [p["styles"] for p in pairs])):
        names = list(dict.fromkeys(itertools.chain.from_iterable(used)))
        listed = ", ".join(f"{name} ({study.pictures[name].source})" for name in names)
        lines += textwrap.wrap(f"{len(names)} {role}: {listed}", 110, initial_indent="    ", subsequent_indent="      ")
    return lines
