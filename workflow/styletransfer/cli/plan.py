"""What a study would run, and how its runs stand."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from styletransfer.cli import add_command
from styletransfer.devices import host
from styletransfer.errors import InputError
from styletransfer.files import yaml_reader
from styletransfer.runs.layout import RUN_FILES, state_file
from styletransfer.study import plan, rungs

# What there is to look at in the end, in the folder of the study.
PAGES = (
    ("contact sheet", "figures/contact_sheet.png"),
    ("verdict", "verdict/index.html"),
    ("explorer", "explorer/index.html"),
)


def add_commands(commands: Any) -> None:
    """The subcommands `plan` and `status`."""
    planning = add_command(
        commands, "plan", "print what a study would run, and how long that takes", print_plan, "Nothing is run."
    )
    source = planning.add_mutually_exclusive_group()
    source.add_argument(
        "--configfile",
        type=Path,
        default=Path("config/config.yaml"),
        help="the study's config; unlike Snakemake, nothing in it is executed (default: %(default)s)",
    )
    source.add_argument("--plan", type=Path, help="a plan that was made, results/studies/<study>/plan-*.json")
    planning.add_argument(
        "--at-once",
        type=int,
        help="how many jobs at once, on GPUs what Snakemake's --resources gpu= will say; "
        "default: as profiles/default has it, on the CPU one for each `threads` cores",
    )
    status = add_command(
        commands, "status", "print how the runs of a study stand, and where its results are", print_status
    )
    status.add_argument(
        "--plan", type=Path, required=True, help="the study's plan, results/studies/<study>/plan-*.json"
    )
    planning.add_argument("--pool", type=Path, help="the folder of all runs; default: as the config says")
    status.add_argument("--pool", type=Path, default=Path("results/runs"), help="the folder of all runs")


def print_plan(options: argparse.Namespace) -> None:
    """Count the rows of a config or a plan, and estimate."""
    from styletransfer.results.estimates import Estimates
    from styletransfer.results.overview import estimates_of, summary
    from styletransfer.results.plan import check_pictures, check_sizes
    from styletransfer.study import config
    from styletransfer.study.expand import expand

    machine: dict[str, Any] = {"threads": 1, "device": "auto", "backend": "auto", "runs_per_job": 1}
    results = Path("results")
    if options.plan is None:
        machine = found = config.read(options.configfile)
        results = Path(found["pathvars"]["results"])
        folder = results / "studies" / found["study"]
        study = expand(found, lambda: plan.newest(folder))
        check_sizes(study)
        check_pictures(study)
    else:
        study = plan.read(options.plan)
    pool = options.pool or results / "runs"
    kind = host.guess(machine["device"])
    estimates = estimates_of(rungs.every(study), pool, kind, machine["backend"], machine["threads"])
    at_once = options.at_once or (gpu_tokens() if kind == "gpu" else host.cores() // machine["threads"])
    size = machine["runs_per_job"]
    if not isinstance(size, int):  # by the table, as Snakemake decides: so it is the same whatever has been computed
        first = rungs.at(study, found["rungs"][0]) if found["rungs"] else study
        size = Estimates(first, kind, machine["backend"], machine["threads"]).runs_per_job(max(1, at_once))
    print(summary(study, pool, estimates, at_once, size, machine["device"]))


def gpu_tokens(profile: Path = Path("profiles/default/config.yaml")) -> int:
    """How many jobs Snakemake lets have a GPU at once, by the profile that it takes unasked; 1 where that says nothing.

    profile: its `resources` are a mapping, or words such as `gpu=4`.
    """
    try:
        found = yaml_reader.read(profile).get("resources") or {}
        pairs = found.items() if isinstance(found, dict) else (str(word).partition("=")[::2] for word in found)
        return max(1, int(dict(pairs).get("gpu", 1)))
    except (OSError, ValueError, TypeError, InputError):
        return 1


def _from(left: Sequence[str], pool: Path) -> str:
    """From which steps runs go on that were stopped on their way."""
    from styletransfer.runs import checkpoint

    files = (state_file(pool / run_id / RUN_FILES["record"]) for run_id in left)
    steps = sorted(step for file in files if (step := checkpoint.iteration_of(file)))
    if not steps:
        return ""
    which = f"step {steps[0]}" if steps[0] == steps[-1] else f"steps {steps[0]} to {steps[-1]}"
    return f", {len(steps)} of them from {which}"


def print_status(options: argparse.Namespace) -> None:
    """Count the runs by status, with reasons; name what has changed since the plan, and the results."""
    from styletransfer.results.plan import statuses
    from styletransfer.runs import status

    study = plan.read(options.plan)
    found = statuses(study, options.pool)
    print(status.summary(found, options.pool))
    if left := [run_id for run_id, one in found.items() if not one.finished]:
        again = "the same snakemake command goes on with them"
        print(f"{len(left)} of {len(found)} runs are left: {again}{_from(left, options.pool)}")
    for line in study.changed():
        print(f"{line}: {plan.AGAIN}")
    folder = options.plan.parent
    # Files of an earlier version of the study would be taken for its result.
    if left or not all((folder / name).exists() for name in ("runs.parquet", "manifest.json")):
        return
    for name, path in PAGES:
        if (folder / path).exists():
            print(f"{name}: {folder / path}")
