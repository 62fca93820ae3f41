"""The pictures of docs/gallery.md and docs/first_study.md.

Called by `make gallery`, in the project's folder, after the study of config/gallery.yaml. The chosen run of a pair is
enlarged from its own picture, with its own settings. What was killed goes on where it was.
"""

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import yaml
from PIL import Image, ImageDraw, ImageFont

from styletransfer.images import generated
from styletransfer.results import tables
from styletransfer.study import plan

DOCS = Path(__file__).parent
ROOT = DOCS.parent
SETTINGS = yaml.safe_load((ROOT / "config/gallery.yaml").read_text())["defaults"]
# Content, style, and the style weight that was chosen.
CHOSEN = (
    ("cat", "woodcut", 5000),
    ("astronaut", "watercolour", 5000),
    ("cup", "impasto", 5000),
    ("cat", "pencil", 20000),
    ("rocket", "strokes", 5000),
    ("astronaut", "woodcut", 1000),
    ("rocket", "impasto", 5000),
    ("cup", "watercolour", 20000),
    ("cat", "glass", 5000),
)
WIDTH, ITERATIONS = 512, 25
# The cat as a woodcut, with one to four settings turned too far.
EXAMPLES: dict[str, dict[str, Any]] = {
    "as it should be": {},
    "too little style": {"style_weight": 2},
    "the photograph is lost": {"style_weight": 1_000_000, "initial_noiseblend": 1},
    "strokes too small": {"style_scales": 0.5},
    "strokes too large": {"style_scales": 4},
    "smoothed away": {"tv_weight": 1000},
    "grainy": {"style_weight": 20, "tv_weight": 0, "initial_noiseblend": 0.8, "iterations": 20},
    "still noise": {"initial_noiseblend": 1, "iterations": 10},
    "stopped too early": {"iterations": 5},
}
GAP, LABEL = 8, 28


def transfer(content: str, style: str, settings: Mapping[str, Any], result: Path, *options: str) -> None:
    """One picture by hand, of files."""
    command = [sys.executable, "-m", "styletransfer", "transfer", "--network", "vgg16", "--resume", *options]
    command += ["--content", content, "--styles", style]
    command += ["--output", str(result), "--record", str(result.with_suffix(".json"))]
    for name, value in settings.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    subprocess.run(command, check=True)


def large(run: Mapping[str, Any], content: str, style: str, folder: Path) -> Image.Image:
    """A run of the study, enlarged: photograph and artwork on the left, the result beside them."""
    result = folder / f"{run['run_id']}.png"
    settings = SETTINGS | {"style_weight": run["style_weight"], "width": WIDTH, "iterations": ITERATIONS}
    start = ROOT / "results/runs" / run["run_id"] / "image.png"
    transfer(content, style, settings, result, "--initial", str(start))
    right = Image.open(result)
    side = (right.height - GAP) // 2
    sheet = Image.new("RGB", (side + GAP + right.width, right.height), "white")
    for number, path in enumerate((content, style)):
        sheet.paste(_square(Image.open(path), side), (0, number * (right.height - side)))
    sheet.paste(right, (side + GAP, 0))
    return sheet


def _square(image: Image.Image, side: int) -> Image.Image:
    """The middle of a picture."""
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    return image.crop((left, top, left + edge, top + edge)).resize((side, side), Image.Resampling.LANCZOS)


def examples(pictures: Mapping[str, str], folder: Path) -> Image.Image:
    """The cat as a woodcut, with settings turned too far, three in a row."""
    tiles = []
    for label, changed in EXAMPLES.items():
        result = folder / f"{label}.png"
        transfer(pictures["cat"], pictures["woodcut"], SETTINGS | changed, result)
        tiles.append((label, Image.open(result)))
    return _sheet(tiles, 3, 288)


def artworks() -> Image.Image:
    """Every painting of ours."""
    painted = ((name, Image.fromarray(generated.paint(name, *generated.SIZE))) for name in generated.PAINTINGS)
    return _sheet(painted, 4, 200)


def _sheet(tiles: Iterable[tuple[str, Image.Image]], columns: int, width: int) -> Image.Image:
    """Pictures of one size in rows, each with its label below."""
    labelled = list(tiles)
    height = round(width * labelled[0][1].height / labelled[0][1].width)
    rows = -(-len(labelled) // columns)
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, rows * (height + LABEL)), "white")
    font = ImageFont.truetype(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), 16)
    for number, (label, tile) in enumerate(labelled):
        x, y = number % columns * (width + GAP), number // columns * (height + LABEL)
        sheet.paste(tile.resize((width, height), Image.Resampling.LANCZOS), (x, y))
        ImageDraw.Draw(sheet).text((x + width / 2, y + height + LABEL / 2), label, "#5b6570", font, "mm")
    return sheet


def main() -> None:
    """Write all of them."""
    study = ROOT / "results/studies/gallery"
    pictures = {name: str(ROOT / picture.file) for name, picture in plan.read(plan.find(study)).pictures.items()}
    runs = tables.read_runs(study / "runs.parquet")
    folder = ROOT / "results/pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for content, style, weight in CHOSEN:
        (run,) = runs[(runs["pair"] == f"{content} x {style}") & (runs["style_weight"] == weight)].to_dict("records")
        sheet = large(run, pictures[content], pictures[style], folder)
        sheet.save(DOCS / f"gallery/{content}-{style}.webp", quality=84, method=6)
    artworks().save(DOCS / "gallery/artworks.webp", quality=84, method=6)
    examples(pictures, folder).save(DOCS / "gallery/turned-too-far.webp", quality=84, method=6)


if __name__ == "__main__":
    main()
