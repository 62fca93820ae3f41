"""How soon the explorer of a large made-up study answers what a reader does, in headless Chromium."""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow"))

from browser.synthetic import explorer_of
from helpers.browser import QUIET

# By name: the section that the reader is at, and what is done there for the k-th time.
ACTIONS = {
    "a slider moved": ("explore", "drag('slider-tv_weight', 20 + k)"),
    "a slider of another parameter moved": ("explore", "drag(['slider-style_weight', 'slider-tv_weight'][k % 2], k)"),
    "a favourite marked": ("explore", "press('#favourite')"),
    "a picture pinned": ("explore", "press('#pin')"),
    "the content's colours": ("explore", "press('#colors button', (k + 1) % 2)"),
    "dark and light": ("explore", "press('#theme')"),
    "all runs on the sheet": ("sheet", "choose('rows', k % 2 ? 'style_weight' : 'every')"),
    "the content's colours, at the sheet": ("sheet", "press('#colors button', (k + 1) % 2)"),
    "an answer in Pairs": ("pairs", "press('.contender', k % 2)"),
    "loss curves weighted": ("losses", "press('#weighting button', (k + 1) % 2)"),
    "dark and light, at the loss curves": ("losses", "press('#theme')"),
    "lines coloured by a parameter": ("all", "choose('shade', element('shade').options[k + 1].value)"),
    "dark and light, at all settings": ("all", "press('#theme')"),
    "the table filtered": ("table", "type('filter', `learning_rate>=${10 + k}`)"),
    "the filter cleared": ("table", "type('filter', '')", "type('filter', 'learning_rate>=20')"),
    "the table sorted": ("table", "press('#runs th button', k)"),
    "a setting added to what to run next": ("next", "press('#add-value')"),
}
SECTIONS = ("sheet", "pairs", "losses", "all", "table", "next", "shortlist")
HANDS = """
window.element = (id) => document.getElementById(id);
window.press = (found, place = 0) => document.querySelectorAll(found)[place].click();
const set = (id, value, name) => {
  element(id).value = value;
  element(id).dispatchEvent(new Event(name, { bubbles: true }));
};
window.drag = (id, value) => { element(id).focus({ preventScroll: true }); set(id, value, "input"); };
window.choose = (id, value) => set(id, value, "change");
window.type = (id, value) => set(id, value, "input");
window.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries())).observe({ type: "longtask" });
window.pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// The timeout comes after the frame is drawn.
window.frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
"""
# Milliseconds until what is seen is drawn, and the longest task of the rest.
MEASURE = """async ([code, before, times]) => {
  const [act, prepare] = [code, before].map((text) => new Function("k", text));
  const found = [];
  for (let k = 0; k < times; k++) {
    prepare(k);
    await pause(1500);
    const start = performance.now();
    act(k);
    await frame();
    await frame();
    const end = performance.now();
    await pause(1000);
    const later = tasks.filter(({ startTime, duration }) => startTime + duration > end);
    found.push([end - start, Math.max(0, ...later.map(({ duration }) => duration))]);
  }
  return found;
}"""


def measure(page, section, code, before="", times=5):
    """Of each time the milliseconds until the answer, and of the longest task after it."""
    page.locator(f"#{section}").scroll_into_view_if_needed()
    page.evaluate(f"element('{section}').scrollIntoView()")
    return page.evaluate(MEASURE, [code, before, times])


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="size of the study")
    parser.add_argument("--width", type=int, default=256, help="of the pictures")
    parser.add_argument("--times", type=int, default=5, help="each action is done so often")
    parser.add_argument("--page", type=Path, help="measure this one, which was made before")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        index = options.page or explorer_of(Path(folder), options.runs, options.width)
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(QUIET))
        page = chromium.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=True)
        page.set_default_timeout(120_000)
        page.goto(index.resolve().as_uri())
        page.wait_for_selector("html[data-ready]")
        page.evaluate(HANDS)
        for section in SECTIONS:
            page.locator(f"#{section}").scroll_into_view_if_needed()
            page.wait_for_timeout(600)
        print("| action | answered after, median | at most | longest task after it |\n|---|---|---|---|")
        for name, action in ACTIONS.items():
            answered, after = zip(*measure(page, *action, times=options.times), strict=True)
            print(
                f"| {name} | {statistics.median(answered):.0f} ms | {max(answered):.0f} ms | {max(after):.0f} ms |",
                flush=True,
            )
        chromium.close()


if __name__ == "__main__":
    main()
