"""Files that are either whole or absent, checksums of them, and locks on them."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import logging
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from styletransfer.errors import REMEDIES, InputError, WaitError, WriteError

logger = logging.getLogger(__name__)

REPORT_SECONDS = 30.0
# The largest file of weights that is published has 0.6 GB. Reading a larger one to the end would take for ever.
MAX_INPUT_BYTES = 4_000_000_000


class BusyError(WaitError):
    """Another process holds a lock for longer than this one wants to wait."""


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds, remove it if not.

    The temporary name keeps the suffix, since image writers choose their format by it. The content is flushed to disk
    before the rename: after a power cut there is the old file or the new one, never half of one. What a killed process
    left in that folder is removed. Raises `WriteError` if the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    with _refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        # The name is cut so that a long one with the marks added still fits into the file system's 255 bytes.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:100]}.", suffix=f".tmp{path.suffix}")
    temporary = Path(name)
    try:
        _lock(handle)
        with _refusals(path, temporary):
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
    with _refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".tmp"))
        handle = os.open(temporary, os.O_RDONLY)
    try:
        _lock(handle)
        yield temporary
        with _refusals(path):
            temporary.chmod(0o775 & ~_umask())
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
    temporary.chmod(0o664 & ~_umask())
    temporary.replace(path)


@contextlib.contextmanager
def _refusals(path: Path, temporary: Path | None = None) -> Iterator[None]:
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


def check_input(path: str | Path, what: str, most_bytes: int = MAX_INPUT_BYTES) -> None:
    """Raise `InputError` unless `path` is a plain file that may be read and has at most so many bytes.

    what: the key or option that names the file, for the message.
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
        return f"there is no such file as {Path(path).absolute()}. Check the path"
    except (OSError, ValueError) as error:  # ValueError: NUL, or half of a character
        return f"it cannot be read ({getattr(error, 'strerror', error)}). Check the path and its permissions"
    if plain:
        return f"it has {status.st_size:,} bytes, more than the {most_bytes:,} allowed. Give a smaller file"
    if stat.S_ISDIR(status.st_mode):
        return "it is a folder. Name a file in it"
    return "it is no plain file but a device, pipe or socket. Save its content to a file"


def checksum(path: str | Path, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


@contextlib.contextmanager
def alone(path: str | Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of `path` for the block: no other process that asks for it is in its block meanwhile.

    The kernel frees the lock when the process ends, however it ends. It reaches as far as the file system's locks do:
    over all hosts on NFS. Raises `BusyError` after wait_seconds; the wait is logged. Raises `WriteError` where there
    cannot be a lock.
    """
    # The lock file stays: removing it would let two processes hold two locks of one name.
    lock = FileLock(_lock_of(path), mode=0o664 & ~_umask())
    end = time.monotonic() + wait_seconds
    while True:
        left = end - time.monotonic()
        try:
            with _refusals(Path(path)):
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
    """Whether some process is in a block of `alone` for that path. Leaves no trace, and never waits.

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


def timestamp(seconds: float) -> str:
    """A time as records have it: UTC, ISO 8601, milliseconds. seconds: since 1970."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")


def _lock_of(path: str | Path) -> Path:
    return Path(path).with_name(f".{Path(path).name}.lock")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
