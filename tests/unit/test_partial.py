"""Tables, figures and explorer of a study of which some runs have no result."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from helpers.finished_runs import DEFAULT, DESCRIBED, RUNS, STUDY, finish
from styletransfer.images.io import write_image
from styletransfer.reports import explorer
from styletransfer.reports.figures import effects
from styletransfer.reports.figures.contact_sheet import contact_sheet
from styletransfer.reports.figures.device_usage import device_timeline
from styletransfer.reports.figures.loss_curves import loss_curves
from styletransfer.reports.figures.style import save
from styletransfer.results import tables
from styletransfer.runs import status


@pytest.fixture
def pool(tmp_path):
    for run_id in RUNS:
        finish(tmp_path / run_id, run_id)
    return tmp_path


def without(pool, *lacking):
    """Statuses of a study in which these runs have no result: the first was killed, all others wait."""
    for run_id in lacking:
        shutil.rmtree(pool / run_id)
        (pool / run_id).mkdir()
    for run_id in lacking[:1]:
        attempt = {"status": "killed", "reason": "ended by </script> SIGTERM", "host": "there", "device": "GPU-7"}
        (pool / run_id / "attempt.json").write_text(json.dumps(attempt))
    return status.study_status(STUDY.runs, pool)


def test_a_study_that_is_complete_has_the_same_tables_either_way(pool):
    statuses = status.study_status(STUDY.runs, pool)
    pd.testing.assert_frame_equal(tables.runs_table(STUDY, pool, statuses), tables.runs_table(STUDY, pool))
    pd.testing.assert_frame_equal(tables.losses_table(STUDY, pool, statuses), tables.losses_table(STUDY, pool))


def test_runs_without_a_result_stand_in_the_table_with_the_reason(pool):
    complete = tables.runs_table(STUDY, pool)
    finish(pool / RUNS[-1], RUNS[-1], diverged=True)
    runs = tables.runs_table(STUDY, pool, without(pool, RUNS[0], RUNS[2]))
    assert list(runs.columns) == list(complete.columns)
    assert list(runs["run_id"]) == list(complete["run_id"])
    by_run = runs.drop_duplicates("run_id").set_index("run_id")
    assert by_run["status"].to_dict() == dict(zip(RUNS, ["killed", "ok", "waiting", "diverged"], strict=True))
    assert by_run["reason"].tolist()[:3] == ["ended by </script> SIGTERM", "", ""]
    assert by_run["reason"].iloc[3] == "the loss was not finite any more after step 2"
    assert by_run.loc[RUNS[0], ["host", "device"]].tolist() == ["there", "GPU-7"]
    same = ["parameter", "value", "label", "style_weight", "tv_weight", "width", "iterations", "optimizer", "weights"]
    pd.testing.assert_frame_equal(runs[same], complete[same])
    lacking = ["height", "seconds", "best_total", "image_sha256", "version_python"]
    assert by_run.loc[[RUNS[0], RUNS[2]], lacking].isna().all(axis=None)
    assert set(tables.losses_table(STUDY, pool, status.study_status(STUDY.runs, pool))["run_id"]) == {RUNS[1], RUNS[3]}
    with pytest.raises(Exception, match=r"run\.json: there is no such file\. Remove the folder"):
        tables.runs_table(STUDY, pool)


def drawn(runs, losses, pool, folder):
    """Every figure by its name."""
    write_image(folder / "photo.png", np.zeros((20, 40, 3), np.uint8))
    pictures = {"photo": str(folder / "photo.png"), "art": str(folder / "gone.png")}
    return {
        "contact_sheet": contact_sheet(runs, pool, pictures, 5, {}, False),
        "loss_curves": loss_curves(runs, losses),
        "device_timeline": device_timeline(runs),
        "pareto": effects.pareto(runs, pool),
        "parameter_effects": effects.parameter_effects(runs),
    }


def words(figure):
    return " ".join(" ".join(text.get_text() for text in figure.texts).split())


@pytest.mark.parametrize(
    ("lacking", "note"),
    [
        ([], ""),
        (RUNS[:1], "Partial: 1 of 4 runs without a result (1 killed)"),
        ([DEFAULT], "Partial: 1 of 4 runs without a result (1 killed)"),
        (RUNS[1:], "Partial: 3 of 4 runs without a result (2 waiting, 1 killed)"),
        (RUNS, "Partial: 4 of 4 runs without a result (3 waiting, 1 killed)"),
    ],
    ids=["complete", "one", "the default", "all but one", "all"],
)
def test_figures_show_what_there_is_and_count_what_is_missing(pool, tmp_path_factory, lacking, note):
    folder = tmp_path_factory.mktemp("figures")
    statuses = without(pool, *lacking)
    # From files, as the commands read them.
    for name, table in (("runs", tables.runs_table), ("losses", tables.losses_table)):
        table(STUDY, pool, statuses).to_parquet(folder / name)
    found = drawn(pd.read_parquet(folder / "runs"), pd.read_parquet(folder / "losses"), pool, folder)
    for name, figure in found.items():
        save(figure, [folder / f"{name}.png"])
        assert note in words(figure) if note else "Partial" not in words(figure), name
    tiles = [text.get_text() for axis in found["contact_sheet"].axes for text in axis.texts]
    assert tiles.count("killed") == sum(row.run_id in lacking[:1] for row in STUDY.rows)


def page_of(pool, folder, statuses):
    options = {name: DESCRIBED[name] for name in ("design", "pairs", "images", "weights")}
    options |= {"preserve_colors": False, "files": {"photo": str(folder / "gone.png")}, "network": "vgg16.safetensors"}
    runs, losses = tables.runs_table(STUDY, pool, statuses), tables.losses_table(STUDY, pool, statuses)
    explorer.write(folder, runs, losses, pool, options)
    page = (folder / "index.html").read_text()
    return page, json.loads(page.split('id="data">')[1].split("</script>")[0])


def test_the_explorer_shows_what_there_is_and_names_what_is_missing(pool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explorer")
    page, data = page_of(pool, folder, without(pool))
    assert [run["id"] for run in data["runs"]] == RUNS
    assert 'class="missing"' not in page
    page, data = page_of(pool, folder, without(pool, DEFAULT, RUNS[0]))
    assert [run["id"] for run in data["runs"]] == [run_id for run_id in RUNS if run_id not in (DEFAULT, RUNS[0])]
    shown = page.split("<details")[1].split("</details>")[0]
    assert "Partial: 2 of 4 runs without a result (1 waiting, 1 killed)" in shown
    assert DEFAULT in shown
    assert RUNS[0] in shown
    assert "ended by &lt;/script&gt; SIGTERM" in shown


def test_an_explorer_of_nothing_says_so(pool, tmp_path_factory):
    page, data = page_of(pool, tmp_path_factory.mktemp("explorer"), without(pool, *RUNS))
    assert data["runs"] == data["pairs"] == []
    assert "<script>" not in page, "a program that has nothing to show"
    assert "Partial: 4 of 4 runs" in page
    assert page.count("<td>half") == 0
    assert all(run_id in page for run_id in RUNS)
