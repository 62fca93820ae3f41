"""What runs ask of a machine, against what runs were measured to take."""

import csv

import pytest

from helpers.studies import ROOT, tiny_study
from styletransfer.results.needs import Needs
from styletransfer.study.config import load
from styletransfer.study.expand import expand

# Runs of one thread on a busy core of a laptop: width and height, iterations, optimizer, peak in MiB, seconds.
MEASURED = [
    (64, 3, "adam", 846, 6),
    (512, 3, "adam", 1634, 13),
    (800, 3, "adam", 2556, 32),
    (64, 3, "lbfgs", 772, 12),
    (512, 3, "lbfgs", 1684, 23),
    (800, 3, "lbfgs", 2960, 37),
]


def needs(**defaults):
    """The needs of a study of one run, and that run."""
    study = expand(load(tiny_study(vary={}, seconds_per_run=1, defaults=defaults)))
    return Needs(study), list(study.runs)


@pytest.mark.parametrize(("width", "iterations", "optimizer", "mib", "seconds"), MEASURED)
def test_a_run_asks_for_what_it_takes_and_not_for_much_more(width, iterations, optimizer, mib, seconds):
    found, runs = needs(width=width, iterations=iterations, optimizer=optimizer)
    assert 0.97 * mib < found.memory_mb(runs, "cpu") / 1.048576 < 1.5 * mib
    assert found.minutes(runs, "cpu") * 60 > 2 * seconds


def test_memory_follows_from_pixels_as_the_benchmark_measured_it():
    with open(ROOT / "docs/benchmark.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["candidate"] == "engine, float32"]
    assert len(rows) > 5
    for row in rows:
        found, runs = needs(width=int(row["width"]))
        ratio = found.memory_mb(runs, "cpu") / (1073.74 * float(row["peak memory, GiB"]))
        assert 0.97 < ratio < 1.5, row


def test_the_time_limit_follows_from_pixels_steps_optimizer_and_device():
    def minutes(kind="cpu", **defaults):
        found, runs = needs(**({"width": 512, "iterations": 1000} | defaults))
        return found.minutes(runs, kind) - 10

    usual = minutes()
    assert minutes(iterations=2000) == pytest.approx(2 * usual, abs=1)
    assert minutes(width=256) == pytest.approx(usual / 4, abs=1)
    assert minutes(optimizer="lbfgs") > usual
    assert minutes(style_scales=2) == pytest.approx(4 * usual, rel=0.05)
    assert minutes("gpu") < usual / 20
    assert minutes(width=32, iterations=1) == 1
    # 512 x 512 pixels and 1000 steps of a second and more each on one core.
    assert usual > 2 * 1000 * 1.09 / 60


def test_what_the_user_expects_is_the_least_and_runs_of_a_batch_add_up():
    study = expand(load(tiny_study(seconds_per_run=600)))
    assert Needs(study).minutes(list(study.runs)[:3], "cpu") == 2 * (5 + 30)
    one, all_of_them = list(study.runs)[:1], list(study.runs)
    assert Needs(study).memory_mb(one, "cpu") == Needs(study).memory_mb(all_of_them, "cpu")


def test_a_photograph_without_a_width_asks_for_what_it_needs(tmp_path, monkeypatch):
    from PIL import Image

    Image.new("RGB", (4000, 3000)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    config = tiny_study(vary={}, images={"photograph": {"path": "a.png"}, "artwork": {"painting": "glass"}})
    del config["defaults"]["width"]
    study = expand(load(config))
    assert Needs(study).memory_mb(study.runs, "cpu") > 40_000
