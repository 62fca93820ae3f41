"""What the commands of the benchmark measure is there, and what holds on any machine. How fast is no test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from helpers.cpus import BFLOAT16
from styletransfer.devices import precision
from styletransfer.vgg import sources

ROOT = Path(__file__).parents[2]
NETWORK = sources.package_path(sources.SOURCES["vgg16"])


def measure(folder, measurement, *options):
    """The figures of one measurement, tiny."""
    words = [sys.executable, ROOT / "workflow/scripts/benchmark.py", measurement, "--network", NETWORK]
    words += ["--width", "32", "--height", "34", "--output", "figures.json", "--rounds", "1", *options]
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "figures.json").read_text())[measurement]


def test_descents_to_the_loss_of_adam(tmp_path):
    figures = measure(tmp_path, "descent", "--iterations", "30", "--figure", "descent.png")
    assert figures.keys() == {"content", "noise"}
    contestants = 2 * len(precision.cpu_formats())
    for contest in figures.values():
        reference, *others = contest.values()
        assert (reference["at its loss"]["steps"], reference["at its loss"]["times as fast"]) == (30, 1)
        assert len(others) == contestants - 1 and all(
            0.8 < other["lowest loss over the reference's"] < 1.2 for other in others
        )
    assert Image.open(tmp_path / "descent.png").width > 1000


@BFLOAT16
def test_what_bfloat16_does_to_results(tmp_path):
    figures = measure(tmp_path, "precision", "--iterations", "3", "--figure", "precision.png")
    assert len(figures) == 13
    for point in figures.values():
        assert abs(point["change"]) < 0.2 and 0 < point["spread of seeds"] < 0.2
        assert point["change"] == pytest.approx(point["bfloat16"] / point["float32"] - 1, abs=1e-5)
    assert Image.open(tmp_path / "precision.png").width > 1000


def test_many_short_runs_singly_and_in_batches(tmp_path):
    figures = measure(tmp_path, "throughput", "--runs", "4", "--iterations", "2")
    each, batches = figures.values()
    assert (each["runs"], each["runs per job"], batches["runs"]) == (4, 1, 4)
    assert batches["runs per job"] > 1 and min(each["seconds"], batches["seconds"]) > 0
