"""What all figures share: colours, axes, captions, and how they are saved."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from styletransfer.files import atomic
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
    """Few ticks at even distances on a log axis whose data are drawn, labelled in plain numbers: 300, 1k, 3k."""
    low, high = axis.get_view_interval()
    axis.set_major_formatter(mpl.ticker.FuncFormatter(_plain_number))
    if not 0 < low < high:  # nothing is drawn, or the axis goes through 0 (symlog): its own ticks are few
        return
    decades = math.log10(high / low)
    steps = range(1, 10) if decades < 0.5 else (1, 2, 5) if decades < 1.3 else (1, 3) if decades < 3.2 else (1,)
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
    figure.text(0.5, 0.5, f"{runs['study'].iloc[0]}\n{incomplete_note(runs)}", ha="center", va="center", color=GREY)
    return figure


def caption(runs: pd.DataFrame) -> str:
    """What a figure shows: the study, how many runs, how computed; and what is missing."""
    shown = runs if completed(runs).empty else completed(runs)
    first, count = shown.iloc[0], runs["run_id"].nunique()
    wide = f"{first['width']:g} px wide, " if first["width"] > 0 else ""
    note = f"\n{incomplete_note(runs)}" if incomplete_note(runs) else ""
    return (
        f"{first['study']}: {count} {plural('run', count)}, {wide}"
        f"{first['iterations']} iterations, {sources.described(first['weights'])}{note}"
    )


def plural(word: str, count: int, words: str = "") -> str:
    """A noun as its number wants it."""
    return word if count == 1 else words or f"{word}s"


def set_title(figure: Figure, text: str) -> None:
    """A line or more above a figure, broken to its width."""
    characters = int(figure.get_size_inches()[0] * 14)
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, characters)]
    # A name is a name, also with $ in it, which matplotlib would take for the beginning of a formula.
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=9, color=GREY, parse_math=False)
