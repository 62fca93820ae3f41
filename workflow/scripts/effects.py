"""Draw what the parameters of a study do to its losses."""

import argparse
import sys
from pathlib import Path

from styletransfer.errors import command
from styletransfer.reports.figures import effects
from styletransfer.reports.figures.style import save
from styletransfer.results import tables

FIGURES = {"pareto": effects.pareto, "parameter_effects": effects.parameter_effects}


@command
def main() -> None:
    """Read the table, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", choices=FIGURES, required=True, help="what to draw")
    parser.add_argument("--runs", type=Path, required=True, help="the table of runs, .parquet")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="files to write, .png or .pdf")
    options = parser.parse_args()
    save(FIGURES[options.figure](tables.read_runs(options.runs)), options.output)


if __name__ == "__main__":
    sys.exit(main())
