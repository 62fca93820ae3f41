"""A study at work, in words."""

from __future__ import annotations

import datetime

from styletransfer.reports.monitor import DeviceUse, RunningRun, Snapshot, TimeLeft
from styletransfer.text import duration, number_text

# What fits on a screen.
MOST_STOPPED = 8


def counts_text(snapshot: Snapshot) -> str:
    """How many runs are where, in words."""
    counts = snapshot.counts
    parts = [f"{snapshot.done} of {snapshot.total} done"]
    parts += [f"{counts['diverged']} of them diverged"] if counts.get("diverged") else []
    parts += [f"{counts['stopped']} of them stopped at a rung"] if counts.get("stopped") else []
    parts += [f"{len(snapshot.at_work)} running", f"{counts.get('waiting', 0)} waiting"]
    parts += [f"{len(snapshot.stopped)} stopped without a result"] if snapshot.stopped else []
    return ", ".join(parts)


def left_text(snapshot: Snapshot) -> str:
    """When it will be done, in words."""
    if snapshot.complete:
        return "Every run has a result."
    if snapshot.left is None:
        if snapshot.at_work:
            return "No run has come far enough to tell how long it takes."
        return "No run is at work" + (": pictures or weights are not made yet." if snapshot.unprepared else ".")
    rest = ", not counting what stopped" if snapshot.stopped else ""
    return f"About {span(snapshot.left)} left{rest}: done at {moments(snapshot.left, snapshot.time)}."


def span(left: TimeLeft) -> str:
    """`3 to 5 minutes`; one number where both ends read alike."""
    low, high = duration(left.low), duration(left.high)
    if low == high:
        return low
    number, unit = low.split(" ", 1)
    return f"{number} to {high}" if high.endswith(f" {unit}") else f"{low} to {high}"


def moments(left: TimeLeft, now: float) -> str:
    """`14:32 to 14:50`, with the day where it is another."""
    today = datetime.datetime.fromtimestamp(now).date()
    texts = []
    for seconds in (left.low, left.high):
        moment = datetime.datetime.fromtimestamp(now + seconds)
        texts.append(f"{moment:%H:%M}" if moment.date() == today else f"{moment:%a %d %b %H:%M}")
    return " to ".join(dict.fromkeys(texts))


def state_text(run: RunningRun) -> str:
    """What a run at work does just now."""
    if not run.device:
        return "waits for a device"
    if run.silent is not None:
        return f"no word for {duration(run.silent)}"
    if run.last is None:
        return "begins"
    left = run.last.seconds_left
    return "" if left is None else f"{duration(left)} left"


def losses_text(run: RunningRun) -> str:
    """Its newest losses."""
    return "  ".join(f"{name} {number_text(value)}" for name, value in (run.last.losses if run.last else {}).items())


def share(run: RunningRun) -> float:
    """How much of its steps a run has taken, 0 to 1."""
    return run.last.iteration / run.last.iterations if run.last else 0.0


def use_row(use: DeviceUse) -> tuple[str, ...]:
    """A device: its name, how many runs it has done, how many are at work on it, and how long one takes."""
    seconds = "" if use.seconds is None else duration(use.seconds)
    return use.name, str(use.done), str(use.at_work), seconds
