"""The plan of a study: what is read from its file is what was expanded, and whatever is no plan is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.records import record
from helpers.studies import tiny_study
from styletransfer import cli
from styletransfer.errors import InputError
from styletransfer.files import checks
from styletransfer.images.io import write_image
from styletransfer.images.samples import sample_file
from styletransfer.optim.terms import LOSSES
from styletransfer.results.estimates import Estimates
from styletransfer.results.overview import summary
from styletransfer.runs import checkpoint
from styletransfer.study import plan
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand

WORDS = st.one_of(st.integers(0, 99), st.floats(0, 1e9), st.sampled_from([1e-8, 1e30, 0.1 + 0.2]))
OWN = {"photograph": {"path": "photo {x}.png"}, "artwork": {"painting": "glass"}}


def planned(**changes):
    return expand(load_config(tiny_study(**changes)))


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A study of a picture of the user's, planned in its folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample_file("astronaut"), "photo {x}.png")
    study = planned(images=OWN)
    study.write("results/studies/tiny/plan-0.json")
    return study


def test_no_width_is_told_where_it_is_that_of_other_runs(tmp_path):
    """The sample is 512 pixels wide. The runs keep their names, so both are computed."""
    for widths, told in (([None, 512, 64], "1 run with it, the same pixels as others"), ([None, 64], "")):
        study = planned(vary={"width": widths, "seed": [1]}, design="grid")
        assert len(study.runs) == len(widths)
        lines = [
            line for line in summary(study, tmp_path, Estimates(study, "cpu")).splitlines() if "width null" in line
        ]
        assert lines == ([f"  width null is the width of the content: {told}"] if told else [])


def test_from_where_stopped_runs_go_on(own, capsys):
    def said():
        cli.run(["status", "--plan", "results/studies/tiny/plan-0.json"])
        return next(line for line in capsys.readouterr().out.splitlines() if "are left" in line)

    again = "4 of 4 runs are left: the same snakemake command goes on with them"
    assert said() == again
    first, second, third, _ = (Path("results/runs", run_id, "run.state.npz") for run_id in own.runs)
    checkpoint.write(first, {}, checkpoint.State({"iteration": np.int64(30)}, {}))
    assert said() == f"{again}, 1 of them from step 30"
    checkpoint.write(second, {}, checkpoint.State({"iteration": np.int64(7)}, {}))
    third.parent.mkdir()
    third.write_bytes(first.read_bytes()[:99])
    assert said() == f"{again}, 2 of them from steps 7 to 30"


@given(
    st.dictionaries(
        st.sampled_from(["tv_weight", "style_weight", "eps"]), st.lists(WORDS.filter(bool), min_size=1, max_size=20)
    ),
    st.sampled_from(["star", "grid"]),
    st.sampled_from([None, "artwork", "photograph"]),
)
def test_what_is_read_is_what_was_expanded(tmp_path_factory, vary, design, initial):
    pair = {"content": "photograph", "styles": ["artwork"]} | ({"initial": initial} if initial else {})
    study = planned(vary=vary, design=design if vary else "star", pairs=[pair])
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    study.write(path)
    again = plan.read(path)
    assert again == study
    assert (again.text, again.digest, again.runs) == (study.text, study.digest, study.runs)


@pytest.mark.slow
def test_six_hundred_pictures_with_long_names_from_the_plan_to_the_explorer(tmp_path, monkeypatch, capsys):
    """No command line grows with a study: there all of them would take more than Linux allows for one word."""
    monkeypatch.chdir(tmp_path)
    names = [f"picture-{number:03}-{'x' * 25}" for number in range(600)]
    folder = Path("a long name " * 15)
    folder.mkdir()
    for name in names:
        (folder / f"{name}.png").write_bytes(b"\x89PNG" + name.encode())
    study = planned(
        images={name: {"path": f"{folder}/{name}.png"} for name in names},
        pairs=[{"content": name, "styles": [names[0]]} for name in names],
        vary={},
    )
    study.write("plan-0.json")
    assert Path("plan-0.json").stat().st_size > 4 * 131_071
    assert plan.read("plan-0.json") == study
    write_image(Path("image.png"), np.zeros((20, 20, 3), np.uint8))
    losses = dict.fromkeys((*LOSSES, *(f"{name}_unweighted" for name in LOSSES[:-1])), 1.0)
    pd.DataFrame([{"iteration": 0} | losses]).to_csv("losses.csv", index=False)
    files = {"image.png": "image.png", "losses.csv": "losses.csv"}
    outputs = {name: checks.checksum(source) for name, source in files.items()}
    for run_id, run in study.runs.items():
        place = Path("results/runs", run_id)
        place.mkdir(parents=True)
        for name, source in files.items():
            shutil.copy(source, place / name)
        record(run, outputs=outputs, final=losses, best=losses).write(place / "run.json")
    shutil.rmtree(folder)
    tables = ["--plan", "plan-0.json", "--runs", "runs.parquet", "--losses", "losses.parquet"]
    assert cli.run(["collect", *tables, "--runs-csv", "runs.csv"]) == 0, capsys.readouterr().err
    assert cli.run(["explorer", *tables, "--output", "explorer"]) == 0, capsys.readouterr().err
    page = Path("explorer/index.html").read_text()
    assert all(name in page for name in names)


def test_another_config_or_picture_is_another_plan(own):
    assert planned(images=OWN).digest == own.digest
    assert planned(images=OWN, vary={"style_weight": [5]}).digest != own.digest
    shutil.copy(sample_file("chelsea"), "photo {x}.png")
    assert planned(images=OWN).digest != own.digest


def test_a_picture_that_is_gone_is_known_from_the_plan_before(own, tmp_path):
    (tmp_path / "photo {x}.png").unlink()
    earlier = lambda: plan.newest("results/studies/tiny")  # noqa: E731
    assert expand(load_config(tiny_study(images=OWN)), earlier) == own
    renamed = load_config(tiny_study(images=OWN | {"photograph": {"path": "other.png"}}))
    with pytest.raises(InputError, match=r"images\.photograph\.path is 'other\.png': there is no such file"):
        expand(renamed, earlier)


def test_a_picture_that_was_changed_since_is_named(own, capsys):
    assert own.changed() == []
    shutil.copy(sample_file("chelsea"), "photo {x}.png")
    assert own.changed() == [
        "images.photograph.path is 'photo {x}.png', which has been changed since the study was planned"
    ]
    words = ["picture", "--plan", "results/studies/tiny/plan-0.json", "--output", own.pictures["photograph"].file]
    assert cli.run(words) == 2
    assert "which has been changed since the study was planned: call snakemake again" in capsys.readouterr().err


def test_without_a_shared_disk_files_lie_below_the_folder_of_a_storage_provider(own, tmp_path, monkeypatch, capsys):
    """There commands find and write what they are given, under the paths that it has everywhere."""
    photo, root = tmp_path / "photo {x}.png", ".snakemake/storage/s3/bucket"
    shutil.copytree("results", f"{root}/results")
    file = own.pictures["photograph"].file
    (tmp_path / root / file).parent.mkdir(parents=True)
    monkeypatch.setenv("STYLETRANSFER_ROOT", root)
    plan_file = f"{root}/results/studies/tiny/plan-0.json"
    assert cli.run(["picture", str(photo), "--plan", plan_file, "--output", f"{root}/{file}"]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: ")
    assert (tmp_path / root / file).exists()
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample_file("chelsea"), photo)
    assert cli.run(["picture", str(photo), "--plan", plan_file, "--output", f"{root}/{file}"]) == 2
    assert "images.photograph.path is 'photo {x}.png', which has been changed since" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("", r"is not a plan of a study"),
        ("[]", r"is not a plan of a study"),
        ('{"plan": 0, "numerics": 1}', "another version of the engine"),
        ('{"plan": 1, "numerics": 99}', "another version of the engine"),
        ('{"plan": 1, "numerics": 1}', r"is not a plan of a study \(KeyError: 'weights'\)"),
        (None, "there is no such plan"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path, changed, message):
    path = tmp_path / "plan.json"
    if changed is not None:
        path.write_text(changed)
    with pytest.raises(InputError, match=message):
        plan.read(path)


def test_a_plan_that_was_edited_is_refused(own, tmp_path):
    path = tmp_path / "results/studies/tiny/plan-0.json"
    document = json.loads(path.read_text())
    first = next(iter(document["runs"].values()))
    first["tv_weight"] = 7
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="its runs have other settings than their names say"):
        plan.read(path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--run", "nothing"], "--run is 'nothing': the plan of tiny has no such run"),
        (["--batch", "0"], "--batch is 0: the plan has batches 1 to 4 of that size"),
        (["--batch", "3", "--batch-size", "2"], "--batch is 3: the plan has batches 1 to 2 of that size"),
        (["--batch", "1", "--batch-size", "0"], "--batch-size is 0: it must be at least 1"),
    ],
)
def test_a_run_that_is_not_planned_is_refused(own, capsys, words, message):
    assert cli.run(["run", "--plan", "results/studies/tiny/plan-0.json", *words]) == 2
    assert message in capsys.readouterr().err
