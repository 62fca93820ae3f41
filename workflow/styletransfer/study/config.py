"""The config of a study: checked, its defaults filled in, and the part of it that decides the rows."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from styletransfer.errors import InputError
from styletransfer.files import checks, yaml_reader
from styletransfer.settings import PARAMETERS
from styletransfer.study import folders
from styletransfer.study.sequences import DRAWN

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
    "runs_total",
    "max_runs",
)
# These as well, where a study has any.
RUNG_KEYS = ("rungs", "rungs_share", "rungs_by")
# Raised when columns of the tables change: they are then gathered again, from records of all ages.
TABLES_VERSION = 4
SCHEMA = Path(__file__).with_name("config.schema.yaml")


def read(path: str | Path) -> dict[str, Any]:
    """The config in a file, checked and with every default filled in.

    Raises:
        InputError: for a file that is no config, see `load`.

    """
    return load(yaml_reader.read(path))


def load(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with every default of the schema filled in, and every value in its one form.

    The form does not depend on how the value came: text that stands for a number or for true is that, as Snakemake's
    `--config` gives all values within a value as text; one thing is a list of one; `~` is the home folder.

    Raises:
        InputError: that lists each fault with its key, its value and the remedy.

    """
    import jsonschema

    schema = yaml_reader.read(SCHEMA)
    yaml_reader.check_values(config, "the config")
    config = _read(config, schema)
    yaml_reader.check_values(config, "the config")
    faults = [_fault(error) for error in jsonschema.Draft202012Validator(schema).iter_errors(config)]
    if faults:
        raise InputError("the config cannot be used:\n" + "\n".join(f"  - {fault}" for fault in faults))
    filled = _with_defaults(folders.expanded(_with_homes(config)), schema)
    _check_limits(filled["contact_sheet"]["limits"])
    _check_design(filled)
    return filled


def _read(value: Any, part: Mapping[str, Any]) -> Any:
    """A value in the form that its part of the schema wants; parameters, of any type there, are numbers or words."""
    kinds = part.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if value is None and isinstance(part.get("default"), dict | list):  # a key with nothing behind it
        return part["default"]
    if isinstance(value, str) and "boolean" in kinds:
        return yaml_reader.truth(value)
    if isinstance(value, str) and not {"string", "array", "object"} & set(kinds):
        return yaml_reader.plain(value)
    if "array" in kinds and not isinstance(value, list) and not (isinstance(value, str) and "string" in kinds):
        value = [] if value is None else [value]
    if isinstance(value, list):
        return [_read(item, part.get("items", {})) for item in value]
    if isinstance(value, dict):
        others = part.get("additionalProperties")
        others = others if isinstance(others, dict) else {}
        return {name: _read(item, part.get("properties", {}).get(name, others)) for name, item in value.items()}
    return value


def _with_homes(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with `~` in its paths written out, but for a file that is really called so."""

    def expanded(value: Any) -> Any:
        is_path = isinstance(value, str) and value.startswith("~") and not os.path.lexists(value)
        return os.path.expanduser(value) if is_path else value  # noqa: PTH111 - Path's raises where there is no home

    pictures = {
        name: {kind: expanded(source) if kind == "path" else source for kind, source in picture.items()}
        for name, picture in config.get("images", {}).items()
    }
    pairs = [
        {**pair, **{role: list(map(expanded, pair[role])) for role in ("contents", "styles") if "contents" in pair}}
        for pair in config["pairs"]
    ]
    paths = {key: expanded(config[key]) for key in ("weights", "runs") if key in config}
    paths |= {key: list(map(expanded, config[key])) for key in ("preferences",) if key in config}
    return {**config, **paths, "images": pictures, "pairs": pairs}


def _check_design(config: Mapping[str, Any]) -> None:
    """Refuse what is given, and what the design does not use."""
    design = config["design"]
    if config["runs"] and design != "list":
        raise InputError(
            f"runs is given, but design is {design}, which does not use it: write design: list, or remove runs"
        )
    if config["vary"] and design == "list":
        raise InputError("vary is given, but design is list, which does not use it: remove vary, or write design: star")
    if design not in ("star", "list") and not config["vary"]:
        raise InputError(f"design is {design}, but vary is empty: name parameters with their values under vary")
    if design in DRAWN and config["runs_total"] is None:
        raise InputError(f"design is {design}, but runs_total is not given: say how many runs, such as runs_total: 32")
    if design not in DRAWN and config["runs_total"] is not None:
        raise InputError(
            f"runs_total is given, but design is {design}, which does not use it: write design: sobol, or remove it"
        )
    if config["part"]:
        if len(config["part"]) != 2 or config["part"][0] > config["part"][1]:
            raise InputError(f"part is {config['part']}: write which of how many, such as [3, 10]")
        if config["rungs"]:
            raise InputError("part is given, and rungs, which compare all runs of a pair: remove one of the two")
    if config["repeats_of"] == "extremes":
        if config["repeats"] == 1:
            raise InputError("repeats_of is extremes, but repeats is 1: say how many runs each of them has, repeats: 5")
        if design not in ("star", "grid"):
            raise InputError(f"repeats_of is extremes, which a design {design} does not have: write repeats_of: all")


def _check_limits(limits: Mapping[str, Sequence[float]]) -> None:
    for name, (lowest, highest) in limits.items():
        if name not in PARAMETERS:
            raise InputError(f"contact_sheet.limits.{unknown_key(name, PARAMETERS)}")
        if lowest > highest:
            raise InputError(f"contact_sheet.limits.{name} is [{lowest:g}, {highest:g}]: write the lower value first")


def _fault(error: Any) -> str:
    key = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties" and isinstance(error.schema.get("properties"), dict):
        known = list(error.schema["properties"])
        unknown = [name for name in error.instance if name not in known]
        return "; ".join(f"{key + '.' if key else ''}{unknown_key(str(name), known)}" for name in unknown)
    if error.validator == "type" and error.absolute_path and error.absolute_path[0] == "images":
        return f"{key} is {error.instance!r}: write {{path: {error.instance}}}, {{sample: ...}} or {{painting: ...}}"
    fault = error.message
    if error.validator == "pattern":
        is_number = "integer" in error.schema.get("type", [])
        fault = f"{error.instance!r} is {'neither auto nor a number' if is_number else 'not a name that can be used'}"
    hint = " Write it in quotes." if error.validator_value == "string" and not isinstance(error.instance, str) else ""
    fault = yaml_reader.shortened(fault, 400, quoted=False)
    return f"{key or 'config'}: {fault}.{hint} {error.schema.get('description', '')}".strip()


def unknown_key(name: str, known: Iterable[str]) -> str:
    """What is said of a key that there is not, with the one that was meant."""
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
        elif "integer" in part.get("type", []) and isinstance(filled.get(key), float):
            filled[key] = int(filled[key])  # JSON Schema takes 2.0 for a whole number
    return filled


def definition(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a config that decides the rows, in the config's order: what a table of results depends on."""
    keys = (*DEFINING_KEYS, *(RUNG_KEYS if config.get("rungs") else ()), *(["part"] if config.get("part") else []))
    defining = {"tables": TABLES_VERSION, **{key: config[key] for key in keys if config.get(key) is not None}}
    if config["repeats"] > 1:
        defining |= {key: config[key] for key in ("repeats", "repeats_of")}
    if isinstance(config["runs"], str):
        defining["runs_sha256"] = checks.checksum(config["runs"])
    return json.loads(json.dumps(defining))  # as a plan gives it back
