"""Large pictures of chosen runs of studies, for print."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import math
from pathlib import Path
from typing import Any

from styletransfer.cli import add_command
from styletransfer.cli.transfer import add_machine_options, check_at_least_one, log_to_stderr, planned, session_of
from styletransfer.devices import host
from styletransfer.errors import InputError
from styletransfer.images import export
from styletransfer.results import final
from styletransfer.results.estimates import Estimates
from styletransfer.results.final import Final
from styletransfer.results.overview import basis, estimates_of
from styletransfer.runs.layout import Run
from styletransfer.runs.record import find_record
from styletransfer.runs.transfer import transfer_all
from styletransfer.stages import widths
from styletransfer.study import plan
from styletransfer.text import duration

FOLDER = Path("results/finals")
# Of the picture in the folder of its run.
EXACT = "image.npy"
MORE = (
    "Each is made in stages, up from the picture of its run, so that it looks like what was chosen. It is a run as any "
    "other, in results/runs: killed, it resumes; asked for again, or as another file, it is not computed again."
)


def add_commands(commands: Any) -> None:
    """The subcommand `final`."""
    making = add_command(commands, "final", "make large pictures of chosen runs, for print", make, MORE)
    chosen = making.add_argument_group("which runs (default: the study's default run, one for each pair)")
    chosen.add_argument(
        "runs", nargs="*", metavar="RUN", help="a folder in results/runs, or a part of its name that no other has"
    )
    chosen.add_argument("--favourites", type=Path, metavar="FILE", help="those of a JSON file saved in the explorer")
    chosen.add_argument("--study", help="its name or folder; default: whichever has the runs")
    size = making.add_argument_group("how large")
    either = size.add_mutually_exclusive_group(required=True)
    either.add_argument("--width", type=int, metavar="N", help="in pixels")
    either.add_argument("--paper", choices=final.PAPERS, help="as large as fits, upright or across as the picture is")
    size.add_argument("--dpi", type=float, default=300.0, help="pixels per inch, kept in the file (default: 300)")
    files = making.add_argument_group("what is written, to results/finals/<study or run>-<width>px.<format>")
    files.add_argument("--format", choices=export.FORMATS, default="png", help="jpg: of quality 95 (default: png)")
    files.add_argument("--bits", type=int, choices=export.DEPTHS, default=8, help="of a channel (default: 8)")
    files.add_argument("--keep-transparency", action="store_true", help="transparent where the content picture is")
    files.add_argument("--preserve-colors", action="store_true", help="in the colours of the content")
    files.add_argument("--overwrite", action="store_true", help="replace files that exist")
    making.add_argument(
        "--evaluations",
        type=int,
        default=final.EVALUATIONS,
        metavar="N",
        help="of the loss, in each stage: more are sharper, and stray from what was chosen (default: %(default)s)",
    )
    making.add_argument("--dry-run", action="store_true", help="only say what would be made, and what it takes")
    making.add_argument("--pool", type=Path, default=Path("results/runs"), help="the folder of all runs")
    add_machine_options(making)


def make(options: argparse.Namespace) -> int:
    """Say what it takes, compute, write the files; exit code 1 if any run failed."""
    log_to_stderr()
    check_at_least_one(options, "width")
    check_at_least_one(options, "evaluations")
    if not 0 < options.dpi < math.inf:
        raise InputError(f"--dpi is {options.dpi:g}: it must be above 0")
    export.check(options.format, options.bits, options.keep_transparency)
    study_of = chosen(options)
    finals = [wanted(study, run_id, options) for run_id, study in study_of.items()]
    unnamed = len(finals) == 1 and not options.runs and options.favourites is None
    names = [
        FOLDER / f"{made.study.name if unnamed else made.chosen.run_id}-{made.settings.width}px.{options.format}"
        for made in finals
    ]
    runs = [run_of(made, options.pool) for made in finals]
    kind = host.guess(options.device)
    for made, path, run in zip(finals, names, runs, strict=True):
        estimates = estimates_of(made.study, options.pool, kind, options.backend, options.threads or host.cores())
        print(described(made, path, estimates))
        check_files(made, path, run, options)
    if options.dry_run:
        return 0
    with session_of(options) as session:
        failed = transfer_all(runs, session)
    for made, path, run in zip(finals, names, runs, strict=True):
        if is_complete(run):
            assert run.outputs.exact is not None
            pixels = final.picture(made, run.outputs.exact, options.preserve_colors, options.keep_transparency)
            export.write(path, pixels, options.bits, options.dpi)
            print(f"{path}: {pixels.shape[1]} x {pixels.shape[0]} pixels, {path.stat().st_size / 1e6:.1f} MB")
    return 1 if failed else 0


def chosen(options: argparse.Namespace) -> dict[str, plan.Study]:
    """The runs that the options name, each with a study that has it."""
    names, study = list(options.runs), options.study
    if options.favourites is not None:
        of_study, marked = final.favourites(options.favourites)
        names, study = [*names, *marked], study or of_study
    known = [plan.read(plan.find(study))] if study else final.studies()
    if names:
        return {run_id: found for found, run_id in (final.find(name, known) for name in names)}
    if len(known) != 1:
        there = ", ".join(each.name for each in known) or "none"
        raise InputError(f"the studies here are {there}: choose one by --study, or name runs")
    return dict.fromkeys(final.defaults(known[0]), known[0])


def wanted(study: plan.Study, run_id: str, options: argparse.Namespace) -> Final:
    """The final of a run, as large as the options say."""
    record = final.finished(options.pool, run_id)
    width = options.width or final.width_on(options.paper, options.dpi, (record.width, record.height))
    return final.final(study, run_id, options.pool, width, options.evaluations)


def run_of(made: Final, pool: Path) -> Run:
    """The run of a final, with its files."""
    run = planned(made.study, made.settings.run_id, pool)
    return dataclasses.replace(run, outputs=dataclasses.replace(run.outputs, exact=pool / made.settings.run_id / EXACT))


def is_complete(run: Run) -> bool:
    """Whether a run has its whole result."""
    assert run.outputs.record is not None
    return find_record(run.outputs.record, run.outputs.results(), run.settings.run_id, verify=True) is not None


def check_files(made: Final, path: Path, run: Run, options: argparse.Namespace) -> None:
    """Refuse what would be noticed only when all has been computed. Raises `InputError`."""
    if path.exists() and not options.overwrite:
        raise InputError(f"{path}: exists already. Move it away, or use --overwrite")
    for file in (Path(made.content.file), *run.inputs.styles, run.inputs.network):
        if not file.exists():
            raise InputError(f"{file} is missing: make it by `snakemake --configfile <the study's> {file}`")
    if options.keep_transparency and final.opacity(made.content) is None:
        logging.warning("%s is not transparent anywhere", made.content.artifact.name)


def described(made: Final, path: Path, estimates: Estimates) -> str:
    """What a final is, and what it takes."""
    width, height = made.size
    steps = " to ".join(map(str, (made.chosen.width, *widths(made.settings.stages, width))))
    memory, there = estimates.memory_mb([made.settings.run_id]), host.memory_mb()
    lacking = ", more than there is" if memory > there else ""
    time = duration(estimates.seconds(made.settings))
    return (
        f"{path}: {width} x {height} pixels, from {made.chosen.run_id}, {steps} pixels wide, "
        f"{made.settings.iterations} evaluations. It takes about {time}, going by {basis(estimates)}, and "
        f"{memory / 1000:.1f} of {there / 1000:.1f} GB of memory{lacking}"
    )
