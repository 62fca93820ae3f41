"""Explorers of studies of any size, without computing any: real settings, made-up losses, noisy pictures."""

import itertools

import numpy as np
import pandas as pd
from PIL import Image

from styletransfer.analysis import pareto
from styletransfer.images.samples import sample_file
from styletransfer.reports import explorer
from styletransfer.settings import Artifact, Settings

# As in the 2018 study: a star, most values in a few parameters.
VARIED = {
    "style_weight": (1, 200),
    "tv_weight": (1, 600),
    "style_scales": (0.1, 3),
    "style_layer_weight_exp": (0.1, 20),
    "learning_rate": (0.1, 50),
}
WEIGHTS = Artifact("made-up", "none")


def points(count):
    """So many different settings: the default, then each parameter in turn, with the values spread over its range."""
    share = -(-(count - 1) // len(VARIED))
    yield "style_weight", {}, True
    turns = [
        [(name, float(f"{value:.5g}")) for value in np.geomspace(*span, share + 1)] for name, span in VARIED.items()
    ]
    star = itertools.chain.from_iterable(zip(*turns, strict=True))
    for name, value in itertools.islice(star, count - 1):
        yield name, {name: value}, False


def explorer_of(folder, count, width, responses=()):
    """Write an explorer of so many runs, with pictures so wide and as hard to compress as real ones; gives its page.

    responses: of a model, as `results.responses.read` gives them.
    """
    noise = np.random.default_rng(0)
    content, style = Artifact("photograph", "made-up"), Artifact("artwork", "made-up")
    photograph = Image.open(sample_file("astronaut")).convert("RGB").resize((width, width))
    rows, curves, steps = [], [], np.arange(0, 1001, 10)
    for position, (parameter, values, is_default) in enumerate(points(count)):
        run = Settings(content=content, styles=(style,), weights=WEIGHTS, width=width, **values)
        run_id = f"run-{position:05}"
        level = noise.uniform(1, 1000, 3)
        losses = {
            f"best_{term}_unweighted": value for term, value in zip(("content", "style", "tv"), level, strict=True)
        }
        settings = run.values()
        rows.append(
            {name: " ".join(map(str, value)) if isinstance(value, list) else value for name, value in settings.items()}
            | {"study": f"{count} runs", "pair": "photograph x artwork", "parameter": parameter, "run_id": run_id}
            | {
                "value": settings[parameter],
                "is_default": is_default,
                "status": "ok",
                "reason": "",
                "weights": "made-up",
            }
            | {"height": width, "seconds": 60.0, "device": "GPU-0", "best_total": level.sum(), **losses}
            | {"content_kept": 1 / (1 + level[0]), "style_reached": 1 / (1 + level[1])}
        )
        for term, lowest in zip(("content", "style", "tv"), level, strict=True):
            falling = lowest * (1 + 100 * np.exp(-steps / 100)) * noise.uniform(1, 1.05, len(steps))
            curves.append(pd.DataFrame({"run_id": run_id, "iteration": steps, "loss": term, "unweighted": falling}))
        pixels = np.asarray(photograph) + noise.normal(0, 8, (width, width, 3))
        (folder / "runs" / run_id).mkdir(parents=True)
        picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        picture.save(folder / "runs" / run_id / "image.png", compress_level=1)
    photograph.save(folder / "photograph.png")
    options = {
        "design": "star",
        "pairs": [{"content": "photograph", "styles": ["artwork"]}],
        "weights": "made-up",
        "images": {"photograph": {"sample": "astronaut"}, "artwork": {"painting": "glass"}},
        "files": dict.fromkeys(("photograph", "artwork"), str(folder / "photograph.png")),
        "network": "none",
        "preserve_colors": False,
        "responses": list(responses),
    }
    explorer.write(
        folder / "explorer", pareto.with_columns(pd.DataFrame(rows)), pd.concat(curves), folder / "runs", options
    )
    return folder / "explorer/index.html"
