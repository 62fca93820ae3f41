"""Loss curves: the total loss of every run against its steps."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from styletransfer.reports.figures.style import ACCENT, GREY, blank, caption, log_ticks, set_title
from styletransfer.results.tables import completed, incomplete_note

COLORS = mpl.colormaps["viridis"]
# Of the pairs of a study.
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (6, 1, 1, 1)))


def loss_curves(runs: pd.DataFrame, losses: pd.DataFrame) -> Figure:
    """Total loss against steps: a panel for each parameter, a curve for each value; colour = value, dashes = pair."""
    total = losses[losses["loss"] == "total"]
    curves = dict(iter(total.groupby("run_id")))
    if not curves:
        return blank(runs)
    panels = [parameter for parameter in dict.fromkeys(runs["parameter"]) if parameter] or [""]
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.3 * lines + 0.4), layout="constrained")
    note = "Red: the default. Where a weight varies, compare shapes: a larger weight makes a larger loss"
    set_title(figure, f"{caption(runs)}\n{note}" if incomplete_note(runs) else f"{caption(runs)}. {note}")
    runs = completed(runs)
    dashes = dict(zip(dict.fromkeys(runs["pair"]), itertools.cycle(DASHES)))
    grid = figure.subplots(lines, columns, squeeze=False)
    for axis in grid.flat[len(panels) :]:
        axis.set_axis_off()
    for axis, parameter in zip(grid.flat, panels, strict=False):
        rows = runs[runs["parameter"] == parameter]
        rows = pd.concat([rows, runs[runs["is_default"]]]).drop_duplicates("run_id")
        _panel(figure, axis, parameter, rows, curves, dashes)
    if len(dashes) > 1:
        keys = [mpl.lines.Line2D([], [], color=GREY, ls=style, label=pair) for pair, style in dashes.items()]
        figure.legend(handles=keys, loc="outside lower left", ncols=4, frameon=False, fontsize=8)
    return figure


def _panel(
    figure: Figure,
    axis: Axes,
    parameter: str,
    rows: pd.DataFrame,
    curves: Mapping[Any, pd.DataFrame],
    dashes: Mapping[str, Any],
) -> None:
    # Colour is the rank of the value: however unevenly the values lie, each has a colour of its own.
    known = rows[rows["parameter"] == parameter].dropna(subset="value").sort_values("value").drop_duplicates("value")
    ranks = {value: rank for rank, value in enumerate(known["value"])}
    scale = mpl.colors.Normalize(0, len(ranks) - 1) if len(ranks) > 1 else None
    # The default is drawn last, on top.
    for row in rows.sort_values("is_default", kind="stable").itertuples():
        curve = curves[row.run_id]
        color = ACCENT if row.is_default else "#6c7a89" if scale is None else COLORS(scale(ranks[row.value]))
        width = 2 if row.is_default else 0.9
        axis.plot(curve["iteration"], curve["weighted"], color=color, lw=width, ls=dashes[row.pair])
        if row.status != "ok":
            last = curve[np.isfinite(curve["weighted"])].iloc[-1:]
            axis.plot(last["iteration"], last["weighted"], "x", color=color, ms=7, mew=2)
            axis.annotate(row.status, (0.98, 0.95), xycoords="axes fraction", ha="right", fontsize=8, color=GREY)
    if scale is not None:
        shown = np.unique(np.linspace(0, len(ranks) - 1, 7).round().astype(int))
        bar = figure.colorbar(mpl.cm.ScalarMappable(scale, COLORS), ax=axis, pad=0.02)
        bar.set_ticks(shown.tolist(), labels=known["label"].iloc[shown])
        bar.ax.minorticks_off()
        bar.ax.tick_params(labelsize=8)
    axis.set_yscale("log")
    # A step that went far astray, and back, must not flatten all the rest.
    begin = max((curves[run_id]["weighted"].iloc[0] for run_id in rows["run_id"]), default=0)
    if np.isfinite(begin) and begin > 0:
        axis.set_ylim(top=min(axis.get_ylim()[1], 10 * begin))
    log_ticks(axis.yaxis)
    axis.set_title(parameter.replace("_", " ") or "all runs", fontsize=10, loc="left", weight="bold")
    axis.set_xlabel("step", fontsize=8)
    axis.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    axis.set_ylabel("total loss", fontsize=8)
    axis.tick_params(labelsize=8, which="both")
    axis.spines[["top", "right"]].set_visible(False)
