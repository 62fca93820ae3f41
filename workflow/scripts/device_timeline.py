"""Draw which device was busy with which run of a study."""

import argparse
import sys
from pathlib import Path

from styletransfer.errors import command
from styletransfer.reports.figures.device_usage import device_timeline
from styletransfer.reports.figures.style import save
from styletransfer.results import tables


@command
def main() -> None:
    """Read the table, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help="the table of runs, .parquet")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="files to write, .png or .pdf")
    options = parser.parse_args()
    save(device_timeline(tables.read_runs(options.runs)), options.output)


if __name__ == "__main__":
    sys.exit(main())
