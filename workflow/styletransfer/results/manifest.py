"""The manifest of a study: what it was, what it was made from and with, and the checksum of every file that it gave.

`describe` makes it once a study is complete, `differences` holds the files against it later. Paths in it are relative
to the folder that the workflow ran in, so a study may be moved with its manifest.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from styletransfer.errors import InputError
from styletransfer.files import atomic, checks, yaml_reader
from styletransfer.runs.layout import RUN_FILES
from styletransfer.runs.record import (
    IncompleteError,
    Record,
    complete_record,
    computed_on,
    damaged,
    remedy,
    rounding_note,
)
from styletransfer.settings import NUMERICS, Artifact
from styletransfer.study.plan import Study

FORMAT = 1
# What tables, figures and explorer are made with. What runs are made with stands in their records.
TOOLS = ("numpy", "pandas", "pyarrow", "matplotlib", "pillow", "vl-convert-python", "snakemake")
# What a study is made from may be gone: a finished run does not need it any more.
INPUTS = ("input", "weights")
# Snakemake's, in a folder that it made as one.
FOLDER_MARK = ".snakemake_timestamp"
# What is said of a value that is not there, and how much of any other.
ABSENT, LONGEST_VALUE = "absent", 60


@dataclass(frozen=True)
class Sources:
    """The files of a study besides its runs, as paths from the working directory; a folder stands for all in it."""

    tables: Sequence[str]
    figures: Sequence[str]
    inputs: Sequence[str]
    weights: str


@dataclass
class Comparison:
    """differences: a line for each. absent: inputs that are not there, which is no difference. files: looked at.

    corrupt_files: those that are not what they were, or not there. note: what else there is to say.
    """

    differences: list[str] = field(default_factory=list)
    corrupt_files: list[Path] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    files: int = 0
    note: str = ""


def describe(study: Study, pool: Path, sources: Sources, folder: Path) -> dict[str, Any]:
    """The manifest of a complete study, to be written into `folder`. Called in the working directory.

    Raises `InputError` for a run whose files are not those that
    its record tells of: a manifest must not make damage look right.
    """
    records = {run_id: _record(pool / run_id, run_id) for run_id in study.runs}
    listed = {
        path: {"role": role, "bytes": Path(path).stat().st_size, "sha256": checks.checksum(path)}
        for role, path in _files(study, pool, sources)
    }
    for run_id, record in records.items():
        _check(pool / run_id, record, listed)
    return {
        "manifest": FORMAT,
        "study": study.name,
        "settings": study.config,
        "root": os.path.relpath(".", folder),
        "created": atomic.timestamp(time.time()),
        "numerics": NUMERICS,
        "code": revision(),
        "versions": {"runs": _versions(records.values()), "tables": _tools()},
        "pictures": {name: _picture(found.artifact, records.values()) for name, found in study.pictures.items()},
        "weights": next(iter(records.values())).weights,
        "computed_on": computed_on(records.values()),
        "runs": {run_id: record.status for run_id, record in records.items()},
        "began": min(record.start for record in records.values()),
        "ended": max(record.end for record in records.values()),
        "files": listed,
    }


def load(path: Path) -> dict[str, Any]:
    """A manifest from its file. Raises `InputError` for anything else."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["manifest"] != FORMAT:
            raise InputError(f"{path} has the format {manifest['manifest']!r}, this engine reads {FORMAT}")
        return {**manifest, "root": str(manifest["root"]), "files": dict(manifest["files"])}
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no manifest. It is written when a study is complete") from error
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a manifest of a study ({type(error).__name__}: {error})") from error


def differences(path: Path, settings: Mapping[str, Any] | None = None) -> Comparison:
    """Hold every file against the manifest at `path`. settings: those of the config as it is now, if they matter.

    Raises `InputError` if the manifest cannot be read.
    """
    manifest = load(path)
    found = Comparison(note=rounding_note(manifest.get("computed_on", {})))
    if settings is not None:
        found.differences += _changed(manifest["settings"], settings)
    root = path.parent / manifest["root"]
    for name, expected in manifest["files"].items():
        file = root / name
        if expected["role"] in INPUTS and not file.exists():
            found.absent.append(name)
            continue
        found.files += 1
        difference = _difference(file, expected)
        if difference:
            found.differences.append(f"{name}: {difference}")
            found.corrupt_files.append(file)
    return found


def remove(corrupt_files: Iterable[Path]) -> list[Path]:
    """Remove damaged files, so that the workflow recreates them; returns what was removed, folders that it made whole.

    Raises `InputError` for files that do not lie below the working directory, before anything is removed.
    """
    chosen = dict.fromkeys(_made_at_once(path) for path in corrupt_files)
    for path in chosen:
        if not path.resolve().is_relative_to(Path.cwd().resolve()):
            raise InputError(f"{path} is not below {Path.cwd()}: remove it yourself, or call this where the study is")
    for path in chosen:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return list(chosen)


def _made_at_once(path: Path) -> Path:
    return next((folder for folder in path.parents if (folder / FOLDER_MARK).exists()), path)


def revision() -> dict[str, Any] | None:
    """The git revision of this code, and whether files of it were changed since; None where it is in no repository."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)  # not of a repository that happens to lie around it
        return {
            "revision": git("rev-parse", "HEAD"),
            "modified": bool(git("status", "--porcelain", "--", str(here.parents[1]))),
        }
    except (OSError, subprocess.SubprocessError):
        return None


def _files(study: Study, pool: Path, sources: Sources) -> Iterator[tuple[str, str]]:
    """Role and path of every file, each once."""
    for run_id in study.runs:
        for name in RUN_FILES.values():
            yield "run", (pool / run_id / name).as_posix()
    for role, paths in (("table", sources.tables), ("figure", sources.figures), ("input", sources.inputs)):
        for path in paths:
            yield from ((role, file) for file in _within(Path(path)))
    if Path(sources.weights).exists():
        yield "weights", sources.weights


def _within(path: Path) -> list[str]:
    if not path.is_dir():
        return [path.as_posix()]
    # Snakemake marks folders that it made by a hidden file.
    return sorted(file.as_posix() for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))


def _record(folder: Path, run_id: str) -> Record:
    try:
        return complete_record(folder / RUN_FILES["record"], run_id=run_id)
    except IncompleteError as error:
        raise InputError(f"{error}. {remedy(folder)}") from error


def _check(folder: Path, record: Record, listed: Mapping[str, Mapping[str, Any]]) -> None:
    for name, expected in record.outputs.items():
        path = folder / name
        # A run of old has a picture more, which is no part of the study any more.
        if path.as_posix() in listed and listed[path.as_posix()]["sha256"] != expected:
            raise InputError(f"{damaged(path, folder / RUN_FILES['record'])}. {remedy(folder)}")


def _versions(records: Any) -> dict[str, list[str]]:
    """Every version of every package that some run was made with: nodes may differ."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, version in record.versions.items():
            found.setdefault(name, set()).add(version)
    return {name: sorted(versions) for name, versions in sorted(found.items())}


def _tools() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in TOOLS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def pictures_read(record: Record) -> list[tuple[str, str, str]]:
    """Role, name and checksum of each prepared picture that a run read."""
    identity, inputs = record.identity, record.inputs
    read = [("content", identity["content"], inputs["content"])]
    read += [("style", *style) for style in zip(identity["styles"], inputs["styles"], strict=True)]
    if "initial" in inputs:
        read.append(("initial", identity["initial"], inputs["initial"]))
    return [(role, artifact["name"], checksum) for role, artifact, checksum in read]


def _picture(artifact: Artifact, records: Any) -> dict[str, Any]:
    """Where a picture came from, and the checksums of the prepared files that runs read as it."""
    read = {checksum for record in records for _, name, checksum in pictures_read(record) if name == artifact.name}
    return {"source": artifact.checksum, "sha256": sorted(read)}


def _changed(recorded: Mapping[str, Any], now: Mapping[str, Any], place: str = "config: ") -> list[str]:
    """A line for each value that differs, wherever in the config it stands."""
    lines = []
    for key in dict.fromkeys([*recorded, *now]):
        was, value = recorded.get(key, ABSENT), now.get(key, ABSENT)
        if isinstance(was, Mapping) and isinstance(value, Mapping):
            lines += _changed(was, value, f"{place}{key}.")
        elif was != value:
            lines.append(f"{place}{key} is {_shown(value)}, was {_shown(was)}")
    return lines


def _shown(value: Any) -> str:
    return value if value is ABSENT else yaml_reader.shortened(value, LONGEST_VALUE)


def _difference(file: Path, expected: Mapping[str, Any]) -> str:
    """What is wrong with a file; empty if nothing is."""
    try:
        size = file.stat().st_size
        if size != expected["bytes"]:
            return f"{size:,} bytes, were {expected['bytes']:,}"
        digest = checks.checksum(file)
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if digest == expected["sha256"] else f"sha256 {digest}, was {expected['sha256']}"
