"""Values, numbers and durations in words."""

from __future__ import annotations

import numbers
import re
import textwrap
from collections.abc import Iterable
from typing import Any

# No line on a terminal has more characters.
LONGEST = 200


def value_labels(values: Iterable[Any]) -> list[str]:
    """Values of a parameter for people, in order: `0.05`, `10,000`, `max`.

    Whole numbers and those of up to six digits are shown as they are. Others are rounded to four digits, or to as many
    as it takes: different values never read alike.
    """
    values = list(values)
    exact = [_label(value, 17) for value in values]
    for digits in (4, 6, 9, 12):
        labels = [_label(value, digits) for value in values]
        if len(set(labels)) == len(set(exact)):
            return labels
    return exact


def _label(value: Any, digits: int) -> str:
    if isinstance(value, list | tuple):
        return " ".join(_label(part, digits) for part in value)
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return f"{int(value):,}"  # a float would not hold every digit of a large seed
    if isinstance(value, str):  # layers have weights: relu1_1+relu2_1=0.5
        return re.sub(r"(?<==)\d+(?:\.\d+)?(?:e-\d+)?", lambda number: _label(float(number[0]), digits), value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return str(value)
    number = float(value)
    if number.is_integer() and abs(number) < 1e15:
        return f"{int(number):,}"
    return number_text(number, 6 if float(f"{number:.6g}") == number else digits)


def number_text(value: float, digits: int = 4) -> str:
    """A number rounded to so many digits: `12,350`; with an exponent where zeros would have to be counted: `1e+30`."""
    return f"{float(f'{value:.{digits}g}'):,.{max(6, digits)}g}"


def folded(line: str, begin: str = "") -> list[str]:
    """A line in lines that fit on a terminal; those after the first are indented. begin: of the first."""
    return textwrap.wrap(line, LONGEST, initial_indent=begin, subsequent_indent="    ", break_on_hyphens=False) or [""]


def duration(seconds: float) -> str:
    """A duration for people: `1.9 years`, `4.2 hours`, `35 s`."""
    for unit, size in (("years", 365.25 * 86400), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
