"""The history of one optimisation: every evaluation of the loss, and which of them are reported."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from styletransfer.optim import terms as loss_terms
from styletransfer.optim.terms import Evaluation
from styletransfer.settings import Settings
from styletransfer.stages import spans, stage_of


@dataclass
class History:
    """All evaluations of one run, in order: entry k belongs to the image after k steps.

    Args:
        settings: the weights that make losses of the terms.
        print_iterations: every `print_iterations`-th evaluation is reported.
    """

    settings: Settings
    print_iterations: int = 1
    evaluations: list[Evaluation] = field(default_factory=list)
    best_iteration: int = 0
    # The time from one evaluation to the next, summed, and of how many. The first of a process has none before it, and
    # that of a stage begins with its targets and its graph.
    _seconds: float = 0.0
    _timed: int = 0
    _newest: float | None = None

    def add(self, evaluation: Evaluation) -> None:
        """Append the next evaluation."""
        now = time.monotonic()
        if self._newest is not None and not self.begins_stage(evaluation.iteration):
            self._seconds += now - self._newest
            self._timed += 1
        self._newest = now
        self._append(evaluation)

    def _append(self, evaluation: Evaluation) -> None:
        self.evaluations.append(evaluation)
        if evaluation.best:
            self.best_iteration = evaluation.iteration

    @property
    def diverged(self) -> bool:
        """Whether the newest loss was not finite."""
        return bool(self.evaluations) and not self.evaluations[-1].finite

    @property
    def last_finite(self) -> int:
        """The newest iteration whose loss was finite; -1 if none was."""
        return len(self.evaluations) - 1 - self.diverged

    @property
    def seconds_per_iteration(self) -> float:
        """From one evaluation to the next, on average. The first traces the graph and tells nothing of the speed."""
        return self._seconds / max(1, self._timed)

    def state(self) -> dict[str, np.ndarray]:
        """The history so far, all of it finite, as arrays by name: what `restore` takes."""
        return {
            "history_terms": np.stack([evaluation.terms for evaluation in self.evaluations]),
            "history_best": np.array([evaluation.best for evaluation in self.evaluations]),
            "history_seconds": np.array(self._seconds),
            "history_timed": np.array(self._timed),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from the history that had this `state`, as if no time had passed."""
        for iteration, (terms, best) in enumerate(zip(state["history_terms"], state["history_best"], strict=True)):
            self._append(Evaluation(iteration, terms, True, bool(best)))
        self._seconds, self._timed = float(state["history_seconds"]), int(state["history_timed"])

    def stage(self, iteration: int) -> int:
        """The stage that evaluates an iteration, from 1."""
        return 1 + stage_of(iteration, self.settings.stages, self.settings.iterations)

    def begins_stage(self, iteration: int) -> bool:
        """Whether it is the first iteration of a stage."""
        return any(iteration == span.start for span in spans(self.settings.stages, self.settings.iterations))

    def losses(self, iteration: int) -> dict[str, float]:
        """The losses of the image after that many steps, by name; empty for iteration -1."""
        if iteration < 0:
            return {}
        return loss_terms.named_losses(self.evaluations[iteration].terms, self.settings)

    def is_reported(self, iteration: int) -> bool:
        """Every print_iterations-th iteration is reported, the last one, and the one that diverged."""
        last = iteration == self.settings.iterations or not self.evaluations[iteration].finite
        return last or iteration % self.print_iterations == 0
