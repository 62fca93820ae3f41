"""Watch a study at work: on the terminal, and on a page that reloads itself, `live.html` beside its results.

Say it beside a running `snakemake`, in the same folder and with the same config. It reads files only, so it may begin
and end at any time, and it sees runs on other hosts that share the folder.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.live import Live

from styletransfer.errors import InputError, command
from styletransfer.reports import dashboard
from styletransfer.reports.monitor import Monitor, Snapshot
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand

# Where nobody sees the width of the screen.
PLAIN_WIDTH = 140
# A page that reloads itself more often than that cannot be read.
PAGE_SECONDS = 5.0


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    command_line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_argument("--configfile", type=Path, default=Path("config/config.yaml"), help="that of the study")
    command_line.add_argument("--results", type=Path, default=Path("results"), help="the folder of results")
    command_line.add_argument("--interval", type=float, default=2.0, help="seconds between two looks")
    command_line.add_argument("--once", action="store_true", help="look once, print, write the page and end")
    return command_line


def config_of(path: Path) -> dict[str, Any]:
    """The config in that file, with defaults. Raises `InputError` if it cannot be used."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"--configfile {path} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise InputError(f"--configfile {path} is no config: it holds no keys")
    return load_config(config)


def watch(monitor: Monitor, page: dashboard.Page, interval: float, show: Callable[[Snapshot], None]) -> None:
    """Show the study, and write its page, until every run has a result."""
    snapshot = monitor.snapshot()
    try:
        while True:
            show(snapshot)
            page.write(snapshot)
            if snapshot.complete:
                return
            time.sleep(interval)
            snapshot = monitor.snapshot()
    finally:
        page.write(snapshot, ended=True)


def on_terminal(monitor: Monitor, page: dashboard.Page, interval: float, console: Console) -> None:
    """Show everything, always in the same place."""
    with Live(console=console, auto_refresh=False) as screen:
        watch(monitor, page, interval, lambda now: screen.update(dashboard.terminal(now, monitor), refresh=True))


def in_log(monitor: Monitor, page: dashboard.Page, interval: float, console: Console) -> None:
    """Say a line whenever the counts have changed."""
    shown = ""

    def print_changes(now: Snapshot) -> None:
        nonlocal shown
        counts = dashboard.counts_text(now)
        if counts != shown:
            console.print(f"{counts}. {dashboard.left_text(now)}", soft_wrap=True, markup=False)
        shown = counts

    watch(monitor, page, interval, print_changes)


@command
def main() -> None:
    """Look, show, wait, again."""
    options = parser().parse_args()
    if not options.interval > 0:
        raise InputError(f"--interval is {options.interval:g}: it must be above 0")
    config = config_of(options.configfile)
    monitor = Monitor(expand(config), options.results / "runs", config["preserve_colors"])
    folder = options.results / "studies" / monitor.name
    page = dashboard.Page(folder / "live.html", monitor, max(PAGE_SECONDS, options.interval))
    terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if terminal else PLAIN_WIDTH)
    if not options.once:
        (on_terminal if terminal else in_log)(monitor, page, options.interval, console)
        return
    snapshot = monitor.snapshot()
    console.print(dashboard.terminal(snapshot, monitor, bars=terminal))
    page.write(snapshot, ended=True)


if __name__ == "__main__":
    sys.exit(main())
