"""What the engine computes with in tests: a network small enough for finite differences, settings, noise."""

import numpy as np

from styletransfer.settings import Artifact, Settings
from styletransfer.vgg.weights import Weights

CHANNELS = {"1": 3, "2": 4, "3": 4, "4": 5, "5": 5}


def small_weights():
    """A VGG-19 with a handful of channels per block."""
    from styletransfer.vgg.network import CONVOLUTIONS  # loads TensorFlow

    rng = np.random.default_rng(7)
    kernels, biases, before = {}, {}, 3
    for name in CONVOLUTIONS:
        after = CHANNELS[name[0]]
        kernels[f"conv{name}"] = rng.normal(0, 0.4, (3, 3, before, after)).astype(np.float32)
        biases[f"conv{name}"] = rng.normal(0, 0.4, after).astype(np.float32)
        before = after
    return Weights(kernels, biases, "BGR", (103.9, 116.8, 123.7), {"name": "small"}, "0")


def settings(**values):
    file = Artifact("a", "b")
    styles = values.pop("styles", 1)
    return Settings(content=file, styles=(file,) * styles, weights=file, **values)


def pictures(size, styles):
    rng = np.random.default_rng(11)
    content = rng.uniform(0, 255, (*size, 3)).astype(np.float32)
    return content, [rng.uniform(0, 255, (24, 31, 3)).astype(np.float32) for _ in range(styles)]
