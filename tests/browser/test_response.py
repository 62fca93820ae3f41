"""What a model says of the parameters, in the explorer."""

import json

import pytest
from playwright.sync_api import expect

from browser.synthetic import explorer_of
from helpers import planted
from helpers.browser import AXE
from styletransfer.analysis.response import responses
from styletransfer.results import responses as files


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """A page whose first measure has two parameters that act together, and whose second a star has told of."""
    folder = tmp_path_factory.mktemp("response")
    found = []
    for runs in (planted.two_act(0)[0], planted.star(pairs=("a x b", "c x d"))):
        files.write(folder / "response.json", "s", responses(runs.assign(content_kept=runs["style_reached"])))
        found.append(files.read(folder / "response.json")[len(found)])
    return explorer_of(folder, 12, 48, found)


def opened(visit, page_file, **options):
    page = visit(page_file, **options)
    page.locator("nav a[href='#response']").click()
    expect(page.locator(".response")).to_have_count(2)
    return page


def test_it_says_and_shows_what_matters(visit, page_file):
    page = opened(visit, page_file)
    first, second = page.locator(".response").all()
    assert "style_scales and learning_rate act together: 9.8 %" in first.inner_text()
    assert first.locator(".shares tbody tr").count() == 6
    assert first.locator(".shares .matters th").all_inner_texts() == ["style scales", "learning rate"]
    assert first.locator(".pairs td.act-together").inner_text().startswith("9.8 %")
    assert first.locator("figure polyline").count() == 2
    assert second.locator(".pairs tbody th").all_inner_texts() == ["the pictures"], "rows of which nothing can be told"
    assert second.locator("figure").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_parameter_is_chosen_by_its_name(visit, page_file):
    page = opened(visit, page_file)
    page.locator(".response .shares button", has_text="learning rate").first.press("Enter")
    expect(page.locator("#along-title")).to_have_text("What learning rate does")
    expect(page.locator("#along-title")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_serious_fault(visit, page_file, scheme, width):
    if not AXE.exists():
        pytest.skip("no axe-core: `make browser` installs it where npm is")
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "bypass_csp": True}
    page = opened(visit, page_file, **options)
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run('#response', {resultTypes: ['violations']})")["violations"]
    bad = {fault["id"]: [node["html"][:200] for node in fault["nodes"]][:3] for fault in found}
    assert not bad, json.dumps(bad, indent=1)


def test_without_a_model_there_is_no_section(visit, tmp_path):
    page = visit(explorer_of(tmp_path, 5, 48))
    assert page.locator("#response").count() == page.locator("nav a[href='#response']").count() == 0
