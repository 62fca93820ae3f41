"""Choosing between two pictures in the explorer, by keyboard alone, in a real browser."""

import json
import re

import pytest
from playwright.sync_api import expect

from browser.synthetic import explorer_of
from helpers.browser import AXE

PROGRESS = "#pairs-progress"


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """The page of a made-up study of thirty runs."""
    return explorer_of(tmp_path_factory.mktemp("pairs"), 30, 96)


@pytest.fixture
def page(visit, made_up):
    return at_pairs(visit(made_up))


def at_pairs(page):
    page.locator('nav a[href="#pairs"]').click()
    expect(page.locator(PROGRESS)).not_to_be_empty()
    return page


def press(page, *keys):
    """Each once the choice before it is counted."""
    for key in keys:
        before = page.locator("#choices").text_content()
        page.keyboard.press(key)
        expect(page.locator("#choices")).not_to_have_text(before)
        page.wait_for_timeout(100)


def choices(page):
    return json.loads(page.locator("#choices").text_content())


def shown(page):
    return page.locator(".contender .picture img").evaluate_all("images => images.map(image => image.src)")


def test_by_keyboard_to_a_recommended_run(page):
    assert page.locator(PROGRESS).inner_text() == "No choice yet."
    assert not page.locator("#ranked").is_visible()
    first = shown(page)
    press(page, "1", "2", "=", "s")
    kept = choices(page)
    assert (kept["format"], kept["version"], kept["study"]) == ("styletransfer-choices", 1, "30 runs")
    assert [one["chosen"] for one in kept["choices"]] == ["left", "right", "equal", "skip"]
    assert {one["rater"] for one in kept["choices"]} == {"anonymous"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", one["at"]) for one in kept["choices"])
    assert len({frozenset((one["left"], one["right"])) for one in kept["choices"]}) == 4, "a pair was asked for twice"
    expect(page.locator(PROGRESS)).to_contain_text("3 choices. The best so far: ")
    assert page.locator("#ranking li").count() == 12
    recommended = page.locator("#recommended .tile b").inner_text()
    assert page.locator("#ranking li").first.inner_text().startswith(recommended)
    press(page, "u", "u", "u", "u")
    assert shown(page) == first
    assert page.locator("#choose-undo").is_disabled()
    assert page.locator("#favourite-count").inner_text() == "", "the page's other keys acted as well"
    page.locator(".contender").nth(1).click()
    expect(page.locator(PROGRESS)).to_contain_text("1 choice. ")
    assert choices(page)["choices"][0]["chosen"] == "right"
    name = page.locator("#ranking li").nth(2).locator("span").nth(1).inner_text()
    page.locator("#ranking .mini").nth(2).click()
    assert page.locator("#stage-title").inner_text().lower() == name


def test_keys_are_the_pairs_only_where_these_are_seen(page):
    page.evaluate("document.activeElement.blur()")
    press(page, "1")
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.press("s")
    assert page.locator("#favourite-count").inner_text() == "★ 1"
    assert len(choices(page)["choices"]) == 1


def test_choices_are_kept_and_those_of_several_people_are_merged(page, visit, made_up, tmp_path):
    page.locator("#rater").fill("Ada")
    page.locator("#rater").blur()
    press(page, "1", "2")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save choices").click()
    assert download.value.suggested_filename == "30 runs-choices.json"
    saved = tmp_path / "ada.json"
    download.value.save_as(saved)
    page.reload()
    at_pairs(page)
    assert page.locator("#rater").input_value() == "Ada"
    expect(page.locator(PROGRESS)).to_contain_text("2 choices. ")
    other = at_pairs(visit(made_up))
    other.locator("#rater").fill("Ben")
    other.locator("#rater").blur()
    press(other, "2")
    foreign = tmp_path / "foreign.json"
    foreign.write_text(json.dumps(json.loads(saved.read_text()) | {"study": "another"}))
    other.locator("#load-choices").set_input_files([saved, foreign, saved])
    expect(other.locator("#choices-note")).to_have_text(
        'ada.json: 2 taken in. foreign.json is not read: it is of the study "another", this page of "30 runs". '
        "ada.json: 0 taken in, 2 known already."
    )
    expect(other.locator(PROGRESS)).to_contain_text("3 choices of 2 people. ")
    assert [one["rater"] for one in choices(other)["choices"]] == ["Ben", "Ada", "Ada"]
    press(other, "u")
    assert [one["rater"] for one in choices(other)["choices"]] == ["Ada", "Ada"], "another one's choice was taken back"


def test_only_finished_pictures_of_the_same_inputs_are_compared(star):
    at_pairs(star)
    for _ in range(6):
        press(star, "1")
    assert not star.locator("#choose-skip").is_enabled(), "four runs have six pairs"
    expect(star.locator(PROGRESS)).to_contain_text("6 choices. ")
    assert "You have judged every pair that could change it." in star.locator(PROGRESS).inner_text()
    star.evaluate("scrollTo(0, 0)")
    star.locator("#pair").select_option("photograph x candy")
    at_pairs(star)
    expect(star.locator(PROGRESS)).to_have_text("No choice yet.")
    assert star.locator("#choose-skip").is_enabled()


def test_without_storage_choices_last_as_long_as_the_page(visit, made_up):
    denied = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    page = at_pairs(visit(made_up, script=denied))
    press(page, "1")
    expect(page.locator(PROGRESS)).to_contain_text("1 choice. ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_access_to_the_pairs(visit, made_up, scheme, width):
    if not AXE.exists():
        pytest.skip("no axe-core: `make browser` installs it where npm is")
    viewport = {"width": width, "height": 900}
    page = at_pairs(visit(made_up, viewport=viewport, color_scheme=scheme, bypass_csp=True))
    press(page, "1", "2", "1")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run('#pairs', {resultTypes: ['violations']})")["violations"]
    bad = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    assert not bad, json.dumps(bad, indent=1)
