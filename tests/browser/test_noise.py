"""A study with repeats, from its runs to the page: one point for each setting, with a bar."""

import json

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from helpers.browser import STAR
from helpers.workflow import jobs, snakemake
from styletransfer.analysis import noise

NOISY = STAR | {
    "study": "noisy",
    "pairs": STAR["pairs"][:1],
    "vary": {"style_weight": [0.5, 50, 500], "initial_noiseblend": [0, 1]},
    "repeats": 3,
}
SETTINGS, RUNS = 4, 10


@pytest.fixture(scope="module")
def folder(studies):
    snakemake(studies, config=NOISY)
    return studies / "results/studies/noisy"


@pytest.fixture(scope="module")
def runs(folder):
    return pd.read_parquet(folder / "runs.parquet")


@pytest.fixture
def page(folder, visit):
    return visit(folder / "explorer/index.html")


def test_tables_list_all_runs_and_more_repeats_compute_only_those(runs, studies):
    distinct = runs.drop_duplicates("run_id")
    assert len(distinct) == RUNS
    noisy = distinct[distinct["initial_noiseblend"] > 0]
    deviations = noisy.groupby("repeat_of")["style_reached"].std(ddof=1)
    np.testing.assert_allclose(noisy["style_reached_sd"], np.sqrt((deviations**2).mean()))
    assert (noisy[["style_reached_bar", "content_kept_bar", "ssim_bar", "sharpness_bar"]] > 0).all(axis=None)
    assert (distinct.loc[distinct["initial_noiseblend"] == 0, "style_reached_bar"] == 0).all()
    assert runs["pareto_front"].sum() == runs.loc[runs["repeat"] == 0, "pareto_front"].sum() > 0
    assert jobs(snakemake(studies, "--dry-run", config=NOISY | {"repeats": 4, "runs_per_job": 1})) == SETTINGS - 1


def test_repeats_are_one_point_and_no_slider(page, runs):
    assert f"{RUNS} runs of {SETTINGS} settings" in page.locator("#subtitle").inner_text()
    names = page.locator(".slider").all_inner_texts()
    assert len(names) == 2
    assert not any("seed" in name for name in names)
    page.locator("#table").scroll_into_view_if_needed()
    page.wait_for_selector("#runs tbody tr")
    assert page.locator("#runs tbody tr").count() == SETTINGS
    default = noise.averaged(runs).query("is_default").iloc[0]
    shown = page.locator('#runs tbody tr[aria-current="true"]').inner_text()
    for name in ("style_reached", "content_kept"):
        value, bar = default[name], default[f"{name}_bar"]
        digits = max(2, -int(np.floor(np.log10(bar))))
        assert f"{value:.{digits}f} ± {bar:.{digits}f}" in shown


def test_the_plane_has_a_bar_for_each_noisy_number(page, runs):
    page.locator("#scatter").scroll_into_view_if_needed()
    page.wait_for_selector("#scatter canvas")
    assert "Bars: runs whose bars overlap differ by no more" in page.locator("#scatter-note").inner_text()


def test_loss_curves_of_noisy_settings_have_a_band(page, runs, folder):
    page.locator("#losses").scroll_into_view_if_needed()
    expect(page.locator("#curve-total .spread")).to_have_count(SETTINGS - 1)
    losses = pd.read_parquet(folder / "losses.parquet").merge(runs.drop_duplicates("run_id"), on="run_id")
    default = losses[losses["is_default"]]
    step = default["iteration"].max()
    for loss, column in (("style", "unweighted"), ("total", "weighted")):
        last = default[(default["loss"] == loss) & (default["iteration"] == step)][column]
        shown = page.evaluate(
            "loss => { const { curve } = JSON.parse(document.querySelector('#data').textContent).runs"
            ".find((run) => run.default); return [curve.bands[loss].low.at(-1), curve.bands[loss].high.at(-1)]; }",
            loss,
        )
        np.testing.assert_allclose(shown, [last.min(), last.max()], rtol=1e-4)


def test_sentences_say_what_the_bars_do(page, runs):
    told = page.locator("#along-text").inner_text()
    rows = noise.averaged(runs)
    low, high = (rows[rows["style_weight"] == weight].iloc[0] for weight in (0.5, 500))
    for name in ("style_reached", "content_kept"):
        apart = abs(low[name] - high[name]) > low[f"{name}_bar"] + high[f"{name}_bar"]
        assert (f"no difference in {name.replace('_', ' ')} (" in told) != apart
    assert "was not measured" not in told


def test_bars_of_unmeasured_noise_are_null(studies):
    text = (studies / "results/studies/star/explorer/index.html").read_text()
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert all(run["bars"] == {"style_reached": None, "content_kept": None} for run in data["runs"])
