"""What is made of measurements: the table has every figure, the page says where they are from, the picture is drawn."""

import json
import subprocess

import pandas as pd
import pytest
from PIL import Image

from helpers.studies import ENGINE

MACHINE = {"cpu": "A CPU", "cores": 2, "date": "2026-11-24"}


def step(width, seconds):
    ways = {name: {"seconds per iteration": value, "peak memory, GiB": 1.5} for name, value in seconds.items()}
    for name, values in ways.items():
        values["times as fast as plain TensorFlow"] = round(seconds["plain TensorFlow"] / seconds[name], 3)
        values["share of the speed of matrix products"] = round(seconds["matrix products, float32"] / seconds[name], 3)
    return {"machine": MACHINE, "size": {"width": width, "height": width}, "step": ways}


@pytest.fixture
def measurements(tmp_path):
    layers = {
        "products, GFLOP/s": 400.0,
        "copies, GB/s": 10.0,
        "conv1_1": {"FLOP per byte": 12.9, "direct, GFLOP/s": 100.0},
        "conv4_1": {"FLOP per byte": 565.5, "direct, GFLOP/s": 390.0, "Winograd, GFLOP/s": 900.0},
    }
    size = {"width": 512, "height": 532}
    seconds = {"plain TensorFlow": 1.0, "engine, float32": 0.5, "matrix products, float32": 0.9}
    found = [
        step(512, seconds | {"matrix products, bfloat16": 0.45}),
        step(64, {name: value / 50 for name, value in seconds.items()}),
        {
            "machine": MACHINE,
            "size": size,
            "run": {
                "bfloat16": {
                    "seconds outside iterations": {"median": 5.2, "fastest": 4.5, "slowest": 7.6},
                    "peak memory, GiB": 1.5,
                }
            },
        },
        {"machine": MACHINE, "size": size, "layers": layers},
    ]
    paths = [tmp_path / f"{number}.json" for number in range(len(found))]
    for path, measurement in zip(paths, found, strict=True):
        path.write_text(json.dumps(measurement))
    return paths


def report(folder, paths):
    command = [*ENGINE, "benchmark", "report", *map(str, paths), "--output", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_report_has_every_figure(tmp_path, measurements):
    done = report(tmp_path, measurements)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "iterations.csv")
    assert list(table.width) == [64] * 3 + [512] * 4
    fast = table[(table.width == 512) & (table.candidate == "engine, float32")].iloc[0]
    assert fast["times as fast as plain TensorFlow"] == 2
    page = (tmp_path / "benchmark.md").read_text()
    assert "cpu A CPU, cores 2, date 2026-11-24" in page
    assert "| engine, float32 | 0.01 | 0.5 |" in page
    assert "| matrix products, bfloat16 |  | 0.45 |" in page
    assert "A whole run at 512 px" in page
    assert "| engine, bfloat16 | 5.2 | 4.5 | 7.6 | 1.5 |" in page
    with Image.open(tmp_path / "benchmark.png") as picture:
        assert min(picture.size) > 400


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": 3}'])
def test_what_is_no_measurement_is_refused(tmp_path, measurements, text):
    measurements[1].write_text(text)
    done = report(tmp_path, measurements)
    assert done.returncode == 2
    assert f"{measurements[1]} is not a measurement" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "iterations.csv").exists()
