"""The page of a study at work, in a real browser."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from helpers import running_study
from helpers.browser import AXE
from styletransfer.reports.dashboard import Page
from styletransfer.reports.monitor import Monitor


@pytest.fixture
def at_work(tmp_path):
    """A study in the middle of its work, its pool, and the writer of its page."""
    study = running_study.expand()
    with running_study.busy(study, tmp_path / "runs"):
        watched = Monitor(study, tmp_path / "runs")
        page = Page(tmp_path / "studies/busy/live.html", watched, 1)
        page.write(watched.snapshot())
        yield study, watched, page


def write_again(watched, page):
    now = watched.snapshot()
    page.write(now)
    return now


def test_the_page_reloads_itself_until_it_is_asked_not_to(at_work, visit, tmp_path):
    study, watched, writer = at_work
    page = visit(tmp_path / "studies/busy/live.html")
    assert page.title() == "6/12 busy"
    assert page.locator("h2").all_inner_texts()[0].startswith("6 of 12 done, 1 of them diverged, 3 running")
    assert page.locator(".runs li").count() == 3
    assert "176.5" in page.locator(".runs li").first.inner_text()
    assert page.locator(".runs polyline").count() == 2
    assert page.locator(".pictures img").evaluate_all("images => images.map(image => image.naturalWidth)") == [100] * 6
    assert page.locator(".pictures .warn").count() == 1
    assert "<b>[red]no</b>" in page.locator(".faults").inner_text()
    for link in page.locator("a").evaluate_all("links => links.map(link => decodeURI(link.pathname))"):
        assert Path(link).exists()
    last = list(study.runs)[-1]
    running_study.finish(tmp_path / "runs" / last)
    write_again(watched, writer)
    expect(page).to_have_title("7/12 busy")
    page.locator("#refresh").uncheck()
    running_study.finish(tmp_path / "runs" / list(study.runs)[-2])
    write_again(watched, writer)
    page.wait_for_timeout(2500)
    assert page.title() == "7/12 busy", "it reloaded itself though it was asked not to"
    page.reload()
    expect(page.locator("#refresh")).not_to_be_checked()
    assert page.title() == "8/12 busy"


def test_the_page_says_when_nothing_writes_it(at_work, visit, tmp_path):
    path = tmp_path / "studies/busy/live.html"
    path.write_text(re.sub(r'data-written="[\d.]+"', 'data-written="1"', path.read_text()))
    page = visit(path, "#still")
    expect(page.locator("#age")).to_contain_text("watch.py was ended")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_serious_fault(at_work, visit, tmp_path, scheme, width):
    if not AXE.exists():
        pytest.skip("no axe-core: `make browser` installs it where npm is")
    page = visit(
        tmp_path / "studies/busy/live.html",
        "#still",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,
    )
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert not [fault for fault in found if fault["impact"] in ("serious", "critical")], json.dumps(found, indent=1)
