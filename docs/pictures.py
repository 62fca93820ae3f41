"""Pictures of README and docs: one at its best, the demo's contact sheet, and its pictures by what is measured of them.

Called by `make pictures`, in the project's folder, after the demo.
"""

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from styletransfer.analysis.measures import CONTENT_KEPT, STYLE_REACHED
from styletransfer.reports.figures.contact_sheet import contact_sheet
from styletransfer.reports.figures.style import save
from styletransfer.results import tables
from styletransfer.runs.layout import RUN_FILES
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
# Pictures in order of a number: so many in a row, so wide.
ACROSS, TILE = 8, 192


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


def by_number() -> Image.Image:
    """Pictures of each pair of the demo, from the least to the most of the style, and of the content."""
    runs = tables.read_runs(ROOT / "results/studies/demo/runs.parquet").drop_duplicates(["pair", "run_id"])
    rows = [(pair, ruler) for pair in runs["pair"].unique() for ruler in (STYLE_REACHED, CONTENT_KEPT)]
    font = ImageFont.truetype(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), 17)
    strips = []
    for pair, ruler in rows:
        ordered = runs[runs["pair"] == pair].sort_values(ruler.column)
        shown = ordered.iloc[np.linspace(0, len(ordered) - 1, ACROSS).round().astype(int)]
        tiles = [Image.open(ROOT / "results/runs" / run / RUN_FILES["image"]) for run in shown["run_id"]]
        height = TILE * tiles[0].height // tiles[0].width
        strip = Image.new("RGB", (ACROSS * (TILE + GAP) - GAP, height + 2 * LABEL), "white")
        ImageDraw.Draw(strip).text((0, LABEL / 2), f"{pair}: {ruler.title}", "#22262b", font, "lm")
        for place, (tile, number) in enumerate(zip(tiles, shown[ruler.column], strict=True)):
            x = place * (TILE + GAP)
            strip.paste(tile.resize((TILE, height), Image.Resampling.LANCZOS), (x, LABEL))
            ImageDraw.Draw(strip).text((x + TILE / 2, height + 1.5 * LABEL), f"{number:.2f}", "#5b6570", font, "mm")
        strips.append(strip)
    sheet = Image.new("RGB", (strips[0].width, sum(strip.height for strip in strips)), "white")
    for place, strip in enumerate(strips):
        sheet.paste(strip, (0, sum(above.height for above in strips[:place])))
    return sheet


def main() -> None:
    """Write all."""
    folder = ROOT / "results/pictures"
    folder.mkdir(parents=True, exist_ok=True)
    first_picture(folder).save(DOCS / "first.jpg", quality=86, optimize=True)
    first_pair(folder).save(DOCS / "contact_sheet.jpg", quality=86, optimize=True)
    by_number().save(DOCS / "ruler.webp", quality=82, method=6)


if __name__ == "__main__":
    main()
