"""Designs that draw their runs: points, values of ranges, and studies that grow."""

import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from helpers.studies import config
from styletransfer.errors import InputError
from styletransfer.settings import PARAMETERS
from styletransfer.study import sequences, values
from styletransfer.study.config import definition, load
from styletransfer.study.expand import expand

ROOT = Path(__file__).parents[2]
VARY = {
    "style_weight": {"log_range": [20, 20_000]},
    "content_weight_blend": {"range": [0, 1]},
    "iterations": {"range": [20, 400]},
    "pooling": ["max", "avg"],
}
DRAWN = pytest.mark.parametrize("design", ["sobol", "lhs"])


def drawn(design="sobol", count=16, **vary):
    return expand(config(design=design, runs_total=count, vary=vary or VARY))


def points(draw, axes, count):
    return np.array(list(itertools.islice(draw([f"p{axis}" for axis in range(axes)]), count)))


@pytest.mark.parametrize("draw", [sequences.sobol, sequences.latin])
@pytest.mark.parametrize("power", range(8))
def test_each_part_of_an_axis_has_a_point(draw, power):
    found = points(draw, sequences.MOST_AXES, 2**power)
    assert ((found >= 0) & (found < 1)).all()
    for axis in (found * 2**power).astype(int).T:
        assert sorted(axis) == list(range(2**power))


def test_every_parameter_may_have_an_axis():
    assert len(PARAMETERS) <= sequences.MOST_AXES


def test_no_two_axes_of_a_sobol_sequence_are_alike():
    """Of 256 points each of 4 x 4 boxes of any two of the first axes holds its share."""
    found = points(sequences.sobol, 16, 256)
    for one, other in itertools.combinations(found.T, 2):
        counts, *_ = np.histogram2d(one, other, bins=4, range=[[0, 1]] * 2)
        assert (counts == 256 / 16).all()


@pytest.mark.filterwarnings("ignore:The balance properties of Sobol")
@pytest.mark.parametrize("axes", [3, 6, 10])
@pytest.mark.parametrize("count", [32, 100])
def test_points_are_as_even_as_those_of_scipy(axes, count):
    """Centred discrepancy, the mean of ten scrambles, which differ by about a tenth."""

    def mean(draw):
        return np.mean([qmc.discrepancy(draw(seed)) for seed in range(10)])

    def ours(draw, number):
        return mean(lambda seed: list(itertools.islice(draw([f"{seed} {axis}" for axis in range(axes)]), number)))

    assert ours(sequences.sobol, count) < 1.2 * mean(lambda seed: qmc.Sobol(axes, rng=seed).random(count))
    # A power of two: between them no sequence is a Latin hypercube.
    latin = mean(lambda seed: qmc.LatinHypercube(axes, rng=seed).random(32))
    assert ours(sequences.latin, 32) < 1.2 * latin
    assert ours(sequences.sobol, 32) < 0.9 * latin


def test_points_are_the_same_for_ever():
    """Run ids of users depend on them."""
    for draw, expected in GOLDEN.items():
        assert next(itertools.islice(getattr(sequences, draw)(["a", "b", "c"]), 5, None)) == expected


GOLDEN = {
    "sobol": (0.6665820684283972, 0.27194984909147024, 0.3659916138276458),
    "latin": (0.8532318351790309, 0.27194984909147024, 0.2413757937029004),
}


@DRAWN
@pytest.mark.parametrize(("count", "more"), [(1, 0), (1, 1), (7, 4), (16, 16), (33, 100)])
def test_more_runs_begin_with_the_fewer(design, count, more):
    few, many = drawn(design, count), drawn(design, count + more)
    assert [row.run_id for row in many.rows[:count]] == [row.run_id for row in few.rows]
    assert len(few.rows) == count
    assert len({row.label for row in many.rows}) == count + more


@DRAWN
def test_a_parameter_that_is_added_changes_no_value_of_the_others(design):
    before, after = drawn(design), drawn(design, **VARY, tv_weight={"range": [0, 10]})
    for name in VARY:
        assert [getattr(row.settings, name) for row in before.rows] == [
            getattr(row.settings, name) for row in after.rows
        ]


def test_values_are_short_in_their_range_and_of_their_type():
    rows = [row.settings for row in drawn(count=200).rows]
    assert all(20 <= run.style_weight <= 20_000 for run in rows)
    assert all(0 <= run.content_weight_blend <= 1 for run in rows)
    assert all(isinstance(run.iterations, int) and 20 <= run.iterations <= 400 for run in rows)
    assert {run.pooling for run in rows} == {"max", "avg"}
    for run in rows:
        for value in (run.style_weight, run.content_weight_blend):
            assert float(f"{value:.4g}") == value
    logs = [math.log10(run.style_weight) for run in rows]
    assert np.quantile(logs, [0.25, 0.5, 0.75]) == pytest.approx(1.301 + 3 * np.array([0.25, 0.5, 0.75]), abs=0.05)


@given(st.floats(-3, 3), st.floats(1.001, 1e4), st.floats(0, 1, exclude_max=True), st.sampled_from(values.RANGES))
def test_a_drawn_value_is_near_its_place_and_within_its_range(exponent, ratio, share, kind):
    low = 10**exponent
    high = low * ratio
    found = values.axis("tv_weight", {kind: [low, high]})(share)
    assert low * (1 - 1e-11) <= found <= high * (1 + 1e-11)  # an end has twelve digits
    place = (found - low) / (high - low) if kind == "range" else math.log(found / low) / math.log(ratio)
    assert abs(place - share) <= 0.6 / 500 + 1e-6


def test_a_range_of_several_styles_is_one_value_for_all():
    study = expand(
        config(
            design="sobol",
            runs_total=4,
            pairs=[{"content": "photograph", "styles": ["artwork", "photograph"]}],
            vary={"style_scales": {"range": [0.5, 2]}},
        )
    )
    assert all(len(set(row.settings.style_scales)) == 1 for row in study.rows)


def test_few_combinations_come_once_each():
    study = drawn("sobol", 6, pooling=["max", "avg"], iterations={"range": [1, 3]})
    assert len(study.runs) == 6


def test_studies_of_other_designs_are_planned_as_before():
    assert "runs_total" not in definition(config())
    assert definition(config(design="lhs", runs_total=4, vary=VARY))["runs_total"] == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runs_total": None}, "design is sobol, but runs_total is not given: say how many"),
        ({"design": "star", "vary": {}}, "runs_total is given, but design is star, which does not use it"),
        ({"vary": {}}, "design is sobol, but vary is empty"),
        ({"runs_total": 0}, "runs_total: 0 is less than the minimum"),
        ({"runs_total": 2.5}, "runs_total: 2.5 is not of type"),
        ({"runs_total": 20_000}, "this sobol has 20,000 runs"),
        ({"vary": {"pooling": ["max", "avg"]}}, "no more than about 2 different runs: lower runs_total"),
        ({"vary": {"pooling": {"range": [0, 1]}}}, "it is no number, so list the values"),
        ({"vary": {"style_layers": {"range": [0, 1]}}}, "it is no number, so list the values"),
        ({"vary": {"tv_weight": {"range": [5, 1]}}}, r"range is \[5, 1\]: it takes two numbers, the lowest"),
        ({"vary": {"tv_weight": {"range": [5]}}}, r"range is \[5\]: it takes two numbers, the lowest"),
        ({"vary": {"tv_weight": {"log_range": [0, 1]}}}, "must be above 0, or write range"),
        ({"vary": {"tv_weight": {"range": [-1, 1]}}}, "tv_weight is -1: it must be at least 0"),
        ({"vary": {"iterations": {"range": [1.5, 4]}}}, "iterations is 1.5: it must be a whole number"),
        ({"vary": {"content_weight_blend": {"range": [0, 2]}}}, "at least 0 and at most 1"),
        ({"vary": {"tv_weight": [{"range": [1, 2]}, 5]}}, "alone and not in a list"),
        ({"vary": {"tv_weight": {"range": [1, 2], "slice": "1:"}}}, "alone and not in a list"),
        ({"design": "grid", "runs_total": None, "vary": {"tv_weight": {"range": [1, 2]}}}, "for design sobol or lhs"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        expand(config(**{"design": "sobol", "runs_total": 8, "vary": VARY, **changes}))


def test_the_readmes_design_has_as_many_different_runs_as_it_says():
    """Put into the README's own study."""
    readme = (ROOT / "README.md").read_text()
    own, drawn = (re.search(pattern, readme, re.DOTALL)[1] for pattern in (r"EOS'\n(.*?)\nEOS", r"```yaml\n(.*?)```"))
    config = yaml.safe_load(own) | yaml.safe_load(drawn)
    assert len(expand(load(config)).runs) == config["runs_total"] == 64
