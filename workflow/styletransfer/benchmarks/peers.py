"""The textbook's step in PyTorch, which is installed into an environment of its own and computes in a process there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from styletransfer.benchmarks.measure import Options, pictures
from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.vgg import formats

MEAN = 117.0
PROGRAM = Path(__file__).with_name("pytorch_step.py")


def environment(folder: Path, requirement: str) -> Path:
    """The Python of an environment that has PyTorch; made with pip, and kept for the next time.

    Args:
        folder: of the environment.
        requirement: what pip is to install, such as `torch`.

    Raises:
        InputError: if pip cannot install it; then there is no environment.
    """
    python, installed = folder / "bin/python", folder / "installed"
    if installed.exists() and installed.read_text(encoding="utf-8") == requirement:
        return python
    print(f"installing {requirement} into {folder}: some minutes, and gigabytes where it comes with CUDA", flush=True)
    for words in (["-m", "venv", "--clear", str(folder)], ["-m", "pip", "install", "--quiet", requirement, "numpy"]):
        command = [sys.executable if "venv" in words else str(python), *words]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise InputError(
                f"{' '.join(command)} failed: {done.stdout.strip()[-1000:]}\nPyTorch is measured only where pip can "
                "install it: set pip's index, or name another wheel with --pytorch"
            )
    atomic.write_text(installed, requirement)
    return python


class Step:
    """One iteration in PyTorch, by a process that takes one when it is told to.

    Args:
        options: with the Python that has PyTorch.
        layout: of `pytorch_step.LAYOUTS`.
    """

    def __init__(self, options: Options, layout: str) -> None:
        assert options.pytorch is not None
        threads = str(options.threads or os.cpu_count())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "arrays.npz")
            np.savez(path, **_arrays(options))
            self._process = subprocess.Popen(
                [str(options.pytorch), str(PROGRAM), str(path), layout, threads],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._answer()

    def __call__(self) -> float:
        """Take a step; returns the loss before it."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._answer())

    def end(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            raise InputError("the process with PyTorch ended: see above. Remove its environment to install it again")
        return line


def pytorch_step(layout: str) -> Callable[[Options], Callable[[], object]]:
    """One iteration in PyTorch, ready to be called."""
    return lambda options: Step(options, layout)


def _arrays(options: Options) -> dict[str, Any]:
    """What `pytorch_step.textbook_step` computes with."""
    weights = formats.load(options.weights)
    order = slice(None, None, -1 if weights.channel_order == "BGR" else 1)
    content, style = ((picture - MEAN).astype(np.float32)[..., order] for picture in pictures(*options.size))
    kernels = {f"kernel_{name[4:]}": kernel for name, kernel in weights.kernels.items()}
    biases = {f"bias_{name[4:]}": bias for name, bias in weights.biases.items()}
    return {"content": content, "style": style, **kernels, **biases}
