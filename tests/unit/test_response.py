"""The response model: it names what acts, says when it cannot, and its numbers are those that were planted."""

import numpy as np
import pandas as pd
import pytest

from helpers import planted
from styletransfer.analysis import process
from styletransfer.analysis import response as module
from styletransfer.analysis.measures import STYLE_REACHED
from styletransfer.analysis.process import Process, varying_both
from styletransfer.analysis.response import response, responses
from styletransfer.analysis.space import Axis, Space


def named(found):
    """The parameters that matter, and those that act together."""
    matter = {effect.parameter for effect in found.effects if effect.verdict == "matters"}
    together = [set(pair.parameters) for pair in found.pairs if pair.verdict == "act together"]
    return matter, together


def says_nothing(found):
    verdicts = {part.verdict for part in (*found.effects, *found.pairs)}
    return bool(found.reason) and verdicts <= {"undecided", "cannot be told"}


@pytest.fixture(scope="module")
def known():
    """u + v + u v over two of six parameters, each from -1 to 1, a little noise, 80 runs."""
    runs = planted.table(planted.scattered(80), 0.0)
    u, v = (2 * Axis.of(name, runs[name]).code(runs[name]) - 1 for name in ("style_weight", "tv_weight"))
    runs["style_reached"] = u + v + u * v + 0.02 * np.random.default_rng(0).standard_normal(80)
    return response(runs, STYLE_REACHED)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_names_the_two_that_act_and_that_they_act_together(seed):
    runs, acting = planted.two_act(seed)
    found = response(runs, STYLE_REACHED)
    assert named(found) == (set(acting), [set(acting)])
    assert found.reason == ""


@pytest.mark.slow
def test_it_does_so_for_at_least_95_of_100_seeds():
    right = 0
    for seed in range(100):
        runs, acting = planted.two_act(seed)
        right += named(response(runs, STYLE_REACHED)) == (set(acting), [set(acting)])
    assert right >= 95


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_of_noise_it_says_nothing(seed):
    assert says_nothing(response(planted.nothing_acts(seed), STYLE_REACHED))


@pytest.mark.slow
def test_of_noise_it_says_nothing_whatever_the_seed():
    assert sum(says_nothing(response(planted.nothing_acts(seed), STYLE_REACHED)) for seed in range(100, 150)) >= 49


def test_shares_are_those_of_the_analysis_of_variance(known):
    # Of u, v and u v: 1/3, 1/3 and 1/9.
    shares = {effect.parameter: effect for effect in known.effects}
    for name in ("style_weight", "tv_weight"):
        assert shares[name].total.value == pytest.approx(4 / 7, abs=0.02)
        assert shares[name].alone.value == pytest.approx(3 / 7, abs=0.02)
        assert shares[name].total.low < 4 / 7 < shares[name].total.high
    assert known.pairs[0].parameters == ("style_weight", "tv_weight")
    assert known.pairs[0].share.value == pytest.approx(1 / 7, abs=0.02)
    low, high = known.pairs[0].lines  # of u where v is -1, and where it is 1
    assert (low.at, high.at) == pytest.approx((1, 1000), rel=0.2)
    assert low.mean == pytest.approx(np.full(len(low.mean), -1), abs=0.1)
    assert high.mean == pytest.approx(1 + 2 * np.linspace(-1, 1, len(high.mean)), abs=0.1)
    others = [effect for name, effect in shares.items() if name not in ("style_weight", "tv_weight")]
    assert {effect.verdict for effect in others} == {"does not matter"}
    assert known.predicts > 0.99


def test_curves_are_the_means_along_an_axis(known):
    curve = next(effect.curve for effect in known.effects if effect.parameter == "style_weight")
    assert (curve.values[0], curve.values[-1]) == pytest.approx((1, 1000), rel=0.2)
    assert curve.mean == pytest.approx(np.linspace(-1, 1, len(curve.mean)), abs=0.06)
    assert all(low <= mean <= high for low, mean, high in zip(curve.low, curve.mean, curve.high, strict=True))


def test_a_run_left_out_is_predicted_as_by_a_model_without_it():
    from sklearn.gaussian_process import GaussianProcessRegressor

    runs, _ = planted.two_act(0, 40)
    space = Space.of(runs)
    places, values = space.code(runs), runs["style_reached"].to_numpy()
    twice = np.concatenate([places, places[:1]])  # one place has two runs, which are left out together
    model = Process(space, twice, np.append(values, values[0] + 0.1))
    missed = model.left_out()
    for group in ([0, 40], [1], [17], [39]):
        kept = np.setdiff1d(np.arange(41), group)
        others = GaussianProcessRegressor(model.regressor.kernel_, alpha=0.0, optimizer=None)
        others.fit(twice[kept], model.y[kept])
        assert missed[group] == pytest.approx(model.y[group] - others.predict(twice[group]), abs=1e-6)


def test_what_differs_between_pictures_alone_is_no_prediction():
    runs = planted.nothing_acts(0, 40)
    other = planted.nothing_acts(1, 40).assign(pair="c x d")
    both = pd.concat([runs, other.assign(style_reached=other["style_reached"] + 100)])
    assert says_nothing(response(both.reset_index(drop=True), STYLE_REACHED))


def test_a_star_tells_what_acts_but_of_no_two():
    found = response(planted.star(), STYLE_REACHED)
    assert named(found) == ({"style_weight", "tv_weight"}, [])
    assert {pair.verdict for pair in found.pairs} == {"cannot be told"}
    assert all(pair.share is None and pair.runs == 0 for pair in found.pairs)
    # The others are at the default, 0.5: the curve goes through the runs.
    curve = next(effect.curve for effect in found.effects if effect.parameter == "style_weight")
    assert curve.mean == pytest.approx(np.linspace(0, 1, len(curve.mean)) - 0.125, abs=0.03)


def test_a_star_of_two_pictures_tells_whether_these_agree():
    runs = planted.star(pairs=("a x b", "c x d"))
    turned = runs["pair"].eq("c x d")
    place = np.log10(runs["style_weight"]) / 3
    runs.loc[turned, "style_reached"] -= 2 * place[turned]  # what helps one picture harms the other
    found = response(runs, STYLE_REACHED)
    assert named(found)[1] == [{"style_weight", "pair"}]
    told = {pair.parameters: pair.verdict for pair in found.pairs}
    assert told["tv_weight", "pair"] == "do not act together"
    assert told["style_weight", "tv_weight"] == "cannot be told"


def test_words_act_as_well():
    runs = planted.table(planted.scattered(40), 0.0)
    runs["pooling"] = ["max", "avg"] * 20
    runs["style_reached"] = runs["pooling"].eq("max") + 0.05 * np.random.default_rng(0).standard_normal(40)
    found = response(runs, STYLE_REACHED)
    assert named(found) == ({"pooling"}, [])
    assert found.effects[0].curve.values == ("max", "avg")
    assert found.effects[0].curve.mean == pytest.approx([1, 0], abs=0.05)


def test_of_many_words_each_counts():
    random = np.random.default_rng(0)
    means = random.standard_normal(16)
    runs = planted.table(planted.scattered(64), 0.0)
    words = np.tile(np.arange(16), 4)
    runs["style_layers"] = [f"relu{word}_1+relu5_1" for word in words]
    runs["style_reached"] = means[words] + 0.05 * random.standard_normal(64)
    found = response(runs, STYLE_REACHED)
    assert named(found) == ({"style_layers"}, [])
    assert found.effects[0].alone.value > 0.95
    assert found.effects[0].curve.mean == pytest.approx(means, abs=0.2)


def test_equal_tables_give_equal_numbers():
    runs, _ = planted.two_act(5, 30)
    assert response(runs, STYLE_REACHED) == response(runs, STYLE_REACHED)


def test_only_measured_runs_that_went_well_count_and_each_once():
    runs, _ = planted.two_act(0, 40)
    worse = runs.assign(run_id=runs["run_id"] + "w", status="diverged", style_reached=1e6)
    gone = runs.assign(run_id=runs["run_id"] + "g", style_reached=np.nan)
    (found,) = responses(pd.concat([runs, runs, worse, gone], ignore_index=True), [STYLE_REACHED])
    assert found == response(runs, STYLE_REACHED)
    assert found.runs == 40


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        (planted.two_act(0, 5)[0], "5 runs are too few"),
        (planted.table(np.full((9, 6), 0.5), 0.5), "no parameter varies"),
        (planted.table(planted.scattered(20), 0.5), "the same in all runs"),
        (planted.two_act(0, 8)[0].iloc[:0], "0 runs are too few"),
    ],
)
def test_without_a_model_it_says_why(runs, reason):
    found = response(runs, STYLE_REACHED)
    assert reason in found.reason
    assert found.predicts is None
    assert says_nothing(found)


def test_of_many_runs_some_are_used(monkeypatch):
    monkeypatch.setattr(module, "USED", 50)
    monkeypatch.setattr(process, "FITTED", 40)
    runs, acting = planted.two_act(0, 200)
    found = response(runs, STYLE_REACHED)
    assert found.runs == 50
    assert named(found)[0] == set(acting)


def test_only_runs_that_differ_in_both_tell_of_two_together():
    grid = np.array([[a, b] for a in (0, 0.5, 1) for b in (0, 1)], float)
    assert varying_both(grid, 0, 1) == 2
    assert varying_both(np.array([[0, 0], [0, 0], [1, 0], [0, 1]], float), 0, 1) == 0
