"""What parameters do to the losses: the front of content against style, and every loss against every parameter.

Losses are those of the kept pictures, unweighted: weights would only scale them. Runs that measure something else
(other layers, scales or sizes) are drawn, and never compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from styletransfer.analysis.measures import CONTENT, STYLE, UNWEIGHTED, Measure
from styletransfer.analysis.pareto import FRONT, compares_with_default
from styletransfer.reports.figures.style import ACCENT, CATEGORIES, GREY, blank, log_ticks
from styletransfer.results.tables import completed, incomplete_note, varied

MARKERS = "osD^vP*"
# What the front is about: its values are written beside it.
TRADE_OFFS = ("content_weight", "style_weight")
# Values that span so much or more are drawn on a log axis.
WIDE = 30


def pareto(runs: pd.DataFrame) -> Figure:
    """Content loss against style loss: a panel for each pair, a colour and a shape for each parameter."""
    shown = completed(runs)
    if shown.empty:
        return blank(runs)
    pairs = list(dict.fromkeys(shown["pair"]))
    figure = Figure(figsize=(6.4 * len(pairs), 5.2), layout="constrained")
    note = "Filled: losses compare with the default's. Line: no comparable run is better in both. Red: the default"
    figure.suptitle(_below(note, incomplete_note(runs)), x=0.01, ha="left", fontsize=9, color=GREY)
    for axis, pair in zip(figure.subplots(1, len(pairs), squeeze=False).flat, pairs, strict=True):
        of_pair = shown[shown["pair"] == pair].dropna(subset=[CONTENT.column, STYLE.column])
        _show_front(axis, of_pair.sort_values("is_default", kind="stable").drop_duplicates("run_id", keep="last"))
        axis.set_title(pair, fontsize=10, loc="left", weight="bold", parse_math=False)
    return figure


def _show_front(axis: Axes, runs: pd.DataFrame) -> None:
    x, y = CONTENT.column, STYLE.column
    compares = compares_with_default(runs)
    best = runs[compares & runs[FRONT]].sort_values(x)
    axis.step(best[x], best[y], where="post", color=GREY, lw=1, zorder=1)
    for number, parameter in enumerate(dict.fromkeys(runs["parameter"])):
        of = runs[(runs["parameter"] == parameter) & ~runs["is_default"]]
        color, marker = CATEGORIES[number % len(CATEGORIES)], MARKERS[number % len(MARKERS)]
        label = parameter.replace("_", " ") or "runs"
        style: dict[str, Any] = {"marker": marker, "ls": "", "color": color, "ms": 6}
        axis.plot(of.loc[~compares, x], of.loc[~compares, y], mfc="none", alpha=0.6, **style)
        axis.plot(of.loc[compares, x], of.loc[compares, y], label=label, **style)
    default = runs[runs["is_default"]]
    axis.plot(default[x], default[y], "o", color=ACCENT, ms=9, mec="white", label="default", zorder=3)
    for run in best.itertuples():
        if run.parameter in TRADE_OFFS and not run.is_default:
            place = (getattr(run, x), getattr(run, y))
            axis.annotate(run.label, place, (5, 5), textcoords="offset points", fontsize=7, color=GREY)
    axis.set(xscale="log", yscale="log")
    axis.margins(0.08)
    log_ticks(axis.xaxis)
    log_ticks(axis.yaxis)
    axis.set_xlabel(f"{CONTENT.title}: less like the photograph →", fontsize=9)
    axis.set_ylabel(f"{STYLE.title}: less like the artwork →", fontsize=9)
    _plain(axis)
    axis.legend(fontsize=8, frameon=False)


def parameter_effects(runs: pd.DataFrame) -> Figure:
    """A column for each varied parameter, a row for each loss, a colour for each pair."""
    if completed(runs).empty:
        return blank(runs)
    names = [name for name in varied(runs) if _numbers(runs[name]).nunique() > 1]
    figure = Figure(figsize=(max(7, 2.6 * len(names) + 0.8), 6.4), layout="constrained")
    note = "Unweighted losses of the kept pictures. Red: the default. Dashed: losses do not compare along this"
    figure.suptitle(_below(note, incomplete_note(runs)), x=0.01, ha="left", fontsize=9, color=GREY)
    grid = figure.subplots(len(UNWEIGHTED), max(1, len(names)), squeeze=False, sharex="col", sharey="row")
    for axes, name in zip(grid.T, names, strict=False):
        for axis, measure in zip(axes, UNWEIGHTED, strict=True):
            _show_effect(axis, runs[runs["status"] == "ok"], name, measure)
        axes[0].set_title(name.replace("_", " "), fontsize=9, loc="left", weight="bold")
    for axis, measure in zip(grid[:, 0], UNWEIGHTED, strict=True):
        axis.set_ylabel(measure.title, fontsize=8)
        axis.set_yscale("log")
        log_ticks(axis.yaxis)
    figure.align_ylabels(grid[:, 0])
    if runs["pair"].nunique() > 1:
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower left", ncols=4, frameon=False)
    return figure


def _show_effect(axis: Axes, runs: pd.DataFrame, name: str, measure: Measure) -> None:
    values, loss = _numbers(runs[name]), measure.column
    line = "--" if name in measure.within else "-"
    for color, pair in zip(CATEGORIES, dict.fromkeys(runs["pair"]), strict=False):
        # A star's row about this parameter, or its default; in grids and lists every run.
        shown = runs[(runs["pair"] == pair) & (runs["parameter"].isin(["", name]) | runs["is_default"])]
        points = pd.DataFrame({"value": values[shown.index], "loss": shown[loss]}).dropna()
        axis.plot(points["value"], points["loss"], "o", color=color, ms=3, alpha=0.7)
        middle = points.groupby("value")["loss"].median()
        axis.plot(middle.index, middle, line, color=color, lw=1.2, label=pair)
        default = shown[shown["is_default"]]
        axis.plot(values[default.index], default[loss], "o", color=ACCENT, ms=6, mec="white", zorder=3)
    positive = values[values > 0]
    if positive.max() / positive.min() >= WIDE:
        if (values == 0).any():
            axis.set_xscale("symlog", linthresh=10 ** round(np.log10(positive.min())))
        else:
            axis.set_xscale("log")
        log_ticks(axis.xaxis)
    _plain(axis)


def _below(note: str, more: str) -> str:
    return f"{note}\n{more}" if more else note


def _numbers(column: pd.Series) -> pd.Series:
    """A column as numbers; where it holds words or lists there are none."""
    return pd.to_numeric(column, errors="coerce")


def _plain(axis: Axes) -> None:
    axis.tick_params(labelsize=8, which="both")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(color="#e6e6e6", lw=0.6)
    axis.set_axisbelow(True)
