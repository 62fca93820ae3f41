"""Studies of more runs than Snakemake plans at once: run part by part, and put together."""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from styletransfer.cli import add_command
from styletransfer.cli.transfer import check_at_least_one
from styletransfer.errors import InputError
from styletransfer.files import atomic, yaml_reader
from styletransfer.study import config, plan
from styletransfer.study.expand import expand

RUNS_PER_PART = 10_000
MORE = (
    "Each part is a study of its own, such as big-3of10, with its tables and pages, and all share results/runs. In the "
    "end the study's own folder has the table of all runs. Called again, it goes on where it was stopped."
)


def add_commands(commands: Any) -> None:
    """The subcommand `parts`."""
    parts = add_command(commands, "parts", "run a study of very many runs part by part", run_parts, MORE)
    parts.add_argument("--configfile", type=Path, required=True, help="the study's config, with max_runs raised")
    parts.add_argument(
        "--runs-per-part", type=int, default=RUNS_PER_PART, metavar="N", help="at most (default: %(default)s)"
    )
    parts.add_argument(
        "arguments", nargs="*", metavar="ARGUMENT", help="for each call of Snakemake, after `--`, such as -- --cores 8"
    )


def run_parts(options: argparse.Namespace) -> int:
    """Write a config for each part, call Snakemake with it, and gather the runs of all; exit code 1 if any failed."""
    from styletransfer.results import tables
    from styletransfer.results.plan import check_pictures, check_sizes

    check_at_least_one(options, "runs_per_part")
    given = yaml_reader.read(options.configfile)
    found = config.load(given)
    if found["rungs"] or found["part"]:
        key = "rungs" if found["rungs"] else "part"
        raise InputError(f"{key} is {found[key]}: remove it, since a study with {key} is not cut into parts")
    results = Path(found["pathvars"]["results"])
    folder = results / "studies" / found["study"]
    study = expand(found, lambda: plan.newest(folder))
    check_sizes(study)
    check_pictures(study)
    study.write(folder / f"plan-{study.digest}.json")
    count = math.ceil(len(study.rows) / options.runs_per_part)
    names = [f"{study.name}-{number}of{count}" for number in range(1, count + 1)]
    failed = []
    for number, name in enumerate(names, start=1):
        file = folder / f"{name}.yaml"
        atomic.write_text(file, yaml.safe_dump({**given, "study": name, "part": [number, count]}, sort_keys=False))
        command = [sys.executable, "-m", "snakemake", "--configfile", str(file), *options.arguments]
        print(f"part {number} of {count}: {name}", file=sys.stderr, flush=True)
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"{len(failed)} of {count} parts are not finished: {', '.join(failed)}. Call again to go on with them")
        return 1
    if not {"-n", "--dry-run", "--dryrun", "--unlock"} & set(options.arguments):
        tables.write(folder / "runs.parquet", tables.runs_table(study, results / "runs"))
        print(f"{len(study.rows):,} rows of {count} parts: {folder / 'runs.parquet'}")
    return 0
