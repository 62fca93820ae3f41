"""What parameters do: the front of style against content, and every measure against every parameter.

Losses are those of the kept pictures, unweighted: weights would only scale them. Where a parameter changes what a loss
measures (other layers, scales or sizes), it is drawn, and never compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from styletransfer.analysis import noise
from styletransfer.analysis.measures import CONTENT_KEPT, STYLE_REACHED, UNWEIGHTED, Measure
from styletransfer.analysis.pareto import FRONT
from styletransfer.reports.figures.style import (
    ACCENT,
    CATEGORIES,
    GREY,
    blank,
    choose_pairs,
    fitted,
    joined,
    legend_below,
    log_scale,
    log_ticks,
    plain_axes,
    shortened,
    thumbnail,
)
from styletransfer.results.tables import completed, incomplete_note, varied
from styletransfer.runs.layout import RUN_FILES
from styletransfer.runs.status import STOPPED
from styletransfer.text import value_labels

MARKERS = "osD^vP*"
# A row for each.
EFFECTS = (STYLE_REACHED, CONTENT_KEPT, *UNWEIGHTED)
# So many groups of values are drawn a line through, where values do not come again.
NEIGHBOURS = 6
# Of the pictures at the points, in points of 1/72 inch.
PICTURE_POINTS = 46
# Values that span so much or more are drawn on a log axis.
WIDE = 30
APART = "Bars: values whose bars do not touch differ by more than another seed makes"
# A panel each, and so many beside one another.
MAX_PAIRS, COLUMNS = 12, 3


def pareto(runs: pd.DataFrame, pool: Path) -> Figure:
    """Style reached against content kept: a panel for each pair, a colour and a shape for each parameter.

    pool: the folder of all runs, whose pictures are shown at some points.
    """
    measured = noise.averaged(completed(runs)).dropna(subset=[CONTENT_KEPT.column, STYLE_REACHED.column])
    if measured.empty:
        why = "" if completed(runs).empty else "nothing is measured: pictures or weights were gone"
        return blank(runs, why)
    shown, left_out = choose_pairs(measured, MAX_PAIRS)
    pairs = list(dict.fromkeys(shown["pair"]))
    columns = min(COLUMNS, len(pairs))
    lines = -(-len(pairs) // columns)
    figure = Figure(figsize=(7.4 * columns, 6.4 * lines + 0.3), layout="constrained")
    hollow = " or ".join(name for name in ("diverged", STOPPED) if (shown["status"] == name).any())
    note = "Line: no run has more of both. Red: the default. Each number compares over all settings"
    note += f". Hollow: {hollow}" if hollow else ""
    notes = joined(note, _told(shown, (CONTENT_KEPT, STYLE_REACHED)), left_out, incomplete_note(runs))
    figure.suptitle(notes, x=0.01, ha="left", fontsize=9, color=GREY)
    grid = figure.subplots(lines, columns, squeeze=False)
    for axis in grid.flat[len(pairs) :]:
        axis.set_axis_off()
    for axis, pair in zip(grid.flat, pairs, strict=False):
        of_pair = shown[shown["pair"] == pair].sort_values("is_default", kind="stable")
        _show_front(axis, of_pair.drop_duplicates("run_id", keep="last"))
        axis.set_title(shortened(pair, 64), fontsize=10, loc="left", weight="bold", parse_math=False)
    figure.draw_without_rendering()
    for axis, pair in zip(grid.flat, pairs, strict=False):
        _show_pictures(axis, shown[shown["pair"] == pair].drop_duplicates("run_id"), pool)
    return figure


def _show_front(axis: Axes, runs: pd.DataFrame) -> None:
    x, y = CONTENT_KEPT.column, STYLE_REACHED.column
    best = runs[runs[FRONT]].sort_values(x)
    axis.step(best[x], best[y], where="pre", color=GREY, lw=1, zorder=1)
    for number, parameter in enumerate(dict.fromkeys(runs["parameter"])):
        of = runs[(runs["parameter"] == parameter) & ~runs["is_default"]]
        if of.empty:
            continue
        color, marker = CATEGORIES[number % len(CATEGORIES)], MARKERS[number % len(MARKERS)]
        label = parameter.replace("_", " ") or "runs"
        style: dict[str, Any] = {"marker": marker, "ls": "", "color": color, "ms": 6}
        good = of["status"] == "ok"
        _show_bars(axis, of[x], of[y], color, xerr=noise.bars_of(of, x), yerr=noise.bars_of(of, y))
        axis.plot(of.loc[good, x], of.loc[good, y], label=label, zorder=4, **style)
        axis.plot(of.loc[~good, x], of.loc[~good, y], mfc="none", alpha=0.6, zorder=3, **style)
    default = runs[runs["is_default"]]
    _show_bars(axis, default[x], default[y], ACCENT, xerr=noise.bars_of(default, x), yerr=noise.bars_of(default, y))
    axis.plot(default[x], default[y], "o", color=ACCENT, ms=9, mec="white", label="default", zorder=5)
    axis.margins(0.14)
    axis.set_xlabel(f"{CONTENT_KEPT.title}: more like the photograph →", fontsize=9)
    axis.set_ylabel(f"{STYLE_REACHED.title}: more like the artwork →", fontsize=9)
    plain_axes(axis)
    axis.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def _told(runs: pd.DataFrame, measures: Iterable[Measure]) -> str:
    """What bars mean, where there are any."""
    return APART if any((noise.bars_of(runs, measure.column) > 0).any() for measure in measures) else ""


def _show_bars(axis: Axes, x: pd.Series, y: pd.Series, color: str, **lengths: pd.Series) -> None:
    """Bars through points, as long as their noise. lengths: `xerr`, `yerr`, to either side."""
    if any((length > 0).any() for length in lengths.values()):
        axis.errorbar(x, y, **lengths, fmt="none", ecolor=color, elinewidth=1, alpha=0.6, zorder=3)


def _show_pictures(axis: Axes, runs: pd.DataFrame, pool: Path) -> None:
    """Pictures above points, as far as none covers another: of the default first, then of the front, then of others."""
    order = runs.assign(other=~runs[FRONT]).sort_values(["is_default", "other"], ascending=[False, True], kind="stable")
    taken: list[np.ndarray] = []
    for run in order.itertuples():
        point = (getattr(run, CONTENT_KEPT.column), getattr(run, STYLE_REACHED.column))
        place = axis.transData.transform(point) * 72 / axis.figure.dpi
        if any((abs(place - other) < 1.15 * PICTURE_POINTS).all() for other in taken):
            continue
        taken.append(place)
        pixels = thumbnail(pool / run.run_id / RUN_FILES["image"], width=160)
        box = AnnotationBbox(
            OffsetImage(pixels, zoom=PICTURE_POINTS / max(pixels.shape[:2])),
            point,
            xybox=(0, 0.55 * PICTURE_POINTS),
            boxcoords="offset points",
            pad=0.1,
            bboxprops={"ec": ACCENT if run.is_default else GREY, "lw": 0.8},
        )
        axis.add_artist(box)


def parameter_effects(runs: pd.DataFrame) -> Figure:
    """A column for each varied parameter, a row for each measure, a colour for each pair."""
    if completed(runs).empty:
        return blank(runs)
    names = varied(runs)
    if not names:
        count = runs["run_id"].nunique()
        return blank(runs, "one run: nothing is varied" if count == 1 else "no parameter is varied, only pictures are")
    shown, left_out = choose_pairs(noise.averaged(runs), len(CATEGORIES))
    figure = Figure(figsize=(max(7, 2.6 * len(names) + 0.8), 10), layout="constrained")
    note = "Losses are unweighted, of the kept pictures. Red: the default. Dashed: losses do not compare along this"
    notes = joined(note, _told(shown, EFFECTS), left_out, incomplete_note(runs))
    figure.suptitle(notes, x=0.01, ha="left", fontsize=9, color=GREY)
    grid = figure.subplots(len(EFFECTS), len(names), squeeze=False, sharex="col", sharey="row")
    for axes, name in zip(grid.T, names, strict=True):
        for axis, measure in zip(axes, EFFECTS, strict=True):
            _show_effect(axis, shown[shown["status"] == "ok"], name, measure)
        axes[0].set_title(name.replace("_", " "), fontsize=9, loc="left", weight="bold")
    for axes, measure in zip(grid, EFFECTS, strict=True):
        axes[0].set_ylabel(measure.title, fontsize=8)
        if measure in UNWEIGHTED:
            log_scale(axes, "y", shown.loc[shown["status"] == "ok", measure.column])
    figure.align_ylabels(grid[:, 0])
    if shown["pair"].nunique() > 1:
        legend_below(figure, *grid[0, 0].get_legend_handles_labels())
    return figure


def _show_effect(axis: Axes, runs: pd.DataFrame, name: str, measure: Measure) -> None:
    values, loss = _numbers(runs[name]), measure.column
    words: list[Any] = []
    if values.isna().any():  # words and lists: places in the order of the study
        words = list(dict.fromkeys(runs[name].dropna()))
        values = runs[name].map({word: place for place, word in enumerate(words)}).astype(float)
    # Between words there is nothing: no line leads from one to the next.
    marks: dict[str, Any] = {"ls": "--" if name in measure.within else "-", "lw": 1.2}
    if words:
        marks = {"ls": "", "marker": "_", "ms": 16, "mew": 1.5}
    for color, pair in zip(CATEGORIES, dict.fromkeys(runs["pair"]), strict=False):
        # A star's row about this parameter, or its default; in grids and lists every run.
        shown = runs[(runs["pair"] == pair) & (runs["parameter"].isin(["", name]) | runs["is_default"])]
        points = pd.DataFrame({"value": values[shown.index], "loss": shown[loss], "bar": noise.bars_of(shown, loss)})
        points = points.dropna(subset=["value", "loss"])
        _show_bars(axis, points["value"], points["loss"], color, yerr=points["bar"])
        axis.plot(points["value"], points["loss"], "o", color=color, ms=3, alpha=0.7)
        middle = _middle(points, bool(words) or shown["parameter"].eq(name).any())
        axis.plot(middle["value"], middle["loss"], color=color, label=pair, **marks)
        default = shown[shown["is_default"]]
        axis.plot(values[default.index], default[loss], "o", color=ACCENT, ms=6, mec="white", zorder=3)
    positive = values[values > 0]
    if words:
        labels = [fitted(label, max(8, 40 // len(words)), 3) for label in value_labels(words)]
        axis.set_xticks(range(len(words)), labels, rotation=90 if len(words) > 6 else 0)
        axis.set_xlim(-0.5, len(words) - 0.5)
    elif positive.max() / positive.min() >= WIDE:
        if (values == 0).any():
            axis.set_xscale("symlog", linthresh=10 ** round(np.log10(positive.min())))
        else:
            axis.set_xscale("log")
        log_ticks(axis.xaxis)
    plain_axes(axis)


def _middle(points: pd.DataFrame, each: bool) -> pd.DataFrame:
    """Medians: of each value; else, where most values occur once, of neighbours. each: of each value in any case."""
    groups = points["value"]
    if not each and 2 * groups.nunique() > len(points) > NEIGHBOURS:
        groups = points["value"].rank(method="first") * NEIGHBOURS // (len(points) + 1)
    return points.groupby(groups.rename("of"))[["value", "loss"]].median()


def _numbers(column: pd.Series) -> pd.Series:
    """A column as numbers; where it holds words or lists there are none."""
    return pd.to_numeric(column, errors="coerce")
