"""Pictures of a verdict and an explorer for the README: on a desk, in the dark, on a phone."""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

# Of the study's folder: a page with a view that says what it is for, and what is at the top of it.
SHOTS = {
    "verdict": ({"viewport": {"width": 1280, "height": 830}}, "verdict/index.html", "body"),
    "explorer": ({"viewport": {"width": 1440, "height": 1010}}, "explorer/index.html", "#explore"),
    "explorer_dark": (
        {"viewport": {"width": 1440, "height": 1010}, "color_scheme": "dark"},
        "explorer/index.html#mode=wipe&against=content&wipe=42",
        "#explore",
    ),
    "explorer_phone": (
        {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
        "explorer/index.html",
        "#explore",
    ),
}


def main() -> None:
    """Take all pictures of one study."""
    study, folder = map(Path, sys.argv[1:])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (options, address, top) in SHOTS.items():
            page = browser.new_page(**options)
            page.goto(f"{study.resolve().as_uri()}/{address}")
            page.wait_for_selector("html[data-ready]")
            page.evaluate("(top) => document.querySelector(top).scrollIntoView()", top)
            page.wait_for_timeout(2000)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.save(folder / f"{name}.webp", quality=82, method=6)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
