"""What parameters do to a measure, alone and two together: a Gaussian process of all runs, and how far to trust it.

The model is a sum of what each parameter does alone and of what two do together; each is a share of the variance of the
measure over the space of the study. What it predicts of runs that it has not seen decides whether it says anything.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from styletransfer.analysis.measures import MEASURES, Measure
from styletransfer.analysis.process import Drawn, Process, curve_places, evenly
from styletransfer.analysis.space import PAIR, Axis, Space

# These compare over all settings, so that one model has all runs.
MODELLED = tuple(measure for measure in MEASURES if measure.within == (PAIR,))
# The share of the variance of runs left out that a model must predict, or it says nothing.
PREDICTS = 0.5
# What has less of the variance than this does not matter.
LEAST_SHARE = 0.02
LEAST_RUNS = 8
# A model rests on so many runs at most, drawn at random.
USED = 1000
INTERVAL = (0.05, 0.95)

Verdict = Literal["matters", "does not matter", "act together", "do not act together", "undecided", "cannot be told"]


@dataclass(frozen=True)
class Share:
    """Of the variance of a measure over the space, within a pair of pictures: the median, and a 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """The mean of a measure along one axis, with a 90 % interval.

    Over the space of the others; those that no run varies together with it are at what most runs have, in a star the
    default.
    """

    values: tuple[Any, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Effect:
    """What one parameter does: `alone`, and in `total`, with all that it does together with others."""

    parameter: str
    kind: str
    total: Share
    alone: Share
    verdict: Verdict
    curve: Curve


@dataclass(frozen=True)
class Line:
    """The mean of a measure along the first of two parameters, where the other is `at` a value."""

    at: Any
    values: tuple[Any, ...]
    mean: tuple[float, ...]


@dataclass(frozen=True)
class Together:
    """What two parameters do together, beyond what each does alone.

    Args:
        parameters: two; the other may be `pair`, the pictures.
        runs: how many vary both.
        share: None where too few do.
        lines: of two that act together.
    """

    parameters: tuple[str, str]
    runs: int
    share: Share | None
    verdict: Verdict
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Response:
    """What a study's parameters do to one measure.

    Args:
        measure: its name.
        runs: how many the model rests on.
        predicts: the share of the variance within pairs of pictures that is predicted of runs left out; None without
            a model.
        reason: why nothing is said; empty where something is.
        noise: standard deviation of what the model leaves, in the measure's unit.
        effects: of the parameters, the largest first.
        pairs: of parameters, the largest first; with `pair` for what is not alike for all pictures.
    """

    measure: str
    runs: int
    predicts: float | None
    reason: str
    noise: float | None = None
    effects: tuple[Effect, ...] = ()
    pairs: tuple[Together, ...] = ()


def responses(runs: pd.DataFrame, measures: Sequence[Measure] = MODELLED) -> list[Response]:
    """What the parameters do to each measure.

    Args:
        runs: the table of a study's runs.
        measures: each must compare over all settings.
    """
    good = runs[runs["status"] == "ok"].drop_duplicates([PAIR, "run_id"])
    return [response(good[good[measure.column].notna()], measure) for measure in measures]


def response(runs: pd.DataFrame, measure: Measure) -> Response:
    """What the parameters do to one measure. runs: different ones, each with that measure."""
    from threadpoolctl import threadpool_limits

    space = Space.of(runs)
    known = runs.dropna(subset=space.names)
    if len(known) < LEAST_RUNS:
        return Response(measure.name, len(known), None, f"{len(known)} runs are too few: it takes {LEAST_RUNS}")
    if not any(axis.name != PAIR for axis in space.axes):
        return Response(measure.name, len(known), None, "no parameter varies")
    known = known.iloc[evenly(len(known), USED)]
    values = known[measure.column].to_numpy(float)
    if known.groupby(PAIR)[measure.column].agg(np.ptp).max() < 1e-9 * max(1.0, np.abs(values).max()):
        return Response(measure.name, len(known), None, "it is the same in all runs")
    with threadpool_limits(1):  # several threads would only wait for each other, and round in another order
        process = Process(space, space.code(known), values)
        drawn = Drawn(process)
        predicts = process.predicts()
    told = predicts >= PREDICTS
    missing = (
        f"the model predicts {100 * max(predicts, 0):.0f} % of the variance of runs left out, less than "
        f"{100 * PREDICTS:.0f} %"
    )
    effects, pairs = _effects(process, drawn, told), _pairs(process, drawn, told)
    return Response(measure.name, len(known), predicts, "" if told else missing, process.noise, effects, pairs)


def _effects(process: Process, drawn: Drawn, told: bool) -> tuple[Effect, ...]:
    """What each parameter does, the largest first. told: whether the model predicts, else all is undecided."""
    total = _total(process, drawn)
    effects = []
    for at, axis in enumerate(process.axes):
        if axis.name == PAIR:
            continue
        shares = [found for pair, found in drawn.together.items() if at in pair]
        whole = _share(sum(shares, drawn.alone[at]) / total)
        verdict = _verdict(whole, "matters", "does not matter") if told else "undecided"
        rows = process.mean + process.scale * drawn.curves[at]
        low, high = np.quantile(rows, INTERVAL, axis=0).tolist()
        curve = Curve(_values(axis), tuple(rows.mean(0).tolist()), tuple(low), tuple(high))
        effects.append(Effect(axis.name, axis.kind, whole, _share(drawn.alone[at] / total), verdict, curve))
    return tuple(sorted(effects, key=lambda effect: -effect.total.value))


def _pairs(process: Process, drawn: Drawn, told: bool) -> tuple[Together, ...]:
    """What each two axes do together, the largest first and what cannot be told last."""
    total = _total(process, drawn)
    pairs = []
    for (one, two), count in process.both.items():
        names = process.axes[one].name, process.axes[two].name
        if (one, two) not in process.pairs:
            pairs.append(Together(names, count, None, "cannot be told"))
            continue
        share = _share(drawn.together[one, two] / total)
        verdict = _verdict(share, "act together", "do not act together") if told else "undecided"
        lines = _lines(process, one, two) if verdict == "act together" else ()
        pairs.append(Together(names, count, share, verdict, lines))
    return tuple(sorted(pairs, key=lambda pair: -pair.share.value if pair.share else 1))


def _lines(process: Process, one: int, two: int) -> tuple[Line, ...]:
    """What the first of two axes does at the ends of the other, or at each of its words."""
    first, other = process.axes[one], process.axes[two]
    places = curve_places(other) if other.choices else np.array([0.0, 1.0])
    means = process.together(one, two, curve_places(first), places).T.tolist()
    return tuple(Line(at, _values(first), tuple(mean)) for at, mean in zip(other.decode(places), means, strict=True))


def _values(axis: Axis) -> tuple[Any, ...]:
    """Where a curve is drawn, in values: also between whole numbers."""
    return tuple(dataclasses.replace(axis, integer=False).decode(curve_places(axis)))


def _total(process: Process, drawn: Drawn) -> np.ndarray:
    """The variance of each function drawn, but for what differs between pictures alone."""
    alone = [found for axis, found in zip(process.axes, drawn.alone, strict=True) if axis.name != PAIR]
    return np.maximum(sum(alone) + sum(drawn.together.values()), 1e-12)


def _share(found: np.ndarray) -> Share:
    low, high = np.quantile(found, INTERVAL)
    return Share(float(np.median(found)), float(low), float(high))


def _verdict(share: Share, yes: Verdict, no: Verdict) -> Verdict:
    return yes if share.low > LEAST_SHARE else no if share.high < LEAST_SHARE else "undecided"
