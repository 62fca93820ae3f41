"""The plan of a study: its rows, its distinct runs, and the files that they are made of. One JSON file holds it.

A config is expanded once. Whatever computes, gathers or shows the study afterwards reads its plan.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from styletransfer.errors import InputError
from styletransfer.files import atomic, checks
from styletransfer.settings import NUMERICS, PARAMETERS, Artifact, Settings, from_canonical, is_default

# What is said of a file of the user's that is no longer what was planned, and what to do about it.
CHANGED = "which has been changed since the study was planned"
AGAIN = "call snakemake again to plan it as it is now"
# Raised when the file gets another form.
FORMAT = 1
REMEDY = "Remove it, and call snakemake again: the plan is made from the config"


@dataclass(frozen=True)
class Source:
    """A picture, or the weights, of a study.

    Args:
        artifact: what it holds, as runs know it.
        kind: `path`, `sample` or `painting`; of weights `path`, or `source` for a published file.
        source: the path or name that the config gives.
        file: the prepared file that runs read. What it holds is part of its name, so it is never out of date.

    """

    artifact: Artifact
    kind: str
    source: str
    file: str

    @property
    def logs(self) -> list[str]:
        """The logs of the jobs that prepare the file."""
        stages = (".fetch.log", ".convert.log") if self.file.endswith(".safetensors") else (".log",)
        return [Path(self.file).with_suffix(stage).as_posix() for stage in stages]

    def is_at_hand(self) -> bool:
        """Whether the prepared file is there or can be made: the user's own file may be gone."""
        return self.kind != "path" or Path(self.file).exists() or not checks.is_gone(self.source)

    def is_changed(self) -> bool:
        """Whether the user's own file is there, but no longer as it was when the study was planned."""
        known = self.artifact.checksum
        if self.kind != "path" or not known.startswith("sha256:") or not Path(self.source).is_file():
            return False
        return known != f"sha256:{checks.checksum(self.source)}"


@dataclass(frozen=True)
class Row:
    """One labelled run of a study.

    Args:
        parameter, value: what the row is about; empty in grids and lists.
        label: for figures.
        repeat: 0 for the settings as they are; above, by how much the seed is larger.

    """

    pair: str
    parameter: str
    value: Any
    label: str
    is_default: bool
    settings: Settings
    repeat: int = 0

    @property
    def run_id(self) -> str:
        """The run that this row shows."""
        return self.settings.run_id

    @property
    def repeat_of(self) -> str:
        """The run of the settings as they are."""
        return self.with_repeat(0).run_id if self.repeat else self.run_id

    def with_repeat(self, repeat: int) -> Row:
        """The same settings with another seed."""
        seed = self.settings.seed - self.repeat + repeat
        return dataclasses.replace(self, settings=dataclasses.replace(self.settings, seed=seed), repeat=repeat)


@dataclass(frozen=True)
class Study:
    """All that decides a study's tables.

    Args:
        name: of the study.
        config: the part of the config that decides the rows.
        weights: of all runs.
        pictures: by name.
        rows: in the order of the config; several may share a run.

    """

    name: str
    config: Mapping[str, Any]
    weights: Source
    pictures: Mapping[str, Source]
    rows: tuple[Row, ...]

    @cached_property
    def runs(self) -> dict[str, Settings]:
        """The distinct runs by their id, in the order of the rows."""
        return {row.run_id: row.settings for row in self.rows}

    @property
    def goes_on(self) -> bool:
        """Whether this is not the last rung of the study."""
        rungs = self.config.get("rungs", [])
        return bool(rungs) and max(run.iterations for run in self.runs.values()) < rungs[-1]

    @cached_property
    def stopped(self) -> dict[str, str]:
        """The runs that do not go on to the rung that others have come to, by their id, with the reason."""
        rungs = self.config.get("rungs")
        if not rungs:
            return {}
        furthest = max(run.iterations for run in self.runs.values())
        return {
            run_id: f"after {run.iterations} of {rungs[-1]} steps, since others of its pair were better by then"
            for run_id, run in self.runs.items()
            if run.iterations < furthest
        }

    @cached_property
    def text(self) -> str:
        """The plan as JSON. Runs name their pictures, and only the parameters that are not the engine's defaults."""
        plan = {
            "plan": FORMAT,
            "numerics": NUMERICS,
            "study": self.name,
            "config": self.config,
            "weights": _source_fields(self.weights),
            "pictures": {name: _source_fields(picture) for name, picture in self.pictures.items()},
            "runs": {run_id: _run_fields(run) for run_id, run in self.runs.items()},
            "rows": [_row_fields(row) for row in self.rows],
        }
        return json.dumps(plan, indent=1) + "\n"

    @cached_property
    def digest(self) -> str:
        """12 hex digits: other ones for every other plan."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    def pictures_of(self, run_id: str) -> dict[str, list[Source]]:
        """The pictures of a run by role: `content`, `styles`, and `initial` if it starts from another picture."""
        run = self.runs[run_id]
        roles: dict[str, Iterable[Artifact | None]] = {
            "content": [run.content],
            "styles": run.styles,
            "initial": [run.initial] if run.initial not in (None, run.content) else [],
        }
        return {role: [self.pictures[found.name] for found in used if found] for role, used in roles.items()}

    def picture_files(self, run_ids: Iterable[str]) -> list[str]:
        """The prepared pictures of runs, each once."""
        used = (found for run_id in run_ids for found in self.pictures_of(run_id).values())
        return sorted({picture.file for pictures in used for picture in pictures})

    def batches(self, size: int) -> list[list[str]]:
        """The runs, at most `size` together: neighbours in the study that are made of the same pictures."""

        def pictures(run_id: str) -> tuple[Any, ...]:
            run = self.runs[run_id]
            return run.content, run.styles, run.initial

        alike = [list(run_ids) for _, run_ids in itertools.groupby(self.runs, key=pictures)]
        return [run_ids[first : first + size] for run_ids in alike for first in range(0, len(run_ids), size)]

    def changed(self) -> list[str]:
        """A line for each of the user's files that is there, but no longer as it was when the study was planned."""
        named = {"weights": self.weights, **{f"images.{name}.path": found for name, found in self.pictures.items()}}
        return [f"{key} is {found.source!r}, {CHANGED}" for key, found in named.items() if found.is_changed()]

    def unused(self, device: str = "auto") -> list[str]:
        """A line for each parameter whose value makes no difference to some of the runs, with the reason.

        device: what the config says.
        """
        found = Counter(
            (name, reason)
            for run in self.runs.values()
            for name, reason in run.unused().items()
            if name in PARAMETERS and not is_default(name, getattr(run, name), len(run.styles))
        )
        if device == "cpu" and (rounded := sum(run.precision == "tensorfloat32" for run in self.runs.values())):
            found["precision", "tensorfloat32 is float32 on a CPU"] = rounded
        return [
            f"{name} makes no difference to {count} of the {len(self.runs)} runs: {reason}"
            for (name, reason), count in found.items()
        ]

    def repeats(self) -> list[str]:
        """A line about how many runs are repeats, and one about settings that have none since they draw no noise."""
        repeats = {row.run_id for row in self.rows if row.repeat}
        if not repeats:
            return []
        without = {run_id for run_id, run in self.runs.items() if "seed" in run.unused()}
        lines = [
            f"{len(repeats)} of the {len(self.runs)} runs are repeats: the settings of another run, with another seed"
        ]
        if without:
            reason = self.runs[min(without)].unused()["seed"]
            lines.append(f"{len(without)} of the {len(self.runs)} runs have no repeats: {reason}")
        return lines

    def write(self, path: str | Path) -> None:
        """Write the plan to a file."""
        atomic.write_text(Path(path), self.text)


def read(path: str | Path) -> Study:
    """The study whose plan is in a file.

    Raises:
        InputError: for a file that is no plan, or that another version of the engine made.

    """
    try:
        plan = json.loads(Path(path).read_text(encoding="utf-8"))
        if (plan["plan"], plan["numerics"]) != (FORMAT, NUMERICS):
            raise InputError(f"{path} was made by another version of the engine. {REMEDY}")
        weights = _source(plan["weights"])
        pictures = {name: _source(fields) for name, fields in plan["pictures"].items()}
        runs = {run_id: _run(fields, pictures, weights) for run_id, fields in plan["runs"].items()}
        rows = tuple(
            Row(**{key: value for key, value in fields.items() if key != "run_id"}, settings=runs[fields["run_id"]])
            for fields in plan["rows"]
        )
        study = Study(plan["study"], plan["config"], weights, pictures, rows)
        if list(study.runs) != list(runs):
            raise ValueError("its runs have other settings than their names say")
        return study
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such plan. Snakemake makes one for each study, in its folder") from error
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a plan of a study ({type(error).__name__}: {error}). {REMEDY}") from error


def newest(folder: str | Path) -> Study | None:
    """The study as it was planned last in a folder; None if there is no plan, or none that can be read."""
    try:
        return read(find(folder))
    except InputError:
        return None


def find(folder: str | Path) -> Path:
    """The newest plan of a study, which is given by its name or by its folder, `results/studies/<study>`.

    Raises:
        InputError: if there is none.

    """
    named = Path("results/studies", folder)
    found = (named if named.is_dir() else Path(folder)).glob("plan-*.json")
    plans = sorted(found, key=lambda path: path.stat().st_mtime)
    if not plans:
        raise InputError(f"{folder}: there is no plan in it. Name the folder of a study, such as results/studies/demo")
    return plans[-1]


def outdated(path: Path) -> list[Path]:
    """Plans of earlier versions of a study, beside the one in that file; those of its rungs are none."""
    study = "-".join(path.stem.split("-")[:2])
    return [other for other in path.parent.glob("plan-*") if not other.stem.startswith(study)]


def _source_fields(source: Source) -> dict[str, str]:
    artifact = {"name": source.artifact.name, "checksum": source.artifact.checksum}
    return {**artifact, "kind": source.kind, "source": source.source, "file": source.file}


def _source(fields: Mapping[str, str]) -> Source:
    artifact = Artifact(fields["name"], fields["checksum"])
    return Source(artifact, fields["kind"], fields["source"], fields["file"])


def _run_fields(run: Settings) -> dict[str, Any]:
    fields = run.canonical()
    names = {"content": run.content.name, "styles": [style.name for style in run.styles]}
    names |= {"initial": run.initial.name} if run.initial is not None else {}
    return names | {key: value for key, value in fields.items() if key not in ("numerics", "weights", *names)}


def _run(fields: Mapping[str, Any], pictures: Mapping[str, Source], weights: Source) -> Settings:
    def artifact(source: Source) -> dict[str, str]:
        return {"name": source.artifact.name, "checksum": source.artifact.checksum}

    used = {
        "content": artifact(pictures[fields["content"]]),
        "styles": [artifact(pictures[name]) for name in fields["styles"]],
        "weights": artifact(weights),
    }
    if "initial" in fields:
        used["initial"] = artifact(pictures[fields["initial"]])
    return from_canonical({**fields, **used, "numerics": NUMERICS})


def _row_fields(row: Row) -> dict[str, Any]:
    label = {"pair": row.pair, "parameter": row.parameter, "value": row.value, "label": row.label}
    repeat = {"repeat": row.repeat} if row.repeat else {}
    return {**label, "is_default": row.is_default, **repeat, "run_id": row.run_id}
