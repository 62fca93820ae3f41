"""Devices: which GPUs this process may use, and the lease of one of them.

A workflow manager hands out a number of GPUs, not which ones. So every run leases a concrete device: it takes an
exclusive kernel lock on a file named after the device, in a folder of this host and user, before TensorFlow is loaded.
The kernel frees the lock when the process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import re
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from styletransfer.errors import InputError

logger = logging.getLogger(__name__)

CHOICES = ("auto", "gpu", "cpu")
POLL_SECONDS = 0.2
REPORT_SECONDS = 30.0


@dataclass(frozen=True)
class Device:
    """What a run computes on. uuid: as nvidia-smi names it, or what CUDA_VISIBLE_DEVICES says; `cpu` for the CPU."""

    kind: str
    uuid: str


CPU = Device("cpu", "cpu")


def gpus(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Identifiers of the GPUs this process may use: CUDA_VISIBLE_DEVICES' if it is set, else all of the host's.

    Indices become UUIDs where nvidia-smi can tell them, so that two processes which name a device differently still
    mean one device.
    """
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return _host_gpus()
    host: list[str] | None = None
    found: list[str] = []
    for entry in (part.strip() for part in visible.split(",")):
        if re.fullmatch(r"\d+", entry):
            host = _host_gpus() if host is None else host
            index = int(entry)
            found.append(host[index] if index < len(host) else f"index-{index}")
        elif re.fullmatch(r"(GPU|MIG)-[\w/-]+", entry):
            found.append(entry)
        else:
            break  # CUDA ignores everything from the first invalid entry on, -1 among them
    return list(dict.fromkeys(found))


def _host_gpus() -> list[str]:
    """UUIDs from `nvidia-smi -L`, in its order. A GPU that is split into MIG devices stands for those."""
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=True).stdout
    except FileNotFoundError:
        return []
    except (subprocess.SubprocessError, OSError) as error:
        logger.warning("nvidia-smi does not list devices (%s): assuming that there is no GPU", error)
        return []
    found: list[str] = []
    for line in listing.splitlines():
        match = re.search(r"UUID: ((GPU|MIG)-[\w/-]+)", line)
        if match is None:
            continue
        if match[2] == "MIG" and found and found[-1].startswith("GPU-"):
            found.pop()
        found.append(match[1])
    return found


@contextlib.contextmanager
def lease(choice: str = "auto", wait_seconds: float = 3600.0) -> Iterator[Device]:
    """Hold one device for the block and make it the only one that CUDA shows.

    Must be entered before TensorFlow is imported. choice: `gpu`, `cpu`, or `auto` for a GPU where there is one.
    Raises `InputError` if a GPU is asked for and there is none, or if none becomes free within wait_seconds.
    """
    pool = [] if choice == "cpu" else gpus()
    if not pool:
        if choice == "gpu":
            raise InputError(
                "device is gpu, but no GPU is visible: nvidia-smi lists none or CUDA_VISIBLE_DEVICES "
                f"is {os.environ.get('CUDA_VISIBLE_DEVICES')!r}. Use --device cpu, or check the driver"
            )
        _show("-1")
        yield CPU
        return
    with _first_free(pool, wait_seconds) as uuid:
        _show(uuid.removeprefix("index-"))
        yield Device("gpu", uuid)


def _show(devices: str) -> None:
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    os.environ["CUDA_VISIBLE_DEVICES"] = devices


@contextlib.contextmanager
def _first_free(pool: list[str], wait_seconds: float) -> Iterator[str]:
    folder = lock_folder()
    begin = time.monotonic()
    report = begin + REPORT_SECONDS
    while True:
        for uuid in random.sample(pool, len(pool)):
            # A name that cannot leave the folder, whatever CUDA_VISIBLE_DEVICES holds.
            lock = FileLock(folder / f"{uuid.replace('/', '_')}.lock", mode=0o600)
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=0)
                try:
                    logger.info("leased %s after %.1f s", uuid, time.monotonic() - begin)
                    yield uuid
                finally:
                    lock.release()
                return
        now = time.monotonic()
        if now - begin > wait_seconds:
            raise InputError(
                f"none of {len(pool)} GPUs became free within {wait_seconds:.0f} s: {', '.join(pool)}. "
                "Ask for no more gpu tokens than there are devices, or wait longer (--device-wait)"
            )
        if now > report:
            logger.info("waiting for one of %d GPUs for %.0f s", len(pool), now - begin)
            report = now + REPORT_SECONDS
        time.sleep(POLL_SECONDS * random.uniform(0.5, 1.5))


def lock_folder() -> Path:
    """The folder of this host's and user's leases, private to the user.

    The same for all of the user's processes on the host, so neither TMPDIR nor a working directory decides it.
    Raises `InputError` if something else than an own, private folder has its name.
    """
    parent = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")
    folder = Path(os.environ.get("STYLETRANSFER_LEASES", parent / f"styletransfer-leases-{os.getuid()}"))
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise InputError(
            f"{folder} is not a private folder of this user (a directory, owner {os.getuid()}, mode 0700): "
            "remove it, or name another one in STYLETRANSFER_LEASES"
        )
    return folder
