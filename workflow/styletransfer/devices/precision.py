"""How a device computes: in which number format (what `precision: auto` becomes), and what decides its rounding."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path

from styletransfer.errors import InputError

CPUINFO = Path("/proc/cpuinfo")
# Instructions that multiply bfloat16: matrix units, and vectors.
CPU_FLAGS = {"amx_bf16", "avx512_bf16"}
# What oneDNN and TensorFlow choose a CPU's kernels by, from the newest on.
INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "avx512_vnni", "avx512f", "avx2", "avx")
# The variables by which a user limits oneDNN, and switches it on or off.
ONEDNN_LIMIT, ONEDNN_SWITCH = "ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS"
# What `backend: auto` is, by kind of device and precision: a table and no stopwatch, since backends differ in rounding.
# CPUs were measured for it (docs/benchmark.md), GPUs were not yet (docs/gpus.md).
DEFAULT_BACKEND = {
    ("cpu", "float32"): "analytic",
    ("cpu", "bfloat16"): "analytic",
    ("gpu", "float32"): "autodiff",
    ("gpu", "tensorfloat32"): "autodiff",
    ("gpu", "bfloat16"): "autodiff",
}
# The first GPUs with bfloat16, and with TensorFloat-32 (Ampere).
LEAST_COMPUTE_CAPABILITY = (8, 0)


@functools.cache
def cpu_flags(cpuinfo: Path = CPUINFO) -> frozenset[str]:
    """What the CPU can do, in Linux' words; empty where it does not say."""
    return frozenset(_cpuinfo("flags", cpuinfo).split())


def cpu_name(cpuinfo: Path = CPUINFO) -> str:
    """The CPU's model."""
    return _cpuinfo("model name", cpuinfo) or platform.machine()


def _cpuinfo(key: str, cpuinfo: Path) -> str:
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def resolve(precision: str, kind: str, cpuinfo: Path = CPUINFO) -> str:
    """The precision that a device computes in. TensorFlow is loaded for GPUs.

    `auto` is bfloat16 where the device has it in hardware, else float32. `tensorfloat32` is float32 where the device is
    no GPU that has it. kind: as `lease.Device.kind`. Raises `InputError` for bfloat16 on a CPU without it.
    """
    if precision == "bfloat16" and kind == "cpu" and not _cpu_computes_in_bfloat16(cpuinfo):
        raise InputError(
            f"precision is bfloat16, but this CPU ({cpu_name(cpuinfo)}) does not multiply in it: that takes one of "
            f"{' or '.join(sorted(CPU_FLAGS))}, and oneDNN not limited. It would be slower than float32 here, and less "
            "exact. Use precision: float32, or auto, which is bfloat16 only where the device has it"
        )
    if precision in ("float32", "bfloat16"):
        return precision
    if precision == "tensorfloat32":
        return precision if kind == "gpu" and _gpus_are_of_ampere_or_later() else "float32"
    native = _cpu_computes_in_bfloat16(cpuinfo) if kind == "cpu" else _gpus_are_of_ampere_or_later()
    return "bfloat16" if native else "float32"


def cpu_formats(cpuinfo: Path = CPUINFO) -> tuple[str, ...]:
    """The number formats that a run on this CPU may have."""
    return ("float32", "bfloat16") if _cpu_computes_in_bfloat16(cpuinfo) else ("float32",)


def _cpu_computes_in_bfloat16(cpuinfo: Path) -> bool:
    """Without these instructions TensorFlow sums products of bfloat16 in bfloat16, or oneDNN ends the process."""
    limited = os.environ.get(ONEDNN_LIMIT, "DEFAULT").upper() not in ("DEFAULT", "ALL")
    return bool(cpu_flags(cpuinfo) & CPU_FLAGS) and not limited and os.environ.get(ONEDNN_SWITCH) != "0"


def computed_on_cpu(threads: int, cpuinfo: Path = CPUINFO) -> str:
    """All that decides how this process rounds on a CPU: where this text is equal, equal settings give equal bytes.

    The number of threads is part of it: how TensorFlow and oneDNN divide a sum depends on it.
    """
    switch = os.environ.get(ONEDNN_SWITCH)
    onednn = {"1": "oneDNN", "0": "no oneDNN"}.get(str(switch), "oneDNN as TensorFlow chooses")
    if limit := os.environ.get(ONEDNN_LIMIT):
        onednn += f" limited to {limit}"
    return f"{cpu_model(cpuinfo)}, {onednn}, {threads} thread{'' if threads == 1 else 's'}"


def cpu_model(cpuinfo: Path = CPUINFO) -> str:
    """The kind of CPU: its model and newest instructions."""
    return f"{cpu_name(cpuinfo)}, {cpu_instructions(cpuinfo)}"


def cpu_instructions(cpuinfo: Path = CPUINFO) -> str:
    """The newest of `INSTRUCTIONS` that the CPU has; its architecture where it has none of them."""
    return next((name for name in INSTRUCTIONS if name in cpu_flags(cpuinfo)), platform.machine())


def usable_instructions(cpuinfo: Path = CPUINFO) -> str:
    """As `cpu_instructions`, but none newer than those that a user limits oneDNN to."""
    limit = os.environ.get(ONEDNN_LIMIT, "").lower()
    older = ("avx2", "avx") if limit.startswith("avx2") else ("avx",) if limit in ("avx", "sse41") else INSTRUCTIONS
    return next((name for name in older if name in cpu_flags(cpuinfo)), platform.machine())


def _gpus_are_of_ampere_or_later() -> bool:
    import tensorflow as tf

    details = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    return bool(details) and all(
        found.get("compute_capability", (0, 0)) >= LEAST_COMPUTE_CAPABILITY for found in details
    )
