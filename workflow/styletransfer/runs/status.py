"""The status of runs: whether a run has a result, is running, waits, or why its last attempt gave none.

For readers: `run_status(folder)` gives the `Status` of one run's folder, a name out of `STATUSES` and the reason in
words; it reads two small files and looks at a lock, writes nothing and never waits. `study_status` gives those of many
runs, and `summary` a few lines about them for a terminal.

For whoever computes: `attempt(folder)` around a run, inside its lock, keeps `attempt.json` in the folder: who computes
it since when; after an error, why there is no result. With the result the file goes. A process that is killed cannot
write: so an attempt that was begun, is not finished, and whose lock is free, was killed.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import logging
import os
import platform
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from styletransfer.devices.lease import Device
from styletransfer.errors import InputError
from styletransfer.files import atomic, locks
from styletransfer.runs import causes
from styletransfer.runs.layout import RUN_FILES, RUN_LOG
from styletransfer.runs.record import FINISHED, IncompleteError, Record, complete_record, computed_on, rounding_note
from styletransfer.settings import Settings
from styletransfer.text import folded

logger = logging.getLogger(__name__)

ATTEMPT = "attempt.json"
WITHOUT_RESULT = ("running", "waiting", "killed", "out_of_memory", "timeout", "bad_input", "failed")
# Of a run that has a result, where others of its study have gone on to more steps.
STOPPED = "stopped"
WITH_RESULT = (*FINISHED, STOPPED)
# Those that have a result come first.
STATUSES = (*WITH_RESULT, *WITHOUT_RESULT)


@dataclass(frozen=True)
class Status:
    """name: one of `STATUSES`. reason: why, in words, one line; empty where there is nothing to explain.

    record: of a run that has a result. details: of any other, what `attempt.json` says of the newest attempt: `host`,
    `pid`, the file `log` that its process writes errors to, `device` once it has one, `start`, `end` once it has ended,
    `attempt` (1, 2, ...), and in a SLURM job its number, `job`, and time limit, `limit`.
    """

    name: str
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    record: Record | None = field(default=None, repr=False, compare=False)

    @property
    def finished(self) -> bool:
        """Whether there is a result."""
        return self.name in WITH_RESULT

    def within(self, stopped: Mapping[str, str]) -> Status:
        """As a study sees it. stopped: its runs that do not go on, with the reason: `plan.Study.stopped`."""
        reason = stopped.get(self.record.run_id) if self.record and self.name == "ok" else None
        return dataclasses.replace(self, name=STOPPED, reason=reason) if reason else self


@dataclass(frozen=True)
class InputStatus:
    """How something that runs are made of comes about.

    file: what is made. logs: of the commands that make it. status: that of runs which cannot begin for lack of it.
    """

    file: str
    logs: Sequence[str] = ()
    status: str = "bad_input"


def run_status(folder: str | Path, log: Path | None = None) -> Status:
    """The status of the run of that folder. Whether its files hold what the record says is not looked at.

    log: of the job that computes it, which may have failed before it began the run.
    """
    folder = Path(folder)
    found = _result(folder)
    if found.finished:
        return found
    begun = _read(folder / ATTEMPT)
    locked = locks.is_locked(folder / RUN_FILES["record"])
    if locked or (locked is None and _is_at_work(begun or {})):
        return Status("running", details=begun or {})
    if found.reason:
        return found
    if begun is None:
        return _ended_before(log) if log else Status("waiting")
    if begun.get("status") != "running":
        return Status(_known(begun.get("status")), str(begun.get("reason", "")), begun)
    # It may have ended well since the record was looked for.
    found = _result(folder)
    return found if found.finished else _died(begun)


def study_status(
    runs: Mapping[str, Settings],
    pool: Path,
    inputs: Mapping[str, InputStatus] | None = None,
    logs: Path | None = None,
) -> dict[str, Status]:
    """The status of each run of a study.

    inputs: by the digest of an `Artifact`, to tell why runs never began. logs: the folder of the logs of its jobs.
    """
    faults = {digest: fault for digest, each in (inputs or {}).items() if (fault := _fault(each)) is not None}
    return {
        run_id: _or_fault(run_status(pool / run_id, logs and logs / f"{run_id}.log"), run, faults)
        for run_id, run in runs.items()
    }


def summary(statuses: Mapping[str, Status], pool: Path, most: int = 5) -> str:
    """Counts by status; then for each of at most `most` different reasons how many runs it stopped, and a log.

    And what the runs were computed on, if that differs.
    """
    counts = collections.Counter(status.name for status in statuses.values())
    lines = ["runs: " + counted(counts)]
    groups: dict[tuple[str, str], list[str]] = {}
    for run_id, status in statuses.items():
        if status.name != "ok" and status.reason:
            groups.setdefault((status.name, status.reason), []).append(run_id)
    for (name, reason), run_ids in list(groups.items())[:most]:
        log = pool / run_ids[0] / RUN_LOG
        others = f", and {len(run_ids) - 1} more of this kind" if len(run_ids) > 1 else ""
        lines += folded(f"{name}: {reason}", "  ")
        lines += [f"    {log if log.exists() else run_ids[0]}{others}"]
    if len(groups) > most:
        lines.append(f"  and {len(groups) - most} more reasons")
    note = rounding_note(computed_on(each.record for each in statuses.values() if each.record))
    if note:
        lines.append(note)
    return "\n".join(lines)


def counted(counts: Mapping[str, int]) -> str:
    """Counts by status in words, in the order of `STATUSES`: `3 ok, 1 killed`."""
    return ", ".join(f"{counts[name]} {name}" for name in STATUSES if counts.get(name)) or "none"


class Attempt:
    """The record of an attempt while it lasts, `attempt.json`."""

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self._path, self._info = path, info
        self._write()

    def on(self, device: Device) -> None:
        """It computes on this device."""
        self._info["device"] = device.uuid
        self._write()

    def failed(self, error: BaseException) -> None:
        """It has ended without a result. Never raises: the error that ended it matters more."""
        status, reason = causes.why(error)
        ended = {"status": status, "reason": reason, "end": atomic.timestamp(time.time())}
        self._info |= ended | {"final": causes.is_final(error)}
        with contextlib.suppress(OSError):
            self._write()

    def _write(self) -> None:
        # After a power cut a run that has no result tells as much.
        atomic.write_text(self._path, json.dumps(self._info, indent=1, sort_keys=True) + "\n", flush=False)


@contextlib.contextmanager
def attempt(folder: Path) -> Iterator[Attempt]:
    """Keep `attempt.json` of that folder for the block, in which its run is computed. The run's lock must be held."""
    path = folder / ATTEMPT
    atomic.remove_leftovers(path)
    earlier = _read(path)
    if earlier is not None:
        outcome = _died(earlier) if earlier.get("status") == "running" else Status(str(earlier.get("status")))
        logger.info("an earlier attempt gave no result: %s: %s", outcome.name, outcome.reason or earlier.get("reason"))
    current = Attempt(path, _beginning((earlier or {}).get("attempt")))
    try:
        yield current
    except BaseException as error:
        current.failed(error)
        raise
    clear_attempt(folder)


def refuse_final(folder: Path) -> None:
    """Raise `InputError` if the last attempt ended for a reason that trying again does not change."""
    found = _read(folder / ATTEMPT) or {}
    if found.get("final"):
        raise InputError(f"{found.get('reason')} (not tried again: this does not go away by itself)")


def clear_attempt(folder: Path) -> None:
    """A run that has a result needs no `attempt.json`. The run's lock must be held."""
    (folder / ATTEMPT).unlink(missing_ok=True)


def _beginning(attempts: Any) -> dict[str, Any]:
    job, end = os.environ.get("SLURM_JOB_ID"), causes.job_end()
    slurm = {"job": job, "limit": None if end is None else atomic.timestamp(end)} if job else {}
    return {
        "status": "running",
        "attempt": 1 + (attempts if isinstance(attempts, int) else 0),
        "host": platform.node(),
        "pid": os.getpid(),
        "log": _log_of_job(),
        "start": atomic.timestamp(time.time()),
        "boot": causes.boot(),
        "oom_kills": list(causes.oom_kills().items()),
        **slurm,
    }


def _log_of_job() -> str | None:
    """Where this process writes its errors, if that is a file: there stands what a crash says."""
    with contextlib.suppress(OSError):
        path = Path("/proc/self/fd/2").readlink()
        return os.path.relpath(path) if path.is_file() else None
    return None


def _ended_before(log: Path) -> Status:
    """The status of a run that no attempt was made at: a command may have failed before it came so far."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return Status("waiting")
    last = lines[-1] if lines else ""
    if last.startswith("error: "):
        return Status("bad_input", causes.one_line(last.removeprefix("error: ")))
    return Status("failed", causes.one_line(last)) if re.match(r"\w*(Error|Exception)\b", last) else Status("waiting")


def _is_at_work(begun: Mapping[str, Any]) -> bool:
    """Whether an attempt seems to be at work, where no lock tells it. That of another host is believed."""
    if begun.get("status") != "running" or begun.get("host") != platform.node():
        return begun.get("status") == "running"
    return begun.get("boot") == causes.boot() and Path(f"/proc/{begun.get('pid')}").exists()


def _died(begun: Mapping[str, Any]) -> Status:
    """The status of an attempt that was begun and has neither ended nor the lock any more."""
    where = f"process {begun.get('pid')} on {begun.get('host')} ended silently"
    if begun.get("host") == platform.node():
        if begun.get("boot") != causes.boot():
            return Status("killed", f"{where}: the host was restarted", begun)
        kills = causes.kills_since(begun.get("oom_kills"))
        if kills:
            memory = f"and the kernel killed for lack of memory since ({kills}). {causes.MORE_MEMORY}"
            return Status("out_of_memory", f"{where}, {memory}", begun)
    limit = f", its time limit was {begun['limit']}" if begun.get("limit") else ""
    job = f". SLURM job {begun['job']}{limit}; sacct may know more" if "job" in begun else ""
    log = f" that {begun['log']} may tell of" if begun.get("log") else ""
    return Status("killed", f"{where}: SIGKILL, or a crash{log}{job}", begun)


def _result(folder: Path) -> Status:
    """The status that the files of a run alone tell: waiting if it has no record; with a reason if they do not fit."""
    path = folder / RUN_FILES["record"]
    try:
        record = complete_record(path)
    except IncompleteError as error:
        return Status("waiting", f"{error}. It will be computed again" if path.exists() else "")
    return Status(record.status, reason_of(record), record=record)


def reason_of(record: Record) -> str:
    """What there is to explain about a result: that the loss grew out of all bounds; empty for a sound one."""
    return (
        f"the loss was not finite any more after step {record.iterations_done}" if record.status == "diverged" else ""
    )


def _read(path: Path) -> dict[str, Any] | None:
    """An object of a JSON file; None where there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _known(name: Any) -> str:
    return name if name in WITHOUT_RESULT else "failed"


def _fault(source: InputStatus) -> Status | None:
    """Why something is not there: the last error in the logs of what makes it."""
    if Path(source.file).exists():
        return None
    for log in reversed(source.logs):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            errors = [line for line in Path(log).read_text(encoding="utf-8").splitlines() if line.startswith("error: ")]
            if errors:
                return Status(source.status, causes.one_line(errors[-1].removeprefix("error: ")))
    return None


def _or_fault(status: Status, run: Settings, faults: Mapping[str, Status]) -> Status:
    """A run that never began, because what it is made of could not be made, says so."""
    if status.name != "waiting":
        return status
    artifacts = (run.content, *run.styles, run.weights, *([run.initial] if run.initial else []))
    return next((faults[each.digest] for each in artifacts if each.digest in faults), status)
