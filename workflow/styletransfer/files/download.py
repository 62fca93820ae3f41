"""Files from the network, whole and checked or not at all.

Several addresses are tried in turn, a broken transfer is taken up where it broke, and nothing gets its final name
before size and checksum are right. Which files there are, and what is in them, others know.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from styletransfer.errors import InputError
from styletransfer.files import checks, locks

logger = logging.getLogger(__name__)

# What is written at once, and at most lost when a connection breaks.
CHUNK_BYTES = 1 << 16
# A connection that brought this much was worth having: the next one starts with a full count of retries.
PROGRESS_BYTES = 1 << 20
LONGEST_DELAY = 60.0
# No file of weights is larger. A server that never stops does not fill the disk.
MAX_BYTES = checks.MAX_INPUT_BYTES
REPORT_SECONDS = 10.0
DIGITS = {"md5": 32, "sha256": 64}
# Besides 5xx: timeout, too early, too many requests.
PASSING_STATUSES = (408, 425, 429)
REMEDY = (
    "Check the network and the addresses, or download the file by hand and name its path in the configuration; "
    "`weights: vgg16` needs no network"
)


class DownloadError(InputError):
    """No address gave the file. The message lists every address with what went wrong there."""


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

    size: bytes, None if unknown. checksum: `md5:...` or `sha256:...` in hex. timeout: seconds to connect, and seconds
    without a byte after which a transfer counts as stalled. retries: how often an address is tried again after a fault
    that may pass (no connection, stalled, cut short, 5xx, 429), after about backoff * 2**n seconds, n = 0, 1, ..., or
    when the server says. schemes: what addresses and redirects may use. An unfinished `<path>.part` stays and is
    resumed by the next call; a wrong one is removed. A process that wants the same file waits for the one fetching it.

    Raises `DownloadError` if no address gives the file or it cannot be written, `InputError` for a malformed checksum.
    """
    path = Path(path)
    if checksum is not None:
        parse_checksum(checksum, origin=f"checksum of {path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locks.exclusive_lock(path, math.inf):
            if not _is_right(path, size, checksum):
                _fetch_any(urls, _Target(path, size, checksum), _Patience(timeout, retries, backoff), schemes)
    except OSError as error:
        raise DownloadError(
            f"{path}: cannot be written ({error}). Make room or choose another folder; what has arrived is kept"
        ) from error


def verify(path: str | Path, *, size: int | None = None, checksum: str | None = None, origin: str | Path = "") -> None:
    """Hold a file's size and checksum against what is expected, where that is given.

    Raises `InputError` that names `origin` (by default the path), what was expected and what was found.
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


class _AddressError(Exception):
    """What went wrong at one address. passing: it may go better next time; delay: seconds, if the server named them."""

    def __init__(self, message: str, passing: bool = False, delay: float | None = None) -> None:
        super().__init__(message)
        self.passing = passing
        self.delay = delay


class _Target:
    """The file that is wanted, and the part of it that has arrived."""

    def __init__(self, path: Path, size: int | None, checksum: str | None) -> None:
        self.path = path
        self.size = size
        self.checksum = checksum
        self.part = path.with_name(f"{path.name}.part")

    @property
    def arrived(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def discard(self) -> None:
        self.part.unlink(missing_ok=True)

    def finish(self) -> str:
        """Give the file its name, or throw it away and return what is wrong with it."""
        found_wrong = _difference(self.part, self.size, self.checksum)
        if found_wrong:
            self.discard()
        else:
            with open(self.part, "rb") as whole:
                os.fsync(whole.fileno())
            self.part.replace(self.path)
        return found_wrong


class _Patience:
    """How long to wait for what."""

    def __init__(self, timeout: float, retries: int, backoff: float) -> None:
        self.timeout = timeout
        self.retries = retries
        self.backoff = backoff

    def delay(self, attempt: int) -> float:
        # The jitter keeps many clients that were turned away together from coming back together.
        return min(self.backoff * 2**attempt * random.uniform(0.5, 1.5), LONGEST_DELAY)


def _fetch_any(urls: Sequence[str], target: _Target, patience: _Patience, schemes: Sequence[str]) -> None:
    faults = []
    with _session(schemes) as session:
        for url in urls:
            try:
                _fetch_patiently(session, url, target, patience)
                return
            except _AddressError as fault:
                logger.warning("%s: %s", url, fault)
                faults.append(f"{url}: {fault}")
    raise DownloadError(f"{target.path}: could not be fetched. {'; '.join(faults) or 'No address was given'}. {REMEDY}")


def _fetch_patiently(session: requests.Session, url: str, target: _Target, patience: _Patience) -> None:
    attempt, most = 0, target.arrived
    while True:
        try:
            _fetch_once(session, url, target, patience.timeout)
            return
        except _AddressError as fault:
            if target.arrived >= most + PROGRESS_BYTES:
                attempt, most = 0, target.arrived
            if not fault.passing:
                raise
            if attempt >= patience.retries:
                raise _AddressError(f"{fault} (tried {attempt + 1} times)") from fault
            delay = patience.delay(attempt) if fault.delay is None else fault.delay
            logger.warning("%s: %s; next try in %.0f s", url, fault, delay)
        time.sleep(delay)
        attempt += 1


def _fetch_once(session: requests.Session, url: str, target: _Target, timeout: float) -> None:
    """One request, and the file under its name; or an `_AddressError`."""
    # Without a checksum nobody would notice that two parts do not belong together.
    if target.checksum is None or (target.size is not None and target.arrived > target.size):
        target.discard()
    begin = target.arrived
    if target.size is None or begin < target.size:
        with _translated_faults(session):
            begin = _transfer(session, url, target, begin, timeout)
    found_wrong = target.finish()
    if found_wrong:
        # Bytes of an earlier call may be to blame for it, and they are gone now. A whole file from here is what it is.
        raise _AddressError(found_wrong, passing=begin > 0)


def _transfer(session: requests.Session, url: str, target: _Target, begin: int, timeout: float) -> int:
    """Let the missing rest arrive, from byte `begin` on; returns where this response really began."""
    # A compressed answer would make lengths and ranges mean something else.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begin}-"} if begin else {})
    with session.get(url, headers=headers, stream=True, timeout=timeout) as response:
        if begin and response.status_code == requests.codes.requested_range_not_satisfiable:
            # Either the part is whole already or it is wrong: the checksum will tell.
            return begin
        _check_status(response)
        first = _first_byte(response)
        if first not in (0, begin):
            raise _AddressError(f"asked for bytes from {begin} on, the server sent them from {first} on", passing=True)
        _check_length(response, target, first)
        with open(target.part, "ab" if first else "wb") as part, _Progress(target, first) as progress:
            for chunk in response.iter_content(CHUNK_BYTES):
                part.write(chunk)
                progress.add(len(chunk))
                if target.size is not None and progress.bytes > target.size:
                    target.discard()
                    raise _AddressError(f"sends more than the expected {target.size} bytes")
                if progress.bytes > MAX_BYTES:
                    target.discard()
                    raise _AddressError(f"sends more than {MAX_BYTES} bytes, as no file of weights has")
    if target.size is not None and progress.bytes < target.size:
        # Only a server that announced no length gets here; HTTP cannot tell its early end from a proper one.
        raise _AddressError(f"cut short after {progress.bytes} of {target.size} bytes", passing=True)
    return first


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status in (requests.codes.ok, requests.codes.partial_content):
        return
    said = f"HTTP {status} {response.reason or ''}".rstrip()
    if status < 500 and status not in PASSING_STATUSES:
        raise _AddressError(said)
    delay = _retry_after(response.headers.get("Retry-After"))
    if delay is not None and delay > LONGEST_DELAY:
        raise _AddressError(f"{said}, come back in {delay:.0f} s")
    raise _AddressError(said, passing=True, delay=delay)


def _retry_after(value: str | None) -> float | None:
    try:
        return None if value is None else Retry().parse_retry_after(value)
    except (InvalidHeader, ValueError, OverflowError):  # neither seconds nor a date
        return None


def _first_byte(response: requests.Response) -> int:
    """Where in the file the response's body begins: a server that ignores Range sends everything, with status 200."""
    if response.status_code == requests.codes.ok:
        return 0
    match = re.fullmatch(r"bytes (\d+)-\d+/(?:\d+|\*)", response.headers.get("Content-Range", ""))
    if match is None:
        raise _AddressError(f"HTTP 206 with Content-Range {response.headers.get('Content-Range')!r}")
    return int(match[1])


def _check_length(response: requests.Response, target: _Target, first: int) -> None:
    """Notice a wrong size before it has been downloaded."""
    length = response.headers.get("Content-Length", "")
    if target.size is None or not length.isdecimal() or first + int(length) == target.size:
        return
    if first:
        target.discard()
    raise _AddressError(f"size {first + int(length)} bytes, expected {target.size} bytes", passing=first > 0)


@contextlib.contextmanager
def _translated_faults(session: requests.Session) -> Iterator[None]:
    try:
        yield
    except requests.exceptions.InvalidSchema as error:
        allowed = " and ".join(prefix.removesuffix("://") for prefix in session.adapters)
        raise _AddressError(f"leads to an address that is not allowed, only {allowed} is ({error})") from error
    except requests.exceptions.SSLError as error:
        raise _AddressError(f"no trustworthy connection ({_reason(error)})") from error
    except requests.exceptions.Timeout as error:
        raise _AddressError(f"no answer in time ({_reason(error)})", passing=True) from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError) as error:
        raise _AddressError(f"connection failed or cut short ({_reason(error)})", passing=True) from error
    except requests.RequestException as error:
        raise _AddressError(_reason(error)) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _session(schemes: Sequence[str]) -> requests.Session:
    """A session that knows the allowed schemes only, which holds for redirects as well."""
    session = requests.Session()
    session.adapters.clear()
    for scheme in schemes:
        session.mount(f"{scheme}://", HTTPAdapter())
    return session


def _is_right(path: Path, size: int | None, checksum: str | None) -> bool:
    # A file of which nothing is known cannot be told from a wrong one.
    return checksum is not None and path.is_file() and not _difference(path, size, checksum)


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


class _Progress:
    """Says on stderr how far a transfer is: a bar on a terminal, now and then a line in a log."""

    def __init__(self, target: _Target, begin: int) -> None:
        self.bytes = begin
        self._target = target
        self._said = time.monotonic()
        self._bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            name = target.path.name
            self._bar = tqdm(desc=name, total=target.size, initial=begin, unit="B", unit_scale=True, leave=False)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def add(self, count: int) -> None:
        self.bytes += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() - self._said >= REPORT_SECONDS:
            self._said = time.monotonic()
            of = f" of {self._target.size / 1e6:.1f}" if self._target.size else ""
            print(f"{self._target.path.name}: {self.bytes / 1e6:.1f}{of} MB", file=sys.stderr, flush=True)
