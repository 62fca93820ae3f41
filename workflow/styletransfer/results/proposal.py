"""What to run next: from the finished runs of a study, and from preferences if there are any, to a config of more."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from styletransfer.analysis import measures, posterior, preference, propose
from styletransfer.analysis.posterior import Posterior
from styletransfer.analysis.space import PAIR, Axis, Space
from styletransfer.errors import InputError
from styletransfer.results.choices import Choice
from styletransfer.runs.layout import RUN_FILES
from styletransfer.runs.record import find_record
from styletransfer.settings import PARAMETERS, Settings, is_default
from styletransfer.study import designs
from styletransfer.study.config import DEFINING_KEYS
from styletransfer.study.expand import base_of
from styletransfer.study.plan import Study

RULERS = [ruler.column for ruler in measures.RULERS]
# With fewer settings, or choices, a model tells nothing.
LEAST = 8
# A model rests on so many settings at most, evenly chosen: what it takes grows with their cube.
MOST = 500
# A value is rounded to the power of ten at or below this share of its axis, there.
RESOLUTION = 1 / 500
# By how much two looks err together, in units of one.
LOOKS = 2**0.5


class Proposed(NamedTuple):
    """A setting to try, by parameter; and what is expected of it, in words."""

    changes: dict[str, Any]
    expected: str


def proposals(
    study: Study, runs: pd.DataFrame, choices: Sequence[Choice] | None, count: int, pool: Path
) -> list[Proposed]:
    """The settings that are to be tried next; the same for the same runs and choices.

    Args:
        study: which.
        runs: its table; runs without a result count for nothing.
        choices: between its runs; None: what is measured of the pictures decides.
        count: of settings; fewer where there are no more.
        pool: the folder of all runs: none that is there is proposed.

    Raises:
        InputError: for too few runs or choices.
    """
    from threadpoolctl import threadpool_limits

    space, settings = tried(study, runs)
    with threadpool_limits(1):  # several would round in another order
        if choices is None:
            models, gain, words = _by_rulers(space, settings)
        else:
            models, gain, words = _by_choices(space, settings, runs, choices)
        bases = [
            base_of(pair, study.pictures, study.weights) | study.config["defaults"] for pair in study.config["pairs"]
        ]

        def is_new(place: np.ndarray) -> bool:
            changes = changes_at(space, place)
            run_ids = [Settings(**base | changes).run_id for base in bases]
            return not any(
                run_id in study.runs or find_record(pool / run_id / RUN_FILES["record"], run_id=run_id)
                for run_id in run_ids
            )

        found = propose.batch(models, gain, lambda places: settled(space, places), is_new, count)
        if not found:
            raise InputError("there is no setting between those tried that was not: vary more, or in finer steps")
        return [Proposed(changes_at(space, place), words(place)) for place in found]


def tried(study: Study, runs: pd.DataFrame) -> tuple[Space, pd.DataFrame]:
    """The space of a study's finished settings, and these: their parameters, and the means of all pairs and seeds.

    A run that diverged counts as the worst there is. Raises `InputError` if there are too few.
    """
    runs = runs[runs["status"].isin(["ok", "diverged"])].drop_duplicates([PAIR, "run_id"])
    space = Space.of(runs)
    space = Space(tuple(axis for axis in space.axes if axis.name != PAIR))
    if not space.axes:
        raise InputError(f"{study.name} has no finished runs that differ in a parameter: vary some, and run the study")
    worst = runs.loc[runs["status"] == "ok", RULERS].min()
    bad = runs["status"] == "diverged"
    runs = runs.assign(**{name: runs[name].where(~bad, worst[name]) for name in RULERS})
    groups = runs.dropna(subset=space.names).groupby(space.names, sort=False)
    settings = (
        groups[RULERS]
        .mean()
        .assign(
            pairs=groups[PAIR].nunique(),
            run_ids=groups["run_id"].agg(list),
            unmeasured=groups[RULERS[0]].agg(lambda of: of.isna().any()),
        )
        .reset_index()
    )
    settings = settings[settings["pairs"] == len(study.config["pairs"])].reset_index(drop=True)
    if len(settings) < LEAST:
        raise InputError(
            f"{study.name} has {len(settings)} finished settings, too few to tell what to run next: it takes {LEAST}. "
            "Run the study first, or vary more: design: sobol is made for this"
        )
    return space, settings


def _by_rulers(space: Space, settings: pd.DataFrame) -> tuple[list[Posterior], Callable, Callable]:
    measured = settings[~settings["unmeasured"]]
    if len(measured) < LEAST:
        raise InputError(
            f"{len(measured)} settings are measured, too few to tell what to run next: it takes {LEAST}. Pictures or "
            "weights are gone: bring them back, and call snakemake again"
        )
    measured = measured.iloc[np.unique(np.linspace(0, len(measured) - 1, MOST).round().astype(int))]
    places, values = space.code(measured), measured[RULERS].to_numpy(float)
    models = [posterior.regression(places, column) for column in values.T]

    def words(place: np.ndarray) -> str:
        told = [
            _with_error(measure.title, *model.predict(place[np.newaxis]))
            for measure, model in zip(measures.RULERS, models, strict=True)
        ]
        return ", ".join(told)

    return models, propose.by_rulers(models, values), words


def _by_choices(
    space: Space, settings: pd.DataFrame, runs: pd.DataFrame, choices: Sequence[Choice]
) -> tuple[list[Posterior], Callable, Callable]:
    from scipy.stats import norm

    at = {run_id: place for place, run_ids in enumerate(settings["run_ids"]) for run_id in run_ids}
    pair = dict(zip(runs["run_id"], runs[PAIR], strict=True))
    shares: dict[str, list[tuple[int, int, float]]] = {
        "left": [(0, 1, 1.0)],
        "right": [(1, 0, 1.0)],
        "equal": [(0, 1, 0.5), (1, 0, 0.5)],
    }
    used = [one for one in choices if one.left in at and one.right in at and pair[one.left] == pair[one.right]]
    used = [one for one in used if at[one.left] != at[one.right] and one.chosen != "skip"]
    if len(used) < LEAST:
        raise InputError(
            f"{len(used)} of {len(choices)} choices are between finished runs of this study, too few to tell what to "
            f"run next: it takes {LEAST}. Compare more pairs in its explorer"
        )
    compared = sorted({at[run_id] for one in used for run_id in one[:2]})
    place_of = {place: number for number, place in enumerate(compared)}
    ends = [(place_of[at[one.left]], place_of[at[one.right]], one.chosen) for one in used]
    pairs = [(both[a], both[b], share) for *both, chosen in ends for a, b, share in shares[chosen]]
    model = preference.preferences(space.code(settings.iloc[compared]), pairs)

    def words(place: np.ndarray) -> str:
        (mean,), (deviation,) = model.predict(place[np.newaxis])
        share = norm.cdf((mean - model.mode.max()) / np.hypot(deviation, LOOKS))
        return f"chosen {100 * share:.0f} times of 100 beside the best so far"

    return [model], propose.improvement, words


def _with_error(title: str, mean: np.ndarray, deviation: np.ndarray) -> str:
    return f"{title} {mean[0]:.2f} ± {deviation[0]:.2f}"


def settled(space: Space, places: np.ndarray) -> np.ndarray:
    """The nearest places whose values have few digits."""
    return space.code(pd.DataFrame({axis.name: _short(axis, places[:, at]) for at, axis in enumerate(space.axes)}))


def _short(axis: Axis, places: np.ndarray) -> list[Any]:
    values = axis.decode(places)
    if axis.kind == "choice" or axis.integer:
        return values
    reach = RESOLUTION / 2
    spans = np.subtract(axis.decode(np.minimum(places + reach, 1)), axis.decode(np.maximum(places - reach, 0)))
    rounded = [round(value, -Decimal(span).adjusted()) for value, span in zip(values, spans.tolist(), strict=True)]
    return np.clip(rounded, axis.low, axis.high).tolist()


def changes_at(space: Space, place: np.ndarray) -> dict[str, Any]:
    """The parameters at a place that `settled` returned, as a config has them."""
    found = {axis.name: axis.decode(place[[at]])[0] for at, axis in enumerate(space.axes)}
    return {
        name: _plain(designs.value(value.split()) if isinstance(value, str) else value) for name, value in found.items()
    }


def config_text(
    study: Study, proposed: Sequence[Proposed], finished: Sequence[str], machine: Mapping[str, Any], basis: str
) -> str:
    """The text of a config that runs what is proposed, beside the finished runs, which it keeps.

    machine: what the plan of a study does not have of its config. basis: what the proposals rest on, in words.
    """
    known = {key: study.config[key] for key in DEFINING_KEYS if key in study.config}
    kept: dict[str, Any] = {
        key: known[key] for key in ("weights", "images", "pairs", "defaults", "max_runs") if key in known
    }
    defaults = {
        name: value
        for name, value in kept["defaults"].items()
        if not all(is_default(name, value, len(pair["styles"])) for pair in kept["pairs"])
    }
    head: dict[str, Any] = {"study": next_name(study.name), **kept, "defaults": defaults, **machine, "design": "list"}
    new = [f"  - {_flow(one.changes)}    # {one.expected}" for one in proposed]
    old = [f"  - {_flow(changes)}" for changes in changes_of(study, finished)]
    return "\n".join(
        [
            f"# What to run next after {study.name}, {basis}.",
            yaml.safe_dump(head, sort_keys=False, allow_unicode=True).rstrip(),
            "runs:",
            "  # New, and what is expected of each.",
            *new,
            "  # Finished: kept, so that all are compared.",
            *old,
            "",
        ]
    )


def _flow(changes: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(changes), sort_keys=False, default_flow_style=True, width=10_000).strip()


def next_name(name: str) -> str:
    """The name of the study that goes on with one: `cat`, `cat-2`, `cat-3`."""
    numbered = re.fullmatch(r"(.*)-([2-9]|[1-9][0-9])", name)
    start, number = (numbered[1], int(numbered[2]) + 1) if numbered else (name, 2)
    return f"{start[: 79 - len(str(number))]}-{number}"


def changes_of(study: Study, run_ids: Sequence[str]) -> list[dict[str, Any]]:
    """What sets runs of a study apart, each different setting once: all parameters that vary within a pair."""
    wanted = set(run_ids)
    by_pair: dict[str, list[Settings]] = {}
    for row in study.rows:
        by_pair.setdefault(row.pair, []).append(row.settings)
    varied = [
        name for name in PARAMETERS if any(len({getattr(run, name) for run in runs}) > 1 for runs in by_pair.values())
    ]
    found: dict[str, dict[str, Any]] = {}
    for row in study.rows:
        if row.run_id in wanted:
            changes = {name: _plain(getattr(row.settings, name)) for name in varied}
            found.setdefault(repr(changes), changes)
    return list(found.values())


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return value[0] if len(set(value)) == 1 else list(value)
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
