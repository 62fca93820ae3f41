"""Which runs compare, which are on the front, and that every kind of study can be drawn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from styletransfer.analysis import pareto
from styletransfer.optim.terms import LOSS_DEFINITION
from styletransfer.reports.figures import effects
from styletransfer.reports.figures.style import save


def table(content, style, **columns):
    count = len(content)
    made = {
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


def test_only_runs_that_measure_the_same_compare():
    runs = table([1, 2, 3], [1, 2, 3], style_scales=["1", "1", "2"], status=["ok", "diverged", "ok"])
    assert pareto.compares_with_default(runs).tolist() == [True, False, False]
    assert runs["comparable_group"].tolist() == [0, 0, 1]
    assert runs["pareto_front"].tolist() == [True, False, True], "a run was beaten by one that measures something else"


def test_losses_of_other_pictures_do_not_compare_and_every_label_of_a_run_is_on_the_front():
    runs = table([1, 2, 1, np.nan], [1, 2, 1, 1], pair=["a", "b", "a", "a"], run_id=["r", "s", "r", "t"])
    assert runs["comparable_group"].tolist() == [0, 1, 0, 0]
    assert runs["pareto_front"].tolist() == [True, True, True, False]


@pytest.mark.parametrize("parameter", ["style_weight", ""], ids=["star", "grid"])
@pytest.mark.parametrize("draw", [effects.pareto, effects.parameter_effects])
@pytest.mark.filterwarnings("error")
def test_every_kind_of_study_is_drawn(draw, parameter, tmp_path):
    one = table([5, 2, np.nan], [1, 4, 3], parameter=parameter, status=["ok", "ok", "diverged"], pooling="max")
    runs = pareto.with_columns(pd.concat([one, one.assign(pair="a x c", run_id=["x", "y", "z"])], ignore_index=True))
    save(draw(runs), [tmp_path / "figure.pdf"])
    assert b"FontFile2" in (tmp_path / "figure.pdf").read_bytes(), "a font is not embedded"


@pytest.mark.filterwarnings("error")
def test_a_study_that_varies_nothing_is_drawn(tmp_path):
    for draw in (effects.pareto, effects.parameter_effects):
        save(draw(table([3], [4], parameter="")), [tmp_path / "figure.png"])
