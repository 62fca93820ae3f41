"""What this host has: GPUs that a run may use, and as many cores and as much memory as its container may have."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from styletransfer.errors import InputError, MachineError

logger = logging.getLogger(__name__)

CHOICES = ("auto", "gpu", "cpu")
# A sound driver answers within seconds; one whose GPU hangs never does.
PATIENCE_SECONDS = 20.0
GLANCE_SECONDS = 2.0
TENSORFLOW_SECONDS = 120.0
PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")

# Before TensorFlow is loaded in a process that computes, another one tells whether it would find a GPU.
_LIST_GPUS = "import tensorflow as tf; print('GPUs:', len(tf.config.list_physical_devices('GPU')))"
_INSTALL = "install envs/requirements-gpu.txt and check the driver"
_OR_CPU = "compute on the CPU (device: cpu in the config, --device cpu by hand)"


def gpus(environ: Mapping[str, str] = os.environ, patience: float = PATIENCE_SECONDS) -> list[str]:
    """Identifiers of the GPUs this process may use: CUDA_VISIBLE_DEVICES' if it is set, else all of the host's.

    Indices and abbreviated UUIDs become whole UUIDs where nvidia-smi can tell them, so that two processes which name a
    device differently still mean one device. Where there is no nvidia-smi, a name is taken as it is, and an index N as
    `index-N`: processes that name a device alike then still respect each other, and needlessly so where a batch system
    shows each another device under one index. A GPU that is split into MIG devices means those.

    Args:
        environ: The environment.
        patience: Seconds to wait for nvidia-smi.

    Raises:
        MachineError: nvidia-smi is there, but fails or does not answer, so that nobody knows.
    """
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in ("", "-1"):
        return []
    host = _host_gpus(patience)
    if visible is None:
        return [device for _, devices in (host or {}).values() for device in devices]
    found: list[str] = []
    for entry in visible.split(","):
        named = _named(entry.strip(), host)
        if not named:
            # CUDA ignores everything from the first invalid entry on; -1 is the usual way to say "none".
            if entry.strip() not in ("", "-1"):
                text = "CUDA_VISIBLE_DEVICES is %r: %r is not a device here, the rest is ignored"
                logger.warning(text, visible, entry)
            break
        found += named
    return list(dict.fromkeys(found))


# By the index that nvidia-smi prints: a GPU's UUID, and the devices it is split into, or itself.
Listing = Mapping[int, tuple[str, list[str]]]


def _named(entry: str, host: Listing | None) -> Sequence[str]:
    """The devices that one entry of CUDA_VISIBLE_DEVICES means; none if it is invalid. host: None if nobody knows."""
    if re.fullmatch(r"[0-9]+", entry):
        return [f"index-{int(entry)}"] if host is None else host.get(int(entry), ("", []))[1]
    if not re.fullmatch(r"(GPU|MIG)-[\w/-]+", entry):
        return []
    listed = list((host or {}).values())
    devices = {device: [device] for _, split in listed for device in split} | dict(listed)
    known = [entry] if entry in devices else [name for name in devices if name.startswith(entry)]
    if len(known) == 1:
        return devices[known[0]]
    # Old drivers name a MIG device by its GPU and two numbers; new ones still accept that, but list it otherwise.
    return [entry] if host is None or entry.startswith("MIG-GPU-") else []


def _host_gpus(patience: float) -> Listing | None:
    """The GPUs that `nvidia-smi -L` lists; None without nvidia-smi. A lost GPU has a line, but neither index nor UUID.

    Raises `MachineError` if it lists none because it fails.
    """
    try:
        code, output = _answer(["nvidia-smi", "-L"], patience)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unknown(f"it cannot be started: {error.strerror}") from error
    if code is None:
        raise _unknown(f"it did not answer within {patience:g} s")
    listing: dict[int, tuple[str, list[str]]] = {}
    split: list[str] = []
    for index, uuid in re.findall(r"^(?:GPU (\d+):|\s+MIG ).*\(UUID: ((?:GPU|MIG)-[\w/-]+)\)", output, re.MULTILINE):
        if index:
            split = []
            listing[int(index)] = uuid, split
        elif listing:
            split.append(uuid)
    if not listing and code and not re.search(r"no devices", output, re.IGNORECASE):
        raise _unknown(f"exit status {code}: {' '.join(output.split())[:200]}")
    if listing and code:
        logger.warning("nvidia-smi -L ends with exit status %d: only the GPUs that it lists are used", code)
    return {index: (uuid, devices or [uuid]) for index, (uuid, devices) in listing.items()}


def gpu_names() -> tuple[str, ...]:
    """The models of this host's GPUs, each once; none where nvidia-smi does not tell."""
    try:
        _, output = _answer(["nvidia-smi", "-L"], GLANCE_SECONDS)
    except OSError:
        return ()
    return tuple(dict.fromkeys(re.findall(r"^GPU \d+: (.+) \(UUID: ", output, re.MULTILINE)))


def driver() -> str:
    """The version of NVIDIA's driver; `unknown` where nvidia-smi does not tell it."""
    try:
        _, output = _answer(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"], GLANCE_SECONDS)
    except OSError:
        return "unknown"
    found = re.match(r"[\d.]+$", output.strip().partition("\n")[0])
    return found[0] if found else "unknown"


def _unknown(reason: str) -> MachineError:
    return MachineError(
        f"nvidia-smi does not list devices ({reason}), so nobody knows whether there is a GPU: fix that, or {_OR_CPU}"
    )


def _answer(command: Sequence[str], patience: float) -> tuple[int | None, str]:
    """Exit status and output of a command; None if it has not ended by then.

    It is killed then, but not waited for: a process that hangs in the driver does not even end by SIGKILL.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    try:
        output, _ = process.communicate(timeout=patience)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        return None, ""


def tensorflow_sees_gpus() -> bool:
    """Whether TensorFlow of this Python finds a GPU: a process of its own looks, which takes it some seconds."""
    if os.environ.get("STYLETRANSFER_FAKE_GPUS"):  # tests have no GPU, but want to see runs being scheduled
        return True
    try:
        _, output = _answer([sys.executable, "-c", _LIST_GPUS], TENSORFLOW_SECONDS)
    except OSError:
        return False
    found = re.search(r"^GPUs: (\d+)$", output, re.MULTILINE)
    return found is not None and int(found[1]) > 0


def resolve(choice: str, patience: float = PATIENCE_SECONDS, try_tensorflow: bool = True) -> str:
    """What runs on this host compute on: `gpu` or `cpu`. `auto` is a GPU where there is one that TensorFlow can use.

    Args:
        choice: One of `CHOICES`.
        patience: Seconds to wait for nvidia-smi.
        try_tensorflow: Whether TensorFlow of this Python is the one that will compute, and is asked.

    Raises:
        MachineError: Nobody knows whether there is a GPU.
    """
    if choice != "auto":
        return choice
    if not gpus(patience=patience):
        return "cpu"
    if try_tensorflow and not tensorflow_sees_gpus():
        logger.warning(
            "there is a GPU, but TensorFlow sees no GPU: computing on the CPU. To use the GPU, %s (docs/gpus.md)",
            _INSTALL,
        )
        return "cpu"
    return "gpu"


def guess(choice: str, patience: float = GLANCE_SECONDS, try_tensorflow: bool = False) -> str:
    """As `resolve`, but `gpu` where nobody knows: for plans and dry runs, and until `check` refuses it."""
    try:
        return resolve(choice, patience, try_tensorflow)
    except MachineError as error:
        logger.warning("%s", error)
        return "gpu"


def check(choice: str, kind: str, tokens: int | None, slots: int = 1, try_tensorflow: bool = True) -> None:
    """Refuse, before a workflow starts any run, what its runs could not get on this host.

    Args:
        choice: One of `CHOICES`.
        kind: What `resolve` made of it.
        tokens: How many runs the workflow manager lets have a GPU at once; None: without limit.
        slots: Of each device.
        try_tensorflow: As `resolve` has it.

    Raises:
        InputError: If there is no token for GPUs, or more than slots; for `auto` that became `cpu`, if there are more
            than the one token that is there unasked.
        MachineError: For `gpu` if there is no GPU, or none that TensorFlow can use.
    """
    if kind == "cpu":
        if choice == "auto" and (tokens or 0) > 1:
            raise InputError(
                f"{tokens} runs may have a GPU at once, but no GPU is visible to TensorFlow here: fix that "
                "(docs/gpus.md), or use device: cpu in the config"
            )
        return
    devices = len(pool("gpu"))
    places = devices * slots
    if tokens is None or not 1 <= tokens <= places:
        raise InputError(
            f"{'any number of' if tokens is None else tokens} runs may have a GPU at once, but this host has room for "
            f"{places} (GPUs: {devices}, slots per device: {slots}). Use --resources gpu={places}, or fewer but not 0"
        )
    if choice == "gpu" and try_tensorflow and not tensorflow_sees_gpus():
        raise MachineError(f"there is a GPU, but TensorFlow sees no GPU: {_INSTALL}, or {_OR_CPU}")


def check_remote(choice: str) -> None:
    """Refuse, where runs are submitted to other hosts, a choice of device that only a look at this host could settle.

    Raises `InputError` for `auto`.
    """
    if choice == "auto":
        raise InputError(
            "device is auto, but runs are computed on other hosts than this one: write device: gpu or device: cpu in "
            "the config (--config device=gpu)"
        )


def pool(choice: str) -> list[str]:
    """The GPUs out of which a run gets one; none for `cpu`, and for `auto` where there is none.

    Raises `MachineError` for `gpu` if there is none.
    """
    found = [] if choice == "cpu" else gpus()
    if not found and choice == "gpu":
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        raise MachineError(
            "device is gpu, but no GPU is visible: see what `nvidia-smi -L` lists; CUDA_VISIBLE_DEVICES is "
            f"{'not set' if visible is None else repr(visible)}. Fix that, or {_OR_CPU}"
        )
    return found


def cores() -> int:
    """As many cores as this process may use, at least 1: of its affinity, and of its control groups' quota."""
    quotas = [quota for quota in _quotas() if quota is not None]
    return max(1, round(min([len(os.sched_getaffinity(0)), *quotas])))


def limits(given: Mapping[str, Any]) -> dict[str, int]:
    """What a scheduler on this host should keep to, where nobody chose it.

    Args:
        given: Its limits by name, each with a `value`. As many `_cores` as there are were not chosen.

    Returns:
        `_cores`, as many as a container's quota allows, and `mem_mb`; neither if it was chosen.
    """
    found = {}
    if given["_cores"].value == len(os.sched_getaffinity(0)):
        found["_cores"] = cores()
    if not {"mem", "mem_mb", "mem_mib"} & set(given):
        found["mem_mb"] = memory_mb()
    return found


def _quotas() -> Iterator[float | None]:
    for folder in _control_groups("cpu"):
        if limit := _words(folder / "cpu.max"):  # `max 100000` or `50000 100000`
            yield int(limit[0]) / int(limit[1]) if limit[0] != "max" else None
        quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
        if quota and period and int(quota[0]) > 0:
            yield int(quota[0]) / int(period[0])


def memory_mb() -> int:
    """As much memory as runs may take together, in MB: what the host can give, or less if a control group says so."""
    limits = [_available()]
    for folder in _control_groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _words(folder / name)
            if limit and limit[0] != "max":
                limits.append(int(limit[0]))
    return min(limits) // 1_000_000


def _available() -> int:
    words = re.search(r"^MemAvailable:\s+(\d+) kB", (PROC / "meminfo").read_text(encoding="utf-8"), re.MULTILINE)
    return int(words[1]) * 1024 if words else sys.maxsize


def _control_groups(controller: str) -> Iterator[Path]:
    """The folders of this process's control group and of those around it, version 2 and 1."""
    roots = {CGROUPS: "/", CGROUPS / controller: "/"}
    for line in (PROC / "self/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, place = line.split(":", 2)
        if not controllers:
            roots[CGROUPS] = place
        elif controller in controllers.split(","):
            roots[CGROUPS / controller] = place
    for root, place in roots.items():
        # In a container the place may be the one that the host sees, and the root is the container's own.
        group = root / place.lstrip("/")
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(root))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except OSError:
        return []
