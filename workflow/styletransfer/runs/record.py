"""The record of a run, `run.json`: what it holds, how it is written and read, and whether a run is complete."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from styletransfer.devices import tf_setup
from styletransfer.devices.lease import Device
from styletransfer.files import atomic, checks
from styletransfer.runs.layout import RUN_FILES
from styletransfer.stages import work

# The status of a run that has a result.
FINISHED = ("ok", "diverged")
# What a record calls the checksum of the rest of it.
CHECKSUM_KEY = "record_sha256"


class IncompleteError(ValueError):
    """A run has no complete result. The message names the file that is absent, damaged or another run's."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """All about one run, under the names that `run.json` has. results/README.md says what each of them is."""

    run_id: str
    status: str
    settings: dict[str, Any]
    identity: dict[str, Any]
    width: int
    height: int
    # Checksums of the files: pictures by role, results by name.
    inputs: dict[str, Any]
    outputs: dict[str, str]
    weights: dict[str, str]
    iterations_done: int
    best_iteration: int
    # Losses by name of the last and the best picture; empty if none was finite.
    final: dict[str, float]
    best: dict[str, float]
    start: str
    end: str
    seconds: float
    seconds_preparing: float
    seconds_per_iteration: float
    resumed: list[int]
    computed_on: list[str]
    precision_used: str
    backend_used: str
    steps_per_call: int
    device: Device
    gpu: dict[str, Any] | None
    threads: int
    host: str
    peak_memory_mib: int
    versions: dict[str, str]

    @property
    def is_timed(self) -> bool:
        """Whether it tells how long steps take on one kind of device."""
        return self.iterations_done > 0 and self.seconds_per_iteration > 0 and len(self.computed_on) == 1

    @property
    def work(self) -> float:
        """How many steps at the full width cost what its steps did: fewer where there are stages."""
        if (stages := self.settings.get("stages", 1)) == 1:  # older records have none
            return self.iterations_done
        return work(stages, self.settings["iterations"], last=self.iterations_done)

    @classmethod
    def read(cls, path: Path) -> Record:
        """The record in a file. Raises `OSError` if it cannot be read, `ValueError` if it is damaged or no record."""
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it holds no names with values")
        if found.pop(CHECKSUM_KEY, None) != checksum_of(found):
            raise ValueError(f"{CHECKSUM_KEY} is not that of what it says")
        names = [field.name for field in dataclasses.fields(cls)]
        if missing := [name for name in names if name not in found]:
            raise ValueError(f"it has no {', '.join(missing)}: another version of the engine wrote it")
        return cls(**{name: found[name] for name in names} | {"device": Device(**found["device"])})

    def write(self, path: Path) -> None:
        """Write it atomically, with a checksum of all that it says."""
        content = dataclasses.asdict(self)
        text = json.dumps({**content, CHECKSUM_KEY: checksum_of(content)}, indent=1, sort_keys=True)
        atomic.write_text(path, text + "\n")


def checksum_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of what a JSON file says, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def complete_record(
    path: Path, files: Iterable[Path] | None = None, run_id: str | None = None, verify: bool = False
) -> Record:
    """The record of a run whose result is complete: the record can be read, and every file is there.

    The record is written last, so a run that was killed has none.

    Args:
        path: of the record.
        files: of the result; by default those that a run of a study keeps beside its record.
        run_id: the run that it must be a record of, if that matters.
        verify: whether the files must hold what the record says as well; that reads them all.

    Raises:
        IncompleteError: if the run must be computed again; it says why.
    """
    try:
        record = Record.read(path)
    except FileNotFoundError as error:
        raise IncompleteError(f"{path}: there is no such file") from error
    except (OSError, ValueError) as error:
        raise IncompleteError(f"{path} is not a record of a run ({type(error).__name__}: {error})") from error
    if run_id is not None and record.run_id != run_id:
        raise IncompleteError(f"{path} is the record of another run, {record.run_id}")
    if files is None:
        files = (path.with_name(name) for name in RUN_FILES.values() if name != RUN_FILES["record"])
    for file in files:
        if not file.is_file():
            raise IncompleteError(f"{file}: there is no such file")
        if verify and record.outputs.get(file.name) != checks.checksum(file):
            raise IncompleteError(damaged(file, path))
    return record


def find_record(
    path: Path, files: Iterable[Path] | None = None, run_id: str | None = None, verify: bool = False
) -> Record | None:
    """As `complete_record`, but None for a run that is not complete."""
    with contextlib.suppress(OSError, IncompleteError):
        return complete_record(path, files, run_id, verify)
    return None


def damaged(file: Path, record: Path) -> str:
    """What to say of a result that does not hold what its record says."""
    return f"{file} is damaged: it is not the file that {record.name} describes"


def remedy(folder: Path) -> str:
    """What to do about a run that is not complete."""
    return f"Remove the folder {folder}, and the workflow computes the run again"


def computed_on(records: Iterable[Record]) -> dict[str, int]:
    """What runs were computed on, with the number of runs."""
    return dict(collections.Counter(", then ".join(record.computed_on) for record in records).most_common())


def rounding_note(counts: Mapping[str, int]) -> str:
    """What to say of runs that were computed on different things (`computed_on`); empty where all were on the same."""
    if len(counts) < 2:
        return ""
    lines = [f"  {count} {'run' if count == 1 else 'runs'}: {where}" for where, count in counts.items()]
    return "\n".join(["computed on different devices or threads, which round differently:", *lines])


@functools.cache
def versions() -> dict[str, str]:
    """Of Python and the packages that decide what is computed."""
    packages = {name: importlib.metadata.version(name) for name in ("numpy", "pillow")}
    return {"python": platform.python_version(), "tensorflow": tf_setup.version(), **packages}
