"""What a killed run resumes from: the state of its optimisation, kept in one file while it lasts.

The file is a NumPy archive without pickled objects. It has a checksum of its content, names and all. It says what it
is a state of; what a state consists of is left to those who have it.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from styletransfer.errors import InputError
from styletransfer.files import atomic

logger = logging.getLogger(__name__)

# Keeping states takes at most this share of a run's time: where writing one is slow, they are further apart.
SHARE = 0.01
# An interrupt this many seconds after the first was meant: somebody does not want to wait any longer.
IMPATIENT = 1.0
ABOUT, CHECKSUM = "about", "sha256"
# The next iteration to evaluate: as many have been evaluated.
ITERATION = "iteration"

Identity = Mapping[str, Any]


@dataclass(frozen=True)
class State:
    """arrays: all that decides the rest of a run, by name, `iteration` among them. notes: whatever JSON can hold."""

    arrays: dict[str, np.ndarray]
    notes: dict[str, Any]

    @property
    def iteration(self) -> int:
        """The iteration to evaluate next."""
        return int(self.arrays[ITERATION])


def write(path: Path, identity: Identity, state: State) -> None:
    """Write a state atomically. identity: what the run must be that resumes from it, as JSON has it."""
    about = json.dumps({"identity": identity, "notes": state.notes}).encode()
    content = {ABOUT: np.frombuffer(about, np.uint8), **state.arrays}
    with atomic.atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **{CHECKSUM: _checksum(content)}, **content)


def read(path: Path, identity: Identity) -> State:
    """The state in a file. Raises `InputError` if it is of something else, or damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            about = json.loads(archive[ABOUT].tobytes())
            found = about["identity"]
            different = sorted(key for key in {*found, *identity} if found.get(key) != identity.get(key))
            if not different:
                content = {name: archive[name] for name in archive.files if name != CHECKSUM}
                if archive[CHECKSUM].tobytes() != _checksum(content).tobytes():
                    raise ValueError("the checksum differs")
                return State({name: array for name, array in content.items() if name != ABOUT}, about["notes"])
    except Exception as error:  # a damaged archive raises almost anything
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error})") from error
    raise InputError(f"{path} is the state of a run with other {', '.join(different)}")


def iteration_of(path: Path) -> int | None:
    """The iteration at which a run would go on from the state in a file; None without one that can be read."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return int(archive[ITERATION])
    except Exception:  # as above
        return None


def _checksum(content: Mapping[str, np.ndarray]) -> np.ndarray:
    """(32,) uint8: SHA-256 of all names, types, shapes and numbers."""
    digest = hashlib.sha256()
    for name, array in sorted(content.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return np.frombuffer(digest.digest(), np.uint8)


def find(path: Path, run_id: str, identity: Identity, iterations: int) -> State | None:
    """The furthest state that a run of that many iterations can resume from.

    That is the run's own, in `path`; or one in the folder of a run beside it that has more or fewer iterations, and so
    the same name but for the hash. An own state that cannot be used costs one line in the log.
    """
    name, _, _ = run_id.rpartition("-")
    others = path.parent.parent.glob(f"{glob.escape(name)}-*/{glob.escape(path.name)}")
    furthest, origin = None, path
    for candidate in (path, *sorted(others)):
        try:
            state = read(candidate, identity)
        except InputError as error:
            if candidate == path and path.exists():
                logger.warning("the run begins again: %s", error)
            continue
        if state.iteration <= iterations + 1 and (furthest is None or state.iteration > furthest.iteration):
            furthest, origin = state, candidate
    if furthest is not None:
        logger.info("resuming from iteration %d: %s", furthest.iteration, origin)
    return furthest


class Saver:
    """Keeps the state of one run in a file, now and then. Whatever goes wrong costs a line in the log, never the run.

    path: None keeps nothing. seconds: from one state to the next, or longer, see `SHARE`.
    """

    def __init__(self, path: Path | None, identity: Identity, seconds: float) -> None:
        self._path = path
        self._identity = identity
        self._seconds = seconds
        self._next = time.monotonic() + seconds
        self._failed = False
        self._signal: int | None = None

    def find(self, run_id: str, iterations: int) -> State | None:
        """The state that the run may resume from: see `find`."""
        return None if self._path is None else find(self._path, run_id, self._identity, iterations)

    @property
    def due(self) -> bool:
        """Whether it is time to save the state."""
        return self._path is not None and (self.stopped or time.monotonic() >= self._next)

    @property
    def stopped(self) -> bool:
        """Whether the process has been asked to end."""
        return self._signal is not None

    def save(self, collect: Callable[[], State]) -> None:
        """Write what `collect` returns in place of the state before."""
        if self._path is None:
            return
        begin = time.monotonic()
        try:
            write(self._path, self._identity, collect())
        except Exception as error:  # whatever it is, the run matters more
            if not self._failed:
                logger.warning("%s is not written, the run continues: %s: %s", self._path, type(error).__name__, error)
            self._failed = True
        end = time.monotonic()
        self._next = end + max(self._seconds, (end - begin) / SHARE)

    def remove(self) -> None:
        """The run is finished: its state is of no use any more."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def postponing_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT take effect at the end of the block, which watches `stopped`.

        However often they come: SLURM says SIGTERM twice, by itself and through srun. Only a later interrupt does not
        wait, see `IMPATIENT`.
        """
        if self._path is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        # One that is ignored stays so, and one that was not set by Python cannot be set again.
        before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
        asked = 0.0

        def note(number: int, frame: FrameType | None) -> None:
            nonlocal asked
            if self._signal is None:
                self._signal, asked = number, time.monotonic()
            elif number == signal.SIGINT and time.monotonic() - asked >= IMPATIENT:
                signal.signal(number, before[signal.SIGINT])
                signal.raise_signal(number)

        for number in before:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._signal is not None:
            logger.warning("ended by %s", signal.Signals(self._signal).name)
            signal.raise_signal(self._signal)
            # Only if the handler that was there before lets the process live: the run has not been finished.
            raise SystemExit(128 + self._signal)
