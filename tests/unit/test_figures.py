"""Figures show what they should: the chosen tiles, their labels, a colour for every value."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from styletransfer.analysis import noise
from styletransfer.errors import InputError
from styletransfer.images.color import finished
from styletransfer.images.io import read_image, write_image
from styletransfer.images.resize import resize
from styletransfer.reports.figures.contact_sheet import choose, contact_sheet
from styletransfer.reports.figures.loss_curves import loss_curves
from styletransfer.reports.figures.style import ACCENT, caption, fitted, log_ticks, save, shortened


def table(values, default=None, parameter="tv_weight"):
    return pd.DataFrame(
        {
            "study": "s",
            "pair": "a x b",
            "parameter": parameter,
            "value": [float(v) for v in values],
            "label": [f"{v:g}" for v in values],
            "is_default": [v == default for v in values],
            "run_id": [f"run{v:g}" for v in values],
            "status": "ok",
            "content": "a",
            "styles": "b",
            "tv_weight": 7.0,
            "width": 40,
            "height": 20,
            "iterations": 3,
            "weights": "vgg16-grown@1",
            "colors": "style",
        }
    )


@given(st.integers(2, 12), st.integers(1, 90), st.data())
def test_tiles_are_evenly_spaced_with_both_ends_and_the_default(columns, count, data):
    default = data.draw(st.integers(0, count - 1))
    chosen = choose(table(range(count), default), columns, None)["value"].tolist()
    assert chosen == sorted(chosen)
    assert len(chosen) == min(columns, count)
    assert default in chosen
    if columns > 2:
        assert {0, count - 1} <= set(chosen)
    for side in (chosen[: chosen.index(default) + 1], chosen[chosen.index(default) :]):
        gaps = np.diff(side)
        assert not len(gaps) or gaps.max() - gaps.min() <= 1


def test_pictures_in_the_contents_colors_are_made_where_they_are_shown(pool):
    rng = np.random.default_rng(1)
    runs, content = table([0, 5, 7, 1e9], default=5), rng.integers(0, 256, (30, 60, 3), np.uint8)
    runs.loc[2, "colors"] = "matched"
    for run_id in runs["run_id"]:
        write_image(pool / run_id / "image.png", rng.integers(0, 256, (20, 40, 3), np.uint8))
    write_image(pool / "a.png", content)
    pictures = {name: str(pool / f"{name}.png") for name in "ab"}

    def shown(preserve):
        axes = [axis for axis in contact_sheet(runs, pool, pictures, 5, {}, preserve).axes if axis.images]
        return {axis.get_title(): axis.images[0].get_array() for axis in axes}

    own, lent = shown(False), shown(True)
    for run_id, title in zip(runs["run_id"], ("0", "5 (default)", "7", "1e+09"), strict=True):
        image = read_image(pool / run_id / "image.png")
        view = finished(image, resize(content, 40, 20), "content")
        np.testing.assert_array_equal(own[title], image)
        np.testing.assert_array_equal(lent[title], image if title == "7" else view)
    np.testing.assert_array_equal(own["in the content's colours"], lent["5 (default)"])
    (pool / "a.png").unlink()
    np.testing.assert_array_equal(shown(True)["0"], own["0"])
    assert "in the content's colours" not in shown(False)


def test_limits_leave_the_default_in():
    chosen = choose(table([0, 1, 2, 3, 9], default=9), 5, [1, 3])
    assert chosen["value"].tolist() == [1, 2, 3, 9]


@pytest.fixture
def pool(tmp_path):
    for value in (0, 5, 7, 1e9):
        write_image(tmp_path / f"run{value:g}" / "image.png", np.zeros((20, 40, 3), np.uint8))
    write_image(tmp_path / "b.png", np.zeros((40, 40, 3), np.uint8))
    return tmp_path


def test_a_contact_sheet_labels_every_tile_shows_the_inputs_and_what_diverged(pool):
    runs = table([0, 5, 7, 1e9], default=7)
    runs.loc[3, "status"] = "diverged"
    pictures = {"a": str(pool / "run0/image.png"), "b": str(pool / "b.png")}
    sheet = contact_sheet(runs, pool, pictures, 5, {}, False)
    titles = [axis.get_title() for axis in sheet.axes if axis.get_title()]
    results = ["result of the default", "in the content's colours"]
    assert titles == ["content: a", "style: b", *results, "0", "5", "7 (default)", "1e+09"]
    assert [len(axis.images) for axis in sheet.axes[1:5]] == [1, 1, 1, 1]
    words = [text.get_text() for axis in sheet.axes for text in axis.texts]
    assert [text for text in words if text] == ["a x b", "tv\nweight", "diverged"]
    measured = contact_sheet(runs.assign(style_reached=0.8, content_kept=0.3756), pool, pictures, 5, {}, False)
    assert [text.get_text() for axis in measured.axes for text in axis.texts].count("0.80   0.38") == 4
    assert measured.get_suptitle().endswith("Below a picture: style reached, content kept")
    width, height = sheet.get_size_inches()
    assert height < width / 2, "rows are not as high as their pictures"
    save(sheet, [pool / "sheet.png", pool / "sheet.pdf"])
    save(sheet, [pool / "again.png"])
    assert (pool / "sheet.png").read_bytes() == (pool / "again.png").read_bytes()


def test_75_values_have_75_colours_and_few_ticks():
    values = np.unique(np.r_[0, np.geomspace(0.1, 200, 74)])
    runs = table(values, default=values[9])
    steps = pd.DataFrame({"iteration": [0, 1, 2], "loss": "total", "weighted": [3.0, 2.0, 1.0]})
    losses = pd.concat([steps.assign(run_id=run_id) for run_id in runs["run_id"]])
    panel, bar = loss_curves(runs, losses).axes
    assert len({line.get_color() for line in panel.lines}) == 75
    assert panel.lines[-1].get_color() == ACCENT, "the default is not on top"
    assert len(bar.get_yticks()) == 7
    assert panel.get_yscale() == "log"


def test_loss_curves_tell_pairs_apart_and_are_not_flattened_by_a_step_astray():
    runs = pd.concat([table([0, 5], default=5), table([0, 5], default=5).assign(pair="c x b")], ignore_index=True)
    runs["run_id"] = [f"run{number}" for number in range(4)]
    steps = pd.DataFrame({"iteration": [0, 1, 2], "loss": "total", "weighted": [3.0, 1e13, 1.0]})
    figure = loss_curves(runs, pd.concat([steps.assign(run_id=run_id) for run_id in runs["run_id"]]))
    panel = figure.axes[0]
    assert len({line.get_linestyle() for line in panel.lines}) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a x b", "c x b"]
    assert panel.get_ylim()[1] == 30


def with_repeats():
    """Two settings, the first of them with three runs."""
    runs = pd.concat([table([0, 5], default=0), *[table([0], default=0)] * 2], ignore_index=True)
    runs["run_id"] = [f"run{number}" for number in range(4)]
    measured = dict.fromkeys(noise.NOISY, 0.5)
    return runs.assign(repeat=[0, 0, 1, 2], repeat_of=["run0", "run1", "run0", "run0"], **measured)


def test_curves_of_repeats_are_one_curve_in_a_band():
    runs = with_repeats()
    losses = pd.concat(
        [
            pd.DataFrame({"iteration": [0, 1], "loss": "total", "weighted": [level, level / 2], "run_id": run_id})
            for run_id, level in zip(runs["run_id"], (3.0, 9.0, 2.0, 4.0), strict=True)
        ]
    )
    figure = loss_curves(runs, losses)
    panel = figure.axes[0]
    assert len(panel.lines) == 2
    (band,) = panel.collections
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
    assert corners == {(0, 2), (0, 4), (1, 1), (1, 2)}
    assert "Shaded: between the least and the greatest of repeats" in figure.get_suptitle()
    alone = loss_curves(runs[runs["repeat"] == 0], losses)
    assert not alone.axes[0].collections
    assert "Shaded" not in alone.get_suptitle()


def test_the_contact_sheet_shows_the_first_of_repeats(pool):
    runs = with_repeats()
    for number in range(4):
        write_image(pool / f"run{number}" / "image.png", np.full((20, 40, 3), 60 * number, np.uint8))
    sheet = contact_sheet(runs, pool, {"a": str(pool / "b.png"), "b": str(pool / "b.png")}, 5, {}, False)
    titles = {axis.get_title(): axis for axis in sheet.axes if axis.get_title()}
    assert {"0 (default)", "5"} < set(titles)
    assert len(titles) == 4, "two inputs and two settings"
    assert titles["0 (default)"].images[0].get_array().max() == 0
    assert "s: 4 runs" in sheet.get_suptitle()
    assert "the first is shown" in sheet.get_suptitle()


def combinations(**values):
    """A study of every combination of the values, its runs named after them."""
    runs = pd.DataFrame(list(itertools.product(*values.values())), columns=list(values))
    runs["run_id"] = ["-".join(map(str, row)) for row in runs.itertuples(index=False)]
    runs["label"] = [
        ", ".join(f"{name} {value}" for name, value in row.items()) for row in runs[list(values)].to_dict("records")
    ]
    known = {"study": "s", "pair": "a x b", "parameter": "", "value": None, "is_default": False, "status": "ok"}
    known |= {"content": "a", "styles": "b", "width": 40, "height": 20, "iterations": 3, "weights": "vgg16-grown@1"}
    known |= {"colors": "style"}
    return runs.assign(**known)


def drawn(runs, pool, columns, limits, grid=()):
    """Titles of the lines of a contact sheet, and for each of its tiles the line, the label and the mean grey level."""
    for run_id, grey in zip(runs["run_id"], itertools.cycle(range(10, 250, 5)), strict=False):
        write_image(pool / run_id / "image.png", np.full((20, 40, 3), grey, np.uint8))
    pictures = dict.fromkeys(("a", "b"), str(pool / "b.png"))
    sheet = contact_sheet(runs, pool, pictures, columns, limits, False, grid)
    titles, tiles = [], []
    for line in np.reshape(sheet.axes, (-1, sheet.axes[0].get_gridspec().ncols)):
        titles += [text.get_text() for axis in line[:2] for text in axis.texts if text.get_text() != "no run"]
        shown = [axis for axis in line[1:] if axis.get_title()]
        tiles += [
            (titles[-1], axis.get_title(), axis.images[0].get_array().mean() if axis.images else None) for axis in shown
        ]
    return titles, tiles


def test_every_combination_of_two_parameters_is_shown_down_and_across(pool):
    runs = combinations(style_weight=[50.0, 5.0], tv_weight=[1000.0, 10.0, 100.0])
    titles, tiles = drawn(runs, pool, 3, {})
    assert titles == ["a x b", "style\nweight\n5", "style\nweight\n50"]
    grey = dict(zip(runs["run_id"], itertools.count(10, 5), strict=False))
    assert tiles[2:] == [
        (f"style\nweight\n{style}", f"tv weight {tv:,}", grey[f"{style}.0-{tv}.0"])
        for style in (5, 50)
        for tv in (10, 100, 1000)
    ]


def test_a_grid_keeps_its_limits_and_says_where_no_run_is(pool):
    runs = combinations(style_weight=[1.0, 2.0, 3.0], tv_weight=[1.0, 2.0, 3.0, 4.0, 5.0])
    _, tiles = drawn(
        runs.drop(index=9), pool, 2, {"style_weight": [2, 3], "tv_weight": [2, 5]}, ["tv_weight", "style_weight"]
    )
    assert [tile[:2] for tile in tiles[2:]] == [
        (f"tv\nweight\n{tv}", f"style weight {style}") for tv in (2, 3, 4, 5) for style in (2, 3)
    ]
    assert [tile[2] is None for tile in tiles[2:]] == [False] * 6 + [True, False]
    with pytest.raises(InputError, match=r"contact_sheet.limits.tv_weight is \[7, 8\]"):
        drawn(runs, pool, 2, {"tv_weight": [7, 8]})


def test_a_grid_of_three_parameters_has_a_block_for_each_value_of_the_third(pool):
    runs = combinations(style_weight=[1.0, 2.0], tv_weight=[1.0, 2.0, 3.0], pooling=["max", "avg"])
    titles, tiles = drawn(runs, pool, 3, {})
    assert titles[1::3] == ["pooling max", "pooling avg"]
    assert len({grey for *_, grey in tiles[2:]}) == 12
    many = combinations(style_weight=[1.0, 2.0], tv_weight=[1.0, 2.0], seed=list(range(40)))
    titles, _ = drawn(many, pool, 3, {})
    assert titles[1::3] == ["seed 0", "seed 10", "seed 20", "seed 29", "seed 39"]


def test_a_star_can_be_shown_as_a_cross(pool):
    star = combinations(style_weight=[1.0, 2.0, 3.0], tv_weight=[1.0, 2.0], seed=[0, 1])
    star = star[(star[["style_weight", "tv_weight", "seed"]] != [1.0, 1.0, 0]).sum(axis=1) <= 1].assign(
        parameter="some"
    )
    titles, tiles = drawn(star, pool, 3, {}, ["style_weight", "tv_weight"])
    assert titles[1] == "seed 0"
    assert [tile[2] is None for tile in tiles[2:]] == [False, False, False, True, False, True]


@pytest.mark.parametrize(
    ("limits", "labels"),
    [
        ((90, 15_000), ["100", "300", "1k", "3k", "10k"]),
        ((0.9, 11), ["1", "2", "5", "10"]),
        ((2e-3, 3e7), ["0.01", "0.1", "1", "10", "100", "1k", "10k", "100k", "1M", "10M"]),
        ((4e8, 3e9), ["500M", "1e9", "2e9"]),
        ((5e-8, 2e-5), ["1e-7", "3e-7", "1e-6", "3e-6", "1e-5"]),
        ((2e-4, 2e-2), ["3e-4", "0.001", "0.003", "0.01"]),
        ((7e4, 1.9e5), ["70k", "80k", "90k", "100k"]),
    ],
)
def test_ticks_on_log_axes_are_few_and_read_plainly(limits, labels):
    axis = Figure().subplots()
    axis.set(yscale="log", ylim=limits)
    log_ticks(axis.yaxis)
    places = [place for place in axis.yaxis.get_major_locator()() if limits[0] <= place <= limits[1]]
    assert [axis.yaxis.get_major_formatter()(place) for place in places] == labels
    assert not len(axis.yaxis.get_minorticklocs())


def test_an_axis_without_data_keeps_its_ticks():
    axis = Figure().subplots()
    log_ticks(axis.yaxis)
    assert axis.yaxis.get_major_formatter()(0) == "0"


def test_names_are_not_formulas(pool):
    """A file of weights may be called anything; matplotlib takes what stands between two $ for a formula."""
    odd = r"$\frac{$ a^b_c <b> $x$.h5"
    runs = table([0, 5], default=5).assign(weights=odd)
    pictures = {"a": str(pool / "run0/image.png"), "b": str(pool / "b.png")}
    sheet = contact_sheet(runs, pool, pictures, 2, {}, False)
    save(sheet, [pool / "sheet.png"])
    assert odd in " ".join(sheet.get_suptitle().split("\n"))
    assert not sheet._suptitle.get_parse_math()


def on_the_page(figure):
    """Every text with its box, all of them within the page."""
    figure.draw_without_rendering()
    page, boxes = figure.bbox, []
    found = [figure._suptitle, *(key for legend in figure.legends for key in legend.get_texts())]
    for axis in figure.axes:
        found += [*axis.texts, axis.title, axis._left_title]
    for text in found:
        box = text.get_window_extent()
        if text.get_text():
            assert page.x0 <= box.x0 and box.x1 <= page.x1, text.get_text()
            assert page.y0 <= box.y0 and box.y1 <= page.y1, text.get_text()
            boxes.append((text, box))
    return boxes


def test_a_contact_sheet_of_80_pairs_is_bounded_and_says_so(pool):
    runs = pd.concat([table([0, 5, 7], default=7).assign(pair=f"pair {number:02}") for number in range(80)])
    pictures = {"a": str(pool / "run0/image.png"), "b": str(pool / "b.png")}
    sheet = contact_sheet(runs, pool, pictures, 5, {}, False)
    assert max(sheet.get_size_inches()) < 100
    shown = [text.get_text() for axis in sheet.axes for text in axis.texts if text.get_text().startswith("pair")]
    assert [shown[0], shown[-1]] == ["pair 00", "pair 79"]
    gaps = np.diff([int(pair[5:]) for pair in shown])
    assert gaps.max() - gaps.min() <= 1
    assert 10 <= len(shown) < 80
    assert f"{len(shown)} of 80 pairs, evenly chosen: the explorer has all" in sheet.get_suptitle()
    few = contact_sheet(runs.iloc[:15], pool, pictures, 5, {}, False)
    assert few.get_suptitle() == caption(runs.iloc[:15])


@pytest.mark.parametrize("parameter", ["tv_weight", ""])
def test_a_contact_sheet_says_how_many_runs_it_leaves_out(pool, parameter):
    runs = table([0, 5, 7], default=7, parameter=parameter)
    runs = pd.concat(
        [runs, *(table([0], parameter=parameter).assign(value=20.0 + n, run_id=f"r{n}") for n in range(30))]
    )
    for run_id in runs["run_id"]:
        write_image(pool / run_id / "image.png", np.zeros((20, 40, 3), np.uint8))
    pictures = dict.fromkeys(("a", "b"), str(pool / "b.png"))
    sheet = contact_sheet(runs, pool, pictures, 2, {}, False)
    count = 2 if parameter else 20
    assert sheet.get_suptitle().endswith(f"{count} of 33 runs are shown: the explorer has all")
    assert sum(len(axis.images) for axis in sheet.axes) == 2 + count


def test_runs_that_vary_all_parameters_at_once_are_put_in_the_order_of_one_and_kept_within_limits(pool):
    runs = table([0, 5, 7], parameter="").assign(
        value=np.nan, tv_weight=[30.0, 4.0, 200.0], style_scales=["2", "3", "1"]
    )
    for run_id in runs["run_id"]:
        write_image(pool / run_id / "image.png", np.zeros((20, 40, 3), np.uint8))

    def shown(limits, order):
        sheet = contact_sheet(runs, pool, dict.fromkeys("ab", str(pool / "b.png")), 5, limits, False, (), order)
        return [axis.get_title() for axis in sheet.axes if axis.images][2:]

    assert shown({}, "tv_weight") == ["5", "0", "7"]
    assert shown({}, "style_scales") == ["7", "0", "5"]
    assert shown({"tv_weight": [10, 300]}, "") == ["0", "7"]


@pytest.mark.parametrize("count", [1, 2, 4, 16])
def test_every_style_of_a_blend_is_shown_whatever_it_is_called(pool, count):
    styles = [f"{'a_style_with_a_long_name_and_more_of_it'[:37]}_{number:02}" for number in range(count)]
    content = "x" * 40
    runs = table([0], default=0, parameter="").assign(
        content=content,
        styles=" + ".join(styles),
        pair=f"{content} x {' + '.join(styles)}",
        label=" ".join(["0.0625"] * 16),
    )
    pictures = dict.fromkeys([content, *styles], str(pool / "b.png"))
    sheet = contact_sheet(runs, pool, pictures, 5, {}, False)
    titles = [axis.get_title().replace("\n", "").replace(" ", "") for axis in sheet.axes if axis.images]
    assert titles[: count + 1] == [f"content:{content}", *(f"style:{name}" for name in styles)]
    boxes = [box for text, box in on_the_page(sheet) if text.axes is not None]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other), "two labels lie over one another"


def test_long_names_stay_on_the_page_of_every_figure(pool):
    long = "a_name_that_goes_on_and_on_until_it_ends"
    runs = pd.concat([table([0, 5, 7], default=7).assign(pair=f"{long} x {long}{number}") for number in range(4)])
    pictures = {"a": str(pool / "run0/image.png"), "b": str(pool / "b.png")}
    on_the_page(contact_sheet(runs, pool, pictures, 5, {}, False))
    steps = pd.DataFrame({"iteration": [0, 1, 2], "loss": "total", "weighted": [3.0, 2.0, 1.0]})
    losses = pd.concat([steps.assign(run_id=run_id) for run_id in runs["run_id"].unique()])
    on_the_page(loss_curves(runs, losses))


@given(st.text(alphabet="ab_ ", max_size=200), st.integers(2, 20), st.integers(1, 9))
def test_a_text_that_is_too_long_keeps_both_ends(text, characters, lines):
    parts = fitted(text, characters, lines).split("\n")
    assert len(parts) <= lines
    assert all(len(part) <= characters for part in parts)
    assert shortened(text, characters)[:1] == text[:1]
    assert len(shortened(text, characters)) == min(len(text), characters)


def test_a_line_ends_between_layers():
    text = "relu1_2=0.3333+relu2_2=0.1+relu3_3"
    assert fitted(text, 24, 6) == "relu1_2=0.3333+\nrelu2_2=0.1+relu3_3"
    assert fitted("relu1_1+relu2_1 (default)", 24, 6) == "relu1_1+relu2_1\n(default)"


def test_curves_of_words_are_named():
    words = table([0, 1, 2], default=1, parameter="pooling").assign(value=np.nan, label=["max", "avg", "other"])
    words["pooling"] = words["label"]
    steps = pd.DataFrame({"iteration": [0, 1, 2], "loss": "total", "weighted": [3.0, 2.0, 1.0]})
    figure = loss_curves(words, pd.concat([steps.assign(run_id=run_id) for run_id in words["run_id"]]))
    (panel,) = figure.axes
    keys = {
        text.get_text(): line.get_color()
        for text, line in zip(panel.get_legend().get_texts(), panel.get_legend().get_lines(), strict=True)
    }
    assert keys.keys() == {"max", "other", "avg (default)"}
    assert sorted(keys.values()) == sorted(line.get_color() for line in panel.lines)
    assert len(set(keys.values())) == 3
    assert keys["avg (default)"] == ACCENT


@pytest.mark.filterwarnings("error")
def test_curves_of_0_are_told_in_words(tmp_path):
    runs = table([0, 1], default=1)
    steps = pd.DataFrame({"iteration": [0, 1, 2], "loss": "total", "weighted": 0.0})
    figure = loss_curves(runs, pd.concat([steps.assign(run_id=run_id) for run_id in runs["run_id"]]))
    save(figure, [tmp_path / "figure.png"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["0 in every run: there is nothing to compare"]


def test_curves_of_more_pairs_than_can_be_told_apart():
    runs = pd.concat([table([0, 5], default=5).assign(pair=f"pair{number}") for number in range(9)], ignore_index=True)
    steps = pd.DataFrame({"iteration": [0, 1, 2], "loss": "total", "weighted": [3.0, 2.0, 1.0]})
    figure = loss_curves(runs, pd.concat([steps.assign(run_id=run_id) for run_id in runs["run_id"].unique()]))
    assert "4 of 9 pairs, evenly chosen" in figure.get_suptitle()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["pair0", "pair3", "pair5", "pair8"]


@pytest.mark.parametrize(
    ("iterations", "words"),
    [([3, 3], "40 px wide, 3 iterations"), ([1, 1], "1 iteration,"), ([1, 2], "1 to 2 iterations")],
)
def test_a_caption_knows_what_varies(iterations, words):
    assert words in caption(table([0, 5]).assign(iterations=iterations))
    assert "40 to 80 px wide" in caption(table([0, 5]).assign(width=[40, 80]))
