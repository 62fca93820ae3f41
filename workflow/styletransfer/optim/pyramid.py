"""Coarse to fine: the optimisation of one image, stage after stage, each of which is one of a larger size.

The image after the last step of a stage is enlarged and evaluated first in the next one; Adam's moments go with it. VGG
sees some 100 pixels at a time: what is large in the style is found while the picture is small.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from styletransfer.images.resize import enlarge
from styletransfer.optim.loop import Optimization, Stepper
from styletransfer.optim.losses import Targets
from styletransfer.optim.optimizers import LBFGS, Adam
from styletransfer.optim.terms import Evaluation
from styletransfer.settings import Settings
from styletransfer.stages import spans

# The first step of L-BFGS in a larger stage, relative to that of the run: the image is nearly where it is to be, and a
# step that is too long takes several evaluations to take back.
LATER_FIRST_STEP = 0.1


class Pyramid:
    """The optimisation of a run, of one stage or several, from its start.

    Args:
        stepper: takes the steps.
        targets: gives what the image of a stage, from 0, is compared with.
        settings: the run's.
        start: (H, W, 3) float32, less the mean pixel, of the size of the first stage.
        sizes: the shape of the image in each stage, (H, W, 3).
    """

    def __init__(
        self,
        stepper: Stepper,
        targets: Callable[[int], Targets],
        settings: Settings,
        start: np.ndarray,
        sizes: Sequence[tuple[int, ...]],
    ) -> None:
        self._stepper, self._targets, self._settings, self._sizes = stepper, targets, settings, sizes
        self._spans = spans(settings.stages, settings.iterations)
        self._begin(0, start)

    def run(self) -> Iterator[Evaluation]:
        """As `Optimization.run`, through all stages that are left."""
        while True:
            for evaluation in self._current.run():
                yield evaluation
                if not evaluation.finite:
                    return
            if self.stage + 1 == len(self._spans):
                return
            self._grow()

    def _grow(self) -> None:
        """Begin the next stage."""
        before, larger = self._current, self._sizes[self.stage + 1]
        start = enlarge(before.image, larger[1], larger[0])
        self._begin(self.stage + 1, start, before.optimizer.enlarged(self._sizes[self.stage], larger))

    def _begin(self, stage: int, start: np.ndarray, optimizer: Adam | LBFGS | None = None) -> None:
        self.stage = stage
        settings = self._settings
        if stage and settings.optimizer == "lbfgs":
            settings = dataclasses.replace(settings, learning_rate=LATER_FIRST_STEP * settings.learning_rate)
        self._current = Optimization(
            self._stepper, self._targets(stage), settings, start, self._spans[stage], optimizer
        )

    @property
    def iteration(self) -> int:
        """The iteration to evaluate next."""
        return self._current.iteration

    @property
    def last(self) -> np.ndarray:
        """The newest image whose loss was finite, (H, W, 3) less the mean pixel; of the size of its stage."""
        return self._current.last

    @property
    def best(self) -> np.ndarray:
        """The image with the lowest total loss of this stage, (H, W, 3) less the mean pixel."""
        return self._current.best

    def result(self, diverged: bool) -> np.ndarray:
        """The best image of the last stage; or the last of a run that diverged, enlarged if that was in an earlier one.

        (H, W, 3) less the mean pixel, of the size of the last stage.
        """
        image = self.last if diverged else self.best
        height, width, _ = self._sizes[-1]
        return image if image.shape == self._sizes[-1] else enlarge(image, width, height)

    def state(self) -> dict[str, np.ndarray]:
        """As that of an `Optimization`; where there are several stages, `stage` is in it."""
        stage = {"stage": np.array(self.stage)} if len(self._spans) > 1 else {}
        return {**self._current.state(), **stage}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue as the run does whose `state` this is; to the same bit."""
        if (stage := int(state.get("stage", 0))) != self.stage:
            self._begin(stage, np.zeros(self._sizes[stage], np.float32))
        self._current.restore(state)
