"""Value specs: the values of a parameter that a config asks for."""

from __future__ import annotations

import math
from typing import Any

from styletransfer import settings
from styletransfer.errors import InputError

GENERATORS = {"linspace": 3, "logspace": 3, "arange": 3}


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
        generated = [first + third * i for i in range(math.ceil(count - 1e-9))]
    else:
        steps = max(1, int(third) - 1)
        shares = [i / steps for i in range(int(third))]
        if kind == "linspace":
            generated = [first + share * (last - first) for share in shares]
        else:
            generated = [first * (last / first) ** share for share in shares]
    return [settings.rounded(value) for value in generated]


def _slice(parameter: str, text: Any) -> slice:
    try:
        if not isinstance(text, str) or ":" not in text:  # YAML takes 1:30 for the number 90
            raise ValueError
        return slice(*(int(part) if part else None for part in text.split(":")))
    except (ValueError, TypeError) as error:
        raise InputError(
            f'vary.{parameter}.slice is {text!r}: write it as in Python and in quotes, such as "1::2"'
        ) from error
