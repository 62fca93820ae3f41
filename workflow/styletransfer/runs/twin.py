"""A run with `colors: content`, made from the picture of its twin with `colors: style`: nothing is computed twice."""

from __future__ import annotations

import dataclasses
import logging
import shutil
import time

from styletransfer.files import atomic, checks
from styletransfer.images.color import finished
from styletransfer.images.io import read_image, write_image
from styletransfer.runs.inputs import check_pictures, checksums_of, read_pictures
from styletransfer.runs.layout import RUN_FILES, Outputs, Run
from styletransfer.runs.record import Record, find_record

logger = logging.getLogger(__name__)


def from_twin(run: Run) -> Record | None:
    """Write the files of a run, if its twin lies finished beside it; the record, or None.

    They are those that computing gives. The record tells how the twin was computed; `start` and `end` are of now.

    Raises:
        InputError: for pictures that are not the run's.
    """
    settings, outputs = run.settings, run.outputs
    folder = outputs.image.parent
    if settings.colors != "content" or folder.name != settings.run_id or outputs != Outputs.in_folder(folder):
        return None
    twin = dataclasses.replace(settings, colors="style").run_id
    image, losses, record = (folder.with_name(twin) / name for name in RUN_FILES.values())
    found = find_record(record, run_id=twin, verify=True)
    check_pictures(settings, run.inputs)
    if found is None or found.inputs != checksums_of(run.inputs):
        return None
    logger.info("made from the picture of %s: nothing computed", twin)
    start = atomic.timestamp(time.time())
    content = read_pictures(settings, run.inputs)[-1].content
    write_image(outputs.image, finished(read_image(image), content, settings.colors))
    with atomic.atomic_path(folder / RUN_FILES["losses"]) as temporary:
        shutil.copyfile(losses, temporary)
    made = {path.name: checks.checksum(path) for path in outputs.results()}
    result = dataclasses.replace(
        found,
        run_id=settings.run_id,
        settings=settings.values(),
        identity=settings.canonical(),
        outputs=made,
        start=start,
        end=atomic.timestamp(time.time()),
    )
    result.write(folder / RUN_FILES["record"])
    return result
