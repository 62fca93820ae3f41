"""From a finished run to a large picture, by the commands that a user calls."""

import json
import os
import re
import subprocess

import numpy as np
import pytest
from PIL import Image

from helpers.studies import ENGINE, tiny_study
from styletransfer.images.resize import resize
from styletransfer.results.final import defaults
from styletransfer.runs.record import complete_record
from styletransfer.study.config import load
from styletransfer.study.expand import expand
from styletransfer.vgg import formats

DEFAULTS = {"width": 64, "iterations": 12, "optimizer": "lbfgs", "initial_noiseblend": 0, "tv_weight": 1}


def styletransfer(folder, *words):
    done = subprocess.run(
        [*ENGINE, *map(str, words)], cwd=folder, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a study of which one run has been computed; the run's id."""
    folder = tmp_path_factory.mktemp("study")
    study = expand(load(tiny_study(defaults=DEFAULTS, vary={"style_weight": [50, 500]})))
    plan = folder / "results/studies/tiny/plan-0.json"
    study.write(plan)
    (run_id,) = defaults(study)
    for file in study.picture_files([run_id]):
        styletransfer(folder, "picture", "--plan", plan, "--output", file)
    formats.prepared("vgg16", folder / "resources/weights")
    styletransfer(folder, "run", "--plan", plan, "--run", run_id, "--device", "cpu")
    return folder, run_id


def test_a_final_is_the_chosen_picture_and_is_computed_once(finished):
    folder, run_id = finished
    said = styletransfer(folder, "final", "--width", "96", "--device", "cpu", "--bits", "16")
    assert "64 to 96 pixels wide, 10 evaluations" in said
    (made,) = (path for path in (folder / "results/runs").iterdir() if path.name != run_id)
    record = complete_record(made / "run.json", run_id=made.name, verify=True)
    assert record.identity["content"]["name"] == run_id
    assert record.settings["iterations"] == 10
    exact = np.load(made / "image.npy")
    with Image.open(folder / "results/finals/tiny-96px.png") as image:
        assert image.size == (96, 96)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        eight = np.asarray(image.convert("RGB"), int)  # Pillow has no more than 8 of the 16 bits
    assert np.abs(eight - exact / 257).max() <= 1
    with Image.open(folder / "results/runs" / run_id / "image.png") as image:
        chosen = np.asarray(image, float)
    shrunk = resize(eight.astype(np.uint8), 64, 64)
    assert np.corrcoef(chosen.ravel(), shrunk.ravel())[0, 1] > 0.9
    assert (shrunk != chosen).any()
    # Another file of it: nothing is computed, and the chosen run is known by a part of its name as well.
    marked = {"study": "tiny", "runs": [{"run_id": run_id, "favourite": True}]}
    (folder / "favourites.json").write_text(json.dumps(marked))
    words = ("--width", "96", "--device", "cpu", "--format", "jpg")
    for chosen_by in (["--favourites", "favourites.json"], [run_id[-12:], "--overwrite"]):
        said = styletransfer(folder, "final", *words, *chosen_by)
        assert "finished already, nothing computed" in said
        assert re.search(rf"^results/finals/{re.escape(run_id)}-96px.jpg: 96 x 96 pixels, ", said, re.MULTILINE)
