"""Every way to use the explorer, in a real browser, on a real small study."""

import io
import itertools
import json
import re
import shlex
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from playwright.sync_api import expect

from helpers.browser import GRID, STAR
from helpers.studies import prepared
from helpers.workflow import ROOT, environment, jobs, snakemake
from styletransfer.images.color import finished
from styletransfer.images.io import read_image
from styletransfer.images.resize import resize
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())


def title(page):
    return page.locator("#stage-title").inner_text()


def slide(page, parameter, place):
    page.locator(f"#slider-{parameter}").fill(str(place))


def pixels(locator):
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB"), float)


def transforms(page):
    """Of every picture its zoom, and how many pixels it is shifted across and down."""
    found = page.locator(".layer").evaluate_all("layers => layers.map(layer => getComputedStyle(layer).transform)")
    matrices = [[float(number) for number in text.removeprefix("matrix(").rstrip(")").split(",")] for text in found]
    return [(zoom, x, y) for zoom, _, _, _, x, y in matrices]


def table_of(studies, name):
    return pd.read_parquet(studies / f"results/studies/{name}/runs.parquet")


def test_the_first_view_shows_what_was_varied(star):
    assert star.locator("h1").inner_text() == "star"
    assert "10 runs" in star.locator("#subtitle").inner_text()
    assert star.locator(".slider").count() == 3
    assert title(star) == "The default"
    assert star.locator("#inputs img").count() == 2
    assert star.locator("#strip .open").all_inner_texts() == ["5", "50\ndefault", "500"]
    assert "style loss" in star.locator("#along-text").inner_text()
    reading = star.locator("#along-text").inner_text()
    assert "Of the values tried, " in reading
    assert "choose by eye" in reading
    assert reading.count("Unweighted losses: ") == reading.count("style reached") - 1 == 1
    assert star.locator("#enlarged").inner_text() == "enlarged from 48 px"
    fits = star.locator("#inputs img").evaluate_all("images => images.map(image => getComputedStyle(image).objectFit)")
    assert set(fits) == {"contain"}, "an input is cut"
    star.locator("#effect").scroll_into_view_if_needed()
    star.wait_for_selector("#effect canvas")


def test_sliders_in_a_star_return_the_others_and_say_so(star):
    slide(star, "style_weight", 2)
    assert title(star) == "Style weight 500"
    assert star.locator("#slider-style_weight").get_attribute("aria-valuetext") == "500, 3 of 3"
    assert star.locator("#announcement").inner_text() == ""
    assert star.locator("#slider-style_scales ~ .ticks i.else").count() == 1
    slide(star, "style_scales", 1)
    assert title(star) == "Style scales 2"
    assert star.locator("#announcement").inner_text() == (
        "Back to the default: style weight to 50. No run has style scales 2 with the rest unchanged."
    )
    assert "compare" in star.locator("#along-text").inner_text(), "losses of other measures were compared"
    star.get_by_role("button", name="Back to the default").click()
    assert title(star) == "The default"


def test_sliders_in_a_grid_move_alone(grid):
    slide(grid, "tv_weight", 2)
    slide(grid, "style_weight", 1)
    assert title(grid) == "Style weight 50, tv weight 1,000"
    slide(grid, "style_weight", 0)
    assert title(grid) == "Style weight 5, tv weight 1,000"
    assert grid.locator("#announcement").inner_text() == ""
    assert grid.locator(".ticks i.else").count() == 0


def test_pairs(star):
    slide(star, "style_weight", 0)
    star.locator("#pair").select_option("photograph x candy")
    assert title(star) == "Style weight 5"
    assert "candy" in star.locator("#inputs").inner_text()
    star.locator("#rows").select_option("pair")
    star.locator("#columns").select_option("style_weight")
    assert star.locator("#sheet tbody .tile").count() == 6


def test_play_and_keys(star):
    star.locator("body").press("ArrowRight")
    assert title(star) == "Style weight 500"
    star.locator("body").press("ArrowLeft")
    star.locator("body").press("ArrowLeft")
    assert title(star) == "Style weight 5"
    star.get_by_role("button", name="Play: through style weight").click()
    expect(star.locator("#stage-title")).to_have_text("Style weight 500")
    star.locator("body").press(" ")
    assert star.locator("#play").get_attribute("aria-pressed") == "false"
    star.locator("#slider-style_weight").focus()
    star.keyboard.press("ArrowLeft")
    assert title(star) == "The default"
    star.locator("#stage-title").focus()
    star.keyboard.press("ArrowDown")
    assert star.locator("#along-title").inner_text() == "What style scales does"
    star.keyboard.press("c")
    assert star.locator("body").get_attribute("data-colors") == "content"
    star.keyboard.press("s")
    assert star.locator("#favourite-count").inner_text() == "★ 1"
    star.keyboard.press("4")
    assert title(star) == "Style scales 2", "a rating does not go on to the next picture"
    assert star.locator("#announcement").inner_text() == "The default: 4 of 5."
    star.keyboard.press("ArrowLeft")
    assert star.locator('#rating [aria-pressed="true"]').get_attribute("aria-label") == "4 of 5"
    star.keyboard.press("0")
    assert star.locator('#rating [aria-pressed="true"]').count() == 0
    star.keyboard.press("p")
    assert star.locator("#pin").inner_text() == "◆ Pinned"
    star.keyboard.press("?")
    assert star.locator("#help").is_visible()
    star.locator("#keys-on").uncheck()
    star.keyboard.press("Escape")
    star.keyboard.press("c")
    assert star.locator("body").get_attribute("data-colors") == "content", "keys that are off still acted"


def test_the_contents_colours_are_those_of_the_engine(star, studies):
    star.get_by_role("button", name="Content colours").click()
    shown = pixels(star.locator("#stage .picture")).mean(axis=(0, 1))
    default = table_of(studies, "star").query("is_default").iloc[0]
    folder = studies / "results/runs" / default["run_id"]
    image, content = read_image(folder / "image.png"), read_image(prepared(studies, "photograph", "star"))
    own = image.astype(float).mean(axis=(0, 1))
    view = finished(image, resize(content, image.shape[1], image.shape[0]), "content")
    preserved = view.astype(float).mean(axis=(0, 1))
    assert np.abs(shown - preserved).max() < 6
    assert np.abs(shown - preserved).max() < np.abs(shown - own).max()


def test_before_and_after_by_a_wipe(star):
    slide(star, "style_weight", 2)
    star.get_by_role("button", name="Wipe").click()
    captions = star.locator(".pane .caption")
    assert captions.all_inner_texts() == ["style weight 500", "the default"]
    star.locator("#against").select_option("content")
    assert captions.all_inner_texts() == ["style weight 500", "content: photograph"]
    clip = "getComputedStyle(document.querySelectorAll('.pane')[1]).clipPath"
    assert star.evaluate(clip) == "inset(0px 0px 0px 50%)"
    star.locator(".wipe-handle").focus()
    star.keyboard.press("ArrowRight")
    assert star.evaluate(clip) == "inset(0px 0px 0px 50.5%)"
    box = star.locator(".panes").bounding_box()
    middle = box["y"] + box["height"] / 2
    star.mouse.move(box["x"] + 0.505 * box["width"], middle)
    star.mouse.down()
    star.mouse.move(box["x"] + 0.2 * box["width"], middle)
    star.mouse.up()
    assert 15 < float(star.evaluate(clip).split()[-1].rstrip("%)")) < 25


def captions(page):
    return page.locator(".pane .caption").all_inner_texts()


def test_the_current_run_follows_the_sliders_beside_what_is_pinned(star):
    slide(star, "style_weight", 0)
    star.locator("#pin").click()
    assert captions(star) == ["style weight 5"]
    assert "compared with itself" in star.locator("#mode-note").inner_text()
    slide(star, "style_weight", 2)
    assert captions(star) == ["style weight 500", "style weight 5"]
    star.locator("#pin").click()
    assert captions(star) == ["style weight 5", "style weight 500"]
    slide(star, "style_weight", 1)
    assert captions(star) == ["the default", "style weight 5", "style weight 500"]
    here = star.locator(".pane.here")
    assert here.locator(".caption").inner_text() == "the default"
    assert "follows the sliders" in star.locator("#mode-note").inner_text()
    here.get_by_role("button", name="Pin: the default").click()
    assert star.locator(".pane [data-mark=pin]").all_inner_texts() == ["◆1", "◆2", "◆3"], "a third pin drops another"
    slide(star, "style_scales", 1)
    assert captions(star) == ["style scales 2", "style weight 5", "style weight 500", "the default"]
    star.get_by_role("button", name="style weight 500", exact=True).first.click()
    assert title(star) == "Style weight 500"
    assert here.locator(".caption").inner_text() == "style weight 500"
    star.locator("#sheet").scroll_into_view_if_needed()
    pinned = star.locator("#sheet .tile", has=star.get_by_alt_text("style weight 500"))
    assert pinned.locator("[data-mark=pin]").inner_text() == "◆2"
    for name in ("style weight 5", "style weight 500", "the default"):
        star.locator(".pane").get_by_role("button", name=f"Pin 1: {name}", exact=True).click()
    assert star.locator(".panes").get_attribute("class") == "panes single"


def test_zoom_and_pan_move_all_pictures_alike(star):
    for place in (0, 1, 2):
        slide(star, "style_weight", place)
        star.keyboard.press("p")
    star.locator("#zoom-in").click()
    star.locator("#zoom-in").click()
    (zoom, x, y), *others = transforms(star)
    assert (zoom, x, y) == (2.25, 0, 0)
    assert np.allclose(others, (zoom, x, y))
    stage = star.locator("#stage .pane").first.bounding_box()
    star.mouse.move(stage["x"] + 100, stage["y"] + 60)
    star.mouse.down()
    star.mouse.move(stage["x"] + 160, stage["y"] + 90)
    star.mouse.up()
    assert np.allclose(transforms(star), (2.25, 60, 30), atol=0.3)
    assert title(star) == "Style weight 500", "a drag opened a run"
    star.locator("#stage").focus()
    star.keyboard.press("ArrowLeft")
    across = 60 + 0.08 * stage["width"]
    assert np.allclose(transforms(star), (2.25, across, 30), atol=0.3)
    star.locator("#zoom-fit").click()
    star.locator("#stage").hover()
    star.keyboard.down("Control")
    star.mouse.wheel(0, -200)
    star.keyboard.up("Control")
    expect(star.locator("#zoom-fit")).not_to_have_text("Fit")


def test_two_pictures_blink_and_differ(star):
    slide(star, "style_weight", 2)
    star.get_by_role("button", name="Blink").click()
    name = "getComputedStyle(document.querySelectorAll('.pane')[1]).animationName"
    assert star.evaluate(name) == "blink"
    star.get_by_role("button", name="Difference", exact=True).click()
    assert star.locator("#against").input_value() == "default"
    assert pixels(star.locator("#stage .panes")).mean() > 20
    slide(star, "style_weight", 1)
    star.wait_for_timeout(100)
    inside = pixels(star.locator("#stage .panes"))[3:-3, 3:-3]
    assert inside.max() < 4, "a picture differs from itself"
    assert "compared with itself" in star.locator("#mode-note").inner_text()
    slide(star, "style_weight", 0)
    star.keyboard.press("p")
    slide(star, "style_weight", 2)
    assert star.locator("#against").input_value() == "pin1"
    assert star.locator(".pane img").nth(1).get_attribute("alt") == "style weight 5"


def test_all_favourites_at_once(star):
    star.keyboard.press("n")
    assert "Pin pictures" in star.locator("#announcement").inner_text()
    for parameter, place in (("style_weight", 0), ("style_weight", 2), ("style_scales", 1)):
        slide(star, parameter, place)
        star.keyboard.press("s")
    star.get_by_role("button", name="One", exact=True).click()
    star.keyboard.press("n")
    assert captions(star) == ["style weight 5", "style weight 500", "style scales 2"]
    star.locator(".pane", has_text="style weight 500").hover()
    star.get_by_role("button", name="Favourite: style weight 500", exact=True).first.click()
    assert captions(star) == ["style weight 5", "style scales 2"]
    star.keyboard.press("n")
    assert star.locator(".panes").get_attribute("class") == "panes single"


def test_star_and_pin_on_every_picture_by_keyboard(star):
    star.locator("#sheet").scroll_into_view_if_needed()
    star.locator("#sheet .open", has_text="500").focus()
    for key in ("Tab", "Enter"):
        star.keyboard.press(key)
    assert star.locator("#favourites .tile b").all_inner_texts() == ["style weight 500"]
    for key in ("Tab", "Enter"):
        star.keyboard.press(key)
    assert captions(star) == ["the default", "style weight 500"]
    assert title(star) == "The default", "a mark opened the run"
    strip = star.locator("#strip .tile", has_text="500")
    assert strip.locator("[aria-pressed=true]").all_inner_texts() == ["★", "◆1"]
    star.locator("#table").scroll_into_view_if_needed()
    marked = star.locator("#runs tr", has=star.locator("[aria-pressed=true]"))
    expect(marked).to_have_count(1)
    marked.get_by_role("button", name="Favourite").focus()
    star.keyboard.press("Enter")
    assert star.locator("#favourites .tile").count() == 0
    assert star.evaluate("document.activeElement.dataset.mark") == "star", "the focus is lost"
    star.keyboard.press("Enter")
    star.locator("#runs th").nth(1).get_by_role("button").click()
    star.locator("#runs th").nth(1).get_by_role("button").click()
    first = star.locator("#runs tbody tr").first.get_by_role("button", name="Favourite: style weight 500")
    expect(first).to_have_attribute("aria-pressed", "true")


def test_the_full_picture_is_a_link_where_it_is_beside_the_page(studies, visit, tmp_path):
    page = visit(studies / "results/studies/star/explorer/index.html", root=studies)
    default = table_of(studies, "star").query("is_default").iloc[0]["run_id"]
    assert page.locator("#file").inner_text() == f"results/runs/{default}/image.png"
    page.get_by_role("button", name="Content colours").click()
    with page.expect_popup() as popup:
        page.locator("#file").click()
    assert popup.value.url == (studies / f"results/runs/{default}/image.png").as_uri()
    copied = tmp_path / "of/some/other/folder/index.html"
    copied.parent.mkdir(parents=True)
    shutil.copy(studies / "results/studies/star/explorer/index.html", copied)
    page = visit(copied, root=tmp_path, forgiven="ERR_FILE_NOT_FOUND")
    page.locator("#file").click()
    expect(page.locator("#file-note")).to_contain_text("The file is not beside this page")
    assert len(page.context.pages) == 1


def test_the_picture_alone_and_at_its_own_size(star):
    before = star.locator("#stage img").bounding_box()
    star.keyboard.press("f")
    viewer = star.locator("#viewer").bounding_box()
    assert (viewer["x"], viewer["y"], viewer["width"]) == (0, 0, 1440)
    assert star.locator("#stage img").bounding_box()["width"] > before["width"]
    star.keyboard.press("ArrowRight")
    assert title(star) == "Style weight 500"
    star.keyboard.press("z")
    assert star.locator("#stage img").bounding_box()["width"] == pytest.approx(48, abs=0.1)
    assert star.locator("#zoom-own").get_attribute("aria-pressed") == "true"
    star.keyboard.press("z")
    star.keyboard.press("Escape")
    expect(star.locator("#alone")).to_have_attribute("aria-pressed", "false")
    assert star.locator("#stage img").bounding_box() == before
    assert not star.locator("header.top").evaluate("header => header.inert")


def test_losses_are_told_as_multiples_of_the_defaults(star, studies):
    slide(star, "style_weight", 2)
    runs = table_of(studies, "star").query("styles == 'glass'").set_index(["parameter", "value"])
    loss = runs["best_style_unweighted"]
    told = star.locator("#facts dt:text-is('style loss') + dd").inner_text()
    assert float(told.split("\u00d7")[1]) == pytest.approx(
        loss["style_weight", 500] / loss["style_weight", 50], rel=0.05
    )
    assert "\u00d7" not in star.locator("#facts dt:text-is('total loss, weighted') + dd").inner_text(), "weights differ"
    slide(star, "style_scales", 1)
    assert "\u00d7" not in star.locator("#facts dt:text-is('style loss') + dd").inner_text(), "measures differ"


def test_a_diverged_run_is_shown_as_such(star):
    slide(star, "learning_rate", 1)
    assert "diverged" in title(star)
    assert "last finite picture" in star.locator("#stage").inner_text()
    assert star.locator("#slider-learning_rate ~ .ticks i.bad").count() == 1
    assert "1 of 2 runs diverged" in star.locator("#along-text").inner_text()
    assert star.locator("#strip .tile.bad .open").inner_text() == "1e+30\ndiverged"


def test_the_contact_sheet(star, grid):
    star.locator("#sheet").scroll_into_view_if_needed()
    expect(star.locator("#sheet tbody th")).to_have_count(3)
    assert star.locator("#sheet tbody th").all_inner_texts() == ["style weight", "style scales", "learning rate"]
    here = star.locator("#sheet .tile.here")
    assert here.count() == 1, "the default is marked as current in rows that are not chosen"
    assert star.locator("#sheet .tile.default").count() == 3
    body = star.locator("#sheet-body")
    assert body.evaluate("box => box.scrollHeight <= box.clientHeight"), "rows are hidden in a box"
    star.locator("#sheet .open").get_by_alt_text("style scales 2").click()
    assert star.locator("#along-title").inner_text() == "What style scales does"
    assert here.locator("b").inner_text() == "2"
    star.locator("#sheet .open").get_by_alt_text("style weight 500").click()
    assert title(star) == "Style weight 500"
    star.locator("#rows").select_option("style_weight")
    star.locator("#columns").select_option("learning_rate")
    assert star.locator("#sheet .none").count() == 2
    grid.locator("#sheet").scroll_into_view_if_needed()
    grid.wait_for_selector("#sheet thead")
    assert grid.locator("#sheet thead th[scope=col]").all_inner_texts() == ["10", "100", "1,000"]
    labels = [text.split("\n")[0] for text in grid.locator("#sheet .open").all_inner_texts()]
    assert labels == [f"{style} · {tv}" for style in ("5", "50") for tv in ("10", "100", "1,000")]
    assert grid.locator("#sheet thead th").first.evaluate("cell => getComputedStyle(cell).position") == "sticky"


def test_a_sheet_of_two_parameters_lies_where_runs_are_and_offers_the_others(star, studies):
    slide(star, "learning_rate", 1)
    star.locator("#rows").select_option("style_weight")
    star.locator("#columns").select_option("style_scales")
    star.locator("#sheet").scroll_into_view_if_needed()
    assert star.locator("#sheet .tile").count() == 4, "the cross lies not around the default"
    assert star.locator("#sheet-note").inner_text() == "All with learning rate 10."
    summary = star.locator("#sheet-offer summary")
    assert summary.inner_text() == "2 of 6 combinations have no run. Compute these 2: config"
    summary.click()
    with star.expect_download() as download:
        star.locator("#sheet-offer").get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "star-grid.yaml"
    offered = yaml.safe_load(download.value.path().read_text())
    there = set(table_of(studies, "star")["run_id"])
    runs = expand(load_config(offered)).runs
    assert (len(runs), len(runs.keys() - there)) == (6, 2)
    alone = offered | {"device": "cpu", "runs_per_job": 1}
    assert jobs(snakemake(studies, "--dry-run", config=alone)) == 2
    star.locator("#rows").select_option("every")
    expect(summary).not_to_be_visible()


def find_point(page, chart):
    """Move over a chart until it shows a card; where that was, and what the card says."""
    page.locator(f"{chart} canvas").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = page.locator(f"{chart} canvas").bounding_box()
    # Where something is drawn in colour there may be one; else anywhere.
    shown = pixels(page.locator(f"{chart} canvas"))
    coloured = np.argwhere(np.ptp(shown, axis=2) > 60)[::-40] + 0.5
    bottom = min(box["height"], 890 - box["y"])
    lines = sorted(np.arange(20, bottom, 8), key=lambda y: abs(y - bottom / 2))
    for down, right in itertools.chain(coloured, itertools.product(lines, np.arange(60, box["width"], 9))):
        x, y = float(box["x"] + right), float(box["y"] + down)
        page.mouse.move(x, y)
        if page.locator("#peek").is_visible():
            return x, y, page.locator("#peek b").inner_text()
    raise AssertionError(f"no point was found in {chart}")


def test_points_and_pictures_point_at_each_other(grid):
    grid.locator("#scatter").scroll_into_view_if_needed()
    x, y, name = find_point(grid, "#scatter")
    assert grid.locator(".tile.hovered").count() >= 1
    grid.mouse.click(x, y)
    assert title(grid).lower() == name.lower()
    grid.mouse.move(5, 5)
    assert not grid.locator("#peek").is_visible()


@pytest.mark.parametrize("chart", ["#parallel", "#curve-content"])
def test_lines_and_pictures_point_at_each_other(grid, chart):
    grid.locator("#sheet").scroll_into_view_if_needed()
    grid.wait_for_selector("#sheet .tile")
    grid.locator(chart).scroll_into_view_if_needed()
    line = grid.locator(f"{chart} .hit").first
    x, y = line.evaluate(
        """line => {
          const place = line.getPointAtLength(line.getTotalLength() / 20).matrixTransform(line.getScreenCTM());
          return [place.x, place.y];
        }"""
    )
    grid.mouse.move(x, y)
    run = grid.evaluate("([x, y]) => document.elementFromPoint(x, y).dataset.run", [x, y])
    name = grid.locator("#peek b").inner_text()
    assert grid.locator(f'.tile.hovered[data-run="{run}"]').count() >= 1
    assert grid.locator(f'{chart} .line.hovered[data-line="{run}"]').count() == 1
    grid.mouse.click(x, y)
    assert title(grid).lower() == name.lower()
    expect(grid.locator(f"{chart} .line.here")).to_have_attribute("data-line", run)
    grid.mouse.move(5, 5)
    assert not grid.locator("#peek").is_visible()


def brush(page, axis, start, end):
    """Drag on an axis, between two places: 0 is its lower end, 1 its upper one."""
    line = page.locator(f"#parallel [data-name={axis}] line")
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    for place, act in ((start, "down"), ((start + end) / 2, "move"), (end, "up")):
        page.mouse.move(box["x"], box["y"] + (1 - place) * box["height"])
        if act != "move":
            getattr(page.mouse, act)()


def test_ranges_dragged_on_axes_filter_the_table_and_the_pictures(star):
    star.locator("#all").scroll_into_view_if_needed()
    star.locator("#shade").select_option("style_loss")
    expect(star.locator("#parallel .line[style]")).to_have_count(5)
    brush(star, "style_weight", 0.2, 0.8)
    words = star.locator("#filter").input_value().split()
    low, high = (float(word.split("=")[1]) for word in words)
    assert 5 < low < 50 < high < 500, "the axis is not logarithmic"
    expect(star.locator("#found .tile")).to_have_count(3)
    assert star.locator("#brush-note").inner_text().startswith("3 of 5 runs")
    assert star.locator("#parallel .line:not(.out)").count() == 3
    brush(star, "style_scales", 1, 0.5)
    expect(star.locator("#found .open")).to_have_text(["style scales 2"])
    star.locator("#table").scroll_into_view_if_needed()
    expect(star.locator("#runs tbody tr")).to_have_count(1)
    brush(star, "style_scales", 0.5, 0.5)
    assert star.locator("#filter").input_value().split() == words, "a click does not let go of a range"
    star.get_by_role("button", name="Show all runs").click()
    expect(star.locator(".line.out")).to_have_count(0)
    assert star.locator(".brush[height]").count() == 0
    expect(star.locator("#runs tbody tr")).to_have_count(5)


def test_a_tile_marks_its_point(star):
    star.locator("#scatter").scroll_into_view_if_needed()
    star.wait_for_selector("#scatter canvas")
    star.wait_for_timeout(300)
    picture = "document.querySelector('#scatter canvas').toDataURL()"
    before = star.evaluate(picture)
    star.locator("#strip .tile").first.dispatch_event("pointerover")
    star.wait_for_timeout(200)
    assert star.evaluate(picture) != before


def test_loss_curves_weighted_and_not(star):
    star.locator("#losses").scroll_into_view_if_needed()
    for term in ("content", "style", "tv", "total"):
        expect(star.locator(f"#curve-{term} .line")).to_have_count(3)
    lines = star.locator("#curve-style .line:not(.here)")
    before = [line.get_attribute("points") for line in lines.all()]
    star.get_by_role("button", name="Weighted", exact=True).click()
    expect(star.locator("#curve-style .plot-title")).to_have_text("style loss, weighted")
    after = [line.get_attribute("points") for line in lines.all()]
    assert after != before
    heights = [[float(point.split(",")[1]) for point in points.split()] for points in after]
    assert np.mean(heights[1]) < np.mean(heights[0]), "the larger weight's loss is not above"


def test_the_table_sorts_and_filters(star):
    star.locator("#table").scroll_into_view_if_needed()
    rows = star.locator("#runs tbody tr")
    expect(rows).to_have_count(5)
    header = star.locator("#runs th").filter(has_text="style loss")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    losses = [float(text.replace(",", "")) for text in star.locator("#runs tbody td:nth-child(9)").all_inner_texts()]
    assert losses == sorted(losses)
    star.locator("#filter").fill("style_weight>=50 style_weight<100 ok")
    expect(star.locator("#filter-note")).to_have_text("2 of 5 runs")
    star.locator("#filter").fill("foo>3 style_weight>=500")
    wrong_column = re.compile(r"^no column foo; known: style_weight,.* 1 of 5 runs$")
    expect(star.locator("#filter-note")).to_have_text(wrong_column)
    star.locator("#filter").fill("style_weight>abc")
    expect(star.locator("#filter-note")).to_have_text("abc is no number, as style_weight wants · 5 of 5 runs")
    bottoms = "heads => heads.map(head => head.firstChild.getBoundingClientRect().bottom)"
    heads = star.locator("#runs th").evaluate_all(bottoms)
    assert max(heads) - min(heads) < 1, "headings stand at different heights"
    star.locator("#filter").fill("diverged")
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Open").click()
    assert "diverged" in title(star)


def test_the_address_holds_the_view(star, visit, studies):
    slide(star, "style_weight", 0)
    star.locator("#pin").click()
    star.get_by_role("button", name="Difference", exact=True).click()
    star.get_by_role("button", name="Content colours").click()
    star.locator("#zoom-in").click()
    star.locator("#rows").select_option("style_weight")
    star.locator("#filter").fill("a b&c=d#e")
    expect(star).to_have_url(re.compile("filter"))
    path = studies / "results/studies/star/explorer/index.html"
    other = visit(path, star.evaluate("location.hash"))
    assert title(other) == "Style weight 5"
    assert other.locator("#stage .panes").get_attribute("class") == "panes difference"
    assert other.locator("body").get_attribute("data-colors") == "content"
    assert other.locator("#zoom-fit").inner_text().endswith(" 1.5")
    other.locator("#sheet").scroll_into_view_if_needed()
    expect(other.locator("#rows")).to_have_value("style_weight")
    assert other.locator("#filter").input_value() == "a b&c=d#e"
    broken = visit(path, "#run=%3Cscript%3E&mode=none&zoom=x&pins=a,b&along=none&pair=none&rows=none&sort=none&%E0=%")
    assert title(broken) == "The default"
    assert broken.locator("#announcement").inner_text() == (
        "The link asks for the run <script>, which this study does not have: shown is the default."
    )


def test_favourites_are_kept_and_taken_along(star, visit, studies):
    slide(star, "style_weight", 0)
    star.locator("#favourite").click()
    star.locator("#rating button").nth(4).click()
    slide(star, "style_scales", 1)
    star.locator("#favourite").click()
    star.get_by_role("button", name="Back to the default").click()
    star.locator("#favourite").click()
    assert star.locator("#favourites .tile b").all_inner_texts()[2] == "the default"
    assert star.locator("#favourites .tag.default").count() == 0, "the default is called so twice"
    star.locator("#favourite").click()
    slide(star, "style_scales", 1)
    star.reload()
    star.wait_for_selector("html[data-ready]")
    assert star.locator("#favourites .tile").count() == 2
    with star.expect_download() as download:
        star.locator("#save-marks").click()
    saved = json.loads(download.value.path().read_text())
    runs = table_of(studies, "star").query("pair == 'photograph x glass'").set_index(["parameter", "value"])["run_id"]
    wanted = [runs["style_weight", 5], runs["style_scales", 2]]
    assert [(run["run_id"], run["rating"]) for run in saved["runs"]] == [(wanted[0], 5), (wanted[1], None)]
    star.locator("#final-width").fill("48")
    fragment = yaml.safe_load(star.locator("#fragment").inner_text())
    assert list(expand(load_config(fragment)).runs) == wanted, "the fragment is another study"
    snakemake(studies, "--dry-run", config=fragment | {"device": "cpu"})
    star.locator("#final-width").fill("40")
    star.get_by_role("button", name="Content colours").click()
    larger = load_config(yaml.safe_load(star.locator("#fragment").inner_text()))
    assert [(run.width, run.style_weight) for run in expand(larger).runs.values()] == [(40, 5), (40, 50)]
    assert larger["preserve_colors"]
    assert "--colors content" in star.locator("#command").inner_text()
    assert width_of(studies, star.locator("#command").inner_text(), shlex.split) == 40
    # A larger one grows from the run's own picture.
    star.locator("#final-width").fill("60")
    command = star.locator("#command").inner_text()
    assert command.startswith("styletransfer final ") and command.endswith("--width 60 --preserve-colors")
    assert width_of(studies, command, lambda _: sorted(studies.glob("results/finals/*-60px.png"))) == 60


def width_of(folder, command, files):
    """That of the picture that a command makes, the last of the files that it names or that `files` finds."""
    done = subprocess.run(
        ["bash", "-c", command], check=False, cwd=folder, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with Image.open(folder / files(command)[-1]) as image:
        return image.size[0]


@pytest.mark.parametrize("width", ["-5", "0", "100000", "1.5", ""])
def test_a_width_that_cannot_be_is_told_and_gets_into_no_export(star, width):
    star.locator("#favourite").click()
    star.locator("#final-width").fill(width)
    assert star.locator("#width-fault").inner_text() == (
        "A width is a whole number of pixels, at least 1 and at most 16,384."
    )
    assert star.locator("#command").inner_text() == star.locator("#fragment").inner_text() == ""
    for name in ("command", "fragment"):
        assert star.locator(f"#{name} ~ button").first.is_disabled()
    star.locator("#final-width").fill("16384")
    assert not star.locator("#width-fault").is_visible()
    assert "--width 16384" in star.locator("#command").inner_text()


def test_without_storage(visit, studies):
    denied = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    page = visit(studies / "results/studies/star/explorer/index.html", script=denied)
    page.locator("#favourite").click()
    assert page.locator("#favourites .tile").count() == 1
    assert "denies storage" in page.locator("#storage-note").inner_text()


def test_phone(visit, studies):
    page = visit(
        studies / "results/studies/star/explorer/index.html",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("#slider-learning_rate").scroll_into_view_if_needed()
    stage = page.locator("#stage").bounding_box()
    assert 0 <= stage["y"] < 400, "the picture is out of sight while the sliders move"
    slide(page, "style_weight", 2)
    assert title(page) == "Style weight 500"
    page.locator("#sheet").scroll_into_view_if_needed()
    body = page.locator("#sheet-body")
    expect(body).to_have_class(re.compile(r"\bmore\b"))
    body.evaluate("box => box.scrollTo(box.scrollWidth, 0)")
    expect(body).not_to_have_class(re.compile(r"\bmore\b"))
    page.locator("#table").scroll_into_view_if_needed()
    expect(page.locator("#runs th").nth(2)).to_have_text("style reached")
    for mode in ("Side by side", "Wipe"):
        page.get_by_role("button", name=mode).click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_theme(star, visit, studies):
    background = "getComputedStyle(document.body).backgroundColor"
    light = star.evaluate(background)
    star.get_by_role("button", name="Dark").click()
    dark = star.evaluate(background)
    assert light != dark
    page = visit(studies / "results/studies/star/explorer/index.html", color_scheme="dark")
    assert page.evaluate(background) == dark


def test_a_list_goes_to_the_nearest_run(studies, visit):
    rows = [{"style_weight": 5, "tv_weight": 10}, {"style_weight": 50, "tv_weight": 10}, {"style_weight": 50}]
    listed = GRID | {"study": "list", "design": "list", "vary": {}, "runs": rows}
    snakemake(studies, config=listed)
    page = visit(studies / "results/studies/list/explorer/index.html")
    slide(page, "style_weight", 0)
    slide(page, "tv_weight", 1)
    assert title(page).startswith("Style weight 50, tv weight 100")
    assert "style weight to 50" in page.locator("#announcement").inner_text()


PAGES = "report/data/raw/*/index.html"


def test_the_report_holds_everything(studies, visit, browser, tmp_path):
    snakemake(studies, "--report", str(tmp_path / "report.zip"), config=STAR)
    subprocess.run(["python3", "-m", "zipfile", "-e", "report.zip", "."], check=True, cwd=tmp_path)
    pages = {page.read_text().partition("</title>")[0].rpartition(": ")[2]: page for page in tmp_path.glob(PAGES)}
    assert set(pages) == {"explorer", "which setting?"}
    assert title(visit(pages["explorer"])) == "The default"
    verdict = visit(pages["which setting?"])
    assert verdict.locator("h1").inner_text() == "star: which setting?"
    assert verdict.locator(".recommended img").count()
    assert verdict.locator('a[href^="../"]').count() == 0, "a link leads to an explorer that is not beside it"
    page, fetched = browser.new_page(), []
    page.on("request", lambda request: fetched.append(request.url))
    held = {
        "Verdict": ["verdict"],
        "Figures": ["contact_sheet", "pareto", "loss_curves", "parameter_effects", "response", "device_timeline"],
        "Explorer": ["explorer"],
        "Tables": ["runs"],
        "Environment": ["manifest"],
    }
    for category, labels in held.items():
        page.goto((tmp_path / "report/report.html").as_uri())
        page.get_by_text(category, exact=True).click()
        for label in labels:
            expect(page.get_by_text(label, exact=True)).to_be_visible()
    page.goto((tmp_path / "report/report.html").as_uri())
    page.get_by_text("Figures", exact=True).click()
    page.locator("tr", has_text="contact_sheet").locator("a, button").first.click()
    sheet = page.locator('img[src*="contact_sheet"]')
    expect(sheet).to_be_visible()
    assert sheet.evaluate("image => image.naturalWidth") > 500
    page.close()
    assert not [url for url in fetched if not url.startswith(("file:", "data:", "blob:"))]


def test_a_page_of_what_there_is_names_what_is_missing(studies, visit, tmp_path):
    """The default of the first pair, and all runs of the second, have no result."""
    (tmp_path / "resources").symlink_to(studies / "resources")
    runs = table_of(studies, "star")
    lacking = runs[(runs["styles"] == "candy") | (runs["is_default"])].drop_duplicates("run_id")
    gone = shutil.ignore_patterns(*lacking["run_id"])
    shutil.copytree(studies / "results/runs", tmp_path / "results/runs", ignore=gone)
    snakemake(tmp_path, "--cores", "all", "results/studies/star/partial/explorer", config=STAR)
    page = visit(tmp_path / "results/studies/star/partial/explorer/index.html")
    kept = runs["run_id"].nunique() - len(lacking)
    assert f"{kept} runs" in page.locator("#subtitle").inner_text()
    summary = page.locator(".missing summary")
    assert summary.inner_text() == f"Partial: {len(lacking)} of 10 runs without a result ({len(lacking)} waiting)"
    assert not page.locator(".missing table").is_visible()
    summary.click()
    assert page.locator(".missing tbody tr").count() == len(lacking)
    assert page.locator(".missing table").is_visible()
    assert title(page) != "The default"
    for place in range(page.locator("#strip .tile").count()):
        page.locator("#strip .tile").nth(place).click()
