"""How the terms of the loss are weighted, summed and named (Gatys et al. 2015, eq. 7): numbers, no TensorFlow.

The weights of a run form one vector over `TERMS`; the total loss is its product with the unweighted terms that `losses`
computes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from styletransfer.settings import Settings

CONTENT_LAYERS = ("relu4_2", "relu5_2")
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
TERMS = (
    *(f"content_{layer}" for layer in CONTENT_LAYERS),
    *(f"style_{layer}" for layer in STYLE_LAYERS),
    "tv",
)
# The names under which losses are reported: sums of terms.
LOSSES = ("content", "style", "tv", "total")
# Parameters that weigh the terms against each other, and those that change what a term measures: losses of two runs
# compare only where the latter are equal. All others decide how well the loss is minimised.
WEIGHTS = ("content_weight", "style_weight", "tv_weight")
LOSS_DEFINITION = (
    *("content_weight_blend", "style_scales", "style_blend_weights", "style_layer_weight_exp"),
    *("width", "pooling", "kernel_layout"),
)


@dataclass(frozen=True)
class Evaluation:
    """What the loss saw of the image after some steps.

    Args:
        iteration: the number of steps.
        terms: (8,) float32, in the order of `TERMS`.
        finite: whether the total loss is finite.
        best: whether it is the lowest so far.
    """

    iteration: int
    terms: np.ndarray
    finite: bool
    best: bool


def layer_weights(exponent: float, layers: int = len(STYLE_LAYERS)) -> np.ndarray:
    """Weights of successive style layers: proportional to exponent^k, sum 1 (0^0 = 1).

    Args:
        exponent: `style_layer_weight_exp`.
        layers: how many.

    Returns:
        (layers,) float64.
    """
    powers = np.float64(exponent) ** np.arange(layers)
    return powers / powers.sum()


def term_scales(settings: Settings) -> np.ndarray:
    """What each term is of its unweighted loss (content, style, tv): (8,) float64 in the order of `TERMS`."""
    blend = settings.content_weight_blend
    return np.concatenate([[blend, 1 - blend], layer_weights(settings.style_layer_weight_exp), [1.0]])


def weights(settings: Settings) -> np.ndarray:
    """The weight of each term in the total loss: (8,) float64 in the order of `TERMS`."""
    factors = [settings.content_weight] * len(CONTENT_LAYERS) + [settings.style_weight] * len(STYLE_LAYERS)
    return term_scales(settings) * np.array([*factors, settings.tv_weight])


def named_losses(values: np.ndarray, settings: Settings) -> dict[str, float]:
    """Losses by name from the terms of one evaluation; computed in float64.

    Args:
        values: (8,), in the order of `TERMS`.
        settings: the weights.

    Returns:
        The weighted losses under the names of `LOSSES`, and all but the total as `*_unweighted`.
    """
    values = np.asarray(values, np.float64)
    losses: dict[str, float] = {}
    for suffix, factors in (("", weights(settings)), ("_unweighted", term_scales(settings))):
        parts = factors * values
        losses[f"content{suffix}"] = float(parts[: len(CONTENT_LAYERS)].sum())
        losses[f"style{suffix}"] = float(parts[len(CONTENT_LAYERS) : -1].sum())
        losses[f"tv{suffix}"] = float(parts[-1])
    losses["total"] = losses["content"] + losses["style"] + losses["tv"]
    return losses
