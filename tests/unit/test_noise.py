"""What is noise and what is an effect: the spread, the bars, and how often they are wrong."""

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.studies import ROOT
from styletransfer.analysis import noise

# Planted effects of each kind. What is promised of them: at most so many nulls, and at least so many effects are seen.
PLANTED, MOST_NULLS, LEAST_EFFECTS = 500, 0.05, 0.95
# How many repeats are recommended for how many settings of a pair: docs/noise.md has the same.
RECOMMENDED = [(2, 5), (5, 6), (15, 7), (60, 8), (250, 10)]


def test_the_page_recommends_as_many_repeats():
    lines = (ROOT / "docs/noise.md").read_text().splitlines()
    names, _, repeats = lines[lines.index(next(line for line in lines if line.startswith("| settings of a pair"))) :][
        :3
    ]
    counts = [int(number) for number in re.findall(r"\d+", names)]
    assert list(zip(counts, map(int, re.findall(r"\d+", repeats)), strict=True)) == RECOMMENDED


def by_setting(values):
    """Values of (settings, repeats) as `spread` takes them."""
    return values.ravel(), np.repeat(np.arange(len(values)), values.shape[1])


def bars_of(values):
    """The bars of (settings, repeats) values of one spread."""
    found = noise.spread(*by_setting(values))
    return noise.bars([found.deviation] * len(values), [values.shape[1]] * len(values), found.freedom)


def are_different(values):
    """Which settings are told apart: (settings, settings), by the bars of (settings, repeats) values."""
    bars = bars_of(values)
    means = values.mean(axis=1)
    return np.abs(means[:, None] - means) > bars[:, None] + bars


@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5), min_size=1, max_size=6))
def test_the_spread_is_the_root_of_the_mean_variance_within_settings(groups):
    values = [value for group in groups for value in group]
    settings = [place for place, group in enumerate(groups) for _ in group]
    found = noise.spread(values, settings)
    repeated = [group for group in groups if len(group) > 1]
    assert found.freedom == sum(len(group) - 1 for group in repeated)
    if repeated:
        within = sum(np.var(group, ddof=1) * (len(group) - 1) for group in repeated)
        assert found.deviation == pytest.approx(math.sqrt(within / found.freedom), abs=1e-9)
    else:
        assert math.isnan(found.deviation)


def test_of_two_settings_the_bars_say_what_students_test_says():
    generator = np.random.default_rng(1)
    seen = set()
    for shift in np.linspace(0, 3, 40):
        values = generator.normal(size=(2, 5))
        values[0] += shift
        expected = stats.ttest_ind(*values).pvalue < noise.LEVEL
        assert are_different(values)[0, 1] == expected
        seen.add(expected)
    assert seen == {True, False}


def test_of_many_settings_they_say_what_tukeys_test_says():
    generator = np.random.default_rng(2)
    seen = set()
    for _ in range(10):
        values = generator.normal(size=(5, 4)) + np.arange(5)[:, None]
        expected = stats.tukey_hsd(*values).pvalue < noise.LEVEL
        np.testing.assert_array_equal(are_different(values), expected & ~np.eye(5, dtype=bool))
        seen |= set(expected[np.triu_indices(5, 1)].tolist())
    assert seen == {True, False}


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.sampled_from([0, 0.5, 1.5]), st.sampled_from([1, 2, 5, 8])), min_size=2, max_size=4),
    st.sampled_from([2, 9, 200]),
)
def test_of_unequal_means_no_two_bars_that_are_apart_lie_closer_than_the_test_of_tukey_and_kramer_wants(made, freedom):
    deviations, repeats = zip(*made, strict=True)
    bars = noise.bars(deviations, repeats, freedom)
    critical = stats.studentized_range.ppf(1 - noise.LEVEL, len(made), freedom) / math.sqrt(2)
    variances = [deviation**2 / count for deviation, count in made]
    for (bar, variance), (other, another) in itertools.combinations(zip(bars, variances, strict=True), 2):
        needed = critical * math.sqrt(variance + another)
        assert needed * (1 - 1e-9) <= bar + other <= needed * math.sqrt(2) * (1 + 1e-9)
        if len(set(made)) == 1:
            assert bar + other == pytest.approx(needed)


def test_without_repeats_there_is_no_bar_and_without_noise_there_is_nothing_to_show():
    np.testing.assert_array_equal(noise.bars([math.nan, 0], [1, 1], 0), [math.nan, 0])
    assert noise.bars([0, 0], [1, 1], 4).tolist() == [0, 0]
    assert noise.bars([0.1], [5], 4)[0] > 0


@pytest.mark.parametrize(("count", "repeats"), RECOMMENDED)
def test_of_planted_nulls_few_are_called_different_and_of_effects_of_three_deviations_nearly_all(count, repeats):
    """The first setting is the default; the last one differs from it, by three standard deviations of one run."""
    generator = np.random.default_rng(count)
    false_alarms, found, any_false_alarm = 0, 0, 0
    for _ in range(PLANTED):
        values = generator.normal(10, 0.04, (count, repeats))
        nulls = are_different(values)
        false_alarms += nulls[0, -1]
        any_false_alarm += nulls.any()
        values[-1] += 3 * 0.04
        found += are_different(values)[0, -1]
    assert false_alarms <= MOST_NULLS * PLANTED
    assert any_false_alarm <= MOST_NULLS * PLANTED, "also if all settings of a study are compared with one another"
    assert found >= LEAST_EFFECTS * PLANTED


def table(values, **columns):
    """A table of runs: a row for each of (settings, repeats) values."""
    place, repeat = (each.ravel() for each in np.indices(values.shape))
    made = {
        **{"pair": "a x b", "parameter": "tv_weight", "label": place.astype(str), "status": "ok"},
        **{"run_id": [f"run{one}-{other}" for one, other in zip(place, repeat, strict=True)]},
        **{"repeat": repeat, "repeat_of": [f"run{one}-0" for one in place]},
        **{"tv_weight": place * 1.0, "seed": repeat, "initial_noiseblend": 1.0},
        **{"style_reached": values.ravel(), "content_kept": 0.5, "ssim": np.nan, "sharpness": values.ravel()},
    }
    return pd.DataFrame(made | columns)


VALUES = np.random.default_rng(5).normal(size=(4, 3))


def test_the_table_tells_spread_and_bars_of_every_pair():
    other = table(2 * VALUES[:2], pair="a x c", run_id=[f"other{n}" for n in range(6)])
    runs = noise.with_columns(pd.concat([table(VALUES), other, other], ignore_index=True))
    first, second = (runs[runs["pair"] == pair] for pair in ("a x b", "a x c"))
    for found, values in ((first, VALUES), (second, 2 * VALUES[:2])):
        spread = noise.spread(*by_setting(values))
        assert set(found["degrees_of_freedom"]) == {spread.freedom}
        assert set(found["repeats"]) == {3}
        np.testing.assert_allclose(found["style_reached_sd"], spread.deviation)
        np.testing.assert_allclose(
            found["style_reached_bar"], np.repeat(bars_of(values), 3).tolist() * (len(found) // values.size)
        )
        assert (found["content_kept_sd"] == 0).all()
        assert found[["ssim_sd", "ssim_bar"]].isna().all(axis=None), "what is not measured has no spread"


def test_what_went_wrong_or_is_not_measured_does_not_count():
    runs = table(VALUES)
    runs.loc[0, ["status", "style_reached"]] = "diverged", 1e9
    runs.loc[4, "style_reached"] = np.nan
    found = noise.with_columns(runs)
    assert found["repeats"].tolist() == [2] * 3 + [3] * 9
    expected = noise.spread(np.delete(VALUES.ravel(), [0, 4]), np.delete(np.repeat(np.arange(4), 3), [0, 4]))
    assert found["style_reached_sd"].iloc[0] == pytest.approx(expected.deviation)
    assert found["style_reached_bar"].iloc[3] > found["style_reached_bar"].iloc[6], "two of its runs are measured"


def test_without_repeats_there_are_gaps_and_without_noise_bars_of_0():
    found = noise.with_columns(table(VALUES[:, :1], initial_noiseblend=[0, 0.5, 1, 1]))
    assert found["degrees_of_freedom"].tolist() == [0] * 4
    np.testing.assert_array_equal(found["style_reached_sd"], [0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found["style_reached_bar"], [0, np.nan, np.nan, np.nan])
    gone = noise.with_columns(table(VALUES, status="killed"))
    assert gone["repeats"].tolist() == [0] * 12
    assert gone["style_reached_bar"].isna().all()


def test_settings_of_more_noise_have_a_spread_of_their_own():
    """One of which nothing was run twice takes the largest of the others; one without noise has none."""
    values = np.random.default_rng(6).normal(size=(6, 4)) * [[1], [1], [9], [9], [1], [1]]
    shares = np.repeat([0.5, 0.5, 1, 1, 0.7, 0], 4)
    runs = table(values, initial_noiseblend=shares)
    runs = runs[(runs["repeat"] == 0) | (runs["initial_noiseblend"].isin([0.5, 1]))]
    found = noise.with_columns(runs)[lambda runs: runs["repeat"] == 0]
    few, much = noise.spread(*by_setting(values[:2])), noise.spread(*by_setting(values[2:4]))
    deviations = [few.deviation, few.deviation, much.deviation, much.deviation]
    np.testing.assert_allclose(found["style_reached_sd"], [*deviations, np.nan, 0])
    assert found["degrees_of_freedom"].tolist() == [6, 6, 6, 6, 0, 0]
    expected = noise.bars([*deviations, much.deviation, 0], [4, 4, 4, 4, 1, 1], 6)
    np.testing.assert_allclose(found["style_reached_bar"], expected)


def test_also_if_some_settings_spread_four_times_as_much_as_others_few_nulls_are_called_different():
    """Per effect: two of the settings that spread the most."""
    generator, false_alarms = np.random.default_rng(4), 0
    deviations = np.geomspace(0.5, 2, 13)[:, None]
    for _ in range(PLANTED):
        false_alarms += are_different(generator.normal(0, deviations, (13, 7)))[-1, -2]
    assert false_alarms <= MOST_NULLS * PLANTED


def test_seeds_that_a_study_varies_tell_the_spread_as_well():
    """Each is a setting of its own, whose bar is that of one run."""
    seeds = table(VALUES[:1]).assign(repeat=0, repeat_of=lambda runs: runs["run_id"], parameter="seed")
    found = noise.with_columns(seeds)
    spread = noise.spread(*by_setting(VALUES[:1]))
    assert found["style_reached_sd"].iloc[0] == pytest.approx(spread.deviation)
    np.testing.assert_allclose(found["style_reached_bar"], noise.bars([spread.deviation] * 3, [1] * 3, spread.freedom))


def test_averages_stand_in_the_place_of_the_first_repeat():
    runs = noise.with_columns(table(VALUES))
    runs.loc[1, "status"] = "diverged"
    found = noise.averaged(runs)
    assert found["run_id"].tolist() == [f"run{place}-0" for place in range(4)]
    np.testing.assert_allclose(found["style_reached"], [VALUES[0, [0, 2]].mean(), *VALUES[1:].mean(axis=1)])
    assert noise.averaged(runs[runs["repeat"] == 0]).equals(runs[runs["repeat"] == 0])
    lacking = noise.averaged(runs.drop(index=[0, 1]))
    assert lacking["run_id"].tolist() == ["run0-2", "run1-0", "run2-0", "run3-0"], "of a part of a study, what there is"


def test_a_run_that_diverged_shows_what_was_measured_of_itself():
    runs = noise.with_columns(table(VALUES))
    runs.loc[0, "status"] = "diverged"
    assert noise.averaged(runs)["style_reached"].iloc[0] == VALUES[0, 0]
