"""Figures drawn from the tables: contact sheet, loss curves, device timeline.

A table may have runs without a result. Figures show what there is, and say how many runs are missing and why.
"""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from styletransfer import files, images, settings, status, study, timeline, weights
from styletransfer.errors import InputError
from styletransfer.run import RUN_FILES
from styletransfer.tables import SEPARATOR, missing, results

INK, ACCENT, GREY = "#22262b", "#d1495b", "#5b6570"
COLORS = mpl.colormaps["viridis"]
# Okabe and Ito's colours: told apart by colour-blind people as well.
CATEGORIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
# Of the pairs of a study.
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (6, 1, 1, 1)))
# A grid or a list has no end of pictures: so many lines of them are shown, evenly chosen.
MAX_LINES = 10
TILE_INCHES, LABEL_INCHES = 1.75, 0.3
mpl.rcParams |= {"font.family": "DejaVu Sans", "pdf.fonttype": 42, "svg.hashsalt": "styletransfer", "text.color": INK}
# Without a date the same tables give the same file.
NO_DATE = {".pdf": {"CreationDate": None}, ".png": {"Software": None}}


def save(figure: Figure, paths: Sequence[Path]) -> None:
    """Write a figure in the format of each suffix, atomically."""
    for path in paths:
        with files.atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=130, metadata=NO_DATE.get(path.suffix))


def log_ticks(axis: Axis) -> None:
    """Few ticks at even distances on a log axis whose data are drawn, labelled in plain numbers: 300, 1k, 3k."""
    low, high = axis.get_view_interval()
    axis.set_major_formatter(mpl.ticker.FuncFormatter(_plain_number))
    if not 0 < low < high:  # nothing is drawn, or the axis goes through 0 (symlog): its own ticks are few
        return
    decades = math.log10(high / low)
    steps = (1, 2, 5) if decades < 1.3 else (1, 3) if decades < 3.2 else (1,)
    axis.set_major_locator(mpl.ticker.LogLocator(subs=steps, numticks=50))
    axis.set_minor_locator(mpl.ticker.NullLocator())


def _plain_number(value: float, _: object = None) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size <= value < 1000 * size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def blank(runs: pd.DataFrame) -> Figure:
    """In place of a figure of which there is nothing to draw yet."""
    figure = Figure(figsize=(7, 2))
    figure.text(0.5, 0.5, f"{runs['study'].iloc[0]}\n{missing(runs)}", ha="center", va="center", color=GREY)
    return figure


def choose(rows: pd.DataFrame, columns: int, limits: Sequence[float] | None) -> pd.DataFrame:
    """At most `columns` rows, evenly spaced over those within the limits; the default stays among them."""
    if limits is not None:
        rows = rows[rows["value"].isna() | rows["value"].between(*limits) | rows["is_default"]]
    if rows["value"].notna().all():
        rows = rows.sort_values("value")
    rows = rows.drop_duplicates("run_id")
    if len(rows) <= columns:
        return rows
    return rows.iloc[_even_places(len(rows), columns, np.flatnonzero(rows["is_default"]))]


def _even_places(count: int, columns: int, default: np.ndarray) -> np.ndarray:
    """`columns` of `count` places, evenly spaced from the first to the last; the default's place is one of them."""
    if not len(default):
        return np.linspace(0, count - 1, columns).round().astype(int)
    place = default[0]
    before = round(place / (count - 1) * (columns - 1))
    before = min(max(before, int(place > 0)), columns - 1 - int(place < count - 1))
    left, right = np.linspace(place, 0, before + 1), np.linspace(place, count - 1, columns - before)
    return np.unique(np.concatenate([left, right]).round().astype(int))


@dataclass(frozen=True)
class Line:
    """A line of a contact sheet: its title, and a label with a run for each tile; None where that run does not exist.

    A line without tiles shows what a pair is made of and what comes of it, or with `is_heading` nothing but its title.
    """

    title: str
    tiles: Sequence[tuple[str, Any]] = ()
    is_heading: bool = False


def contact_sheet(
    runs: pd.DataFrame,
    pool: Path,
    pictures: Mapping[str, str],
    columns: int,
    limits: Mapping[str, Any],
    preserve: bool,
    grid: Sequence[str] = (),
) -> Figure:
    """The pictures of a study; on top of each pair the inputs, and the result of the default where there is room.

    A line for each parameter; or, where `grid` names two parameters, a line for each value of the first and a column
    for each of the second. A study of every combination is shown so unasked. columns: the most pictures in a line.
    limits: parameter to lowest and highest value shown. preserve: in the content's colours. pictures: the file of each
    input; one that is not there is left out.
    """
    by_pair = {pair: runs[runs["pair"] == pair] for pair in dict.fromkeys(runs["pair"])}
    lines = [(of_pair, line) for of_pair in by_pair.values() for line in _lines(of_pair, columns, limits, grid)]
    shown = max(len(line.tiles) for _, line in lines)
    columns = max(shown, 1 + runs["styles"].str.count(SEPARATOR).max() + 1)
    heights = [_height(line, of_pair, pictures) for of_pair, line in lines]
    figure = Figure(figsize=(columns * TILE_INCHES + 1.5, sum(heights) + 0.5), layout="constrained")
    _title(figure, _caption(runs))
    places = figure.subplots(
        len(lines), columns + 1, squeeze=False, width_ratios=[0.7] + [1.0] * columns, height_ratios=heights
    )
    for axes, (of_pair, line) in zip(places, lines, strict=True):
        for axis in axes:
            axis.set_axis_off()
        if line.is_heading:
            axes[1].text(0, 0, line.title, va="bottom", fontsize=9, color=GREY)
            continue
        axes[0].text(
            1, 0.5, line.title.replace("_", "\n"), ha="right", va="center", weight="bold", fontsize=9, wrap=True
        )
        if not line.tiles:
            _show_pair(axes[1:], of_pair, pictures, pool)
        for axis, (label, row) in zip(axes[1:], line.tiles, strict=False):
            _show_run(axis, label, row, pool, preserve)
    return figure


def _lines(of_pair: pd.DataFrame, columns: int, limits: Mapping[str, Any], grid: Sequence[str]) -> Iterator[Line]:
    """Every line of one pair."""
    yield Line(of_pair["pair"].iloc[0])
    grid = grid or _full_grid(of_pair)
    if grid:
        yield from _grid_lines(of_pair, grid, columns, limits)
        return
    default = of_pair[of_pair["is_default"]].iloc[:1]
    for parameter in dict.fromkeys(of_pair["parameter"]):
        rows = of_pair[of_pair["parameter"] == parameter]
        if not parameter:
            rows = choose(rows, columns * MAX_LINES, None)
            for first in range(0, len(rows), columns):
                yield Line("", [(row.label.replace(", ", "\n"), row) for row in rows[first:][:columns].itertuples()])
            continue
        if not rows["is_default"].any() and len(default):
            value = default[parameter].iloc[0]
            extra = default.assign(value=pd.to_numeric(value, errors="coerce"), label=study.value_text(value))
            rows = pd.concat([rows, extra.astype(rows.dtypes.to_dict())])
        chosen = choose(rows, columns, limits.get(parameter))
        labels = chosen["label"].where(~chosen["is_default"], chosen["label"] + " (default)")
        yield Line(parameter, list(zip(labels, chosen.itertuples(), strict=True)))


def varied(runs: pd.DataFrame) -> list[str]:
    """The parameters with more than one value."""
    return [name for name in settings.PARAMETERS if name in runs and runs[name].nunique() > 1]


def _full_grid(of_pair: pd.DataFrame) -> list[str]:
    """The first two parameters of a study that has a run for every combination of all; else nothing."""
    names = varied(of_pair)
    full = len(names) > 1 and math.prod(of_pair[name].nunique() for name in names) == of_pair["run_id"].nunique()
    return names[:2] if full and not of_pair["parameter"].any() else []


def _grid_lines(of_pair: pd.DataFrame, grid: Sequence[str], columns: int, limits: Mapping[str, Any]) -> Iterator[Line]:
    """A block of lines for each combination of the other parameters that has many runs; evenly chosen."""
    down, across = grid
    downs, acrosses = (
        _shown_values(of_pair, name, most, limits.get(name)) for name, most in ((down, MAX_LINES), (across, columns))
    )
    others = [name for name in varied(of_pair) if name not in grid]
    blocks = (
        [(key, rows) for key, rows in of_pair.groupby(others, sort=False, dropna=False)] if others else [((), of_pair)]
    )
    # In a star this is the block of the default: the others hold a single run each.
    largest = max(len(rows) for _, rows in blocks)
    blocks = [block for block in blocks if 2 * len(block[1]) > largest]
    count = min(len(blocks), max(1, MAX_LINES // len(downs)))
    for place in np.linspace(0, len(blocks) - 1, count).round().astype(int):
        key, rows = blocks[place]
        if others:
            words = [f"{_words(name)} {study.value_text(value)}" for name, value in zip(others, key, strict=True)]
            yield Line(", ".join(words), is_heading=True)
        found = {(getattr(row, down), getattr(row, across)): row for row in rows.itertuples()}
        for value in downs:
            tiles = [(f"{_words(across)} {study.value_text(other)}", found.get((value, other))) for other in acrosses]
            yield Line(f"{down}_{study.value_text(value)}", tiles)


def _shown_values(runs: pd.DataFrame, parameter: str, most: int, limits: Sequence[float] | None) -> list[Any]:
    """At most so many values of a parameter, evenly spaced over those within the limits; the default stays."""
    values = pd.DataFrame({"value": runs[parameter], "is_default": runs["is_default"]})
    values["number"] = pd.to_numeric(values["value"], errors="coerce")
    values = values.sort_values("is_default", ascending=False, kind="stable").drop_duplicates("value")
    # Words keep the order of the study.
    values = values.sort_values("number", kind="stable") if values["number"].notna().all() else values.sort_index()
    if limits is not None:
        values = values[values["number"].isna() | values["number"].between(*limits) | values["is_default"]]
    if values.empty:
        raise InputError(f"contact_sheet.limits.{parameter} is {list(limits or [])!r}: no run has such a value")
    if len(values) > most:
        values = values.iloc[_even_places(len(values), most, np.flatnonzero(values["is_default"]))]
    return values["value"].tolist()


def _words(parameter: str) -> str:
    return parameter.replace("_", " ")


def _height(line: Line, of_pair: pd.DataFrame, pictures: Mapping[str, str]) -> float:
    """Inches that a line takes: its tallest picture and a label."""
    if line.is_heading:
        return LABEL_INCHES
    sizes = [(row.width, row.height) for _, row in line.tiles if row is not None]
    if not line.tiles:
        names = [name for _, name in _inputs(of_pair.iloc[0])]
        sizes = [images.image_size(pictures[name]) for name in names if Path(pictures[name]).exists()]
    aspects = [height / width for width, height in sizes if height > 0]  # a run without a result has none
    return TILE_INCHES * max(aspects, default=1.0) + LABEL_INCHES


def _inputs(row: Any) -> list[tuple[str, str]]:
    """Role and name of the pictures that a run is made of."""
    return [("content", row["content"])] + [("style", name) for name in row["styles"].split(SEPARATOR)]


def _caption(runs: pd.DataFrame) -> str:
    shown = runs if results(runs).empty else results(runs)
    first, count = shown.iloc[0], runs["run_id"].nunique()
    wide = f"{first['width']:g} px wide, " if first["width"] > 0 else ""
    lacking = f"\n{missing(runs)}" if missing(runs) else ""
    return (
        f"{first['study']}: {count} {_plural('run', count)}, {wide}"
        f"{first['iterations']} iterations, {weights.described(first['weights'])}{lacking}"
    )


def _show_pair(axes: Sequence[Axes], of_pair: pd.DataFrame, pictures: Mapping[str, str], pool: Path) -> None:
    """What a pair is made of; then the result of the default, as it is and in the content's colours."""
    shown = [(f"{role}: {name}", Path(pictures[name])) for role, name in _inputs(of_pair.iloc[0])]
    default = of_pair[of_pair["is_default"] & of_pair["status"].isin(status.FINISHED)]
    for run_id in default["run_id"].iloc[:1]:
        shown.append(("result of the default", pool / run_id / RUN_FILES["image"]))
        shown.append(("in the content's colours", pool / run_id / RUN_FILES["preserved"]))
    for axis, (title, path) in zip(axes, shown, strict=False):
        if path.exists():
            axis.imshow(_thumbnail(path))
        axis.set_title(title, fontsize=8, color=GREY, parse_math=False)


def _show_run(axis: Axes, label: str, row: Any, pool: Path, preserve: bool) -> None:
    axis.set_title(label, fontsize=7 if "\n" in label else 9)
    if row is None:
        axis.text(0.5, 0.5, "no run", transform=axis.transAxes, ha="center", va="center", fontsize=8, color=GREY)
        return
    if row.status in status.FINISHED:
        axis.imshow(_thumbnail(pool / row.run_id / RUN_FILES["preserved" if preserve else "image"]))
    else:
        axis.add_patch(mpl.patches.Rectangle((0, 0), 1, 1, transform=axis.transAxes, fc="#ececea"))
        axis.text(
            0.5, 0.5, row.status.replace("_", " "), transform=axis.transAxes, ha="center", va="center", color=GREY
        )
    if row.is_default:
        axis.add_patch(
            mpl.patches.Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, ec=ACCENT, lw=3, clip_on=False)
        )
    if row.status == "diverged":
        axis.plot([0, 1], [0, 1], transform=axis.transAxes, color=ACCENT, lw=2)
        axis.text(0.5, 0.06, row.status, transform=axis.transAxes, ha="center", color="white", backgroundcolor=ACCENT)


def _thumbnail(path: Path, width: int = 320) -> np.ndarray:
    pixels = images.read_image(path)
    return images.to_uint8(images.resize_to_width(pixels, width)) if pixels.shape[1] > width else pixels


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
    _title(figure, f"{_caption(runs)}\n{note}" if missing(runs) else f"{_caption(runs)}. {note}")
    runs = results(runs)
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


def device_timeline(runs: pd.DataFrame) -> Figure:
    """A bar for each run on its device: idle devices are seen as gaps."""
    if results(runs).empty:
        return blank(runs)
    bars = timeline.intervals(results(runs))
    lanes = sorted(bars["lane"].unique())
    figure = Figure(figsize=(11, 1.9 + 0.34 * len(lanes)), layout="constrained")
    _title(figure, f"{runs['study'].iloc[0]}: {_usage_text(timeline.usage(bars))}\n{missing(runs)}")
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
    for run in bars[bars["status"] != "ok"].itertuples():
        axis.plot((run.begin + run.end) / 2 / seconds, lanes.index(run.lane), "x", color="white", ms=6, mew=2)
    for moment in bars.attrs["pauses"]:
        axis.axvline(moment / seconds, color=GREY, lw=1, ls=(0, (2, 2)), zorder=0)
    axis.set_yticks(range(len(lanes)), [timeline.short(lane) for lane in lanes])
    axis.invert_yaxis()
    axis.set_xlabel(f"{unit} since the first run began", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.margins(x=0.01)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower left", ncols=7, frameon=False, fontsize=8)
    return figure


def schedules(named: Mapping[str, Sequence[timeline.Bar]]) -> Figure:
    """Schedules of the same runs below each other, on one axis of minutes, with the bound that none of them beats."""
    figure = Figure(figsize=(9, 0.6 + 1.35 * len(named)), layout="constrained")
    for axis, (title, bars) in zip(figure.subplots(len(named), sharex=True), named.items(), strict=True):
        lanes, begins, ends = (np.array(column) for column in zip(*bars, strict=True))
        bound = (ends - begins).sum() / (lanes.max() + 1)
        axis.barh(lanes, (ends - begins) / 60, left=begins / 60, color=CATEGORIES[0], edgecolor="white", linewidth=0.3)
        axis.axvline(bound / 60, color=ACCENT, lw=1.5)
        over = timeline.elapsed(bars) / bound - 1
        text = f"{title}: {timeline.elapsed(bars) / 60:.1f} minutes, {over:.1%} above the bound of {bound / 60:.1f}"
        axis.set_title(text, fontsize=9, loc="left")
        axis.set_yticks(range(lanes.max() + 1), [f"GPU {lane}" for lane in range(lanes.max() + 1)])
        axis.invert_yaxis()
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
    axis.set_xlabel("minutes", fontsize=8)
    return figure


def _usage_text(usage: timeline.Usage) -> str:
    counts = f"{usage.runs} {_plural('run', usage.runs)} on {usage.lanes} {_plural('lane', usage.lanes)}"
    cuts = f" (dotted: {_plural('a pause', usage.pauses, 'pauses')} between sessions, cut out)" if usage.pauses else ""
    return (
        f"{counts}, {study.duration(usage.elapsed)}{cuts}. Speed-up {usage.speed_up:.2f}, utilisation "
        f"{usage.utilisation:.0%}; no schedule takes less than {study.duration(usage.bound)}, this one "
        f"{usage.elapsed / usage.bound - 1:.1%} more"
    )


def _plural(word: str, count: int, words: str = "") -> str:
    return word if count == 1 else words or f"{word}s"


def _title(figure: Figure, text: str) -> None:
    """A line or more above a figure, broken to its width."""
    characters = int(figure.get_size_inches()[0] * 14)
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, characters)]
    # A name is a name, also with $ in it, which matplotlib would take for the beginning of a formula.
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=9, color=GREY, parse_math=False)
