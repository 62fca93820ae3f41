"""The verdict on a study: which settings to take, what matters, and how sure that is; as a page, as text, as data.

Every sentence comes with its number, its interval and the runs it rests on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from styletransfer.analysis.measures import CONTENT_KEPT, STYLE_REACHED
from styletransfer.analysis.verdict import Recommended, recommended
from styletransfer.files import atomic
from styletransfer.reports import html
from styletransfer.results import proposal, tables
from styletransfer.runs.layout import RUN_FILES
from styletransfer.study.expand import pair_name
from styletransfer.text import value_labels

VERSION = 1
# Pairs of which a page shows pictures; and how wide, in pixels.
MOST_PAIRS = 4
WIDTH, INPUT_WIDTH = 640, 320
# So many settings that are no different are named.
MOST_ALIKE = 3
NOTHING = (
    "Undecided: no setting has a measured run for every pair of pictures. "
    "`snakemake` computes and measures what is missing."
)
NO_NOISE = "Noise was not measured, so small differences may be chance: `repeats: 6` in the config tells."
WITHOUT_NOISE = "The recommended settings start from a picture, without noise: another seed changes nothing."
ONE_AT_A_TIME = (
    "All settings vary one parameter at a time, so better ones may lie between: {}`design: sobol` varies all at once."
)
PROPOSE = "`snakemake propose` with this study's config writes what to run next, and "
SCALE = (
    "Style reached: 0 as far from the artwork as the photograph, 1 as near as one half of the artwork is to the other. "
    "Content kept: 1 the photograph, 0 the artwork in its place. Bars (±) are for noise."
)


def content(
    runs: pd.DataFrame, measures: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """All that the verdict says, as plain types.

    Args:
        runs: the table of a study's runs.
        measures: what its parameters do to each, as `results.responses.read` has it.
        pairs: the config's.
    """
    study = str(runs["study"].iloc[0])
    found = recommended(runs)
    shown_pairs = list(dict.fromkeys(runs["pair"]))
    known = {pair_name(pair): pair for pair in pairs}
    return {
        "version": VERSION,
        "study": study,
        "missing": tables.incomplete_note(runs),
        "pairs": [{"name": name, **known[name]} for name in shown_pairs],
        "settings": [_setting(study, one) for one in found],
        "notes": _notes(runs, found) if found else [NOTHING],
        "measures": [_measure(found) for found in measures],
    }


def _measure(found: Mapping[str, Any]) -> dict[str, Any]:
    """What matters for a measure: sentences, and the numbers that they tell."""
    told = {name: found[name] for name in ("measure", "title", "runs", "predicts", "reason", "sentences", "pairs")}
    effects = [{name: value for name, value in effect.items() if name != "curve"} for effect in found["effects"]]
    return told | {"effects": effects}


def _notes(runs: pd.DataFrame, found: Sequence[Recommended]) -> list[str]:
    """What holds for all recommended settings."""
    bars = [bar for one in found for bar in one.bars.values()]
    notes = [SCALE]
    notes += [NO_NOISE] if None in bars else [] if any(bars) else [WITHOUT_NOISE]
    default = runs[runs["is_default"]].head(1)
    if len(default):
        varied = {name: default[name].iloc[0] for name in tables.varied(runs)}
        notes.append(f"The default is {title(varied)}; a setting is named by what differs from it.")
    if (runs["parameter"] != "").any():
        notes.append(ONE_AT_A_TIME.format(PROPOSE if max(one.compared for one in found) >= proposal.LEAST else ""))
    return notes


def _setting(study: str, found: Recommended) -> dict[str, Any]:
    reached = {name: round(value, 4) for name, value in found.reached.items()}
    alike = [title(settings) for settings in found.alike]
    return {
        "aim": found.aim.name,
        "says": found.aim.says,
        "title": title(found.settings),
        "settings": dict(zip(found.settings, map(tables.plain, found.settings.values()), strict=True)),
        **reached,
        "bars": found.bars,
        "text": f"{_numbers(found)}; {_best(found)}.",
        "alike": alike,
        "alike_text": _alike_text(alike),
        "runs": dict(found.runs),
        "of_pairs": {pair: _of_pair(found, pair) for pair in found.runs},
        "final": f"styletransfer final {' '.join(found.runs.values())} --study {study} --paper A4",
    }


def _best(found: Recommended) -> str:
    if found.compared == 1:
        return f"the only one of the {found.aim.among}"
    return f"the best of {found.compared} {found.aim.among} if {found.aim.says}"


def _of_pair(found: Recommended, pair: str) -> str:
    """What a setting has in one pair, and what has more of both there."""
    numbers = found.of_pairs[pair]
    own = f"style {numbers[STYLE_REACHED.name]:.2f}, content {numbers[CONTENT_KEPT.name]:.2f}"
    return f"{own}; {title(found.beaten[pair])} has more of both here" if pair in found.beaten else own


def _numbers(found: Recommended) -> str:
    parts = []
    for ruler in (STYLE_REACHED, CONTENT_KEPT):
        bar = found.bars[ruler.name]
        parts.append(f"{ruler.title} {found.reached[ruler.name]:.2f}" + (f" ± {bar:.2f}" if bar else ""))
    over = f", means over {len(found.runs)} pairs" if len(found.runs) > 1 else ""
    return ", ".join(parts) + over


def _alike_text(alike: Sequence[str]) -> str:
    if not alike:
        return ""
    more = len(alike) - MOST_ALIKE
    named = [*alike[:MOST_ALIKE], *([f"{more} more"] if more > 0 else [])]
    return f"As good by these numbers: {'; '.join(named)}."


def title(settings: Mapping[str, Any]) -> str:
    """A setting in words: `style weight 50, pooling max`."""
    parts = [f"{name.replace('_', ' ')} {value_labels([tables.plain(value)])[0]}" for name, value in settings.items()]
    return ", ".join(parts) or "the default"


def write(
    folder: Path, told: Mapping[str, Any], files: Mapping[str, Path], pool: Path, preserve_colors: bool = False
) -> None:
    """Write index.html, verdict.md and verdict.json to a folder.

    Args:
        folder: that is replaced.
        told: what `content` returns.
        files: of the inputs, by name; one may be gone.
        pool: the folder of all runs.
        preserve_colors: show pictures in the content's colours.
    """
    seen = shown(told)
    inputs = {name: html.embedded_input(path, INPUT_WIDTH) for name, path in files.items()}
    runs = [setting["runs"][pair["name"]] for setting in seen["settings"] for pair in seen["pairs"]]
    sources = {run: html.embedded(pool / run / RUN_FILES["image"], WIDTH) for run in dict.fromkeys(runs)}
    scripts = [html.source("beside.js"), html.source("theme.js")]
    page = html.render("verdict.html", scripts, verdict=seen, inputs=inputs, sources=sources, preserve=preserve_colors)
    with atomic.atomic_folder(folder) as temporary:
        atomic.write_text(temporary / "index.html", page)
        atomic.write_text(temporary / "verdict.md", markdown(told))
        atomic.write_text(temporary / "verdict.json", json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def shown(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a page shows of it: the first pairs only."""
    pairs = told["pairs"][:MOST_PAIRS]
    return {**told, "pairs": pairs, "more_pairs": len(told["pairs"]) - len(pairs)}


def markdown(told: Mapping[str, Any]) -> str:
    """The verdict as text."""
    lines = [f"# {told['study']}: which setting?", ""]
    lines += [told["missing"], ""] if told["missing"] else []
    for setting in told["settings"]:
        lines += [f"## {setting['aim'].capitalize()}: {setting['title']}", "", setting["text"]]
        lines += [setting["alike_text"]] if setting["alike_text"] else []
        lines += ["", *(f"- {pair}: {setting['of_pairs'][pair]} (`{run}`)" for pair, run in setting["runs"].items())]
        lines += ["", f"Large, for print: `{setting['final']}`", ""]
    lines += [line for note in told["notes"] for line in (note, "")]
    for measure in told["measures"]:
        lines += [f"## What matters for {measure['title']}", "", *(f"- {text}" for text in measure["sentences"]), ""]
    return "\n".join(lines)
