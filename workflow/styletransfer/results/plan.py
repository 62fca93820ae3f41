"""What a study would compute: rows per parameter, what is there already, and the time that the rest takes."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Sequence
from pathlib import Path

from styletransfer.errors import InputError
from styletransfer.images.samples import sample_file
from styletransfer.runs import status
from styletransfer.runs.layout import RUN_FILES
from styletransfer.runs.record import Record, find_record, seconds_of_run
from styletransfer.settings import Settings, to_json
from styletransfer.stages import widths
from styletransfer.study.plan import Source, Study
from styletransfer.text import duration

# How many runs of other studies an estimate goes by.
OTHERS = 30


def check_sizes(study: Study) -> None:
    """Raise `InputError` for a width or scale at which a run would look at too small or too large a picture.

    An environment with Snakemake alone can plan as well; there every run checks its own sizes.
    """
    try:
        from styletransfer.images.resize import check_size
        from styletransfer.vgg.weights import SMALLEST_SIDE
    except ImportError:
        return
    # A picture that is gone was checked when the study was planned first.
    sizes = {name: size for name, source in study.pictures.items() if (size := picture_size(name, source))}
    for run in study.runs.values():
        content = sizes.get(run.content.name)
        width = run.width or (content or (0, 0))[0]
        for of_stage in widths(run.stages, width) if width else []:
            if content:
                check_size(f"the result ({run.content.name}, width {of_stage})", content, of_stage, SMALLEST_SIDE)
            for style, scale in zip(run.styles, run.style_scales, strict=True):
                if style.name in sizes:
                    what = f"style {style.name} (scale {scale:g} of width {of_stage})"
                    check_size(what, sizes[style.name], round(scale * of_stage))


def check_pictures(study: Study) -> None:
    """Raise `InputError` for a picture of the user's that is cut off or damaged behind its header.

    One that is prepared already has been read. It takes 0.02 s for a photograph of 12 megapixels.
    """
    try:
        from styletransfer.images.io import check_whole
    except ImportError:
        return
    for name, picture in study.pictures.items():
        if picture.kind == "path" and not Path(picture.file).exists() and Path(picture.source).exists():
            try:
                check_whole(picture.source)
            except InputError as error:
                raise InputError(f"images.{name}: {error}") from error


@functools.cache
def picture_size(name: str, picture: Source) -> tuple[int, int] | None:
    """Width and height of a picture as runs get it; None if it is gone. Its header is read once for all who ask."""
    from styletransfer.images import generated
    from styletransfer.images.io import image_size
    from styletransfer.images.resize import limited

    if picture.kind == "painting":
        return generated.SIZE
    path = sample_file(picture.source) if picture.kind == "sample" else Path(picture.source)
    if picture.kind == "path" and not path.exists():
        return None
    try:
        return limited(*image_size(path))
    except InputError as error:
        raise InputError(f"images.{name}: {error}") from error


def statuses(study: Study, pool: Path) -> dict[str, status.Status]:
    """How each run of a study stands; where one never began, because of the picture or weights that it lacks."""
    inputs = {
        # What cannot be downloaded is no fault of what was asked for.
        source.artifact.digest: status.InputStatus(
            source.file, source.logs, "failed" if source.kind == "source" else "bad_input"
        )
        for source in (*study.pictures.values(), study.weights)
    }
    return status.study_status(study.runs, pool, inputs)


def status_digest(study: Study, pool: Path) -> str:
    """How all runs stand, in short: another text when the tables of what there is are out of date."""
    rows = [[run_id, found.name, found.reason] for run_id, found in statuses(study, pool).items()]
    return hashlib.sha256(to_json(rows).encode()).hexdigest()


def summary(study: Study, pool: Path, at_once: int = 1, device: str = "auto") -> str:
    """What a study would run: rows per parameter, new, cached and shared runs, and the time that the new ones take.

    at_once: how many runs are computed at the same time. device: what the config says.
    """
    records = {run_id: find_record(pool / run_id / RUN_FILES["record"], run_id=run_id) for run_id in study.runs}
    finished = {run_id: record for run_id, record in records.items() if record}
    lines = [f"study {study.name}: {len(study.rows)} rows, {len(study.runs)} distinct runs", ""]
    lines.append(f"  {'parameter':24} {'rows':>6} {'new':>6} {'cached':>6} {'shared':>6}")
    seen: set[str] = set()
    for parameter in dict.fromkeys(row.parameter for row in study.rows):
        rows = [row for row in study.rows if row.parameter == parameter]
        runs = {row.run_id for row in rows} - seen
        seen |= runs
        cached = len(runs & finished.keys())
        lines.append(
            f"  {parameter or '(defaults, grid or list)':24} {len(rows):6} {len(runs) - cached:6} {cached:6} "
            f"{len(rows) - len(runs):6}"
        )
    new = [run for run_id, run in study.runs.items() if run_id not in finished]
    lines += ["", *(f"  {line}" for line in study.unused(device)), f"  {len(new)} new runs, {len(finished)} cached"]
    if new:
        lines.append(f"  {_estimate(study, new, list(finished.values()), pool, at_once)}")
    return "\n".join(lines)


def _estimate(study: Study, new: Sequence[Settings], finished: Sequence[Record], pool: Path, at_once: int) -> str:
    """The time of new runs: from what finished runs of the study took, else other runs here, else `seconds_per_run`."""
    at_once = min(at_once, len(new))
    records, whose = [record for record in finished if record.iterations_done], ""
    if not records and all(run.width for run in new):
        records, whose = _others(pool), " of other studies on this host"
    if not records:
        seconds = study.config["seconds_per_run"]
        condition = f"if a run takes {seconds:g} s (seconds_per_run: say what your device takes)"
        return f"about {_times(len(new) * seconds, at_once)}, {condition}"
    expected = seconds_of_run([record.speed for record in records])
    total = sum(expected(run.work, run.width) for run in new)
    return f"about {_times(total, at_once)}, going by {len(records)} finished runs{whose}"


def _others(pool: Path) -> list[Record]:
    """The newest records of whatever this host has computed."""
    paths = sorted(pool.glob(f"*/{RUN_FILES['record']}"), key=lambda path: path.stat().st_mtime)
    records = [record for path in paths[-OTHERS:] if (record := find_record(path))]
    return [record for record in records if record.iterations_done and record.host == platform.node()]


def _times(seconds: float, at_once: int) -> str:
    """Device time, and beside it how long that takes where several runs are computed at once."""
    together = f" ({duration(seconds / at_once)} with {at_once} runs at once)" if at_once > 1 else ""
    return f"{duration(seconds)} of device time{together}"
