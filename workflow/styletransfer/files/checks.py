"""What is known of a file before its content is: whether it can be read, and its checksum."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import os
import re
import stat
from pathlib import Path

from styletransfer.errors import InputError

# The largest file of weights that is published has 0.6 GB. Reading a larger one to the end would take for ever.
MAX_INPUT_BYTES = 4_000_000_000
# What to do about a file that the workflow made, and that is not what it says.
RECREATE = "Remove it, and the workflow recreates it"


def check_input(path: str | Path, what: str, most_bytes: int = MAX_INPUT_BYTES) -> None:
    """Refuse what is no plain file, may not be read, or is too large.

    Args:
        path: The file.
        what: The key or option that names it, for the message.
        most_bytes: How large it may be.

    Raises:
        InputError: It cannot be read; the message says why, and what to do.
    """
    complaint = _complaint(path, most_bytes)
    if complaint:
        raise InputError(f"{what} is {str(path)!r}: {complaint}")


def _complaint(path: str | Path, most_bytes: int) -> str:
    """What keeps a file from being read, and what to do; nothing if nothing does."""
    try:
        status = Path(path).stat()
        plain = stat.S_ISREG(status.st_mode)
        if plain and status.st_size <= most_bytes:
            # Asking for the permission is not enough: network file systems decide when a file is opened.
            with open(path, "rb"):
                return ""
    except (FileNotFoundError, NotADirectoryError):
        return _missing(str(path))
    except (OSError, ValueError) as error:  # ValueError: NUL, or half of a character
        return f"it cannot be read ({getattr(error, 'strerror', error)}). Check the path and its permissions"
    if plain:
        return f"it has {status.st_size:,} bytes, more than the {most_bytes:,} allowed. Give a smaller file"
    if stat.S_ISDIR(status.st_mode):
        return "it is a folder. Name a file in it"
    return "it is not a plain file but a device, pipe or socket. Save its content to a file"


def _missing(path: str) -> str:
    """What to do about a path that leads to no file, as far as its text tells what was meant."""
    if re.match(r"[A-Za-z]:[\\/]", path):
        return "it is a path of Windows. Write it as this system has it, such as /mnt/c/Users/me/a.jpg"
    if path.lower().startswith("file:"):
        return "there is no such file. Write the path alone, without file:"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):
        return "it is an address, and files are not fetched from there. Save the file, and give its path"
    remedy = "Check the path"
    if near := _near(Path(path)):
        remedy = f"Did you mean {near}?"
    elif path.startswith("~"):
        remedy = "~ is not expanded: write the home folder out"
    elif "$" in path:
        remedy = "Variables are not expanded: write the path out"
    elif any(letter in path for letter in "*?["):
        remedy = "Patterns are not expanded: name one file"
    return f"there is no such file as {Path(path).absolute()}. {remedy}"


def _near(path: Path) -> str:
    """The file in the same folder whose name differs in case or blanks alone, or in few letters; or nothing."""
    try:
        with os.scandir(path.parent) as found:
            names = [entry.name for entry in itertools.islice(found, 10_000) if entry.is_file()]
    except OSError:
        return ""
    alike = [name for name in names if name.strip().casefold() == path.name.strip().casefold()]
    near = alike or difflib.get_close_matches(path.name, names, n=1, cutoff=0.85)
    return str(path.parent / near[0]) if near else ""


def checksum(path: str | Path, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def is_gone(path: str | Path) -> bool:
    """Whether there is no such file. A name that no file can have is bad input, and not gone."""
    try:
        return not Path(path).exists()
    except OSError:
        return False
