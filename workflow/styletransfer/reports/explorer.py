"""The explorer: a whole study as one page that opens by a double click, without a server and without a network.

Python gathers what the page shows (`content`) and puts it in as JSON; what it looks like and does is in
`templates/explorer`. Charts are Vega-Lite's, inlined from the package vl-convert-python.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from styletransfer import settings
from styletransfer.analysis import measures, noise, pareto
from styletransfer.files import atomic
from styletransfer.images.io import image_size
from styletransfer.optim.terms import LOSS_DEFINITION, LOSSES, WEIGHTS
from styletransfer.reports import html, verdict
from styletransfer.results import tables
from styletransfer.runs import status
from styletransfer.runs.layout import RUN_FILES
from styletransfer.study.expand import pair_name
from styletransfer.text import value_labels
from styletransfer.vgg import sources as vgg_sources

# In order: each uses what those before it define. The first nine are what the page knows, the others what it draws.
SCRIPTS = (
    *("study", "axes", "insight", "state", "filter", "exports", "preferences", "choices", "plans"),
    *("pictures", "stage", "compare", "sliders", "sheet", "pairs", "charts", "lines", "curves", "scatter", "parallel"),
    *("response", "table", "shortlist", "next", "verdict", "page"),
)
MAX_BYTES = 12_000_000
LARGEST_WIDTH, SMALLEST_WIDTH = 1024, 240
CURVE_POINTS = 60
# What the page tells of a run without a result.
LACKING = ("pair", "parameter", "label", "run_id", "status", "reason")
# So many pictures tell how large all of them would be.
SAMPLE = 20


def write(
    folder: Path,
    runs: pd.DataFrame,
    losses: pd.DataFrame,
    pool: Path,
    options: Mapping[str, Any],
    max_bytes: int = MAX_BYTES,
) -> None:
    """Write `folder`/index.html; its pictures are in it, or beside it where they would make it larger than max_bytes.

    runs, losses: the tables of the study; runs without a result are listed with the reason. options: what the tables do
    not tell: `design`, `pairs`, `images` and `weights` of the config, `preserve_colors`, `files` (name of a picture to
    its file), `network` (its file), and if there are any `responses`, as `results.responses.read` returns them.
    """
    data = content(runs, losses, options)
    data |= {"pool": str(pool), "pool_link": quote(os.path.relpath(pool, folder))}
    data["pictures"] = {name: html.embedded_input(Path(path)) for name, path in options["files"].items()}
    page = render(data)
    sources = {run["id"]: pool / run["id"] / RUN_FILES["image"] for run in data["runs"]}
    room = max_bytes - len(page.encode())
    with atomic.atomic_folder(folder) as temporary:
        pictures = fitting(sources, room) or beside(sources, temporary / "pictures") if sources else {}
        for run in data["runs"]:
            run["picture"] = pictures[run["id"]]
        atomic.write_text(temporary / "index.html", render(data))


def content(runs: pd.DataFrame, losses: pd.DataFrame, options: Mapping[str, Any]) -> dict[str, Any]:
    """All that the page tells, but for the pictures, as plain types. Of repeats it is the first, and the means."""
    every, runs = runs, noise.averaged(tables.completed(runs))
    first = (every if runs.empty else runs).iloc[0]
    distinct = runs.drop_duplicates(["pair", "run_id"])
    known = [name for name in settings.PARAMETERS if name in runs]
    varied = tables.varied(runs)
    curves = _curves(losses)
    if noise.has_repeats(every):
        _add_bands(curves, every, losses)
    pairs = [{"name": pair_name(pair), **pair} for pair in options["pairs"]]
    pairs = [pair for pair in pairs if pair["name"] in set(runs["pair"])]
    incomplete = every[~every["status"].isin(status.FINISHED)].drop_duplicates(["pair", "run_id"])
    return {
        "study": str(first["study"]),
        "weights": vgg_sources.described(first["weights"]),
        "design": options["design"],
        "preserve_colors": options["preserve_colors"],
        "measures": [dataclasses.asdict(measure) for measure in measures.MEASURES],
        "parameters": [_parameter(name, runs[name]) for name in varied],
        "constants": {name: tables.plain(first[name]) for name in known if name not in varied},
        "defaults": {name: settings.default_of(name) for name in known},
        "pairs": pairs,
        "runs": [_run(row, varied, curves) for row in distinct.to_dict("records")],
        "missing": tables.incomplete_note(every),
        "lacking": [{name: row[name] for name in LACKING} for row in incomplete.to_dict("records")],
        "config": {name: options[name] for name in ("weights", "images")},
        "files": options["files"],
        "network": options["network"],
        "responses": options.get("responses", []),
        "verdict": verdict.shown(verdict.content(every, [], options["pairs"])),
    }


def _parameter(name: str, column: pd.Series) -> dict[str, Any]:
    found = list(dict.fromkeys(map(tables.plain, column)))
    numbers = all(isinstance(value, int | float) for value in found)
    kind = "weight" if name in WEIGHTS else "measure" if name in LOSS_DEFINITION else "optimiser"
    values = sorted(found) if numbers else found
    return {
        "name": name,
        "help": settings.PARAMETERS[name].metadata["help"],
        "kind": kind,
        "values": values,
        # A line may end between two layers.
        "labels": [label.replace("+relu", "+\N{ZERO WIDTH SPACE}relu") for label in value_labels(values)],
        "numeric": numbers,
        "integer": bool(settings.PARAMETERS[name].metadata.get("integer")),
    }


def _run(row: Mapping[str, Any], varied: Sequence[str], curves: Mapping[Any, Any]) -> dict[str, Any]:
    """One run."""
    return {
        "id": row["run_id"],
        "pair": row["pair"],
        "default": bool(row["is_default"]),
        "status": row["status"],
        "reason": row["reason"],
        "size": [int(row["width"]), int(row["height"])],
        "settings": {name: tables.plain(row[name]) for name in varied},
        "measured": {measure.name: number(row[measure.column]) for measure in measures.MEASURES},
        "bars": {measure.name: number(row.get(f"{measure.column}_bar")) for measure in measures.RULERS},
        "repeats": int(row.get(noise.REPEATS, 1)),
        "group": int(row[pareto.GROUP]),
        "front": bool(row[pareto.FRONT]),
        "device": str(row["device"]),
        "curve": curves[row["run_id"]],
    }


def _curves(losses: pd.DataFrame) -> dict[Any, dict[str, list[Any]]]:
    """By run its unweighted losses at up to `CURVE_POINTS` steps.

    The page weights them: a weight is a factor on a whole curve.
    """
    if losses.empty:
        return {}
    # One table for all: a pandas operation takes as long for one run as for a hundred.
    wide = losses.pivot(index=["run_id", "iteration"], columns="loss", values="unweighted")
    steps = wide.index.get_level_values("iteration").tolist()
    columns = {name: wide[name].tolist() for name in LOSSES[:-1]}
    run_ids = wide.index.get_level_values("run_id").tolist()
    curves: dict[Any, dict[str, list[Any]]] = {}
    first = 0
    for run_id, group in itertools.groupby(run_ids):
        count = sum(1 for _ in group)
        places = sorted({first + round(k * (count - 1) / (CURVE_POINTS - 1)) for k in range(CURVE_POINTS)})
        curve: dict[str, list[Any]] = {
            name: [number(column[place]) for place in places] for name, column in columns.items()
        }
        curves[run_id] = {"iteration": [int(steps[place]) for place in places], **curve}
        first += count
    return curves


def _add_bands(curves: Mapping[Any, dict[str, Any]], runs: pd.DataFrame, losses: pd.DataFrame) -> None:
    """To the curves of settings with repeats: `bands`, for each loss the least and the greatest of them.

    They are unweighted, as the curves are; those of the total, which does not follow from the others, are weighted.
    """
    is_total = losses["loss"] == LOSSES[-1]
    for some, column in ((losses[~is_total], "unweighted"), (losses[is_total], "weighted")):
        for (run_id, loss), span in noise.bands(runs, some, column).groupby(level=["run_id", "loss"]):
            at_steps = span.droplevel(["run_id", "loss"]).reindex(curves[run_id]["iteration"])
            low, high = ([number(value) for value in at_steps[end]] for end in ("min", "max"))
            curves[run_id].setdefault("bands", {})[loss] = {"low": low, "high": high}


def number(value: Any) -> float | None:
    """A number with the digits that a page can show; None where there is none."""
    return float(f"{value:.5g}") if value is not None and math.isfinite(value) else None


def fitting(sources: Mapping[str, Path], room: int) -> dict[str, str] | None:
    """Every picture as text for the page, as wide as fits into about `room` bytes; None if they would be too small."""
    sample = list(sources.values())[:: max(1, len(sources) // SAMPLE)]
    width = min(LARGEST_WIDTH, max(image_size(path)[0] for path in sample))
    while (size := _mean_size(sample, width) * len(sources)) > room:
        # Bytes grow about as the area; a little less, so that the next try fits.
        width = math.floor(0.97 * width * math.sqrt(max(room, 0) / size))
        if width < SMALLEST_WIDTH:
            return None
    return {name: html.embedded(path, width) for name, path in sources.items()}


def _mean_size(paths: Sequence[Path], width: int) -> float:
    return sum(len(html.embedded(path, width)) for path in paths) / len(paths)


def beside(sources: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Every picture as a file in `folder`, by its address from the page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in sources.items():
        with atomic.atomic_path(folder / f"{name}.avif") as temporary:
            temporary.write_bytes(html.encoded(path, LARGEST_WIDTH))
    return {name: f"{folder.name}/{name}.avif" for name in sources}


def render(data: Mapping[str, Any]) -> str:
    """The page of `content()`."""
    program = "\n".join(html.source(f"{name}.js") for name in SCRIPTS)
    # Where no run has a result there is nothing to work with.
    scripts = [_alone(_charts()), _alone(f'"use strict";\n{program}')] if data["runs"] else []
    return html.render(
        "page.html",
        scripts,
        study=data["study"],
        missing=data["missing"],
        lacking=data["lacking"],
        empty=not data["runs"],
        responses=bool(data["responses"]),
        verdict=data["verdict"],
        width={**settings.PARAMETERS["width"].metadata, "allowed": settings.allowed("width")},
        data=Markup(html.script_safe(data)),
    )


@functools.cache
def _charts() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def _alone(script: str) -> str:
    """A script whose names are its own."""
    return f"(() => {{\n{script}\n}})();"
