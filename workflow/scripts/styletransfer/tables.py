"""The tables of a study: a row per label with everything known about its run, and the losses in long form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from styletransfer.errors import InputError
from styletransfer.run import RUN_FILES
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


def runs_table(study: Study, pool: Path) -> pd.DataFrame:
    """One row for each row of the study, in its order; columns in one order for every study."""
    records = {run_id: _record(pool / run_id / "run.json") for run_id in study.runs}
    return pd.DataFrame(
        [_row(study.name, position, row, records[row.run_id]) for position, row in enumerate(study.rows)]
    )


def _record(path: Path) -> dict[str, Any]:
    """What a table takes from a run's record, by column; the columns of labels and settings are added by `_row`."""
    try:
        return _columns(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fault = f"{type(error).__name__}: {error}"
        raise InputError(
            f"{path} is no record of a run ({fault}): delete it, and the workflow computes it anew"
        ) from error


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
