"""A first study of two pictures, to begin with."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path
from typing import Any

import yaml

from styletransfer.cli import add_command
from styletransfer.errors import InputError
from styletransfer.files import atomic, checks


def add_commands(commands: Any) -> None:
    """The subcommand `init`."""
    text = "write a commented first study of a photograph and an artwork, to change as you like"
    more = "Ten small pictures in coarse steps; nothing is run, and no file is overwritten."
    beginning = add_command(commands, "init", text, write_first_study, more)
    beginning.add_argument("content", metavar="PHOTO", help="the photograph to paint")
    beginning.add_argument("style", metavar="ART", help="the artwork in whose style")
    beginning.add_argument("--output", type=Path, default=Path("study.yaml"), help="default: %(default)s")
    beginning.add_argument(
        "--weights", default="vgg16", help="as in a config; default: vgg16, which needs no network access"
    )


def write_first_study(options: argparse.Namespace) -> None:
    """Check both pictures as `plan` does, write the config, and say how to go on."""
    from styletransfer.images.io import image_size
    from styletransfer.results.plan import check_pictures, check_sizes
    from styletransfer.study import config, first
    from styletransfer.study.expand import expand

    output = options.output
    if output.suffix not in (".yaml", ".yml"):
        raise InputError(f"--output is {str(output)!r}: its name must end in .yaml")
    if os.path.lexists(output):
        raise InputError(f"{str(output)!r} exists already, and is kept. Choose another name with --output")
    for name, path in (("PHOTO", options.content), ("ART", options.style)):
        checks.check_input(path, name)
    width = min(first.WIDTH, image_size(options.content)[0])
    text = first.first_study(options.content, options.style, width, options.weights)
    study = expand(config.load(yaml.safe_load(text)))
    check_sizes(study)
    check_pictures(study)
    atomic.write_text(output, text)
    name = shlex.quote(str(output))
    print(
        f"{output}: {len(study.runs)} runs at {width} px. Next:\n"
        f"  styletransfer plan --configfile {name}    # what would run, and how long it takes\n"
        f"  snakemake --configfile {name}             # runs it"
    )
