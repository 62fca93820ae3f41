"""Repeats in a plan: which runs there are, what they are called, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.studies import tiny_study
from styletransfer.errors import InputError
from styletransfer.reports import monitor
from styletransfer.results import final
from styletransfer.results.estimates import Estimates
from styletransfer.results.overview import summary
from styletransfer.settings import Settings
from styletransfer.study import designs, plan
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand


def planned(**changes):
    return expand(load_config(tiny_study(**changes)))


def notes(study, pool):
    return [line.strip() for line in summary(study, pool, Estimates(study, "cpu")).splitlines() if "repeats" in line]


def test_one_repeat_is_the_plan_without_the_key_to_the_byte():
    assert planned(repeats=1, repeats_of="all").text == planned().text
    assert "repeat" not in planned().text


@given(st.integers(2, 5), st.integers(0, 2**40), st.sampled_from(["star", "grid"]))
def test_repeats_add_the_same_settings_with_other_seeds(repeats, seed, design):
    changes = {"design": design, "defaults": {"width": 32, "seed": seed}, "vary": {"tv_weight": [1, 2, 3]}}
    base, study = planned(**changes), planned(**changes, repeats=repeats)
    assert study.rows[: len(base.rows)] == base.rows
    assert list(study.runs)[: len(base.runs)] == list(base.runs)
    assert len(study.runs) == repeats * len(base.runs)
    by_id = {row.run_id: row for row in base.rows}
    for row in study.rows:
        values = row.settings.values() | {"seed": seed}
        assert row.settings.seed == seed + row.repeat
        assert values == by_id[row.repeat_of].settings.values()
        assert (row.label, row.is_default) == (by_id[row.repeat_of].label, by_id[row.repeat_of].is_default)
    more = planned(**changes, repeats=repeats + 1)
    assert set(study.runs) < set(more.runs), "adding repeats computes only the new runs"


def test_a_plan_with_repeats_is_read_as_it_was_written(tmp_path):
    study = planned(repeats=3)
    study.write(tmp_path / "plan.json")
    assert plan.read(tmp_path / "plan.json") == study
    assert [row.get("repeat", 0) for row in json.loads(study.text)["rows"]] == [0] * 4 + [1] * 4 + [2] * 4
    assert study.config["repeats"] == 3


def test_extremes_are_the_default_and_both_ends_of_each_parameter():
    vary = {"style_weight": [7, 5, 3, 50, 500], "pooling": ["avg", "max"], "optimizer": ["adam"]}
    study = planned(repeats=2, repeats_of="extremes", vary=vary)
    assert [(row.parameter, row.label) for row in study.rows if row.repeat] == [
        *(("style_weight", label) for label in ("3", "500")),
        *(("pooling", label) for label in ("avg", "max")),
        ("optimizer", "adam"),
    ]
    assert len(study.runs) == 6 + 3, "500, max and adam are the default"


def test_extremes_of_a_grid_are_its_corners():
    vary = {"style_weight": [1, 2, 500], "tv_weight": [1, 100, 1000]}
    study = planned(repeats=2, repeats_of="extremes", design="grid", vary=vary)
    found = {(row.settings.style_weight, row.settings.tv_weight) for row in study.rows if row.repeat}
    assert found == {(1, 1), (1, 1000), (500, 1), (500, 1000), (500, 100)}, "the last of these is the default"


@given(
    st.sampled_from(["star", "grid"]),
    st.sampled_from(["all", "extremes"]),
    st.integers(2, 4),
    st.dictionaries(st.sampled_from(["tv_weight", "eps"]), st.sets(st.integers(1, 9), min_size=1), min_size=1),
)
def test_the_number_of_runs_is_known_before_they_are_made(design, of, repeats, vary):
    config = load_config(
        tiny_study(design=design, repeats=repeats, repeats_of=of, vary={name: sorted(v) for name, v in vary.items()})
    )
    # The default, 100 or 1e-8, is none of the values: a star adds it.
    defaults = repeats if design == "star" else 0
    assert designs.count_runs(config, config["vary"]) == len(expand(config).rows) - defaults


def test_too_many_repeats_are_refused_before_they_are_made():
    with pytest.raises(InputError, match=r"this star has 1,200 runs.*raise max_runs \(1,000\)"):
        planned(repeats=300, max_runs=1000)


def test_what_draws_no_noise_has_no_repeats_and_the_plan_says_so(tmp_path):
    study = planned(repeats=3, vary={"initial_noiseblend": [0, 0.5]})
    assert len(study.runs) == 1 + 3 + 3
    assert notes(study, tmp_path) == [
        "4 of the 7 runs are repeats: the settings of another run, with another seed",
        "1 of the 7 runs have no repeats: initial_noiseblend is 0, so that no noise is drawn",
    ]
    assert notes(planned(), tmp_path) == []
    message = "repeats makes no difference to any run: initial_noiseblend is 0, so that no noise is drawn"
    with pytest.raises(InputError, match=message):
        planned(repeats=2, defaults={"initial_noiseblend": 0})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repeats": 2, "vary": {"seed": [1, 2]}}, "repeats is 2, and seed is varied as well"),
        ({"repeats": 2, "design": "list", "vary": {}, "runs": [{"seed": 1}]}, "seed is varied as well"),
        ({"repeats_of": "extremes"}, "repeats_of is extremes, but repeats is 1"),
        (
            {"repeats": 2, "repeats_of": "extremes", "design": "list", "vary": {}, "runs": [{"tv_weight": 1}]},
            "which a design list does not have: write repeats_of: all",
        ),
        ({"repeats": 0}, r"repeats: 0 is less than the minimum of 1\."),
        ({"repeats": 2.5}, r"repeats: 2\.5 is not of type 'integer'"),
        ({"repeats": 2, "repeats_of": "some"}, r"repeats_of: 'some' is not one of \['all', 'extremes'\]"),
        ({"repeats": 2, "defaults": {"seed": 2**63 - 1}}, "seed is 9223372036854775808"),
    ],
)
def test_bad_repeats_are_refused_by_name(changes, message):
    with pytest.raises(InputError, match=message):
        planned(**changes)


def test_a_seed_of_the_defaults_is_the_first_of_them():
    study = planned(repeats=2, defaults={"width": 32, "seed": 7}, vary={"tv_weight": [1]})
    assert [row.settings.seed for row in study.rows] == [7, 7, 8, 8]


def test_repeats_at_work_are_told_apart_by_their_seeds():
    found = list(monitor.labels(planned(repeats=2, vary={"tv_weight": [1, 100]})).values())
    assert found == ["tv weight 1", "tv weight 100", "tv weight 1, seed 1", "tv weight 100, seed 1"]


def test_the_final_of_a_study_is_of_its_default_and_of_none_of_its_repeats():
    study = planned(repeats=3)
    (default,) = final.defaults(study)
    assert study.runs[default] == Settings(
        content=study.runs[default].content,
        styles=study.runs[default].styles,
        weights=study.weights.artifact,
        width=32,
        iterations=3,
        content_weight=1,
    )
