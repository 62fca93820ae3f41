"""Several transfers, one after another in one process on one device: what a cluster job is worth its start for."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

from neural_style import add_machine_options, worker_of
from styletransfer import documents
from styletransfer.errors import InputError, command
from styletransfer.run import Inputs, Outputs, Run
from styletransfer.settings import from_canonical
from styletransfer.transfer import LOG_FORMAT, LOG_TIME


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    command_line = argparse.ArgumentParser(description=__doc__)
    command_line.add_argument(
        "--runs",
        required=True,
        help="JSON: a list of runs, each with its settings, content, styles, initial (or null) and folder of results",
    )
    command_line.add_argument("--network", type=Path, required=True, help="VGG-19 weights")
    add_machine_options(command_line)
    return command_line


def runs_of(text: str, network: Path) -> list[Run]:
    """The runs that --runs lists. Raises `InputError` if it cannot be read."""
    try:
        return [_run(entry, network) for entry in documents.parse_json(text, "--runs")]
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"--runs is no list of runs ({type(error).__name__}: {error}); see --help") from error


def _run(entry: dict[str, Any], network: Path) -> Run:
    initial = None if entry["initial"] is None else Path(entry["initial"])
    inputs = Inputs(Path(entry["content"]), [Path(style) for style in entry["styles"]], network, initial)
    return Run(from_canonical(entry["settings"]), inputs, Outputs.in_folder(Path(entry["folder"])))


@command
def main() -> int:
    """Compute them all; exit code 1 if any failed."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, datefmt=LOG_TIME)
    options = parser().parse_args()
    runs = runs_of(options.runs, options.network)
    with worker_of(options) as worker:
        failed = worker.transfer_all(runs)
    logging.info("%d of %d runs finished", len(runs) - failed, len(runs))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
