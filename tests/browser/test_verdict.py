"""The verdict: a page of its own, and the first thing in the explorer."""

import json

import pytest
from playwright.sync_api import expect

from helpers.browser import AXE

LOADED = "document.querySelectorAll('.recommended img:not([src])').length === 0 && " + (
    "[...document.querySelectorAll('.recommended img')].every((image) => image.naturalWidth > 0)"
)


@pytest.fixture
def verdict(studies):
    return studies / "results/studies/star/verdict/index.html"


def test_the_page_shows_three_settings_beside_the_inputs(visit, studies, verdict):
    told = json.loads((verdict.parent / "verdict.json").read_text())
    page = visit(verdict, root=studies)
    page.wait_for_function(LOADED)
    titles = [setting["title"] for setting in told["settings"]]
    assert titles and page.locator(".recommended strong").all_inner_texts() == titles
    assert page.locator(".recommended a img").count() == len(titles) * len(told["pairs"])
    said = page.locator(".says li").all_inner_texts()
    assert said == [text.replace("`", "") for measure in told["measures"] for text in measure["sentences"]]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_its_pictures_open_their_runs_in_the_explorer(visit, studies, verdict):
    told = json.loads((verdict.parent / "verdict.json").read_text())
    page = visit(verdict, root=studies)
    page.locator(".recommended a").last.click()
    page.wait_for_selector("html[data-ready] #stage img")
    run = list(told["settings"][-1]["runs"].values())[-1]
    assert page.evaluate("location.hash").endswith(f"run={run[-12:]}")
    assert run in page.locator("#file").inner_text()


def test_it_stands_first_in_the_explorer_whose_runs_it_opens(star, studies, verdict):
    told = json.loads((verdict.parent / "verdict.json").read_text())
    star.wait_for_function(LOADED)
    assert star.locator("main > section").first.get_attribute("id") == "verdict"
    star.locator("#verdict a").first.click()
    expect(star.locator("#stage-title")).to_be_in_viewport()
    run = next(iter(told["settings"][0]["runs"].values()))
    expect(star.locator("#file")).to_contain_text(run)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_serious_fault(visit, studies, verdict, scheme, width):
    if not AXE.exists():
        pytest.skip("no axe-core: `make browser` installs it where npm is")
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "bypass_csp": True}
    page = visit(verdict, root=studies, **options)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    bad = {fault["id"]: [node["html"][:200] for node in fault["nodes"]][:3] for fault in found}
    assert not bad, json.dumps(bad, indent=1)
