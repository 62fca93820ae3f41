"""What all measurements share: their pictures and runs, the machine, and numbers of several rounds.

Figures on a shared machine are noisy: what is compared takes turns within one measurement, and medians are quoted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from styletransfer.devices import lease, precision, tf_setup
from styletransfer.errors import InputError
from styletransfer.images import generated
from styletransfer.images.io import read_image
from styletransfer.images.resize import resize, to_uint8
from styletransfer.images.samples import sample_file
from styletransfer.optim import terms
from styletransfer.optim.stylize import Engine, build, fit, resolve
from styletransfer.settings import Settings
from styletransfer.vgg import formats

if TYPE_CHECKING:
    from styletransfer.optim.loop import Optimization

# The checkout: some measurements start its workflow.
ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "styletransfer"]
STUDY_DEFAULTS: dict[str, Any] = {
    "content_weight": 1,
    "content_weight_blend": 0.2,
    "style_weight": 10,
    "tv_weight": 100,
    "learning_rate": 10,
}
# A round takes so many pixels through an iteration, if 20 iterations do: short rounds are all noise.
ROUND_PIXELS = 400_000
# Seconds to wait for a GPU that another process has.
DEVICE_WAIT = 60.0
NO_TIME = "no time left"


@dataclass(frozen=True)
class Options:
    """What a measurement is about.

    Args:
        weights: a file of weights.
        width: of the picture in pixels.
        height: likewise; None for 26 / 25 of the width.
        iterations: of a round, or of a run; None for 3, or more for small pictures.
        rounds: how often everything is measured.
        threads: of the CPU; None for all cores.
        device: `cpu` or `gpu`.
        slots: how many processes share the GPU.
        pytorch: a Python that has PyTorch, if it is measured, too.
    """

    weights: Path
    width: int = 512
    height: int | None = None
    iterations: int | None = None
    rounds: int = 5
    threads: int | None = None
    device: str = "cpu"
    slots: int = 1
    pytorch: Path | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.width, self.height or self.width * 26 // 25

    @property
    def steps(self) -> int:
        """Iterations of a round or a run."""
        width, height = self.size
        return self.iterations or min(max(3, ROUND_PIXELS // (width * height)), 20)


def pictures(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Content and style, uint8 RGB, (height, width, 3) and (width, width, 3): a photograph and a painting."""
    content = resize(read_image(sample_file("astronaut")), width, height)
    return to_uint8(content), generated.paint("glass", width, width).astype(np.uint8)


def study_settings(**values: Any) -> Settings:
    """The study's default run, with other values."""
    return Settings(**(STUDY_DEFAULTS | values))


def begin(options: Options, backend: str = "analytic") -> None:
    """Load TensorFlow on a device that this process then has until it ends. Raises `InputError` if it gets none."""
    _begin(options.device, options.slots, options.threads, backend)


@functools.cache
def _begin(device: str, slots: int, threads: int | None, backend: str) -> contextlib.ExitStack:
    with contextlib.ExitStack() as on_failure:
        leased = on_failure.enter_context(lease.lease(device, DEVICE_WAIT, slots))
        tf_setup.load_tensorflow(threads, leased, slots, backend)
        return on_failure.pop_all()


class Workbench:
    """Runs of the engine in this process, which share what is equal. Loads TensorFlow."""

    def __init__(self, options: Options, backend: str = "analytic") -> None:
        begin(options, backend)
        self._weights = formats.load(options.weights)
        self.pictures = pictures(*options.size)
        self._engines: dict[tuple[str, str], Engine] = {}

    def engine(self, settings: Settings, backend: str = "analytic") -> Engine:
        """What computes runs of these settings' precision."""
        key = settings.precision, backend
        if key not in self._engines:
            self._engines[key] = build(self._weights, settings, resolve(settings, backend))
        return self._engines[key]

    def optimization(self, settings: Settings, backend: str = "analytic") -> Optimization:
        """A run on the pictures of the benchmarks."""
        engine, (content, style) = self.engine(settings, backend), self.pictures
        fitted = fit(settings, content, [style])
        return engine.begin(settings, engine.targets(settings, fitted), fitted)

    def loss_of(self, settings: Settings) -> Callable[[np.ndarray], float]:
        """The total loss of an image, less the mean pixel, in float32 whatever precision it was made in."""
        # It takes a step after each evaluation: there must always be one left.
        exact = dataclasses.replace(settings, precision="float32", optimizer="adam", iterations=10**7)
        optimization = self.optimization(exact)

        def total(image: np.ndarray) -> float:
            optimization.place(image)
            return terms.named_losses(next(optimization.run()).terms, exact)["total"]

        return total


def is_possible(name: str) -> bool:
    """Whether this CPU computes in the number format that a name says; others would be refused as runs."""
    return "bfloat16" not in name or "bfloat16" in precision.cpu_formats()


def ratio(seconds: Sequence[float], others: Sequence[float]) -> float:
    """The median over rounds: what slows the machine down slows neighbours in time alike."""
    return round(statistics.median(a / b for a, b in zip(seconds, others, strict=True)), 3)


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Median and range."""
    low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
    return {"median": round(middle, 2), "fastest": round(low, 2), "slowest": round(high, 2)}


def seconds_of(words: Sequence[Any], limit: float | None = None) -> float:
    """Wall time of a command.

    Args:
        words: the command.
        limit: seconds that it may take; then it is killed, with all that it has started.

    Raises:
        InputError: with the end of what it said if it fails, or was killed.
    """
    began = time.perf_counter()
    with started(words) as process:
        finish(process, words, limit)
    return time.perf_counter() - began


@contextlib.contextmanager
def started(words: Sequence[Any]) -> Iterator[subprocess.Popen[str]]:
    """A command that runs for the block at most: what is left of it and of what it has started is killed then."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = os.environ | {"PATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command, pipe = list(map(str, words)), subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def finish(process: subprocess.Popen[str], words: Sequence[Any], limit: float | None = None) -> None:
    """Wait for a command. Raises `InputError` as `seconds_of` does."""
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{NO_TIME}: it was ended after {limit:.0f} s") from error
    if process.returncode:
        raise InputError(f"{' '.join(map(str, words))} failed:\n{output[-3000:]}")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cpu": precision.cpu_name(),
        "bfloat16 by": ", ".join(sorted(precision.cpu_flags() & precision.CPU_FLAGS)) or "nothing",
        "instructions": precision.usable_instructions(),
        "cores": os.cpu_count(),
        "memory, GiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "tensorflow": tf_setup.version(),
    }
