"""One picture from its parts, in memory: the network, what takes steps with it, and the optimisation from its start.

TensorFlow is loaded only by what is called: whoever computes leases a device first.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from styletransfer.devices import autotune
from styletransfer.settings import Settings

if TYPE_CHECKING:
    from styletransfer.optim.loop import Optimization, Stepper
    from styletransfer.optim.losses import Targets
    from styletransfer.vgg.network import VGG19


class Pictures(NamedTuple):
    """(H, W, 3) RGB in 0..255, each at the size that the run wants. initial: None for pure noise."""

    content: np.ndarray
    styles: list[np.ndarray]
    initial: np.ndarray | None


def build(
    weights: Path, pooling: str, kernel_layout: str, used: str, path: str, steps_per_call: int
) -> tuple[VGG19, Stepper]:
    """A network and what takes steps with it. used: the precision. path: one of `autotune.WAYS`."""
    from styletransfer.optim import gradients, loop, losses
    from styletransfer.vgg.formats import load
    from styletransfer.vgg.network import VGG19

    way = autotune.WAYS[path]
    network = VGG19(load(weights), pooling, kernel_layout, used, way.compiled)
    loss = gradients.AnalyticGradient(network) if way.gradient == "fast" else losses.AutodiffGradient(network)
    return network, loop.Stepper(loss, way.compiled, steps_per_call)


def begin(settings: Settings, network: VGG19, stepper: Stepper, targets: Targets, pictures: Pictures) -> Optimization:
    """The optimisation of a run, from its start."""
    from styletransfer.optim import loop

    initial = None if pictures.initial is None else network.preprocess(pictures.initial).numpy()
    start = loop.starting_image(settings, initial, pictures.content.shape)
    return loop.Optimization(stepper, targets, settings, start)
