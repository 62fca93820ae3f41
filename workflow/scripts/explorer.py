"""Write the explorer of a study: one page that opens by a double click."""

import argparse
import sys
from pathlib import Path

from styletransfer.errors import command
from styletransfer.files import yaml_reader
from styletransfer.reports import explorer
from styletransfer.results import tables


@command
def main() -> None:
    """Read the tables, gather, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help="the table of runs, .parquet")
    parser.add_argument("--losses", type=Path, required=True, help="the table of losses, .parquet")
    parser.add_argument("--pool", type=Path, required=True, help="the folder of all runs")
    parser.add_argument("--options", required=True, help="what explorer.write() takes as options, JSON")
    parser.add_argument(
        "--max-bytes", type=int, default=explorer.MAX_BYTES, help="beyond it pictures lie beside the page"
    )
    parser.add_argument("--output", type=Path, required=True, help="the folder to write index.html to")
    options = parser.parse_args()
    explorer.write(
        options.output,
        tables.read_runs(options.runs),
        tables.read_losses(options.losses),
        options.pool,
        yaml_reader.parse_json(options.options, "--options"),
        options.max_bytes,
    )


if __name__ == "__main__":
    sys.exit(main())
