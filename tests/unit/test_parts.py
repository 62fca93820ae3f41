"""A study in parts: together they are the study, row by row, and one command runs and gathers them."""

import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from helpers.finished_runs import DESCRIBED, RUNS, STUDY, finish
from helpers.studies import config, tiny_study
from styletransfer import cli
from styletransfer.errors import InputError
from styletransfer.results import tables
from styletransfer.study import plan
from styletransfer.study.config import load
from styletransfer.study.expand import expand

PAIRS = [{"content": "photograph", "styles": ["artwork"]}, {"content": "artwork", "styles": ["photograph"]}]
DESIGNS = {
    "grid": {"vary": {"style_weight": [1, 2, 3], "tv_weight": [4, 5]}},
    "sobol": {"vary": {"style_weight": {"range": [1, 100]}}, "runs_total": 7},
    "list": {"vary": {}, "runs": [{"seed": number} for number in range(5)]},
}


@given(st.sampled_from(sorted(DESIGNS)), st.integers(1, 9))
def test_parts_together_are_the_study(design, count):
    described = config(pairs=PAIRS, design=design, **DESIGNS[design])
    parts = [expand(described | {"part": [number, count]}).rows for number in range(1, count + 1)]
    assert [row for part in parts for row in part] == list(expand(described).rows)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_star_shows_its_default_in_each_part():
    described = config(vary={"style_weight": [2, 3], "tv_weight": [4, 5]})
    parts = [expand(described | {"part": [number, 2]}) for number in (1, 2)]
    assert [[row.value for row in part.rows if row.parameter] for part in parts] == [[2, 3], [4, 5]]
    assert [sum(row.is_default for row in part.rows) for part in parts] == [1, 1]
    assert set().union(*(part.runs for part in parts)) == set(expand(described).runs)


def test_what_makes_no_difference_in_one_part_is_not_refused():
    described = config(design="grid", vary={"optimizer": ["adam", "lbfgs"], "beta1": [0.5, 0.9]})
    assert len(expand(described | {"part": [2, 2]}).rows) == 2


@pytest.mark.parametrize("part", [[3, 2], [1], [1, 2, 3], [0, 2]])
def test_a_part_is_one_of_some(part):
    with pytest.raises(InputError, match="part"):
        load(tiny_study(part=part))
    with pytest.raises(InputError, match="rungs"):
        load(tiny_study(part=[1, 2], rungs=[1, 3]))


@pytest.fixture
def called(tmp_path, monkeypatch):
    """The configs that Snakemake is called with, in place of calling it."""
    monkeypatch.chdir(tmp_path)
    kept = {name: value for name, value in DESCRIBED.items() if name not in ("pathvars", "contact_sheet")}
    (tmp_path / "half.yaml").write_text(yaml.safe_dump(kept))
    calls = SimpleNamespace(configs=[], words=[], codes=[0, 0, 0])

    def call(command, **_):
        assert command[:4] == [sys.executable, "-m", "snakemake", "--configfile"]
        calls.configs.append(load(yaml.safe_load((tmp_path / command[4]).read_text())))
        calls.words.append(command[5:])
        return SimpleNamespace(returncode=calls.codes[len(calls.configs) - 1])

    monkeypatch.setattr(subprocess, "run", call)
    return calls


PARTS = ["parts", "--configfile", "half.yaml", "--runs-per-part", "2"]


def test_one_command_runs_all_parts_and_gathers_them(called, tmp_path):
    for run_id in RUNS:
        (tmp_path / "results/runs" / run_id).mkdir(parents=True)
        finish(tmp_path / "results/runs" / run_id, run_id)
    assert cli.run([*PARTS, "--", "--cores", "2"]) == 0
    assert [part["study"] for part in called.configs] == ["half-1of3", "half-2of3", "half-3of3"]
    assert called.words == [["--cores", "2"]] * 3
    assert set().union(*(expand(part).runs for part in called.configs)) == set(RUNS)
    found = tables.read_runs(tmp_path / "results/studies/half/runs.parquet")
    pd.testing.assert_frame_equal(found, tables.runs_table(STUDY, tmp_path / "results/runs"), check_like=True)
    assert plan.newest(tmp_path / "results/studies/half").rows == STUDY.rows


def test_a_part_that_fails_is_named_and_others_are_run(called, tmp_path, capsys):
    called.codes = [0, 1, 0]
    assert cli.run(PARTS) == 1
    assert "1 of 3 parts are not finished: half-2of3" in capsys.readouterr().out
    assert len(called.configs) == 3
    assert not (tmp_path / "results/studies/half/runs.parquet").exists()


@pytest.mark.parametrize("word", ["--dry-run", "--unlock"])
def test_what_runs_nothing_gathers_nothing(called, tmp_path, word):
    assert cli.run([*PARTS, "--", word]) == 0
    assert called.words == [[word]] * 3
    assert not (tmp_path / "results/studies/half/runs.parquet").exists()


def test_a_study_of_rungs_is_not_cut(called, tmp_path, capsys):
    (tmp_path / "half.yaml").write_text(yaml.safe_dump(tiny_study(rungs=[1, 3])))
    assert cli.run(PARTS) == 2
    assert "rungs is [1, 3]: remove it" in capsys.readouterr().err
    assert called.configs == []
