"""How far a run is: the line that its log gets, and the way back from a log to the numbers.

Both stand here, so that what is written can be read. Who writes when is left to `trace`, who reads to `live`.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# Two spaces between the parts, one within: `iteration  10/140  content 1.5  style 2.5  0.123 s/it  ETA 0:00:16`.
_LINE = re.compile(r"iteration +(\d+)/(\d+)((?:  \w+ \S+)*?)(?:  ([\d.]+) s/it  ETA .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Progress:
    """Steps taken, of how many; the weighted losses then, by name; seconds a step takes, None before the first."""

    iteration: int
    iterations: int
    losses: Mapping[str, float] = field(default_factory=dict)
    seconds_per_iteration: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """At this speed; None while it is not known."""
        if self.seconds_per_iteration is None:
            return None
        return (self.iterations - self.iteration) * self.seconds_per_iteration


def line(progress: Progress) -> str:
    """The line of a log."""
    text = f"iteration {progress.iteration:{len(str(progress.iterations))}}/{progress.iterations}"
    text += f"  {losses_text(progress.losses)}"
    if progress.seconds_left is None:
        return text
    left = datetime.timedelta(seconds=math.ceil(progress.seconds_left))
    return f"{text}  {progress.seconds_per_iteration:.3f} s/it  ETA {left}"


def losses_text(losses: Mapping[str, float]) -> str:
    """Losses by name, with five digits."""
    return "  ".join(f"{name} {value:.5g}" for name, value in losses.items())


def read(log: str) -> list[Progress]:
    """What a log tells of the newest attempt in it, in order; empty where it tells nothing."""
    found: list[Progress] = []
    for iteration, iterations, losses, seconds in _LINE.findall(log):
        words = losses.split()
        numbers = dict(zip(words[::2], map(float, words[1::2]), strict=True))
        progress = Progress(int(iteration), int(iterations), numbers, float(seconds) if seconds else None)
        # An attempt that begins anew begins with less than the one before had reached.
        if found and progress.iteration <= found[-1].iteration:
            found = []
        found.append(progress)
    return found
