"""Designs: which combinations of values become rows, and the rows that a CSV file lists."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from styletransfer.errors import InputError
from styletransfer.files import checks, yaml_reader
from styletransfer.text import duration


def count_runs(config: Mapping[str, Any], points: Mapping[str, list[Any]]) -> int:
    """How many rows a design has, without making them."""
    sizes = [len(found) for found in points.values()]
    if config["design"] == "list" and not config["runs"]:
        raise InputError("design is list, but runs is empty: list at least one run, or use design: star")
    rows = {"star": sum(sizes), "grid": math.prod(sizes), "list": len(config["runs"])}[config["design"]]
    return rows * len(config["pairs"])


def refuse_too_many(config: Mapping[str, Any], points: Mapping[str, list[Any]]) -> None:
    """Raise `InputError` for a design of more runs than the config allows."""
    count = count_runs(config, points)
    if count > config["max_runs"]:
        seconds = config["seconds_per_run"]
        raise InputError(
            f"this {config['design']} has {count:,} runs: {duration(count * seconds)} of device time at {seconds:g} s "
            f"each. Vary less, use design: star, or raise max_runs ({config['max_runs']:,})"
        )


def points(config: Mapping[str, Any], points: Mapping[str, list[Any]]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Parameter, value and changed settings of each row of a design."""
    if config["design"] == "star":
        for parameter, found in points.items():
            for value in found:
                yield parameter, value, {parameter: value}
    elif config["design"] == "grid":
        for combination in itertools.product(*points.values()):
            yield "", None, dict(zip(points, combination, strict=True))
    else:
        for run in config["runs"]:
            yield "", None, dict(run)


def read_runs(runs: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an explicit list. An empty cell of a CSV file means the default."""
    if not isinstance(runs, str):
        return runs
    checks.check_input(runs, "runs", yaml_reader.MAX_BYTES)
    try:
        with open(runs, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            _check_header(runs, reader.fieldnames or [])
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"runs is {runs!r}, which cannot be read as a CSV file: {error}") from error
    if any(None in row or None in row.values() for row in rows):
        raise InputError(f"runs is {runs!r}: not every row has as many cells as the header")
    return [{name: _cell(cell) for name, cell in row.items() if cell.strip()} for row in rows]


def _check_header(runs: str, names: Sequence[str]) -> None:
    twice = [name for position, name in enumerate(names) if name in names[:position]]
    if twice:
        raise InputError(f"runs is {runs!r}: the column {twice[0]} is there twice, keep one of them")


def _cell(text: str) -> Any:
    """A number, a word, or a list of numbers with spaces between (one for each style)."""
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError:
        return text.strip()
    return numbers if len(numbers) > 1 else numbers[0]
