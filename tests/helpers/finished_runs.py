"""A small study, and the files that its finished runs leave, with numbers made up."""

import json

import numpy as np
import pandas as pd

from helpers.studies import config
from styletransfer.files import checks
from styletransfer.images.io import write_image
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
    for name in ("image.png", "preserved.png"):
        write_image(folder / name, np.full((20, 40, 3), 30 * number, np.uint8))
    names = [f"{name}{kind}" for name in ("content", "style", "tv", "total") for kind in ("", "_unweighted")]
    curves = {name: [3 * number, 2 * number, number] for name in names if name != "total_unweighted"}
    pd.DataFrame({"iteration": [0, 1, 2]} | curves).to_csv(folder / "losses.csv", index=False)
    reported = dict.fromkeys(names, number)
    record = {
        "status": "diverged" if diverged else "ok",
        "settings": run.values(),
        "identity": run.canonical(),
        "weights": {"name": "vgg16-grown@1", "source_sha256": "ab"},
        "outputs": {"image.png": checks.checksum(folder / "image.png")},
        "device": {"kind": "cpu", "uuid": "cpu", "slot": 0},
        "host": "here",
        "start": f"2026-01-01T00:00:{2 * number:02.0f}.000+00:00",
        "end": f"2026-01-01T00:00:{2 * number + 1:02.0f}.000+00:00",
        "final": reported,
        "best": reported,
        "versions": {"python": "3.11.7"},
        "width": 40,
        "height": 20,
        **dict.fromkeys(("seconds", "seconds_preparing", "seconds_per_iteration"), 1.5),
        **dict.fromkeys(("peak_memory_mib", "iterations_done", "best_iteration"), 2),
    }
    (folder / "run.json").write_text(json.dumps(record))
