"""In which number format a device computes: what `precision: auto` becomes."""

from __future__ import annotations

import functools
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# Instructions that multiply bfloat16: matrix units, and vectors.
CPU_FLAGS = {"amx_bf16", "avx512_bf16"}
# The first GPUs with bfloat16 (Ampere).
LEAST_COMPUTE_CAPABILITY = (8, 0)


@functools.cache
def cpu_flags(cpuinfo: Path = CPUINFO) -> frozenset[str]:
    """What the CPU can do, in Linux' words; empty where that is not told."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), ()))


def resolve(precision: str, kind: str, cpuinfo: Path = CPUINFO) -> str:
    """`float32` or `bfloat16`; `auto` is bfloat16 where the device has it in hardware. TensorFlow is loaded for GPUs.

    kind: as `devices.Device.kind`.
    """
    if precision != "auto":
        return precision
    native = bool(cpu_flags(cpuinfo) & CPU_FLAGS) if kind == "cpu" else _gpus_have_bfloat16()
    return "bfloat16" if native else "float32"


def _gpus_have_bfloat16() -> bool:
    import tensorflow as tf

    details = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    return bool(details) and all(
        found.get("compute_capability", (0, 0)) >= LEAST_COMPUTE_CAPABILITY for found in details
    )
