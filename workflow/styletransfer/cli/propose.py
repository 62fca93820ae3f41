"""What to run next."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path
from typing import Any

from styletransfer.cli import add_command
from styletransfer.cli.transfer import check_at_least_one
from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.study import plan

# Of the schema.
COUNT = 10
MORE = (
    "By what was measured of the finished runs: settings that are expected to have more of style and content together "
    "than any so far. Or by preferences: settings that are expected to be liked better. The config that is written "
    "runs them beside the finished ones, which are kept. Nothing is run."
)


def add_commands(commands: Any) -> None:
    """The subcommand `propose`."""
    proposing = add_command(commands, "propose", "propose what to run next, as a config", propose, MORE)
    proposing.add_argument("study", help="its name, its folder, or its plan")
    proposing.add_argument("--number", type=int, default=COUNT, help="how many settings (default: %(default)s)")
    proposing.add_argument(
        "--preferences", type=Path, nargs="+", metavar="FILE", help="choices between pictures, saved in the explorer"
    )
    proposing.add_argument("--output", type=Path, help="the config (default: next.yaml in the study's folder)")
    proposing.add_argument(
        "--machine", type=json.loads, default={}, metavar="JSON", help="keys of the config that are not in the plan"
    )
    proposing.add_argument("--pool", type=Path, default=Path("results/runs"), help="the folder of all runs")


def propose(options: argparse.Namespace) -> None:
    """Read the runs, ask the model, write the config and what to do with it."""
    from styletransfer.results import choices, proposal, tables
    from styletransfer.results.plan import statuses

    check_at_least_one(options, "number")
    path = Path(options.study)
    path = path if path.is_file() else plan.find(path)
    study = plan.read(path)
    runs = tables.completed(tables.runs_table(study, options.pool, statuses(study, options.pool)))
    if runs.empty:
        raise InputError(f"{study.name} has no finished run: run it first")
    chosen = choices.read(options.preferences) if options.preferences else None
    found = proposal.proposals(study, runs, chosen, options.number, options.pool)
    basis = "by preferences" if options.preferences else "by what was measured of its pictures"
    output = options.output or path.parent / "next.yaml"
    atomic.write_text(output, proposal.config_text(study, found, list(runs["run_id"]), options.machine, basis))
    for one in found:
        print(f"{', '.join(f'{name} {value}' for name, value in one.changes.items())}: {one.expected}")
    print(f"{len(found)} new settings, {basis}: {shlex.join(['snakemake', '--configfile', str(output)])}")
