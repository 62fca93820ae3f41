"""What each convolution does of the machine's best: multiplications and bytes a second."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from styletransfer.benchmarks.measure import Options, begin
from styletransfer.vgg.weights import CHANNELS, DEEPEST_NEEDED

LAYER_SECONDS = 0.3


def measure_layers(options: Options) -> dict[str, Any]:
    """GFLOP/s of each layer, forward, in float32, and its multiplications for each byte.

    Bytes are those that must be moved at least: inputs, kernel and results, each once. The best: products of large
    matrices, and copies of a large array.
    """
    begin(options)
    import tensorflow as tf

    from styletransfer.optim.gradients import WINOGRAD_FROM
    from styletransfer.vgg import winograd

    a = tf.random.stateless_normal((2048, 2048), (0, 1))
    large = tf.random.stateless_normal((2**26,), (0, 2))
    result: dict[str, Any] = {
        "products, GFLOP/s": round(2 * 2048**3 / _best(functools.partial(tf.matmul, a, a)) / 1e9, 1),
        "copies, GB/s": round(2 * 4 * 2**26 / _best(functools.partial(tf.add, large, 1.0)) / 1e9, 2),
    }
    for name, (inputs, outputs) in CHANNELS.items():
        scale = 2 ** (int(name[4]) - 1)
        width, height = (-(-side // scale) for side in options.size)
        x = tf.random.stateless_normal((1, height, width, inputs), (0, 3))
        kernel = tf.random.stateless_normal((3, 3, inputs, outputs), (0, 4))
        operations = 2 * 9 * inputs * outputs * height * width
        moved = 4 * (height * width * (inputs + outputs) + 9 * inputs * outputs)
        result[name] = {"FLOP per byte": round(operations / moved, 1)}
        methods: dict[str, Callable[[Any], Any]] = {
            "direct": functools.partial(tf.nn.conv2d, filters=kernel, strides=1, padding="SAME")
        }
        if inputs * outputs >= WINOGRAD_FROM:
            methods["Winograd"] = winograd.Convolution(winograd.transformed(kernel))
        for method, convolve in methods.items():
            seconds = _best(functools.partial(tf.function(convolve, autograph=False), x))
            result[name][f"{method}, GFLOP/s"] = round(operations / seconds / 1e9, 1)
        if name == DEEPEST_NEEDED:
            break
    return result


def _best(step: Callable[[], object]) -> float:
    """The seconds that it takes when nothing comes between; after a first, which does not count."""
    step()
    taken: list[float] = []
    end = time.perf_counter() + LAYER_SECONDS
    while time.perf_counter() < end or len(taken) < 3:
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    return min(taken)
