"""From a config to runs: value specs, designs, and the rows of a study's table.

A study is a list of rows. Each row is a label (pair, parameter, value) on a run; several rows may share one run.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import itertools
import json
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from styletransfer import documents, files, images, paintings, settings, weights
from styletransfer.errors import InputError
from styletransfer.run import RUN_FILES, read_record
from styletransfer.settings import PARAMETERS, Ingredient, Settings

# What decides a study's rows; everything else of a config is about showing and running them.
DEFINING_KEYS = (
    "study",
    "weights",
    "images",
    "pairs",
    "defaults",
    "design",
    "vary",
    "runs",
    "max_runs",
    "seconds_per_run",
)
# Raised when columns of the tables change: they are then gathered anew, from records of all ages.
TABLES_VERSION = 3
# It is handed over as one word of a command line, which Linux limits to 128 KiB.
MAX_DEFINITION = 100_000
GENERATORS = {"linspace": 3, "logspace": 3, "arange": 3}


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
    weights: Ingredient
    pictures: Mapping[str, Ingredient]
    rows: tuple[Row, ...]
    runs: Mapping[str, Settings]


def load(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The config with every default of the schema filled in.

    Raises `InputError` that lists each fault with its key, its value and the remedy.
    """
    import jsonschema

    documents.check_plain(config, "the config")
    faults = [_fault(error) for error in jsonschema.Draft202012Validator(schema).iter_errors(config)]
    if faults:
        raise InputError("the config cannot be used:\n" + "\n".join(f"  - {fault}" for fault in faults))
    filled = _with_defaults(config, schema)
    _check_limits(filled["contact_sheet"]["limits"])
    return filled


def _check_limits(limits: Mapping[str, Sequence[float]]) -> None:
    for name, (lowest, highest) in limits.items():
        if name not in PARAMETERS:
            raise InputError(f"contact_sheet.limits.{_unknown(name, PARAMETERS)}")
        if lowest > highest:
            raise InputError(f"contact_sheet.limits.{name} is [{lowest:g}, {highest:g}]: write the lower value first")


def _fault(error: Any) -> str:
    key = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties" and isinstance(error.schema.get("properties"), dict):
        known = list(error.schema["properties"])
        unknown = [name for name in error.instance if name not in known]
        return "; ".join(f"{key + '.' if key else ''}{_unknown(str(name), known)}" for name in unknown)
    fault = f"{error.instance!r} is no such name" if error.validator == "pattern" else error.message
    hint = " Write it in quotes." if error.validator_value == "string" and not isinstance(error.instance, str) else ""
    fault = documents.shortened(fault, 400, quoted=False)
    return f"{key or 'config'}: {fault}.{hint} {error.schema.get('description', '')}".strip()


def _unknown(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"{name}: there is no such key. " + (f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}")


def _with_defaults(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    filled = dict(config)
    for key, part in schema.get("properties", {}).items():
        if "default" in part:
            filled.setdefault(key, part["default"])
        if isinstance(filled.get(key), dict):
            filled[key] = _with_defaults(filled[key], part)
        elif part.get("type") == "integer" and key in filled:
            filled[key] = int(filled[key])  # JSON Schema takes 2.0 for a whole number
    return filled


def definition(config: Mapping[str, Any]) -> str:
    """The part of a config that decides the rows, as JSON: what a table of results depends on."""
    defining = {"tables": TABLES_VERSION, **{key: config[key] for key in DEFINING_KEYS if key in config}}
    if isinstance(config["runs"], str):
        defining["runs_sha256"] = files.checksum(config["runs"])
    text = json.dumps(defining)  # in the config's order: that of the rows
    if len(text) > MAX_DEFINITION:
        raise InputError(
            f"the config takes {len(text):,} characters of the {MAX_DEFINITION:,} allowed: put runs that it lists into "
            "a CSV file and name that under runs, or split the study"
        )
    return text


def values(parameter: str, spec: Any) -> list[Any]:
    """The values that a spec stands for, rounded to 12 digits, in order, each once.

    spec: a value, a generator such as `{linspace: [0, 1, 5], slice: "1::2"}`, or a list (a union) of these.
    """
    parts = spec if isinstance(spec, list) else [spec]
    found = [value for part in parts for value in _part(parameter, part)]
    if not found:
        raise InputError(f"vary.{parameter} is empty: give at least one value or remove the key")
    checked = [settings.check(parameter, value) for value in found]
    plain = [value[0] if isinstance(value, tuple) else value for value in checked]
    return list(dict.fromkeys(plain))


def _part(parameter: str, part: Any) -> list[Any]:
    if not isinstance(part, dict):
        return [part]
    kinds = [key for key in part if key in GENERATORS]
    if len(kinds) != 1 or set(part) - {kinds[0], "slice"}:
        raise InputError(
            f"vary.{parameter}: {part!r} is no spec. Use one of {', '.join(GENERATORS)}, and slice if needed"
        )
    arguments = part[kinds[0]]
    if not isinstance(arguments, list) or len(arguments) != GENERATORS[kinds[0]] or not all(map(_is_finite, arguments)):
        raise InputError(f"vary.{parameter}.{kinds[0]} is {arguments!r}: it takes a list of three numbers")
    return _generate(parameter, kinds[0], arguments)[_slice(parameter, part.get("slice", ":"))]


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _generate(parameter: str, kind: str, arguments: list[float]) -> list[Any]:
    first, last, third = arguments
    count = third if kind != "arange" else (last - first) / third if third else 0
    if not 0 < count <= 1_000_000 or (kind != "arange" and third != int(third)):
        raise InputError(f"vary.{parameter}.{kind} is {arguments!r}: it stands for no values, or for too many")
    if kind == "logspace" and min(first, last) <= 0:
        raise InputError(f"vary.{parameter}.logspace is {arguments!r}: first and last value must be above 0")
    if kind == "arange":
        # The end is left out; half a step of tolerance keeps rounding from putting it back in.
        generated = first + third * np.arange(math.ceil(count - 1e-9))
    else:
        generated = (np.linspace if kind == "linspace" else np.geomspace)(first, last, int(third))
    return [settings.rounded(value) for value in generated.tolist()]


def _slice(parameter: str, text: Any) -> slice:
    try:
        if not isinstance(text, str) or ":" not in text:  # YAML takes 1:30 for the number 90
            raise ValueError
        return slice(*(int(part) if part else None for part in text.split(":")))
    except (ValueError, TypeError) as error:
        raise InputError(
            f'vary.{parameter}.slice is {text!r}: write it as in Python and in quotes, such as "1::2"'
        ) from error


def expand(config: Mapping[str, Any]) -> Study:
    """All rows of the study that a config (with defaults filled in) describes. Raises `InputError`."""
    config = {**config, "runs": _read_runs(config["runs"])}
    sheet = config.get("contact_sheet", {})
    shown = *sheet.get("limits", ()), *sheet.get("grid", ())
    named = {"vary.": config["vary"], "runs: ": itertools.chain.from_iterable(config["runs"]), "contact_sheet: ": shown}
    for place, names in named.items():
        for name in names:
            if name not in PARAMETERS:
                raise InputError(place + _unknown(str(name), PARAMETERS))
    points = {parameter: values(parameter, spec) for parameter, spec in config["vary"].items()}
    _check_pairs(config["pairs"])
    _refuse_too_many(config, points)
    network = Ingredient(**weights.source_identity(config["weights"]))
    used = {name: ingredient(config, name) for name in _picture_names(config)}
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
        for parameter, value, changes in _points(config, points):
            run = Settings(**(base | changes))
            rows.append(Row(name, parameter, value, _label(parameter, changes), run == default, run))
        if config["design"] == "star" and not any(row.is_default and row.pair == name for row in rows):
            rows.append(Row(name, "", None, _label("", {}), True, default))
    runs = {row.run_id: row.settings for row in rows}
    _check_sizes(config, runs.values())
    return Study(config["study"], network, used, tuple(rows), runs)


def _check_pairs(pairs: Sequence[Mapping[str, Any]]) -> None:
    names = [pair_name(pair) for pair in pairs]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise InputError(f"pairs.{position} is {name}, as is pairs.{names.index(name)}: keep one of them")


def _check_sizes(config: Mapping[str, Any], runs: Iterable[Settings]) -> None:
    """Raise `InputError` for a width or scale at which a run would look at too small or too large a picture."""
    sizes: dict[Ingredient, tuple[int, int]] = {}
    for run in runs:
        for picture in (run.content, *run.styles):
            if picture not in sizes:
                sizes[picture] = _size(config, picture.name)
        width = run.width or sizes[run.content][0]
        what = f"the result ({run.content.name}, width {width})"
        weights.check_size(what, sizes[run.content], width, weights.SMALLEST_SIDE)
        for style, scale in zip(run.styles, run.style_scales, strict=True):
            what = f"style {style.name} (scale {scale:g} of width {width})"
            weights.check_size(what, sizes[style], round(scale * width))


def _size(config: Mapping[str, Any], name: str) -> tuple[int, int]:
    """Width and height of a picture of the config as runs get it. Raises `InputError` if its header is none."""
    ((kind, source),) = config["images"][name].items()
    if kind == "painting":
        return paintings.SIZE
    path = images.sample_file(source) if kind == "sample" else Path(source)
    try:
        return images.limited(*images.image_size(path))
    except InputError as error:
        raise InputError(f"images.{name}: {error}") from error


def packs(study: Study, size: int) -> list[list[str]]:
    """The runs, at most `size` together: neighbours in the study that are made of the same pictures."""

    def pictures(run_id: str) -> tuple[Any, ...]:
        run = study.runs[run_id]
        return run.content, run.styles, run.initial

    alike = [list(run_ids) for _, run_ids in itertools.groupby(study.runs, key=pictures)]
    return [run_ids[first : first + size] for run_ids in alike for first in range(0, len(run_ids), size)]


def count_runs(config: Mapping[str, Any], points: Mapping[str, list[Any]]) -> int:
    """How many rows a design has, without making them."""
    sizes = [len(found) for found in points.values()]
    if config["design"] == "list" and not config["runs"]:
        raise InputError("design is list, but runs is empty: list at least one run, or use design: star")
    rows = {"star": sum(sizes), "grid": math.prod(sizes), "list": len(config["runs"])}[config["design"]]
    return rows * len(config["pairs"])


def _refuse_too_many(config: Mapping[str, Any], points: Mapping[str, list[Any]]) -> None:
    count = count_runs(config, points)
    if count > config["max_runs"]:
        seconds = config["seconds_per_run"]
        raise InputError(
            f"this {config['design']} has {count:,} runs: {duration(count * seconds)} of device time at {seconds:g} s "
            f"each. Vary less, use design: star, or raise max_runs ({config['max_runs']:,})"
        )


def _points(config: Mapping[str, Any], points: Mapping[str, list[Any]]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
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


def value_text(value: Any) -> str:
    """A value for people: four digits are enough to tell it from its neighbours."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _read_runs(runs: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an explicit list. An empty cell of a CSV file means the default."""
    if not isinstance(runs, str):
        return runs
    files.check_input(runs, "runs", documents.MAX_BYTES)
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


def _picture_names(config: Mapping[str, Any]) -> list[str]:
    """The pictures that a study's pairs use, each once."""
    names = [
        name
        for pair in config["pairs"]
        for name in (pair["content"], *pair["styles"], *filter(None, [pair.get("initial")]))
    ]
    return list(dict.fromkeys(names))


def ingredient(config: Mapping[str, Any], name: str) -> Ingredient:
    """A picture of the config as part of a run's identity: the checksum of its file, or the recipe of a painting."""
    if name not in config["images"]:
        raise InputError(f"pairs name the picture {_unknown(name, config['images'])}")
    ((kind, source),) = config["images"][name].items()
    if kind == "painting":
        return Ingredient(name, paintings.recipe(source))
    path = images.sample_file(source) if kind == "sample" else Path(source)
    if kind == "path":
        files.check_input(source, f"images.{name}.path")
    return Ingredient(name, f"sha256:{files.checksum(path)}")


def duration(seconds: float) -> str:
    """A duration for people: `1.9 years`, `4.2 hours`, `35 s`."""
    for unit, size in (("years", 365.25 * 86400), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def plan(config: Mapping[str, Any], study: Study, pool: Path, at_once: int = 1) -> str:
    """What a study would run: rows per parameter, new, cached and shared runs, and the time that the new ones take.

    at_once: how many runs are computed at the same time.
    """
    finished = {run_id for run_id in study.runs if (pool / run_id / "run.json").exists()}
    lines = [f"study {study.name}: {len(study.rows)} rows, {len(study.runs)} distinct runs", ""]
    lines.append(f"  {'parameter':24} {'rows':>6} {'new':>6} {'cached':>6} {'shared':>6}")
    seen: set[str] = set()
    for parameter in dict.fromkeys(row.parameter for row in study.rows):
        rows = [row for row in study.rows if row.parameter == parameter]
        runs = {row.run_id for row in rows} - seen
        seen |= runs
        cached = len(runs & finished)
        lines.append(
            f"  {parameter or '(defaults, grid or list)':24} {len(rows):6} {len(runs) - cached:6} {cached:6} "
            f"{len(rows) - len(runs):6}"
        )
    new = [run for run_id, run in study.runs.items() if run_id not in finished]
    lines += ["", f"  {len(new)} new runs, {len(finished)} cached"]
    return "\n".join([*lines, f"  {_estimate(config, new, _records(pool, finished), at_once)}"])


def _records(pool: Path, run_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The records that tell how long a run took; a damaged one tells nothing, and is named when it is collected."""
    records = []
    for run_id in run_ids:
        with contextlib.suppress(OSError, ValueError):
            records.append(read_record(pool / run_id / RUN_FILES["record"]))
    return [record for record in records if record.get("iterations_done")]


def _estimate(
    config: Mapping[str, Any], new: Sequence[Settings], records: Sequence[Mapping[str, Any]], at_once: int
) -> str:
    """The time of new runs: from what finished runs of the study took, else from `seconds_per_run`."""
    if not records:
        seconds = config["seconds_per_run"]
        condition = f"if a run takes {seconds:g} s (seconds_per_run: say what your device takes)"
        return f"about {_times(len(new) * seconds, min(at_once, len(new)))}, {condition}"
    expected = seconds_of_run(records)
    total = sum(expected(run.iterations, run.width) for run in new)
    return f"about {_times(total, min(at_once, len(new)))}, going by {len(records)} finished runs"


def _times(seconds: float, at_once: int) -> str:
    """Device time, and beside it how long that takes where several runs are computed at once."""
    together = f" ({duration(seconds / at_once)} with {at_once} runs at once)" if at_once > 1 else ""
    return f"{duration(seconds)} of device time{together}"


def seconds_of_run(records: Sequence[Mapping[str, Any]]) -> Callable[[int, int | None], float]:
    """How long a run of so many iterations and that width takes, going by records of runs that took a step or more.

    A width of None is that of the first record.
    """
    per_pixel = statistics.median(record["seconds_per_iteration"] / record["width"] ** 2 for record in records)
    outside = statistics.median(
        record["seconds"] - record["iterations_done"] * record["seconds_per_iteration"] for record in records
    )
    usual = records[0]["width"]
    return lambda iterations, width: outside + iterations * per_pixel * (width or usual) ** 2
