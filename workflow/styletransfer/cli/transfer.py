"""Style transfer: one picture by hand, with the options of the reference program; or runs of a planned study."""

from __future__ import annotations

import argparse
import logging
import math
import sys
from pathlib import Path
from typing import Any, NoReturn

from styletransfer import cli
from styletransfer.cli import add_command
from styletransfer.devices import host
from styletransfer.errors import InputError
from styletransfer.files import checks
from styletransfer.optim.stylize import BACKEND_CHOICES
from styletransfer.reports.live import LivePage
from styletransfer.runs.layout import Inputs, Outputs, Run
from styletransfer.runs.session import Session
from styletransfer.runs.transfer import LOG_FORMAT, LOG_TIME, transfer, transfer_all, transfer_once
from styletransfer.settings import PARAMETERS, Artifact, Settings, is_default
from styletransfer.study import plan
from styletransfer.vgg import formats, sources

PROGRESS_HELP = (
    "write progress.txt beside the output, numbered as the 2018 program did: row i has the losses after i + 1 steps, "
    "the last row those after all"
)
ADVICE = """\
a good picture in a minute on two cores:
  styletransfer transfer --content photo.jpg --styles art.jpg --network vgg16 --width 256 --initial \\
      --optimizer lbfgs --iterations 40 --pooling avg --tv-weight 1 --output result.png

It starts from the photograph (--initial) and takes 40 steps of L-BFGS. The defaults are those of the program of 2018:
from noise, by Adam, 1000 steps. Turn --style-weight first: with vgg16 20 is faint and 2500 strong. config/README.md has
more typical values.
"""
# What `--initial` is without a value.
CONTENT = Path()
OPTION_TYPES = {"width": int, "iterations": int, "stages": int, "seed": int}


def add_commands(commands: Any) -> None:
    """The subcommands `transfer` and `run`."""
    transfer = add_command(
        commands,
        "transfer",
        "paint a content picture in the style of others",
        transfer_by_hand,
        epilog=ADVICE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_transfer_options(transfer)
    text = "compute runs of a planned study, one after another in one process on one device"
    run = add_command(commands, "run", text, run_planned, "Finished runs are kept, and each has a log.")
    run.add_argument("--plan", type=Path, required=True, help="the study's plan, results/studies/<study>/plan-*.json")
    chosen = run.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--run", dest="run_id", metavar="RUN_ID", help="the one run to compute")
    chosen.add_argument("--batch", type=int, metavar="N", help="the Nth batch of runs, from 1")
    run.add_argument("--batch-size", type=int, default=1, help="with --batch: how many runs a batch has at most")
    run.add_argument("--pool", type=Path, default=Path("results/runs"), help="the folder of all runs")
    run.add_argument("--preserve-colors", action="store_true", help="live.html shows the content's colours")
    run.add_argument("--attempt", type=int, default=1, help="above 1: what cannot end otherwise is not tried again")
    add_machine_options(run)


def add_transfer_options(command_line: argparse.ArgumentParser) -> None:
    """All options of the reference program under its names, and ours."""
    pictures = command_line.add_argument_group("pictures and weights")
    pictures.add_argument("--content", type=Path, required=True, help="the content picture")
    pictures.add_argument("--styles", type=Path, nargs="+", required=True, help="one or more style pictures")
    pictures.add_argument(
        "--network",
        "--weights",
        dest="network",
        required=True,
        help=f"weights: one of {', '.join(sources.SOURCES)}, kept in resources/weights; or a file, .safetensors, .h5 "
        "or .mat. vgg16 needs no network access, but is not VGG-19",
    )
    pictures.add_argument(
        "--initial",
        type=Path,
        nargs="?",
        const=CONTENT,
        help="start from this picture in place of noise; without a value from the content picture",
    )
    settings = command_line.add_argument_group("settings (they decide the result)")
    colors = settings.add_mutually_exclusive_group()
    for name, field in PARAMETERS.items():
        (colors if name == "colors" else settings).add_argument(
            f"--{name.replace('_', '-')}",
            type=OPTION_TYPES.get(name, str if {"choices", "layers"} & set(field.metadata) else float),
            choices=field.metadata.get("choices"),
            nargs="+" if {"per_style", "layers", "widths"} & set(field.metadata) else None,
            default=argparse.SUPPRESS,
            help=field.metadata["help"] + _default_text(field.default),
        )
    colors.add_argument(
        "--preserve-colors",
        dest="colors",
        action="store_const",
        const="content",
        default=argparse.SUPPRESS,
        help="as in the 2018 program: --colors content",
    )
    outputs = command_line.add_argument_group("outputs")
    outputs.add_argument("--output", type=Path, required=True, help="the result: .png, .jpg, .webp or .tif")
    outputs.add_argument("--overwrite", action="store_true", help="replace files that exist")
    outputs.add_argument(
        "--resume",
        action="store_true",
        help="keep a finished result of the same settings, and go on with one that was killed (told by its --record)",
    )
    outputs.add_argument("--losses", type=Path, help="a CSV of the losses")
    outputs.add_argument("--record", type=Path, help="a JSON record of the run")
    outputs.add_argument("--progress-write", action="store_true", help=PROGRESS_HELP)
    outputs.add_argument(
        "--progress-plot", action="store_true", help="plot the losses to progress.png beside the output"
    )
    outputs.add_argument("--checkpoint-output", help="pattern of pictures on the way, such as step-{:05}.png")
    outputs.add_argument("--checkpoint-iterations", type=int, help="keep a picture every so many iterations")
    add_machine_options(command_line)


def _default_text(default: Any) -> str:
    text = " ".join(f"{number:g}" for number in default) if isinstance(default, tuple) else default
    return "" if default is None else f" (default: {text})"


def add_machine_options(command_line: argparse.ArgumentParser) -> None:
    """What `session_of` wants to know."""
    machine = command_line.add_argument_group("machine (it does not decide the result)")
    machine.add_argument("--device", choices=host.CHOICES, default="auto", help="what to compute on")
    machine.add_argument(
        "--device-wait", type=float, default=3600.0, help="seconds to wait for a GPU, or for the same run elsewhere"
    )
    machine.add_argument("--device-slots", type=int, default=1, help="how many runs may share one GPU")
    machine.add_argument("--threads", type=int, help="CPU threads; default: all cores")
    machine.add_argument(
        "--backend", choices=BACKEND_CHOICES, default="auto", help="how to compute: equal but for rounding"
    )
    machine.add_argument(
        "--steps-per-call", type=int, help="iterations that a device takes without Python; default: 1, on a GPU 10"
    )
    machine.add_argument("--print-iterations", type=int, default=10, help="report the losses every so many iterations")
    machine.add_argument(
        "--state-seconds",
        type=float,
        default=30.0,
        help="with --resume and for planned runs: keep the state beside the record every so many seconds to its end",
    )
    machine.add_argument(
        "--keep-state",
        action="store_true",
        help="keep it when it is finished: a run of more iterations goes on from it",
    )


def session_of(options: argparse.Namespace) -> Session:
    """The process that computes, as the options have it. Raises `InputError` for numbers out of their limits."""
    for name in ("print_iterations", "device_slots", "threads", "steps_per_call"):
        check_at_least_one(options, name)
    if not options.state_seconds > 0:
        raise InputError(f"--state-seconds is {options.state_seconds}: it must be above 0")
    if not 0 <= options.device_wait < math.inf:
        raise InputError(f"--device-wait is {options.device_wait}: it must be a number of seconds, at least 0")
    return Session(
        options.device,
        device_wait=options.device_wait,
        device_slots=options.device_slots,
        threads=options.threads,
        backend=options.backend,
        steps_per_call=options.steps_per_call,
        print_iterations=options.print_iterations,
        state_seconds=options.state_seconds,
        keep_state=options.keep_state,
        attempt=getattr(options, "attempt", 1),
    )


def check_at_least_one(options: argparse.Namespace, name: str) -> None:
    """Raise `InputError` if a number is given and below 1."""
    if (value := getattr(options, name)) is not None and value < 1:
        raise InputError(f"--{name.replace('_', '-')} is {value}: it must be at least 1")


def settings_of(options: argparse.Namespace) -> Settings:
    """The run's settings, option by option, with the files' own names and checksums."""
    values = {name: getattr(options, name) for name in PARAMETERS if hasattr(options, name)}
    return Settings(
        content=_artifact("--content", options.content),
        styles=tuple(_artifact("--styles", path) for path in options.styles),
        weights=_weights(options.network),
        initial=_initial(options),
        **values,
    )


def tell_unused(options: argparse.Namespace, settings: Settings) -> None:
    """Log each option that makes no difference to the run. Raises `InputError` for a start that it does not use."""
    for name, reason in settings.unused().items():
        option = f"--{name.replace('_', '-')}"
        if name == "initial":
            if options.initial is not None:
                raise InputError(f"{option} is given, but {reason}: leave one of them out")
        elif hasattr(options, name) and not is_default(name, getattr(options, name), len(settings.styles)):
            logging.warning("%s makes no difference: %s", option, reason)


def _weights(network: str) -> Artifact:
    if network in sources.SOURCES:
        return Artifact(**sources.source_identity(network))
    sources.check_file(Path(network), "--network")
    return _artifact("--network", Path(network))


def _initial(options: argparse.Namespace) -> Artifact | None:
    if options.initial is None:
        return None
    if options.initial == CONTENT:
        return _artifact("--content", options.content)
    return _artifact("--initial", options.initial)


def inputs_of(options: argparse.Namespace) -> Inputs:
    """The files that are read. Weights named by their source are fetched first, if they are not there."""
    known = options.network in sources.SOURCES
    network = formats.prepared(options.network) if known else Path(options.network)
    initial = None if options.initial == CONTENT else options.initial
    return Inputs(options.content, options.styles, network, initial)


def _artifact(option: str, path: Path) -> Artifact:
    checks.check_input(path, option)
    return Artifact(path.stem, f"sha256:{checks.checksum(path)}")


def outputs_of(options: argparse.Namespace) -> Outputs:
    """Which files to write."""
    folder = options.output.parent
    return Outputs(
        image=options.output,
        losses=options.losses,
        record=options.record,
        progress=folder / "progress.txt" if options.progress_write else None,
        plot=folder / "progress.png" if options.progress_plot else None,
        checkpoints=options.checkpoint_output,
        checkpoint_iterations=options.checkpoint_iterations,
    )


def transfer_by_hand(options: argparse.Namespace) -> None:
    """Run the transfer that the options describe."""
    log_to_stderr()
    check_at_least_one(options, "checkpoint_iterations")
    if options.resume and options.record is None:
        raise InputError("--resume needs --record FILE: the record tells what is finished")
    settings = settings_of(options)
    tell_unused(options, settings)
    run = Run(settings, inputs_of(options), outputs_of(options))
    with session_of(options) as session:
        record = transfer_once(run, session) if options.resume else transfer(run, session, options.overwrite)
    logging.info("%s: %s after %.1f s", record.status, options.output, record.seconds)


def run_planned(options: argparse.Namespace) -> int:
    """Compute the runs that the options name; exit code 1 if any failed."""
    log_to_stderr()
    study = plan.read(options.plan)
    page = LivePage(study, options.pool, options.plan.parent, options.preserve_colors)
    with session_of(options) as session, page.kept_current():
        run_ids = [options.run_id] if options.batch is None else batch_of(study, options)
        runs = [planned(study, run_id, options.pool) for run_id in run_ids]
        failed = transfer_all(runs, session)
    logging.info("%d of %d runs finished", len(runs) - failed, len(runs))
    return 1 if failed else 0


def batch_of(study: plan.Study, options: argparse.Namespace) -> list[str]:
    """The runs of the batch that the options name. Raises `InputError` if there is none."""
    check_at_least_one(options, "batch_size")
    batches = study.batches(options.batch_size)
    if not 1 <= options.batch <= len(batches):
        raise InputError(f"--batch is {options.batch}: the plan has batches 1 to {len(batches)} of that size")
    return batches[options.batch - 1]


def planned(study: plan.Study, run_id: str, pool: Path) -> Run:
    """A run of a plan, with the files that it reads and writes. Raises `InputError` for an unknown run."""
    if run_id not in study.runs:
        raise InputError(f"--run is {run_id!r}: the plan of {study.name} has no such run")
    files = {role: [Path(found.file) for found in used] for role, used in study.pictures_of(run_id).items()}
    (content,), initial = files["content"], next(iter(files["initial"]), None)
    inputs = Inputs(content, files["styles"], Path(study.weights.file), initial)
    return Run(study.runs[run_id], inputs, Outputs.in_folder(pool / run_id))


def log_to_stderr() -> None:
    """What is logged goes to the terminal, or to the log of a job."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, datefmt=LOG_TIME)


def neural_style() -> NoReturn:
    """The reference program: `transfer` without its name."""
    cli.end(cli.run(["transfer", *sys.argv[1:]]))
