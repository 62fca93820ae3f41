"""Layers of VGG-19 that a loss looks at, with a weight each, as a setting: `relu1_1+relu2_1=0.5`.

Only the ratio of the weights counts, so the largest is 1 and is left out; a layer of weight 0 is left out as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from styletransfer.errors import InputError

LAYERS = (
    *("relu1_1", "relu1_2"),
    *("relu2_1", "relu2_2"),
    *("relu3_1", "relu3_2", "relu3_3", "relu3_4"),
    *("relu4_1", "relu4_2", "relu4_3", "relu4_4"),
    *("relu5_1", "relu5_2", "relu5_3", "relu5_4"),
)
REMEDY = "name layers from relu1_1 to relu5_4, such as relu1_1+relu2_1=0.5"
# Between layers, but not within a weight such as 1e+3.
SEPARATOR = re.compile(r"[\s+]+(?=[^\W\d])")


def weights_of(text: str) -> dict[str, float]:
    """The weight of each layer, in the network's order, from the text that `written` makes."""
    parts = (part.partition("=") for part in text.split("+"))
    return {layer: float(weight or 1) for layer, _, weight in parts}


def written(name: str, value: Any) -> str:
    """Layers and their weights in the one form that they have as a setting.

    Args:
        name: of the setting, for messages.
        value: text such as `relu1_1 relu2_1=0.5` or with `+` between, a list of such words, or a mapping from layer to
            weight.

    Raises:
        InputError: for what is no layer, a layer named twice, a bad weight, or if no layer has a weight above 0.
    """
    found: dict[str, float] = {}
    for layer, weight in _pairs(name, value):
        if layer not in LAYERS:
            raise InputError(f"{name} names {layer!r}, which is no layer after a ReLU of VGG-19: {REMEDY}")
        if layer in found:
            raise InputError(f"{name} names {layer} twice: keep one of them")
        found[layer] = _weight(f"{name}: the weight of {layer}", weight)
    largest = max(found.values(), default=0)
    if not largest:
        raise InputError(f"{name} is {value!r}: at least one layer needs a weight above 0")
    shares = {layer: f"{found[layer] / largest:.12g}" for layer in LAYERS if found.get(layer)}
    return "+".join(layer if share == "1" else f"{layer}={share}" for layer, share in shares.items() if share != "0")


def _pairs(name: str, value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return value.items()
    words = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(word, str) for word in words):
        raise InputError(f"{name} is {value!r}: {REMEDY}")
    parts = [part.partition("=") for word in words for part in SEPARATOR.split(word.strip()) if part]
    return [(layer.strip(), weight if sign else 1) for layer, sign, weight in parts]


def _weight(what: str, value: Any) -> float:
    try:
        weight = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        weight = float("nan")
    except OverflowError:
        weight = float("inf")
    if not 0 <= weight < float("inf"):
        raise InputError(f"{what} is {value!r}: it must be a number, at least 0")
    return weight
