"""The contact sheet: the pictures of a study on one page, or of evenly chosen pairs where they would be too many.

A table may have runs without a result: the sheet shows what there is, and says how many are missing and why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from styletransfer.analysis import noise
from styletransfer.analysis.measures import CONTENT_KEPT, STYLE_REACHED
from styletransfer.errors import InputError
from styletransfer.images.io import image_size
from styletransfer.reports.figures.style import (
    ACCENT,
    GREY,
    caption,
    choose_pairs,
    fitted,
    joined,
    set_title,
    thumbnail,
)
from styletransfer.results.tables import SEPARATOR, varied
from styletransfer.runs import status
from styletransfer.runs.layout import RUN_FILES
from styletransfer.settings import default_of
from styletransfer.text import value_labels

# A grid or a list has no end of pictures: so many lines of them are shown, evenly chosen.
MAX_LINES = 10
# So many lines, and places for pictures, if there is more than one pair: a page that opens, drawn in seconds.
MAX_PAGE_LINES, MAX_PLACES = 40, 250
TILE_INCHES, LABEL_INCHES, LABEL_LINE_INCHES = 1.75, 0.3, 0.13
# Letters that fit above a tile and beside a line; and lines of them.
LABEL_CHARACTERS, LABEL_LINES, TITLE_CHARACTERS, TITLE_LINES = 24, 8, 10, 9


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

    A line without tiles shows what a pair is made of and what comes of it: `inputs`, each with its label, its file and
    the picture whose colours it is shown in, if not its own. With `is_heading` it is nothing but its title.
    """

    title: str
    tiles: Sequence[tuple[str, Any]] = ()
    inputs: Sequence[tuple[str, Path, Path | None]] = ()
    is_heading: bool = False


def contact_sheet(
    runs: pd.DataFrame,
    pool: Path,
    pictures: Mapping[str, str],
    columns: int,
    limits: Mapping[str, Any],
    preserve: bool,
    grid: Sequence[str] = (),
    order: str = "",
) -> Figure:
    """The pictures of a study; on top of each pair the inputs, and the result of the default where there is room.

    A line for each parameter; or, where `grid` names two parameters, a line for each value of the first and a column
    for each of the second. A study of every combination is shown so unasked. columns: the most pictures in a line.
    limits: parameter to lowest and highest value shown. preserve: in the content's colours. pictures: the file of each
    input; one that is not there is left out, and lends no colours. order: the parameter by whose values runs are put
    that vary all parameters at once. Of repeats the first is shown.
    """
    every, runs = runs, noise.averaged(runs)
    most_inputs = 1 + max(len(names.split(SEPARATOR)) for names in runs["styles"])
    by_pair = {
        pair: list(_lines(of_pair, columns, limits, grid, order)) for pair, of_pair in runs.groupby("pair", sort=False)
    }
    shown = max(len(line.tiles) for lines in by_pair.values() for line in lines)
    columns = max(shown, min(columns, most_inputs))
    longest = max(map(len, by_pair.values())) + -(-most_inputs // columns)
    most_lines = min(MAX_PAGE_LINES, MAX_PLACES // columns)
    runs_shown, left_out = choose_pairs(runs, max(1, most_lines // longest))
    lines = [
        line
        for pair, of_pair in runs_shown.groupby("pair", sort=False)
        for line in (*_input_lines(of_pair, columns, pictures, pool), *by_pair[pair])
    ]
    heights = [_height(line) for line in lines]
    figure = Figure(figsize=(columns * TILE_INCHES + 1.5, sum(heights) + 0.5), layout="constrained")
    repeats = "" if every is runs else "Of repeats, which differ in their noise, the first is shown"
    numbers = "Below a picture: style reached, content kept" if any(map(_is_measured, lines)) else ""
    set_title(figure, joined(caption(every), repeats, numbers, left_out or _left_out(runs, lines)))
    places = figure.subplots(
        len(lines), columns + 1, squeeze=False, width_ratios=[0.7] + [1.0] * columns, height_ratios=heights
    )
    for axes, line in zip(places, lines, strict=True):
        for axis in axes:
            axis.set_axis_off()
        if line.is_heading:
            axes[1].text(0, 0, line.title, va="bottom", fontsize=9, color=GREY)
            continue
        title = fitted(line.title.replace("_", "\n"), TITLE_CHARACTERS, TITLE_LINES)
        axes[0].text(1, 0.5, title, ha="right", va="center", weight="bold", fontsize=9, parse_math=False)
        for axis, (label, path, colors_of) in zip(axes[1:], line.inputs, strict=False):
            if path.exists():
                axis.imshow(thumbnail(path, colors_of))
            axis.set_title(_label(label), fontsize=8, color=GREY, parse_math=False)
        for axis, (label, row) in zip(axes[1:], line.tiles, strict=False):
            _show_run(axis, label, row, pool, pictures if preserve else {})
    return figure


def _input_lines(of_pair: pd.DataFrame, columns: int, pictures: Mapping[str, str], pool: Path) -> Iterator[Line]:
    """What a pair is made of; then, where there is room, the result of the default, also in the content's colours."""
    shown: list[tuple[str, Path, Path | None]] = [
        (f"{role}: {name}", Path(pictures[name]), None) for role, name in _inputs(of_pair.iloc[0])
    ]
    pair, styles = of_pair["pair"].iloc[0], len(shown) - 1
    if styles > 1 and len(pair) > TITLE_CHARACTERS * TITLE_LINES // 2:  # the names stand above the pictures
        pair = f"{of_pair['content'].iloc[0]} x {styles} styles"
    room = -len(shown) % columns
    default = of_pair[of_pair["is_default"] & of_pair["status"].isin(status.WITH_RESULT)]
    for row in default.iloc[:1].itertuples():
        colors_of = _colors_of(row, pictures)
        results = [("result of the default", None), *([("in the content's colours", colors_of)] if colors_of else [])]
        shown += [(label, pool / row.run_id / RUN_FILES["image"], colors) for label, colors in results[:room]]
    for first in range(0, len(shown), columns):
        yield Line("" if first else pair, inputs=shown[first:][:columns])


def _lines(
    of_pair: pd.DataFrame, columns: int, limits: Mapping[str, Any], grid: Sequence[str], order: str
) -> Iterator[Line]:
    """Every line of the results of one pair."""
    grid = grid or _full_grid(of_pair)
    if grid:
        yield from _grid_lines(of_pair, grid, columns, limits)
        return
    default = of_pair[of_pair["is_default"]].iloc[:1]
    for parameter in dict.fromkeys(of_pair["parameter"]):
        rows = of_pair[of_pair["parameter"] == parameter]
        if not parameter:
            if order:
                rows = rows.sort_values(order, key=lambda column: pd.to_numeric(column, errors="coerce"), kind="stable")
            for name, within in limits.items():
                number = pd.to_numeric(rows[name], errors="coerce")
                rows = rows[number.isna() | number.between(*within) | rows["is_default"]]
            rows = choose(rows, columns * MAX_LINES, None)
            for first in range(0, len(rows), columns):
                yield Line("", [(row.label.replace(", ", "\n"), row) for row in rows[first:][:columns].itertuples()])
            continue
        if not rows["is_default"].any() and len(default):
            value = default[parameter].iloc[0]
            extra = default.assign(
                value=pd.to_numeric(value, errors="coerce"), label=value_labels([*rows["value"], value])[-1]
            )
            rows = pd.concat([rows, extra.astype(rows.dtypes.to_dict())])
        chosen = choose(rows, columns, limits.get(parameter))
        labels = chosen["label"].where(~chosen["is_default"], chosen["label"] + " (default)")
        yield Line(parameter, list(zip(labels, chosen.itertuples(), strict=True)))


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
    labels = {name: _labels(of_pair[name]) for name in (*grid, *others)}
    largest = max(len(rows) for _, rows in blocks)
    blocks = [block for block in blocks if 2 * len(block[1]) > largest]
    count = min(len(blocks), max(1, MAX_LINES // len(downs)))
    for place in np.linspace(0, len(blocks) - 1, count).round().astype(int):
        key, rows = blocks[place]
        if others:
            words = [f"{_words(name)} {labels[name][value]}" for name, value in zip(others, key, strict=True)]
            yield Line(", ".join(words), is_heading=True)
        found = {(getattr(row, down), getattr(row, across)): row for row in rows.itertuples()}
        for value in downs:
            tiles = [(f"{_words(across)} {labels[across][other]}", found.get((value, other))) for other in acrosses]
            yield Line(f"{down}_{labels[down][value]}", tiles)


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


def _labels(column: pd.Series) -> dict[Any, str]:
    """What to call each value of a column."""
    values = column.unique().tolist()
    return dict(zip(values, value_labels(values), strict=True))


def _words(parameter: str) -> str:
    return parameter.replace("_", " ")


def _left_out(runs: pd.DataFrame, lines: Sequence[Line]) -> str:
    """How many runs have no tile; empty if all have one."""
    shown, count = {row.run_id for line in lines for _, row in line.tiles if row is not None}, runs["run_id"].nunique()
    return f"{len(shown)} of {count} runs are shown: the explorer has all" if len(shown) < count else ""


def _height(line: Line) -> float:
    """Inches that a line takes: its tallest picture and its labels."""
    if line.is_heading:
        return LABEL_INCHES
    sizes = [(row.width, row.height) for _, row in line.tiles if row is not None]
    sizes += [image_size(path) for _, path, _ in line.inputs if path.exists()]
    labels = [_label(label) for label in [*(label for label, _ in line.tiles), *(label for label, *_ in line.inputs)]]
    aspects = [height / width for width, height in sizes if height > 0]  # a run without a result has none
    more_lines = max((label.count("\n") for label in labels), default=0) + _is_measured(line)
    return TILE_INCHES * max(aspects, default=1.0) + LABEL_INCHES + LABEL_LINE_INCHES * more_lines


def _is_measured(line: Line) -> bool:
    return any(_numbers(row) for _, row in line.tiles if row is not None)


def _numbers(row: Any) -> str:
    """What is measured of the style and the content of a run; empty where nothing is."""
    numbers = [getattr(row, ruler.column, math.nan) for ruler in (STYLE_REACHED, CONTENT_KEPT)]
    return "" if pd.isna(numbers).any() else "   ".join(f"{number:.2f}" for number in numbers)


def _label(text: str) -> str:
    return fitted(text, LABEL_CHARACTERS, LABEL_LINES)


def _inputs(row: Any) -> list[tuple[str, str]]:
    """Role and name of the pictures that a run is made of."""
    return [("content", row["content"])] + [("style", name) for name in row["styles"].split(SEPARATOR)]


def _colors_of(row: Any, pictures: Mapping[str, str]) -> Path | None:
    """The content picture of a run, whose colours it may be shown in; None if it has colours by its settings."""
    path = Path(pictures.get(row.content, ""))
    return path if row.colors == default_of("colors") and path.is_file() else None


def _show_run(axis: Axes, label: str, row: Any, pool: Path, pictures: Mapping[str, str]) -> None:
    label = _label(label)
    axis.set_title(label, fontsize=7 if "\n" in label else 9, parse_math=False)
    if row is None:
        axis.text(0.5, 0.5, "no run", transform=axis.transAxes, ha="center", va="center", fontsize=8, color=GREY)
        return
    if row.status in status.WITH_RESULT:
        axis.imshow(thumbnail(pool / row.run_id / RUN_FILES["image"], _colors_of(row, pictures)))
    else:
        axis.add_patch(mpl.patches.Rectangle((0, 0), 1, 1, transform=axis.transAxes, fc="#ececea"))
        axis.text(
            0.5, 0.5, row.status.replace("_", " "), transform=axis.transAxes, ha="center", va="center", color=GREY
        )
    if numbers := _numbers(row):
        axis.text(0.5, -0.03, numbers, transform=axis.transAxes, ha="center", va="top", fontsize=7, color=GREY)
    if row.is_default:
        axis.add_patch(
            mpl.patches.Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, ec=ACCENT, lw=3, clip_on=False)
        )
    if row.status == "diverged":
        axis.plot([0, 1], [0, 1], transform=axis.transAxes, color=ACCENT, lw=2)
        axis.text(0.5, 0.06, row.status, transform=axis.transAxes, ha="center", color="white", backgroundcolor=ACCENT)
    if row.status == status.STOPPED:
        words = f"stopped after {row.iterations_done:,}"
        axis.text(0.5, 0.06, words, transform=axis.transAxes, ha="center", color="white", backgroundcolor=GREY, size=7)
