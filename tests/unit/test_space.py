"""The space of a study: which axes it has, and that settings come back from their places."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from styletransfer.analysis.space import Axis, Space
from styletransfer.errors import InputError

positive = st.floats(1e-3, 1e6).map(lambda value: float(f"{value:.6g}"))
numbers = st.lists(st.one_of(st.just(0.0), positive), min_size=2, max_size=20, unique=True)
words = st.lists(st.sampled_from(["max", "avg", "1 2", "2 1", "relu1_1+relu2_1=0.5", "3"]), min_size=2, unique=True)


def table(**columns):
    return pd.DataFrame({"pair": "a x b", **columns})


@given(numbers)
def test_numbers_come_back_from_their_places(values):
    axis = Axis.of("tv_weight", values)
    assert axis.decode(axis.code(values)) == pytest.approx(values, rel=1e-9, abs=1e-9 * max(values))


@given(numbers)
def test_larger_numbers_have_larger_places(values):
    places = Axis.of("tv_weight", values).code(sorted(values))
    assert places[0] == 0
    assert places[-1] == pytest.approx(1)
    assert (np.diff(places) > 0).all()


@given(words.filter(lambda found: found != ["3"]))
def test_words_come_back_and_share_the_axis(values):
    axis = Axis.of("pooling", values)
    assert axis.kind == "choice"
    assert axis.decode(axis.code(values)) == values
    everywhere = axis.decode(np.linspace(0, 1, 60 * len(values), endpoint=False) + 1 / 120 / len(values))
    assert [everywhere.count(word) for word in values] == [60] * len(values)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_whole_numbers_stay_whole_and_within(places):
    found = Axis.of("iterations", [3, 10, 30]).decode(np.array(places))
    assert all(isinstance(value, int) and 3 <= value <= 30 for value in found)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("style_weight", [5, 50, 500], "log"),
        ("tv_weight", [0, 1, 1000], "log"),
        ("style_scales", ["1", "1.2", "2"], "linear"),
        ("style_scales", ["0.4 0.4", "2.4 2.4"], "log"),
        ("style_scales", ["1 1", "1 2"], "choice"),
        ("content_weight_blend", [0, 0.01, 1], "linear"),
        ("pooling", ["max", "avg"], "choice"),
        ("stages", ["1", "2"], "linear"),
        ("stages", ["1", "64 128"], "choice"),
    ],
)
def test_the_kind_of_an_axis(name, values, kind):
    assert Axis.of(name, values).kind == kind


def test_a_log_axis_goes_by_ratio():
    assert Axis.of("style_weight", [1, 10, 100]).code([1, 10, 100]) == pytest.approx([0, 0.5, 1])
    with_zero = Axis.of("tv_weight", [0, 1, 1000]).code([0, 1, 1000])
    assert with_zero == pytest.approx([0, np.log(2) / np.log(1001), 1])


def test_only_what_a_study_varies_has_an_axis():
    runs = table(style_weight=[1.0, 10, 100], tv_weight=1.0, pooling=["max", "avg", "max"], seed=[0, 1, 2])
    assert Space.of(runs).names == ["style_weight", "pooling"]


def test_what_differs_only_between_pairs_is_the_pairs():
    first, second = table(width=64, style_weight=[1.0, 10]), table(width=96, style_weight=[1.0, 10])
    runs = pd.concat([first, second.assign(pair="c x d")], ignore_index=True)
    space = Space.of(runs)
    assert space.names == ["style_weight", "pair"]
    assert space.code(runs).tolist() == [[0, 0.25], [1, 0.25], [0, 0.75], [1, 0.75]]


def test_settings_come_back_from_a_space():
    runs = table(style_weight=[1.0, 10, 100], iterations=[3, 10, 30], pooling=["max", "avg", "max"])
    space = Space.of(runs)
    assert space.decode(space.code(runs)).to_dict("list") == runs[space.names].to_dict("list")


def test_one_run_has_a_space_without_axes():
    runs = table(style_weight=[1.0])
    assert Space.of(runs).code(runs).shape == (1, 0)
    assert len(Space.of(runs).decode(np.zeros((3, 0)))) == 3


def test_a_value_that_no_run_has_is_refused_if_it_is_a_word():
    with pytest.raises(InputError, match=r"pooling is 'min'.*max, avg"):
        Axis.of("pooling", ["max", "avg"]).code(["min"])
    with pytest.raises(InputError, match="tv_weight is 'much'"):
        Axis.of("tv_weight", [1, 2]).code(["much"])
