"""How four GPUs were used by the 2018 study, and how leases would have used them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from styletransfer.analysis.device_usage import Bar, elapsed, schedule
from styletransfer.reports.figures.style import ACCENT, CATEGORIES, save

GPUS = 4


def compare(path: Path) -> None:
    """Schedule the same 252 runs twice, and draw both."""
    durations = durations_of_2018()
    named = {
        "One fixed chunk of the study for each GPU (2018)": chunks(durations, GPUS),
        "The next run for whichever GPU is free (leases)": schedule(durations, GPUS),
    }
    save(draw(named), [path])


def durations_of_2018() -> list[float]:
    """Seconds of the 252 runs of the 2018 study, reconstructed from what is published of it.

    Four chunks of 63 runs; 97 s from start to start on average; done after 108 minutes; one GPU idle for the last 17 of
    them. The other two are taken to be alike, and so are the runs of a chunk.
    """
    longest, shortest, total = 108 * 60.0, (108 - 17) * 60.0, 252 * 97.0
    others = (total - longest - shortest) / 2
    return [chunk / 63 for chunk in (longest, others, others, shortest) for _ in range(63)]


def chunks(durations: Sequence[float], lanes: int) -> list[Bar]:
    """The runs are cut into one fixed chunk for each lane, as the 2018 study did."""
    size = math.ceil(len(durations) / lanes)
    bars: list[Bar] = []
    for number, duration in enumerate(durations):
        begin = 0.0 if number % size == 0 else bars[-1][2]
        bars.append((number // size, begin, begin + duration))
    return bars


def draw(named: Mapping[str, Sequence[Bar]]) -> Figure:
    """Schedules of the same runs below each other, on one axis of minutes, with the bound that none of them beats."""
    figure = Figure(figsize=(9, 0.6 + 1.35 * len(named)), layout="constrained")
    for axis, (title, bars) in zip(figure.subplots(len(named), sharex=True), named.items(), strict=True):
        lanes, begins, ends = (np.array(column) for column in zip(*bars, strict=True))
        bound = (ends - begins).sum() / (lanes.max() + 1)
        axis.barh(lanes, (ends - begins) / 60, left=begins / 60, color=CATEGORIES[0], edgecolor="white", linewidth=0.3)
        axis.axvline(bound / 60, color=ACCENT, lw=1.5)
        over = elapsed(bars) / bound - 1
        text = f"{title}: {elapsed(bars) / 60:.1f} minutes, {over:.1%} above the bound of {bound / 60:.1f}"
        axis.set_title(text, fontsize=9, loc="left")
        axis.set_yticks(range(lanes.max() + 1), [f"GPU {lane}" for lane in range(lanes.max() + 1)])
        axis.invert_yaxis()
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
    axis.set_xlabel("minutes", fontsize=8)
    return figure
