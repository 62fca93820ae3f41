"""A real small study of each design, run once, and Debian's Chromium to look at its explorer."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
AXE = ROOT / ".venv/axe/node_modules/axe-core/axe.min.js"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-precise-memory-info"),
)
# Two pairs; the learning rate of one run makes it diverge.
STAR = {
    "study": "star",
    "weights": "vgg16",
    "images": {"photograph": {"sample": "astronaut"}, "glass": {"painting": "glass"}, "candy": {"painting": "candy"}},
    "pairs": [{"content": "photograph", "styles": ["glass"]}, {"content": "photograph", "styles": ["candy"]}],
    "defaults": {"width": 48, "iterations": 4, "content_weight": 1, "style_weight": 50},
    "vary": {"style_weight": [5, 50, 500], "style_scales": [1, 2], "learning_rate": [10, 1.0e30]},
    "device": "cpu",
    "print_iterations": 1,
    "runs_per_job": 20,
}
GRID = STAR | {
    "study": "grid",
    "design": "grid",
    "pairs": STAR["pairs"][:1],
    "vary": {"style_weight": [5, 50], "tv_weight": [10, 100, 1000]},
}


def environment():
    """Where `python` is the one that runs the tests."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def snakemake(folder, config, *arguments):
    (folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "study.yaml"]
    done = subprocess.run(
        [*command, *arguments], check=False, cwd=folder, env=environment(), capture_output=True, text=True, timeout=560
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@pytest.fixture(scope="session")
def studies(tmp_path_factory):
    """The folder in which both studies were run."""
    folder = tmp_path_factory.mktemp("studies")
    for config in (STAR, GRID):
        snakemake(folder, config)
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
    """Open a page file. In the end: nothing was written to the console, no error was raised, nothing was fetched."""
    faults, contexts = [], []

    def open_page(path, address="", script="", **options):
        context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: faults.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: note(request.url, path))
        if script:
            page.add_init_script(script)
        page.goto(path.as_uri() + address)
        page.wait_for_selector("html[data-ready]")
        return page

    def note(url, path):
        if not url.startswith(("data:", path.parent.as_uri())):
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
