"""Large pictures of chosen runs: of which runs, how large, and the run that makes one.

A final is a run as any other. Its content is the picture of the chosen run, where it starts as well, and it grows in
stages: so it looks like what was chosen, which the same settings at another width do not.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from styletransfer import stages
from styletransfer.errors import InputError
from styletransfer.files import checks
from styletransfer.images.color import preserve_colors
from styletransfer.images.io import read_alpha, read_image
from styletransfer.images.resize import enlarge, resize, to_uint16
from styletransfer.results.plan import check_sizes
from styletransfer.runs.layout import RUN_FILES
from styletransfer.runs.record import IncompleteError, Record, complete_record
from styletransfer.settings import Artifact, Settings, default_of, from_canonical
from styletransfer.study import plan
from styletransfer.study.plan import Row, Source, Study

STUDIES = Path("results/studies")
# Width and height in mm, upright.
PAPERS = {
    **{"A0": (841, 1189), "A1": (594, 841), "A2": (420, 594), "A3": (297, 420), "A4": (210, 297), "A5": (148, 210)},
    **{"Letter": (215.9, 279.4), "Legal": (215.9, 355.6), "Tabloid": (279.4, 431.8)},
}
MM_PER_INCH = 25.4
# Of a stage.
EVALUATIONS = 10
# L-BFGS begins with a step of that many grey levels: the picture is nearly done.
FIRST_STEP = 1.0
# The chosen picture is the content of its final, and counts so many times more than the photograph did in the chosen
# run: at 10 it drifts away (docs/finals.md).
ANCHOR = 200.0


class Final(NamedTuple):
    """A run that makes a large picture of another one.

    Args:
        chosen: the record of the other one.
        study: a study whose one row is the final.
    """

    chosen: Record
    study: Study

    @property
    def settings(self) -> Settings:
        """The final's."""
        return self.study.rows[0].settings

    @property
    def content(self) -> Source:
        """The content picture of the chosen run."""
        return self.study.pictures[from_canonical(self.chosen.identity).content.name]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the final in pixels."""
        width = self.settings.width or 0
        return width, max(1, round(self.chosen.height * width / self.chosen.width))


def studies(folder: Path = STUDIES) -> list[Study]:
    """The studies of a folder, each as it was planned last."""
    return list(filter(None, map(plan.newest, sorted(folder.glob("*/")))))


def favourites(path: Path) -> tuple[str, list[str]]:
    """The study, and the runs marked as favourites, of a file that the explorer saved.

    Raises:
        InputError: for another file, or one without favourites.
    """
    checks.check_input(path, "--favourites")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        study, chosen = found["study"], [str(run["run_id"]) for run in found["runs"] if run["favourite"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} holds no favourites ({type(error).__name__}: {error}): save them from the explorer of the study, "
            "as JSON"
        ) from error
    if not chosen:
        raise InputError(f"{path} has no favourite: mark runs with a star in the explorer, and save them again")
    return str(study), chosen


def defaults(study: Study) -> list[str]:
    """The run of each pair around which the others vary."""
    chosen = list(dict.fromkeys(row.run_id for row in study.rows if row.is_default and not row.repeat))
    if not chosen:
        raise InputError(f"no run of {study.name} is its default: name runs, by their folders in results/runs")
    return chosen


def find(name: str, known: Sequence[Study]) -> tuple[Study, str]:
    """The run that a name stands for, and a study that has it.

    Args:
        name: of the run's folder, or a part of it that no other run has.
        known: the studies.

    Raises:
        InputError: for a name of no run, or of several.
    """
    found = {run_id: study for study in known for run_id in study.runs if name in run_id}
    found = {name: found[name]} if name in found else found
    if not found:
        names = ", ".join(study.name for study in known) or "none"
        raise InputError(f"{name!r} is no run of a study here ({names}): give the name of its folder in results/runs")
    if len(found) > 1:
        some = ", ".join(list(found)[:3])
        raise InputError(f"{name!r} stands for {len(found)} runs, such as {some}: give more of the name")
    ((run_id, study),) = found.items()
    return study, run_id


def width_on(paper: str, dpi: float, size: tuple[int, int]) -> int:
    """The width in pixels of the largest picture that fits on a paper, upright or across as the picture is.

    Args:
        paper: one of `PAPERS`.
        dpi: pixels per inch.
        size: width and height of the picture in any size.
    """
    width, height = size
    sheet = PAPERS[paper] if width < height else PAPERS[paper][::-1]
    inches = min(sheet[0], sheet[1] * width / height) / MM_PER_INCH
    return math.floor(round(inches * dpi, 6))  # 2480 may come as 2479.9999999999995


def final(study: Study, run_id: str, pool: Path, width: int, evaluations: int = EVALUATIONS) -> Final:
    """The run that makes a picture of that width of a run of a study.

    Args:
        study: that has the run.
        run_id: of the run, which is finished.
        pool: the folder of all runs.
        width: in pixels.
        evaluations: of each stage; the widths of stages grow by the square root of two, up from the run's.

    Raises:
        InputError: for a run without a result, or a width that is not larger than its.
    """
    run, record = study.runs[run_id], finished(pool, run_id)
    if width <= record.width:
        raise InputError(f"a final is larger than its run, and {run_id} is {record.width} pixels wide: not {width}")
    number = max(1, round(math.log(width / record.width, stages.GROWTH)))
    image = pool / run_id / RUN_FILES["image"]
    start = Artifact(run_id, f"sha256:{record.outputs[image.name]}")
    settings = dataclasses.replace(
        run,
        width=width,
        stages=number,
        iterations=evaluations * number,
        optimizer="lbfgs",
        learning_rate=FIRST_STEP,
        content=start,
        content_weight=ANCHOR * (run.content_weight or default_of("content_weight")),
        content_weight_blend=1.0,
        initial=start,
        initial_noiseblend=0.0,
    )
    row = next(row for row in study.rows if row.run_id == run_id)
    pictures = {**study.pictures, run_id: Source(start, "path", str(image), str(image))}
    made = dataclasses.replace(study, rows=(Row(row.pair, "", None, "final", False, settings),), pictures=pictures)
    check_sizes(made)
    return Final(record, made)


def finished(pool: Path, run_id: str) -> Record:
    """The record of a run. Raises `InputError` if it has no whole result."""
    try:
        return complete_record(pool / run_id / RUN_FILES["record"], run_id=run_id, verify=True)
    except IncompleteError as error:
        raise InputError(f"{run_id} has no result to start from: {error}") from error


def picture(made: Final, exact: Path, in_colors_of_content: bool, transparent: bool) -> np.ndarray:
    """The picture of a final for a file.

    Args:
        made: the final.
        exact: the run's picture, (H, W, 3) uint16, as its file has it.
        in_colors_of_content: whether it has the content's colours.
        transparent: whether it is transparent where the content is.

    Returns:
        (H, W, 3) uint16, or (H, W, 4) with opacity.
    """
    pixels = np.load(exact, allow_pickle=False)
    height, width, _ = pixels.shape
    if in_colors_of_content:
        colors = resize(read_image(made.content.file), width, height)
        pixels = to_uint16(preserve_colors(pixels / np.float32(257), colors))
    alpha = opacity(made.content) if transparent else None
    if alpha is None:
        return pixels
    resized = enlarge(alpha[..., np.newaxis].astype(np.float32), width, height, smooth=True)
    return np.dstack([pixels, to_uint16(resized)])


def opacity(content: Source) -> np.ndarray | None:
    """How opaque the content is, (H, W) uint8, as the user's own file has it; None where all of it is opaque.

    Raises:
        InputError: for a file that is gone or has been changed: the prepared picture is opaque.
    """
    if content.kind != "path":
        return None
    if content.is_changed():
        raise InputError(f"{content.source}, {plan.CHANGED}: what was transparent then is not known any more")
    return read_alpha(content.source)
