"""The one kind of error a user can cause, and how commands show it: a message, never a traceback."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

EXIT_BAD_INPUT = 2


class InputError(ValueError):
    """Something the user gave cannot be used. The message names it with its value, its origin and the remedy."""


class WaitError(InputError):
    """Something did not become free within the time that this process was to wait for it."""


class TerminatedError(BaseException):
    """A signal told the process to end. As with Ctrl-C, what it had begun is put in order on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


def command(main: Callable[[], int | None]) -> Callable[[], int]:
    """Make `main` a command: bad input, and a path that cannot be used, become one message on stderr and exit code 2.

    An interrupt gives exit code 130, SIGTERM and SIGHUP 128 and their number, as a shell counts; all of them let blocks
    end in good order.
    """

    @functools.wraps(main)
    def run() -> int:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:  # not where it is ignored, as under nohup
                signal.signal(number, _terminate)
        try:
            return main() or 0
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_BAD_INPUT
        # A path that somebody named; what else can go wrong with files is no fault of theirs.
        except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError) as error:
            print(f"error: {error.filename!r}: {error.strerror}. Check the path and its permissions", file=sys.stderr)
            return EXIT_BAD_INPUT
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130
        except TerminatedError as error:
            print(error, file=sys.stderr)
            return 128 + error.number

    return run


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    # Whoever ends a process often says it twice; the way out is short.
    signal.signal(number, signal.SIG_IGN)
    raise TerminatedError(number)
