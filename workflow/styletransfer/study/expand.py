"""From a config to runs: the rows of a study's table.

A study is a list of rows. Each row is a label (pair, parameter, value) on a run; several rows may share one run.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from styletransfer.errors import InputError
from styletransfer.settings import PARAMETERS, Artifact, Settings
from styletransfer.study import designs
from styletransfer.study.config import unknown_key
from styletransfer.study.pictures import artifact, check_sizes, picture_names
from styletransfer.study.values import values
from styletransfer.text import value_text
from styletransfer.vgg import sources


@dataclass(frozen=True)
class Row:
    """One labelled run. parameter, value: what the row is about; empty in grids and lists. label: for figures."""

    pair: str
    parameter: str
    value: Any
    label: str
    is_default: bool
    settings: Settings

    @property
    def run_id(self) -> str:
        """The run this row shows."""
        return self.settings.run_id


@dataclass(frozen=True)
class Study:
    """A name, the weights of all runs, the pictures by name, the rows in order, the distinct runs by their id."""

    name: str
    weights: Artifact
    pictures: Mapping[str, Artifact]
    rows: tuple[Row, ...]
    runs: Mapping[str, Settings]


def expand(config: Mapping[str, Any]) -> Study:
    """All rows of the study that a config (with defaults filled in) describes. Raises `InputError`."""
    config = {**config, "runs": designs.read_runs(config["runs"])}
    sheet = config.get("contact_sheet", {})
    shown = *sheet.get("limits", ()), *sheet.get("grid", ())
    named = {"vary.": config["vary"], "runs: ": itertools.chain.from_iterable(config["runs"]), "contact_sheet: ": shown}
    for place, names in named.items():
        for name in names:
            if name not in PARAMETERS:
                raise InputError(place + unknown_key(str(name), PARAMETERS))
    points = {parameter: values(parameter, spec) for parameter, spec in config["vary"].items()}
    _check_pairs(config["pairs"])
    designs.refuse_too_many(config, points)
    network = Artifact(**sources.source_identity(config["weights"]))
    used = {name: artifact(config, name) for name in picture_names(config)}
    rows: list[Row] = []
    for pair in config["pairs"]:
        base: dict[str, Any] = {
            "content": used[pair["content"]],
            "styles": tuple(used[name] for name in pair["styles"]),
            "weights": network,
            **config["defaults"],
        }
        if "initial" in pair:
            base["initial"] = used[pair["initial"]]
        name = pair_name(pair)
        default = Settings(**base)
        for parameter, value, changes in designs.points(config, points):
            run = Settings(**(base | changes))
            rows.append(Row(name, parameter, value, _label(parameter, changes), run == default, run))
        if config["design"] == "star" and not any(row.is_default and row.pair == name for row in rows):
            rows.append(Row(name, "", None, _label("", {}), True, default))
    runs = {row.run_id: row.settings for row in rows}
    check_sizes(config, runs.values())
    return Study(config["study"], network, used, tuple(rows), runs)


def _check_pairs(pairs: Sequence[Mapping[str, Any]]) -> None:
    names = [pair_name(pair) for pair in pairs]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise InputError(f"pairs.{position} is {name}, as is pairs.{names.index(name)}: keep one of them")


def batches(study: Study, size: int) -> list[list[str]]:
    """The runs, at most `size` together: neighbours in the study that are made of the same pictures."""

    def pictures(run_id: str) -> tuple[Any, ...]:
        run = study.runs[run_id]
        return run.content, run.styles, run.initial

    alike = [list(run_ids) for _, run_ids in itertools.groupby(study.runs, key=pictures)]
    return [run_ids[first : first + size] for run_ids in alike for first in range(0, len(run_ids), size)]


def pair_name(pair: Mapping[str, Any]) -> str:
    """How tables and figures call a pair of the config."""
    start = f", from {pair['initial']}" if "initial" in pair else ""
    return f"{pair['content']} x {' + '.join(pair['styles'])}{start}"


def _label(parameter: str, changes: Mapping[str, Any]) -> str:
    """What a figure writes beside a run: its value; in grids and lists every value with its parameter."""
    texts = {name: value_text(value) for name, value in changes.items()}
    if parameter:
        return texts[parameter]
    return ", ".join(f"{name} {text}" for name, text in texts.items()) or "default"
