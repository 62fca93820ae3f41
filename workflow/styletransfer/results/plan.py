"""A study before it runs, and how its runs stand: its pictures are looked at, the pool as well."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from styletransfer.errors import InputError
from styletransfer.images.samples import sample_file
from styletransfer.runs import status
from styletransfer.settings import to_json
from styletransfer.stages import widths
from styletransfer.study.plan import Source, Study


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
    alike = {(run.content, run.styles, run.width, run.stages, run.style_scales): run for run in study.runs.values()}
    for run in alike.values():
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
    found = status.study_status(study.runs, pool, inputs, pool.parent / "studies" / study.name / "jobs")
    return {run_id: one.within(study.stopped) for run_id, one in found.items()}


def status_digest(study: Study, pool: Path) -> str:
    """How all runs stand, in short: another text when the tables of what there is are out of date."""
    rows = [[run_id, found.name, found.reason] for run_id, found in statuses(study, pool).items()]
    return hashlib.sha256(to_json(rows).encode()).hexdigest()
