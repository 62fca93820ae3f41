"""How large explorers are, and how soon a browser shows them: of made-up studies of any size."""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow"))

from browser.synthetic import explorer_of
from helpers.browser import QUIET


def opened(chromium, index):
    """Seconds until the first chart is drawn, and MiB of JavaScript's heap when the page was scrolled through."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    begin = time.monotonic()
    page.goto(index.as_uri())
    page.locator("#effect").scroll_into_view_if_needed()
    page.wait_for_selector("#effect canvas")
    seconds = time.monotonic() - begin
    for y in range(0, page.evaluate("document.documentElement.scrollHeight"), 700):
        page.evaluate(f"scrollTo(0, {y})")
        page.wait_for_timeout(150)
    heap = page.evaluate("performance.memory.usedJSHeapSize") / 2**20
    page.close()
    return seconds, heap


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[20, 252, 1000], help="sizes of studies")
    parser.add_argument("--width", type=int, default=512, help="of the pictures")
    parser.add_argument("--times", type=int, default=3, help="each page is opened so often; the median is told")
    options = parser.parse_args()
    print("| runs | page | pictures beside | shown after | JavaScript heap |\n|---|---|---|---|---|")
    for count in options.runs:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            index = explorer_of(Path(folder), count, options.width)
            beside = sum(path.stat().st_size for path in index.parent.glob("pictures/*"))
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(QUIET))
            seconds, heap = zip(*(opened(chromium, index) for _ in range(options.times)), strict=True)
            chromium.close()
            print(
                f"| {count:,} | {index.stat().st_size / 1e6:.1f} MB | {beside / 1e6:.0f} MB "
                f"| {statistics.median(seconds):.1f} s | {statistics.median(heap):.0f} MiB |",
                flush=True,
            )


if __name__ == "__main__":
    main()
