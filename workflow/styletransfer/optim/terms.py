"""How the terms of the loss are weighted, summed and named (Gatys et al. 2015, eq. 7): numbers, no TensorFlow.

The weights of a run form one vector over the `names` of its terms; the total loss is its product with the unweighted
terms that `losses` computes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from styletransfer.layers import weights_of
from styletransfer.settings import REST_LAYER, Settings

# The names under which losses are reported: sums of terms.
LOSSES = ("content", "style", "tv", "total")
# Parameters that weigh the terms against each other, and those that change what a term measures: losses of two runs
# compare only where the latter are equal. All others decide how well the loss is minimised.
WEIGHTS = ("content_weight", "style_weight", "tv_weight")
LOSS_DEFINITION = (
    *("content_layers", "content_weight_blend"),
    *("style_layers", "style_scales", "style_blend_weights", "style_layer_weight_exp"),
    *("width", "pooling", "kernel_layout", "colors"),
)


@dataclass(frozen=True)
class Evaluation:
    """What the loss saw of the image after some steps.

    Args:
        iteration: the number of steps.
        terms: (terms,) float32, in the order of their `names`.
        finite: whether the total loss is finite.
        best: whether it is the lowest so far.
    """

    iteration: int
    terms: np.ndarray
    finite: bool
    best: bool


def content_shares(settings: Settings) -> dict[str, float]:
    """The share of each content layer, in the network's order, sum 1; relu5_2 is there even if nothing is left for it.

    Its own weight is beside what `content_weight_blend` leaves.
    """
    weights, blend = weights_of(settings.content_layers), settings.content_weight_blend
    whole = math.fsum(weights.values())
    shares = {layer: blend * (weight / whole) for layer, weight in weights.items()}
    shares[REST_LAYER] = shares.get(REST_LAYER, 0) + (1 - blend)
    return dict(sorted(shares.items()))


def style_shares(settings: Settings) -> dict[str, float]:
    """The share of each style layer, in the network's order: its weight times exponent^k for the kth, sum 1.

    0^0 is 1: exponent 0 leaves the first alone.
    """
    weights = weights_of(settings.style_layers)
    powers = np.float64(settings.style_layer_weight_exp) ** np.arange(len(weights)) * list(weights.values())
    return dict(zip(weights, powers / powers.sum(), strict=True))


def layers(settings: Settings) -> tuple[str, ...]:
    """All that are looked at, such as `relu4_2`."""
    return (*content_shares(settings), *style_shares(settings))


def names(settings: Settings) -> tuple[str, ...]:
    """The terms of a run's loss, such as `content_relu4_2`, `style_relu1_1`, `tv`; content first."""
    content = (f"content_{layer}" for layer in content_shares(settings))
    return (*content, *(f"style_{layer}" for layer in style_shares(settings)), "tv")


def term_scales(settings: Settings) -> np.ndarray:
    """What each term is of its unweighted loss (content, style, tv): (terms,) float64 in the order of their `names`."""
    return np.array([*content_shares(settings).values(), *style_shares(settings).values(), 1.0])


def weights(settings: Settings) -> np.ndarray:
    """The weight of each term in the total loss: (terms,) float64 in the order of their `names`."""
    losses = {"content": settings.content_weight, "style": settings.style_weight, "tv": settings.tv_weight}
    return term_scales(settings) * [losses[name.partition("_")[0]] for name in names(settings)]


def named_losses(values: np.ndarray, settings: Settings) -> dict[str, float]:
    """Losses by name from the terms of one evaluation; computed in float64.

    Args:
        values: (terms,), in the order of their `names`.
        settings: the weights.

    Returns:
        The weighted losses under the names of `LOSSES`, and all but the total as `*_unweighted`.
    """
    values = np.asarray(values, np.float64)
    losses: dict[str, float] = {}
    content = len(content_shares(settings))
    for suffix, factors in (("", weights(settings)), ("_unweighted", term_scales(settings))):
        parts = factors * values
        losses[f"content{suffix}"] = float(parts[:content].sum())
        losses[f"style{suffix}"] = float(parts[content:-1].sum())
        losses[f"tv{suffix}"] = float(parts[-1])
    losses["total"] = losses["content"] + losses["style"] + losses["tv"]
    return losses
