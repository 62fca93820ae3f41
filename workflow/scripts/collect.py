"""Gather the runs of a study into tables."""

import argparse
import json
import sys
from pathlib import Path

from styletransfer import files, study, tables
from styletransfer.errors import command


@command
def main() -> None:
    """Expand the study, read its runs, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", required=True, help="the study's definition, JSON")
    parser.add_argument("--pool", type=Path, required=True, help="the folder of all runs")
    parser.add_argument("--runs", type=Path, required=True, help="the table of runs, .parquet")
    parser.add_argument("--runs-csv", type=Path, required=True, help="the same as .csv")
    parser.add_argument("--losses", type=Path, required=True, help="the table of losses, .parquet")
    parser.add_argument("--definition", type=Path, required=True, help="the definition, study-<digest>.json")
    options = parser.parse_args()
    expanded = study.expand(json.loads(options.study))
    runs = tables.runs_table(expanded, options.pool)
    losses = tables.losses_table(expanded, options.pool)
    for table, path in ((runs, options.runs), (losses, options.losses)):
        tables.write(path, table)
    with files.atomic_path(options.runs_csv) as temporary:
        runs.to_csv(temporary, index=False)
    for outdated in options.definition.parent.glob("study-*.json"):
        outdated.unlink()
    files.write_text(options.definition, options.study + "\n")


if __name__ == "__main__":
    sys.exit(main())
