"""The space that a study varies its runs in: an axis for each parameter, and places in it as numbers from 0 to 1.

Whatever models runs or proposes new ones works in these places, where equal distances are about equal changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from styletransfer.errors import InputError
from styletransfer.parameters import rounded
from styletransfer.settings import PARAMETERS

PAIR = "pair"
# Positive values of which the largest is so many times the least are compared by their ratio.
WIDE = 3
# What runs repeat: another seed is no other setting.
NO_AXES = ("seed",)


@dataclass(frozen=True)
class Axis:
    """What varies: a parameter, or the pair of pictures.

    Args:
        name: a parameter's, or `pair`.
        kind: `linear`, or `log` for what is compared by ratio, or `choice` for words and lists.
        low, high: the least and the greatest number. A log axis with 0 is log(1 + value / `least`).
        choices: the words, in the order of the study.
        least: the least number above 0 of a log axis.
        integer: whether only whole numbers are allowed.
    """

    name: str
    kind: Literal["linear", "log", "choice"]
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()
    least: float = 1.0
    integer: bool = False

    @classmethod
    def of(cls, name: str, values: Iterable[Any]) -> Axis:
        """The axis of a parameter that takes these values, as a table of runs holds them."""
        different = list(dict.fromkeys(values))
        found = [number(value) for value in different]
        numbers = [value for value in found if value is not None]
        limits: Mapping[str, Any] = PARAMETERS[name].metadata if name in PARAMETERS else {}
        if len(numbers) < len(found):
            return cls(name, "choice", choices=tuple(str(value) for value in different))
        low, high = min(numbers), max(numbers)
        least = min((value for value in numbers if value > 0), default=1.0)
        # A share, which is at most 1, is compared by difference.
        by_ratio = low >= 0 and limits.get("maximum", math.inf) > 1 and high >= WIDE * least
        kind: Literal["linear", "log"] = "log" if by_ratio else "linear"
        return cls(name, kind, low, high, least=least, integer=bool(limits.get("integer")))

    def code(self, values: Sequence[Any]) -> np.ndarray:
        """Values as places, (n,): from 0 at `low` to 1 at `high`; of a choice the middle of its equal share.

        Values beyond `low` and `high` are beyond 0 and 1. Raises `InputError` for what this axis does not have.
        """
        if self.kind == "choice":
            shares = {word: (place + 0.5) / len(self.choices) for place, word in enumerate(self.choices)}
            coded = [shares.get(str(value)) for value in values]
        else:
            coded = [number(value) for value in values]
        for value, found in zip(values, coded, strict=True):
            if found is None:
                known = ", ".join(self.choices) or "numbers"
                raise InputError(f"{self.name} is {value!r}, which these runs cannot tell of: it takes {known}")
        places = np.array(coded, float)
        if self.kind == "choice":
            return places
        low, high = self._bent(np.array([self.low, self.high]))
        return (self._bent(places) - low) / ((high - low) or 1.0)

    def decode(self, places: np.ndarray) -> list[Any]:
        """The values at places, (n,): what `code` was given, to 12 digits; those beyond 0 and 1 are moved there."""
        shares = np.clip(np.asarray(places, float), 0, 1)
        if self.kind == "choice":
            nearest = np.minimum((shares * len(self.choices)).astype(int), len(self.choices) - 1)
            return [self.choices[index] for index in nearest]
        low, high = self._bent(np.array([self.low, self.high]))
        values = np.clip(self._straight(low + shares * (high - low)), self.low, self.high)
        return [round(value) if self.integer else rounded(value) for value in values.tolist()]

    def _bent(self, values: np.ndarray) -> np.ndarray:
        if self.kind == "linear":
            return values
        return np.log1p(values / self.least) if self.low == 0 else np.log(np.maximum(values, 1e-300))

    def _straight(self, bent: np.ndarray) -> np.ndarray:
        if self.kind == "linear":
            return bent
        return self.least * np.expm1(bent) if self.low == 0 else np.exp(bent)


@dataclass(frozen=True)
class Space:
    """The axes along which runs vary. A setting is a place in it, (d,), each number from 0 to 1."""

    axes: tuple[Axis, ...]

    @classmethod
    def of(cls, runs: pd.DataFrame, parameters: Iterable[str] = tuple(PARAMETERS)) -> Space:
        """The axes of a table of runs: its parameters in their order, then the pair if there are several.

        A parameter that only differs from pair to pair varies with the pictures, and has no axis of its own.

        Args:
            runs: a row for each run, with a column for each parameter, and `pair`.
            parameters: which may have an axis.
        """
        pairs = runs[PAIR] if PAIR in runs else pd.Series("", index=runs.index)
        names = [name for name in parameters if name in runs and name not in NO_AXES]
        varied = [name for name in names if runs[name].groupby(pairs).nunique().gt(1).any()]
        axes = [Axis.of(name, runs[name].dropna()) for name in varied]
        if pairs.nunique() > 1:
            axes.append(Axis(PAIR, "choice", choices=tuple(dict.fromkeys(pairs))))
        return cls(tuple(axis for axis in axes if axis.kind == "choice" or axis.high > axis.low))

    @property
    def names(self) -> list[str]:
        """Of the axes, in their order."""
        return [axis.name for axis in self.axes]

    def code(self, settings: pd.DataFrame) -> np.ndarray:
        """Settings as places, (n, d). settings: a column for each axis, as a table of runs has."""
        columns = [axis.code(settings[axis.name].tolist()) for axis in self.axes]
        return np.stack(columns, axis=1) if columns else np.zeros((len(settings), 0))

    def decode(self, places: np.ndarray) -> pd.DataFrame:
        """The settings at places, (n, d): a column for each axis."""
        columns = {axis.name: axis.decode(places[:, at]) for at, axis in enumerate(self.axes)}
        return pd.DataFrame(columns, index=range(len(places)), dtype=object)


def number(value: Any) -> float | None:
    """A value as a number; of one for each style the one that all have. None for words, and for lists that differ."""
    try:
        parts = {float(part) for part in (value.split() if isinstance(value, str) else [value])}
    except (TypeError, ValueError):
        return None
    found = parts.pop() if len(parts) == 1 else math.nan
    return found if math.isfinite(found) else None
