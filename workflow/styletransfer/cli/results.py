"""Results of a study: its tables, its manifest, whether its files are unchanged, and the archive of it."""

from __future__ import annotations

import argparse
import json
import os
import shlex
from pathlib import Path
from typing import Any

from styletransfer.cli import add_command
from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.study import plan

ROOT = Path(__file__).resolve().parents[3]


def add_commands(commands: Any) -> None:
    """The subcommands `measure`, `decide`, `collect`, `response`, `manifest`, `verify` and `crate`."""
    measuring = add_command(commands, "measure", "measure how much style and content finished runs have", measure)
    measuring.add_argument("--output", type=Path, required=True, help="the table to write, .csv")

    more = "Finished runs that were not measured are measured first."
    deciding = add_command(commands, "decide", "decide which runs of a study go on to its next rung", decide, more)
    deciding.add_argument("--iterations", type=int, required=True, help="those of the next rung")
    deciding.add_argument("--output", type=Path, required=True, help="the plan of the study there to write, .json")
    deciding.add_argument("--table", type=Path, required=True, help="what was decided, and by what, to write, .csv")
    for command in (measuring, deciding):
        command.add_argument("--threads", type=int, help="of the CPU; default: all cores")

    collecting = add_command(commands, "collect", "gather the runs of a study into tables", collect)
    collecting.add_argument("--runs", type=Path, required=True, help="the table of runs to write, .parquet")
    collecting.add_argument("--runs-csv", type=Path, required=True, help="the same as .csv")
    collecting.add_argument("--losses", type=Path, required=True, help="the table of losses to write, .parquet")
    collecting.add_argument("--partial", action="store_true", help="runs may lack results: the table says why")

    modelling = add_command(commands, "response", "model what parameters do to what is measured", model)
    modelling.add_argument("--runs", type=Path, required=True, help="the table of runs, .parquet")
    modelling.add_argument("--output", type=Path, required=True, help="what was found, .json")

    describing = add_command(commands, "manifest", "write the manifest of a study that is complete", write_manifest)
    describing.add_argument("--tables", nargs="+", required=True, help="the study's tables")
    describing.add_argument("--figures", nargs="+", required=True, help="its figures and pages; a folder for all in it")
    describing.add_argument("--output", type=Path, required=True, help="the manifest to write, .json")
    for command in (measuring, deciding, collecting, describing):
        command.add_argument("--plan", type=Path, required=True, help="the study's plan")
        command.add_argument("--pool", type=Path, default=Path("results/runs"), help="the folder of all runs")

    more = "The exit code is 1 if anything differs and is not removed."
    verifying = add_command(commands, "verify", "check every file of a study against its manifest", verify, more)
    verifying.add_argument("manifest", type=Path, help="results/studies/<study>, or the manifest.json in it")
    verifying.add_argument("--configfile", type=Path, help="compare the study's config as it is now as well")
    verifying.add_argument("--remove", action="store_true", help="remove what differs: the workflow recreates it")

    packing = add_command(commands, "crate", "pack a study into an RO-Crate, a .zip that archives take", pack)
    packing.add_argument("--manifest", type=Path, required=True, help="results/studies/<study>/manifest.json")
    packing.add_argument("--output", type=Path, required=True, help="the crate to write, .zip")
    packing.add_argument(
        "--author",
        nargs=3,
        metavar=("NAME", "ORGANIZATION", "URL"),
        help="who ran the study, and the page of their organization; without it the crate does not say",
    )


def measure(options: argparse.Namespace) -> None:
    """Measure what has not been measured; write what is known of all runs of the plan."""
    from styletransfer.results import readings

    study = plan.read(options.plan)
    _measure(study, options)
    with atomic.atomic_path(options.output) as temporary:
        readings.table(study, options.pool).to_csv(temporary, index=False)


def _measure(study: plan.Study, options: argparse.Namespace) -> None:
    """Measure what has not been measured, on the CPU."""
    from styletransfer.devices import tf_setup
    from styletransfer.results import readings
    from styletransfer.vgg import formats

    def load_network() -> Any:
        tf_setup.load_tensorflow(options.threads)
        from styletransfer.vgg.network import VGG19

        return VGG19(formats.load(study.weights.file))

    images = readings.unmeasured(study, options.pool)
    count = readings.measure(study, options.pool, images, load_network)
    print(f"{count} runs measured, {len(images) - count} left out since their pictures or weights are gone")


def decide(options: argparse.Namespace) -> None:
    """Measure the runs of the plan, write the plan of the next rung, and what it goes by."""
    from styletransfer.results import rungs

    study = plan.read(options.plan)
    if options.iterations not in study.config.get("rungs", [])[1:]:
        raise InputError(f"--iterations is {options.iterations}: the study {study.name} has no such rung after others")
    _measure(study, options)
    following, table = rungs.decide(study, options.pool, options.iterations)
    with atomic.atomic_path(options.table) as temporary:
        table.to_csv(temporary, index=False)
    following.write(options.output)
    print(f"{table['goes_on'].sum()} of {len(table)} runs go on to {options.iterations} steps: {options.table}")


def collect(options: argparse.Namespace) -> None:
    """Read the runs of the plan, write the tables."""
    from styletransfer.results import tables
    from styletransfer.results.plan import statuses as statuses_of
    from styletransfer.runs import status

    study = plan.read(options.plan)
    statuses = statuses_of(study, options.pool) if options.partial else None
    runs = tables.runs_table(study, options.pool, statuses)
    losses = tables.losses_table(study, options.pool, statuses)
    for table, path in ((runs, options.runs), (losses, options.losses)):
        tables.write(path, table)
    with atomic.atomic_path(options.runs_csv) as temporary:
        runs.to_csv(temporary, index=False)
    # Plans of earlier versions of the study.
    for outdated in plan.outdated(options.plan):
        outdated.unlink()
    if statuses is not None:
        print(status.summary(statuses, options.pool))
    for line in study.changed():
        print(f"{line}: the tables are of the file as it was")


def model(options: argparse.Namespace) -> None:
    """Read the table of runs, model each measure, write what was found; print it in words."""
    from styletransfer.analysis import response
    from styletransfer.results import responses, tables

    runs = tables.read_runs(options.runs)
    found = response.responses(runs)
    responses.write(options.output, str(runs["study"].iloc[0]), found)
    for of_measure in found:
        print(f"{responses.TITLES[of_measure.measure]}:", *responses.sentences(of_measure), sep="\n  ")


def write_manifest(options: argparse.Namespace) -> None:
    """Look at all files of the study, write."""
    from styletransfer.results import manifest

    study = plan.read(options.plan)
    inputs = [found.file for found in study.pictures.values() if Path(found.file).exists()]
    tables = [*options.tables, str(options.plan)]
    sources = manifest.Sources(tables, options.figures, inputs, study.weights.file)
    described = manifest.describe(study, options.pool, sources, options.output.parent)
    atomic.write_text(options.output, json.dumps(described, indent=1) + "\n")


def verify(options: argparse.Namespace) -> int:
    """A line for each difference, then one in sum."""
    from styletransfer.results import manifest
    from styletransfer.study import config as study_config

    config = study_config.read(options.configfile) if options.configfile else None
    path = options.manifest / "manifest.json" if options.manifest.is_dir() else options.manifest
    found = manifest.differences(path, config and study_config.definition(config))
    for difference in found.differences:
        print(difference)
    for name in found.absent:
        print(f"not here, not checked: {name}")
    if found.note:
        print(found.note)
    print(f"{path}: {found.files} files checked, {len(found.differences)} differ")
    again = "the same snakemake command makes them again"
    if options.remove:
        removed = manifest.remove(found.corrupt_files)
        for path in removed:
            print(f"removed: {os.path.relpath(path)}")
        if removed:
            print(f"now {again}")
        return 0
    if found.corrupt_files:
        command = shlex.join(["styletransfer", "verify", str(options.manifest), "--remove"])
        print(f"{command} removes the files that differ; then {again}")
    return 1 if found.differences else 0


def pack(options: argparse.Namespace) -> None:
    """Check the study against its manifest, and pack it."""
    from styletransfer.results import ro_crate

    author = ro_crate.Author(*options.author) if options.author else None
    ro_crate.write(options.output, options.manifest, ROOT, author)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB")
