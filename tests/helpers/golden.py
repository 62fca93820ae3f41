"""Small results that are kept in tests/golden: a change of the engine that changes pixels changes them.

python tests/helpers/golden.py    # computes them and keeps them, after `settings.NUMERICS` was raised

The runs take so few iterations that CPUs differ by rounding alone: no pixel is another, and losses differ by a
millionth. A loss weight that is wrong by a thousandth changes 20 to 300 of the 8,000 values of a picture by a grey
level. On kinds of CPU that are known every bit is compared as well.
"""

import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from styletransfer import settings
from styletransfer.devices import tf_setup
from styletransfer.images.io import read_image, write_image
from styletransfer.images.samples import sample_file

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests/golden"
KEPT = FOLDER / "golden.json"
PICTURES = ("image",)
CONTENT, *STYLES = (str(sample_file(name)) for name in ("coffee", "chelsea", "rocket"))
# Total variation weighs so much that it counts. The second run has what a run may have and the first has not.
RUNS = {
    "adam": {"styles": STYLES[:1], "style-scales": [0.8], "tv-weight": [2e3], "iterations": [4]},
    "lbfgs": {
        **{"styles": STYLES, "style-scales": [0.8, 1.3], "style-blend-weights": [3, 1]},
        **{"style-layer-weight-exp": [1.5], "content-weight-blend": [0.5], "pooling": ["avg"]},
        **{"initial": [], "initial-noiseblend": [0.5], "optimizer": ["lbfgs"], "tv-weight": [2e3], "iterations": [6]},
    },
    "luminance": {"styles": STYLES[:1], "colors": ["luminance"], "tv-weight": [2e3], "iterations": [4]},
}
# The kinds of CPU that one CPU can be, by oneDNN's and TensorFlow's own limits.
LIMITS = ({}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}, {"TF_ENABLE_ONEDNN_OPTS": "0"})
# What passes for rounding: the mean difference of pictures in grey levels, and the relative difference of losses.
# Where all is gray a pixel counts three times, and Adam turns pixels by the sign of a gradient that is nearly 0: on
# CPUs without AVX-512 up to 9 of 4224 pixels are another, by one grey level.
PIXELS, LOSSES = {"luminance": 0.006}, {"luminance": 1e-4}
USUAL_PIXELS, USUAL_LOSSES = 0.002, 2e-5
ADVICE = """Equal settings give equal pixels, within a numerics version. Take back what changed them; or, if they are to
change, raise settings.NUMERICS, and every run of every study is computed again. Then keep the new results:
python tests/helpers/golden.py"""


def compute(name, folder, *options, limits=()):
    """Compute a run. Returns its pictures by name, its losses by column, and what kind of CPU it was."""
    command = [sys.executable, ROOT / "workflow/scripts/neural_style.py", "--content", CONTENT]
    command += [str(word) for option, values in RUNS[name].items() for word in (f"--{option}", *values)]
    command += ["--network", "vgg16", "--width", "64", "--device", "cpu", "--threads", "1", "--print-iterations", "1"]
    command += ["--output", "image.png", "--losses", "losses.csv"]
    command += ["--record", "run.json", "--overwrite", *options]
    environment = os.environ | dict(limits)
    done = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    with open(folder / "losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    losses = {column: [float(row[column]) for row in rows] for column in rows[0]}
    (computed_on,) = json.loads((folder / "run.json").read_text())["computed_on"]
    kind = f"{computed_on}; {cpu()}; TensorFlow {tf_setup.version()}"
    return {picture: read_image(folder / f"{picture}.png") for picture in PICTURES}, losses, kind


def cpu():
    """Family, model, stepping and cache: CPUs that share a name may have different ones, and sum in other blocks."""
    lines = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    found = {name.strip(): value.strip() for name, value in lines.items()}
    return ", ".join(f"{name} {found.get(name, '?')}" for name in ("cpu family", "model", "stepping", "cache size"))


def sha256(pictures, losses):
    """The digest of all pixels and losses."""
    found = hashlib.sha256(json.dumps(losses).encode())
    for pixels in pictures.values():
        found.update(pixels.tobytes())
    return found.hexdigest()


def kept():
    """What is kept: `numerics`, and for each of `runs` the losses and the digests by kind of CPU."""
    return json.loads(KEPT.read_text())


def differences(name, pictures, losses, kind):
    """Sentences on what differs from what is kept; none if nothing does."""
    known, found = kept()["runs"][name], []
    for picture, pixels in pictures.items():
        difference = np.abs(pixels - read_image(FOLDER / f"{name}-{picture}.png").astype(float))
        if not difference.mean() < PIXELS.get(name, USUAL_PIXELS):
            found.append(
                f"{picture}.png differs by {difference.mean():.3g} grey levels (mean), {difference.max()} (most)"
            )
    for column, values in losses.items():
        if not np.allclose(values, known["losses"][column], rtol=LOSSES.get(name, USUAL_LOSSES), atol=0):
            found.append(f"losses `{column}`: {values}, were {known['losses'][column]}")
    if not found and sha256(pictures, losses) != known["sha256"].get(kind, sha256(pictures, losses)):
        found.append(f"not to the bit what this kind of CPU once computed ({kind})")
    return found


def main():
    """Keep the results of this CPU, with its limits. Without a raised version they must be those that are kept."""
    now = {"numerics": settings.NUMERICS, "runs": {}}
    known = kept()["runs"] if KEPT.exists() and kept()["numerics"] == settings.NUMERICS else {}
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in RUNS:
            results = [compute(name, Path(folder), limits=limits) for limits in LIMITS]
            found = [line for result in results for line in differences(name, *result)] if name in known else []
            if found:
                raise SystemExit("\n".join([*found, ADVICE]))
            digests = {kind: sha256(pictures, losses) for pictures, losses, kind in results}
            if name not in known:
                pictures, losses, _ = results[0]
                now["runs"][name] = {"losses": losses, "sha256": digests}
                for picture, pixels in pictures.items():
                    write_image(FOLDER / f"{name}-{picture}.png", pixels)
            else:
                now["runs"][name] = known[name]
                now["runs"][name]["sha256"] |= digests
    KEPT.write_text(json.dumps(now, indent=1) + "\n")


if __name__ == "__main__":
    main()
