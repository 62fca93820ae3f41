"""What runs ask of a machine: memory, and the time after which they are taken for stuck.

Both follow from pixels, steps and optimizer. They are upper bounds for a scheduler, not estimates for people: those
go by finished runs (`results.plan`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable

from styletransfer.errors import InputError
from styletransfer.results.plan import picture_size
from styletransfer.settings import Settings
from styletransfer.study.plan import Source, Study

# Of a process with TensorFlow, in MB, and beside that for each pixel of its largest picture: measured on CPUs from
# 64 x 64 to 1024 x 1064 pixels (docs/benchmark.csv), a tenth added. A GPU keeps activations in memory of its own.
PROCESS_MB = {"cpu": 950, "gpu": 4000}
MB_PER_PIXEL = {"cpu": 0.004, "gpu": 0.0005}
# For a step of a pixel, in seconds: a busy CPU core of 2020, a P100 of 2018 (1000 steps at 512 pixels in a minute).
SECONDS_PER_PIXEL = {"cpu": 8e-6, "gpu": 2.5e-7}
# L-BFGS tries a step again, at half its length, where it was too long.
EVALUATIONS_PER_STEP = {"adam": 1.0, "lbfgs": 1.5}
# Where the size of a picture is not known, as in an environment that only plans: those of a photograph.
UNKNOWN_SIZE = (1024, 1024)


# Beside the runs, for a job of a cluster: it starts Snakemake and TensorFlow, and waits for files.
MINUTES_BESIDE = 5


class Needs:
    """What jobs ask of a machine, by the runs that they compute in turn and the kind of device, `cpu` or `gpu`."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def memory_mb(self, run_ids: Iterable[str], kind: str) -> int:
        """Memory in MB (10^6 bytes)."""
        largest = max(self._pixels(self._study.runs[run_id]) for run_id in run_ids)
        return round(PROCESS_MB[kind] + MB_PER_PIXEL[kind] * largest)

    def minutes(self, run_ids: Iterable[str], kind: str) -> int:
        """A time limit: twice what they take at most, going by `seconds_per_run` where that is more."""
        least = self._study.config["seconds_per_run"]
        seconds = sum(max(least, self._seconds(self._study.runs[run_id], kind)) for run_id in run_ids)
        return math.ceil(2 * (MINUTES_BESIDE + seconds / 60))

    def _seconds(self, run: Settings, kind: str) -> float:
        evaluations = run.work * EVALUATIONS_PER_STEP[run.optimizer]
        return evaluations * self._pixels(run) * SECONDS_PER_PIXEL[kind]

    def _pixels(self, run: Settings) -> int:
        """Of the largest picture that a run looks at: its result, or a style."""
        content = self._sizes[run.content.name]
        width = run.width or content[0]
        styles = zip(run.styles, run.style_scales, strict=True)
        looked_at = [(content, width), *((self._sizes[style.name], scale * width) for style, scale in styles)]
        return max(round(wide * wide * size[1] / size[0]) for size, wide in looked_at)

    @functools.cached_property
    def _sizes(self) -> dict[str, tuple[int, int]]:
        """Width and height of each picture."""
        return {name: _size(name, source) for name, source in self._study.pictures.items()}


def _size(name: str, source: Source) -> tuple[int, int]:
    try:
        return picture_size(name, source) or UNKNOWN_SIZE
    except (ImportError, InputError):
        return UNKNOWN_SIZE
