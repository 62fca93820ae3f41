"""The ways to compute a run, which differ in speed and rounding only, and which of them is the fastest on a device.

On a CPU that is known: `fast`. On a GPU it depends on the card, the driver, the precision and the size of the pictures,
and XLA's compilation must pay off within the run. So it is measured, once for each of these, and remembered.
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from styletransfer.files import atomic, locks

logger = logging.getLogger(__name__)


class Way(NamedTuple):
    """gradient: `fast` by hand, `plain` by automatic differentiation. compiled: by XLA."""

    gradient: str
    compiled: bool


WAYS = {
    "fast": Way("fast", False),
    "plain": Way("plain", False),
    "fast-xla": Way("fast", True),
    "plain-xla": Way("plain", True),
}
# What a user may say. measured: the fastest of them all; auto: `fast` on a CPU, `measured` on a GPU.
CHOICES = ("auto", "measured", *WAYS)

# A GPU takes so many steps per call: at 128 pixels it would wait for Python otherwise. A CPU has nothing to gain.
STEPS_PER_CALL = {"cpu": 1, "gpu": 10}
# Evaluations that are timed, after as many that warm up.
TIMED = 10

# What a way costs: `start`, the seconds to trace, compile and evaluate once, and `evaluation`, the seconds of another.
Cost = Mapping[str, float]


def fastest(situation: str, evaluations: int, begin: Callable[[str], Iterator[object]]) -> str:
    """The name of the way that takes so many evaluations soonest in a situation: what device, what sizes, and so on.

    begin: starts a run of at least 2 * `TIMED` + 1 evaluations in the way of that name. It is called for a situation
    that this machine has not seen. A way that fails is out of the race; raises the error of the last one if all do.
    """
    costs = _remembered().get(situation) or _measured(situation, begin)
    name = min(costs, key=lambda way: costs[way]["start"] + evaluations * costs[way]["evaluation"])
    logger.info("path %s: the fastest of %s for %s", name, ", ".join(sorted(costs)), situation)
    return name


def _measured(situation: str, begin: Callable[[str], Iterator[object]]) -> Mapping[str, Cost]:
    costs: dict[str, Cost] = {}
    failure: Exception | None = None
    for name in WAYS:
        try:
            costs[name] = _cost(begin(name))
        except Exception as error:  # whatever it is: another way may do
            logger.warning("path %s fails on this device: %s: %s", name, type(error).__name__, str(error)[:300])
            failure = error
    if not costs:
        assert failure is not None
        raise failure
    _remember(situation, costs)
    return costs


def _cost(run: Iterator[object]) -> Cost:
    begin = time.perf_counter()
    next(run)
    start = time.perf_counter() - begin
    _take(run, TIMED)
    begin = time.perf_counter()
    _take(run, TIMED)
    return {"start": round(start, 3), "evaluation": round((time.perf_counter() - begin) / TIMED, 6)}


def _take(run: Iterator[object], count: int) -> None:
    for _ in itertools.islice(run, count):
        pass


def cache_folder() -> Path:
    """Where this user's machine remembers what it measured and compiled. It need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "styletransfer"


def _remembered() -> dict[str, Mapping[str, Cost]]:
    """All that was measured; nothing if the file is not there, or not whole."""
    try:
        found = json.loads((cache_folder() / "ways.json").read_text(encoding="utf-8"))
        return {situation: costs for situation, costs in found.items() if _is_whole(costs)}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_whole(costs: object) -> bool:
    return (
        isinstance(costs, dict)
        and bool(costs)
        and all(
            name in WAYS
            and isinstance(cost, dict)
            and all(_is_seconds(cost.get(key)) for key in ("start", "evaluation"))
            for name, cost in costs.items()
        )
    )


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _remember(situation: str, costs: Mapping[str, Cost]) -> None:
    path = cache_folder() / "ways.json"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.exclusive_lock(path, 60):
            atomic.write_text(path, json.dumps(_remembered() | {situation: costs}, indent=1, sort_keys=True) + "\n")
    except (OSError, locks.BusyError) as error:
        logger.warning("what was measured is not remembered: %s", error)
