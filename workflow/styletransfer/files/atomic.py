"""Files and folders that are either whole or absent."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from styletransfer.errors import REMEDIES, WriteError


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds, remove it if not.

    The temporary name keeps the suffix, since image writers choose their format by it. The content is flushed to disk
    before the rename: after a power cut there is the old file or the new one, never half of one. What a killed process
    left in that folder is removed. Raises `WriteError` if the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        # The name is cut so that a long one with the marks added still fits into the file system's 255 bytes.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:100]}.", suffix=f".tmp{path.suffix}")
    temporary = Path(name)
    try:
        _lock(handle)
        with refusals(path, temporary):
            yield temporary
            _put(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # the folder may be gone; the error that ended the block matters more
            temporary.unlink(missing_ok=True)
        os.close(handle)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; rename it to `path` if the block succeeds, remove it if not.

    For a folder that is a result as a whole: one with half of its files would be taken for whole. Into a folder that is
    there already the files are copied; whatever else is in it stays. Raises `WriteError` as `atomic_path` does.
    """
    path = Path(path)
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".tmp"))
        handle = os.open(temporary, os.O_RDONLY)
    try:
        _lock(handle)
        yield temporary
        with refusals(path):
            temporary.chmod(0o775 & ~umask())
            if path.exists():
                shutil.copytree(temporary, path, dirs_exist_ok=True)
            else:
                temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(handle)


def _put(temporary: Path, path: Path) -> None:
    with open(temporary, "rb") as written:
        os.fsync(written.fileno())
    # mkstemp makes private files; results are as readable as any other file of this user, and nobody else's to write,
    # whatever the umask.
    temporary.chmod(0o664 & ~umask())
    temporary.replace(path)


@contextlib.contextmanager
def refusals(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """What the system has against writing becomes a `WriteError`; an error of another file, which it names, stays."""
    try:
        yield
    except OSError as error:
        of_another = temporary is not None and error.filename not in (None, str(temporary), temporary)
        if isinstance(error, WriteError) or of_another or error.errno not in REMEDIES:
            raise
        raise WriteError(path, error) from error


def remove_leftovers(path: str | Path) -> None:
    """Remove what processes that were killed while they wrote `path` left. Nobody may be writing it now."""
    path = Path(path)
    pattern = re.compile(rf"\.{re.escape(path.stem[:100])}\.[a-z0-9_]{{8}}\.tmp{re.escape(path.suffix)}")
    for found in path.parent.glob(".*"):
        if pattern.fullmatch(found.name):
            found.unlink(missing_ok=True)


# Folders that this process has looked through: once is enough.
_swept: set[Path] = set()


def _sweep(folder: Path) -> None:
    """Remove temporary files and folders that nobody writes: their locks are free."""
    if folder.absolute() in _swept:
        return
    _swept.add(folder.absolute())
    for found in folder.glob(".*.tmp*"):
        if re.fullmatch(r"\..+\.[a-z0-9_]{8}\.tmp(\.\w+)?", found.name):
            with contextlib.suppress(OSError):
                _remove_if_free(found)


def _remove_if_free(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        if _lock(handle):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    """Whether this process has now the lock of an open file, until it is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another has it, or there are no locks here
        return False
    return True


def write_text(path: str | Path, text: str) -> None:
    """Write `text` (UTF-8) to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def timestamp(seconds: float) -> str:
    """A time as records have it: UTC, ISO 8601, milliseconds. seconds: since 1970."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")


def umask() -> int:
    """What this process takes away from the permissions of every file that it makes."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
