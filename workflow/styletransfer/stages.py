"""The stages of a run, coarse to fine: how wide each is, and which iterations it takes.

Stages are a number, or the width of each. A number stands for widths that grow by the square root of two, so that the
pixels double, up to the width of the result.
"""

from __future__ import annotations

from collections.abc import Sequence

Stages = int | Sequence[int]

GROWTH = 2**0.5
# From the smallest to the widest result: no run has more.
MOST = 20


def count(stages: Stages) -> int:
    """How many they are."""
    return stages if isinstance(stages, int) else len(stages)


def widths(stages: Stages, width: int) -> list[int]:
    """The width of each stage in pixels, up to `width`, that of the result."""
    if not isinstance(stages, int):
        return list(stages)
    return [round(width / GROWTH**left) for left in reversed(range(stages))]


def spans(stages: Stages, iterations: int) -> list[range]:
    """The iterations of each stage: equal parts, the remainder to the last.

    Iteration k is about the image after k steps: it is evaluated in the stage that takes the next step from it. So the
    last stage has one more, for the image after all steps.
    """
    number = count(stages)
    begins = [stage * (iterations // number) for stage in range(number)]
    return [range(begin, end) for begin, end in zip(begins, [*begins[1:], iterations + 1], strict=True)]


def stage_of(iteration: int, stages: Stages, iterations: int) -> int:
    """The stage that evaluates an iteration, from 0."""
    return next(stage for stage, span in enumerate(spans(stages, iterations)) if iteration in span)


def cost(stage: int, stages: Stages) -> float:
    """What a step of a stage, from 0, costs: that of the last stage costs 1."""
    sizes = widths(stages, 2**16)  # of a number only the ratios count
    return (sizes[stage] / sizes[-1]) ** 2


def work(stages: Stages, iterations: int, first: int = 0, last: int | None = None) -> float:
    """How many steps at the full width cost what those from image `first` to image `last` do; default: all."""
    last = iterations if last is None else last
    steps = (max(0, min(span.stop, last) - max(span.start, first)) for span in spans(stages, iterations))
    return sum(number * cost(stage, stages) for stage, number in enumerate(steps))
