"""Locks on files: who else works on one."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from styletransfer.errors import NO_LOCKS, WaitError
from styletransfer.files import atomic

logger = logging.getLogger(__name__)

REPORT_SECONDS = 30.0
POLL_SECONDS = 0.05


class BusyError(WaitError):
    """Another process holds a lock for longer than this one wants to wait."""


@contextlib.contextmanager
def exclusive_lock(path: str | Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of `path` for the block: no other process that asks for it is in its block meanwhile.

    The kernel frees the lock when the process ends, however it ends. It reaches as far as the file system's locks do:
    over all hosts on NFS. Where the file system has none, the block goes on without, with a warning.

    Args:
        path: What is worked on; it need not exist.
        wait_seconds: How long to wait for another process; the wait is logged.

    Raises:
        BusyError: Another process has it for longer.
        WriteError: The file of the lock cannot be written.
    """
    with atomic.refusals(Path(path)):
        descriptor = _wait_for(Path(path), wait_seconds)
    try:
        yield
    finally:
        # This frees the lock. Its file stays: removing it would let two processes hold two locks of one name.
        os.close(descriptor)


def _wait_for(path: Path, wait_seconds: float) -> int:
    """An open file that holds the lock."""
    begin = time.monotonic()
    report = REPORT_SECONDS
    while True:
        if (descriptor := _try_lock(path)) is not None:
            return descriptor
        waited = time.monotonic() - begin
        if waited >= wait_seconds:
            raise BusyError(
                f"{path}: another process works on it, and did not end within {wait_seconds:.0f} s. "
                "Wait for it, or end it"
            )
        if waited >= report:
            logger.warning("%s: waiting for another process that works on it", path)
            report += REPORT_SECONDS
        time.sleep(min(POLL_SECONDS, wait_seconds - waited))


def _try_lock(path: Path) -> int | None:
    """An open file that holds the lock, or None while another process holds it."""
    lock = _lock_of(path)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as on_failure:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o664 & ~atomic.umask())
        on_failure.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            logger.warning("%s: its file system has no locks (%s): start no second workflow here", path, error.strerror)
        if os.fstat(descriptor).st_nlink == 0:  # removed in between: it guards nothing, the next try makes another
            return None
        on_failure.pop_all()
        return descriptor


def is_locked(path: str | Path) -> bool | None:
    """Whether some process is in a block of `exclusive_lock` for that path; None where there are no locks to tell it.

    It leaves no trace, and never waits. It asks for a shared lock, for a moment; a process that wants the lock just
    then and does not wait is turned away.
    """
    try:
        with open(_lock_of(path), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:  # there is none, or nobody here can lock it
        return None if error.errno in NO_LOCKS else False
    return False


def _lock_of(path: str | Path) -> Path:
    return Path(path).with_name(f".{Path(path).name}.lock")
