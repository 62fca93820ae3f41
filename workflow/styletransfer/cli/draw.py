"""What people look at: the figures of a study, and its explorer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from styletransfer.cli import add_command
from styletransfer.errors import InputError
from styletransfer.study import plan
from styletransfer.study.sequences import DRAWN

FIGURES = ("contact_sheet", "loss_curves", "device_timeline", "pareto", "parameter_effects", "response")


def add_commands(commands: Any) -> None:
    """The subcommands `draw`, `verdict` and `explorer`."""
    drawing = add_command(commands, "draw", "draw a figure of a study from its tables", draw)
    drawing.add_argument("figure", choices=FIGURES, help="what to draw")
    drawing.add_argument("--output", type=Path, nargs="+", required=True, help="files to write, .png or .pdf")
    sheet = drawing.add_argument_group("the contact sheet")
    sheet.add_argument("--columns", type=int, default=5, help="pictures per row (default: %(default)s)")
    sheet.add_argument(
        "--limits",
        nargs=3,
        action="append",
        default=[],
        metavar=("PARAMETER", "LOWEST", "HIGHEST"),
        help="show only these values of a parameter",
    )
    sheet.add_argument(
        "--grid", nargs=2, default=[], metavar=("DOWN", "ACROSS"), help="two parameters, in place of a row for each"
    )

    exploring = add_command(
        commands, "explorer", "write the explorer of a study: one page that opens by a double click", explore
    )
    exploring.add_argument("--output", type=Path, required=True, help="the folder to write index.html to")
    exploring.add_argument("--max-bytes", type=int, help="beyond it pictures lie beside the page")
    more = "It recommends three settings, and says what matters and what is undecided."
    judging = add_command(commands, "verdict", "write the verdict on a study: a page, text and JSON", judge, more)
    judging.add_argument("--output", type=Path, required=True, help="the folder to write index.html to")
    for command in (drawing, exploring, judging):
        command.add_argument("--plan", type=Path, required=True, help="the study's plan")
        command.add_argument("--runs", type=Path, required=True, help="the table of runs, .parquet")
        command.add_argument("--losses", type=Path, required=True, help="the table of losses, .parquet")
        command.add_argument("--responses", type=Path, help="what `styletransfer response` found, .json")
        command.add_argument("--pool", type=Path, default=Path("results/runs"), help="the folder of all runs")
        command.add_argument("--preserve-colors", action="store_true", help="show pictures with the content's colours")


def draw(options: argparse.Namespace) -> None:
    """Read the tables, draw, write."""
    from styletransfer.reports.figures import contact_sheet, device_usage, effects, loss_curves, response, style
    from styletransfer.results import responses, tables

    runs = tables.read_runs(options.runs)
    study = plan.read(options.plan)
    order = next(iter(study.config["vary"])) if study.config["design"] in DRAWN else ""
    figures = {
        "contact_sheet": lambda: contact_sheet.contact_sheet(
            runs,
            options.pool,
            {name: found.file for name, found in study.pictures.items()},
            options.columns,
            limits_of(options),
            options.preserve_colors,
            options.grid,
            order,
        ),
        "loss_curves": lambda: loss_curves.loss_curves(runs, tables.read_losses(options.losses)),
        "device_timeline": lambda: device_usage.device_timeline(runs),
        "pareto": lambda: effects.pareto(runs, options.pool),
        "parameter_effects": lambda: effects.parameter_effects(runs),
        "response": lambda: response.response(runs, responses.read(options.responses) if options.responses else []),
    }
    style.save(figures[options.figure](), options.output)


def limits_of(options: argparse.Namespace) -> dict[str, list[float]]:
    """The limits of the contact sheet by parameter. Raises `InputError` for what is no number."""
    try:
        return {name: [float(lowest), float(highest)] for name, lowest, highest in options.limits}
    except ValueError as error:
        raise InputError(f"--limits takes a parameter and two numbers: {error}") from error


def judge(options: argparse.Namespace) -> None:
    """Read the plan and the tables, write the verdict."""
    from styletransfer.reports import verdict
    from styletransfer.results import responses, tables

    study = plan.read(options.plan)
    measures = responses.read(options.responses) if options.responses else []
    told = verdict.content(tables.read_runs(options.runs), measures, study.config["pairs"])
    files = {name: Path(found.file) for name, found in study.pictures.items()}
    verdict.write(options.output, told, files, options.pool, options.preserve_colors)


def explore(options: argparse.Namespace) -> None:
    """Read the plan and the tables, write the page."""
    from styletransfer.reports import explorer
    from styletransfer.results import responses, tables

    study = plan.read(options.plan)
    shown = {
        **{name: study.config[name] for name in ("design", "pairs", "weights")},
        "preserve_colors": options.preserve_colors,
        "images": {name: {found.kind: found.source} for name, found in study.pictures.items()},
        "files": {name: found.file for name, found in study.pictures.items()},
        "network": study.weights.file,
        "responses": responses.read(options.responses) if options.responses else [],
    }
    runs, losses = tables.read_runs(options.runs), tables.read_losses(options.losses)
    max_bytes = explorer.MAX_BYTES if options.max_bytes is None else options.max_bytes
    explorer.write(options.output, runs, losses, options.pool, shown, max_bytes)
