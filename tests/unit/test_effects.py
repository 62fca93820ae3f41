"""Which runs compare, which are on the front, and that every kind of study can be drawn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection

from styletransfer.analysis import noise, pareto
from styletransfer.images.io import write_image
from styletransfer.optim.terms import LOSS_DEFINITION
from styletransfer.reports.figures import effects
from styletransfer.reports.figures.style import save


def table(content, style, **columns):
    """Runs with these losses; what is kept and reached is the less, the higher they are."""
    count = len(content)
    made = {
        "study": "s",
        "pair": "a x b",
        "parameter": "style_weight",
        "label": [str(number) for number in range(count)],
        "run_id": [f"run{number}" for number in range(count)],
        "is_default": [number == 0 for number in range(count)],
        "status": "ok",
        "style_weight": np.geomspace(1, 100, count),
        "tv_weight": np.linspace(0, 200, count),
        "best_content_unweighted": content,
        "best_style_unweighted": style,
        "best_tv_unweighted": 1.0,
        "content_kept": 1 - np.asarray(content, float) / 10,
        "style_reached": 1 - np.asarray(style, float) / 10,
        **dict.fromkeys(LOSS_DEFINITION, 1),
    }
    return pareto.with_columns(pd.DataFrame(made | columns))


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=20))
def test_no_run_beats_one_on_the_front(points):
    runs = table(*map(list, zip(*points, strict=True)))
    best = runs[runs["pareto_front"]]
    kept = list(zip(best["best_content_unweighted"], best["best_style_unweighted"], strict=True))
    for x, y in points:
        beaten = any(a <= x and b <= y and (a, b) != (x, y) for a, b in points)
        assert ((x, y) in kept) != beaten
    assert len(kept) == len(set(kept))


def test_losses_of_other_pictures_and_measures_do_not_compare_and_every_label_of_a_run_is_on_the_front():
    runs = table([1, 2, 3], [1, 2, 3], style_scales=["1", "1", "2"], status=["ok", "diverged", "ok"])
    assert runs["comparable_group"].tolist() == [0, 0, 1]
    assert runs["pareto_front"].tolist() == [True, False, False], "the ruler compares over all settings"
    runs = table([1, 2, 1, np.nan], [1, 2, 1, 1], pair=["a", "b", "a", "a"], run_id=["r", "s", "r", "t"])
    assert runs["comparable_group"].tolist() == [0, 1, 0, 0]
    assert runs["pareto_front"].tolist() == [True, True, True, False]


@pytest.fixture
def pool(tmp_path):
    for name in ("run0", "run1", "run2", "x", "y", "z", *(f"{letter}{n}" for letter in "rs" for n in range(80))):
        write_image(tmp_path / "pool" / name / "image.png", np.full((20, 30, 3), 99, np.uint8))
    return tmp_path / "pool"


@pytest.mark.parametrize("parameter", ["style_weight", ""], ids=["star", "grid"])
@pytest.mark.parametrize("draw", [effects.pareto, lambda runs, _: effects.parameter_effects(runs)])
@pytest.mark.filterwarnings("error")
def test_every_kind_of_study_is_drawn(draw, parameter, tmp_path, pool):
    one = table([5, 2, np.nan], [1, 4, 3], parameter=parameter, status=["ok", "ok", "diverged"], pooling="max")
    runs = pareto.with_columns(pd.concat([one, one.assign(pair="a x c", run_id=["x", "y", "z"])], ignore_index=True))
    save(draw(runs, pool), [tmp_path / "figure.pdf"])
    assert b"FontFile2" in (tmp_path / "figure.pdf").read_bytes(), "a font is not embedded"


@pytest.mark.filterwarnings("error")
def test_a_study_that_varies_nothing_is_drawn(tmp_path, pool):
    runs = table([3], [4], parameter="")
    for figure in (effects.pareto(runs, pool), effects.parameter_effects(runs)):
        save(figure, [tmp_path / "figure.png"])


def words_of(figure):
    """All that is written in a figure but the ticks."""
    texts = [text.get_text() for axis in figure.axes for text in axis.texts]
    return [text.get_text() for text in figure.texts] + texts


def test_a_figure_with_nothing_to_show_says_why():
    one = effects.parameter_effects(table([3], [4], parameter="", style_weight=1, tv_weight=1))
    assert words_of(one) == ["s\none run: nothing is varied"]
    gone = effects.pareto(table([3], [4], parameter="").assign(style_reached=np.nan), None)
    assert words_of(gone) == ["s\nnothing is measured: pictures or weights were gone"]
    pairs = table([3, 5], [4, 2], pair=["a", "b"], parameter="", style_weight=1, tv_weight=1)
    assert words_of(effects.parameter_effects(pairs)) == ["s\nno parameter is varied, only pictures are"]


@pytest.mark.filterwarnings("error")
def test_a_study_of_words_has_a_place_for_each(tmp_path):
    kinds = ["max", "avg", "max"]
    runs = table(
        [5, 2, 3], [1, 4, 3], parameter="", style_weight=1, tv_weight=1, pooling=kinds, optimizer=["a", "b", "c"]
    )
    figure = effects.parameter_effects(runs)
    save(figure, [tmp_path / "figure.png"])
    assert [axis.get_title(loc="left") for axis in figure.axes[:2]] == ["optimizer", "pooling"]
    _, pooling = figure.axes[4:6]  # the row of content losses
    # Ticks belong to the axis at the foot of a column.
    labels = [[label.get_text() for label in axis.get_xticklabels()] for axis in figure.axes[-2:]]
    assert labels == [["a", "b", "c"], ["max", "avg"]]
    assert pooling.lines[0].get_xydata().tolist() == [[0, 5], [1, 2], [0, 3]]
    assert pooling.lines[1].get_xydata().tolist() == [[0, 4], [1, 2]]
    assert pooling.lines[1].get_linestyle() == "None", "a line leads from a word to the next"


@pytest.mark.filterwarnings("error")
def test_losses_of_0_are_told_in_words(tmp_path):
    figure = effects.parameter_effects(table([0, 0, 0], [0, 0, 0], best_tv_unweighted=0.0))
    save(figure, [tmp_path / "figure.png"])
    assert words_of(figure).count("0 in every run: there is nothing to compare") == 6
    some = effects.parameter_effects(table([0, 1, 2], [1, 2, 3]))
    save(some, [tmp_path / "figure.png"])
    assert "1 of 3 values are 0, which has no place here" in words_of(some)


@pytest.mark.filterwarnings("error")
def test_the_front_shows_pictures_of_which_none_covers_another(tmp_path, pool):
    figure = effects.pareto(table([1, 1.01, 9], [9, 8.99, 1]), pool)
    save(figure, [tmp_path / "figure.png"])
    boxes = [box.get_window_extent() for box in figure.axes[0].artists]
    assert len(boxes) == 2, "of two points at one place one has its picture"
    assert not boxes[0].overlaps(boxes[1])


def with_repeats():
    """Three settings of two runs each, of which the last draws no noise and has one."""
    kept = pd.DataFrame(table([1, 2, 3, 1.5, 2.5], [5, 3, 1, 5.5, 3.5]))
    runs = kept.assign(
        repeat=[0, 0, 0, 1, 1],
        repeat_of=["run0", "run1", "run2", "run0", "run1"],
        label=["0", "1", "2", "0", "1"],
        style_weight=[1.0, 2.0, 3.0, 1.0, 2.0],
        seed=[0, 0, 0, 1, 1],
        tv_weight=1.0,
        is_default=[True, False, False, True, False],
        initial_noiseblend=[1.0, 1.0, 0.0, 1.0, 1.0],
        ssim=0.5,
        sharpness=0.5,
    ).drop(columns=["comparable_group", "pareto_front"])
    return pareto.with_columns(noise.with_columns(runs))


def bars_in(axis):
    """Each bar of an axis as its two ends."""
    lines = [bars for bars in axis.collections if isinstance(bars, LineCollection)]
    return [segment for bars in lines for segment in np.asarray(bars.get_segments()).tolist()]


@pytest.mark.filterwarnings("error")
def test_bars_go_through_the_means_of_repeats(tmp_path):
    runs = with_repeats()
    figure = effects.parameter_effects(runs)
    save(figure, [tmp_path / "figure.png"])
    assert "Bars: values whose bars do not touch" in figure.get_suptitle()
    column = [axis for axis in figure.axes if axis.get_title(loc="left")]
    assert [axis.get_title(loc="left") for axis in column] == ["style weight", "initial noiseblend"], "no seeds"
    means = noise.averaged(runs)
    ends = [
        [value - bar, value + bar]
        for value, bar in zip(means["style_reached"], means["style_reached_bar"], strict=True)
    ]
    drawn = bars_in(figure.axes[0])
    np.testing.assert_allclose([[low[1], high[1]] for low, high in drawn], ends)
    assert means["style_reached"].iloc[0] == pytest.approx(1 - (5 + 5.5) / 20)
    assert not bars_in(figure.axes[4]), "a loss has no bars"


@pytest.mark.filterwarnings("error")
def test_the_front_has_a_point_and_a_cross_for_each_setting(tmp_path):
    runs = with_repeats()
    for run_id in runs["run_id"]:
        write_image(tmp_path / run_id / "image.png", np.full((20, 30, 3), 99, np.uint8))
    figure = effects.pareto(runs, tmp_path)
    save(figure, [tmp_path / "figure.png"])
    (axis,) = figure.axes
    points = [
        tuple(point) for line in axis.lines if line.get_marker() not in ("None", "") for point in line.get_xydata()
    ]
    means = noise.averaged(runs)
    np.testing.assert_allclose(sorted(points), sorted(zip(means["content_kept"], means["style_reached"], strict=True)))
    assert len([segment for segment in bars_in(axis) if segment[0] != segment[1]]) == 4, "one setting has no noise"
    assert "Bars: values" in figure.get_suptitle()
    assert (
        "Bars"
        not in effects.pareto(
            runs[runs["repeat"] == 0].drop(columns=["style_reached_bar", "content_kept_bar"]), tmp_path
        ).get_suptitle()
    )


def test_the_front_goes_by_means_and_not_by_a_lucky_seed():
    runs = with_repeats()
    runs.loc[3, "style_reached"] = 5.0
    found = pareto.with_columns(runs.drop(columns=["comparable_group", "pareto_front"]))
    assert not found.loc[found["repeat"] > 0, "pareto_front"].any()
    assert found.loc[0, "pareto_front"], "the mean of both is the highest"


@pytest.mark.filterwarnings("error")
def test_more_pairs_than_panels_or_colors_are_told(tmp_path, pool):
    every = [
        table([5, 2], [1, 4], pair=f"pair{number:02}", run_id=[f"r{number}", f"s{number}"]) for number in range(80)
    ]
    runs = pareto.with_columns(pd.concat(every, ignore_index=True))
    front, against = effects.pareto(runs, pool), effects.parameter_effects(runs)
    assert "12 of 80 pairs, evenly chosen" in front.get_suptitle()
    titles = [axis.get_title(loc="left") for axis in front.axes if axis.get_title(loc="left")]
    assert [titles[0], titles[-1], len(titles)] == ["pair00", "pair79", 12]
    assert "7 of 80 pairs, evenly chosen" in against.get_suptitle()
    assert len(against.legends[0].get_texts()) == 7
    for figure in (front, against):
        save(figure, [tmp_path / "figure.png"])
        assert max(figure.get_size_inches()) < 27


def test_a_line_leads_through_the_values_of_a_star_and_through_groups_where_all_varies():
    values, rng = np.geomspace(1, 100, 60), np.random.default_rng(1)
    found = {}
    for parameter in ("style_weight", ""):
        runs = table(rng.uniform(1, 9, 60), values / 20, parameter=parameter, is_default=False)
        axis = effects.parameter_effects(runs).axes[0]
        assert axis.get_title(loc="left") == "style weight"
        found[parameter] = axis.lines[1]
        np.testing.assert_allclose(axis.lines[0].get_xdata(), values)
    np.testing.assert_allclose(found["style_weight"].get_xdata(), values)
    groups = np.median(values.reshape(6, 10), axis=1)
    np.testing.assert_allclose(found[""].get_xdata(), groups)
    np.testing.assert_allclose(found[""].get_ydata(), 1 - groups / 200)
