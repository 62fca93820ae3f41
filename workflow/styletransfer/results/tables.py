"""The tables of a study: a row per label with everything known about its run, and the losses in long form."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from styletransfer.analysis import noise, pareto, ruler
from styletransfer.errors import InputError
from styletransfer.files import atomic, checks
from styletransfer.optim.terms import LOSSES
from styletransfer.results import readings
from styletransfer.runs import status
from styletransfer.runs.layout import RUN_FILES
from styletransfer.runs.record import IncompleteError, Record, complete_record, remedy
from styletransfer.runs.status import Status
from styletransfer.settings import PARAMETERS, Settings
from styletransfer.study import rungs
from styletransfer.study.plan import Row, Study

COPIED = (
    *(
        "width",
        "height",
        "start",
        "end",
        "seconds",
        "seconds_preparing",
        "seconds_per_iteration",
        "host",
        "peak_memory_mib",
    ),
    *("iterations_done", "best_iteration", "precision_used", "backend_used"),
)
LOSS_NAMES = (*LOSSES, *(f"{name}_unweighted" for name in LOSSES[:-1]))
READINGS = ruler.Reading._fields
GPU_COLUMNS = ("utilisation_mean_percent", "utilisation_peak_percent", "memory_mean_mib", "memory_peak_mib")
LOSS_COLUMNS = ("run_id", "iteration", "loss", "weighted", "unweighted")
SEPARATOR = " + "  # between the styles of a blend
# What a table's file calls the checksum of the table, among the attributes that pandas keeps with it.
CHECKSUM_KEY = "sha256"


def runs_table(study: Study, pool: Path, statuses: Mapping[str, Status] | None = None) -> pd.DataFrame:
    """One row for each row of the study, in its order; columns in one order for every study.

    statuses: of all runs, where some may have no result. Those have a row as well, with their settings, status and
    reason, and gaps where only a result could tell. Without it every run must have a result. Raises `InputError`.
    """
    incomplete = {run_id: found for run_id, found in (statuses or {}).items() if not found.finished}
    records = {
        run_id: _unfinished(run, incomplete[run_id], study)
        if run_id in incomplete
        else _record(pool / run_id / RUN_FILES["record"], run, study)
        for run_id, run in study.runs.items()
    }
    rows = [_row(study.name, position, row, records[row.run_id]) for position, row in enumerate(study.rows)]
    table = pd.DataFrame(rows)
    if incomplete:  # a column that is nothing but gaps is one of numbers
        empty = table.columns[table.isna().all()]
        table[empty] = table[empty].astype(float)
    return pareto.with_columns(noise.with_columns(table))


def completed(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table whose runs have a result."""
    return runs[runs["status"].isin(status.WITH_RESULT)]


def varied(runs: pd.DataFrame) -> list[str]:
    """The parameters with more than one value, first those that rows are about, in the order of the study.

    Repeats vary nothing.
    """
    runs = noise.averaged(runs)
    return [
        name for name in dict.fromkeys([*runs["parameter"], *PARAMETERS]) if name in runs and runs[name].nunique() > 1
    ]


def incomplete_note(runs: pd.DataFrame) -> str:
    """What to say of the runs of a table that have no result; empty where all have one."""
    distinct = runs.drop_duplicates("run_id")
    incomplete = distinct[~distinct["status"].isin(status.WITH_RESULT)]
    if incomplete.empty:
        return ""
    counts = status.counted(incomplete["status"].value_counts().to_dict())
    return f"Partial: {len(incomplete)} of {len(distinct)} runs without a result ({counts})"


def _record(path: Path, run: Settings, study: Study) -> dict[str, Any]:
    """What a table takes from a run's record, by column; the columns of labels and settings are added by `_row`.

    Raises `InputError` for a run whose files are not those that its record tells of: nothing may be made from them.
    """
    try:
        record = complete_record(path, run_id=run.run_id, verify=True)
    except IncompleteError as error:
        raise InputError(f"{error}. {remedy(path.parent)}") from error
    reading = readings.read(path.parent, record.outputs[RUN_FILES["image"]])
    found = Status(record.status, status.reason_of(record), record=record).within(study.stopped)
    return _columns(record, rungs.planned(study, run), found, reading or readings.NOTHING)


def _row(study: str, position: int, row: Row, record: dict[str, Any]) -> dict[str, Any]:
    number = isinstance(row.value, int | float)
    label = {
        "study": study,
        "position": position,
        "pair": row.pair,
        "parameter": row.parameter,
        "value": float(row.value) if number else None,
        "label": row.label,
        "is_default": row.is_default,
        "run_id": row.run_id,
        noise.REPEAT: row.repeat,
        noise.REPEAT_OF: row.repeat_of,
        "content": row.settings.content.name,
        "styles": SEPARATOR.join(style.name for style in row.settings.styles),
    }
    return label | record


def _columns(record: Record, run: Settings, found: Status, reading: ruler.Reading) -> dict[str, Any]:
    # Not the record's settings: an old one lacks those that came later.
    columns = _identity(found.name, found.reason, run.values())
    columns |= {"weights": record.weights["name"], "weights_sha256": record.weights["source_sha256"]}
    columns |= {name: getattr(record, name) for name in COPIED}
    columns |= {"image_sha256": record.outputs[RUN_FILES["image"]], "computed_on": ", then ".join(record.computed_on)}
    columns |= {"device": record.device.uuid, "device_slot": record.device.slot}
    columns |= {f"gpu_{name}": (record.gpu or {}).get(name) for name in GPU_COLUMNS}
    for stage in ("final", "best"):
        columns |= {f"{stage}_{name}": getattr(record, stage).get(name) for name in LOSS_NAMES}
    columns |= reading._asdict()
    return columns | {f"version_{name}": version for name, version in record.versions.items()}


def _unfinished(run: Settings, found: Status, study: Study) -> dict[str, Any]:
    """The columns of a run without a result: its settings, what is known of its newest attempt, and gaps."""
    columns = _identity(found.name, found.reason, rungs.planned(study, run).values())
    columns |= {"weights": run.weights.name, "weights_sha256": None, **dict.fromkeys(COPIED), "width": run.width}
    columns |= {name: found.details.get(name) for name in ("start", "end", "host")}
    columns |= {"image_sha256": None, "computed_on": "", "device": found.details.get("device"), "device_slot": 0}
    gaps = [f"gpu_{name}" for name in GPU_COLUMNS]
    gaps += [f"{stage}_{name}" for stage in ("final", "best") for name in LOSS_NAMES]
    return columns | dict.fromkeys([*gaps, *READINGS])


def _identity(name: str, reason: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": name, "reason": reason, **{key: _cell(key, value) for key, value in sorted(settings.items())}}


def plain(value: Any) -> Any:
    """A cell of the table as a plain number where it is one, else as text (several numbers, or a word)."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return str(value)
    return int(found) if found.is_integer() and abs(found) < 1e15 else found


def _cell(name: str, value: Any) -> Any:
    """What may be a list as text: one column has one type, however many styles or stages a run has."""
    if name == "stages" and not isinstance(value, list):
        return str(value)
    return " ".join(f"{number:.12g}" for number in value) if isinstance(value, list) else value


def losses_table(study: Study, pool: Path, statuses: Mapping[str, Status] | None = None) -> pd.DataFrame:
    """Long form: run_id, iteration, loss (content, style, tv, total), weighted, unweighted (absent for total).

    statuses: as in `runs_table`; runs without a result are left out.
    """
    found = [run_id for run_id in study.runs if statuses is None or statuses[run_id].finished]
    if not found:
        return pd.DataFrame(columns=LOSS_COLUMNS)
    run_ids, steps, names, weighted, unweighted = [], [], [], [], []
    # Arrays, put together once: a DataFrame for each run and loss takes ten times as long.
    for run_id in found:
        wide = pd.read_csv(pool / run_id / "losses.csv")
        for name in LOSSES:
            run_ids.append(np.full(len(wide), run_id, object))
            steps.append(wide["iteration"].to_numpy())
            names.append(np.full(len(wide), name, object))
            weighted.append(wide[name].to_numpy(float))
            column = f"{name}_unweighted"
            unweighted.append(wide[column].to_numpy(float) if column in wide else np.full(len(wide), np.nan))
    parts = (run_ids, steps, names, weighted, unweighted)
    return pd.DataFrame(dict(zip(LOSS_COLUMNS, map(np.concatenate, parts), strict=True)))


def write(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, atomically, with a checksum of its content."""
    sealed = table.copy(deep=False)
    sealed.attrs = {CHECKSUM_KEY: _checksum(table)}
    with atomic.atomic_path(path) as temporary:
        sealed.to_parquet(temporary, index=False)


def read_runs(path: Path) -> pd.DataFrame:
    """A table of runs from its file. Raises `InputError` if it is damaged: nothing may be shown of it."""
    return _read(path, "status")


def read_losses(path: Path) -> pd.DataFrame:
    """A table of losses from its file. Raises `InputError` as `read_runs` does."""
    return _read(path, "weighted")


def _read(path: Path, column: str) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
        sound = CHECKSUM_KEY not in table.attrs or table.attrs[CHECKSUM_KEY] == _checksum(table)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged file raises almost anything
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error}). {checks.RECREATE}") from error
    if not sound:
        raise InputError(f"{path} is damaged: its checksum differs. {checks.RECREATE}")
    if column not in table:
        raise InputError(f"{path} is another table: it has no column {column}. {checks.RECREATE}")
    return table


def _checksum(table: pd.DataFrame) -> str:
    digest = hashlib.sha256(repr([(name, str(kind)) for name, kind in table.dtypes.items()]).encode())
    digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return digest.hexdigest()
