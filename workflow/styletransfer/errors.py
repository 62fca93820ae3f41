"""The one kind of error a user can cause, and how commands show it: a message, never a traceback."""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, ParamSpec

P = ParamSpec("P")
EXIT_FAILED = 1
EXIT_BAD_INPUT = 2

_MAKE_SPACE = "Make space there"
_ALLOW = "Let this user write there"
REMEDIES = {
    errno.ENOSPC: _MAKE_SPACE,
    errno.EDQUOT: _MAKE_SPACE,
    errno.EROFS: _ALLOW,
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
    errno.ENOENT: "Bring the folder back",
    errno.EIO: "Check the disk",
}
# What a file system says that has no locks: some network disks, and those of some containers.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class InputError(ValueError):
    """Something the user gave cannot be used. The message names it with its value, its origin and the remedy."""


class MachineError(InputError):
    """Something that this machine lacks or does not tell, and that trying again does not bring."""


class WaitError(InputError):
    """Something did not become free within the time that this process was to wait for it."""


class TerminatedError(BaseException):
    """A signal told the process to end. As with Ctrl-C, what it had begun is put in order on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


class WriteError(OSError):
    """A file cannot be written: the disk is full, or the folder is read-only or gone; error is one of `REMEDIES`."""

    def __init__(self, path: str | os.PathLike[str], error: OSError) -> None:
        remedy = REMEDIES[error.errno or 0]
        super().__init__(
            f"{os.fspath(path)} cannot be written: {error.strerror}. "
            f"{remedy}, and start again: what is finished is kept"
        )
        self.errno, self.strerror = error.errno, error.strerror

    def __str__(self) -> str:
        return str(self.args[0])


def command(main: Callable[P, int | None]) -> Callable[P, int]:
    """Make `main` a command: bad input, and a path that cannot be used, become one message on stderr and exit code 2.

    An interrupt gives exit code 130, SIGTERM and SIGHUP 128 and their number, as a shell counts; all of them let blocks
    end in good order. What a disk or folder refuses, and too little memory, is one message as well, with exit code 1.
    """

    @functools.wraps(main)
    def run(*args: P.args, **kwargs: P.kwargs) -> int:
        # A log on a full disk is lost; a traceback about that would only hide the message that matters.
        logging.raiseExceptions = False
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:  # not where it is ignored, as under nohup
                signal.signal(number, _terminate)
        try:
            return main(*args, **kwargs) or 0
        except (InputError, OSError, MemoryError, KeyboardInterrupt, TerminatedError) as error:
            message, code = _message_and_code(error)
            print(message, file=sys.stderr)
            return code

    return run


def fast_exit(code: int) -> NoReturn:
    """End the process at once: to dismantle Python with TensorFlow takes half a second, of the four a run costs."""
    logging.shutdown()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None: closed before the process began
        with contextlib.suppress(OSError):  # whoever read it has gone
            stream.flush()
    os._exit(code)


# A path that somebody named; what else can go wrong with files is no fault of theirs.
_OF_PATHS = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError)


def _message_and_code(error: BaseException) -> tuple[str, int]:
    """Message and exit code."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", 130
    if isinstance(error, TerminatedError):
        return str(error), 128 + error.number
    if isinstance(error, _OF_PATHS):
        return f"error: {error.filename!r}: {error.strerror}. Check the path and its permissions", EXIT_BAD_INPUT
    if isinstance(error, MemoryError):
        return f"error: out of memory: {error}. Use a machine with more, or a smaller width", EXIT_FAILED
    return f"error: {error}", EXIT_BAD_INPUT if isinstance(error, InputError) else EXIT_FAILED


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    # Whoever ends a process often says it twice; the way out is short.
    signal.signal(number, signal.SIG_IGN)
    raise TerminatedError(number)
