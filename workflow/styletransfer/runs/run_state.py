"""What changes while a run is computed: its optimisation, its history, and the time that it took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from styletransfer.optim.history import History
from styletransfer.runs import checkpoint

if TYPE_CHECKING:
    from styletransfer.optim.pyramid import Pyramid


class Clock:
    """The seconds that a run took: the part that this process does, and those before it, up to the states they left.

    And on what each part was computed.
    """

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._preparing = 0.0
        self._here: list[str] = []
        self._earlier: dict[str, Any] = {"seconds": 0.0, "seconds_preparing": 0.0}
        self._resumed: list[int] = []

    def prepared(self, computed_on: str) -> None:
        """The first iteration is about to begin. computed_on: what decides how this part rounds."""
        self._preparing = time.monotonic() - self._begin
        self._here = [computed_on]

    def resume(self, earlier: dict[str, Any], iteration: int) -> None:
        """Continue from what an earlier part `read`, at that iteration."""
        self._earlier = earlier
        self._resumed = [*earlier["resumed"], iteration]

    def read(self) -> dict[str, Any]:
        """What the record says: `seconds`, of these `seconds_preparing`; `resumed`: the iterations of new parts;
        `computed_on`: each once, in order.
        """
        return {
            "seconds": round(self._earlier["seconds"] + time.monotonic() - self._begin, 3),
            "seconds_preparing": round(self._earlier["seconds_preparing"] + self._preparing, 3),
            "resumed": self._resumed,
            "computed_on": list(dict.fromkeys([*self._earlier.get("computed_on", []), *self._here])),
        }


@dataclass(frozen=True)
class RunState:
    """All that changes while a run is computed."""

    optimization: Pyramid
    history: History
    clock: Clock

    def state(self) -> checkpoint.State:
        """What `resume` takes."""
        return checkpoint.State({**self.optimization.state(), **self.history.state()}, self.clock.read())

    def resume(self, state: checkpoint.State | None) -> None:
        """Continue from a state, if there is one."""
        if state is not None:
            self.optimization.restore(state.arrays)
            self.history.restore(state.arrays)
            self.clock.resume(state.notes, state.iteration)
