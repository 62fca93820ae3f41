"""The tables of a study: a row per label with everything known about its run, and the losses in long form."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from styletransfer import files
from styletransfer.errors import InputError
from styletransfer.run import RUN_FILES, damaged, read_record
from styletransfer.study import Row, Study
from styletransfer.weighting import LOSSES

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
    *("iterations_done", "best_iteration"),
)
GPU_COLUMNS = ("utilisation_mean_percent", "utilisation_peak_percent", "memory_mean_mib", "memory_peak_mib")
SEPARATOR = " + "  # between the styles of a blend
# What a table's file calls the checksum of the table, among the attributes that pandas keeps with it.
SEAL = "sha256"
REMEDY = "Remove it, and the workflow makes it anew"


def runs_table(study: Study, pool: Path) -> pd.DataFrame:
    """One row for each row of the study, in its order; columns in one order for every study."""
    records = {run_id: _record(pool / run_id / "run.json") for run_id in study.runs}
    return pd.DataFrame(
        [_row(study.name, position, row, records[row.run_id]) for position, row in enumerate(study.rows)]
    )


def _record(path: Path) -> dict[str, Any]:
    """What a table takes from a run's record, by column; the columns of labels and settings are added by `_row`.

    Raises `InputError` for a run whose files are not those that its record tells of: nothing may be made from them.
    """
    try:
        record = read_record(path)
        columns, changed = _columns(record), damaged(path.parent, record)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        fault = f"{type(error).__name__}: {error}"
        raise InputError(
            f"{path} is no record of a run ({fault}): delete it, and the workflow computes it anew"
        ) from error
    if changed:
        raise InputError(
            f"{changed[0]} is damaged: it is not what {path} tells of. Remove the folder {path.parent}, and the "
            "workflow computes the run anew"
        )
    return columns


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
        "content": row.settings.content.name,
        "styles": SEPARATOR.join(style.name for style in row.settings.styles),
    }
    return label | record


def _columns(record: dict[str, Any]) -> dict[str, Any]:
    columns = {"status": record["status"]}
    columns |= {name: _cell(value) for name, value in record["settings"].items()}
    columns |= {"weights": record["weights"]["name"], "weights_sha256": record["weights"]["source_sha256"]}
    columns |= {name: record[name] for name in COPIED}
    columns |= {name: record.get(name) for name in ("precision_used", "path_used")}
    columns["image_sha256"] = record["outputs"].get(RUN_FILES["image"])
    columns |= {"device": record["device"]["uuid"], "device_slot": record["device"].get("slot", 0)}
    columns |= {f"gpu_{name}": (record.get("gpu") or {}).get(name) for name in GPU_COLUMNS}
    for stage in ("final", "best"):
        for name in (*LOSSES, *(f"{name}_unweighted" for name in LOSSES[:-1])):
            columns[f"{stage}_{name}"] = record[stage].get(name)
    return columns | {f"version_{name}": version for name, version in record["versions"].items()}


def _cell(value: Any) -> Any:
    """Lists as text: one column has one type, however many styles a run has."""
    return " ".join(f"{number:g}" for number in value) if isinstance(value, list) else value


def losses_table(study: Study, pool: Path) -> pd.DataFrame:
    """Long form: run_id, iteration, loss (content, style, tv, total), weighted, unweighted (absent for total)."""
    parts = []
    for run_id in study.runs:
        wide = pd.read_csv(pool / run_id / "losses.csv", float_precision="round_trip")
        for name in LOSSES:
            unweighted = wide.get(f"{name}_unweighted", pd.Series(float("nan"), index=wide.index))
            columns = {"run_id": run_id, "iteration": wide["iteration"], "loss": name}
            parts.append(pd.DataFrame(columns | {"weighted": wide[name], "unweighted": unweighted}))
    return pd.concat(parts, ignore_index=True)


def write(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, atomically, with a checksum of its content."""
    sealed = table.copy(deep=False)
    sealed.attrs = {SEAL: _seal(table)}
    with files.atomic_path(path) as temporary:
        sealed.to_parquet(temporary, index=False)


def read(path: Path) -> pd.DataFrame:
    """The table that `write` wrote. Raises `InputError` if it is damaged: nothing may be shown of it."""
    try:
        table = pd.read_parquet(path)
        sound = SEAL not in table.attrs or table.attrs[SEAL] == _seal(table)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged file raises almost anything
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error}). {REMEDY}") from error
    if not sound:
        raise InputError(f"{path} is damaged: its checksum differs. {REMEDY}")
    return table


def _seal(table: pd.DataFrame) -> str:
    digest = hashlib.sha256(repr([(name, str(kind)) for name, kind in table.dtypes.items()]).encode())
    digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return digest.hexdigest()
