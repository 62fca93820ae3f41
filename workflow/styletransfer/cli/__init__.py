"""The command `styletransfer`: its subcommands, each a thin layer over the engine.

A module of this folder has `add_commands`, which adds its subcommands and what each of them calls. Only the module of
the subcommand that is called is imported: whoever asks for a plan does not wait for Matplotlib.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from itertools import starmap
from typing import Any, NoReturn

from styletransfer import errors

# Which module has which subcommands.
COMMANDS = {
    "transfer": ("transfer", "run"),
    "init": ("init",),
    "plan": ("plan", "status"),
    "prepare": ("fetch", "convert", "picture", "paint"),
    "results": ("measure", "decide", "collect", "response", "manifest", "verify", "crate"),
    "draw": ("draw", "verdict", "explorer"),
    "parts": ("parts",),
    "watch": ("watch",),
    "final": ("final",),
    "propose": ("propose",),
    "benchmark": ("benchmark",),
}
# Those that the workflow's rules call. By hand they do the same.
OF_RULES = (
    "fetch",
    "convert",
    "picture",
    "run",
    "decide",
    "collect",
    "response",
    "draw",
    "verdict",
    "explorer",
    "manifest",
)


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """All subcommands, or only those of the module that has this one."""
    description = "Neural style transfer (Gatys et al. 2015): one picture, or a study of parameters and its results."
    command_line = argparse.ArgumentParser(
        prog="styletransfer", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = command_line.add_subparsers(title="commands", metavar="COMMAND", required=True)
    chosen = [module for module, names in COMMANDS.items() if command in names] or COMMANDS
    for module in chosen:
        importlib.import_module(f"styletransfer.cli.{module}").add_commands(commands)
    called = {name: commands.choices[name].description for name in OF_RULES if name in commands.choices}
    command_line.epilog = "\n".join(["called by the workflow's rules:", *starmap(_listed, called.items())])
    return command_line


def _listed(name: str, description: str) -> str:
    """A subcommand as the list of commands has it."""
    text = f"{description[0].lower()}{description[1:].partition('. ')[0]}".rstrip(".")
    return textwrap.fill(text, 78, initial_indent=f"    {name:10}", subsequent_indent=" " * 14)


def add_command(
    commands: Any, name: str, text: str, call: Callable[[argparse.Namespace], int | None], more: str = "", **how: Any
) -> argparse.ArgumentParser:
    """A subcommand: what it does in a few words, what it calls, and what else its `--help` says."""
    description = f"{text[0].upper()}{text[1:]}. {more}".strip()
    listed = {} if name in OF_RULES else {"help": text}
    command = commands.add_parser(name, description=description, **listed, **how)
    command.set_defaults(run=call)
    return command


def _at_root(words: Sequence[str]) -> list[str]:
    """Go to the folder below which the workflow's files lie, where it names one; the paths in it are as everywhere."""
    root = os.environ.get("STYLETRANSFER_ROOT")
    if not root:
        return list(words)
    os.chdir(root)
    return [word.removeprefix(f"{root}/") for word in words]


@errors.command
def run(arguments: Sequence[str] | None = None) -> int | None:
    """Run the subcommand that the arguments name."""
    words = _at_root(sys.argv[1:] if arguments is None else arguments)
    options = parser(words[0] if words else None).parse_args(words)
    return options.run(options)


def main() -> NoReturn:
    """The console command."""
    end(run())


def end(code: int) -> NoReturn:
    """End the process; at once where TensorFlow is loaded, which takes half a second to dismantle."""
    if "tensorflow" in sys.modules:
        errors.fast_exit(code)
    sys.exit(code)
