"""In which number format a device computes: what `precision: auto` becomes."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# Instructions that multiply bfloat16: matrix units, and vectors.
CPU_FLAGS = {"amx_bf16", "avx512_bf16"}
# The first GPUs with bfloat16, and with TensorFloat-32 (Ampere).
LEAST_COMPUTE_CAPABILITY = (8, 0)


@functools.cache
def cpu_flags(cpuinfo: Path = CPUINFO) -> frozenset[str]:
    """What the CPU can do, in Linux' words; empty where that is not told."""
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
    no GPU that has it. kind: as `devices.Device.kind`.
    """
    if precision in ("float32", "bfloat16"):
        return precision
    if precision == "tensorfloat32":
        return precision if kind == "gpu" and _gpus_are_of_ampere_or_later() else "float32"
    native = bool(cpu_flags(cpuinfo) & CPU_FLAGS) if kind == "cpu" else _gpus_are_of_ampere_or_later()
    return "bfloat16" if native else "float32"


def _gpus_are_of_ampere_or_later() -> bool:
    import tensorflow as tf

    details = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    return bool(details) and all(
        found.get("compute_capability", (0, 0)) >= LEAST_COMPUTE_CAPABILITY for found in details
    )
