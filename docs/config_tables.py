"""Write what the engine knows of its parameters into the config's schema, and the schema into config/README.md."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from styletransfer.errors import command
from styletransfer.files import atomic
from styletransfer.settings import PARAMETERS, allowed

PARAMETERS_PART = re.compile(r"( +# parameters: .*?\n).*?( +# end\n)", re.DOTALL)
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
    """The text of a page with its tables written again."""
    return TABLE.sub(lambda match: f"{match[1]}{table(match[2], schema)}\n{match[3]}", text)


def with_parameters(text: str) -> str:
    """The text of the schema with the description and default of every parameter as the engine has them."""
    parts = {
        name: {"description": f"{help[0].upper()}{help[1:]}.", "default": _plain(field.default)}
        for name, field in PARAMETERS.items()
        for help in [field.metadata["help"]]
    }
    written = yaml.safe_dump(parts, sort_keys=False, width=10_000, allow_unicode=True)
    return PARAMETERS_PART.sub(lambda match: f"{match[1]}{textwrap.indent(written, ' ' * 6)}{match[2]}", text)


def _plain(default: Any) -> Any:
    """A default as people write it: one value for all styles, and whole numbers without a point."""
    value = default[0] if isinstance(default, tuple) else default
    return int(value) if isinstance(value, float) and value == int(value) else value


@command
def main() -> None:
    """Rewrite both in place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schema", type=Path, default=Path("workflow/schemas/config.schema.yaml"), help="the schema")
    parser.add_argument("--readme", type=Path, default=Path("config/README.md"), help="the page to rewrite")
    options = parser.parse_args()
    text = with_parameters(options.schema.read_text(encoding="utf-8"))
    atomic.write_text(options.schema, text)
    page = document(options.readme.read_text(encoding="utf-8"), yaml.safe_load(text))
    atomic.write_text(options.readme, page)


if __name__ == "__main__":
    sys.exit(main())
