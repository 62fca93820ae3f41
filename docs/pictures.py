"""The first two pictures of the README: one picture at its best, and the first pair of the demo's contact sheet.

Called by `make pictures`, in the project's folder, after the demo.
"""

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from styletransfer.reports.figures.contact_sheet import contact_sheet
from styletransfer.reports.figures.style import save
from styletransfer.results import tables
from styletransfer.study import plan

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PICTURES = plan.read(plan.find(ROOT / "results/studies/demo")).pictures
PHOTO, ART = (str(ROOT / PICTURES[name].file) for name in ("cat", "strokes"))
# The README's own example, with more of the style; then larger, from that result: so it looks like it, and sharper.
COMMON = ["--content", PHOTO, "--styles", ART, "--network", "vgg16", "--optimizer", "lbfgs", "--pooling", "avg"]
COMMON += [
    "--content-weight",
    "5",
    "--style-weight",
    "1000",
    "--style-scales",
    "1.2",
    "--tv-weight",
    "1",
    "--overwrite",
]
SMALL, LARGE = 256, 640
GAP, LABEL = 12, 34


def transfer(*options: str) -> None:
    """One picture by hand."""
    subprocess.run([sys.executable, "-m", "styletransfer", "transfer", *COMMON, *options], check=True)


def first_picture(folder: Path) -> Image.Image:
    """Photograph and artwork; below them the result, and the result in the photograph's colours."""
    small, result, preserved = (str(folder / name) for name in ("small.png", "result.png", "preserved.png"))
    transfer("--width", str(SMALL), "--initial", "--iterations", "40", "--output", small)
    larger = ("--width", str(LARGE), "--initial", small, "--iterations", "30")
    transfer(*larger, "--output", result)
    lent = ["--input", result, "--colors-of", PHOTO, "--output", preserved]
    subprocess.run([sys.executable, "-m", "styletransfer", "picture", *lent], check=True)
    height = Image.open(result).height
    art = Image.open(ART).resize((LARGE, LARGE), Image.Resampling.LANCZOS).crop((0, 0, LARGE, height))
    tiles = {
        "the photograph": Image.open(PHOTO).resize((LARGE, height), Image.Resampling.LANCZOS),
        "the artwork": art,
        "the photograph in the style of the artwork": Image.open(result),
        "the same, in the photograph's colours": Image.open(preserved),
    }
    sheet = Image.new("RGB", (2 * LARGE + GAP, 2 * (height + LABEL)), "white")
    font = ImageFont.truetype(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), 20)
    for number, (label, tile) in enumerate(tiles.items()):
        x, y = number % 2 * (LARGE + GAP), number // 2 * (height + LABEL)
        sheet.paste(tile, (x, y))
        ImageDraw.Draw(sheet).text((x + LARGE / 2, y + height + LABEL / 2), label, "#5b6570", font, "mm")
    return sheet


def first_pair(folder: Path) -> Image.Image:
    """The contact sheet of the demo's first pair."""
    runs = tables.read_runs(ROOT / "results/studies/demo/runs.parquet")
    runs = runs[runs["pair"] == runs["pair"].iloc[0]]
    pictures = {name: str(ROOT / PICTURES[name].file) for name in ("coffee", "glass")}
    save(contact_sheet(runs, ROOT / "results/runs", pictures, 4, {}, False), [folder / "sheet.png"])
    return Image.open(folder / "sheet.png").convert("RGB")


def main() -> None:
    """Write both."""
    folder = ROOT / "results/pictures"
    folder.mkdir(parents=True, exist_ok=True)
    first_picture(folder).save(DOCS / "first.jpg", quality=86, optimize=True)
    first_pair(folder).save(DOCS / "contact_sheet.jpg", quality=86, optimize=True)


if __name__ == "__main__":
    main()
