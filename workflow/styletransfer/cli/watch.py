"""A study at work, on the terminal."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from styletransfer.cli import add_command
from styletransfer.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from styletransfer.reports.monitor import Monitor, Snapshot

# Where nobody sees the width of the screen.
PLAIN_WIDTH = 140


def add_commands(commands: Any) -> None:
    """The subcommand `watch`."""
    text = "show a study at work: what is done, what runs, and how long the rest takes"
    more = (
        "It reads files only, so it may begin and end at any time beside a running snakemake; runs on other hosts that "
        "share the folder count as well."
    )
    watching = add_command(commands, "watch", text, run, more)
    watching.add_argument("study", help="its name, or its folder, results/studies/<study>")
    watching.add_argument("--pool", type=Path, default=Path("results/runs"), help="the folder of all runs")
    watching.add_argument("--interval", type=float, default=2.0, help="seconds between looks (default: %(default)s)")
    watching.add_argument("--once", action="store_true", help="look once, print and end")


def run(options: argparse.Namespace) -> None:
    """Look and show, until every run has a result; or once."""
    from rich.console import Console

    from styletransfer.reports import terminal
    from styletransfer.reports.monitor import Monitor
    from styletransfer.study import plan

    if not options.interval > 0:
        raise InputError(f"--interval is {options.interval:g}: it must be above 0")
    monitor = Monitor(plan.read(plan.find(options.study)), options.pool)
    is_terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if is_terminal else PLAIN_WIDTH)
    if options.once:
        console.print(terminal.view(monitor.snapshot(), monitor, bars=is_terminal))
    else:
        (on_terminal if is_terminal else in_log)(monitor, options.interval, console)


def watch(monitor: Monitor, interval: float, show: Callable[[Snapshot], None]) -> None:
    """Show the study until every run has a result."""
    while True:
        snapshot = monitor.snapshot()
        show(snapshot)
        if snapshot.complete and not monitor.follow():
            return
        time.sleep(interval)


def on_terminal(monitor: Monitor, interval: float, console: Console) -> None:
    """Show everything, always in the same place."""
    from rich.live import Live

    from styletransfer.reports import terminal

    with Live(console=console, auto_refresh=False) as screen:
        watch(monitor, interval, lambda now: screen.update(terminal.view(now, monitor), refresh=True))


def in_log(monitor: Monitor, interval: float, console: Console) -> None:
    """Say a line whenever the counts have changed."""
    from styletransfer.reports import dashboard

    shown = ""

    def print_changes(now: Snapshot) -> None:
        nonlocal shown
        counts = dashboard.counts_text(now)
        if counts != shown:
            console.print(f"{counts}. {dashboard.left_text(now)}", soft_wrap=True, markup=False)
        shown = counts

    watch(monitor, interval, print_changes)
