"""How busy a GPU is while a run computes on it, and how much of its memory is taken, as NVML tells it.

NVML is NVIDIA's management library, read through the package nvidia-ml-py. Where either is missing, and whenever NVML
fails, sampling ends with one line in the log, and the run continues.
"""

from __future__ import annotations

import contextlib
import logging
import statistics
import threading
from collections.abc import Iterator
from typing import Any

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.5
# A driver that hangs must not keep a finished run from writing its result.
PATIENCE_SECONDS = 5.0


class Usage:
    """Samples of one device; of all that runs on it, not of this process alone."""

    def __init__(self) -> None:
        self.utilisation_percent: list[float] = []
        self.memory_mib: list[float] = []

    def summary(self) -> dict[str, float | None] | None:
        """Mean and peak, percent and MiB. None without any sample; utilisation is None where NVML does not tell it."""
        if not self.memory_mib:
            return None
        return {
            **_mean_and_peak("utilisation", "percent", self.utilisation_percent),
            **_mean_and_peak("memory", "mib", self.memory_mib),
        }


def _mean_and_peak(name: str, unit: str, samples: list[float]) -> dict[str, float | None]:
    return {
        f"{name}_mean_{unit}": round(statistics.fmean(samples), 1) if samples else None,
        f"{name}_peak_{unit}": round(max(samples), 1) if samples else None,
    }


@contextlib.contextmanager
def watch(uuid: str) -> Iterator[Usage]:
    """Sample the GPU or MIG device of that UUID, from a thread, for the block. Any other name stays without samples."""
    usage = Usage()
    if not uuid.startswith(("GPU-", "MIG-")):
        yield usage
        return
    stop = threading.Event()
    sampler = threading.Thread(target=_sample, args=(uuid, usage, stop), name="gpu-monitor", daemon=True)
    sampler.start()
    try:
        yield usage
    finally:
        stop.set()
        sampler.join(PATIENCE_SECONDS)


def total_memory_mib(uuid: str) -> float | None:
    """The memory of the GPU or MIG device of that UUID; None, with one line in the log, where NVML does not tell it."""
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            return float(pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByUUID(uuid)).total / 2**20)
        finally:
            pynvml.nvmlShutdown()
    except Exception as error:  # whatever it is, a run can do without
        logger.info("the memory of %s is not known: %s: %s", uuid, type(error).__name__, error)
        return None


def _sample(uuid: str, usage: Usage, stop: threading.Event) -> None:
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
            utilisation_known = True
            while True:
                usage.memory_mib.append(pynvml.nvmlDeviceGetMemoryInfo(handle).used / 2**20)
                utilisation_known = utilisation_known and _add_utilisation(pynvml, handle, usage)
                if stop.wait(INTERVAL_SECONDS):
                    return
        finally:
            pynvml.nvmlShutdown()
    except Exception as error:  # whatever it is, the run matters more
        logger.info("%s is not sampled (any more): %s: %s", uuid, type(error).__name__, error)


def _add_utilisation(pynvml: Any, handle: Any, usage: Usage) -> bool:
    """Whether the device tells its utilisation: a MIG device does not."""
    try:
        usage.utilisation_percent.append(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except pynvml.NVMLError_NotSupported:
        return False
    return True
