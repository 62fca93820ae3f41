"""What is measured of every run: one list for tables, figures and the explorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from styletransfer.optim import terms


@dataclass(frozen=True)
class Measure:
    """Something that is measured of a run.

    column: where the table of runs has it. unit: empty for losses, which have none. better: which end is the good one.
    within: the columns of that table in which two runs must agree for their numbers to compare.
    """

    name: str
    title: str
    column: str
    within: tuple[str, ...]
    unit: str = ""
    better: Literal["lower", "higher"] = "lower"


# Other layers, scales or sizes make a loss another quantity, and other weights a total another sum.
_LOSS = ("pair", *terms.LOSS_DEFINITION)
# They compare whatever made the pictures.
STYLE_REACHED = Measure("style_reached", "style reached", "style_reached", ("pair",), better="higher")
CONTENT_KEPT = Measure("content_kept", "content kept", "content_kept", ("pair",), better="higher")
RULERS = (STYLE_REACHED, CONTENT_KEPT)
# Losses are those of the picture that a run keeps. Weights would only scale the first three.
CONTENT = Measure("content_loss", "content loss", "best_content_unweighted", _LOSS)
STYLE = Measure("style_loss", "style loss", "best_style_unweighted", _LOSS)
TV = Measure("tv_loss", "tv loss", "best_tv_unweighted", _LOSS)
TOTAL = Measure("total_loss", "total loss, weighted", "best_total", (*_LOSS, *terms.WEIGHTS))
SECONDS = Measure("time", "time", "seconds", ("device",), "s")
UNWEIGHTED = (CONTENT, STYLE, TV)
MEASURES = (*RULERS, *UNWEIGHTED, TOTAL, SECONDS)
