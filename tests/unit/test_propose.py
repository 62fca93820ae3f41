"""What to run next: the models of measures and of preferences, what they expect, and the config that is written."""

import importlib.util
import itertools
import json

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import WhiteKernel

from helpers.studies import ROOT, config
from styletransfer.analysis import posterior, preference, propose
from styletransfer.errors import InputError
from styletransfer.results import choices, proposal, tables
from styletransfer.results.choices import Choice
from styletransfer.study.config import load
from styletransfer.study.expand import expand

RNG = np.random.default_rng(1)
PLACES = RNG.random((12, 3))
VALUES = np.sin(4 * PLACES).sum(axis=1) + RNG.normal(0, 0.05, 12)
CHOICES = np.array([(0, 1), (2, 1), (0, 2), (3, 0), (1, 3), (0, 3)])
SHARES = np.array([1, 1, 0.5, 1, 1, 0.5])


def test_a_regression_predicts_as_scikit_learn_does():
    model = posterior.regression(PLACES, VALUES)
    noise = 1 / model.precision[0, 0]
    theirs = GaussianProcessRegressor(model.kernel + WhiteKernel(noise), optimizer=None)
    theirs.fit(PLACES, (VALUES - VALUES.mean()) / VALUES.std())
    elsewhere = RNG.random((50, 3))
    mean, deviation = theirs.predict(elsewhere, return_std=True)
    found = model.predict(elsewhere)
    np.testing.assert_allclose(found[0], VALUES.mean() + VALUES.std() * mean, atol=1e-5)
    np.testing.assert_allclose(found[1], VALUES.std() * np.sqrt(deviation**2 - noise), atol=1e-4)


def test_what_is_believed_moves_no_mean_and_leaves_no_doubt_there():
    model, place, elsewhere = posterior.regression(PLACES, VALUES), np.full(3, 0.4), RNG.random((50, 3))
    after = model.believing(place)
    before = model.predict(elsewhere)
    np.testing.assert_allclose(after.predict(elsewhere)[0], before[0], atol=1e-4)
    assert (after.predict(elsewhere)[1] <= before[1] + 1e-9).all()
    assert after.predict(place[np.newaxis])[1] < 0.01 * model.predict(place[np.newaxis])[1]


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4))
def test_derivatives_of_choices_are_those_of_finite_differences(values):
    values, step = np.array(values), 1e-5

    def of(values):
        return preference.likelihood(values, CHOICES, SHARES)

    log, gradient, precision = of(values)
    gaps = (values[CHOICES[:, 0]] - values[CHOICES[:, 1]]) / np.sqrt(2)
    assert log == pytest.approx((SHARES * norm.logcdf(gaps)).sum())
    for axis, move in enumerate(step * np.eye(4)):
        high, low = of(values + move), of(values - move)
        assert gradient[axis] == pytest.approx((high[0] - low[0]) / (2 * step), abs=1e-5)
        np.testing.assert_allclose(precision[axis], (low[1] - high[1]) / (2 * step), atol=1e-5)
    assert np.linalg.eigvalsh(precision).min() > -1e-12


def test_the_likeliest_values_are_those_that_scipy_finds():
    prior = posterior.kernel(3)(PLACES[:4]) + 1e-8 * np.eye(4)
    inverse = np.linalg.inv(prior)

    def cost(values):
        return 0.5 * values @ inverse @ values - preference.likelihood(values, CHOICES, SHARES)[0]

    values, precision, evidence, _ = preference.likeliest(prior, CHOICES, SHARES)
    theirs = scipy.optimize.minimize(cost, np.zeros(4), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12})
    np.testing.assert_allclose(values, theirs.x, atol=1e-4)
    whole = -theirs.fun - 0.5 * np.linalg.slogdet(np.eye(4) + prior @ precision)[1]
    assert evidence == pytest.approx(whole, abs=1e-6)


def test_the_model_of_preferences_agrees_with_quadrature():
    """Three settings, six choices: the exact mean and evidence by a sum over a fine grid of their values."""
    pairs, shares = np.array([(0, 1), (0, 1), (1, 2), (0, 2), (2, 1), (0, 2)]), np.ones(6)
    prior = posterior.kernel(3)(PLACES[:3]) + 1e-8 * np.eye(3)
    axis = np.linspace(-6, 6, 81) * np.sqrt(prior[0, 0])
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    gaps = (grid[:, pairs[:, 0]] - grid[:, pairs[:, 1]]) / np.sqrt(2)
    density = np.exp(-0.5 * ((grid @ np.linalg.inv(prior)) * grid).sum(axis=1))
    weights = density * norm.cdf(gaps).prod(axis=1)
    mean = weights @ grid / weights.sum()
    exact = np.log(weights.sum() / density.sum())
    values, precision, evidence, _ = preference.likeliest(prior, pairs, shares)
    np.testing.assert_allclose(values - values.mean(), mean - mean.mean(), atol=0.1)
    assert evidence == pytest.approx(exact, abs=0.15)
    second = (weights @ (grid - mean) ** 2) / weights.sum()
    model = posterior.Posterior(posterior.kernel(3), PLACES[:3], values, precision)
    np.testing.assert_allclose(model.predict(PLACES[:3])[1], np.sqrt(second), rtol=0.15)


def test_preferences_order_settings_as_they_were_chosen():
    order = np.argsort(-VALUES)
    pairs = [(better, worse, 1.0) for better, worse in itertools.combinations(order, 2)]
    model = preference.preferences(PLACES, pairs)
    assert (np.argsort(-model.predict(PLACES)[0]) == order).mean() > 0.8
    again = preference.preferences(PLACES, pairs)
    np.testing.assert_array_equal(model.mode, again.mode)


@given(
    st.lists(st.tuples(st.integers(-2, 9), st.integers(-2, 9)), min_size=1, max_size=9),
)
def test_the_area_below_a_front_is_what_its_points_cover(points):
    points = np.array(points, float)
    cells = itertools.product(range(9), range(9))
    covered = sum(((points[:, 0] > x) & (points[:, 1] > y)).any() for x, y in cells)
    assert propose.area(points, np.zeros(2)) == covered


@pytest.mark.parametrize("count", [0, 1, 6])
def test_the_expected_growth_of_a_front_is_that_of_a_simulation(count):
    rng, least = np.random.default_rng(count), np.array([-0.2, 0.1])
    points, means, deviations = rng.random((count, 2)), rng.random((4, 2)), rng.uniform(0.05, 0.5, (4, 2))
    found = propose.front_growth(means, deviations, points, least)
    for mean, deviation, growth in zip(means, deviations, found, strict=True):
        drawn = rng.normal(mean, deviation, (4000, 2))
        grown = np.array([propose.area(np.vstack([points, one]), least) for one in drawn]) - propose.area(points, least)
        assert abs(grown.mean() - growth) < 5 * grown.std() / np.sqrt(len(drawn))


def test_a_batch_is_new_and_always_the_same():
    model = posterior.regression(PLACES, VALUES)
    taken = set()

    def found():
        places = propose.batch(
            [model],
            propose.improvement,
            lambda places: places.round(1),
            lambda place: place[0] > 0.35 and tuple(place) not in taken,
            4,
        )
        return list(map(tuple, places))

    first = found()
    assert len(set(first)) == 4
    assert all(place[0] > 0.35 for place in first)
    assert found() == first
    taken |= set(first)
    assert not set(found()) & set(first)
    taken |= {tuple(np.round(place, 1)) for place in itertools.product(np.arange(11) / 10, repeat=3)}
    assert found() == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "seed"), [("one", 1), ("aims", 2), ("choices", 5)])
def test_proposals_come_near_the_optimum_where_a_star_does_not(kind, seed):
    """All 100 seeds: tests/proposals/campaign.py."""
    spec = importlib.util.spec_from_file_location("campaign", ROOT / "tests/proposals/campaign.py")
    campaign = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(campaign)
    first, then, star = campaign.KINDS[kind](seed)
    assert max(first, star) < campaign.CLOSE <= then


VARY = {
    "style_weight": {"log_range": [20, 20_000]},
    "content_weight_blend": {"range": [0, 1]},
    "iterations": {"range": [20, 60]},
    "pooling": ["max", "avg"],
    "style_layers": ["relu1_1+relu2_1", "relu3_1+relu4_1=0.5"],
}


def studied(count=24, **changes):
    """A study, and its table as if all had run, with numbers made up."""
    study = expand(config(**{"design": "sobol", "runs_total": count, "vary": VARY, **changes}))
    rows = []
    for row in study.rows:
        weight = np.log10(row.settings.style_weight)
        reached = 1 - np.exp(-weight / 2) + 0.1 * (row.settings.pooling == "avg")
        kept = 0.3 + 0.1 * row.settings.content_weight_blend - 0.05 * weight
        made = {"pair": row.pair, "run_id": row.run_id, "style_reached": reached, "content_kept": kept}
        rows.append(made | tables._identity("ok", "", row.settings.values()))
    return study, pd.DataFrame(rows)


def test_what_is_proposed_is_a_config_that_runs_new_settings_and_keeps_the_others(tmp_path):
    study, runs = studied()
    found = proposal.proposals(study, runs, None, 3, tmp_path)
    assert found == proposal.proposals(study, runs, None, 3, tmp_path)
    assert len(found) == 3
    for one in found:
        assert one.changes.keys() == VARY.keys()
        assert 20 <= one.changes["style_weight"] <= 20_000
        assert isinstance(one.changes["iterations"], int)
        assert float(f"{one.changes['content_weight_blend']:.4g}") == one.changes["content_weight_blend"]
        assert one.expected.startswith("style reached ")
    text = proposal.config_text(study, found, list(runs["run_id"]), {"device": "cpu"}, "by a test")
    (tmp_path / "next.yaml").write_text(text)
    written = load(yaml.safe_load(text))
    assert (written["study"], written["device"]) == ("cloudheat-2018-2", "cpu")
    following = expand(written)
    new = set(following.runs) - set(study.runs)
    assert len(new) == 3
    assert set(study.runs) <= set(following.runs)
    # And so on: what is planned is not proposed again.
    _, more = studied()
    assert not {repr(one.changes) for one in found} & {
        repr(one.changes) for one in proposal.proposals(following, more, None, 3, tmp_path)
    }


def test_what_finished_elsewhere_is_not_proposed(tmp_path, monkeypatch):
    study, runs = studied()
    (first, *_) = proposal.proposals(study, runs, None, 1, tmp_path)
    _, new = expand_with(study, first.changes)
    monkeypatch.setattr(proposal, "find_record", lambda path, run_id: run_id in new or None)
    assert first.changes != proposal.proposals(study, runs, None, 1, tmp_path)[0].changes


def expand_with(study, changes):
    text = proposal.config_text(study, [proposal.Proposed(changes, "")], list(study.runs), {}, "by a test")
    following = expand(load(yaml.safe_load(text)))
    return following, set(following.runs) - set(study.runs)


def likes(runs, count=60):
    """Choices of someone who likes high style weights, best with average pooling."""
    rng, worth = np.random.default_rng(1), np.log10(runs["style_weight"]) + (runs["pooling"] == "avg")
    found = []
    for _ in range(count):
        left, right = rng.choice(len(runs), 2, replace=False)
        chosen = "left" if worth[left] > worth[right] else "right"
        found.append(Choice(runs["run_id"][left], runs["run_id"][right], chosen))
    return found


def test_preferences_lead_to_what_is_liked(tmp_path):
    study, runs = studied()
    told = likes(runs)
    found = proposal.proposals(study, runs, told, 4, tmp_path)
    assert np.median([one.changes["style_weight"] for one in found]) > 3000
    assert [one.changes["pooling"] for one in found].count("avg") >= 3
    assert all(one.expected.startswith("chosen ") for one in found)
    unknown = [Choice("nobody", runs["run_id"][0], "left"), Choice(*runs["run_id"][:2], "skip")]
    assert proposal.proposals(study, runs, [*told, *unknown], 4, tmp_path) == found
    with pytest.raises(InputError, match=r"0 of 2 choices are between finished runs of this study.*takes 8"):
        proposal.proposals(study, runs, unknown, 4, tmp_path)
    with pytest.raises(InputError, match=r"0 of 0 choices"):
        proposal.proposals(study, runs, [], 4, tmp_path)


def test_equal_pictures_count_half_for_each(tmp_path, monkeypatch):
    study, runs = studied()
    seen = []
    real = preference.preferences
    monkeypatch.setattr(preference, "preferences", lambda places, told: seen.append(told) or real(places, told))
    ids = runs["run_id"]
    told = [Choice(ids[place], ids[place + 1], "equal") for place in range(8)]
    proposal.proposals(study, runs, told, 1, tmp_path)
    assert seen == [[(place + move, place + 1 - move, 0.5) for place in range(8) for move in (0, 1)]]


def test_pairs_and_seeds_of_a_setting_count_together_and_what_diverged_is_the_worst():
    pairs = [{"content": "photograph", "styles": ["artwork"]}, {"content": "artwork", "styles": ["photograph"]}]
    study, runs = studied(8, pairs=pairs)
    runs["style_reached"] = np.arange(16) / 16
    runs.loc[3, "status"] = "diverged"
    _, settings = proposal.tried(study, runs)
    expected = np.array([(place + place + 8) / 32 for place in range(8)])
    expected[3] = (0 + 11 / 16) / 2
    np.testing.assert_allclose(settings["style_reached"], expected)
    with pytest.raises(InputError, match="has 7 finished settings, too few"):
        proposal.tried(study, runs.drop(index=2))


def test_lists_for_each_style_and_words_come_back_as_they_were(tmp_path):
    pairs = [{"content": "photograph", "styles": ["artwork", "photograph"]}]
    vary = {"style_scales": [[0.5, 1], [1, 0.5], [2, 2]], "tv_weight": [1, 10, 100]}
    study, runs = studied(design="grid", runs_total=None, vary=vary, pairs=pairs)
    (one,) = proposal.proposals(study, runs, None, 1, tmp_path)
    assert one.changes["style_scales"] in ([0.5, 1], [1, 0.5], 2)
    assert len(expand_with(study, one.changes)[1]) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda runs: runs[:7], "has 7 finished settings, too few to tell what to run next: it takes 8"),
        (lambda runs: runs[:1], "has no finished runs that differ in a parameter"),
        (lambda runs: runs.assign(style_reached=np.nan), "0 settings are measured, too few"),
        (lambda runs: runs.assign(status="failed"), "has no finished runs that differ in a parameter"),
    ],
)
def test_too_little_is_told(change, message, tmp_path):
    study, runs = studied()
    with pytest.raises(InputError, match=message):
        proposal.proposals(study, change(runs), None, 3, tmp_path)


def test_where_all_was_tried_there_is_nothing_to_propose(tmp_path):
    vary = {"iterations": [1, 2, 3], "pooling": ["max", "avg"], "precision": ["float32", "auto"]}
    study, runs = studied(design="grid", runs_total=None, vary=vary)
    with pytest.raises(InputError, match="there is no setting between those tried that was not"):
        proposal.proposals(study, runs, None, 3, tmp_path)


@given(st.text("abc-0123456789", min_size=1, max_size=80))
def test_the_name_of_the_next_study_is_another_one_of_at_most_80_characters(name):
    after = proposal.next_name(name)
    assert after != name
    assert len(after) <= 80
    assert int(after.rpartition("-")[2]) >= 2


def test_names_are_numbered():
    assert [proposal.next_name(name) for name in ("cat", "cat-2", "cat-9", "of-2018")] == [
        "cat-2",
        "cat-3",
        "cat-10",
        "of-2018-2",
    ]


CONTENT = {"format": "styletransfer-choices", "version": 1, "study": "s"}
ONE = {"left": "a", "right": "b", "chosen": "equal", "rater": "me", "at": "2026-01-01T00:00:00Z"}


def test_choices_of_several_people_are_read_and_each_counts_once(tmp_path):
    for name, found in (("a", [ONE, ONE | {"chosen": "left"}]), ("b", [ONE, ONE | {"rater": "you"}])):
        (tmp_path / name).write_text(json.dumps(CONTENT | {"choices": found}))
    assert choices.read([tmp_path / "a", tmp_path / "b"]) == [
        Choice("a", "b", "equal"),
        Choice("a", "b", "left"),
        Choice("a", "b", "equal"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps(CONTENT),
        json.dumps(CONTENT | {"choices": 3}),
        json.dumps(CONTENT | {"choices": [3]}),
        json.dumps(CONTENT | {"choices": [{"left": "a"}]}),
        json.dumps(CONTENT | {"choices": [ONE | {"chosen": "both"}]}),
        json.dumps(CONTENT | {"choices": [], "version": 2}),
        "[" * 100_000,
        "\udcff",
    ],
)
def test_what_holds_no_choices_is_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match="holds no choices"):
        choices.read([tmp_path / "a"])
