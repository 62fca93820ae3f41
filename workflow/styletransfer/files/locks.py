"""Locks on files: who else works on one."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from styletransfer.errors import WaitError
from styletransfer.files import atomic

logger = logging.getLogger(__name__)

REPORT_SECONDS = 30.0


class BusyError(WaitError):
    """Another process holds a lock for longer than this one wants to wait."""


@contextlib.contextmanager
def exclusive_lock(path: str | Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of `path` for the block: no other process that asks for it is in its block meanwhile.

    The kernel frees the lock when the process ends, however it ends. It reaches as far as the file system's locks do:
    over all hosts on NFS.

    Args:
        path: What is worked on; it need not exist.
        wait_seconds: How long to wait for another process; the wait is logged.

    Raises:
        BusyError: Another process has it for longer.
        WriteError: There cannot be a lock.
    """
    # The lock file stays: removing it would let two processes hold two locks of one name.
    lock = FileLock(_lock_of(path), mode=0o664 & ~atomic.umask())
    end = time.monotonic() + wait_seconds
    while True:
        left = end - time.monotonic()
        try:
            with atomic.refusals(Path(path)):
                lock.acquire(timeout=max(0.0, min(left, REPORT_SECONDS)))
            break
        except Timeout:
            if left <= REPORT_SECONDS:
                raise BusyError(
                    f"{path}: another process works on it, and did not end within {wait_seconds:.0f} s. "
                    "Wait for it, or end it"
                ) from None
            logger.warning("%s: waiting for another process that works on it", path)
    try:
        yield
    finally:
        lock.release()


def is_locked(path: str | Path) -> bool:
    """Whether some process is in a block of `exclusive_lock` for that path. Leaves no trace, and never waits.

    It asks for a shared lock, for a moment; a process that wants the lock just then and does not wait is turned away.
    """
    try:
        with open(_lock_of(path), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is none, or nobody here can lock it
        return False
    return False


def _lock_of(path: str | Path) -> Path:
    return Path(path).with_name(f".{Path(path).name}.lock")
