"""One parameter of a run: its limits, and the one form that its values have."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from styletransfer import layers
from styletransfer.errors import InputError

SIGNIFICANT_DIGITS = 12
DECIMAL_COMMA = re.compile(r"[-+]?[0-9]*,[0-9]+(?:[eE][-+]?[0-9]+)?")


def parameter(default: Any, help: str, **limits: Any) -> Any:
    """One field of `Settings`.

    Limits: `minimum`, `above`, `maximum`, `choices`, `integer`, `per_style`, `layers`; `widths`: of each in a list.
    """
    return field(default=default, metadata={"help": help, **limits})


def checked(name: str, value: Any, limits: Mapping[str, Any], styles: int = 1) -> Any:
    """Return `value` in the one form that parameter `name` has, or raise `InputError` if it is out of its limits."""
    if "choices" in limits:
        return _choice(name, value, limits["choices"])
    if limits.get("layers"):
        return layers.written(name, value)
    if limits.get("per_style"):
        return _per_style(name, value, limits, styles)
    if "widths" in limits and isinstance(value, list | tuple):
        return _widths(name, value, limits)
    return _number(name, value, limits)


def _choice(name: str, value: Any, choices: Sequence[str]) -> str:
    if value not in choices:
        raise InputError(f"{name} is {value!r}: choose one of {', '.join(choices)}")
    return str(value)


def _per_style(name: str, value: Any, limits: Mapping[str, Any], styles: int) -> tuple[float, ...]:
    values = list(value) if isinstance(value, list | tuple) else [value]
    numbers = [float(_number(name, number, limits)) for number in values]
    if len(numbers) == 1:
        numbers *= styles
    if len(numbers) != styles:
        raise InputError(f"{name} has {len(numbers)} values for {styles} styles: give one for each, or one for all")
    if name == "style_blend_weights":
        total = math.fsum(numbers)
        if total == 0:
            raise InputError(f"{name} is {value!r}: at least one style needs a weight above 0")
        numbers = [rounded(number / total) for number in numbers]
    return tuple(numbers)


def _widths(name: str, value: Sequence[Any], limits: Mapping[str, Any]) -> int | tuple[int, ...]:
    if len(value) == 1:  # one thing is a list of one
        return int(_number(name, value[0], limits))
    widths = tuple(int(_number("width", width, limits["widths"])) for width in value)
    if not widths or any(width >= larger for width, larger in itertools.pairwise(widths)):
        raise InputError(
            f"{name} is {list(value)!r}: a list has the width of each stage, from the smallest to the largest"
        )
    return widths


def _number(name: str, value: Any, limits: Mapping[str, Any]) -> int | float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        comma = isinstance(value, str) and DECIMAL_COMMA.fullmatch(value.strip())
        remedy = f". Write it with a point: {value.strip().replace(',', '.')}" if comma else ""
        raise InputError(f"{name} is {value!r}, not a number{remedy}")
    try:
        number = float(value)
    except (OverflowError, TypeError, ValueError):
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{name} is {value!r}: it must be finite")
    if limits.get("integer") and number != int(number):
        raise InputError(f"{name} is {value!r}: it must be a whole number")
    exact = value if isinstance(value, int) else number  # a large seed is more than a float can hold
    if (
        exact < limits.get("minimum", -math.inf)
        or exact <= limits.get("above", -math.inf)
        or exact > limits.get("maximum", math.inf)
    ):
        raise InputError(f"{name} is {value!r}: it must be {allowed(limits)}")
    return int(value) if limits.get("integer") else rounded(number)


def allowed(limits: Mapping[str, Any]) -> str:
    """What values a parameter of these limits takes, in words."""
    bounds = [" or ".join(limits["choices"])] if "choices" in limits else []
    if "layers" in limits:
        bounds.append(f"{layers.LAYERS[0]} to {layers.LAYERS[-1]}")
    if "minimum" in limits:
        bounds.append(f"at least {limits['minimum']:,}")
    if "above" in limits:
        bounds.append(f"above {limits['above']:,}")
    if "maximum" in limits:
        bounds.append(f"at most {limits['maximum']:,}")
    if limits.get("widths"):
        return f"{' and '.join(bounds)}, or a list of widths"
    return " and ".join(bounds)


def rounded(number: float) -> float:
    """A float with 12 significant digits: 0.1 + 0.2 and 0.3 are one value, and -0 is 0."""
    return float(f"{float(number):.{SIGNIFICANT_DIGITS}g}") + 0.0
