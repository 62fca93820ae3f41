"""What `gpu` has measured, as a page."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from styletransfer.benchmarks.gpu_steps import Way
from styletransfer.devices import precision

HOUR = 3600


def page(found: Mapping[str, Any], command: str) -> str:
    """The page as Markdown.

    Args:
        found: figures by part, as `gpu.measure_gpu` has them; a text in place of a figure says why there is none.
        command: what measures it again.
    """
    machine = ", ".join(f"{name} {value}" for name, value in _machine(found).items())
    parts: list[str] = [
        "# GPUs, measured",
        f"`{command}` wrote this page in {found.get('seconds', 0)} of at most {found.get('budget, seconds', 0):.0f} "
        "seconds; do not edit it. [gpus.md](gpus.md) says what it means.",
        f"{machine}.",
        *_products(found.get("products", {})),
        *_steps(found.get("steps", {}), found),
        *_run(found),
        *_bytes(found.get("bytes", {})),
        *_slots(found.get("slots", {})),
        *_named("A study, to its contact sheet", "px", found.get("study", {})),
        *_named("Workflows at once on one device", "workflows", found.get("workflows", {})),
    ]
    return "\n\n".join(parts) + "\n"


def _machine(found: Mapping[str, Any]) -> dict[str, Any]:
    machine = dict(found.get("machine", {}))
    device = machine.pop("device", {})
    return (device if isinstance(device, dict) else {"computed by": f"an unknown device ({device})"}) | machine


def _products(products: Mapping[str, Any]) -> list[str]:
    if not products:
        return []
    rows = [[name, _cell(found, lambda each: f"{each['TFLOP/s']:.3g}")] for name, found in products.items()]
    return ["## Products of large matrices", _table(["precision", "TFLOP/s"], rows)]


def _steps(steps: Mapping[tuple[Way, int], Any], found: Mapping[str, Any]) -> list[str]:
    """A table for each thing that is told of a step: a row for each backend, a column for each width."""
    if not steps:
        return []
    ways, widths = list(dict.fromkeys(way for way, _ in steps)), sorted({width for _, width in steps})
    products, kind = found.get("products", {}), "gpu" if "compute capability" in _machine(found) else "cpu"

    def share(way: Way, step: Mapping[str, Any]) -> str:
        best = products.get(way.precision)
        return f"{step['TFLOP/s'] / best['TFLOP/s']:.2f}" if isinstance(best, dict) else ""

    columns: dict[str, Callable[[Way, Mapping[str, Any]], str]] = {
        "Iterations per second": lambda way, step: f"{1 / step['seconds per iteration']:.3g}",
        "TFLOP/s": lambda way, step: f"{step['TFLOP/s']:.3g}",
        "Share of the speed of matrix products in the same precision": share,
        "Seconds until the second iteration: weights, targets, tracing, compiling": lambda way, step: (
            f"{step['seconds until the second']:.3g}"
        ),
        "Memory of the device at its peak, MiB": lambda way, step: str(step["memory, MiB"] or ""),
    }
    parts = ["## Steps", "The backend that `auto` is in a precision is in bold."]
    reasons: dict[str, None] = {}
    for title, text in columns.items():
        rows = []
        for way in ways:
            cells = [steps.get((way, width), "") for width in widths]
            if not any(isinstance(step, dict) for step in cells):
                reasons |= {f"{way.precision}, {way.backend}: {max(cells)}": None}
                continue
            name = f"{way.precision}, {way.backend}"
            name = f"**{name}**" if precision.DEFAULT_BACKEND.get((kind, way.precision)) == way.backend else name
            rows.append([name, *(_cell(step, functools.partial(text, way)) for step in cells)])
        if any(cell for row in rows for cell in row[1:]):
            parts += [f"**{title}**", _table(["", *(f"{width} px" for width in widths)], rows)]
    return parts + ([f"Not measured: {'; '.join(reasons)}."] if reasons else [])


def _run(found: Mapping[str, Any]) -> list[str]:
    parts = _named("A whole run", "px", found.get("run", {}))
    for run in found.get("run", {}).values():
        if isinstance(run, dict):
            alone, shared = HOUR / run["seconds"], HOUR / (run["iterations"] * run["seconds per iteration"])
            parts.append(f"That is {alone:.0f} such runs an hour, each by a command of its own; at most {shared:.0f}.")
    if outside := found.get("outside"):
        low, middle, high = min(outside), statistics.median(outside), max(outside)
        parts.append(
            f"Outside its iterations a command takes {middle:.1f} s ({low:.1f} to {high:.1f}, {len(outside)} runs)."
        )
    return parts


def _bytes(found: Mapping[str, Any]) -> list[str]:
    if not found:
        return []
    columns = ("iterations", "again", "killed and resumed")
    rows = [[name, *(_cell(made, functools.partial(_word, what)) for what in columns)] for name, made in found.items()]
    return ["## The same bytes", _table(["precision", *columns], rows)]


def _word(name: str, figures: Mapping[str, Any]) -> str:
    return {"True": "yes", "False": "NO"}.get(str(figures[name]), str(figures[name]))


def _slots(slots: Mapping[int, Any]) -> list[str]:
    if not slots:
        return []
    rows = [[str(count), _cell(speed, lambda speed: f"{speed:.3g}")] for count, speed in slots.items()]
    return ["## Several runs on one device", _table(["slots", "iterations per second, together"], rows)]


def _named(title: str, unit: str, found: Mapping[Any, Any]) -> list[str]:
    """Figures with names, as a list."""
    parts = []
    for size, figures in found.items():
        if isinstance(figures, dict):
            text = "\n".join(f"- {name}: {value}" for name, value in figures.items() if value is not None)
        else:
            text = f"Not measured: {figures}."
        parts += [f"## {title}: {size} {unit}", text]
    return parts


def _cell(found: Any, text: Callable[[Any], str]) -> str:
    """A figure, or in its place why there is none, in a few words."""
    return found.partition(":")[0].replace("|", "/") if isinstance(found, str) else text(found)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, ["---"] * len(columns), *rows))
