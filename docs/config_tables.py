"""Write the tables of config/README.md: every key out of the schema, every parameter's limits out of the engine."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from styletransfer.errors import InputError, command
from styletransfer.files import atomic
from styletransfer.settings import PARAMETERS, allowed

TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def keys(part: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every key of a schema with its dotted path, parents first; parameters have a table of their own."""
    for name, value in part.get("properties", {}).items():
        yield f"{prefix}{name}", value
        if name == "defaults":
            continue
        yield from keys(value, f"{prefix}{name}.")
        for below, mark in (("items", "[]."), ("additionalProperties", ".<name>.")):
            if isinstance(value.get(below), dict):
                yield from keys(value[below], f"{prefix}{name}{mark}")


def table(name: str, schema: Mapping[str, Any]) -> str:
    """One Markdown table: `keys` or `parameters`."""
    if name == "keys":
        lines = ["| key | default | what it does |", "|---|---|---|"]
        lines += [_line(f"`{key}`", _default(part), _description(part)) for key, part in keys(schema)]
        return "\n".join(lines)
    lines = ["| parameter | default | allowed | what it is |", "|---|---|---|---|"]
    for parameter, part in schema["properties"]["defaults"]["properties"].items():
        limits = allowed(parameter)
        lines.append(_line(f"`{parameter}`", _default(part), limits, part["description"]))
    return "\n".join(lines)


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _description(part: Mapping[str, Any]) -> str:
    choices = f" One of {', '.join(part['enum'])}." if "enum" in part else ""
    return part["description"] + choices


def _default(part: Mapping[str, Any]) -> str:
    if "default" not in part or part["default"] is None:
        return ""
    return f"`{yaml.safe_dump(part['default'], default_flow_style=True).removesuffix('...' + chr(10)).strip()}`"


def document(text: str, schema: Mapping[str, Any]) -> str:
    """The text with its tables recreated. Raises `InputError` where the schema lacks one of the engine's parameters."""
    missing = set(PARAMETERS) ^ set(schema["properties"]["defaults"]["properties"])
    if missing:
        raise InputError(f"schema and engine differ in {', '.join(sorted(missing))}: add or remove it in the schema")
    return TABLE.sub(lambda match: f"{match[1]}{table(match[2], schema)}\n{match[3]}", text)


@command
def main() -> None:
    """Rewrite the tables in place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schema", type=Path, default=Path("workflow/schemas/config.schema.yaml"), help="the schema")
    parser.add_argument("--readme", type=Path, default=Path("config/README.md"), help="the page to rewrite")
    options = parser.parse_args()
    schema = yaml.safe_load(options.schema.read_text(encoding="utf-8"))
    atomic.write_text(options.readme, document(options.readme.read_text(encoding="utf-8"), schema))


if __name__ == "__main__":
    sys.exit(main())
