"""A study of batches with the optimisation stubbed: as many runs as CI has time for; `measure_load.py` takes more."""

import json
import math
import os

import pandas as pd
import pytest

from load.study import NOTES, config, prepare, snakemake
from styletransfer import settings
from styletransfer.study.values import values

RUNS, PER_JOB = 50, 30


@pytest.mark.parametrize("runs", [10, 50, 70, 10_000])
def test_a_study_has_as_many_runs_as_it_was_asked_for(runs):
    assert math.prod(len(values(name, spec)) for name, spec in config(runs)["vary"].items()) == runs


def test_a_study_in_batches(tmp_path):
    prepare(tmp_path, RUNS, PER_JOB)
    snakemake(tmp_path, "collect")
    table = pd.read_parquet(tmp_path / "results/studies/load/runs.parquet")
    assert table["run_id"].nunique() == RUNS
    assert set(table["status"]) == {"ok"}
    assert set(table["backend_used"]) == {"stub"}
    losses = pd.read_parquet(tmp_path / "results/studies/load/losses.parquet")
    assert losses.groupby(["run_id", "loss"]).size().eq(21).all()
    for folder in (tmp_path / "results/runs").iterdir():
        assert settings.from_canonical(json.loads((folder / "run.json").read_text())["identity"]).run_id == folder.name
    notes = [json.loads(line) for line in (tmp_path / NOTES).read_text().splitlines()]
    assert sum(note["command"] == "run" for note in notes) == math.ceil(RUNS / PER_JOB)
    assert "Nothing to be done" in snakemake(tmp_path, "collect")[2]
    # Snakemake keeps no records of runs and is asked for one file of a batch, and still misses any.
    assert len([path for path in (tmp_path / ".snakemake").rglob("*") if path.is_file()]) < 50
    pictures = sorted((tmp_path / "results/runs").glob("*/image.png"))
    pictures[0].with_name("losses.csv").unlink()
    assert "transfer_000" in snakemake(tmp_path, "all", "--dry-run")[2]
    # What is computed again is new to the tables, and nothing else is: another study may have the other runs.
    before = {picture: picture.stat().st_mtime_ns for picture in pictures}
    snakemake(tmp_path, "all", "--until", "collect")
    assert [picture for picture in pictures if picture.stat().st_mtime_ns != before[picture]] == [pictures[0]]
    notes = [json.loads(line)["command"] for line in (tmp_path / NOTES).read_text().splitlines()]
    assert notes.count("collect") == 2
    os.utime(pictures[1])
    assert "rule collect" in snakemake(tmp_path, "collect", "--dry-run")[2]
