"""What the ruler reads of finished runs: kept beside each picture, so that none is measured twice.

A run is measured with the network that made it, so a study has one ruler for each pair of its pictures.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from styletransfer.analysis.ruler import VERSION, Reading, Ruler, measure_style
from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.images.io import read_image
from styletransfer.parameters import rounded
from styletransfer.runs.layout import MEASURES, RUN_FILES
from styletransfer.runs.record import checksum_of, find_record
from styletransfer.study.plan import Study

if TYPE_CHECKING:
    from styletransfer.vgg.network import VGG19

# The digits that are kept: fewer than those in which two machines differ.
DIGITS = 4
CHECKSUM_KEY = "sha256"
NOTHING = Reading(*[math.nan] * len(Reading._fields))


def read(folder: Path, image_sha256: str) -> Reading | None:
    """What was measured of the picture in the folder of a run; None where nothing was, or by another ruler.

    Raises:
        InputError: for a file that is damaged, or of another picture.
    """
    path = folder / MEASURES
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        # Those of earlier versions have none.
        if found.pop(CHECKSUM_KEY, None) not in (None, checksum_of(found)):
            raise ValueError("its checksum differs")
        if found.pop("version") != VERSION:
            return None
        if found.pop("image_sha256") != image_sha256:
            raise ValueError("it is of another picture")
        return Reading(**{name: math.nan if value is None else float(value) for name, value in found.items()})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path} is not what was measured ({type(error).__name__}: {error}). Remove it and the study's "
            "measures.csv, and the workflow measures the run again"
        ) from error


def unmeasured(study: Study, pool: Path) -> dict[str, str]:
    """The finished runs that nothing is kept of, each with the checksum of its picture."""
    return {run_id: image_sha256 for run_id, image_sha256, reading in _kept(study, pool) if reading is None}


def _kept(study: Study, pool: Path) -> Iterator[tuple[str, str, Reading | None]]:
    """Each finished run, the checksum of its picture, and what is kept of it."""
    for run_id in study.runs:
        if (record := find_record(pool / run_id / RUN_FILES["record"], run_id=run_id)) is not None:
            image_sha256 = record.outputs[RUN_FILES["image"]]
            try:
                reading = read(pool / run_id, image_sha256)
            except InputError:
                reading = None  # measured again, what is damaged is whole
            yield run_id, image_sha256, reading


def measure(study: Study, pool: Path, images: dict[str, str], load_network: Callable[[], VGG19]) -> int:
    """Measure runs, and keep what is read beside them.

    Args:
        study: whose pictures lie where its plan says.
        pool: the folder of all runs.
        images: what `unmeasured` says.
        load_network: returns the network in float32; called only if there is something to measure.

    Returns:
        The number of runs that were measured. Those whose pictures or weights are gone are left out.
    """
    measurable = [run_id for run_id in images if _is_at_hand(study, run_id)]
    if not measurable:
        return 0
    network = load_network()
    for run_id, ruler in _rulers(study, measurable, network):
        reading = ruler.measure(read_image(pool / run_id / RUN_FILES["image"]))
        _write(pool / run_id, images[run_id], reading)
    return len(measurable)


def table(study: Study, pool: Path) -> pd.DataFrame:
    """A row for each run: its id, and what is kept of it; gaps where nothing is."""
    kept = {run_id: reading for run_id, _, reading in _kept(study, pool)}
    return pd.DataFrame([{"run_id": run_id, **(kept.get(run_id) or NOTHING)._asdict()} for run_id in study.runs])


def _is_at_hand(study: Study, run_id: str) -> bool:
    pictures = study.pictures_of(run_id)
    used = [study.weights, *pictures["content"], *pictures["styles"]]
    return all(Path(source.file).exists() for source in used)


def _rulers(study: Study, run_ids: Iterable[str], network: VGG19) -> Iterator[tuple[str, Ruler]]:
    """Each run with its ruler. Neighbours in a study are mostly of one pair, so one ruler is kept at a time."""

    @functools.cache
    def style(file: str) -> list:
        return measure_style(network, read_image(file))

    @functools.lru_cache(maxsize=1)
    def ruler(content: str, styles: tuple[str, ...], shares: tuple[float, ...]) -> Ruler:
        return Ruler(network, read_image(content), list(map(read_image, styles)), list(map(style, styles)), shares)

    for run_id in run_ids:
        pictures = study.pictures_of(run_id)
        styles = tuple(picture.file for picture in pictures["styles"])
        yield run_id, ruler(pictures["content"][0].file, styles, study.runs[run_id].style_blend_weights)


def _write(folder: Path, image_sha256: str, reading: Reading) -> None:
    values = {name: rounded(round(value, DIGITS)) for name, value in reading._asdict().items()}
    kept = {name: None if math.isnan(value) else value for name, value in values.items()}
    content = {"version": VERSION, "image_sha256": image_sha256, **kept}
    text = json.dumps({**content, CHECKSUM_KEY: checksum_of(content)}, indent=1)
    atomic.write_text(folder / MEASURES, text + "\n")
