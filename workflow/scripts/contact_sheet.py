"""Draw the contact sheet of a study."""

import argparse
import sys
from pathlib import Path

from styletransfer.errors import command
from styletransfer.files import yaml_reader
from styletransfer.reports.figures.contact_sheet import contact_sheet
from styletransfer.reports.figures.style import save
from styletransfer.results import tables


@command
def main() -> None:
    """Read the table, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help="the table of runs, .parquet")
    parser.add_argument("--pool", type=Path, required=True, help="the folder of all runs")
    parser.add_argument("--pictures", required=True, help="the input pictures by name, JSON")
    parser.add_argument("--options", required=True, help="columns, limits, grid and preserve_colors, JSON")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="files to write, .png or .pdf")
    options = parser.parse_args()
    wanted = yaml_reader.parse_json(options.options, "--options")
    figure = contact_sheet(
        tables.read_runs(options.runs),
        options.pool,
        yaml_reader.parse_json(options.pictures, "--pictures"),
        wanted["columns"],
        wanted["limits"],
        wanted["preserve_colors"],
        wanted["grid"],
    )
    save(figure, options.output)


if __name__ == "__main__":
    sys.exit(main())
