"""Write the conda environments of envs/ from pip's pins, so that both install the same versions."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from styletransfer.errors import InputError, command
from styletransfer.files import atomic

# Snakemake starts the rules; it is not needed inside their environment.
OUTSIDE = ("snakemake", "snakemake-executor-plugin-slurm")
KINDS = {
    "cpu": ("engine.yaml", "What the engine and figures need"),
    "gpu": ("engine-gpu.yaml", "What a run on a GPU needs"),
}


def pins(text: str) -> dict[str, str]:
    """Package to version, of a pinned requirements file."""
    return dict(re.findall(r"^([a-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s\\]+)", text, re.MULTILINE))


def required(folder: Path, kind: str) -> str:
    """What `cpu` or `gpu` requires: what all do, and its own."""
    return "".join((folder / f"requirements{name}.in").read_text(encoding="utf-8") for name in ("", f"-{kind}"))


def environment(kind: str, requirements: str, pinned: str) -> str:
    """The YAML text for `cpu` or `gpu`, of what they require beside what it brings itself.

    Raises:
        InputError: for a requirement without a pin.

    """
    purpose = KINDS[kind][1]
    versions = pins(pinned)
    wanted = {found[1]: found[0] for found in re.finditer(r"^([a-z][\w-]*).*", requirements, re.MULTILINE)}
    missing = [name for name in wanted if name not in (*versions, *OUTSIDE)]
    if missing:
        raise InputError(f"requirements-{kind}.txt has no pin for {', '.join(missing)}: run `make lock`")
    lines = [
        f"      - {line if '==' in line else f'{name}=={versions[name]}'}"
        for name, line in wanted.items()
        if name not in OUTSIDE
    ]
    head = [
        f"# {purpose}, for `--sdm conda`: the pins of requirements-{kind}.txt, written by envs/pin_environments.py.",
        "channels: [conda-forge, nodefaults]",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
        "  - pip:",
    ]
    return "\n".join([*head, *lines]) + "\n"


@command
def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--envs", type=Path, default=Path("envs"), help="the folder of environments")
    folder = parser.parse_args().envs
    for kind, (file, _) in KINDS.items():
        requirements = required(folder, kind)
        pinned = (folder / f"requirements-{kind}.txt").read_text(encoding="utf-8")
        atomic.write_text(folder / file, environment(kind, requirements, pinned))


if __name__ == "__main__":
    sys.exit(main())
