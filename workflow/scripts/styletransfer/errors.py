"""The one kind of error a user can cause, and how commands show it: a message, never a traceback."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable

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


class InputError(ValueError):
    """Something the user gave cannot be used. The message names it with its value, its origin and the remedy."""


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


def command(main: Callable[[], int | None]) -> Callable[[], int]:
    """Make `main` a command: bad input becomes one message on stderr and exit code 2, an interrupt exit code 130.

    So does what a disk or folder refuses, with exit code 1.
    """

    @functools.wraps(main)
    def run() -> int:
        try:
            return main() or 0
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_BAD_INPUT
        except OSError as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_FAILED
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130

    return run
