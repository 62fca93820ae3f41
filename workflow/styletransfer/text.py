"""Values and durations in words."""

from __future__ import annotations

from typing import Any


def value_text(value: Any) -> str:
    """A value for people: four digits are enough to tell it from its neighbours."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def duration(seconds: float) -> str:
    """A duration for people: `1.9 years`, `4.2 hours`, `35 s`."""
    for unit, size in (("years", 365.25 * 86400), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
