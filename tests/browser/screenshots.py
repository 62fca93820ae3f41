"""Pictures of an explorer for the README: on a desk, in the dark, on a phone."""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

# A run and a view that say what the page is for.
SHOTS = {
    "explorer": ({"viewport": {"width": 1440, "height": 1010}}, ""),
    "explorer_dark": (
        {"viewport": {"width": 1440, "height": 1010}, "color_scheme": "dark"},
        "#mode=wipe&against=content&wipe=42",
    ),
    "explorer_phone": ({"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}, ""),
}


def main() -> None:
    """Take all pictures of one page."""
    page_file, folder = map(Path, sys.argv[1:])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (options, address) in SHOTS.items():
            page = browser.new_page(**options)
            page.goto(page_file.resolve().as_uri() + address)
            page.wait_for_selector("html[data-ready]")
            page.wait_for_timeout(1000)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.save(folder / f"{name}.webp", quality=82, method=6)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
