"""When which device was busy: the runs of a study as intervals, and how well they fill the devices.

A lane is a slot of a device; runs on the CPU, which is not leased, get as many lanes as ran at once. Drawing is left to
`reports`.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# A study that goes on after days has not been idle for days. Longer pauses of all devices are cut out; while a workflow
# runs, no such pause is that long.
PAUSE_SECONDS = 30.0


@dataclass(frozen=True)
class Usage:
    """How well a study's runs filled its lanes. Seconds; `pauses` says how many pauses were cut out of `elapsed`."""

    lanes: int
    runs: int
    busy: float
    elapsed: float
    pauses: int

    @property
    def speed_up(self) -> float:
        """How many times faster than one run after another."""
        return self.busy / self.elapsed

    @property
    def utilisation(self) -> float:
        """Share of the lanes' time that was spent on runs."""
        return self.busy / (self.lanes * self.elapsed)

    @property
    def bound(self) -> float:
        """No schedule of these runs on these lanes takes less time."""
        return self.busy / self.lanes


def intervals(runs: pd.DataFrame) -> pd.DataFrame:
    """One row for each distinct run, by start: run_id, parameter, status, lane, begin and end.

    runs: a study's table. begin, end: seconds since the first start, less the pauses that were cut out; where that was
    stands in `attrs["pauses"]`.
    """
    import pandas as pd  # runs that are computed look at this module, but not at tables

    distinct = runs.drop_duplicates("run_id").copy()
    for name in ("start", "end"):
        distinct[name] = pd.to_datetime(distinct[name], utc=True)
    distinct = distinct.sort_values("start", kind="stable", ignore_index=True)
    zero = distinct["start"].min()
    begin, end = ((distinct[name] - zero).dt.total_seconds() for name in ("start", "end"))
    cut = _pauses(begin.tolist(), end.tolist())
    distinct["begin"], distinct["end"] = begin - cut, end - cut
    distinct["lane"] = _lanes(distinct)
    first_after = [i for i in range(1, len(cut)) if cut[i] > cut[i - 1]]
    distinct.attrs["pauses"] = [float(distinct["begin"].iloc[i]) for i in first_after]
    return distinct[["run_id", "parameter", "status", "lane", "begin", "end"]]


def _pauses(begin: Sequence[float], end: Sequence[float]) -> list[float]:
    """For runs in order of their start: the seconds of long pauses before each."""
    cut, found, latest = 0.0, [], 0.0
    for start, stop in zip(begin, end, strict=True):
        if start - latest > PAUSE_SECONDS:
            cut += start - latest
        latest = max(latest, stop)
        found.append(cut)
    return found


def _lanes(distinct: pd.DataFrame) -> list[str]:
    """The lane of each run: host, device and slot; for the CPU the first of its lanes that is free."""
    several, slots = distinct["host"].nunique() > 1, distinct["device_slot"].max() > 0
    free: dict[str, list[float]] = {}
    lanes = []
    for run in distinct.itertuples():
        name = f"{run.host} {run.device}" if several else str(run.device)
        if run.device != "cpu":
            lanes.append(f"{name} slot {run.device_slot}" if slots else name)
            continue
        ends = free.setdefault(name, [])
        place = next((i for i, end in enumerate(ends) if end <= run.begin), len(ends))
        ends[place : place + 1] = [run.end]
        lanes.append(f"{name} {place + 1}")
    return lanes


def short(lane: str) -> str:
    """A lane's or device's name without most of the digits of a UUID."""
    return re.sub(r"((?:GPU|MIG)-[0-9a-f]{8})-[0-9a-f-]{20,}", r"\1", lane)


def usage(bars: pd.DataFrame) -> Usage:
    """How well the lanes were filled. bars: from `intervals`."""
    busy = float((bars["end"] - bars["begin"]).sum())
    return Usage(bars["lane"].nunique(), len(bars), busy, float(bars["end"].max()), len(bars.attrs["pauses"]))


Bar = tuple[int, float, float]  # lane, begin, end


def schedule(durations: Iterable[float], lanes: int) -> list[Bar]:
    """Every lane takes the next run as soon as it is free, as leases do.

    Whatever the order, all is done after at most busy / lanes + (1 - 1 / lanes) * longest (Graham 1966).
    """
    free = [(0.0, lane) for lane in range(lanes)]
    bars: list[Bar] = []
    for duration in durations:
        begin, lane = free[0]
        heapq.heapreplace(free, (begin + duration, lane))
        bars.append((lane, begin, begin + duration))
    return bars


def elapsed(bars: Iterable[Bar]) -> float:
    """When the last run ends."""
    return max(end for _, _, end in bars)
