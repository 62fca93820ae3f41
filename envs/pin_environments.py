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
    "cpu": ("engine.yaml", "What the engine and figures need", {}, ()),
    "gpu": ("engine-gpu.yaml", "What a run on a GPU needs", {"tensorflow": "[and-cuda]"}, ("nvidia-ml-py",)),
}


def pins(text: str) -> dict[str, str]:
    """Package to version, of a pinned requirements file."""
    return dict(re.findall(r"^([a-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s\\]+)", text, re.MULTILINE))


def environment(kind: str, requirements: str, pinned: str) -> str:
    """The YAML text for `cpu` or `gpu`. Raises `InputError` for a requirement without a pin."""
    _, purpose, extras, more = KINDS[kind]
    versions = pins(pinned)
    names = [name for name in re.findall(r"^[a-z][\w-]*", requirements, re.MULTILINE) if name not in OUTSIDE]
    missing = [name for name in (*names, *more) if name not in versions]
    if missing:
        raise InputError(f"requirements-{kind}.txt has no pin for {', '.join(missing)}: run `make lock`")
    lines = [f"      - {name}{extras.get(name, '')}=={versions[name]}" for name in (*names, *more)]
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
    requirements = (folder / "requirements.in").read_text(encoding="utf-8")
    for kind, (file, *_) in KINDS.items():
        pinned = (folder / f"requirements-{kind}.txt").read_text(encoding="utf-8")
        atomic.write_text(folder / file, environment(kind, requirements, pinned))


if __name__ == "__main__":
    sys.exit(main())
