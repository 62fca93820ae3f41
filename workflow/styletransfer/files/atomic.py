"""Files and folders that are either whole or absent."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from styletransfer.errors import NO_LOCKS, REMEDIES, WriteError


@contextlib.contextmanager
def atomic_path(path: str | Path, flush: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds, remove it if not.

    The temporary name keeps the suffix, since image writers choose their format by it. The content is flushed to disk
    before the rename: after a power cut there is the old file or the new one, never half of one. What a killed process
    left is overwritten, since every attempt has the same temporary name; a process that is alive is waited for.

    Args:
        path: Where the file goes; its folder is made.
        flush: Whether it is flushed to disk. Without, it may be gone, or empty, after a power cut.

    Raises:
        WriteError: The disk is full, or the folder cannot be written to.
    """
    path = Path(path)
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, handle = _claim(path, lambda new: os.open(new, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    try:
        with refusals(path, temporary):
            yield temporary
            _put(temporary, path, flush)
    except BaseException:
        with contextlib.suppress(OSError):  # the folder may be gone; the error that ended the block matters more
            temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; rename it to `path` if the block succeeds, remove it if not.

    For a folder that is a result as a whole: one with half of its files would be taken for whole. Into a folder that is
    there already the files are copied; whatever else is in it stays.

    Raises:
        WriteError: As `atomic_path` does.
    """
    path = Path(path)
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, handle = _claim(path, _open_folder)
    try:
        with refusals(path):
            for left in temporary.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield temporary
        with refusals(path):
            temporary.chmod(0o775 & ~umask())
            if path.exists():
                shutil.copytree(temporary, path, dirs_exist_ok=True)
                shutil.rmtree(temporary)
            else:
                temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    finally:
        os.close(handle)


def remove_leftovers(path: str | Path) -> None:
    """Remove what a process left that was killed while it wrote `path`. Nobody may be writing it now."""
    _temporary(Path(path)).unlink(missing_ok=True)


def _temporary(path: Path, whose: str = "") -> Path:
    # The name is cut so that a long one with the marks added still fits into the file system's 255 bytes.
    return path.with_name(f".{path.stem[-50:]}.tmp{whose}{path.suffix}")


def _claim(path: Path, opened: Callable[[Path], int]) -> tuple[Path, int]:
    """A temporary file or folder for `path`, and its open handle: only this process writes it until it closes it.

    opened: opens it, and makes it if it is not there. It may be one that a killed process left, whose lock is free.
    """
    temporary = _temporary(path)
    while True:
        handle = opened(temporary)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            os.close(handle)
            if error.errno not in NO_LOCKS:
                raise
            with contextlib.suppress(OSError):  # another process may just do the same
                temporary.rmdir() if temporary.is_dir() else temporary.unlink()
            temporary = _temporary(path, f"-{os.getpid()}-{threading.get_ident()}")
            return temporary, opened(temporary)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), temporary.stat()):
                return temporary, handle
        os.close(handle)  # whoever had the lock has given it its name, or removed it


def _open_folder(temporary: Path) -> int:
    while True:
        temporary.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another has just renamed or removed it
            return os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW)


def _put(temporary: Path, path: Path, flush: bool) -> None:
    if flush:
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
    # A temporary file is private; results are as readable as any other file of this user, and nobody else's to write,
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


def write_text(path: str | Path, text: str, flush: bool = True) -> None:
    """Write `text` (UTF-8) to `path`, as `atomic_path` does and with its errors."""
    with atomic_path(path, flush) as temporary:
        temporary.write_text(text, encoding="utf-8")


def timestamp(seconds: float) -> str:
    """A time as records have it: UTC, ISO 8601, milliseconds. seconds: since 1970."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")


def umask() -> int:
    """What this process takes away from the permissions of every file that it makes."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
