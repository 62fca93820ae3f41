"""How the history of a run reaches terminal, log, table and plot.

How a line of the log is written, and how it is read back, is here as well: who reads them is `reports.monitor`.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import logging
import math
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from styletransfer.files import atomic
from styletransfer.optim import terms
from styletransfer.optim.history import History
from styletransfer.optim.terms import LOSSES
from styletransfer.stages import cost, count, work

logger = logging.getLogger(__name__)

COLUMNS = (
    "iteration",
    *LOSSES,
    *(f"{name}_unweighted" for name in LOSSES if name != "total"),
)


def write_losses(path: Path, history: History) -> None:
    """A CSV row per reported evaluation: iteration = steps taken, losses weighted and unweighted, then every term.

    Floats are written so that they read back as the same float. Where a run has several stages, each row ends with its
    stage, from 1: losses at different sizes do not compare.
    """
    staged = count(history.settings.stages) > 1
    with atomic.atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        layers = terms.names(history.settings)[:-1]
        writer.writerow([*COLUMNS, *layers, *["stage"] * staged])
        for evaluation in history.evaluations:
            if history.is_reported(evaluation.iteration):
                row = history.losses(evaluation.iteration)
                of_layers = map(float, evaluation.terms[:-1])
                stage = [history.stage(evaluation.iteration)] * staged
                writer.writerow([evaluation.iteration, *(row[name] for name in COLUMNS[1:]), *of_layers, *stage])


def progress_rows(history: History) -> list[tuple[int, float, float, float, float]]:
    """Rows of progress.txt: itr, content, style, tv, total, weighted.

    The reference program's convention: row i is about the image after step i + 1, and the last row is labelled with the
    number of iterations.
    """
    rows = []
    for steps in range(1, history.last_finite + 1):
        last = steps == history.last_finite
        if last or (steps - 1) % history.print_iterations == 0:
            row = history.losses(steps)
            rows.append((steps if last else steps - 1, row["content"], row["style"], row["tv"], row["total"]))
    return rows


def write_progress(path: Path, history: History) -> None:
    """The reference program's progress.txt: see `progress_rows`."""
    lines = ["# itr content style tv total"]
    lines += [" ".join([str(row[0]), *(f"{value:.9g}" for value in row[1:])]) for row in progress_rows(history)]
    atomic.write_text(path, "\n".join(lines) + "\n")


def plot_progress(path: Path, history: History) -> None:
    """A plot of the weighted losses against the number of steps, on a log axis."""
    from matplotlib.figure import Figure

    steps = [step for step in range(history.last_finite + 1) if history.is_reported(step)]
    losses = [history.losses(step) for step in steps]
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for name in LOSSES:
        axes.plot(steps, [loss[name] for loss in losses], label=name, linewidth=1.6)
    axes.set(xlabel="steps", ylabel="weighted loss", yscale="log")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=4)
    with atomic.atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)


class ProgressLogger:
    """Tells how a run gets on: a bar with losses and time left on a terminal, plain lines in a log."""

    def __init__(self, history: History) -> None:
        from tqdm import tqdm

        self._history = history
        self._iterations = history.settings.iterations
        self._first = len(history.evaluations)
        self._bar = tqdm(
            total=self._iterations,
            initial=self._first,
            unit="it",
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
        )
        self._begin, self._timed_from = time.monotonic(), self._first

    def __enter__(self) -> ProgressLogger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()

    def log(self, iteration: int) -> None:
        """Report the evaluation of the image after that many steps, if it is one of those to report."""
        if iteration > self._first:
            self._bar.update()
        if iteration == self._first or self._history.begins_stage(iteration):
            # The first call traces the graph: it tells nothing of the speed.
            self._begin, self._timed_from = time.monotonic(), iteration
        if not self._history.is_reported(iteration):
            return
        known = self._history.losses(iteration)
        losses = {name: known[name] for name in LOSSES}
        if self._bar.disable:
            logger.info("%s", line(self._progress(iteration, losses)))
        else:
            stage = self._stage(iteration)
            self._bar.set_postfix_str(f"{stage}  {losses_text(losses)}".strip())

    def _progress(self, iteration: int, losses: Mapping[str, float]) -> Progress:
        stages, seconds = self._history.settings.stages, self._seconds_per_iteration(iteration)
        left = work(stages, self._iterations, first=iteration) / cost(self._history.stage(iteration) - 1, stages)
        return Progress(iteration, self._iterations, losses, seconds, self._stage(iteration), left)

    def _stage(self, iteration: int) -> str:
        stages = count(self._history.settings.stages)
        return f"stage {self._history.stage(iteration)}/{stages}" if stages > 1 else ""

    def _seconds_per_iteration(self, iteration: int) -> float | None:
        if iteration == self._timed_from:
            return None
        return (time.monotonic() - self._begin) / (iteration - self._timed_from)


# Two spaces between the parts, one within: `iteration  10/140  content 1.5  style 2.5  0.123 s/it  ETA 0:00:16`. Where
# there are several stages, `stage 1/3` comes before the losses.
_LINE = re.compile(
    r"iteration +(\d+)/(\d+)(?:  (stage \d+/\d+))?((?:  \w+ \S+)*?)"
    r"(?:  ([\d.]+) s/it  ETA (?:(\d+) days?, )?(\d+):(\d+):(\d+))?$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Progress:
    """Steps taken, of how many; the weighted losses then, by name; seconds a step takes, None before the first.

    stage: such as `stage 1/3`, where there are several. left: steps that are left, counted in those of this stage; by
    default all cost alike.
    """

    iteration: int
    iterations: int
    losses: Mapping[str, float] = field(default_factory=dict)
    seconds_per_iteration: float | None = None
    stage: str = ""
    left: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """At this speed; None while it is not known."""
        if self.seconds_per_iteration is None:
            return None
        left = self.iterations - self.iteration if self.left is None else self.left
        return left * self.seconds_per_iteration


def line(progress: Progress) -> str:
    """The line of a log."""
    text = f"iteration {progress.iteration:{len(str(progress.iterations))}}/{progress.iterations}"
    text += f"  {progress.stage}" if progress.stage else ""
    text += f"  {losses_text(progress.losses)}"
    if progress.seconds_left is None:
        return text
    left = datetime.timedelta(seconds=math.ceil(progress.seconds_left))
    return f"{text}  {progress.seconds_per_iteration:.3f} s/it  ETA {left}"


def losses_text(losses: Mapping[str, float]) -> str:
    """Losses by name, with five digits."""
    return "  ".join(f"{name} {value:.5g}" for name, value in losses.items())


def read(log: str) -> list[Progress]:
    """The progress that a log reports of the newest attempt in it, in order; empty where there is none."""
    found: list[Progress] = []
    for iteration, iterations, stage, losses, seconds, *rest in _LINE.findall(log):
        words = losses.split()
        numbers = dict(zip(words[::2], map(float, words[1::2]), strict=True))
        progress = Progress(int(iteration), int(iterations), numbers, float(seconds) if seconds else None, stage)
        if stage and progress.seconds_per_iteration:
            days, hours, minutes, left = (int(number or 0) for number in rest)
            left += 60 * (minutes + 60 * (hours + 24 * days))
            progress = dataclasses.replace(progress, left=left / progress.seconds_per_iteration)
        # An attempt that starts again begins with less than the one before had reached.
        if found and progress.iteration <= found[-1].iteration:
            found = []
        found.append(progress)
    return found
