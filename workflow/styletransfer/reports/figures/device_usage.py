"""Which device was busy when."""

from __future__ import annotations

import itertools

import pandas as pd
from matplotlib.figure import Figure

from styletransfer.analysis import device_usage
from styletransfer.reports.figures.style import CATEGORIES, GREY, blank, plural, set_title
from styletransfer.results.tables import completed, incomplete_note
from styletransfer.text import duration


def device_timeline(runs: pd.DataFrame) -> Figure:
    """A bar for each run on its device: idle devices are seen as gaps."""
    if completed(runs).empty:
        return blank(runs)
    bars = device_usage.intervals(completed(runs))
    lanes = sorted(bars["lane"].unique())
    figure = Figure(figsize=(11, 1.9 + 0.34 * len(lanes)), layout="constrained")
    set_title(figure, f"{runs['study'].iloc[0]}: {_usage_text(device_usage.usage(bars))}\n{incomplete_note(runs)}")
    axis = figure.subplots()
    longest = bars["end"].max()
    unit, seconds = ("seconds", 1.0) if longest < 120 else ("minutes", 60.0) if longest < 7200 else ("hours", 3600.0)
    for color, parameter in zip(itertools.cycle(CATEGORIES), dict.fromkeys(bars["parameter"]), strict=False):
        of = bars[bars["parameter"] == parameter]
        axis.barh(
            [lanes.index(lane) for lane in of["lane"]],
            (of["end"] - of["begin"]) / seconds,
            left=of["begin"] / seconds,
            height=0.78,
            color=color,
            edgecolor="white",
            linewidth=0.6,
            label=parameter.replace("_", " ") or "runs",
        )
    for run in bars[bars["status"] == "diverged"].itertuples():
        axis.plot((run.begin + run.end) / 2 / seconds, lanes.index(run.lane), "x", color="white", ms=6, mew=2)
    for moment in bars.attrs["pauses"]:
        axis.axvline(moment / seconds, color=GREY, lw=1, ls=(0, (2, 2)), zorder=0)
    axis.set_yticks(range(len(lanes)), [device_usage.short(lane) for lane in lanes])
    axis.invert_yaxis()
    axis.set_xlabel(f"{unit} since the first run began", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.margins(x=0.01)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower left", ncols=7, frameon=False, fontsize=8)
    return figure


def _usage_text(usage: device_usage.Usage) -> str:
    counts = f"{usage.runs} {plural('run', usage.runs)} on {usage.lanes} {plural('lane', usage.lanes)}"
    cuts = f" (dotted: {plural('a pause', usage.pauses, 'pauses')} between sessions, cut out)" if usage.pauses else ""
    return (
        f"{counts}, {duration(usage.elapsed)}{cuts}. Speed-up {usage.speed_up:.2f}, utilisation "
        f"{usage.utilisation:.0%}; no schedule takes less than {duration(usage.bound)}, this one "
        f"{usage.elapsed / usage.bound - 1:.1%} more"
    )
