"""The record of a run: written last, sealed, and read back; whether the result that it tells of is there."""

from __future__ import annotations

import collections
import hashlib
import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from styletransfer.files import atomic, checks
from styletransfer.runs.layout import RUN_FILES, Run

# What a record calls the checksum of the rest of it.
CHECKSUM_KEY = "record_sha256"


def finished(run: Run) -> dict[str, Any] | None:
    """The record of a run whose result is there: of the same settings, and every file as the record says.

    The record is written last, so a run that was killed has none.
    """
    assert run.outputs.record is not None
    try:
        record = read_record(run.outputs.record)
        whole = record["outputs"] == {path.name: checks.checksum(path) for path in run.outputs.results()}
        return record if whole and record["identity"] == run.settings.canonical() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write the record of a run, with a checksum of all that it says."""
    sealed = {**record, CHECKSUM_KEY: _checksum(record)}
    atomic.write_text(path, json.dumps(sealed, indent=1, sort_keys=True) + "\n")


def read_record(path: Path) -> dict[str, Any]:
    """The record of a run. Raises `OSError` if it cannot be read, `ValueError` if it is damaged."""
    record = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(record, dict):
        raise ValueError("it holds no names with values")
    if CHECKSUM_KEY in record and record[CHECKSUM_KEY] != _checksum(record):
        raise ValueError(f"{CHECKSUM_KEY} is not that of what it says")
    return record


def _checksum(record: Mapping[str, Any]) -> str:
    content = {name: value for name, value in record.items() if name != CHECKSUM_KEY}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def computed_on(records: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """What runs were computed on, with the number of runs. Older records do not say it and count nowhere."""
    places = [", then ".join(record["computed_on"]) for record in records if record.get("computed_on")]
    return dict(collections.Counter(places).most_common())


def rounding_note(counts: Mapping[str, int]) -> str:
    """What to say of runs that were computed on different things (`computed_on`); empty where all were on the same."""
    if len(counts) < 2:
        return ""
    lines = [f"  {count} {'run' if count == 1 else 'runs'}: {where}" for where, count in counts.items()]
    return "\n".join(["computed on different devices or threads, which round differently:", *lines])


def corrupt_files(folder: Path, record: Mapping[str, Any]) -> list[Path]:
    """The files in the folder of a run that are not those its record tells of; the record itself if it is another's."""
    if record.get("run_id", folder.name) != folder.name:
        return [folder / RUN_FILES["record"]]
    return [folder / name for name, checksum in record["outputs"].items() if not _is(folder / name, checksum)]


def _is(path: Path, checksum: str) -> bool:
    return path.is_file() and checks.checksum(path) == checksum


def seconds_of_run(records: Sequence[Mapping[str, Any]]) -> Callable[[int, int | None], float]:
    """How long a run of so many iterations and that width takes, going by records of runs that took a step or more.

    A width of None is that of the first record.
    """
    per_pixel = statistics.median(record["seconds_per_iteration"] / record["width"] ** 2 for record in records)
    outside = statistics.median(
        record["seconds"] - record["iterations_done"] * record["seconds_per_iteration"] for record in records
    )
    usual = records[0]["width"]
    return lambda iterations, width: outside + iterations * per_pixel * (width or usual) ** 2
