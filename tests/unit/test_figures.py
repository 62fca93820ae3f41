"""Figures show what they should: the chosen tiles, their labels, a colour for every value."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from styletransfer import figures, images


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
            "weights": "hed-vgg19@1",
        }
    )


@given(st.integers(2, 12), st.integers(1, 90), st.data())
def test_tiles_are_evenly_spaced_with_both_ends_and_the_default(columns, count, data):
    default = data.draw(st.integers(0, count - 1))
    chosen = figures.choose(table(range(count), default), columns, None)["value"].tolist()
    assert chosen == sorted(chosen)
    assert len(chosen) == min(columns, count)
    assert default in chosen
    if columns > 2:
        assert {0, count - 1} <= set(chosen)
    for side in (chosen[: chosen.index(default) + 1], chosen[chosen.index(default) :]):
        gaps = np.diff(side)
        assert not len(gaps) or gaps.max() - gaps.min() <= 1


def test_limits_leave_the_default_in():
    chosen = figures.choose(table([0, 1, 2, 3, 9], default=9), 5, [1, 3])
    assert chosen["value"].tolist() == [1, 2, 3, 9]


@pytest.fixture
def pool(tmp_path):
    for value in (0, 5, 7, 1e9):
        images.write_image(tmp_path / f"run{value:g}/image.png", np.zeros((20, 40, 3), np.uint8))
    images.write_image(tmp_path / "b.png", np.zeros((40, 40, 3), np.uint8))
    return tmp_path


def test_a_contact_sheet_labels_every_tile_shows_the_inputs_and_what_diverged(pool):
    runs = table([0, 5, 7, 1e9], default=7)
    runs.loc[3, "status"] = "diverged"
    pictures = {"a": str(pool / "run0/image.png"), "b": str(pool / "b.png")}
    sheet = figures.contact_sheet(runs, pool, pictures, 5, {}, False)
    titles = [axis.get_title() for axis in sheet.axes if axis.get_title()]
    assert titles == ["content: a", "style: b", "0", "5", "7 (default)", "1e+09"]
    words = [text.get_text() for axis in sheet.axes for text in axis.texts]
    assert words == ["a x b", "tv\nweight", "diverged"]
    width, height = sheet.get_size_inches()
    assert height < width / 2, "rows are not as high as their pictures"
    figures.save(sheet, [pool / "sheet.png", pool / "sheet.pdf"])
    figures.save(sheet, [pool / "again.png"])
    assert (pool / "sheet.png").read_bytes() == (pool / "again.png").read_bytes()


def test_75_values_have_75_colours_and_few_ticks():
    values = np.unique(np.r_[0, np.geomspace(0.1, 200, 74)])
    runs = table(values, default=values[9])
    steps = pd.DataFrame({"iteration": [0, 1, 2], "loss": "total", "weighted": [3.0, 2.0, 1.0]})
    losses = pd.concat([steps.assign(run_id=run_id) for run_id in runs["run_id"]])
    panel, bar = figures.loss_curves(runs, losses).axes
    assert len({line.get_color() for line in panel.lines}) == 75
    assert panel.lines[-1].get_color() == figures.ACCENT, "the default is not on top"
    assert len(bar.get_yticks()) == 7
    assert panel.get_yscale() == "log"
