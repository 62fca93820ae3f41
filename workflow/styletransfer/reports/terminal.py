"""A study at work, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from styletransfer.analysis import device_usage
from styletransfer.reports import dashboard
from styletransfer.reports.monitor import Monitor, RunningRun, Snapshot


def view(snapshot: Snapshot, monitor: Monitor, bars: bool = True) -> RenderableType:
    """Everything on a terminal. bars: draw progress; without, what is written is plain text."""
    head = Text.assemble((snapshot.study, "bold"), f": {dashboard.counts_text(snapshot)}")
    parts: list[RenderableType] = [head]
    if bars:
        parts.append(ProgressBar(total=max(1, snapshot.total), completed=snapshot.done))
    parts.append(Text(dashboard.left_text(snapshot)))
    if snapshot.devices:
        columns = {"device": "left", "done": "right", "running": "right", "a run takes": "right"}
        parts.append(_table(columns, [dashboard.use_row(use) for use in snapshot.devices]))
    if snapshot.at_work:
        columns = {"running": "left", "on": "left", "": "right", "losses": "left", " ": "left"}
        parts.append(_table(columns, [_run_row(run) for run in snapshot.at_work]))
    if snapshot.stopped:
        parts.append(Padding(_stopped(snapshot, monitor), (1, 0, 0, 0)))
    return Group(*parts)


def _run_row(run: RunningRun) -> tuple[str, ...]:
    return (
        run.label,
        device_usage.short(run.device),
        f"{dashboard.share(run):.0%}",
        dashboard.losses_text(run),
        dashboard.state_text(run),
    )


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
    for run_id, one in list(snapshot.stopped.items())[: dashboard.MOST_STOPPED]:
        text.append(f"{one.name.replace('_', ' ')}", style="red")
        text.append(f"  {snapshot.labels[run_id]}: {one.reason}\n    {monitor.log(run_id)}\n")
    if len(snapshot.stopped) > dashboard.MOST_STOPPED:
        text.append(f"and {len(snapshot.stopped) - dashboard.MOST_STOPPED} more")
    text.rstrip()
    return text
