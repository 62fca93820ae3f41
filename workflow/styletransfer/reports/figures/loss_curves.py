"""Loss curves: the total loss of every run against its steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from styletransfer.analysis import noise
from styletransfer.reports.figures.style import (
    ACCENT,
    CATEGORIES,
    GREY,
    blank,
    caption,
    choose_pairs,
    joined,
    legend_below,
    log_scale,
    log_ticks,
    set_title,
    shortened,
)
from styletransfer.results.tables import completed, incomplete_note
from styletransfer.text import value_labels

COLORS = mpl.colormaps["viridis"]
# Of the pairs of a study.
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (6, 1, 1, 1)))
# More words than this are named beside a bar, as numbers are.
MAX_WORDS = len(CATEGORIES)


def loss_curves(runs: pd.DataFrame, losses: pd.DataFrame) -> Figure:
    """Total loss against steps: a panel for each parameter, a curve for each value; colour = value, dashes = pair.

    Of repeats it is the first, in a band from the least to the greatest of them.
    """
    total = losses[losses["loss"] == "total"]
    curves = dict(iter(total.groupby("run_id")))
    if not curves:
        return blank(runs)
    panels = [parameter for parameter in dict.fromkeys(runs["parameter"]) if parameter] or [""]
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.3 * lines + 0.4), layout="constrained")
    note = "Red: the default. Where a weight varies, compare shapes: a larger weight makes a larger loss"
    title = f"{caption(runs)}\n{note}" if incomplete_note(runs) else f"{caption(runs)}. {note}"
    runs, left_out = choose_pairs(completed(runs), len(DASHES))
    bands = _bands(runs, total) if noise.has_repeats(runs) else {}
    runs = noise.averaged(runs)
    set_title(figure, joined(title, "Shaded: between the least and the greatest of repeats" if bands else "", left_out))
    dashes = dict(zip(dict.fromkeys(runs["pair"]), DASHES, strict=False))
    grid = figure.subplots(lines, columns, squeeze=False)
    for axis in grid.flat[len(panels) :]:
        axis.set_axis_off()
    for axis, parameter in zip(grid.flat, panels, strict=False):
        rows = runs[runs["parameter"] == parameter]
        rows = pd.concat([rows, runs[runs["is_default"]]]).drop_duplicates("run_id")
        _panel(figure, axis, parameter, rows, curves, bands, dashes)
    if len(dashes) > 1:
        legend_below(figure, [mpl.lines.Line2D([], [], color=GREY, ls=style) for style in dashes.values()], dashes)
    return figure


def _bands(runs: pd.DataFrame, total: pd.DataFrame) -> dict[Any, pd.DataFrame]:
    """By the run shown of a setting: by step the least and the greatest loss of its repeats, `min` and `max`."""
    spans = noise.bands(runs, total, "weighted").droplevel("loss")
    return {run_id: span.droplevel("run_id") for run_id, span in spans.groupby("run_id")}


def _panel(
    figure: Figure,
    axis: Axes,
    parameter: str,
    rows: pd.DataFrame,
    curves: Mapping[Any, pd.DataFrame],
    bands: Mapping[Any, pd.DataFrame],
    dashes: Mapping[str, Any],
) -> None:
    # Colour is the rank of the value: however unevenly the values lie, each has a colour of its own.
    known = rows[rows["parameter"] == parameter] if parameter else rows[:0]
    has_words = bool(known["value"].isna().any())  # which stay in the order of the study
    known = known.drop_duplicates("label") if has_words else known.sort_values("value").drop_duplicates("value")
    ranks = {label: rank for rank, label in enumerate(known["label"])}
    scale = mpl.colors.Normalize(0, len(ranks) - 1) if len(ranks) > 1 else None
    few_words = has_words and len(ranks) <= MAX_WORDS
    colors = {
        label: CATEGORIES[rank] if few_words else COLORS(rank / max(1, len(ranks) - 1))
        for label, rank in ranks.items()
        if few_words or scale is not None
    }
    # The default is drawn last, on top.
    for row in rows.sort_values("is_default", kind="stable").itertuples():
        curve = curves[row.run_id]
        color = ACCENT if row.is_default else colors.get(row.label, "#6c7a89")
        width = 2 if row.is_default else 0.9
        axis.plot(curve["iteration"], curve["weighted"], color=color, lw=width, ls=dashes[row.pair])
        if (band := bands.get(row.run_id)) is not None:
            axis.fill_between(band.index, band["min"], band["max"], color=color, alpha=0.2, lw=0)
        if row.status == "diverged":
            last = curve[np.isfinite(curve["weighted"])].iloc[-1:]
            axis.plot(last["iteration"], last["weighted"], "x", color=color, ms=7, mew=2)
            axis.annotate(row.status, (0.98, 0.95), xycoords="axes fraction", ha="right", fontsize=8, color=GREY)
    if few_words:
        # Without the default as a word: it is named as what it is.
        named = {label: colors[label] for label in known.loc[~known["is_default"], "label"]}
        defaults = rows.loc[rows["is_default"], parameter].iloc[:1]
        named |= {f"{label} (default)": ACCENT for label in value_labels(defaults)}
        keys = [mpl.lines.Line2D([], [], color=color, label=shortened(label, 30)) for label, color in named.items()]
        axis.legend(handles=keys, fontsize=8, frameon=False, loc="upper right")
    elif scale is not None:
        shown = np.unique(np.linspace(0, len(ranks) - 1, 7).round().astype(int))
        bar = figure.colorbar(mpl.cm.ScalarMappable(scale, COLORS), ax=axis, pad=0.02)
        bar.set_ticks(shown.tolist(), labels=[shortened(label, 24) for label in known["label"].iloc[shown]])
        bar.ax.minorticks_off()
        bar.ax.tick_params(labelsize=8)
    drawn = [curves[run_id]["weighted"] for run_id in rows["run_id"]]
    log_scale([axis], "y", pd.concat(drawn) if drawn else [])
    # A step that went far astray, and back, must not flatten all the rest.
    begin = max((curve.iloc[0] for curve in drawn), default=0)
    if np.isfinite(begin) and begin > 0:
        axis.set_ylim(top=min(axis.get_ylim()[1], 10 * begin))
        log_ticks(axis.yaxis)
    axis.set_title(parameter.replace("_", " ") or "all runs", fontsize=10, loc="left", weight="bold")
    axis.set_xlabel("step", fontsize=8)
    axis.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    axis.set_ylabel("total loss", fontsize=8)
    axis.tick_params(labelsize=8, which="both")
    axis.spines[["top", "right"]].set_visible(False)
