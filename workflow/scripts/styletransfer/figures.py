"""Figures drawn from the tables: the contact sheet and the loss curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from styletransfer import files, images

INK, ACCENT = "#22262b", "#d1495b"
TILE_INCHES = 1.75
mpl.rcParams |= {"font.family": "DejaVu Sans", "pdf.fonttype": 42, "svg.hashsalt": "styletransfer", "text.color": INK}
# Without a date the same tables give the same file.
NO_DATE = {".pdf": {"CreationDate": None}, ".png": {"Software": None}}


def save(figure: Figure, paths: Sequence[Path]) -> None:
    """Write a figure in the format of each suffix, atomically."""
    for path in paths:
        with files.atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=130, metadata=NO_DATE.get(path.suffix))


def choose(rows: pd.DataFrame, columns: int, limits: Sequence[float] | None) -> pd.DataFrame:
    """At most `columns` rows, evenly spaced over those within the limits; the default stays among them."""
    if limits is not None:
        rows = rows[rows["value"].isna() | rows["value"].between(*limits) | rows["is_default"]]
    if rows["value"].notna().all():
        rows = rows.sort_values("value")
    rows = rows.drop_duplicates("run_id")
    if len(rows) <= columns:
        return rows
    places = np.linspace(0, len(rows) - 1, columns).round().astype(int)
    default = np.flatnonzero(rows["is_default"])
    if len(default) and default[0] not in places:
        places[np.abs(places - default[0]).argmin()] = default[0]
    return rows.iloc[np.unique(places)]


def contact_sheet(
    runs: pd.DataFrame, pool: Path, pictures: Mapping[str, str], columns: int, limits: Mapping[str, Any], preserve: bool
) -> Figure:
    """A row of labelled pictures for each pair and parameter, with the inputs on top of each pair."""
    bands: list[tuple[str, pd.DataFrame | None]] = []
    for pair, of_pair in runs.groupby("pair", sort=False):
        bands.append((str(pair), None))
        default = of_pair[of_pair["is_default"]]
        for parameter in dict.fromkeys(of_pair["parameter"]):
            rows = of_pair[of_pair["parameter"] == parameter]
            if not parameter:
                bands += [("", rows.iloc[i : i + columns]) for i in range(0, len(rows), columns)]
                continue
            if not rows["is_default"].any() and len(default):
                value = default.iloc[0][parameter]
                extra = default.iloc[:1].assign(value=pd.to_numeric(value, errors="coerce"), label=f"{value}")
                rows = pd.concat([rows, extra.astype(rows.dtypes.to_dict())])
            bands.append((parameter, choose(rows, columns, limits.get(parameter))))
    figure = Figure(figsize=(columns * TILE_INCHES + 1.5, len(bands) * (TILE_INCHES + 0.3) + 0.3), layout="constrained")
    grid = figure.subplots(len(bands), columns + 1, squeeze=False, width_ratios=[0.7] + [1] * columns)
    for axes, (title, rows) in zip(grid, bands, strict=True):
        for axis in axes:
            axis.set_axis_off()
        axes[0].text(1, 0.5, title.replace("_", "\n"), ha="right", va="center", weight="bold", fontsize=9)
        if rows is None:
            _show_inputs(axes[1:], runs[runs["pair"] == title].iloc[0], pictures)
            continue
        for axis, row in zip(axes[1:], rows.itertuples(), strict=False):
            _show_run(axis, row, pool, preserve)
    return figure


def _show_inputs(axes: Sequence[Axes], row: Any, pictures: Mapping[str, str]) -> None:
    named = [("content", row["content"])] + [("style", name) for name in row["styles"].split(" + ")]
    for axis, (role, name) in zip(axes, named, strict=False):
        axis.imshow(_thumbnail(Path(pictures[name])))
        axis.set_title(f"{role}: {name}", fontsize=8, color="#5b6570")


def _show_run(axis: Axes, row: Any, pool: Path, preserve: bool) -> None:
    axis.imshow(_thumbnail(pool / row.run_id / ("preserved.png" if preserve else "image.png")))
    label = row.label or "default"
    axis.set_title(f"{label} (default)" if row.is_default and row.label else label, fontsize=9)
    if row.is_default:
        axis.add_patch(
            mpl.patches.Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, ec=ACCENT, lw=3, clip_on=False)
        )
    if row.status != "ok":
        axis.plot([0, 1], [0, 1], transform=axis.transAxes, color=ACCENT, lw=2)
        axis.text(0.5, 0.06, row.status, transform=axis.transAxes, ha="center", color="white", backgroundcolor=ACCENT)


def _thumbnail(path: Path, width: int = 320) -> np.ndarray:
    pixels = images.read_image(path)
    return images.to_uint8(images.resize_to_width(pixels, width)) if pixels.shape[1] > width else pixels


def loss_curves(runs: pd.DataFrame, losses: pd.DataFrame) -> Figure:
    """Total loss against steps: a panel for each parameter, a curve for each value, colour = value."""
    total = losses[losses["loss"] == "total"]
    curves = dict(iter(total.groupby("run_id")))
    panels = [parameter for parameter in dict.fromkeys(runs["parameter"]) if parameter] or [""]
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.3 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axis in grid.flat[len(panels) :]:
        axis.set_axis_off()
    for axis, parameter in zip(grid.flat, panels, strict=False):
        _panel(figure, axis, parameter, runs[runs["parameter"] == parameter], curves)
    return figure


def _panel(figure: Figure, axis: Axes, parameter: str, rows: pd.DataFrame, curves: Mapping[Any, pd.DataFrame]) -> None:
    values = rows["value"]
    scale = mpl.colors.Normalize(values.min(), max(values.max(), values.min() + 1e-9)) if values.notna().any() else None
    colors = mpl.colormaps["viridis"]
    for row in rows.itertuples():
        curve = curves[row.run_id]
        color = colors(scale(row.value)) if scale and not row.is_default else ACCENT if row.is_default else "#6c7a89"
        axis.plot(curve["iteration"], curve["weighted"], color=color, lw=2 if row.is_default else 0.9, alpha=0.9)
    if scale is not None:
        figure.colorbar(mpl.cm.ScalarMappable(scale, colors), ax=axis, pad=0.02)
    axis.set_yscale("log")
    axis.set_title(parameter.replace("_", " ") or "all runs", fontsize=10, loc="left", weight="bold")
    axis.set_xlabel("step", fontsize=8)
    axis.set_ylabel("total loss", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
