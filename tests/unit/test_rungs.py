"""Rungs: how many runs go on, which, and what plans, tables and status say of those that do not."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import finished_runs
from helpers.studies import ROOT, tiny_study
from styletransfer.analysis import ranking
from styletransfer.errors import InputError
from styletransfer.optim.stylize import Computation
from styletransfer.reports.monitor import Monitor
from styletransfer.results import overview, readings, rungs, tables
from styletransfer.results.estimates import Estimates
from styletransfer.results.plan import statuses
from styletransfer.results.rungs import Candidate, decided
from styletransfer.runs import transfer
from styletransfer.runs.layout import Outputs, Run
from styletransfer.study import plan
from styletransfer.study import rungs as rungs_of
from styletransfer.study.config import definition, load
from styletransfer.study.expand import expand

STEPS = [50, 200, 1000]
NUMBERS = st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0])


def study(*, defaults=(), **changes):
    """Of seven runs, with rungs after 1, 2 and 4 steps."""
    vary = {"style_weight": [5, 50, 200, 500], "tv_weight": [1, 10, 100, 1000]}
    changes = {"rungs": [1, 2, 4], "rungs_share": 0.6, "vary": vary} | changes
    return expand(load(tiny_study(defaults={"iterations": 4, **dict(defaults)}, **changes)))


def spent(steps, counts):
    return sum(count * (last - first) for count, first, last in zip(counts, (0, *steps), steps, strict=False))


@pytest.mark.parametrize(("runs", "counts"), [(36, [36, 18, 10]), (60, [60, 34, 16]), (1, [1, 1, 1])])
def test_so_many_go_on_as_the_share_of_the_steps_allows(runs, counts):
    assert rungs_of.counts(STEPS, 0.35, runs) == counts
    assert runs == 1 or spent(STEPS, counts) <= 0.35 * runs * STEPS[-1]


@given(
    st.lists(st.integers(1, 2000), min_size=2, max_size=5, unique=True).map(sorted),
    st.floats(0.01, 1),
    st.integers(1, 300),
)
def test_no_share_of_the_steps_is_exceeded_but_by_the_one_that_always_goes_on(steps, share, runs):
    counts = rungs_of.counts(steps, share, runs)
    assert counts[0] == runs and min(counts) >= 1
    assert counts == sorted(counts, reverse=True)
    over = spent(steps, counts) - share * runs * steps[-1]
    rounding = 1e-5 * steps[-1]
    if over > rounding and steps[0] < share * steps[-1]:
        assert 1 in counts
    # One more at the last rung would be too much, unless all are there.
    if 1 not in counts and counts[-1] < counts[-2]:
        assert over + steps[-1] - steps[-2] > -rounding


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=25))
def test_a_front_is_what_those_before_it_alone_beat(points):
    first, second = np.array(points, float).reshape(-1, 2).T
    left, front = set(range(len(points))), 0
    expected = np.zeros(len(points), int)
    while left:
        beaten = {
            one
            for one in left
            if any(
                points[other] != points[one] and np.all(np.array(points[other]) >= np.array(points[one]))
                for other in left
            )
        }
        expected[list(left - beaten)] = front
        left, front = beaten, front + 1
    assert ranking.fronts(first, second).tolist() == expected.tolist()
    order, fronts = ranking.order(first, second)
    assert sorted(order) == list(range(len(points)))
    assert (np.diff(fronts[order]) >= 0).all()


def test_of_a_front_both_ends_come_first_then_what_is_far_from_others():
    first, second = np.array([0.0, 0.1, 0.5, 1.0, 0.5]), np.array([1.0, 0.9, 0.5, 0.0, 0.5])
    assert ranking.crowding(first, second).tolist() == pytest.approx([math.inf, 1.0, 1.8, math.inf, 0])
    assert ranking.order(first, second)[0].tolist() == [0, 3, 2, 1, 4]


def candidate(run_id, style, content, status="ok", is_default=False, is_ahead=False):
    return Candidate("a x b", "style_weight", run_id, is_default, run_id, status, style, content, is_ahead)


def going(candidates, most, by="front"):
    table = decided(candidates, most, by)
    return dict(zip(table["run_id"], zip(table["goes_on"], table["why"], strict=True), strict=True))


def test_the_better_ones_go_on_and_the_default_always():
    candidates = [
        candidate("worst", 0.1, 0.1),
        candidate("best", 0.9, 0.9),
        candidate("second", 0.8, 0.8),
        candidate("default", 0.2, 0.2, is_default=True),
    ]
    assert going(candidates, 2) == {
        "worst": (False, "others are better"),
        "best": (True, "better"),
        "second": (False, "others are better"),
        "default": (True, "the default"),
    }


def test_a_missing_number_is_no_reason_to_stop_and_a_diverged_run_has_no_more_to_tell():
    candidates = [
        candidate("unmeasured", math.nan, 0.5),
        candidate("diverged", 0.9, 0.9, status="diverged"),
        candidate("default", math.nan, math.nan, is_default=True),
        candidate("good", 0.5, 0.5),
        candidate("bad", 0.4, 0.4),
        candidate("ahead", 0.3, 0.3, is_ahead=True),
    ]
    assert going(candidates, 1) == {
        "unmeasured": (True, "not measured"),
        "diverged": (False, "diverged"),
        "default": (True, "not measured"),
        "good": (True, "better"),
        "bad": (False, "others are better"),
        "ahead": (True, "computed already"),
    }


def test_the_order_of_the_study_decides_between_equals_and_one_number_may_rank():
    alike = [candidate(name, 0.5, 0.5) for name in "abc"]
    assert [name for name, (goes_on, _) in going(alike, 2).items() if goes_on] == ["a", "b"]
    pair = [candidate("content", 0.1, 0.9), candidate("style", 0.9, 0.1)]
    assert going(pair, 1, "style_reached")["style"][0] and not going(pair, 1, "style_reached")["content"][0]
    assert going(pair, 1, "content_kept")["content"][0]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rungs": [4]}, "rungs is [4]: list two or more"),
        ({"rungs": [2, 2, 4]}, "each larger than the one before"),
        ({"rungs": [1, 3]}, "iterations is 4: the last rung is all the way"),
        ({"vary": {"iterations": [2, 4]}}, "iterations varies: rungs decide"),
        ({"defaults": {"stages": 2}}, "several stages, which share its iterations"),
        ({"rungs": [3, 4]}, "the first rung alone takes 75% of all steps, and rungs_share is 60%"),
    ],
)
def test_rungs_that_cannot_be_are_refused_with_what_to_do(changes, told):
    with pytest.raises(InputError) as error:
        study(**changes)
    assert told in str(error.value)


def test_text_stands_for_rungs_as_in_a_file():
    assert load(tiny_study(rungs=["1", "3"], rungs_share="0.5"))["rungs"] == [1, 3]
    for wrong in ({"rungs": [1.5, 3]}, {"rungs": [0, 3]}, {"rungs_share": 0}, {"rungs_by": "luck"}):
        with pytest.raises(InputError):
            load(tiny_study(**wrong))


def test_without_rungs_a_study_is_what_it_was():
    assert not [key for key in definition(load(tiny_study())) if "rungs" in key]
    whole = study()
    assert rungs_of.at(rungs_of.at(whole, 1), 4).runs == whole.runs
    assert list(study(rungs=[]).runs) == list(whole.runs)
    assert len(rungs_of.every(whole).runs) == 3 * len(whole.runs)


@pytest.fixture
def pool(tmp_path, monkeypatch):
    """A pool in which the runs of the first rung are finished, and measured: the more style weight, the better."""
    first = rungs_of.at(study(), 1)
    monkeypatch.setattr(finished_runs, "STUDY", first)
    monkeypatch.setattr(finished_runs, "RUNS", list(first.runs))
    for place, run_id in enumerate(first.runs):
        folder = tmp_path / run_id
        folder.mkdir()
        finished_runs.finish(folder, run_id, diverged=place == 0)
        record = json.loads((folder / "run.json").read_text())
        reading = readings.NOTHING._replace(style_reached=place / 10, content_kept=place / 10)
        readings._write(folder, record["outputs"]["image.png"], reading)
    return tmp_path


def test_a_decision_is_a_plan(pool):
    first = rungs_of.at(study(), 1)
    second, table = rungs.decide(first, pool, 2)
    again, same = rungs.decide(first, pool, 2)
    assert second.text == again.text and table.equals(same)
    second.write(pool / "plan-x-2.json")
    assert plan.read(pool / "plan-x-2.json") == second
    gone = {row.label for row in second.rows if row.settings.iterations == 2}
    default = {row.label for row in second.rows if row.is_default}
    assert default <= gone and len(table) == 7
    assert table["goes_on"].sum() == rungs_of.counts([1, 2, 4], 0.6, 7)[1] == len(second.runs) - len(second.stopped)
    assert not table.set_index("status").loc["diverged", "goes_on"]
    assert set(second.runs) == {
        *table.loc[~table["goes_on"], "run_id"],
        *(run_id for run_id, run in second.runs.items() if run.iterations == 2),
    }
    with pytest.raises(InputError, match="there is no such file"):
        rungs.decide(second, pool, 4)


def test_a_run_that_is_ahead_already_stays_though_others_have_become_better(pool):
    first = rungs_of.at(study(), 1)
    _, table = rungs.decide(first, pool, 2)
    late = table.loc[table["why"] == "others are better", "run_id"].iloc[0]
    ahead = rungs_of.continued(first.runs[late], 2)
    finished_runs.STUDY = rungs_of.every(study())
    finished_runs.RUNS = list(finished_runs.STUDY.runs)
    (pool / ahead.run_id).mkdir()
    finished_runs.finish(pool / ahead.run_id, ahead.run_id)
    second, table = rungs.decide(first, pool, 2)
    assert table.set_index("run_id").loc[late, "why"] == "computed already"
    assert ahead.run_id in second.runs


def test_a_stopped_run_has_a_result_and_says_how_far_it_came(pool):
    first = rungs_of.at(study(), 1)
    second, table = rungs.decide(first, pool, 2)
    found = statuses(second, pool)
    stopped = [run_id for run_id, one in found.items() if one.name == "stopped"]
    assert sorted(stopped) == sorted(table.loc[table["why"] == "others are better", "run_id"])
    assert found[stopped[0]].reason == "after 1 of 4 steps, since others of its pair were better by then"
    assert found[stopped[0]].finished
    assert {one.name for one in statuses(first, pool).values()} == {"ok", "diverged"}
    runs = tables.runs_table(second, pool, found)
    assert set(runs["status"]) == {"stopped", "diverged", "waiting"}
    assert set(runs["iterations"]) == {4}
    assert set(tables.completed(runs)["status"]) == {"stopped", "diverged"}
    assert not runs.loc[runs["status"] == "stopped", "pareto_front"].any()
    assert isinstance(runs, pd.DataFrame) and "iterations" not in tables.varied(runs)


def test_who_watches_a_rung_goes_on_to_the_next(tmp_path):
    whole, folder = study(), tmp_path / "studies/tiny"
    first = rungs_of.at(whole, 1)
    last = rungs_of.at(first, 4, list(first.runs)[:2])
    watched = Monitor(first, tmp_path / "runs")
    assert watched.follow() and set(watched.labels) == set(first.runs)
    folder.mkdir(parents=True)
    last.write(folder / "plan-x-4.json")
    assert watched.follow() and set(watched.labels) == set(last.runs)
    assert not watched.follow()


def test_who_watches_runs_that_all_diverge_sees_an_end(tmp_path):
    first, folder = rungs_of.at(study(), 1), tmp_path / "studies/tiny"
    folder.mkdir(parents=True)
    watched = Monitor(first, tmp_path / "runs")
    for rung, goes_on in ((1, True), (2, True), (4, False)):
        plan = folder / f"plan-x-{rung}.json"
        rungs_of.at(first, rung, []).write(plan)
        os.utime(plan, (rung, rung))
        assert watched.follow() == goes_on


def test_the_plan_tells_how_many_steps_it_takes_at_most(tmp_path):
    whole = study()
    text = overview.summary(whole, tmp_path, Estimates(rungs_of.every(whole), "cpu"))
    assert "rungs: 7 to 1, 5 to 2, 2 to 4 steps; at most 16 of 28 steps (57%)" in text
    assert "7 new runs, 0 cached; at most 7 runs go on" in text
    assert "at most about" in text


def test_what_is_there_of_a_rung_is_not_counted_again(pool):
    whole = study()
    text = overview.summary(rungs_of.at(whole, 1), pool, Estimates(rungs_of.every(whole), "cpu"))
    assert "0 new runs, 7 cached; at most 7 runs go on" in text


def test_a_run_goes_on_from_the_state_of_its_twin_as_well():
    """Its own twin of fewer steps has none, if it was made from a picture."""

    def identity(run):
        made = Run(run, None, Outputs.in_folder(Path("x")))
        return transfer._state_identity(
            made, {}, {}, SimpleNamespace(kind="cpu"), Computation("cpu", "analytic", "float32", 1)
        )

    whole = study(vary={"colors": ["style", "content", "matched"]})
    style, content, matched = map(identity, whole.runs.values())
    assert style == content != matched


def test_plans_of_rungs_are_no_earlier_versions(tmp_path):
    names = ["plan-abc-1.json", "plan-abc-2.json", "plan-abc-2.csv", "plan-old.json", "plan-old-2.csv"]
    for name in names:
        (tmp_path / name).write_text("")
    assert sorted(path.name for path in plan.outdated(tmp_path / "plan-abc-2.json")) == names[3:][::-1]


def test_what_smaller_shares_had_kept_is_told_from_a_study_that_computed_all(tmp_path):
    """The order is the same at every rung, and the default is the worst: it takes a place from the best."""
    whole = study(rungs_share=1, vary={"style_weight": {"arange": [1, 21, 1]}}, defaults={"style_weight": 1})
    rows = [
        {**candidate(run_id, place / 20, place / 20)._asdict(), "label": place, "is_default": place == 0}
        for place, run_id in enumerate(whole.runs)
    ]
    for rung in (2, 4):
        pd.DataFrame(rows).to_csv(tmp_path / f"plan-x-{rung}.csv", index=False)
    pd.DataFrame(rows).to_csv(tmp_path / "runs.csv", index=False)
    whole.write(tmp_path / "plan-x-4.json")
    command = [sys.executable, str(ROOT / "tests/rungs/survival.py"), str(tmp_path), "--shares", "0.6", "1"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert lines == [
        "0.60  a x b: runs 20 -> 12 -> 8; of the best 10 10 -> 10 -> 7; 60.0% of the steps",
        "1.00  a x b: runs 20 -> 20 -> 20; of the best 10 10 -> 10 -> 10; 100.0% of the steps",
    ]
