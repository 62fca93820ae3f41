"""Why an attempt ended without a result: errors, signals, SLURM's time limit, and the kernel's lack of memory."""

from __future__ import annotations

import contextlib
import datetime
import errno
import functools
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from styletransfer.errors import InputError, MachineError, TerminatedError, WaitError

logger = logging.getLogger(__name__)
LONGEST_REASON = 500
# A batch system and a node may differ by so much about the time.
CLOCK_SECONDS = 5.0
SLURM_SECONDS = 10.0
MORE_MEMORY = "Choose a smaller width, or fewer runs at once (--cores, --resources mem_mb)"
VMSTAT = Path("/proc/vmstat")
CGROUPS = Path("/sys/fs/cgroup")


def why(error: BaseException) -> tuple[str, str]:
    """Status and reason of an attempt that an error ended."""
    if isinstance(error, TerminatedError):
        return _terminated(error)
    if isinstance(error, KeyboardInterrupt):
        return "killed", "interrupted (SIGINT)"
    text = one_line(str(error))
    if isinstance(error, WaitError):
        return "timeout", text
    if isinstance(error, InputError):
        return "failed" if isinstance(error, MachineError) else "bad_input", text
    named = one_line(f"{type(error).__name__}: {error}").removesuffix(":")
    return ("out_of_memory", f"{named}. {MORE_MEMORY}") if _is_memory(error) else ("failed", named)


def is_final(error: BaseException) -> bool:
    """Whether trying again ends in the same way: the input or the machine has to change first."""
    return isinstance(error, InputError) and not isinstance(error, WaitError)


def one_line(text: str) -> str:
    """A text without line breaks, and not longer than people read."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}..."


def _terminated(error: TerminatedError) -> tuple[str, str]:
    end = job_end()
    if end is None:
        return "killed", f"{error}"
    early = end - time.time()
    if early > CLOCK_SECONDS:
        return "killed", f"{error}, {early:.0f} s before the time limit of its SLURM job"
    more = "The same command resumes it; --set-resources transfer:runtime= takes the minutes that a job may have"
    return "timeout", f"{error} at the time limit of its SLURM job. {more}"


@functools.cache
def job_end() -> float | None:
    """When the time limit of this process's SLURM job is reached, in seconds since 1970. None where nobody knows."""
    end, job = os.environ.get("SLURM_JOB_END_TIME", ""), os.environ.get("SLURM_JOB_ID")
    if end.isdecimal() or job is None:
        return float(end) if end.isdecimal() else None
    # Older releases of SLURM tell it only to those who ask. It is asked once, when a run begins.
    command = ["squeue", "--noheader", "--jobs", job, "--format", "%e"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=SLURM_SECONDS, check=True).stdout
        return datetime.datetime.fromisoformat(answer.strip()).timestamp()
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        logger.info("the time limit of SLURM job %s is not known (%s)", job, error)
        return None


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    # Where TensorFlow is not loaded, it raised nothing.
    tf = sys.modules.get("tensorflow")
    if tf is None or not isinstance(error, tf.errors.OpError):
        return False
    # Some of CUDA's libraries tell it in words only.
    says_so = "out of memory" in str(error).lower().replace("_", " ")
    return says_so or isinstance(error, tf.errors.ResourceExhaustedError)


def kills_since(counts: Any) -> str:
    """The counter, nearest to the process first, that has risen; empty if the nearest that can be read has not."""
    for path, count in counts or ():
        now = _oom_kill_count(Path(path))
        if now is not None:
            return f"{path}: oom_kill {now - count}" if now > count else ""
    return ""


def oom_kills() -> dict[str, int]:
    """What the kernel's counters of processes killed for lack of memory say: of this control group, of the host."""
    counters = [*_cgroup_counters(), VMSTAT]
    return {str(path): count for path in counters if (count := _oom_kill_count(path)) is not None}


def _cgroup_counters() -> list[Path]:
    """Of this process: one line for cgroups of version 2, `0::/path`; one for memory in version 1, `4:memory:/path`."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for _, controllers, place in (line.split(":", 2) for line in lines):
        if not controllers:
            found.append(CGROUPS / place.lstrip("/") / "memory.events")
        elif "memory" in controllers.split(","):
            found.append(CGROUPS / "memory" / place.lstrip("/") / "memory.oom_control")
    return found


def _oom_kill_count(path: Path) -> int | None:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    except (OSError, StopIteration, ValueError):
        return None


def boot() -> str:
    """Another text after each start of the host."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    return ""
