"""A small study, and the files that its finished runs leave, with numbers made up."""

import numpy as np
import pandas as pd

from helpers.records import record
from helpers.studies import config
from styletransfer.files import checks
from styletransfer.images.io import write_image
from styletransfer.runs.layout import RUN_FILES
from styletransfer.study.expand import expand

DESCRIBED = config(
    study="half",
    images={"photo": {"sample": "astronaut"}, "art": {"painting": "glass"}},
    pairs=[{"content": "photo", "styles": ["art"]}],
    weights="vgg16",
    defaults={"width": 40, "iterations": 2},
    vary={"style_weight": [5, 50, 500], "tv_weight": [1, 100]},
)
STUDY = expand(DESCRIBED)
RUNS = list(STUDY.runs)
DEFAULT = next(row.run_id for row in STUDY.rows if row.is_default)


def finish(folder, run_id, diverged=False):
    """The files that a run leaves, with numbers made up."""
    run, number = STUDY.runs[run_id], 1.0 + RUNS.index(run_id)
    write_image(folder / "image.png", np.full((20, 40, 3), 30 * number, np.uint8))
    names = [f"{name}{kind}" for name in ("content", "style", "tv", "total") for kind in ("", "_unweighted")]
    curves = {name: [3 * number, 2 * number, number] for name in names if name != "total_unweighted"}
    pd.DataFrame({"iteration": [0, 1, 2]} | curves).to_csv(folder / "losses.csv", index=False)
    reported = dict.fromkeys(names, number)
    made = record(
        run,
        status="diverged" if diverged else "ok",
        outputs={name: checks.checksum(folder / name) for name in RUN_FILES.values() if name != "run.json"},
        start=f"2026-01-01T00:00:{2 * number:02.0f}.000+00:00",
        end=f"2026-01-01T00:00:{2 * number + 1:02.0f}.000+00:00",
        final=reported,
        best=reported,
    )
    made.write(folder / "run.json")
