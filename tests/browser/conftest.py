"""A real small study of each design, run once, and Debian's Chromium to look at its explorer."""

import pytest

from helpers.browser import CHROMIUM, GRID, QUIET, STAR
from helpers.workflow import ROOT, snakemake


@pytest.fixture(scope="session")
def studies(tmp_path_factory):
    """The folder in which both studies were run."""
    folder = tmp_path_factory.mktemp("studies")
    for config in (STAR, GRID):
        snakemake(folder, config=config)
    (folder / "workflow").symlink_to(ROOT / "workflow")
    return folder


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium: `make browser` as root installs it, or apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open a page file. In the end: nothing was written to the console, no error was raised, nothing was fetched.

    root: the folder in which its pictures may be; without it, that of the page. forgiven: what its console may say.
    """
    faults, contexts = [], []

    def open_page(path, address="", script="", root=None, forgiven=None, **options):
        context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: say(f"console {message.type}: {message.text}", forgiven))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: note(request.url, root or path.parent))
        if script:
            page.add_init_script(script)
        page.goto(path.as_uri() + address)
        page.wait_for_selector("html[data-ready]")
        return page

    def say(message, forgiven):
        if forgiven is None or forgiven not in message:
            faults.append(message)

    def note(url, root):
        if not url.startswith(("data:", root.as_uri())):
            faults.append(f"request: {url}")

    yield open_page
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def star(studies, visit):
    return visit(studies / "results/studies/star/explorer/index.html")


@pytest.fixture
def grid(studies, visit):
    return visit(studies / "results/studies/grid/explorer/index.html")
