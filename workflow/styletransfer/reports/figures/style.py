"""What all figures share: colours, axes, captions, and how they are saved."""

from __future__ import annotations

import functools
import math
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from styletransfer.files import atomic
from styletransfer.images.color import finished
from styletransfer.images.io import read_image
from styletransfer.images.resize import resize, resize_to_width, to_uint8
from styletransfer.results.tables import completed, incomplete_note
from styletransfer.vgg import sources

INK, ACCENT, GREY = "#22262b", "#d1495b", "#5b6570"
# Okabe and Ito's colours: told apart by colour-blind people as well.
CATEGORIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
mpl.rcParams |= {"font.family": "DejaVu Sans", "pdf.fonttype": 42, "svg.hashsalt": "styletransfer", "text.color": INK}
# Without a date the same tables give the same file.
NO_DATE = {".pdf": {"CreationDate": None}, ".png": {"Software": None}}


def save(figure: Figure, paths: Sequence[Path]) -> None:
    """Write a figure in the format of each suffix, atomically."""
    for path in paths:
        with atomic.atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=130, metadata=NO_DATE.get(path.suffix))


def log_ticks(axis: Axis) -> None:
    """Few ticks at even distances on a log axis whose data are drawn, labelled to be read: 1e-7, 0.001, 300, 1k."""
    low, high = axis.get_view_interval()
    axis.set_major_formatter(mpl.ticker.FuncFormatter(_plain_number))
    if not 0 < low < high:  # nothing is drawn, or the axis goes through 0 (symlog): its own ticks are few
        return
    decades = math.log10(high / low)
    steps = range(1, 10) if decades < 0.5 else (1, 2, 5) if decades < 1.3 else (1, 3) if decades < 3.2 else (1,)
    axis.set_major_locator(mpl.ticker.LogLocator(subs=steps, numticks=50))
    axis.set_minor_locator(mpl.ticker.NullLocator())


def _plain_number(value: float, _: object = None) -> str:
    if value >= 1e9 or 0 < value < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    size, letter = (1e6, "M") if value >= 1e6 else (1e3, "k") if value >= 1e3 else (1, "")
    return f"{value / size:.3g}{letter}"


def plain_axes(axis: Axes) -> None:
    """Small ticks, a faint grid, and no frame above or to the right."""
    axis.tick_params(labelsize=8, which="both")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(color="#e6e6e6", lw=0.6)
    axis.set_axisbelow(True)


def log_scale(axes: Sequence[Axes], axis: str, values: Iterable[float]) -> None:
    """A log axis for what is positive among the values drawn; in words, what it cannot show.

    Args:
        axes: those that share it.
        axis: x or y.
        values: all that are drawn along it.

    """
    finite = np.asarray([value for value in values if math.isfinite(value)], float)
    zeros = np.count_nonzero(finite <= 0)
    words, y = f"{zeros} of {len(finite)} values are 0, which has no place here", 0.02
    if zeros < len(finite):
        for each in axes:
            each.set(**{f"{axis}scale": "log"})
            log_ticks(getattr(each, f"{axis}axis"))
    else:
        words, y = "0 in every run: there is nothing to compare", 0.6
    for each in axes if zeros else ():
        each.annotate(words, (0.5, y), xycoords="axes fraction", fontsize=8, color=GREY, ha="center", va="bottom")


def even_places(count: int, most: int) -> list[int]:
    """At most so many of `count` places, evenly spaced from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()


def choose_pairs(runs: pd.DataFrame, most: int) -> tuple[pd.DataFrame, str]:
    """The rows of at most so many pairs, evenly chosen, and what to say of the others; nothing if there are none."""
    pairs = list(dict.fromkeys(runs["pair"]))
    if len(pairs) <= most:
        return runs, ""
    chosen = [pairs[place] for place in even_places(len(pairs), most)]
    return runs[runs["pair"].isin(chosen)], f"{len(chosen)} of {len(pairs)} pairs, evenly chosen: the explorer has all"


def joined(*notes: str) -> str:
    """Notes below one another; empty ones are left out."""
    return "\n".join(filter(None, notes))


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters: the middle goes, since names often differ at their ends."""
    kept = most - 1
    return text if len(text) <= most else f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def legend_below(figure: Figure, handles: Sequence[Any], names: Iterable[str]) -> None:
    """A legend under a figure, in as many columns as its names leave room for."""
    labels = [shortened(name, 40) for name in names]
    inches = 0.7 + 0.08 * max(map(len, labels))
    columns = max(1, min(4, int(figure.get_size_inches()[0] / inches)))
    figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False, fontsize=8)


def fitted(text: str, characters: int, lines: int) -> str:
    """A text broken into lines of at most so many characters, and shortened until they are few enough.

    A line may end between two layers, `relu1_1+relu2_1`.
    """
    for length in range(len(text), 0, -1):
        parts = [
            line.replace("+ relu", "+relu")
            for part in shortened(text, length).splitlines()
            for line in textwrap.wrap(part.replace("+relu", "+ relu"), characters) or [""]
        ]
        if len(parts) <= lines:
            break
    return "\n".join(parts) if text else text


def blank(runs: pd.DataFrame, why: str = "") -> Figure:
    """In place of a figure of which there is nothing to draw, or nothing yet."""
    figure = Figure(figsize=(7, 2))
    words = joined(runs["study"].iloc[0], why, incomplete_note(runs))
    figure.text(0.5, 0.5, words, ha="center", va="center", color=GREY)
    return figure


def caption(runs: pd.DataFrame) -> str:
    """What a figure shows: the study, how many runs, how computed; and what is missing."""
    shown = runs if completed(runs).empty else completed(runs)
    first, count = shown.iloc[0], runs["run_id"].nunique()
    width, iterations = _span(shown["width"]), _span(shown["iterations"])
    wide = f"{width} px wide, " if shown["width"].max() > 0 else ""
    words = plural("iteration", 1 if iterations == "1" else 2)
    text = f"{first['study']}: {count} {plural('run', count)}, {wide}{iterations} {words}, "
    return joined(text + sources.described(first["weights"]), incomplete_note(runs))


def _span(column: pd.Series) -> str:
    """The values of a column in short: `100`, or `20 to 100`."""
    low, high = column.min(), column.max()
    return f"{low:g}" if not low < high else f"{low:g} to {high:g}"


def plural(word: str, count: int, words: str = "") -> str:
    """A noun as its number wants it."""
    return word if count == 1 else words or f"{word}s"


def set_title(figure: Figure, text: str) -> None:
    """A line or more above a figure, broken to its width."""
    characters = int(figure.get_size_inches()[0] * 14)
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, characters)]
    # A name is a name, also with $ in it, which matplotlib would take for the beginning of a formula.
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=9, color=GREY, parse_math=False)


def thumbnail(path: Path, colors_of: Path | None = None, width: int = 320) -> np.ndarray:
    """A picture, (H, W, 3) uint8, no wider than that; with the colours of another."""
    pixels = read_image(path)
    if pixels.shape[1] > width:
        pixels = to_uint8(resize_to_width(pixels, width))
    if colors_of is None:
        return pixels
    return finished(pixels, _resized(colors_of, pixels.shape[1], pixels.shape[0]), "content")


@functools.lru_cache(maxsize=8)
def _resized(path: Path, width: int, height: int) -> np.ndarray:
    return resize(read_image(path), width, height)
