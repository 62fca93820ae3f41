"""YAML and JSON from outside: plain values of bounded size, with every key once. What keys mean is left to others.

A number has one reading, `plain`, whether it comes from a file, from a command line, or from a table.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from styletransfer.errors import InputError
from styletransfer.files import checks

MAX_BYTES = 10_000_000
# Aliases let a few lines stand for billions of values: counted is what a reader would meet.
MAX_VALUES = 1_000_000
MAX_DEPTH = 20
MAX_INTEGER = 2**63 - 1
# The loader in C is ten times faster; both build plain values only.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DIGITS = "[0-9]+(?:_[0-9]+)*"
_WHOLE = re.compile(rf"[-+]?{_DIGITS}")
_NUMBER = re.compile(rf"[-+]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][-+]?[0-9]+)?")
_NOTHING = ("null", "Null", "NULL", "~")


def read(path: str | Path, what: str = "config") -> dict[str, Any]:
    """The mapping that a YAML or JSON file holds.

    Args:
        path: The file, of at most `MAX_BYTES`.
        what: What messages call it.

    Raises:
        InputError: The file cannot be read or holds something else, has a key twice, of which YAML's own readers drop
            one silently, is a YTE template, or holds what `check_values` refuses.
    """
    checks.check_input(path, what, MAX_BYTES)
    origin = f"{what} {str(path)!r}"
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{origin}: {error.reason} at byte {error.start}: save it as UTF-8") from error
    document = _parsed(text, origin)
    if not isinstance(document, dict):
        found = "nothing" if document is None else f"a {type(document).__name__}"
        raise InputError(f"{origin} holds {found}: it must hold keys with values, such as `study: my-study`")
    if "__use_yte__" in document:
        raise InputError(f"{origin} is a YTE template, a program in a file of values: remove __use_yte__, write values")
    check_values(document, origin)
    return document


def plain(text: str) -> Any:
    """What text stands for where no text is wanted: a number, or nothing (`null`, `~`); else the text as it is.

    `1e3`, `1.0e3` and `1.0e+3` are one number, of which YAML's own rules take the first two for text. Blanks around it
    do not count. `010` is ten.
    """
    word = text.strip()
    if _WHOLE.fullmatch(word) and len(word) < 100:  # more digits are beyond every limit, and slow to read
        return int(word)
    if _NUMBER.fullmatch(word):
        return float(word)
    return None if word in _NOTHING else text


def truth(text: str) -> Any:
    """What text stands for where true or false is wanted, as YAML has it (`true`, `yes`, `on`); else as it is."""
    return yaml.SafeLoader.bool_values.get(text.strip().lower(), text)


def check_values(document: Any, what: str) -> None:
    """Refuse a value that is not plain through and through, or too much of it.

    Plain are text, finite numbers, true, false, null, lists, and mappings with text as keys: at most `MAX_VALUES` of
    them, nested at most `MAX_DEPTH` deep.

    Raises:
        InputError: It names the place in the document and what is wrong there.
    """
    waiting: list[tuple[tuple[Any, ...], Any]] = [((), document)]
    count = 1
    while waiting:
        place, value = waiting.pop()
        fault = f"is nested more than {MAX_DEPTH} deep: write it flat" if len(place) > MAX_DEPTH else _fault(value)
        if fault:
            raise InputError(f"{_key(place[: MAX_DEPTH // 2], what)} {fault}")
        if isinstance(value, dict | list):
            count += len(value)
            if count > MAX_VALUES:
                raise InputError(
                    f"{what} stands for more than {MAX_VALUES:,} values: write less, without aliases (*name) of aliases"
                )
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [((*place, name), part) for name, part in parts]


def _fault(value: Any) -> str:
    """What is wrong with a value, its parts aside; or nothing."""
    fault = ""
    match value:
        case str():
            if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
                fault = "has a character that no file name or text can hold: remove it"
        case int():
            if abs(value) > MAX_INTEGER:  # such a number cannot even be printed
                fault = f"is a whole number beyond {MAX_INTEGER:,}: give a smaller one"
        case float():
            fault = "" if math.isfinite(value) else f"is {value!r}: it must be a finite number"
        case dict():
            odd = [name for name in value if not isinstance(name, str)]
            wrong_key = f"has the key {shortened(odd[0])}, not text: write it in quotes" if odd else ""
            fault = wrong_key or next(filter(None, map(_fault, value)), "")
        case None | list():
            pass
        case _:
            fault = f"is {shortened(value)}, a {type(value).__name__}: give text (in quotes) or a number"
    return fault


def _key(place: Sequence[Any], what: str) -> str:
    """What people call a place: `vary.style_weight.0`; the whole document by its own name."""
    return shortened(".".join(map(str, place)), quoted=False) if place else what


def shortened(value: Any, length: int = 200, quoted: bool = True) -> str:
    """A value for a message of bounded length: its middle is left out if need be."""
    text = repr(value) if quoted else str(value)
    return text if len(text) <= length else f"{text[: length // 2]} ... {text[-length // 4 :]}"


def _parsed(text: str, origin: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, origin))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        _check_nodes(node, origin, loader)
        return None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        raise InputError(f"{origin} is not YAML of plain values: {' '.join(str(error).split())}") from error
    # A number, date or tag that YAML allows and Python cannot build.
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{origin} has a value that cannot be read ({error}): write it in quotes") from error
    finally:
        loader.dispose()


def _once(pairs: Sequence[tuple[Any, Any]], origin: str) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(f"{origin} has the key {shortened(name)} twice: keep one of them")
        found[name] = value
    return found


def _check_nodes(root: yaml.Node | None, origin: str, loader: Any) -> None:
    """Refuse a key that is there twice, and a number in a notation of which YAML makes another one: `010`, `1:30`.

    Every node of the document is looked at, each once however many aliases lead to it.
    """
    waiting, known = [root], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith((":int", ":float")):
            number = loader.construct_object(node)
            if math.isfinite(number) and plain(node.value) != number:
                line = node.start_mark.line + 1
                raise InputError(
                    f"{origin}, line {line}: YAML reads {shortened(node.value, quoted=False)} as {number}. Write "
                    f"{number}, or in quotes what is not a number"
                )
        if isinstance(node, yaml.CollectionNode) and id(node) not in known:
            known.add(id(node))
            if isinstance(node, yaml.MappingNode):
                keys = [(key.value, None) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
                _once(keys, f"{origin}: the mapping at line {node.start_mark.line + 1}")
                waiting += [part for pair in node.value for part in pair]
            else:
                waiting += node.value
