"""How fast this machine is: `styletransfer benchmark`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from styletransfer.benchmarks import descent, gpu, gpu_page, iteration, layers, peers, precision, workflow
from styletransfer.benchmarks.measure import Options, machine
from styletransfer.cli import add_command
from styletransfer.devices.precision import ONEDNN_LIMIT
from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.optim.stylize import BACKENDS
from styletransfer.runs.layout import check_place
from styletransfer.vgg import formats, sources
from styletransfer.vgg.weights import SMALLEST_SIDE

WIDTHS = (128, 256, 384, 512, 768, 1024)
# The width at which layers are measured, and what a run costs beside its iterations.
TYPICAL = 512
# The variables by which libraries keep to older instructions.
AS_AVX2 = {ONEDNN_LIMIT: "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}

Measure = Callable[[Options, argparse.Namespace], dict[str, Any]]
MEASUREMENTS: dict[str, tuple[str, Measure]] = {
    "step": (
        "seconds per iteration and memory, beside plain TensorFlow and matrix products",
        lambda options, given: iteration.measure_step(options, given.candidates),
    ),
    "layers": (
        "what each convolution does of what memory and matrix products allow",
        lambda options, given: layers.measure_layers(options),
    ),
    "descent": (
        "seconds to the loss of plain float32 Adam",
        lambda options, given: descent.measure_descent(options, given.figure),
    ),
    "precision": (
        "what bfloat16 does to results",
        lambda options, given: precision.measure_precision(options, given.figure),
    ),
    "run": ("what a run costs beside its iterations", lambda options, given: workflow.measure_run(options)),
    "planning": ("seconds of a dry run of large studies", lambda options, given: workflow.measure_planning(options)),
    "study": (
        "all rows of the 2018 study on tiny pictures",
        lambda options, given: workflow.measure_study(options, given.folder),
    ),
    "throughput": (
        "many short runs, a process for each against batches",
        lambda options, given: workflow.measure_throughput(options, given.runs),
    ),
}


def add_commands(commands: Any) -> None:
    """The subcommand `benchmark`, with subcommands of its own."""
    text, more = "measure how fast this machine is", "Nothing else should run meanwhile."
    parser = commands.add_parser("benchmark", help=text, description=f"{text[0].upper()}{text[1:]}. {more}")
    kinds = parser.add_subparsers(title="measurements", metavar="WHAT", required=True)
    for name, (text, measure) in MEASUREMENTS.items():
        measuring = add_command(kinds, name, text, run)
        measuring.set_defaults(name=name, measure=measure)
        _add_options(measuring, name)

    text = "measure steps at all sizes, layers and a run, and write table, page and figure into a folder"
    everything = add_command(kinds, "all", text, run_all, "What is in the folder already is not measured again.")
    everything.add_argument("--output", type=Path, default=Path("results/benchmark"), help="default: %(default)s")
    everything.add_argument("--widths", type=int, nargs="+", default=WIDTHS, help="of the pictures, in pixels")
    everything.add_argument("--typical", type=int, default=TYPICAL, help="the width for layers and a run")
    everything.add_argument("--rounds", type=int, default=5, help="how often everything is measured")
    everything.add_argument("--iterations", type=int, help="of a round; default: 3, more for small pictures")
    _add_weights(everything)

    text = "gather measurements into iterations.csv, benchmark.md and benchmark.png"
    reporting = add_command(kinds, "report", text, report)
    reporting.add_argument("measurements", type=Path, nargs="+", help="what `step`, `layers` and `run` wrote")
    reporting.add_argument("--output", type=Path, default=Path("results/benchmark"), help="the folder to write into")

    _add_gpu(kinds)
    _add_peers(kinds)

    text = "draw how the 2018 study used four GPUs, and how leases would have"
    scheduling = add_command(kinds, "schedule", text, schedule)
    scheduling.add_argument("--output", type=Path, required=True, help="the picture to write")


def _add_options(parser: argparse.ArgumentParser, name: str) -> None:
    """Those of one measurement."""
    _add_weights(parser)
    parser.add_argument("--width", type=int, default=Options.width, help="of the picture in pixels")
    parser.add_argument("--height", type=int, help="likewise; default: 26 / 25 of the width")
    parser.add_argument("--iterations", type=int, help="of a round, or of a run; default: 3, more for small pictures")
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="how often everything is measured")
    parser.add_argument("--threads", type=int, help="CPU threads; default: all cores")
    parser.add_argument("--output", type=Path, help="write the figures here as JSON, too")
    if name == "step":
        names = ", ".join(map(repr, iteration.CANDIDATES))
        parser.add_argument(
            "--candidates",
            nargs="+",
            default=(),
            choices=iteration.CANDIDATES,
            metavar="NAME",
            help=f"of {names}; default: all",
        )
    if name in ("descent", "precision"):
        parser.add_argument("--figure", type=Path, help="draw the results here")
    if name == "study":
        parser.add_argument("--folder", type=Path, help="where the study runs; default: a temporary folder")
    if name == "throughput":
        parser.add_argument("--runs", type=int, default=200, help="of the study")


def _add_peers(kinds: Any) -> None:
    text = "measure steps beside the textbook's in PyTorch, and in plain TensorFlow, in turn"
    more = "PyTorch is installed by pip into an environment of its own, which is kept for the next time."
    measuring = add_command(kinds, "peers", text, run_peers, more)
    _add_options(measuring, "peers")
    measuring.add_argument("--pytorch", default="torch", help="what pip installs, default: %(default)s")
    folder = Path("results/.benchmarks/pytorch")
    measuring.add_argument("--environment", type=Path, default=folder, help="where to; default: %(default)s")
    text = "compute as on a CPU without AVX-512: no newer instructions in oneDNN and PyTorch"
    measuring.add_argument("--as-avx2", action="store_true", help=text)


def _add_gpu(kinds: Any) -> None:
    text = "measure all that a GPU is asked for, in minutes, and write a page about it"
    more = "What there is no time for is left out, and said so. The page is written after each part."
    measuring = add_command(kinds, "gpu", text, run_gpu, more)
    measuring.add_argument("--output", type=Path, default=Path("docs/gpus-measured.md"), help="default: %(default)s")
    measuring.add_argument("--minutes", type=float, default=8.0, help="for all of it; default: %(default)g")
    measuring.add_argument("--device", choices=("gpu", "cpu"), default="gpu", help="cpu: to try the command")
    measuring.add_argument("--widths", type=int, nargs="+", default=gpu.Wanted.widths, help="of single steps")
    measuring.add_argument("--width", type=int, default=TYPICAL, help="of whole runs and of the study")
    measuring.add_argument(
        "--precisions", nargs="+", choices=gpu.PRECISIONS, default=gpu.PRECISIONS, help="default: all"
    )
    measuring.add_argument("--backends", nargs="+", choices=BACKENDS, default=gpu.Wanted.backends, help="default: all")
    measuring.add_argument("--slots", type=int, nargs="+", default=gpu.Wanted.slots, help="processes at once")
    measuring.add_argument("--runs", type=int, default=gpu.Wanted.runs, help="of the study")
    measuring.add_argument("--iterations", type=int, help="of each run, to try the command")
    _add_weights(measuring)


def _add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", type=Path, help="a file of weights; default: vgg16, prepared if it is not there")


def _options(given: argparse.Namespace, **values: Any) -> Options:
    """What is measured. Raises `InputError` for a number below 1."""
    values = {name: getattr(given, name) for name in ("iterations", "rounds")} | values
    for name, value in values.items():
        if value is not None and value < 1:
            raise InputError(f"--{name} is {value}: it must be at least 1")
    return Options(given.weights or formats.prepared("vgg16"), **values)


def run(given: argparse.Namespace) -> None:
    """One measurement: print it, and write it."""
    options = _options(given, width=given.width, height=given.height, threads=given.threads)
    print(_measured(given.name, given.measure(options, given), options, given.output), end="")


def run_all(given: argparse.Namespace) -> None:
    """All that the report has."""
    planned = [(f"step-{width}", "step", width) for width in given.widths]
    # Layers are measured in this process, which takes memory that the others should have.
    planned += [(name, name, given.typical) for name in ("run", "layers")]
    for file, name, width in planned:
        path, options = given.output / f"{file}.json", _options(given, width=width)
        if not path.exists():
            print(f"measuring {file}", flush=True)
            given.candidates = ()
            _measured(name, MEASUREMENTS[name][1](options, given), options, path)
    _report(given.output, [given.output / f"{file}.json" for file, _, _ in planned])


def run_peers(given: argparse.Namespace) -> None:
    """Steps beside those of other libraries."""
    if given.as_avx2:
        os.environ |= AS_AVX2
    options = _options(given, width=given.width, height=given.height, threads=given.threads)
    options = dataclasses.replace(options, pytorch=peers.environment(given.environment.absolute(), given.pytorch))
    figures = iteration.measure_step(options, iteration.BESIDE_PEERS)
    print(_measured("step", figures, options, given.output), end="")


def run_gpu(given: argparse.Namespace) -> None:
    """All that a GPU is measured by."""
    for name in ("widths", "slots", "width", "runs", "iterations"):
        numbers = getattr(given, name)
        for number in numbers if isinstance(numbers, list | tuple) else [numbers]:
            least = SMALLEST_SIDE if name.startswith("width") else 1
            if number is not None and number < least:
                raise InputError(f"--{name} is {number}: it must be at least {least}")
    if not 0 < given.minutes < math.inf:
        raise InputError(f"--minutes is {given.minutes:g}: it must be a number above 0")
    weights = (given.weights or formats.prepared("vgg16")).absolute()
    sources.check_file(weights, "--weights")
    words = ["styletransfer", "benchmark", "gpu", *sys.argv[sys.argv.index("gpu") + 1 :]]

    def write(found: dict[str, Any]) -> None:
        atomic.write_text(given.output, gpu_page.page(found, shlex.join(words)))

    check_place(given.output)
    options = Options(weights, width=given.width, device=given.device)
    chosen = given.widths, given.precisions, given.backends, given.slots, given.runs, given.iterations
    wanted = gpu.Wanted(options, *chosen)
    gpu.measure_gpu(wanted, 60 * given.minutes, write)
    print(given.output)


def report(given: argparse.Namespace) -> None:
    """Table, page and figure of what was measured."""
    _report(given.output, given.measurements)


def schedule(given: argparse.Namespace) -> None:
    """The picture of both schedules."""
    from styletransfer.benchmarks import schedule_2018

    schedule_2018.compare(given.output)


def _report(folder: Path, paths: Sequence[Path]) -> None:
    from styletransfer.benchmarks import report as reports

    reports.write(folder, paths)
    print(f"{folder}: iterations.csv, benchmark.md, benchmark.png")


def _measured(name: str, figures: dict[str, Any], options: Options, path: Path | None) -> str:
    """The text of a measurement, which goes into a file as well if there is to be one."""
    width, height = options.size
    found = {"machine": machine(), "size": {"width": width, "height": height}, name: figures}
    text = json.dumps(found, indent=1) + "\n"
    if path is not None:
        atomic.write_text(path, text)
    return text
