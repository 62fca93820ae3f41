"""What the commands of the benchmark measure is there, and what holds on any machine. How fast is no test."""

import json
import re
import subprocess

import pandas as pd
import pytest
from PIL import Image

from helpers.cpus import BFLOAT16
from helpers.gpus import fake_gpus
from helpers.studies import ENGINE
from styletransfer.benchmarks.iteration import CANDIDATES
from styletransfer.benchmarks.measure import is_possible
from styletransfer.devices import precision
from styletransfer.vgg import sources

NETWORK = sources.package_path(sources.SOURCES["vgg16"])


def benchmark(folder, *words):
    command = [*ENGINE, "benchmark", *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def measure(folder, measurement, *options):
    """The figures of one measurement, tiny."""
    size = ["--width", "32", "--height", "34", "--rounds", "1"]
    benchmark(folder, measurement, "--weights", NETWORK, *size, "--output", "figures.json", *options)
    return json.loads((folder / "figures.json").read_text())[measurement]


def test_all_that_the_report_has_is_measured_once(tmp_path):
    words = ["all", "--widths", "32", "--typical", "32", "--rounds", "1", "--iterations", "2", "--weights", NETWORK]
    benchmark(tmp_path, *words)
    results = tmp_path / "results/benchmark"
    table = pd.read_csv(results / "iterations.csv")
    assert list(table["candidate"]) == [name for name in CANDIDATES if is_possible(name)]
    assert (table["seconds per iteration"] > 0).all() and (table["peak memory, GiB"] > 0.1).all()
    assert "A whole run at 32 px" in (results / "benchmark.md").read_text()
    before = {path: path.stat().st_mtime_ns for path in results.glob("*.json")}
    assert {path.name for path in before} == {"step-32.json", "run.json", "layers.json"}
    benchmark(tmp_path, *words)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_descents_to_the_loss_of_adam(tmp_path):
    figures = measure(tmp_path, "descent", "--iterations", "30", "--figure", "descent.png")
    assert figures.keys() == {"content", "noise"}
    candidates = 2 * len(precision.cpu_formats())
    for found in figures.values():
        reference, *others = found.values()
        assert (reference["at its loss"]["steps"], reference["at its loss"]["times as fast"]) == (30, 1)
        assert len(others) == candidates - 1 and all(
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
    figures = measure(tmp_path, "throughput", "--runs", "2", "--iterations", "2")
    each, batches = figures.values()
    assert (each["runs"], each["runs per job"], batches["runs"]) == (2, 1, 2)
    assert batches["runs per job"] > 1 and min(each["seconds"], batches["seconds"]) > 0


def test_all_that_a_gpu_is_measured_by_and_two_workflows_never_share_it(tmp_path, monkeypatch):
    fake_gpus(monkeypatch, tmp_path, 1)
    words = ["--widths", "32", "--width", "48", "--precisions", "float32", "--backends", "analytic", "autodiff"]
    words += ["--slots", "1", "2", "--runs", "2", "--iterations", "40", "--weights", NETWORK, "--output", "made.md"]
    benchmark(tmp_path, "gpu", *words)
    page = (tmp_path / "made.md").read_text()
    assert "Not measured" not in page and "Error" not in page
    assert "| **float32, analytic** |" in page and "| float32, autodiff |" in page  # it computes on this CPU
    assert "| float32 | 40 | yes | yes |" in page
    assert re.search(r"\| 1 \| [\d.]+ \|\n\| 2 \| [\d.]+ \|", page)
    assert "- runs: 4\n" in page and "- at the same time: 0\n" in page
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == [
        *("Products of large matrices", "Steps", "A whole run: 48 px", "The same bytes", "Several runs on one device"),
        *("A study, to its contact sheet: 48 px", "Workflows at once on one device: 2 workflows"),
    ]
