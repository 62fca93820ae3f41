"""From a config to runs: the rows of a study's table.

A study is a list of rows. Each row is a label (pair, parameter, value) on a run; several rows may share one run.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from styletransfer.errors import InputError
from styletransfer.settings import PARAMETERS, Settings, is_default
from styletransfer.study import designs, rungs
from styletransfer.study.config import definition, unknown_key
from styletransfer.study.pictures import Earlier, picture, picture_names, weights
from styletransfer.study.plan import Row, Source, Study
from styletransfer.study.values import refuse_alike, single
from styletransfer.text import value_labels

DEFAULT_LABEL = "default"


def expand(config: Mapping[str, Any], earlier: Earlier = lambda: None) -> Study:
    """All rows of the study that a config describes.

    Args:
        config: with its defaults filled in, as `study.config.load` returns it.
        earlier: gives the study as it was planned before, which knows files of the user's that are gone.

    Raises:
        InputError: that names the key, its value and what to do.

    """
    listed = designs.read_runs(config["runs"])
    defining = definition(config)
    config = {**config, "runs": listed}
    sheet = config.get("contact_sheet", {})
    shown = *sheet.get("limits", ()), *sheet.get("grid", ())
    named = {"vary.": config["vary"], "runs: ": itertools.chain.from_iterable(config["runs"]), "contact_sheet: ": shown}
    for place, names in named.items():
        for name in names:
            if name not in PARAMETERS:
                raise InputError(place + unknown_key(str(name), PARAMETERS))
    varied = {*config["vary"], *itertools.chain.from_iterable(listed)}
    for key in ("limits", "grid"):
        for name in sheet.get(key, ()):
            if name not in varied:
                known = f"Name one of {', '.join(varied)}" if varied else "It varies nothing: remove the key"
                raise InputError(f"contact_sheet.{key} names {name}, which the study does not vary. {known}")
    if config["repeats"] > 1 and "seed" in varied:
        raise InputError(
            f"repeats is {config['repeats']}, and seed is varied as well: repeats have seeds of their own, so remove "
            "one of the two"
        )
    _check_pairs(config["pairs"])
    styles = sorted({len(pair["styles"]) for pair in config["pairs"]})
    config["runs"] = [{name: single(name, value, styles) for name, value in run.items()} for run in listed]
    for name in dict.fromkeys(itertools.chain.from_iterable(listed)):
        different = list(dict.fromkeys(run[name] for run in config["runs"] if name in run))
        refuse_alike(f"runs: {name}", name, different, styles)
    chosen = designs.rows(config, styles)
    network = weights(config, earlier)
    used = {name: picture(config, name, earlier) for name in picture_names(config)}
    labels = _labels(chosen)
    is_repeated = designs.repeated(config, chosen)
    rows: list[Row] = []
    for pair, some in zip(config["pairs"], _parts(config, len(chosen)), strict=True):
        if chosen and not some:
            continue
        base = base_of(pair, used, network) | config["defaults"]
        name = pair_name(pair)
        default = Settings(**base)
        repeated: list[Row] = []
        mine = slice(some.start, some.stop)
        for (parameter, value, changes), label in zip(chosen[mine], labels[mine], strict=True):
            run = Settings(**(base | changes))
            plain = list(value) if isinstance(value, tuple) else value
            rows.append(Row(name, parameter, plain, label, run == default, run))
            repeated += rows[-1:] if run == default or is_repeated(changes) else []
        if config["design"] == "star" and not any(row.is_default and row.pair == name for row in rows):
            rows.append(Row(name, "", None, DEFAULT_LABEL, True, default))
            repeated += rows[-1:]
        rows += _repeats(repeated, config["repeats"])
    _refuse_unused(config, rows)
    rungs.check(config, [row.settings for row in rows])
    return Study(config["study"], defining, network, used, tuple(rows))


def _parts(config: Mapping[str, Any], count: int) -> Iterator[range]:
    """Of each pair, which of its `count` rows are in the part of the study that the config names; by default all."""
    number, of = config["part"] or (1, 1)
    rows = count * len(config["pairs"])
    first, last = (rows * part // of for part in (number - 1, number))
    for before in (count * position for position in range(len(config["pairs"]))):
        yield range(max(0, first - before), max(0, min(count, last - before)))


def _repeats(rows: Sequence[Row], count: int) -> Iterator[Row]:
    """The same rows with other seeds, where they draw noise; first the second of each, then the third."""
    for repeat in range(1, count):
        yield from (row.with_repeat(repeat) for row in rows if "seed" not in row.settings.unused())


def base_of(pair: Mapping[str, Any], pictures: Mapping[str, Source], network: Source) -> dict[str, Any]:
    """What the runs of a pair of the config are made of."""
    base: dict[str, Any] = {
        "content": pictures[pair["content"]].artifact,
        "styles": tuple(pictures[name].artifact for name in pair["styles"]),
        "weights": network.artifact,
    }
    return base | ({"initial": pictures[pair["initial"]].artifact} if "initial" in pair else {})


def _refuse_unused(config: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Raise `InputError` for what is asked for, and makes no difference to any of the runs that it is asked for.

    A list may hold the runs that were chosen from another study: there, only what differs between them is asked for.
    """
    if config["part"]:  # what makes no difference to these may make one to others
        return
    every = [row.settings for row in rows]
    asked: list[tuple[str, str, list[Settings]]] = []
    if config["design"] == "list":
        names = dict.fromkeys(name for run in config["runs"] for name in run)
        different = [name for name in names if len({run[name] for run in config["runs"] if name in run}) > 1]
        asked += [("runs: ", name, every) for name in different]
    else:
        is_star = config["design"] == "star"
        for name in config["vary"]:
            asked.append(("vary.", name, [row.settings for row in rows if row.parameter == name] if is_star else every))
        for name, value in config["defaults"].items():
            if not all(is_default(name, value, len(pair["styles"])) for pair in config["pairs"]):
                asked.append(("defaults.", name, every))
        for position, pair in enumerate(config["pairs"]):
            if "initial" in pair:
                runs = [row.settings for row in rows if row.pair == pair_name(pair)]
                asked.append((f"pairs.{position}.", "initial", runs))
    for place, name, runs in asked:
        if all(name in run.unused() for run in runs):
            reason = runs[0].unused()[name]
            raise InputError(f"{place}{name} makes no difference to any run: {reason}. Remove it, or change that")
    if config["repeats"] > 1 and not any(row.repeat for row in rows):
        reason = next(unused["seed"] for run in every if "seed" in (unused := run.unused()))
        raise InputError(f"repeats makes no difference to any run: {reason}. Remove it, or change that")


def _check_pairs(pairs: Sequence[Mapping[str, Any]]) -> None:
    names = [pair_name(pair) for pair in pairs]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise InputError(f"pairs.{position} is {name}, as is pairs.{names.index(name)}: keep one of them")


def pair_name(pair: Mapping[str, Any]) -> str:
    """How tables and figures call a pair of the config."""
    start = f", from {pair['initial']}" if "initial" in pair else ""
    return f"{pair['content']} x {' + '.join(pair['styles'])}{start}"


def _labels(points: Sequence[tuple[str, Any, Mapping[str, Any]]]) -> list[str]:
    """What a figure writes beside each run: its value; in grids and lists every value with its parameter."""
    names = dict.fromkeys(name for _, _, changes in points for name in changes)
    texts = {name: iter(value_labels(changes[name] for _, _, changes in points if name in changes)) for name in names}
    labels = []
    for parameter, _, changes in points:
        found = {name: next(texts[name]) for name in changes}
        each = [found[parameter]] if parameter else [f"{name} {text}" for name, text in found.items()]
        labels.append(", ".join(each) or DEFAULT_LABEL)
    return labels
