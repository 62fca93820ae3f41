"""Measure what a study of many tiny runs costs beside its optimisation: seconds, memory, files, by stage.

    python tests/load/measure_load.py --runs 100 300 1000 --folder /tmp/load --figure load.png

Plan, batches, tables, figures, explorer and manifest are real; only the optimisation is stubbed (stub.py). With
--folder every study stays there, its measurements in measured.json, and one that was measured is not measured again.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow"))

from load.study import NOTES, prepare, snakemake

# What is called, in turn, by what it is called in the table; `runs` is told below which jobs those are.
CALLS = {"dry run": ["--dry-run"], "runs": ["--until"], "all after": [], "nothing to do": []}
# Commands of the workflow that the second and third of these start.
COMMANDS = {
    "batches": "run",
    "tables": "collect",
    "figures": "draw",
    "explorer": "explorer",
    "manifest": "manifest",
}
PLACES = {"runs": "results/runs", "study": "results/studies", "Snakemake": ".snakemake"}


def measure(folder: Path, runs: int, per_job: int) -> dict[str, float]:
    """All figures of one study, by name."""
    prepare(folder, runs, per_job)
    batches = [f"transfer_{number:04}" for number in range(1, math.ceil(runs / per_job) + 1)]
    found: dict[str, float] = {"runs": runs}
    for name, words in CALLS.items():
        seconds, memory, _ = snakemake(folder, *words, *(batches if name == "runs" else []), "--quiet", "all")
        found[f"{name} s"], found[f"{name} MiB"] = seconds, memory
        print(f"{runs:,} runs: {name}: {seconds:.1f} s, {memory:.0f} MiB", file=sys.stderr, flush=True)
    notes = [json.loads(line) for line in (folder / NOTES).read_text(encoding="utf-8").splitlines()]
    for name, command in COMMANDS.items():
        of = [note for note in notes if note["command"] == command]
        found[f"{name} s"] = sum(note["seconds"] for note in of)
        found[f"{name} MiB"] = max(note["peak_mib"] for note in of)
    for name, place in PLACES.items():
        sizes = [path.stat().st_size for path in (folder / place).rglob("*") if path.is_file()]
        found[f"{name} files"], found[f"{name} MB"] = len(sizes), sum(sizes) / 1e6
    page = folder / "results/studies/load/explorer/index.html"
    found["page MB"] = page.stat().st_size / 1e6
    found |= dict(zip(("page shown s", "page heap MiB"), shown(page), strict=True))
    return found


def shown(page: Path) -> tuple[float, float]:
    """Seconds until Chromium shows the page, and MiB of its heap; NaN where there is no Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return math.nan, math.nan
    from playwright.sync_api import sync_playwright

    from browser.measure_explorer import opened
    from helpers.browser import QUIET

    with sync_playwright() as playwright:
        return opened(playwright.chromium.launch(executable_path=chromium, args=list(QUIET)), page)


def exponents(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """By figure, the power of the number of runs with which it grows from the last but one study to the last."""
    if len(measured) < 2:
        return {}
    first, last = measured[-2:]
    growth = math.log(last["runs"] / first["runs"])
    return {name: math.log(last[name] / first[name]) / growth for name in last if first[name] > 0 and last[name] > 0}


def table(measured: Sequence[Mapping[str, float]]) -> str:
    """Markdown: a line for each figure, a column for each study, and the exponent."""
    powers = exponents(measured)
    head = ["", *(f"{study['runs']:,}" for study in measured), "exponent"]
    lines = [head, ["---"] * len(head)]
    for name in list(measured[-1])[1:]:
        numbers = [f"{study[name]:,.0f}" if study[name] >= 10 else f"{study[name]:.1f}" for study in measured]
        lines.append([name, *numbers, f"{powers[name]:.2f}" if name in powers else ""])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw(measured: Sequence[Mapping[str, float]], path: Path) -> None:
    """Seconds, memory and files against the number of runs, on log axes."""
    from matplotlib.figure import Figure

    from styletransfer.reports.figures.style import CATEGORIES, log_ticks, save

    panels = {
        "seconds": [*(f"{name} s" for name in (*CALLS, *COMMANDS)), "page shown s"],
        "peak memory, MiB": [*(f"{name} MiB" for name in ("dry run", *COMMANDS)), "page heap MiB"],
        "files": [f"{name} files" for name in PLACES],
        "MB": [*(f"{name} MB" for name in PLACES), "page MB"],
    }
    runs = [study["runs"] for study in measured]
    figure = Figure(figsize=(11, 8), layout="constrained")
    for axis, (title, names) in zip(figure.subplots(2, 2).flat, panels.items(), strict=True):
        for number, name in enumerate(names):
            axis.loglog(
                runs,
                [study[name] for study in measured],
                color=CATEGORIES[number % len(CATEGORIES)],
                ls="-" if number < len(CATEGORIES) else "--",
                marker="o",
                ms=4,
                label=" ".join(name.split()[:-1]),
            )
        log_ticks(axis.xaxis)
        log_ticks(axis.yaxis)
        axis.set_title(title, loc="left", fontsize=10, weight="bold")
        axis.set_xlabel("runs", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=8)
    save(figure, [path])


def main() -> None:
    """Measure each study, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--runs", type=int, nargs="+", default=[100, 300, 1000], help="sizes of studies, multiples of 10"
    )
    parser.add_argument("--per-job", type=int, default=100, help="runs in a batch")
    parser.add_argument("--folder", type=Path, help="where studies stay; default: nowhere")
    parser.add_argument("--figure", type=Path, help="draw the table here, PNG or PDF")
    options = parser.parse_args()
    measured = []
    for runs in sorted(options.runs):
        with tempfile.TemporaryDirectory() as temporary:
            folder = (options.folder or Path(temporary)) / str(runs)
            folder.mkdir(parents=True, exist_ok=True)
            kept = folder / "measured.json"
            if not kept.exists():
                kept.write_text(json.dumps(measure(folder.absolute(), runs, options.per_job)), encoding="utf-8")
            measured.append(json.loads(kept.read_text(encoding="utf-8")))
    print(table(measured))
    if options.figure:
        draw(measured, options.figure)


if __name__ == "__main__":
    main()
