"""Whether the locks resolve on every machine that they are for: nothing is downloaded but indices and metadata.

It needs the package uv, and the registry of packages that pip is set up for.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

from styletransfer.errors import InputError, command

PYTHONS = ("3.11", "3.12", "3.13")
# By the name that uv has for a machine: those that TensorFlow comes for.
MACHINES = {
    "x86_64-manylinux_2_28": "Linux on x86-64",
    "aarch64-manylinux_2_28": "Linux on aarch64",
    "aarch64-apple-darwin": "macOS on Apple silicon",
}
LOCKS = {
    "cpu": tuple(MACHINES),
    "test": tuple(MACHINES),
    "notebook": tuple(MACHINES),
    "gpu": ("x86_64-manylinux_2_28",),
}
# Pure Python, which comes as source alone; everything else must be a wheel.
SOURCES = ("connection-pool",)


def fault(lock: Path, machine: str, python: str) -> str:
    """What uv says of a lock that does not resolve there, else nothing."""
    built = [word for name in SOURCES for word in ("--no-binary", name)]
    with tempfile.TemporaryDirectory() as nowhere:
        call = ["uv", "pip", "install", "--dry-run", "--quiet", "--require-hashes", "--only-binary", ":all:", *built]
        call += ["--python-platform", machine, "--python-version", python, "--target", nowhere, "-r", str(lock)]
        done = subprocess.run(call, check=False, capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ""


@command
def main() -> None:
    """A line for each lock, machine and Python; `InputError` if one does not resolve."""
    faults = 0
    for kind, machines in LOCKS.items():
        for machine, python in itertools.product(machines, PYTHONS):
            found = fault(Path(__file__).with_name(f"requirements-{kind}.txt"), machine, python)
            faults += bool(found)
            print(f"{kind:9} Python {python}, {MACHINES[machine]}: {found or 'resolves'}", flush=True)
    if faults:
        raise InputError(f"{faults} do not resolve: pin what has wheels for all of them, and run `make lock`")


if __name__ == "__main__":
    sys.exit(main())
