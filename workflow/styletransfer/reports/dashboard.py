"""A study at work, for people to look at: on a terminal, and as a page that reloads itself."""

from __future__ import annotations

import datetime
import functools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from styletransfer.analysis import device_usage
from styletransfer.files import atomic
from styletransfer.reports import html
from styletransfer.reports.monitor import DeviceUse, Monitor, RunningRun, Snapshot, TimeLeft
from styletransfer.text import duration

TEMPLATES = Path(__file__).parent / "templates" / "live"
# What fits on a screen.
MOST_STOPPED, MOST_PICTURES = 8, 12
THUMBNAIL_WIDTH = 280
# The plot of a run's losses on the page.
PLOT_WIDTH, PLOT_HEIGHT, PLOT_POINTS = 120, 28, 60


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
    if not run.reports:
        return "begins"
    left = run.reports[-1].seconds_left
    return "" if left is None else f"{duration(left)} left"


def losses_text(run: RunningRun) -> str:
    """Its newest losses."""
    return "  ".join(f"{name} {value:.4g}" for name, value in (run.reports[-1].losses if run.reports else {}).items())


def share(run: RunningRun) -> float:
    """How much of its steps a run has taken, 0 to 1."""
    return run.reports[-1].iteration / run.reports[-1].iterations if run.reports else 0.0


def terminal(snapshot: Snapshot, monitor: Monitor, bars: bool = True) -> RenderableType:
    """Everything on a terminal. bars: draw progress; without, what is written is plain text."""
    head = Text.assemble((snapshot.study, "bold"), f": {counts_text(snapshot)}")
    parts: list[RenderableType] = [head]
    if bars:
        parts.append(ProgressBar(total=max(1, snapshot.total), completed=snapshot.done))
    parts.append(Text(left_text(snapshot)))
    if snapshot.devices:
        columns = {"device": "left", "done": "right", "running": "right", "a run takes": "right"}
        parts.append(_table(columns, [_use_row(use) for use in snapshot.devices]))
    if snapshot.at_work:
        columns = {"running": "left", "on": "left", "": "right", "losses": "left", " ": "left"}
        parts.append(_table(columns, [_run_row(run) for run in snapshot.at_work]))
    if snapshot.stopped:
        parts.append(Padding(_stopped(snapshot, monitor), (1, 0, 0, 0)))
    return Group(*parts)


def _use_row(use: DeviceUse) -> tuple[str, ...]:
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


class Page:
    """The page of a study at work: one file that needs no other and reloads itself."""

    def __init__(self, path: Path, monitor: Monitor, refresh_seconds: float) -> None:
        self._path, self._monitor, self._refresh = path, monitor, refresh_seconds
        # A picture of a finished run does not change.
        self._thumbnail: Callable[[Path], str] = functools.lru_cache(4 * MOST_PICTURES)(
            functools.partial(html.embedded, width=THUMBNAIL_WIDTH)
        )

    def write(self, snapshot: Snapshot, ended: bool = False) -> None:
        """Write it, atomically. ended: nothing will write it any more."""
        atomic.write_text(self._path, self._render(snapshot, ended or snapshot.complete))

    def _render(self, snapshot: Snapshot, ended: bool) -> str:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
        )
        script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
        return environment.get_template("page.html").render(
            snapshot=snapshot,
            counts=counts_text(snapshot),
            left=left_text(snapshot),
            written=f"{datetime.datetime.fromtimestamp(snapshot.time):%H:%M:%S}",
            refresh=math.ceil(self._refresh),
            ended=ended,
            devices=[_use_row(use) for use in snapshot.devices],
            runs=[self._run(run) for run in snapshot.at_work],
            stopped=[
                (one.name.replace("_", " "), snapshot.labels[run_id], one.reason, self._log(run_id))
                for run_id, one in list(snapshot.stopped.items())[:MOST_STOPPED]
            ],
            more_stopped=max(0, len(snapshot.stopped) - MOST_STOPPED),
            pictures=list(self._pictures(snapshot)),
            explorer=(self._path.parent / "explorer" / "index.html").exists(),
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
            script=Markup(script),
            script_hash=html.script_hash(script),
        )

    def _run(self, run: RunningRun) -> dict[str, Any]:
        last = run.reports[-1] if run.reports else None
        return {
            "label": run.label,
            "device": device_usage.short(run.device),
            "steps": f"{last.iteration:,} of {last.iterations:,} steps" if last else "",
            "percent": round(100 * share(run)),
            "losses": {name: f"{value:.4g}" for name, value in (last.losses if last else {}).items()},
            "state": state_text(run),
            "silent": run.silent is not None,
            "plot": plot([report.losses.get("total", math.nan) for report in run.reports]),
            "log": self._log(run.run_id),
        }

    def _pictures(self, snapshot: Snapshot) -> Any:
        for run_id in snapshot.newest[:MOST_PICTURES]:
            path = self._monitor.picture(run_id)
            try:
                yield snapshot.labels[run_id], self._thumbnail(path), self._link(path), run_id in snapshot.diverged
            except OSError:  # it is being computed again
                continue

    def _log(self, run_id: str) -> str:
        """A link to the log of a run; empty if there is none."""
        log = self._monitor.log(run_id)
        return self._link(log) if log.exists() else ""

    def _link(self, path: Path) -> str:
        return quote(os.path.relpath(path, self._path.parent))


def plot(values: Sequence[float]) -> str:
    """Points of an SVG line, `x,y x,y`: at most `PLOT_POINTS` values on a log axis; empty for less than two."""
    logs = [math.log10(value) for value in values if math.isfinite(value) and value > 0]
    count = min(len(logs), PLOT_POINTS)
    if count < 2:
        return ""
    logs = [logs[round(place * (len(logs) - 1) / (count - 1))] for place in range(count)]
    low, height = min(logs), max(logs) - min(logs) or 1.0
    return " ".join(
        f"{place / (count - 1) * PLOT_WIDTH:.1f},{2 + (1 - (value - low) / height) * (PLOT_HEIGHT - 4):.1f}"
        for place, value in enumerate(logs)
    )
