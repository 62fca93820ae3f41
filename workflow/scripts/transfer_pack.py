"""Several transfers, one after another in one process on one device: what a cluster job is worth its start for."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from neural_style import add_machine_options, worker_of
from styletransfer.errors import InputError, command, fast_exit
from styletransfer.files import yaml_reader
from styletransfer.runs.layout import Inputs, Outputs, Run
from styletransfer.runs.transfer import LOG_FORMAT, LOG_TIME
from styletransfer.settings import from_canonical


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    command_line = argparse.ArgumentParser(description=__doc__)
    command_line.add_argument(
        "--runs",
        required=True,
        help="JSON: a list of runs, each with its settings, content, styles, initial (or null) and folder of results",
    )
    command_line.add_argument("--common", default="{}", help="JSON: what all of them have, settings too, said once")
    command_line.add_argument("--pool", type=Path, help="the folder of all runs, in place of a folder for each")
    command_line.add_argument("--network", type=Path, required=True, help="VGG-19 weights")
    add_machine_options(command_line)
    return command_line


def runs_of(text: str, common: str, network: Path, pool: Path | None = None) -> list[Run]:
    """The runs that --runs and --common list. Raises `InputError` if they cannot be read."""
    try:
        shared = yaml_reader.parse_json(common, "--common")
        entries = yaml_reader.parse_json(text, "--runs")
        return [_run(shared | entry, shared.get("settings", {}), network, pool) for entry in entries]
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"--runs is no list of runs ({type(error).__name__}: {error}); see --help") from error


def _run(entry: dict[str, Any], common: dict[str, Any], network: Path, pool: Path | None) -> Run:
    settings = from_canonical(common | entry["settings"])
    initial = None if entry["initial"] is None else Path(entry["initial"])
    inputs = Inputs(Path(entry["content"]), [Path(style) for style in entry["styles"]], network, initial)
    folder = Path(entry["folder"]) if pool is None else pool / settings.run_id
    return Run(settings, inputs, Outputs.in_folder(folder))


@command
def main() -> int:
    """Compute them all; exit code 1 if any failed."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, datefmt=LOG_TIME)
    options = parser().parse_args()
    runs = runs_of(options.runs, options.common, options.network, options.pool)
    with worker_of(options) as worker:
        failed = worker.transfer_all(runs)
    logging.info("%d of %d runs finished", len(runs) - failed, len(runs))
    return 1 if failed else 0


if __name__ == "__main__":
    fast_exit(main())
