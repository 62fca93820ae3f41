"""The page of a study at work, in a real browser."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from helpers import running_study
from helpers.browser import AXE
from styletransfer.reports import live


@pytest.fixture
def at_work(tmp_path, monkeypatch):
    """A study in the middle of its work, its pool, and the writer of its page."""
    monkeypatch.setattr(live, "MIN_SECONDS", 1.0)
    study = running_study.expand()
    with running_study.busy(study, tmp_path / "runs"):
        page = live.LivePage(study, tmp_path / "runs", tmp_path / "studies/busy")
        assert page.update()
        yield study, page


@pytest.fixture
def visit_study(visit, tmp_path):
    """Open the page; its pictures lie beside it in the pool."""
    return lambda *address, **options: visit(tmp_path / "studies/busy/live.html", *address, root=tmp_path, **options)


def test_the_page_reloads_itself_until_it_is_asked_not_to(at_work, visit_study, tmp_path):
    study, writer = at_work
    page = visit_study()
    assert page.title() == "6/12 busy"
    assert page.locator("h2").all_inner_texts()[0].startswith("6 of 12 done, 1 of them diverged, 3 running")
    rows = page.locator("[aria-labelledby=running] tbody tr")
    assert rows.count() == 3
    assert "176.5" in rows.first.inner_text()
    assert page.locator(".tile img").evaluate_all("images => images.map(image => image.naturalWidth)") == [100] * 6
    assert page.locator(".tile .warn").count() == 1
    assert "<b>[red]no</b>" in page.locator("[aria-labelledby=stopped]").inner_text()
    for link in page.locator("a").evaluate_all("links => links.map(link => decodeURI(link.pathname))"):
        assert Path(link).exists()
    running_study.finish(tmp_path / "runs" / list(study.runs)[-1])
    assert writer.update(last=True)
    expect(page).to_have_title("7/12 busy")
    page.locator("#refresh").uncheck()
    running_study.finish(tmp_path / "runs" / list(study.runs)[-2])
    assert writer.update(last=True)
    page.wait_for_timeout(2500)
    assert page.title() == "7/12 busy", "it reloaded itself though it was asked not to"
    page.reload()
    expect(page.locator("#refresh")).not_to_be_checked()
    assert page.title() == "8/12 busy"


def test_the_page_says_when_nothing_writes_it(at_work, visit_study, tmp_path):
    path = tmp_path / "studies/busy/live.html"
    path.write_text(re.sub(r'data-written="[\d.]+"', 'data-written="1"', path.read_text()))
    expect(visit_study("#still").locator("#age")).to_contain_text("no run is at work")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_serious_fault(at_work, visit_study, scheme, width):
    if not AXE.exists():
        pytest.skip("no axe-core: `make browser` installs it where npm is")
    page = visit_study(
        "#still",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,
    )
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert not [fault for fault in found if fault["impact"] in ("serious", "critical")], json.dumps(found, indent=1)
