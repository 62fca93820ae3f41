"""Which of two pictures people preferred: files that the explorer saves."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from styletransfer.errors import InputError
from styletransfer.files import checks

FORMAT, VERSION = "styletransfer-choices", 1
ANSWERS = ("left", "right", "equal", "skip")


class Choice(NamedTuple):
    """An answer: `left`, `right`, `equal` or `skip`, between the runs of two pictures."""

    left: str
    right: str
    chosen: str


def read(paths: Iterable[Path]) -> list[Choice]:
    """The choices of all files, in their order; one that is in several files counts once.

    Raises:
        InputError: for another file.
    """
    found: dict[str, Choice] = {}
    for path in paths:
        checks.check_input(path, "preferences")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if (content["format"], content["version"]) != (FORMAT, VERSION):
                raise ValueError(f"its format is {content['format']!r}, version {content['version']!r}")
            found |= {json.dumps(one, sort_keys=True): _choice(one) for one in content["choices"]}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"{path} holds no choices ({type(error).__name__}: {error}): save them from the explorer of the study"
            ) from error
    return list(found.values())


def _choice(one: Any) -> Choice:
    if one["chosen"] not in ANSWERS:
        raise ValueError(f"{one['chosen']!r} is none of {', '.join(ANSWERS)}")
    return Choice(str(one["left"]), str(one["right"]), one["chosen"])
