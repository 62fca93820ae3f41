"""Designs: which combinations of values become rows, and the rows that a CSV file lists."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from styletransfer.errors import InputError
from styletransfer.files import checks, yaml_reader
from styletransfer.parameters import DECIMAL_COMMA
from styletransfer.study import sequences
from styletransfer.study.values import axis, values
from styletransfer.text import duration

# So many points are drawn for each row at most: a few values can be few combinations.
PATIENCE = 100
SEPARATORS = (",", ";", "\t")
# The longer ones first: UTF-16's is the beginning of UTF-32's.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def count_runs(config: Mapping[str, Any], points: Mapping[str, list[Any]]) -> int:
    """How many rows a design has, without making them."""
    design = config["design"]
    if design == "list" and not config["runs"]:
        raise InputError("design is list, but runs is empty: list at least one run, or use design: star")
    if design in sequences.DRAWN:
        rows = config["runs_total"]
    elif design == "list":
        rows = len(config["runs"])
    else:
        rows = (sum if design == "star" else math.prod)(len(found) for found in points.values())
    repeated = rows
    if config["repeats_of"] == "extremes":
        ends = [len(extremes(found)) for found in points.values()]
        repeated = sum(ends) if design == "star" else math.prod(ends)
    return (rows + (config["repeats"] - 1) * repeated) * len(config["pairs"])


def extremes(values: Sequence[Any]) -> set[Any]:
    """The lowest and the highest of a parameter's values; of words or lists, the first and the last."""
    numbers = all(isinstance(value, int | float) for value in values)
    return {min(values), max(values)} if numbers else {values[0], values[-1]}


def refuse_too_many(config: Mapping[str, Any], points: Mapping[str, list[Any]]) -> None:
    """Raise `InputError` for a design of more runs than the config allows."""
    count = count_runs(config, points)
    if count > config["max_runs"]:
        raise InputError(
            f"this {config['design']} has {count:,} runs: {duration(count * 60)} of device time at a minute each. "
            f"Vary less, use design: star, or raise max_runs ({config['max_runs']:,})"
        )


def rows(config: Mapping[str, Any], styles: Collection[int]) -> list[tuple[str, Any, dict[str, Any]]]:
    """Parameter, value and changed settings of each row of a design.

    styles: how many styles the pairs of the study have. Raises `InputError` for values that cannot be used, and for
    more rows than the config allows.
    """
    if config["design"] in sequences.DRAWN:
        axes = {parameter: axis(parameter, spec, styles) for parameter, spec in config["vary"].items()}
        refuse_too_many(config, {})
        return [("", None, changes) for changes in _drawn(config["design"], axes, config["runs_total"])]
    points = {parameter: values(parameter, spec, styles) for parameter, spec in config["vary"].items()}
    refuse_too_many(config, points)
    if config["design"] == "star":
        return [(parameter, value, {parameter: value}) for parameter, found in points.items() for value in found]
    if config["design"] == "grid":
        combinations = itertools.product(*points.values())
        return [("", None, dict(zip(points, combination, strict=True))) for combination in combinations]
    return [("", None, dict(run)) for run in config["runs"]]


def _drawn(design: str, axes: Mapping[str, Callable[[float], Any]], count: int) -> list[dict[str, Any]]:
    """So many different rows of a sequence, each once: more of them begin with the same ones."""
    found: dict[tuple[Any, ...], None] = {}
    shares = sequences.DRAWN[design](list(axes))
    for point in itertools.islice(shares, PATIENCE * count):
        found[tuple(at(share) for at, share in zip(axes.values(), point, strict=True))] = None
        if len(found) == count:
            return [dict(zip(axes, values, strict=True)) for values in found]
    raise InputError(
        f"runs_total is {count:,}, but what vary names gives no more than about {len(found):,} different runs: lower "
        "runs_total, or widen the ranges"
    )


def repeated(
    config: Mapping[str, Any], chosen: Iterable[tuple[str, Any, Mapping[str, Any]]]
) -> Callable[[Mapping[str, Any]], bool]:
    """Which rows have repeats, beside those of the default: told by the settings that a row changes. chosen: `rows`."""
    if config["repeats_of"] == "all":
        return lambda changes: True
    found: dict[str, list[Any]] = {}
    for _, _, changes in chosen:
        for parameter, value in changes.items():
            found.setdefault(parameter, []).append(value)
    ends = {parameter: extremes(values) for parameter, values in found.items()}
    return lambda changes: all(value in ends[parameter] for parameter, value in changes.items())


def read_runs(runs: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an explicit list: as they are, or those of a CSV file.

    A CSV file is separated by commas, or as spreadsheets do it by semicolons or tabs; a first line `sep=;` is theirs as
    well. An empty cell means the default, and an empty row nothing. Numbers with blanks between are one for each style.
    Where the separator is another one, a comma in a number is its decimal point.

    Raises:
        InputError: that names the file, the line and what to do.

    """
    if not isinstance(runs, str):
        return runs
    checks.check_input(runs, "runs", yaml_reader.MAX_BYTES)
    try:
        text = _decoded(Path(runs).read_bytes())
        separator, text = _separator(text)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
        return _rows(lines, separator)
    except (OSError, csv.Error, ValueError) as error:
        raise InputError(f"runs is {runs!r}, which cannot be read as a CSV file: {error}") from error


def _decoded(content: bytes) -> str:
    """The text of a file in UTF-8, or with a byte order mark that tells another encoding."""
    remedy = "save it as CSV UTF-8"
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(f"it is a workbook of a spreadsheet: {remedy}")
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.removeprefix(mark).decode(encoding)
    if b"\0" in content:
        raise InputError(f"it is not in UTF-8: {remedy}")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{error.reason} at byte {error.start}: {remedy}") from error


def _separator(text: str) -> tuple[str, str]:
    """What separates the cells, by a line `sep=` or by the header; and the text, without that line."""
    lines = text.splitlines(keepends=True)
    first = next((line for line in lines if line.strip()), "").strip("\r\n")
    if told := re.fullmatch(r'"?sep=(.)"?[,;\t ]*', first, re.IGNORECASE):
        return told[1], text.replace(first, "", 1)
    found = [separator for separator in SEPARATORS if separator in first]
    if len(found) > 1:
        raise InputError(f"the header {first!r} has several separators: use one of comma, semicolon and tab")
    return (found or [","])[0], text


def _rows(lines: Sequence[tuple[int, list[str]]], separator: str) -> list[dict[str, Any]]:
    """The rows, without the line of names that comes first. lines: the number of each, and its cells."""
    names = lines[0][1] if lines else []
    while names and not names[-1]:
        names = names[:-1]
    for position, name in enumerate(names):
        if name and name in names[:position]:
            raise InputError(f"the column {name} is there twice, keep one of them")
    commas = separator != "," and any(DECIMAL_COMMA.fullmatch(word) for _, row in lines for word in _words(row))
    rows = []
    for number, cells in lines[1:]:
        if len(cells) < len(names) or any(cells[len(names) :]):
            hint = ". In a number write a point, not a comma" if separator == "," and len(cells) > len(names) else ""
            raise InputError(f"line {number} has {len(cells)} cells, and the header {len(names)}{hint}")
        if unnamed := [position for position, name in enumerate(names, 1) if cells[position - 1] and not name]:
            raise InputError(f"column {unnamed[0]} has values, but no name: write a parameter's above it, or remove it")
        words = {name: cell.split() for name, cell in zip(names, cells, strict=False) if cell}
        if commas:
            words = {name: [_with_point(word, number) for word in found] for name, found in words.items()}
        rows.append({name: value(found) for name, found in words.items()})
    return rows


def _words(cells: Sequence[str]) -> list[str]:
    return [word for cell in cells for word in cell.split()]


def _with_point(word: str, line: int) -> str:
    """A number with a decimal comma as it is written elsewhere. What may be thousands is refused."""
    if re.fullmatch(r"[-+]?[1-9][0-9]{0,2},[0-9]{3}", word) or (
        "." in word and isinstance(yaml_reader.plain(word), float)
    ):
        raise InputError(
            f"line {line}: {word} may be a fraction, or thousands: write fractions with a point, and thousands without "
            "a sign"
        )
    return word.replace(",", ".") if DECIMAL_COMMA.fullmatch(word) else word


def value(words: Sequence[str]) -> Any:
    """What is in a cell of a table, by its words: a number, text, or a list of numbers (one for each style)."""
    found = [yaml_reader.plain(word) for word in words]
    if any(isinstance(value, str) for value in found):
        return " ".join(words)
    return found if len(found) > 1 else found[0]
