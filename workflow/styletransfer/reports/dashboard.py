"""A study at work in words, and on a terminal."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from styletransfer.analysis import device_usage
from styletransfer.reports.monitor import DeviceUse, Monitor, RunningRun, Snapshot, TimeLeft
from styletransfer.text import duration, number_text

# What fits on a screen.
MOST_STOPPED = 8


def counts_text(snapshot: Snapshot) -> str:
    """How many runs are where, in words."""
    counts = snapshot.counts
    parts = [f"{snapshot.done} of {snapshot.total} done"]
    parts += [f"{counts['diverged']} of them diverged"] if counts.get("diverged") else []
    parts += [f"{len(snapshot.at_work)} running", f"{counts.get('waiting', 0)} waiting"]
    parts += [f"{len(snapshot.stopped)} stopped without a result"] if snapshot.stopped else []
    return ", ".join(parts)


def left_text(snapshot: Snapshot) -> str:
    """When it will be done, in words."""
    if snapshot.complete:
        return "Every run has a result."
    if snapshot.left is None:
        return "No run has come far enough to tell how long it takes." if snapshot.at_work else "Nothing is running."
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


def terminal(snapshot: Snapshot, monitor: Monitor, bars: bool = True) -> RenderableType:
    """Everything on a terminal. bars: draw progress; without, what is written is plain text."""
    head = Text.assemble((snapshot.study, "bold"), f": {counts_text(snapshot)}")
    parts: list[RenderableType] = [head]
    if bars:
        parts.append(ProgressBar(total=max(1, snapshot.total), completed=snapshot.done))
    parts.append(Text(left_text(snapshot)))
    if snapshot.devices:
        columns = {"device": "left", "done": "right", "running": "right", "a run takes": "right"}
        parts.append(_table(columns, [use_row(use) for use in snapshot.devices]))
    if snapshot.at_work:
        columns = {"running": "left", "on": "left", "": "right", "losses": "left", " ": "left"}
        parts.append(_table(columns, [_run_row(run) for run in snapshot.at_work]))
    if snapshot.stopped:
        parts.append(Padding(_stopped(snapshot, monitor), (1, 0, 0, 0)))
    return Group(*parts)


def use_row(use: DeviceUse) -> tuple[str, ...]:
    """A device: its name, how many runs it has done, how many are at work on it, and how long one takes."""
    seconds = "" if use.seconds is None else duration(use.seconds)
    return use.name, str(use.done), str(use.at_work), seconds


def _run_row(run: RunningRun) -> tuple[str, ...]:
    return run.label, device_usage.short(run.device), f"{share(run):.0%}", losses_text(run), state_text(run)


def _table(columns: Mapping[str, Any], rows: Sequence[tuple[str, ...]]) -> Padding:
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="dim")
    for name, justify in columns.items():
        table.add_column(name, justify=justify)
    for row in rows:
        # A user's word in brackets is no markup.
        table.add_row(*map(Text, row))
    return Padding(table, (1, 0, 0, 0), expand=False)


def _stopped(snapshot: Snapshot, monitor: Monitor) -> Text:
    text = Text()
    text.append("stopped without a result\n", style="bold")
    for run_id, one in list(snapshot.stopped.items())[:MOST_STOPPED]:
        text.append(f"{one.name.replace('_', ' ')}", style="red")
        text.append(f"  {snapshot.labels[run_id]}: {one.reason}\n    {monitor.log(run_id)}\n")
    if len(snapshot.stopped) > MOST_STOPPED:
        text.append(f"and {len(snapshot.stopped) - MOST_STOPPED} more")
    text.rstrip()
    return text
