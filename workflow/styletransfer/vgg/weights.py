"""What VGG-19 weights are, and whether they are: names, shapes, finite values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from styletransfer.errors import InputError

Value = TypeVar("Value")

KERNEL_SIZE = 3
CHANNELS = {
    **{"conv1_1": (3, 64), "conv1_2": (64, 64)},
    **{"conv2_1": (64, 128), "conv2_2": (128, 128)},
    **{"conv3_1": (128, 256), "conv3_2": (256, 256), "conv3_3": (256, 256), "conv3_4": (256, 256)},
    **{"conv4_1": (256, 512), "conv4_2": (512, 512), "conv4_3": (512, 512), "conv4_4": (512, 512)},
    **{"conv5_1": (512, 512), "conv5_2": (512, 512), "conv5_3": (512, 512), "conv5_4": (512, 512)},
}
# No loss looks at anything behind relu5_2.
DEEPEST_NEEDED = "conv5_2"
# Above it are four poolings, each of which halves both sides: of fewer pixels nothing would be left to look at there.
SMALLEST_SIDE = 16


class OnDemand(Mapping[str, Value]):
    """Values by names of layers: the names are known, a value is made when it is asked for.

    Args:
        names: of the layers.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __contains__(self, name: object) -> bool:  # that of Mapping makes the value
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class Network:
    """The numbers of a network: kernels (3, 3, in, out) and biases (out,), float32, by names such as `conv4_2`.

    Args:
        kernels: (3, 3, in, out), by layer; of a file of the inner format each is read whenever it is asked for.
        biases: (out,), by layer.
        channel_order: `RGB` or `BGR`, of conv1_1's input and the mean.
        mean: the pixel (0..255) to subtract from a picture.
    """

    kernels: Mapping[str, np.ndarray]
    biases: Mapping[str, np.ndarray]
    channel_order: str
    mean: tuple[float, float, float]


@dataclass(frozen=True)
class Weights(Network):
    """A network and where it came from.

    Args:
        source: plain strings for records.
        sha256: of the file that was read.
        original: checksum of the file that the one that was read was converted from; empty if it was not.
    """

    source: dict[str, str]
    sha256: str
    original: str = ""


def check(
    network: Network,
    origin: str | Path,
    channels: Mapping[str, tuple[int, int]] = CHANNELS,
    needed: str = DEEPEST_NEEDED,
) -> Network:
    """The network as contiguous float32, if it is what it should be: no gap, right shapes, finite values, a sane mean.

    Kernels that are not in memory stay where they are.

    Args:
        network: as it was read.
        origin: of the numbers, for messages.
        channels: layer -> (in, out), in order.
        needed: the deepest layer that must be there.

    Raises:
        InputError: names origin, layer, what was expected and what was found.
    """
    names = list(channels)
    deepest = max([names.index(needed), *(names.index(name) for name in network.kernels)])
    in_memory = isinstance(network.kernels, dict)
    kernels: dict[str, np.ndarray] = {}
    biases: dict[str, np.ndarray] = {}
    for name in names[: deepest + 1]:
        inputs, outputs = channels[name]
        shape = (KERNEL_SIZE, KERNEL_SIZE, inputs, outputs)
        kernel = _check_array(network.kernels.get(name), shape, f"weights {origin}: kernel of {name}")
        if in_memory:
            kernels[name] = kernel
        biases[name] = _check_array(network.biases.get(name), (outputs,), f"weights {origin}: bias of {name}")
    if network.channel_order not in ("RGB", "BGR"):
        raise InputError(f"weights {origin}: channel order: expected RGB or BGR, found {network.channel_order!r}")
    found = kernels if in_memory else network.kernels
    return Network(found, biases, network.channel_order, _check_mean(network.mean, origin))


def _check_array(array: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    expected = f"expected {' x '.join(map(str, shape))}"
    if array is None:
        raise InputError(f"{what}: {expected}, found none. Is this a VGG-19?")
    array = np.asarray(array)
    if array.shape != shape:
        found = " x ".join(map(str, array.shape)) or "a single value"
        raise InputError(f"{what}: {expected}, found {found}. Is this a VGG-19?")
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"{what}: expected floating-point numbers, found {array.dtype}")
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(array).all():
        raise InputError(f"{what}: expected finite numbers, found {np.count_nonzero(~np.isfinite(array))} that are not")
    return array


def _check_mean(mean: Sequence[Any], origin: str | Path) -> tuple[float, float, float]:
    values = tuple(mean)
    numbers = [value for value in values if isinstance(value, int | float) and 0 <= value <= 255]
    if len(values) != 3 or len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise InputError(f"weights {origin}: mean pixel: expected three numbers from 0 to 255, found {values}")
    return float(values[0]), float(values[1]), float(values[2])
