"""One picture from its parts, in memory: the network, what takes steps with it, and the optimisation from its start.

TensorFlow is loaded only by what is called: whoever computes leases a device first.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from styletransfer.settings import Settings

if TYPE_CHECKING:
    from styletransfer.optim.loop import Optimization, Stepper
    from styletransfer.optim.losses import Targets
    from styletransfer.vgg.network import VGG19


class Backend(NamedTuple):
    """How the loss and its gradient are computed: `analytic` or by `autodiff`, and whether XLA compiles it."""

    gradient: str
    compiled: bool


# Their results are equal but for rounding.
BACKENDS = {
    "analytic": Backend("analytic", False),
    "autodiff": Backend("autodiff", False),
    "analytic-xla": Backend("analytic", True),
    "autodiff-xla": Backend("autodiff", True),
}
# What `auto` is: see docs/benchmark.md for the CPU and docs/gpus.md for GPUs.
DEFAULT_BACKEND = {"cpu": "analytic", "gpu": "autodiff"}
BACKEND_CHOICES = ("auto", *BACKENDS)
# A GPU takes so many steps per call: at 128 pixels it would wait for Python otherwise. A CPU has nothing to gain.
STEPS_PER_CALL = {"cpu": 1, "gpu": 10}


class Pictures(NamedTuple):
    """(H, W, 3) RGB in 0..255, each at the size that the run wants. initial: None for pure noise."""

    content: np.ndarray
    styles: list[np.ndarray]
    initial: np.ndarray | None


def build(
    weights: Path, pooling: str, kernel_layout: str, used: str, backend: str, steps_per_call: int
) -> tuple[VGG19, Stepper]:
    """A network and what takes steps with it. used: the precision. backend: one of `BACKENDS`."""
    from styletransfer.optim import gradients, loop, losses
    from styletransfer.vgg.formats import load
    from styletransfer.vgg.network import VGG19

    gradient, compiled = BACKENDS[backend]
    network = VGG19(load(weights), pooling, kernel_layout, used, compiled)
    loss = gradients.AnalyticGradient(network) if gradient == "analytic" else losses.AutodiffGradient(network)
    return network, loop.Stepper(loss, compiled, steps_per_call)


def begin(settings: Settings, network: VGG19, stepper: Stepper, targets: Targets, pictures: Pictures) -> Optimization:
    """The optimisation of a run, from its start."""
    from styletransfer.optim import loop

    initial = None if pictures.initial is None else network.preprocess(pictures.initial).numpy()
    start = loop.starting_image(settings, initial, pictures.content.shape)
    return loop.Optimization(stepper, targets, settings, start)
