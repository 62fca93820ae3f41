"""What holds for the explorer as a whole: access, names of any kind, size and speed."""

import json

import pandas as pd
import pytest
from playwright.sync_api import expect

from browser.synthetic import explorer_of, points
from helpers.browser import AXE, STAR
from helpers.studies import prepared
from styletransfer.analysis import pareto
from styletransfer.reports import explorer
from styletransfer.study.expand import pair_name

HOSTILE = "\"a\" 'b' </script><script>alert(1)</script><img src=x onerror=alert(2)> 100% {{7*7}} ünï 日本 🎨 &amp;"


def options(studies, **changes):
    files = {name: prepared(studies, name, "star") for name in ("photograph", "glass", "candy")}
    found = {name: STAR[name] for name in ("pairs", "weights", "images")}
    found |= {"design": "star", "preserve_colors": False, "network": "resources/weights/vgg16.safetensors"}
    return found | {"files": {name: str(path) for name, path in files.items()}} | changes


def tables(studies):
    folder = studies / "results/studies/star"
    return pd.read_parquet(folder / "runs.parquet"), pd.read_parquet(folder / "losses.parquet")


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """The page of a made-up study of thirty runs."""
    return explorer_of(tmp_path_factory.mktemp("made-up"), 30, 96)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_serious_fault(studies, visit, scheme, width):
    if not AXE.exists():
        pytest.skip("no axe-core: `make browser` installs it where npm is")
    page = visit(
        studies / "results/studies/star/explorer/index.html",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,
    )
    page.locator("#favourite").click()
    page.locator("#slider-learning_rate").fill("1")
    page.locator("#slider-style_weight").fill("0")
    page.locator("#pin").click()
    for section in ("sheet", "losses", "all", "table", "shortlist"):
        page.locator(f"#{section}").scroll_into_view_if_needed()
        page.wait_for_timeout(200)
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    bad = {
        fault["id"]: [node["html"][:200] for node in fault["nodes"]][:3]
        for fault in found
        if fault["impact"] in ("serious", "critical")
    }
    assert not bad, json.dumps(bad, indent=1)


def test_names_of_any_kind_are_text(studies, visit, tmp_path):
    runs, losses = tables(studies)
    names = {"photograph": HOSTILE, "glass": "style " + HOSTILE}
    hostile = options(studies)
    pair = {"content": HOSTILE, "styles": [names["glass"]]}
    hostile["pairs"] = [pair]
    hostile["files"] = {names.get(name, name): path for name, path in hostile["files"].items()}
    hostile["images"] = {names.get(name, name): image for name, image in STAR["images"].items()}
    runs = runs[runs["pair"] == "photograph x glass"].assign(
        pair=pair_name(pair), study=HOSTILE, device=HOSTILE, weights=HOSTILE
    )
    explorer.write(tmp_path, runs, losses, studies / "results/runs", hostile)
    page = visit(tmp_path / "index.html")
    assert page.title() == f"{HOSTILE}: explorer"
    assert page.locator("h1").inner_text() == HOSTILE
    assert f"content: {HOSTILE}" in page.locator("#inputs").inner_text()
    assert HOSTILE in page.locator("#facts").inner_text()
    page.locator("#favourite").click()
    assert json.loads(page.locator("#marks").inner_text())["study"] == HOSTILE
    assert page.locator("script").count() == 3
    page.locator("#table").scroll_into_view_if_needed()
    page.locator("#filter").fill("alert(1)")
    expect(page.locator("#runs tbody tr")).to_have_count(runs["run_id"].nunique())


@pytest.mark.parametrize("reached, beats", [(0.6, True), (0.4, False)])
def test_the_words_tell_what_lies_between_and_what_beats_it(studies, visit, tmp_path, reached, beats):
    runs, losses = tables(studies)
    runs = runs[(runs["pair"] == "photograph x glass") & (runs["style_scales"].astype(float) == 1)]
    runs = runs.drop_duplicates("run_id").assign(status="ok", best_tv_unweighted=1.0, best_total=1.0)
    rival = runs["learning_rate"] > 1e9
    made = {5: (0.9, 0.1), 50: (0.5, 0.5), 500: (0.1, 0.9)}
    for place, column in enumerate(("content_kept", "style_reached")):
        numbers = runs["style_weight"].map(lambda weight, place=place: made[weight][place]).astype(float)
        runs[column] = numbers.mask(rival, (0.6, reached)[place])
    explorer.write(tmp_path, pareto.with_columns(runs), losses, studies / "results/runs", options(studies))
    words = visit(tmp_path / "index.html").locator("#along-text").inner_text()
    assert "From 5 to 500: style reached 0.10 \u2192 0.90, content kept 0.90 \u2192 0.10." in words
    assert "50 lies nearest to the most of both (style reached 0.50, content kept 0.50)" in words
    assert "look at 5, 50 and 500 and choose by eye." in words
    sentence = "Learning rate 1e+30 has more of both (style reached 0.60 against 0.50, content kept 0.60 against 0.50)."
    assert (sentence in words) == beats == ("has more" in words)


def test_pictures_beside_a_large_page(studies, visit, tmp_path):
    explorer.write(tmp_path, *tables(studies), studies / "results/runs", options(studies), max_bytes=1)
    assert len(list((tmp_path / "pictures").glob("*.avif"))) == 10
    page = visit(tmp_path / "index.html")
    page.locator("#sheet").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    widths = page.locator(".picture img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert len(widths) > 10
    assert set(widths) == {48}


def test_a_study_of_one_run(studies, visit, tmp_path):
    runs, losses = tables(studies)
    one = runs[runs["is_default"]].head(1).assign(parameter="", value=None)
    explorer.write(tmp_path, one, losses, studies / "results/runs", options(studies, pairs=STAR["pairs"][:1]))
    page = visit(tmp_path / "index.html")
    assert page.locator(".slider").count() == 0
    for section in ("sheet", "losses", "all", "table", "shortlist"):
        page.locator(f"#{section}").scroll_into_view_if_needed()
    expect(page.locator("#runs tbody tr")).to_have_count(1)
    expect(page.locator("#sheet .tile")).to_have_count(1)
    page.locator("body").press("ArrowRight")
    page.locator("#favourite").click()
    page.get_by_role("button", name="Wipe").click()
    expect(page.locator("#favourites .tile")).to_have_count(1)


def test_words_and_lists_as_values(studies, visit, tmp_path):
    runs, losses = tables(studies)
    runs = runs[runs["pair"] == "photograph x glass"].drop_duplicates("run_id").head(3)
    runs = runs.assign(
        pooling=["max", "avg", "max"], style_blend_weights=["0.5 0.5", "0.5 0.5", "0.2 0.8"], parameter=""
    )
    made = options(studies, design="list", pairs=[{"content": "photograph", "styles": ["glass", "candy"]}])
    runs["pair"] = "photograph x glass + candy"
    explorer.write(tmp_path, runs, losses, studies / "results/runs", made)
    page = visit(tmp_path / "index.html")
    for parameter in ("pooling", "style_blend_weights"):
        page.locator(f"#slider-{parameter}").focus()
        page.locator(f"#slider-{parameter}").fill("1")
    assert "style blend weights 0.2 0.8" in page.locator("#stage-title").inner_text()
    page.locator("#favourite").click()
    assert '"style_blend_weights":[0.2,0.8]' in page.locator("#fragment").inner_text()
    page.locator("#final-width").fill("16")
    assert "--style-blend-weights 0.2 0.8" in page.locator("#command").inner_text()
    for section in ("sheet", "losses", "all", "table", "shortlist"):
        page.locator(f"#{section}").scroll_into_view_if_needed()
        page.wait_for_timeout(300)


@pytest.mark.parametrize("size", [(1440, 1000), (390, 844)])
@pytest.mark.parametrize("section", ["all", "table", "shortlist"])
def test_a_link_lands_on_its_heading_whatever_is_drawn_late(visit, made_up, section, size):
    viewport = dict(zip(("width", "height"), size, strict=True))
    tops = []
    for address in ("", f"#{section}"):
        page = visit(made_up, address, viewport=viewport)
        if not address:
            page.locator(f'nav a[href="#{section}"]').click()
        page.wait_for_selector("#parallel svg")
        page.wait_for_timeout(500)
        tops.append(page.locator(f"#{section}-title").bounding_box()["y"])
        header = page.locator(".top").bounding_box()
        assert tops[-1] >= header["y"] + header["height"], "the heading lies under the header"
        end = page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 1")
        assert end or tops[-1] < 160
        page.close()
    assert abs(tops[0] - tops[1]) < 2


def test_the_seventh_pin_is_refused_in_words(visit, made_up):
    page = visit(made_up)
    for place in range(7):
        page.locator("#slider-tv_weight").fill(str(place))
        page.keyboard.press("p")
    assert page.locator("#announcement").inner_text() == ("6 pictures are pinned, the most at once: unpin one first.")
    assert page.locator(".pane").count() == 7
    assert page.locator("#pin").is_disabled()
    columns = len(set(page.locator(".pane").evaluate_all("panes => panes.map(pane => pane.offsetLeft)")))
    assert columns == 4, "square pictures in a wide box stand in two rows"
    page.locator(".pane", has_text="tv weight").last.get_by_role("button", name="Pin").click()
    assert page.locator("#pin").is_enabled()


def test_a_closer_look_is_one_at_the_runs_own_file(studies, visit, monkeypatch):
    monkeypatch.setattr(explorer, "LARGEST_WIDTH", 32)
    folder = studies / "results/studies/star/smaller"
    explorer.write(folder, *tables(studies), studies / "results/runs", options(studies))
    page = visit(folder / "index.html", root=studies)
    picture = page.locator("#stage img")
    expect(picture).to_have_js_property("naturalWidth", 32)
    page.keyboard.press("z")
    expect(picture).to_have_js_property("naturalWidth", 48)


def test_252_runs_fill_one_page(visit, tmp_path):
    index = explorer_of(tmp_path, 252, 320)
    assert explorer.MAX_BYTES / 2 < index.stat().st_size < 1.05 * explorer.MAX_BYTES
    page = visit(index)
    page.locator("#effect").scroll_into_view_if_needed()
    page.wait_for_selector("#effect canvas")


def test_1000_runs_open_and_every_part_works(visit, tmp_path):
    page = visit(explorer_of(tmp_path, 1000, 48))
    page.locator("#effect").scroll_into_view_if_needed()
    page.wait_for_selector("#effect canvas")
    slider = page.locator("#slider-tv_weight")
    for place in ("0", "77", slider.get_attribute("max")):
        slider.fill(place)
        value = slider.get_attribute("aria-valuetext").split(",")[0]
        assert page.locator("#stage-title").inner_text() == f"Tv weight {value}"
        expect(page.locator("#stage .picture img").first).to_have_js_property("naturalWidth", 48)
    for section in ("sheet", "losses", "all", "table", "shortlist"):
        page.locator(f"#{section}").scroll_into_view_if_needed()
        page.wait_for_timeout(300)
    assert page.locator("#sheet .tile").count() > 0
    for chart in ("#curve-style svg", "#scatter canvas", "#parallel svg"):
        page.wait_for_selector(chart)
    large = sum(values.get("learning_rate", 0) >= 25 for _, values, _ in points(1000))
    page.locator("#filter").fill("learning_rate>=25")
    expect(page.locator("#filter-note")).to_have_text(f"{large} of 1000 runs")
    page.locator("#runs tbody .mini").first.click()
    assert page.locator("#stage-title").inner_text().startswith("Learning rate")
