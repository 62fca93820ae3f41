"""What bfloat16 does to results."""

from __future__ import annotations

import dataclasses
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from styletransfer.benchmarks.measure import Options, Workbench, study_settings
from styletransfer.devices import precision
from styletransfer.images.resize import to_uint8
from styletransfer.settings import Settings

# The default run of the study, and each parameter it varies low and high.
EXTREMES: dict[str, tuple[float, float]] = {
    "learning_rate": (1, 30),
    "style_scales": (0.3, 2),
    "content_weight_blend": (0, 1),
    "style_weight": (1, 150),
    "tv_weight": (0, 500),
    "style_layer_weight_exp": (0.2, 5),
}
HARMLESS = 0.01
SEEDS = 3
PAIRS_ACROSS = 7


def measure_precision(options: Options, figure: Path | None = None) -> dict[str, Any]:
    """Final losses of bfloat16, evaluated in float32, beside those of float32 from several seeds.

    Harmless is what changes the loss by less than 1 %, or by less than another seed does. Raises `InputError` on a CPU
    that does not compute in bfloat16.
    """
    precision.resolve("bfloat16", "cpu")
    bench = Workbench(options)
    points: list[dict[str, float]] = [{}, *({name: value} for name, both in EXTREMES.items() for value in both)]
    result: dict[str, Any] = {}
    shown: list[tuple[str, np.ndarray, np.ndarray]] = []
    for point in points:
        name = ", ".join(f"{key} {value:g}" for key, value in point.items()) or "default"
        settings = study_settings(iterations=options.steps, **point)
        loss_of = bench.loss_of(settings)
        finals = [_result(bench, dataclasses.replace(settings, seed=seed)) for seed in range(SEEDS)]
        final = _result(bench, dataclasses.replace(settings, precision="bfloat16"))
        exact, loss = [loss_of(image) for image in finals], loss_of(final)
        change, spread = loss / exact[0] - 1, (max(exact) - min(exact)) / exact[0]
        result[name] = {
            "float32": exact[0],
            "bfloat16": loss,
            "change": round(change, 5),
            "spread of seeds": round(spread, 5),
            "harmless": abs(change) <= max(HARMLESS, spread),
        }
        print(name, result[name], file=sys.stderr, flush=True)
        shown.append((name, finals[0], final))
    if figure is not None:
        draw(figure, shown, bench.engine(study_settings()).network.mean_pixel)
    return result


def _result(bench: Workbench, settings: Settings) -> np.ndarray:
    optimization = bench.optimization(settings)
    for _ in optimization.run():
        pass
    return optimization.best


def draw(path: Path, shown: list[tuple[str, np.ndarray, np.ndarray]], mean_pixel: np.ndarray) -> None:
    """Results in float32 above those in bfloat16, a column per setting, in as many bands as it takes."""
    from matplotlib.figure import Figure

    from styletransfer.reports.figures.style import save

    bands = math.ceil(len(shown) / PAIRS_ACROSS)
    figure = Figure(figsize=(1.7 * PAIRS_ACROSS, 4 * bands), layout="constrained")
    panels = figure.subplots(2 * bands, PAIRS_ACROSS, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for number, (name, *pair) in enumerate(shown):
        band, column = divmod(number, PAIRS_ACROSS)
        for row, (image, number_format) in enumerate(zip(pair, ("float32", "bfloat16"), strict=True)):
            axes = panels[2 * band + row, column]
            axes.imshow(to_uint8(image + mean_pixel))
            title = [*name.split(" "), number_format] if row == 0 else [number_format]
            axes.set_title("\n".join(title), fontsize=8)
    save(figure, [path])
