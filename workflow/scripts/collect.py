"""Gather the runs of a study into tables: of all runs, or of those that there are."""

import argparse
import sys
from pathlib import Path

from styletransfer.errors import command
from styletransfer.files import atomic, yaml_reader
from styletransfer.results import tables
from styletransfer.runs import status
from styletransfer.study.expand import expand


@command
def main() -> None:
    """Expand the study, read its runs, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", required=True, help="the study's definition, JSON")
    parser.add_argument("--pool", type=Path, required=True, help="the folder of all runs")
    parser.add_argument("--runs", type=Path, required=True, help="the table of runs, .parquet")
    parser.add_argument("--runs-csv", type=Path, required=True, help="the same as .csv")
    parser.add_argument("--losses", type=Path, required=True, help="the table of losses, .parquet")
    parser.add_argument("--definition", type=Path, help="write the definition here too, study-<digest>.json")
    parser.add_argument("--partial", action="store_true", help="runs may lack results: the table says why")
    parser.add_argument("--preparations", default="{}", help="how pictures and weights come about, JSON")
    options = parser.parse_args()
    expanded = expand(yaml_reader.parse_json(options.study, "--study"))
    input_status = status.input_status(yaml_reader.parse_json(options.preparations, "--preparations"))
    statuses = status.study_status(expanded.runs, options.pool, input_status) if options.partial else None
    runs = tables.runs_table(expanded, options.pool, statuses)
    losses = tables.losses_table(expanded, options.pool, statuses)
    for table, path in ((runs, options.runs), (losses, options.losses)):
        tables.write(path, table)
    with atomic.atomic_path(options.runs_csv) as temporary:
        runs.to_csv(temporary, index=False)
    if options.definition is not None:
        for outdated in options.definition.parent.glob("study-*.json"):
            outdated.unlink()
        atomic.write_text(options.definition, options.study + "\n")
    if statuses is not None:
        print(status.summary(statuses, options.pool))


if __name__ == "__main__":
    sys.exit(main())
