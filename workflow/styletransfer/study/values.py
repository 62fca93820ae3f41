"""Value specs: the values of a parameter that a config asks for."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import Any

from styletransfer import settings
from styletransfer.errors import InputError
from styletransfer.parameters import rounded
from styletransfer.text import value_labels

GENERATORS = {"linspace": 3, "logspace": 3, "arange": 3}
RANGES = ("range", "log_range")
# A drawn value is rounded to the power of ten at or below this share of its range, on its axis.
RESOLUTION = 1 / 500


def values(parameter: str, spec: Any, styles: Collection[int] = (1,)) -> list[Any]:
    """The values that a spec stands for, rounded to 12 digits, in order, each once.

    Args:
        parameter: whose values they are.
        spec: a value, a generator such as `{linspace: [0, 1, 5], slice: "1::2"}`, or a list (a union) of these. Where a
            parameter has a value for each style, or is one of layers, one value may be a list of these.
        styles: how many styles the pairs of the study have.

    Raises:
        InputError: for a value out of its limits, and for different values that stand for the same in every pair.

    """
    parts = spec if isinstance(spec, list) else [spec]
    found = [value for part in parts for value in _part(parameter, part)]
    if not found:
        raise InputError(f"vary.{parameter} is empty: give at least one value or remove the key")
    different = list(dict.fromkeys(single(parameter, value, styles) for value in found))
    refuse_alike(f"vary.{parameter}", parameter, different, styles)
    return different


def axis(parameter: str, spec: Any, styles: Collection[int] = (1,)) -> Callable[[float], Any]:
    """What makes a number from 0 on and below 1 a value of a parameter, for designs that draw values.

    Args:
        parameter: whose values they are.
        spec: `{range: [lowest, highest]}`, `{log_range: [lowest, highest]}`, or the values to choose from, as `values`
            takes them.
        styles: how many styles the pairs of the study have.

    Raises:
        InputError: for values out of their limits, and for a range of what is no number.

    """
    kind = next((key for key in RANGES if isinstance(spec, dict) and set(spec) == {key}), None)
    if kind is None:
        choices = values(parameter, spec, styles)
        return lambda share: choices[int(share * len(choices))]
    limits = settings.PARAMETERS[parameter].metadata
    if "choices" in limits or "layers" in limits:
        raise InputError(f"vary.{parameter} is {spec!r}: it is no number, so list the values to choose from")
    ends = spec[kind]
    place = f"vary.{parameter}.{kind} is {ends!r}"
    if not isinstance(ends, list) or len(ends) != 2 or not all(map(_is_finite, ends)) or ends[0] >= ends[1]:
        raise InputError(f"{place}: it takes two numbers, the lowest value and the highest")
    if kind == "log_range" and ends[0] <= 0:
        raise InputError(f"{place}: the lowest value must be above 0, or write range")
    for end in ends:
        single(parameter, end, styles)
    return lambda share: single(parameter, _drawn(kind, ends, share, "integer" in limits), styles)


def _drawn(kind: str, ends: Sequence[float], share: float, whole: bool) -> float:
    """The value at a share of a range, in few digits."""
    low, high = ends
    if kind == "range":
        value, span = low + share * (high - low), high - low
    else:
        value = low * (high / low) ** share
        span = value * math.log(high / low)
    if whole:
        return round(value)
    return min(high, max(low, round(value, -Decimal(span * RESOLUTION).adjusted())))


def refuse_alike(place: str, parameter: str, different: Sequence[Any], styles: Collection[int]) -> None:
    """Raise `InputError` for different values of which some are one, whatever number of styles a pair has."""
    alike = [_alike(parameter, different, count) for count in styles]
    if all(alike):
        raise InputError(
            f"{place}: {', '.join(value_labels(alike[0]))} stand for the same, since only the ratio of the styles "
            "counts: keep one of them, or write each value as a list with a number for each style"
        )


def single(parameter: str, value: Any, styles: Collection[int] = (1,)) -> Any:
    """One value in the one form that it has in a study: a number, a word, nothing, or a tuple with one for each style.

    Raises `InputError` if it is out of its limits for a pair with one of the numbers of styles.
    """
    checked = [settings.check(parameter, value, count) for count in styles]
    if not settings.PARAMETERS[parameter].metadata.get("per_style"):
        return checked[0]
    if isinstance(value, list | tuple) and len(value) > 1:
        return tuple(rounded(number) for number in value)
    return rounded(value[0] if isinstance(value, list | tuple) else value)


def _alike(parameter: str, different: Sequence[Any], styles: int) -> list[Any]:
    """The first values that are one to a run with so many styles; none if all differ."""
    same: dict[Any, list[Any]] = {}
    for value in different:
        same.setdefault(settings.check(parameter, value, styles), []).append(value)
    return next((alike for alike in same.values() if len(alike) > 1), [])


def _part(parameter: str, part: Any) -> list[Any]:
    if not isinstance(part, dict) or settings.PARAMETERS[parameter].metadata.get("layers"):
        return [part]
    if set(part) & set(RANGES):
        raise InputError(
            f"vary.{parameter}: {part!r} is for design sobol or lhs, alone and not in a list: write one of these, or "
            f"values, such as {{linspace: [first, last, n]}}"
        )
    kinds = [key for key in part if key in GENERATORS]
    if len(kinds) != 1 or set(part) - {kinds[0], "slice"}:
        raise InputError(
            f"vary.{parameter}: {part!r} is not a spec. Use one of {', '.join(GENERATORS)}, and slice if needed"
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
    return [rounded(value) for value in generated]


def _slice(parameter: str, text: Any) -> slice:
    try:
        if not isinstance(text, str) or ":" not in text:  # YAML takes 1:30 for the number 90
            raise ValueError
        return slice(*(int(part) if part else None for part in text.split(":")))
    except (ValueError, TypeError) as error:
        raise InputError(
            f'vary.{parameter}.slice is {text!r}: write it as in Python and in quotes, such as "1::2"'
        ) from error
