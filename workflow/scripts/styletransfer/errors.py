"""The one kind of error a user can cause, and how commands show it: a message, never a traceback."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

EXIT_BAD_INPUT = 2


class InputError(ValueError):
    """Something the user gave cannot be used. The message names it with its value, its origin and the remedy."""


def command(main: Callable[[], int | None]) -> Callable[[], int]:
    """Make `main` a command: bad input becomes one message on stderr and exit code 2, an interrupt exit code 130."""

    @functools.wraps(main)
    def run() -> int:
        try:
            return main() or 0
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_BAD_INPUT
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130

    return run
