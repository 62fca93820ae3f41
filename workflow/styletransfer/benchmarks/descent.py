"""How long each optimizer and number format takes to equal quality: the loss of plain float32 Adam."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from styletransfer.benchmarks.measure import Options, Workbench, is_possible, study_settings
from styletransfer.images.resize import to_uint8

if TYPE_CHECKING:
    from styletransfer.optim.loop import Optimization

# The reference first: settings, backend, and the share of the iterations that it needs at most. In bfloat16 a long run
# ends a little above the loss of float32: its optimum is that of rounded kernels.
RUNS: dict[str, tuple[dict[str, Any], str, float]] = {
    "float32, Adam, autodiff": ({"precision": "float32"}, "autodiff", 1.0),
    "bfloat16, Adam": ({"precision": "bfloat16"}, "analytic", 1.0),
    "bfloat16, L-BFGS": ({"precision": "bfloat16", "optimizer": "lbfgs"}, "analytic", 0.6),
    "float32, L-BFGS": ({"precision": "float32", "optimizer": "lbfgs"}, "analytic", 0.6),
}
TURN = 10


class Point(NamedTuple):
    """Where a run is after a turn. image: the best so far, less the mean pixel; loss: its total loss."""

    steps: int
    seconds: float
    loss: float
    image: np.ndarray


def measure_descent(options: Options, figure: Path | None = None) -> dict[str, Any]:
    """Seconds and steps until the loss is that of the reference after all its iterations.

    Runs take turns, each on a clock of its own; losses are those of the best image so far, in float32.
    """
    bench = Workbench(options)
    result: dict[str, Any] = {}
    trajectories: dict[str, dict[str, list[Point]]] = {}
    for start, noise in (("content", 0.0), ("noise", 1.0)):
        settings = study_settings(initial_noiseblend=noise, iterations=options.steps)
        loss_of = bench.loss_of(settings)
        runs = {}
        for name, (values, backend, share) in RUNS.items():
            if is_possible(name):
                changed = dataclasses.replace(settings, iterations=round(share * options.steps), **values)
                runs[name] = _Timed(bench.optimization(changed, backend), loss_of)
        while sum(run.advance(TURN) for run in runs.values()):
            pass
        trajectories[start] = {name: run.trajectory for name, run in runs.items()}
        reference, *_ = trajectories[start].values()
        result[start] = {name: times_to_loss(found, reference[-1]) for name, found in trajectories[start].items()}
    if figure is not None:
        draw(figure, trajectories, bench.engine(study_settings()).network.mean_pixel)
    return result


class _Timed:
    """An optimisation with a stopwatch."""

    def __init__(self, optimization: Optimization, loss_of: Callable[[np.ndarray], float]) -> None:
        self._optimization, self._loss_of = optimization, loss_of
        self._evaluations = optimization.run()
        next(self._evaluations)  # traces the graph
        self.trajectory: list[Point] = []
        self._note(0, 0.0)

    def advance(self, steps: int) -> bool:
        """Take so many steps; returns whether there are any left."""
        begin = time.perf_counter()
        taken = list(itertools.islice(self._evaluations, steps))
        seconds = time.perf_counter() - begin
        if taken:
            self._note(taken[-1].iteration, self.trajectory[-1].seconds + seconds)
        return bool(taken)

    def _note(self, steps: int, seconds: float) -> None:
        image = self._optimization.best
        self.trajectory.append(Point(steps, seconds, self._loss_of(image), image))


def time_to_loss(trajectory: Sequence[Point], loss: float) -> Point | None:
    """The first point with at most that loss."""
    return next((point for point in trajectory if point.loss <= loss), None)


def times_to_loss(trajectory: Sequence[Point], goal: Point) -> dict[str, Any]:
    """When a run is at the goal's loss, and within 1 % of it, and how many times sooner than the goal."""
    result: dict[str, Any] = {"lowest loss over the reference's": round(trajectory[-1].loss / goal.loss, 4)}
    for name, factor in (("at its loss", 1.0), ("within 1 % of it", 1.01)):
        point = time_to_loss(trajectory, factor * goal.loss)
        if point is not None:
            times = round(goal.seconds / point.seconds, 2)
            result[name] = {"steps": point.steps, "seconds": round(point.seconds, 1), "times as fast": times}
    return result


def draw(path: Path, trajectories: Mapping[str, Mapping[str, list[Point]]], mean_pixel: np.ndarray) -> None:
    """A row per start: loss against seconds, and the pictures that are within 1 % of the reference's loss first."""
    from matplotlib.figure import Figure

    from styletransfer.reports.figures.style import save

    figure = Figure(figsize=(14, 3.6 * len(trajectories)), layout="constrained")
    count = max(map(len, trajectories.values()))
    rows = figure.subplots(len(trajectories), 1 + count, width_ratios=[2] + [1] * count, squeeze=False)
    for (curves, *panels), (start, found) in zip(rows, trajectories.items(), strict=True):
        goal = next(iter(found.values()))[-1]
        for (name, points), panel in zip(found.items(), panels, strict=True):
            curves.plot([max(point.seconds, 0.1) for point in points], [point.loss for point in points], label=name)
            point = time_to_loss(points, 1.01 * goal.loss) or points[-1]
            panel.imshow(to_uint8(point.image + mean_pixel))
            panel.set_title(f"{name}\n{point.steps} steps, {point.seconds:.0f} s", fontsize=8)
            panel.set_axis_off()
        curves.axhline(goal.loss, color="0.6", linewidth=0.8)
        curves.set(title=f"start: {start}", xlabel="seconds", ylabel="total loss", xscale="log", yscale="log")
        curves.spines[["top", "right"]].set_visible(False)
    rows[0, 0].legend(frameon=False, fontsize=8)
    save(figure, [path])
