"""What a model of all runs says of parameters: their share of each measure, its curve, and which act together.

What the model is, and when it says nothing, stands in `analysis.response`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from styletransfer.analysis.space import PAIR
from styletransfer.reports.figures.style import (
    CATEGORIES,
    GREY,
    INK,
    blank,
    fitted,
    joined,
    log_ticks,
    plain_axes,
    shortened,
)
from styletransfer.results.tables import completed, incomplete_note
from styletransfer.text import value_labels

# The parameters with the largest shares: the explorer has all.
MOST = 8
COLORS = {"matters": CATEGORIES[0], "undecided": CATEGORIES[1], "does not matter": "#a7afb8"}
BLUES = LinearSegmentedColormap.from_list("shares", ["#ffffff", CATEGORIES[0]])
# What a cell of two parameters says where it has no number.
UNTOLD = "cannot\nbe told"

Found = Mapping[str, Any]


def response(runs: pd.DataFrame, responses: Sequence[Found]) -> Figure:
    """A block for each measure: bars of shares, a curve for each parameter, and a matrix of pairs.

    Args:
        runs: the table of runs.
        responses: what `results.responses.read` returns.
    """
    shown = [found for found in responses if found["effects"]]
    if completed(runs).empty or not shown:
        reasons = dict.fromkeys(f"{found['title']}: {found['reason']}" for found in responses)
        return blank(runs, "no model of the response" + "".join(f"\n{reason}" for reason in reasons))
    columns = max(min(MOST, len(found["effects"])) for found in shown)
    figure = Figure(figsize=(max(11, 1.75 * columns + 1), 6.6 * len(shown) + 0.5), layout="constrained")
    note = "Bars and bands: 90 % intervals. Shares: of the variance of the measure over the space of the study"
    figure.suptitle(joined(note, incomplete_note(runs)), x=0.01, ha="left", fontsize=9, color=GREY)
    blocks = figure.subfigures(len(shown), 1, hspace=0.06, squeeze=False)
    for block, found in zip(blocks[:, 0], shown, strict=True):
        block.suptitle(f"{found['title']}. {found['sentences'][0]}", x=0.01, ha="left", fontsize=11, weight="bold")
        above, below = block.subfigures(2, 1, height_ratios=[1.25, 1])
        bars, matrix = above.subplots(1, 2, width_ratios=[1.25, 1])
        _show_shares(bars, found["effects"][:MOST])
        _show_pairs(matrix, found)
        axes = below.subplots(1, columns, sharey=True, squeeze=False)[0]
        for axis in axes[len(found["effects"]) :]:
            axis.set_axis_off()
        for axis, effect in zip(axes, found["effects"], strict=False):
            _show_curve(axis, effect)
        axes[0].set_ylabel(f"{found['title']}, mean", fontsize=8)
    return figure


def _show_shares(axis: Axes, effects: Sequence[Found]) -> None:
    """A bar for each parameter: the dark part alone, the light part with others."""
    for place, effect in enumerate(effects):
        total, alone, color = effect["total"], effect["alone"]["value"], COLORS[effect["verdict"]]
        axis.barh(place, total["value"], color=color, alpha=0.4, height=0.62)
        axis.barh(place, min(alone, total["value"]), color=color, height=0.62)
        axis.plot([total["low"], total["high"]], [place, place], color=INK, lw=1.6, solid_capstyle="butt")
        axis.annotate(
            effect["verdict"], (total["high"], place), (6, 0), textcoords="offset points", va="center", fontsize=8
        )
    axis.set_yticks(range(len(effects)), [_words(effect["parameter"]) for effect in effects], fontsize=9)
    axis.invert_yaxis()
    axis.set_xlim(0, 1.22 * max(0.5, *(effect["total"]["high"] for effect in effects)))
    axis.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    axis.set_title("share of the variance: dark alone, light together with others", fontsize=9, loc="left")
    plain_axes(axis)


def _show_pairs(axis: Axes, found: Found) -> None:
    """A cell for each two: their share beyond what each does alone."""
    names = [effect["parameter"] for effect in found["effects"][:MOST]]
    names += [PAIR] * any(PAIR in pair["parameters"] for pair in found["pairs"])
    axis.set_title("what two do together, beyond each alone", fontsize=9, loc="left")
    if len(names) < 2:
        axis.text(0.5, 0.5, "there is one parameter", ha="center", color=GREY, fontsize=9)
        axis.set_axis_off()
        return
    for pair in found["pairs"]:
        if not set(pair["parameters"]) <= set(names):
            continue
        column, row = sorted(map(names.index, pair["parameters"]))
        _show_cell(axis, column, row - 1, pair)
    axis.set_xlim(-0.5, len(names) - 1.5)
    axis.set_ylim(len(names) - 1.5, -0.5)
    axis.set_xticks(range(len(names) - 1), [fitted(_words(name), 11, 3) for name in names[:-1]], fontsize=8)
    axis.set_yticks(range(len(names) - 1), [fitted(_words(name), 16, 2) for name in names[1:]], fontsize=8)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _show_cell(axis: Axes, column: int, row: int, pair: Found) -> None:
    share = pair["share"]
    place = (column - 0.48, row - 0.48)
    if share is None:
        axis.add_patch(_cell(place, fc="#f4f4f4", hatch="///", ec="#d5d9dd"))
        axis.text(column, row, UNTOLD, ha="center", va="center", fontsize=6.5, color=GREY)
        return
    acts = pair["verdict"] == "act together"
    axis.add_patch(_cell(place, fc=BLUES(min(1, 2 * share["value"])), ec=CATEGORIES[0] if acts else "#d5d9dd"))
    words = f"{100 * share['value']:.0f} %\n{100 * share['low']:.0f} to {100 * share['high']:.0f}"
    color = "white" if share["value"] > 0.3 else INK if acts else GREY
    axis.text(column, row, words, ha="center", va="center", fontsize=7, color=color, weight="bold" if acts else None)


def _cell(place: tuple[float, float], **how: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(place, 0.96, 0.96, lw=1.2, **how)


def _show_curve(axis: Axes, effect: Found) -> None:
    """The mean along a parameter with its band; for words a bar of error each."""
    curve, color = effect["curve"], COLORS[effect["verdict"]]
    values, mean, low, high = (curve[name] for name in ("values", "mean", "low", "high"))
    if effect["kind"] == "choice":
        places = range(len(values))
        axis.errorbar(places, mean, [np.subtract(mean, low), np.subtract(high, mean)], fmt="o", color=color, capsize=3)
        axis.set_xticks(places, [fitted(label, max(6, 22 // len(values)), 3) for label in value_labels(values)])
        axis.set_xlim(-0.5, len(values) - 0.5)
    else:
        axis.fill_between(values, low, high, color=color, alpha=0.25, lw=0)
        axis.plot(values, mean, color=color, lw=1.6)
        if effect["kind"] == "log" and values[0] > 0:
            axis.set_xscale("log")
            log_ticks(axis.xaxis)
        elif effect["kind"] == "log":
            axis.set_xscale("symlog", linthresh=_least(values))
            log_ticks(axis.xaxis)
    axis.set_title(shortened(_words(effect["parameter"]), 26), fontsize=9, loc="left")
    plain_axes(axis)


def _least(values: Sequence[float]) -> float:
    """Where a log axis that has 0 begins to be one: at a power of 10."""
    return float(10 ** np.floor(np.log10(min(value for value in values if value > 0)) + 1))


def _words(name: str) -> str:
    return "pictures" if name == PAIR else name.replace("_", " ")
