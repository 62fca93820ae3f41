"""Measurements gathered: one table of all sizes as CSV, all tables as Markdown, and a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.reports.figures.style import CATEGORIES, log_ticks, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Those that the figure shows, from slow to fast, and what it calls them.
SHOWN = {
    "plain TensorFlow": "plain TensorFlow, float32",
    "engine, float32": "engine, float32",
    "engine, bfloat16": "engine, bfloat16",
}
PRODUCTS = {"matrix products, float32": "float32", "matrix products, bfloat16": "bfloat16"}
SECONDS, RATIO, SHARE = (
    "seconds per iteration",
    "times as fast as plain TensorFlow",
    "share of the speed of matrix products",
)


def read(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """All measurements. Raises `InputError` for a file that is none."""
    found = []
    for path in paths:
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
            found[-1]["machine"].items()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} is not a measurement ({error}): remove it and measure again") from error
    return found


def iterations(measurements: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row per size and candidate."""
    rows = [
        {**found["size"], "candidate": name, **values}
        for found in measurements
        for name, values in found.get("step", {}).items()
    ]
    return pd.DataFrame(rows).sort_values("width", kind="stable", ignore_index=True)


def page(measurements: Sequence[Mapping[str, Any]], table: pd.DataFrame) -> str:
    """Everything as Markdown: the machine, seconds and ratios by size, memory, and what a run costs beside."""
    machine = ", ".join(f"{key} {value}" for key, value in measurements[0]["machine"].items())
    lines = [
        f"{machine}.",
        "",
        "Medians; the candidates took turns. A run of 1000 iterations takes 1000 times what the first table says, and "
        "beside that what the last one says.",
    ]
    for title, column in (
        ("Seconds per iteration", SECONDS),
        ("Times as fast as plain TensorFlow", RATIO),
        ("Share of the speed of matrix products (above 1: by Winograd's method)", SHARE),
        ("Peak memory, GiB", "peak memory, GiB"),
    ):
        grid = table.pivot_table(column, "candidate", "width", sort=False)
        lines += ["", f"**{title}**", "", *_markdown([f"{width} px" for width in grid.columns], grid.itertuples())]
    for found in measurements:
        if "run" in found:
            rows = [
                (f"engine, {name}", *costs["seconds outside iterations"].values(), costs["peak memory, GiB"])
                for name, costs in found["run"].items()
            ]
            lines += ["", f"**A whole run at {found['size']['width']} px, outside its iterations**", ""]
            lines += _markdown(["seconds, median", "fastest", "slowest", "peak memory, GiB"], rows)
    return "\n".join(lines) + "\n"


def _markdown(columns: Sequence[str], rows: Any) -> list[str]:
    cells = [[str(name), *("" if pd.isna(value) else f"{value:.3g}" for value in values)] for name, *values in rows]
    return [_line(["", *columns]), "|---" * (len(columns) + 1) + "|", *map(_line, cells)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def draw(path: Path, measurements: Sequence[Mapping[str, Any]], table: pd.DataFrame) -> None:
    """Speed against size, and the roofline of the layers."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_speed(left, table)
    for found in measurements:
        if "layers" in found:
            draw_roofline(right, found)
    save(figure, [path])


def draw_speed(axes: Axes, table: pd.DataFrame) -> None:
    """Iterations a second against the picture's width; dashed: as many multiplications as matrix products."""
    for colour, (candidate, name) in zip(CATEGORIES, SHOWN.items(), strict=False):
        rows = table[table.candidate == candidate]
        if len(rows):  # a CPU without bfloat16 has no such row
            axes.plot(rows.width, 1 / rows[SECONDS], "o-", color=colour, label=name)
    for colour, (candidate, name) in zip(("0.45", "0.7"), PRODUCTS.items(), strict=True):
        rows = table[table.candidate == candidate]
        if len(rows):
            axes.plot(rows.width, 1 / rows[SECONDS], "--", color=colour, label=f"matrix products, {name}")
    widths = sorted(set(table.width))
    axes.set(xscale="log", yscale="log", xlabel="width of the picture, pixels", ylabel="iterations per second")
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.minorticks_off()
    log_ticks(axes.yaxis)
    axes.legend(frameon=False, fontsize=8)


def draw_roofline(axes: Axes, found: Mapping[str, Any]) -> None:
    """GFLOP/s of each layer against its FLOP per byte, under what memory and products allow."""
    layers = dict(found["layers"])
    peak, copies = layers.pop("products, GFLOP/s"), layers.pop("copies, GB/s")
    intensities = [values["FLOP per byte"] for values in layers.values()]
    ends = min(intensities) / 2, max(intensities) * 2
    roof = [ends[0], peak / copies, ends[1]]
    axes.plot(roof, [min(peak, copies * x) for x in roof], color="0.45", label=f"{copies:.3g} GB/s, {peak:.4g} GFLOP/s")
    for colour, marker, method in zip(CATEGORIES[1:], "os", ("direct", "Winograd"), strict=False):
        points = {name: values for name, values in layers.items() if f"{method}, GFLOP/s" in values}
        speeds = [values[f"{method}, GFLOP/s"] for values in points.values()]
        axes.plot([values["FLOP per byte"] for values in points.values()], speeds, marker, color=colour, label=method)
    first, values = next(iter(layers.items()))
    place = values["FLOP per byte"], values["direct, GFLOP/s"]
    axes.annotate(first, place, (4, -11), textcoords="offset points", fontsize=7, color="0.3")
    size = found["size"]
    axes.set(xscale="log", yscale="log", xlabel="FLOP per byte", ylabel="GFLOP/s, float32, forward")
    axes.set_title(f"layers at {size['width']} x {size['height']}", fontsize=9)
    log_ticks(axes.yaxis)
    log_ticks(axes.xaxis)
    axes.legend(frameon=False, fontsize=8, loc="lower right")


def write(folder: Path, paths: Sequence[Path]) -> None:
    """Gather measurements and write `iterations.csv`, `benchmark.md` and `benchmark.png` into a folder.

    Raises `InputError` for a file that is no measurement.
    """
    measurements = read(paths)
    table = iterations(measurements)
    with atomic.atomic_path(folder / "iterations.csv") as temporary:
        table.to_csv(temporary, index=False)
    atomic.write_text(folder / "benchmark.md", page(measurements, table))
    draw(folder / "benchmark.png", measurements, table)
