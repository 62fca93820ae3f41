"""A study that stops what is hopeless, on the command line."""

import json
import shutil

import pandas as pd
import pytest

from helpers.studies import tiny_study
from helpers.workflow import jobs, snakemake
from styletransfer.study import plan

VARY = {"style_weight": [5, 50, 500], "tv_weight": [1, 10, 100]}
STUDY = tiny_study(vary=VARY, rungs=[1, 3], rungs_share=0.7, runs_per_job=5)
RUNS = 5
RESULTS = ("image.png", "losses.csv")


@pytest.fixture(scope="module")
def halved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rungs")
    first = snakemake(folder, "--dry-run", config=STUDY)
    assert (jobs(first, "transfer_0001"), jobs(first, "decide"), jobs(first, "collect")) == (1, 1, 1)
    output = snakemake(folder, config=STUDY, short=True)
    assert f"{RUNS - len(survivors(folder))} stopped" in output
    return folder


def table(folder):
    return pd.read_parquet(folder / "results/studies/tiny/runs.parquet").drop_duplicates("run_id")


def survivors(folder):
    """The folders of the runs that went all the way."""
    found = table(folder)
    return [folder / "results/runs" / run_id for run_id in found.loc[found["status"] == "ok", "run_id"]]


def decision(folder):
    return plan.find(folder / "results/studies/tiny").read_bytes()


def test_what_goes_all_the_way_has_the_bytes_of_a_run_without_rungs(halved, tmp_path):
    gone = survivors(halved)
    assert len(gone) == 2  # 5 x 1 + 2 x 2 of 15 steps are 60 %, and a third run would make it 73 %
    whole = {key: value for key, value in STUDY.items() if "rungs" not in key}
    targets = [f"results/runs/{path.name}/run.json" for path in gone]
    snakemake(tmp_path, *targets, config=whole | {"runs_per_job": 1})
    for path in gone:
        records = [
            json.loads((root / "results/runs" / path.name / "run.json").read_text()) for root in (halved, tmp_path)
        ]
        assert [record["resumed"] for record in records] == [[2], []]
        for name in RESULTS:
            assert (path / name).read_bytes() == (tmp_path / "results/runs" / path.name / name).read_bytes()


def test_the_stopped_are_told_and_shown(halved):
    runs = table(halved)
    stopped = runs[runs["status"] == "stopped"]
    assert len(stopped) == RUNS - 2 and set(stopped["iterations_done"]) == {1}
    assert stopped["reason"].str.startswith("after 1 of 3 steps").all()
    assert runs.loc[runs["is_default"], "status"].tolist() == ["ok"]
    page = (halved / "results/studies/tiny/explorer/index.html").read_text()
    assert stopped["run_id"].iloc[0] in page
    manifest = json.loads((halved / "results/studies/tiny/manifest.json").read_text())
    assert len([name for name in manifest["files"] if "/plan-" in name]) == 2
    assert set(manifest["runs"]) == set(runs["run_id"])


def test_it_goes_on_where_it_was_and_comes_to_the_same_decision(halved, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(halved, folder)
    assert "Nothing to be done" in snakemake(folder, config=STUDY, short=True)
    before = decision(folder)
    last = survivors(folder)[-1]
    shutil.rmtree(last)
    output = snakemake(folder, "--dry-run", config=STUDY)
    assert (jobs(output), jobs(output, "decide"), jobs(output, "transfer_0001")) == (1, 0, 0)
    for made in (folder / "results/studies/tiny").glob("plan-*-3.*"):
        made.unlink()
    snakemake(folder, config=STUDY)
    assert decision(folder) == before and last.is_dir()
    assert "2 runs were kept" in snakemake(folder, "--forcerun", "decide", "transfer", config=STUDY, short=True)
    assert decision(folder) == before


def test_a_value_that_comes_later_takes_from_none_what_it_has(halved, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(halved, folder)
    before = {path.name for path in survivors(folder)}
    more = STUDY | {"vary": VARY | {"style_weight": [5, 50, 500, 5000]}}
    output = snakemake(folder, "--dry-run", config=more)
    assert jobs(output, "decide") == 1
    snakemake(folder, config=more)
    assert before <= {path.name for path in survivors(folder)}
    assert len(table(folder)) == RUNS + 1


def test_a_part_is_shown_before_it_is_decided(halved, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(halved, folder)
    shutil.rmtree(survivors(folder)[0])
    for made in (folder / "results/studies/tiny").glob("plan-*-3.*"):
        made.unlink()
    assert jobs(snakemake(folder, "partial", "--dry-run", config=STUDY)) == 0
    snakemake(folder, "partial", config=STUDY)
    shown = pd.read_parquet(folder / "results/studies/tiny/partial/runs.parquet")
    assert set(shown["status"]) == {"ok"} and set(shown["iterations_done"]) == {1}
