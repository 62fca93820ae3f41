"""What is recommended of a study, and what is said of it."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from styletransfer.analysis import verdict
from styletransfer.analysis.response import responses
from styletransfer.reports import verdict as report
from styletransfer.results import responses as results

PAIRS = [{"content": "a", "styles": ["b"]}, {"content": "c", "styles": ["d"]}]
share = st.floats(-0.2, 1.2, allow_nan=False)


def table(rows):
    """rows: (pair, style_weight, style_reached, content_kept), and more columns by name."""
    runs = [
        {"study": "s", "pair": pair, "style_weight": weight, "style_reached": reached, "content_kept": kept, **more}
        for pair, weight, reached, kept, more in ((*row[:4], row[4] if len(row) > 4 else {}) for row in rows)
    ]
    runs = pd.DataFrame(runs).assign(status="ok", seed=1, parameter="")
    runs["run_id"] = [f"run-{place:012}" for place in range(len(runs))]
    runs["is_default"] = runs["style_weight"] == 10
    return runs


def found(runs):
    return {one.aim.name: one for one in verdict.recommended(runs)}


def test_each_aim_has_the_setting_with_the_highest_weighted_harmonic_mean():
    runs = table([("p", 1, 0.3, 0.8), ("p", 10, 0.6, 0.6), ("p", 100, 0.9, 0.4), ("p", 1000, 0.95, 0.05)])
    aims = found(runs)
    assert {aim: one.settings for aim, one in aims.items()} == {
        "more content": {"style_weight": 1},
        "balanced": {},
        "more style": {"style_weight": 100},
    }
    assert aims["more content"].score == pytest.approx(3 / (2 / 0.8 + 1 / 0.3))
    assert aims["more style"].score == pytest.approx(3 / (2 / 0.9 + 1 / 0.4))
    assert aims["balanced"].score == pytest.approx(0.6)
    assert aims["balanced"].runs == {"p": "run-000000000001"}
    assert [one.compared for one in aims.values()] == [1, 4, 2]
    assert not any(one.alike for one in aims.values())


def test_a_sentence_tells_which_settings_competed():
    rows = [("a x b", 1, 0.14, 0.37), ("a x b", 10, 0.27, 0.32), ("a x b", 100, 0.28, 0.3), ("a x b", 1000, 0.29, 0.28)]
    more_content, balanced = (one["text"] for one in report.content(table(rows), [], PAIRS)["settings"][:2])
    assert more_content.endswith("; the only one of the settings with more content than the balanced one.")
    assert balanced.endswith("; the best of 4 settings if content and style count alike.")


@given(st.lists(st.tuples(share, share), min_size=1, max_size=12))
def test_recommended_settings_lie_in_the_order_of_their_aims_and_none_is_beaten(numbers):
    runs = table([("p", 10.0 + place, *both) for place, both in enumerate(numbers)])
    told = verdict.recommended(runs)
    aims = found(runs)
    assert "balanced" in aims
    kept = [one.reached["content_kept"] for one in told]
    middle = aims["balanced"].reached
    if "more content" in aims:
        assert aims["more content"].reached["content_kept"] > middle["content_kept"] == pytest.approx(kept[1])
    if "more style" in aims:
        assert aims["more style"].reached["style_reached"] > middle["style_reached"]
    for reached, kept_too in numbers:
        if min(reached, kept_too, *middle.values()) > 0:
            assert not (reached > middle["style_reached"] and kept_too > middle["content_kept"])


def test_a_setting_counts_by_its_means_over_all_pairs_and_repeats():
    runs = table(
        [
            ("p", 10, 0.5, 0.5),
            ("q", 10, 0.7, 0.3, {"seed": 1}),
            ("q", 10, 0.9, 0.1, {"seed": 2}),
            ("p", 20, 0.9, 0.9),  # not in q
        ]
    )
    runs["seed"] = [1, 1, 2, 1]
    (only,) = verdict.recommended(runs)
    assert only.reached == pytest.approx({"style_reached": 0.65, "content_kept": 0.35})
    assert only.runs == {"p": "run-000000000000", "q": "run-000000000001"}
    assert only.compared == 1


def test_what_diverged_or_was_not_measured_is_not_recommended():
    runs = table([("p", 10, 0.9, 0.9), ("p", 20, 0.5, 0.5), ("p", 30, np.nan, 0.9)])
    runs.loc[0, "status"] = "diverged"
    assert [one.runs for one in verdict.recommended(runs)] == [{"p": "run-000000000001"}]
    assert verdict.recommended(runs.assign(status="diverged")) == []


def test_settings_whose_bars_touch_in_both_numbers_are_no_different():
    bars = {"style_reached_bar": 0.05, "content_kept_bar": 0.05}
    runs = table([("p", 10, 0.5, 0.5, bars), ("p", 20, 0.58, 0.42, bars), ("p", 30, 0.7, 0.3, bars)])
    balanced = found(runs)["balanced"]
    assert balanced.alike == ({"style_weight": 20},)
    assert balanced.bars == {"style_reached": 0.05, "content_kept": 0.05}
    without = found(runs.drop(columns=list(bars)))["balanced"]
    assert without.alike == ()
    assert without.bars == {"style_reached": None, "content_kept": None}


def test_what_is_as_good_by_the_numbers_is_named_the_best_first():
    runs = table([("p", 10, 0.5, 0.5), ("p", 20, 0.493, 0.493), ("p", 30, 0.497, 0.497), ("p", 40, 0.45, 0.5)])
    assert found(runs)["balanced"].alike == ({"style_weight": 30}, {"style_weight": 20})


def test_a_setting_that_another_beats_in_a_pair_says_so():
    rows = [("p", 10, 0.5, 0.5), ("p", 20, 0.4, 0.4), ("p", 30, 0.9, 0.1)]
    rows += [("q", 10, 0.8, 0.4), ("q", 20, 0.85, 0.45), ("q", 30, 0.9, 0.1)]
    balanced = found(table(rows))["balanced"]
    assert balanced.settings == {}
    assert balanced.of_pairs["q"] == {"style_reached": 0.8, "content_kept": 0.4}
    assert balanced.beaten == {"q": {"style_weight": 20}}


def test_notes_tell_of_noise_of_the_default_and_of_what_to_run_next():
    bars = {"style_reached_bar": 0.0, "content_kept_bar": 0.0}
    rows = [("a x b", 10, 0.5, 0.5, bars), ("a x b", 20, 0.4, 0.6, bars)]
    without = report.content(table(rows).assign(parameter="style_weight"), [], PAIRS)["notes"]
    assert report.WITHOUT_NOISE in without and report.ONE_AT_A_TIME.format("") in without  # two tell no model anything
    many = [*rows, *(("a x b", weight, 0.3, 0.3, bars) for weight in range(30, 36))]
    notes = report.content(table(many).assign(parameter="style_weight"), [], PAIRS)["notes"]
    assert report.ONE_AT_A_TIME.format(report.PROPOSE) in notes
    assert any(note.startswith("The default is style weight 10;") for note in without)
    scattered = report.content(table([row[:4] for row in rows]), [], PAIRS)["notes"]
    assert report.NO_NOISE in scattered and report.ONE_AT_A_TIME.format("") not in scattered


def planted():
    """A grid of two parameters over two pairs: style by one, content by the other."""
    random = np.random.default_rng(0)
    rows = []
    for pair in ("a x b", "c x d"):
        for weight in (1, 10, 100, 1000):
            for tv in (1, 10, 100, 1000):
                reached = 0.2 + 0.2 * np.log10(weight) + 0.003 * random.standard_normal()
                kept = 0.9 - 0.2 * np.log10(tv) + 0.003 * random.standard_normal()
                rows.append((pair, weight, reached, kept, {"tv_weight": tv}))
    return table(rows)


@pytest.fixture(scope="module")
def measures(tmp_path_factory):
    path = tmp_path_factory.mktemp("response") / "response.json"
    results.write(path, "s", responses(planted()))
    return results.read(path)


def test_the_report_says_what_matters_and_each_number_is_that_of_the_table(measures):
    runs = planted()
    told = report.content(runs, measures, PAIRS)
    matter = {(one["measure"], effect["parameter"]) for one in told["measures"] for effect in matters(one)}
    assert matter == {("style_reached", "style_weight"), ("content_kept", "tv_weight")}
    text = report.markdown(told)
    for one in told["measures"]:
        assert one["runs"] == 32
        assert all(sentence in text for sentence in one["sentences"])
        (effect,) = matters(one)
        assert effect["total"]["low"] <= effect["total"]["value"] <= effect["total"]["high"]
    for setting in told["settings"]:
        own = runs[runs["run_id"].isin(setting["runs"].values())]
        assert dict(zip(own["pair"], own["run_id"], strict=True)) == setting["runs"]
        reached, kept = own[["style_reached", "content_kept"]].mean()
        assert setting["text"].startswith(f"style reached {reached:.2f}, content kept {kept:.2f}, means over 2 pairs")
        for words in (setting["text"], setting["final"], *setting["runs"].values()):
            assert words in text


def matters(measure):
    return [effect for effect in measure["effects"] if effect["verdict"] == "matters"]


def test_the_report_says_undecided_where_it_is(tmp_path):
    runs = table([("a x b", 10, np.nan, np.nan)])
    results.write(tmp_path / "response.json", "s", responses(runs))
    told = report.content(runs, results.read(tmp_path / "response.json"), PAIRS)
    assert told["settings"] == []
    assert told["notes"][0].startswith("Undecided")
    assert all(one["sentences"][0].startswith("Undecided") for one in told["measures"])
    json.dumps(told, allow_nan=False)


def test_the_page_shows_what_is_there(tmp_path, measures):
    runs = planted()
    told = report.content(runs, measures, PAIRS)
    pool = tmp_path / "runs"
    for run in {run for setting in told["settings"] for run in setting["runs"].values()}:
        (pool / run).mkdir(parents=True)
        Image.new("RGB", (48, 32), "teal").save(pool / run / "image.png")
    Image.new("RGB", (48, 32), "gold").save(tmp_path / "a.png")
    files = {name: tmp_path / f"{name}.png" for name in "abcd"}  # all but one are gone
    report.write(tmp_path / "verdict", told, files, pool, preserve_colors=True)
    page = (tmp_path / "verdict/index.html").read_text()
    assert page.count("data:image/avif") == 2 + len(told["settings"]) * 2  # the content is also lent its colours
    assert 'data-colors="content"' in page
    for setting in told["settings"]:
        assert setting["title"] in page
    assert json.loads((tmp_path / "verdict/verdict.json").read_text())["settings"] == told["settings"]
    assert (tmp_path / "verdict/verdict.md").read_text() == report.markdown(told)
