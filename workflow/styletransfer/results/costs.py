"""What a run costs by the model: seconds and memory, a line in pixels for each kind of device and way to compute.

This is the one place of its formulas and of what was measured for them; docs/estimates.md tells how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from styletransfer.devices import precision


class Way(NamedTuple):
    """How a run computes: on `cpu` or `gpu`, by which gradient (`optim.stylize.BACKENDS`), in which number format."""

    kind: str
    gradient: str
    precision: str


class Cost(NamedTuple):
    """What one way takes on one core, or one GPU.

    evaluation: seconds of each evaluation of the loss, however small the picture. pixels: of each million pixels in it.
    look: of each million pixels of content and styles, which are looked at once. memory, pixel_memory: MB (10^6 bytes)
    of the process, and of each million pixels of its result.
    """

    evaluation: float
    pixels: float
    look: float
    memory: float
    pixel_memory: float


# Measured on one core of an AMD EPYC (Zen 5, AVX-512), from 64 x 43 to 1024 x 1064 pixels.
COSTS = {
    Way("cpu", "analytic", "float32"): Cost(0.018, 3.95, 7.0, 900, 2250),
    Way("cpu", "analytic", "bfloat16"): Cost(0.016, 3.2, 2.5, 700, 1080),
    Way("cpu", "autodiff", "float32"): Cost(0.014, 7.05, 4.0, 800, 2100),
    Way("cpu", "autodiff", "bfloat16"): Cost(0.017, 3.75, 2.5, 750, 2000),
}
# Not measured. A P100 is said to take a minute for 1000 evaluations of 512 x 512 pixels. Memory is the host's.
GPU_COST = Cost(0.005, 0.21, 0.5, 4000, 500)
# Above so many million pixels the analytic gradient is computed in bands (`vgg.bands`): its memory then, as in `Cost`.
# Measured from 1200 x 1200 to 4096 x 2731 pixels.
BANDS_ABOVE, BANDS_MEMORY, BANDS_PIXEL_MEMORY = 2**20 / 1e6, 1750.0, 790.0
# What L-BFGS adds for each million pixels, in seconds and MB: it goes twice through 40 vectors as long as the picture,
# of very large ones through fewer.
LBFGS_SECONDS, LBFGS_MEMORY, LBFGS_MOST_MEMORY = {"cpu": 0.4, "gpu": 0.02}, 700.0, 1700.0
# MB of a look at a million pixels of a style, before the first evaluation.
STYLE_MEMORY = 500.0
# How many times as long a core takes that has no more than these instructions; measured with oneDNN limited to them.
SLOWER = {"avx2": 1.8, "avx": 2.6}
# Two threads are 1.8 times as fast as one.
THREADS_EXPONENT = 0.85
# Seconds until a process begins its first run; of that run beside looks and evaluations, TensorFlow's start and traced
# graphs; of any later run of the process. Those of GPUs are not measured.
PROCESS_SECONDS = 0.5
START_SECONDS = {"cpu": 1.9, "gpu": 8.0}
LATER_SECONDS = 0.3


@dataclass(frozen=True)
class Work:
    """What a run has to do, and what that takes by the model.

    Args:
        way: how it computes.
        optimizer: `adam` or `lbfgs`; each step is one evaluation of the loss with either.
        pixels: of its result, in millions.
        looked_at: of its content and styles together, in millions.
        style: of the largest style, in millions.
        threads: of the CPU.
    """

    way: Way
    optimizer: str
    pixels: float
    looked_at: float
    style: float
    threads: int = 1

    @property
    def cost(self) -> Cost:
        """The coefficients."""
        return COSTS.get(self.way, GPU_COST)

    @property
    def evaluation_seconds(self) -> float:
        """Of one evaluation and step."""
        lbfgs = LBFGS_SECONDS[self.way.kind] if self.optimizer == "lbfgs" else 0.0
        return self._slower * (self.cost.evaluation + (self.cost.pixels + lbfgs) * self.pixels)

    @property
    def look_seconds(self) -> float:
        """Until it is known what the result is compared with."""
        return self._slower * self.cost.look * self.looked_at

    @property
    def memory_mb(self) -> float:
        """Of the process, at its peak; in MB (10^6 bytes)."""
        lbfgs = min(LBFGS_MEMORY * self.pixels, LBFGS_MOST_MEMORY) if self.optimizer == "lbfgs" else 0.0
        whole, bands = self.pixels, 0.0
        if self.way[:2] == ("cpu", "analytic") and self.pixels > BANDS_ABOVE:
            whole, bands = BANDS_ABOVE, BANDS_MEMORY + BANDS_PIXEL_MEMORY * self.pixels
        result = max(self.cost.memory + self.cost.pixel_memory * whole, bands) + lbfgs
        return max(result, self.cost.memory + STYLE_MEMORY * self.style)

    @property
    def _slower(self) -> float:
        if self.way.kind == "gpu":
            return 1.0
        return SLOWER.get(precision.cpu_instructions(), 1.0) / self.threads**THREADS_EXPONENT
