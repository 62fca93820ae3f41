"""What a study's parameters do to its measures, in a file and in words: for figures, the explorer and others."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from styletransfer.analysis.measures import MEASURES
from styletransfer.analysis.response import LEAST_SHARE, Curve, Effect, Response, Share, Together
from styletransfer.analysis.space import PAIR
from styletransfer.errors import InputError
from styletransfer.files import atomic, checks
from styletransfer.settings import to_json
from styletransfer.text import number_text, value_labels

FORMAT, VERSION = "styletransfer-response", 1
# Of the numbers in the file: fewer than those in which two machines differ.
DIGITS = 4
TITLES = {measure.name: measure.title for measure in MEASURES}


def write(path: Path, study: str, responses: Iterable[Response]) -> None:
    """Write what was found of each measure, with its sentences and a checksum, as JSON."""
    found = [
        {**_rounded(dataclasses.asdict(response)), "title": TITLES[response.measure], "sentences": sentences(response)}
        for response in responses
    ]
    content = {"format": FORMAT, "version": VERSION, "study": study, "measures": found}
    atomic.write_text(path, json.dumps({**content, "sha256": _checksum(content)}, indent=1) + "\n")


def read(path: Path) -> list[dict[str, Any]]:
    """What was found of each measure: the fields of `Response`, its `title` and its `sentences`.

    Raises:
        InputError: for a file that is damaged, or of another version.

    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("sha256") != _checksum(content) or content["format"] != FORMAT:
            raise ValueError("its checksum differs")
        if content["version"] != VERSION:
            raise ValueError(f"it is of version {content['version']}")
        return content["measures"]
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error}). {checks.RECREATE}") from error


def sentences(response: Response) -> list[str]:
    """What is known of a measure, in words, each with its numbers; first how far to trust it."""
    if response.predicts is None:
        return [f"Undecided: {response.reason}."]
    rests = f"The model rests on {response.runs} runs"
    if response.reason:
        return [f"Undecided: {response.reason}. {rests}."]
    told = [f"{rests} and predicts {percent(response.predicts)} of the variance of runs left out."]
    told += [_matters(effect) for effect in response.effects if effect.verdict == "matters"]
    told += [_together(pair) for pair in response.pairs if pair.verdict == "act together"]
    if small := [_name(effect.parameter) for effect in response.effects if effect.verdict == "does not matter"]:
        verb = "does not matter: it has" if len(small) == 1 else "do not matter: each has"
        told.append(f"{listed(small)} {verb} less than {percent(LEAST_SHARE)} of the variance.")
    if open_ := [effect for effect in response.effects if effect.verdict == "undecided"]:
        told.append(_undecided(open_))
    return told + _untold(response.pairs)


def _undecided(effects: Sequence[Effect]) -> str:
    first, *others = effects
    shares = [f"{_name(first.parameter)} may have {span(first.total)} of the variance"]
    shares += [f"{_name(effect.parameter)} {span(effect.total)}" for effect in others]
    return f"Undecided: {listed(shares)}. With more than {percent(LEAST_SHARE)} a parameter matters."


def _matters(effect: Effect) -> str:
    return f"{_name(effect.parameter)} matters: {_of_variance(effect.total)}. {_course(effect.curve)}."


def _course(curve: Curve) -> str:
    """How the mean goes along a parameter."""
    labels, means = value_labels(curve.values), [f"{mean:.2f}" for mean in curve.mean]
    if isinstance(curve.values[0], str):
        each = [f"{mean} with {label}" for label, mean in zip(labels, means, strict=True)]
        return f"It is {listed(each)} on average"
    first, last = (number_text(curve.values[end], 3) for end in (0, -1))
    course = f"Along it the mean goes from {means[0]} at {first} to {means[-1]} at {last}"
    for word, beyond in (("highest", max), ("lowest", min)):
        at = curve.mean.index(beyond(curve.mean))
        half = (curve.high[at] - curve.low[at]) / 2
        if min(abs(curve.mean[at] - curve.mean[end]) for end in (0, -1)) > 2 * half:
            course += f"; the {word} is {means[at]}, near {number_text(curve.values[at], 2)}"
    return course


def _together(pair: Together) -> str:
    one, two = map(_name, pair.parameters)
    assert pair.share is not None
    numbers = f"{_of_variance(pair.share)}; {pair.runs} runs vary both"
    if PAIR in pair.parameters:
        return f"{one} does not do the same to all pictures: {numbers}."
    return f"{one} and {two} act together: {numbers}."


def _untold(pairs: Sequence[Together]) -> list[str]:
    of_parameters = [pair for pair in pairs if PAIR not in pair.parameters]
    untold = [pair for pair in of_parameters if pair.verdict == "cannot be told"]
    if not untold:
        return []
    if len(untold) < len(of_parameters):
        names = listed([" with ".join(map(_name, pair.parameters)) for pair in untold])
        return [f"Cannot be told, as too few runs vary both: {names}."]
    return [
        "Whether two parameters act together cannot be told: no design that varies one at a time shows it. "
        "What is said of one holds where the others are at their defaults."
    ]


def span(share: Share) -> str:
    """The 90 % interval of a share: `1.6 to 12 %`; rounded outwards, so that no number beyond 2 % looks like it."""
    low, high = percent(share.low, math.floor), percent(share.high, math.ceil)
    return high if low == high else f"{low.removesuffix(' %')} to {high}"


def percent(share: float, rounded: Callable[[float], float] = round) -> str:
    """A share in words, below 10 % in tenths: 1 alone is 100 %."""
    scale = 1000 if share < 0.1 else 100
    number = 100 * rounded(round(scale * share, 6)) / scale
    return f"{100 if share == 1 else min(99, number):g} %"


def listed(words: Sequence[str]) -> str:
    """Words as a sentence has them: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _of_variance(share: Share) -> str:
    return f"{percent(share.value)} of the variance ({span(share)})"


def _name(name: str) -> str:
    """A parameter as a config has it."""
    return "the pictures" if name == PAIR else f"`{name}`"


def _rounded(value: Any) -> Any:
    """Plain types, with the digits that are kept; what was a value of a parameter keeps all."""
    if isinstance(value, dict):
        return {key: list(found) if key == "values" else _rounded(found) for key, found in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(found) for found in value]
    return float(f"{value:.{DIGITS}g}") + 0.0 if isinstance(value, float) else value


def _checksum(content: Any) -> str:
    return hashlib.sha256(to_json(content).encode()).hexdigest()
