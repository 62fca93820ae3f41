"""Files from the network, whole and checked or not at all.

requests and urllib3 do the requests and their retries. This module adds what they do not know: mirrors, resuming a
transfer that broke, and size and checksum that are right before a file gets its name.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader, MaxRetryError, ProtocolError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from styletransfer.errors import InputError
from styletransfer.files import checks, locks

logger = logging.getLogger(__name__)
# What it says of retries is four times as long as what `_Retry` says.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)

# What is written at once, and at most lost when a connection breaks.
CHUNK_BYTES = 1 << 16
# A connection that brought this much was worth having: the next one starts with a full count of retries.
PROGRESS_BYTES = 1 << 20
LONGEST_DELAY = 60.0
# No file of weights is larger. A server that never stops does not fill the disk.
MAX_BYTES = checks.MAX_INPUT_BYTES
REPORT_SECONDS = 10.0
DIGITS = {"md5": 32, "sha256": 64}
# Timeout, too early, too many requests, and all faults of the server.
PASSING_STATUSES = (408, 425, 429, *range(500, 600))
REMEDY = (
    "Check the network, or download the file by hand and set `weights` to its path; `weights: vgg16` needs no network"
)


class DownloadError(InputError):
    """No address gave the file. The message has a line for every address if there are several."""


class _AddressError(Exception):
    """What went wrong at one address."""


class _BrokenError(_AddressError):
    """A transfer that broke: another request may bring the rest."""


class _Retry(Retry):
    """urllib3's retries, logged, and none for a server that wants to be left alone for long."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        with contextlib.suppress(InvalidHeader, ValueError, OverflowError):  # neither seconds nor a date: wait as usual
            return super().get_retry_after(response)
        return None

    def increment(self, *request: Any, **fault: Any) -> Self:
        response = fault.get("response")
        if response is not None and (self.get_retry_after(response) or 0) > LONGEST_DELAY:
            raise MaxRetryError(fault["_pool"], request[1])
        following = super().increment(*request, **fault)
        what = _reason(fault["error"]) if response is None else f"HTTP {response.status}"
        # urllib3 names the path, `_fetch_resuming` the whole address.
        logger.warning("%s%s: %s; trying again", getattr(fault.get("_pool"), "host", ""), request[1], what)
        return following


def fetch(
    urls: Sequence[str],
    path: str | Path,
    *,
    size: int | None = None,
    checksum: str | None = None,
    timeout: float = 30.0,
    retries: int = 4,
    backoff: float = 1.0,
    schemes: Sequence[str] = ("https",),
) -> None:
    """Download the first of `urls` that gives what is expected to `path`; a file that is already right is left alone.

    An unfinished `<path>.part` stays and is resumed by the next call; a wrong one is removed. A process that wants the
    same file waits for the one fetching it.

    Args:
        urls: Addresses of the same file, tried one after another.
        path: Where the file goes; its folder is made.
        size: Expected bytes; None if unknown.
        checksum: Expected `md5:...` or `sha256:...` in hex; None takes any content, and resumes nothing.
        timeout: Seconds to connect, and seconds without a byte after which a transfer counts as stalled.
        retries: How often an address is tried again after a fault that may pass: no connection, stalled, cut short,
            5xx, 429.
        backoff: Seconds before the second retry; they double with each, up to `LONGEST_DELAY`. A server's Retry-After
            comes first.
        schemes: What addresses and redirects may use.

    Raises:
        DownloadError: No address gives the file, or it cannot be written.
        InputError: The checksum is malformed.
    """
    path = Path(path)
    if checksum is not None:
        parse_checksum(checksum, origin=f"checksum of {path.name}")
    retry = _Retry(
        retries,
        other=0,  # above all a certificate that is wrong
        status_forcelist=PASSING_STATUSES,
        backoff_factor=backoff,
        backoff_jitter=backoff,
        backoff_max=LONGEST_DELAY,
        raise_on_status=False,
    )
    faults = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locks.exclusive_lock(path, math.inf), _session(schemes, retry) as session:
            # A file of which nothing is known cannot be told from a wrong one.
            if checksum is not None and path.is_file() and not _difference(path, size, checksum):
                return
            for url in urls:
                try:
                    _fetch_resuming(session, url, _Target(path, size, checksum), timeout, retry)
                    return
                except _AddressError as fault:
                    logger.warning("%s: %s", url, fault)
                    faults.append(f"{url}: {fault}")
    except OSError as error:
        raise DownloadError(
            f"{path}: cannot be written ({error}). Make room or choose another folder; what has arrived is kept"
        ) from error
    where = f" from {faults[0]}" if len(faults) == 1 else ""
    tried = "\n  ".join([" Tried:", *faults]) if len(faults) > 1 else "" if faults else " No address was given"
    raise DownloadError(f"{path.name} cannot be downloaded{where}. {REMEDY}.{tried}")


def verify(path: str | Path, *, size: int | None = None, checksum: str | None = None, origin: str | Path = "") -> None:
    """Compare a file's size and checksum with what is expected, where that is given.

    Raises:
        InputError: It differs; the message names `origin` (by default the path), what was expected and what was found.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    found_wrong = _difference(path, size, checksum)
    if found_wrong:
        where = f"{origin}: {path}" if origin else str(path)
        raise InputError(f"{where}: {found_wrong}. It is another file, or a damaged one: fetch it again")


def parse_checksum(checksum: str, origin: str = "checksum") -> tuple[str, str]:
    """`md5:...` or `sha256:...` as (algorithm, hex digits in lower case). Raises `InputError` for anything else."""
    algorithm, _, digest = checksum.partition(":")
    if algorithm not in DIGITS or not re.fullmatch(f"[0-9a-fA-F]{{{DIGITS[algorithm]}}}", digest):
        raise InputError(f"{origin}: {checksum!r} is neither md5: with 32 nor sha256: with 64 hexadecimal digits")
    return algorithm, digest.lower()


@dataclass
class _Target:
    """The file that is wanted, and the part of it that has arrived."""

    path: Path
    size: int | None
    checksum: str | None

    @property
    def part(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def arrived(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0


def _fetch_resuming(session: requests.Session, url: str, target: _Target, timeout: float, retry: Retry) -> None:
    """Ask one address until the file is whole; the session itself repeats a request that gets no answer."""
    left, most = retry, target.arrived
    while True:
        try:
            return _fetch_once(session, url, target, timeout)
        except _BrokenError as error:
            fault = error
        if target.arrived >= most + PROGRESS_BYTES:
            left, most = retry, target.arrived
        try:
            left = left.increment("GET", url, error=ProtocolError(str(fault)))
        except MaxRetryError:
            raise _AddressError(f"{fault} (tried {len(left.history) + 1} times)") from None
        left.sleep()


def _fetch_once(session: requests.Session, url: str, target: _Target, timeout: float) -> None:
    """One request, and the file under its name; or an `_AddressError`."""
    # Without a checksum nobody would notice that two parts do not belong together.
    if target.checksum is None or (target.size is not None and target.arrived > target.size):
        target.part.unlink(missing_ok=True)
    begin = target.arrived
    if target.size is None or begin < target.size:
        # A compressed answer would make lengths and ranges mean something else.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begin}-"} if begin else {})
        try:
            response = session.get(url, headers=headers, stream=True, timeout=timeout)
        except requests.exceptions.InvalidSchema as error:
            allowed = " and ".join(prefix.removesuffix("://") for prefix in session.adapters)
            raise _AddressError(f"only {allowed} is allowed ({error})") from error
        except requests.RequestException as error:
            raise _AddressError(_reason(error)) from error
        with response:
            # After 416 the part is whole already or it is wrong: the checksum tells.
            if not (begin and response.status_code == requests.codes.requested_range_not_satisfiable):
                begin = _receive(response, target, begin)
    fault = _difference(target.part, target.size, target.checksum)
    if fault:
        target.part.unlink()
        # Bytes of an earlier call may be to blame, and they are gone now. A whole file from here stays what it is.
        raise (_BrokenError if begin else _AddressError)(fault)
    with open(target.part, "rb") as whole:
        os.fsync(whole.fileno())
    target.part.replace(target.path)


def _receive(response: requests.Response, target: _Target, begin: int) -> int:
    """Put a response's body behind what has arrived; returns the byte of the file that it begins with."""
    if response.status_code == requests.codes.ok:
        begin = 0  # a server that ignores Range sends everything
    elif response.status_code != requests.codes.partial_content:
        after = response.headers.get("Retry-After")
        said = f"HTTP {response.status_code} {response.reason or ''}".rstrip()
        raise _AddressError(f"{said}, Retry-After {after!r}" if after else said)
    elif not response.headers.get("Content-Range", "").startswith(f"bytes {begin}-"):
        raise _BrokenError(f"asked for bytes from {begin} on, the server sent others")
    length = response.headers.get("Content-Length", "")
    if target.size is not None and length.isdecimal() and begin + int(length) != target.size:
        fault = f"size {begin + int(length)} bytes, expected {target.size} bytes"
        if not begin:
            raise _AddressError(fault)
        target.part.unlink()
        raise _BrokenError(fault)
    arrived, most = begin, MAX_BYTES if target.size is None else target.size
    try:
        with open(target.part, "ab" if begin else "wb") as part:
            for chunk in _reported(response.iter_content(CHUNK_BYTES), target, begin):
                part.write(chunk)
                arrived += len(chunk)
                if arrived > most:
                    target.part.unlink()
                    raise _AddressError(f"sends more than the expected {most} bytes")
    except requests.RequestException as error:
        raise _BrokenError(f"cut short after {arrived} bytes ({_reason(error)})") from error
    if target.size is not None and arrived < target.size:
        # Only a server that announced no length gets here; HTTP cannot tell its early end from a proper one.
        raise _BrokenError(f"cut short after {arrived} of {target.size} bytes")
    return begin


def _reported(chunks: Iterable[bytes], target: _Target, begin: int) -> Iterator[bytes]:
    """The same chunks; stderr shows how far they are: a bar on a terminal, now and then a line in a log."""
    from tqdm import tqdm  # plans are made without it

    name, said, arrived = target.path.name, time.monotonic(), begin
    of = f" of {target.size / 1e6:.1f}" if target.size else ""
    bar = {"desc": name, "total": target.size, "initial": begin, "unit": "B", "unit_scale": True, "leave": False}
    with tqdm(**bar, disable=not sys.stderr.isatty()) as shown:
        for chunk in chunks:
            yield chunk
            arrived += len(chunk)
            shown.update(len(chunk))
            if shown.disable and time.monotonic() - said >= REPORT_SECONDS:
                said = time.monotonic()
                print(f"{name}: {arrived / 1e6:.1f}{of} MB", file=sys.stderr, flush=True)


def _reason(error: BaseException) -> str:
    """What the innermost error says: those around it repeat it, with the address and the state of urllib3's pools."""
    while error.__context__ is not None:
        error = error.__context__
    return " ".join(str(error).split()) or type(error).__name__


def _session(schemes: Sequence[str], retry: Retry) -> requests.Session:
    """A session that knows the allowed schemes only, which holds for redirects as well."""
    session = requests.Session()
    session.adapters.clear()
    for scheme in schemes:
        session.mount(f"{scheme}://", HTTPAdapter(max_retries=retry))
    return session


def _difference(path: Path, size: int | None, checksum: str | None) -> str:
    """What is wrong with a file: expected and found, or nothing."""
    if size is not None and path.stat().st_size != size:
        return f"size {path.stat().st_size} bytes, expected {size} bytes"
    if checksum is not None:
        algorithm, expected = parse_checksum(checksum)
        found = checks.checksum(path, algorithm)
        if found != expected:
            return f"{algorithm} {found}, expected {algorithm} {expected}"
    return ""
