"""What goes into the explorer's page."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from styletransfer.reports import explorer, html
from styletransfer.results import tables


@pytest.mark.parametrize(
    ("cell", "value"), [(5.0, 5), ("1.2", 1.2), ("0.5 0.5", "0.5 0.5"), ("avg", "avg"), (1e-8, 1e-8), ("", "")]
)
def test_cells_become_plain_values(cell, value):
    found = tables.plain(cell)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_no_number_is_none(value):
    assert explorer.number(value) is None


def test_json_cannot_end_its_element():
    data = {"name": "</script><!-- & \u2028 ünï"}
    text = html.script_safe(data)
    assert "<" not in text
    assert json.loads(text) == data


def test_long_curves_are_thinned_and_keep_both_ends():
    """Each run has its own, however long those before it are."""
    parts = [
        pd.DataFrame({"run_id": run, "iteration": steps, "loss": name, "unweighted": last})
        for run, steps in {"b": np.arange(0, 1001), "a": np.arange(0, 7, 3)}.items()
        for name in ("content", "style", "tv", "total")
        for last in [np.where(steps == steps[-1], np.inf, steps + 1.0)]
    ]
    curves = explorer._curves(pd.concat(parts))
    assert len(curves["b"]["iteration"]) == explorer.CURVE_POINTS
    assert (curves["b"]["iteration"][0], curves["b"]["iteration"][-1]) == (0, 1000)
    assert (curves["b"]["style"][0], curves["b"]["style"][-1]) == (1, None)
    assert curves["a"] == {"iteration": [0, 3, 6], "content": [1, 4, None], "style": [1, 4, None], "tv": [1, 4, None]}


@pytest.fixture
def sources(tmp_path):
    noise = np.random.default_rng(0)
    paths = {str(number): tmp_path / f"{number}.png" for number in range(3)}
    for path in paths.values():
        Image.fromarray(noise.integers(0, 256, (300, 600, 3), dtype=np.uint8)).save(path)
    return paths


def test_pictures_shrink_until_they_fit(sources):
    whole = sum(map(len, explorer.fitting(sources, 10_000_000).values()))
    assert whole > 500_000
    room = whole // 3
    assert room / 3 < sum(map(len, explorer.fitting(sources, room).values())) <= room
    assert explorer.fitting(sources, 1000) is None
    assert explorer.fitting(sources, -5) is None


def test_pictures_beside_are_named_by_their_run(sources, tmp_path):
    assert explorer.beside(sources, tmp_path / "pictures")["1"] == "pictures/1.avif"
    with Image.open(tmp_path / "pictures/1.avif") as picture:
        assert picture.size == (600, 300)
