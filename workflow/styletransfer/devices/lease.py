"""The lease of a device: one of the GPUs that `host` finds, or the CPU.

A workflow manager hands out a number of GPUs, not which ones. So every run leases a concrete device: before TensorFlow
is loaded, it takes an exclusive kernel lock on a file named after the device, in a folder of this host and user. The
kernel frees the lock when the process ends, however it ends. A device may have several slots, each a lock of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import random
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from styletransfer.devices import host
from styletransfer.errors import InputError, WaitError

logger = logging.getLogger(__name__)

REPORT_SECONDS = 30.0

# A process sees one device for its whole life. A second lease in it would also undo the first: see `_try_lock`.
_LEASING = threading.Lock()


@dataclass(frozen=True)
class Device:
    """What a run computes on.

    uuid: of a GPU or a MIG device, as nvidia-smi names it; `index-N` where nvidia-smi cannot tell; `cpu` for the CPU.
    slot: which of the device's slots, from 0.
    """

    kind: str
    uuid: str
    slot: int = 0


CPU = Device("cpu", "cpu")


@contextlib.contextmanager
def lease(choice: str = "auto", wait_seconds: float = 3600.0, slots: int = 1) -> Iterator[Device]:
    """Hold one slot of one device for the block, and make that device the only one that CUDA shows.

    Must be entered before TensorFlow is imported; CUDA shows nothing else afterwards either, as TensorFlow keeps to its
    device. choice: `gpu`, `cpu`, or `auto` for a GPU where there is one. slots: how many runs may share a device;
    second slots are taken when every device has a run. Processes that disagree about slots never exceed the largest
    count among them. Raises `MachineError` if a GPU is asked for and there is none, or if nobody knows, `WaitError` if
    none becomes free within wait_seconds, and `RuntimeError` if this process holds a lease of a GPU already.
    """
    pool = host.pool(host.resolve(choice))
    if not pool:
        _show("-1")
        yield CPU
        return
    if not _LEASING.acquire(blocking=False):
        raise RuntimeError("this process holds a lease already: one process, one device")
    with contextlib.ExitStack() as at_end:
        at_end.callback(_LEASING.release)
        device, descriptor = _wait_for_slot(pool, slots, wait_seconds)
        at_end.callback(os.close, descriptor)  # this frees the lock
        _show(device.uuid.removeprefix("index-"))
        yield device


def _show(devices: str) -> None:
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # an index means the same to CUDA as to nvidia-smi
    os.environ["CUDA_VISIBLE_DEVICES"] = devices


def _wait_for_slot(pool: Sequence[str], slots: int, wait_seconds: float) -> tuple[Device, int]:
    """The first slot that is free, and the open file that holds its lock."""
    folder = lock_folder()
    begin = time.monotonic()
    report = 0.0
    while True:
        for slot in range(slots):
            for uuid in random.sample(pool, len(pool)):
                descriptor = _try_lock(_lock_file(folder, uuid, slot))
                if descriptor is not None:
                    logger.info("leased %s, slot %d, after %.1f s", uuid, slot, time.monotonic() - begin)
                    return Device("gpu", uuid, slot), descriptor
        waited = time.monotonic() - begin
        places = [_lock_file(folder, uuid, slot) for uuid in pool for slot in range(slots)]
        if waited >= wait_seconds:
            raise WaitError(
                f"none of {len(pool)} GPUs became free within {wait_seconds:g} s: {_holders(places)}. Hand out no "
                "more gpu tokens than there are devices, or wait longer (--device-wait)"
            )
        if waited >= report:
            logger.info("waiting for a GPU, %.0f of at most %g s: %s", waited, wait_seconds, _holders(places))
            report += REPORT_SECONDS
        time.sleep(min(_pause(waited), wait_seconds - waited))


def _pause(waited: float) -> float:
    """Seconds until the next try, 0.01 to 0.75.

    Who has waited longer asks more often, so whoever came first is never less likely than others to get the next slot.
    """
    return max(0.02, 0.5 / (1 + waited / 60)) * random.uniform(0.5, 1.5)


def _lock_file(folder: Path, uuid: str, slot: int) -> Path:
    # A name that cannot leave the folder, whatever CUDA_VISIBLE_DEVICES holds.
    return folder / f"{uuid.replace('/', '_')}.{slot}.lock"


def _holders(places: Sequence[Path]) -> str:
    """Who holds which slot, for people: what the holders wrote into their files."""
    return ", ".join(f"{path.stem} held by process {_signature(path) or '?'}" for path in places)


def _signature(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _try_lock(path: Path) -> int | None:
    """An open file that holds the lock, or None while another process holds it. Raises `InputError`.

    This is a POSIX lock (`lockf`), not `flock`: it belongs to the process, not to the open file, so no child holds it,
    whether it was forked, with or without exec, and whether or not it outlives its parent. The price: the process
    loses the lock as soon as it closes any descriptor of the file. Nothing else opens it while the lease is held.
    """
    try:
        with contextlib.ExitStack() as on_failure:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            on_failure.callback(os.close, descriptor)
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_nlink > 1:
                raise InputError(f"{path} is not a lock file of this user (a plain file with one name): remove it")
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):  # POSIX allows either when another process holds it
                return None
            if os.fstat(descriptor).st_nlink == 0:  # removed in between: it guards nothing, the next try makes another
                return None
            _sign(descriptor)
            on_failure.pop_all()
            return descriptor
    except OSError as error:
        raise InputError(
            f"{path} cannot be used as a lock file ({error.strerror}): remove it, or name another folder in "
            "STYLETRANSFER_LEASES"
        ) from error


def _sign(descriptor: int) -> None:
    """Write who holds the lock, for people; and keep the file young, for those who clean /tmp by age."""
    with contextlib.suppress(OSError):  # a full disk is no reason not to compute
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())


def lock_folder() -> Path:
    """The folder of this host's and user's leases, private to the user; it is made if need be.

    The same for all of the user's processes on the host, so neither TMPDIR nor a working directory decides it. Not in
    /dev/shm: systemd-logind may empty that when the user logs out, amid a run. Raises `InputError` if something
    else than an own, private folder has its name.
    """
    folder = Path(os.environ.get("STYLETRANSFER_LEASES") or f"/tmp/styletransfer-leases-{os.getuid()}")
    if not folder.is_absolute():
        raise InputError(f"STYLETRANSFER_LEASES is {str(folder)!r}: give the full path, so that it means one folder")
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made ({error.strerror}): name another folder in STYLETRANSFER_LEASES"
        ) from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise InputError(
            f"{folder} is not a private folder of this user (a directory, owner {os.getuid()}, mode 0700): "
            "remove it, or name another one in STYLETRANSFER_LEASES"
        )
    return folder
