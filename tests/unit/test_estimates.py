"""Estimates of time and memory, against what runs were measured to take and against schedules made by hand."""

import csv
import dataclasses
import itertools
import os

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from helpers.records import record
from helpers.studies import ROOT, tiny_study
from styletransfer import cli
from styletransfer.analysis import device_usage
from styletransfer.cli.plan import gpu_tokens
from styletransfer.devices import host, precision
from styletransfer.devices.lease import Device
from styletransfer.errors import InputError
from styletransfer.results import costs, overview
from styletransfer.results.costs import COSTS, Way, Work
from styletransfer.results.estimates import (
    MEMORY_MARGIN,
    Calibration,
    Estimates,
    Observation,
    calibration,
    finished_here,
)
from styletransfer.runs import checkpoint
from styletransfer.runs.layout import RUN_FILES
from styletransfer.study.config import load
from styletransfer.study.expand import expand
from styletransfer.text import duration

# Runs of one thread on a busy core of a laptop: width and height, iterations, optimizer, peak in MiB, seconds.
MEASURED = [
    (64, 3, "adam", 846, 6),
    (512, 3, "adam", 1634, 13),
    (800, 3, "adam", 2556, 32),
    (64, 3, "lbfgs", 772, 12),
    (512, 3, "lbfgs", 1684, 23),
    (800, 3, "lbfgs", 2960, 37),
]
# What the benchmark calls what the table has.
WAYS = {
    "engine, float32, a process per core": Way("cpu", "analytic", "float32"),
    "engine, bfloat16, a process per core": Way("cpu", "analytic", "bfloat16"),
    "engine, float32": Way("cpu", "analytic", "float32"),
    "engine, bfloat16": Way("cpu", "analytic", "bfloat16"),
    "engine, autodiff, float32": Way("cpu", "autodiff", "float32"),
    "engine, autodiff, bfloat16": Way("cpu", "autodiff", "bfloat16"),
}
HERE = [precision.computed_on_cpu(1)]


@pytest.fixture(autouse=True)
def as_measured(monkeypatch):
    """A machine as that of the table."""
    monkeypatch.setattr(costs, "SLOWER", {})
    monkeypatch.setattr(host, "memory_mb", lambda: 24_000)


def study(**changes):
    defaults = changes.pop("defaults", {})
    return expand(load(tiny_study(**{"vary": {}} | changes, defaults=defaults)))


UNKNOWN = Calibration()


def estimated(kind="cpu", calibration=UNKNOWN, **defaults):
    """The estimates of a study of one run, and that run."""
    planned = study(defaults=defaults)
    (run,) = planned.runs.values()
    return Estimates(planned, kind, calibration=calibration), run


def seconds(**defaults):
    found, run = estimated(**defaults)
    return found.seconds(run)


def finish(folder, run, speed=1.0, width=64, iterations=100, start=2.0, **values):
    """A run of the width and as high that took `speed` times the seconds of the model, in a pool."""
    made = record(
        run,
        width=width,
        height=width,
        iterations_done=iterations,
        computed_on=values.pop("computed_on", HERE),
        **values,
    )
    work = Observation.of(made).work
    step = speed * work.evaluation_seconds
    taken = start + speed * work.look_seconds + (iterations + 1) * step
    place = folder / f"{width}-{len(list(folder.glob('*')))}"
    place.mkdir(parents=True)
    for name in RUN_FILES.values():
        (place / name).touch()
    dataclasses.replace(made, seconds=taken, seconds_per_iteration=step).write(place / "run.json")


def benchmark():
    with open(ROOT / "docs/benchmark.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["candidate"] in WAYS]
    assert len(rows) > 20
    return rows


def test_the_table_is_within_a_third_of_the_benchmark():
    """It was measured at another time: on two cores, or with a run on each."""
    for row in benchmark():
        pixels = int(row["width"]) * int(row["height"]) / 1e6
        threads, runs = (1, 2) if "per core" in row["candidate"] else (2, 1)
        work = Work(WAYS[row["candidate"]], "adam", pixels, 2 * pixels, pixels, threads)
        ratio = work.evaluation_seconds / (runs * float(row["seconds per iteration"]))
        assert 0.75 < ratio < 1.34, row
        ratio = runs * work.memory_mb / (1073.74 * float(row["peak memory, GiB"]))
        assert 0.8 < ratio < 1.25, row
        assert MEMORY_MARGIN * ratio > 0.97, row


@pytest.mark.parametrize(("width", "iterations", "optimizer", "mib", "seconds"), MEASURED)
def test_a_job_asks_for_what_it_takes_and_not_for_much_more(width, iterations, optimizer, mib, seconds):
    found, run = estimated(width=width, iterations=iterations, optimizer=optimizer)
    assert 0.97 * mib < found.memory_limit_mb([run.run_id]) / 1.048576 < 1.5 * mib
    assert found.minutes_limit([run.run_id]) * 60 > 2 * seconds


widths, steps = st.integers(32, 4096), st.integers(1, 10**6)


@given(widths, widths, steps, steps, st.sampled_from(["adam", "lbfgs"]), st.sampled_from(["cpu", "gpu"]))
def test_more_pixels_or_steps_never_take_less(width, wider, few, many, optimizer, kind):
    (width, wider), (few, many) = sorted((width, wider)), sorted((few, many))
    found, run = estimated(kind, optimizer=optimizer, iterations=1)
    of = {
        (size, count): dataclasses.replace(run, width=size, iterations=count)
        for size in (width, wider)
        for count in (few, many)
    }
    taken = {key: found.seconds(each) for key, each in of.items()}
    assert taken[width, few] <= min(taken[wider, few], taken[width, many])
    assert max(taken[wider, few], taken[width, many]) <= taken[wider, many]
    assert found.work(of[width, few]).memory_mb <= found.work(of[wider, few]).memory_mb


def test_time_follows_from_pixels_steps_optimizer_format_and_styles():
    usual = {"width": 512, "iterations": 1000}
    start = seconds(width=32, iterations=1)
    assert seconds(**usual) == pytest.approx(1000 * 4.0 * 0.512**2, rel=0.1), "4 s for a million pixels"
    assert seconds(**usual | {"iterations": 2000}) == pytest.approx(2 * seconds(**usual), rel=0.01)
    assert seconds(**usual | {"width": 1024}) == pytest.approx(4 * seconds(**usual), rel=0.02)
    assert seconds(**usual | {"optimizer": "lbfgs"}) > seconds(**usual)
    few = usual | {"iterations": 1}
    # Twice the content's pixels are looked at, and then ten times.
    looks = [seconds(**few | {"style_scales": scale}) - start for scale in (1, 3)]
    assert looks[1] - looks[0] == pytest.approx(8 * 0.512**2 * COSTS[Way("cpu", "analytic", "float32")].look)
    found, run = estimated(kind="gpu", **usual)
    assert found.seconds(run) == pytest.approx(60, rel=0.25), "a P100 took about a minute"
    assert START < start < 2 * START


START = costs.START_SECONDS["cpu"] + costs.PROCESS_SECONDS


@given(st.lists(st.floats(0.5, 2), min_size=1, max_size=9), st.integers(32, 512), st.floats(0.1, 10))
def test_runs_of_any_size_tell_of_any_other(noise, width, speed):
    """The median of what was observed, whatever the size, and a tenth of it being nonsense."""
    way = Way("cpu", "analytic", "float32")

    def observed(factor, width):
        work = Work(way, "adam", width**2 / 1e6, width**2 / 5e5, width**2 / 1e6)
        return Observation(work, speed * factor * work.evaluation_seconds)

    found = Calibration.by([observed(factor, width + 7 * n) for n, factor in enumerate(noise)])
    assert found.ratio(way) == pytest.approx(speed * float(np.median(noise)))
    assert found.ratio(Way("cpu", "autodiff", "float32")) == found.ratio(way), "the best that is known"
    by_model, run = estimated(width=300)
    corrected, _ = estimated(width=300, calibration=found)
    fixed = costs.PROCESS_SECONDS + costs.START_SECONDS["cpu"]
    assert corrected.seconds(run) - fixed == pytest.approx((by_model.seconds(run) - fixed) * found.ratio(way))


def test_each_way_to_compute_has_its_own_speed(tmp_path):
    planned = study()
    (run,) = planned.runs.values()
    for _ in range(3):
        finish(tmp_path, run, speed=2)
    finish(tmp_path, run, speed=5, backend_used="autodiff-xla")
    found = calibration(finished_here(tmp_path, "cpu"))
    assert (found.runs, found.name) == (4, HERE[0])
    assert found.ratio(Way("cpu", "analytic", "float32")) == pytest.approx(2)
    assert found.ratio(Way("cpu", "autodiff", "float32")) == pytest.approx(5)
    assert found.ratio(Way("cpu", "analytic", "bfloat16")) == pytest.approx(2)


def test_the_start_is_that_of_runs_which_were_the_first_of_their_process(tmp_path):
    (run,) = study().runs.values()
    for start in (3.0, 0.3, 0.3, 0.3, 4.0, 0.2, 5.0):
        finish(tmp_path, run, speed=3, start=start)
    finish(tmp_path, run, speed=3, start=99.0, resumed=[5])
    assert calibration(finished_here(tmp_path, "cpu")).start == pytest.approx(4)


def test_only_such_devices_as_this_machine_has_tell(tmp_path, monkeypatch):
    (run,) = study().runs.values()
    finish(tmp_path, run, computed_on=["another CPU, avx2, oneDNN, 1 thread"])
    finish(tmp_path, run, iterations=0)
    finish(tmp_path, run, computed_on=[*HERE, "another CPU"], resumed=[3])
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/run.json").write_text("{}")
    assert finished_here(tmp_path, "cpu") == []
    finish(tmp_path, run, host="elsewhere", threads=2, computed_on=[precision.computed_on_cpu(2)])
    assert [found.threads for found in finished_here(tmp_path, "cpu")] == [2]
    monkeypatch.setattr(host, "gpu_names", None)  # nobody asks the driver in vain
    assert finished_here(tmp_path, "gpu") == []
    for name in ("NVIDIA H100", "Tesla P100"):
        finish(tmp_path, run, device=Device("gpu", "GPU-1"), computed_on=[name])
    assert len(finished_here(tmp_path, "gpu", anywhere=True)) == 2
    # A login node without a GPU submits to hosts that have some.
    monkeypatch.setattr(host, "gpu_names", lambda: ())
    assert {found.computed_on[0] for found in finished_here(tmp_path, "gpu")} == {"NVIDIA H100", "Tesla P100"}
    monkeypatch.setattr(host, "gpu_names", lambda: ("Tesla P100",))
    assert [found.computed_on for found in finished_here(tmp_path, "gpu")] == [["Tesla P100"]]


def test_the_newest_runs_tell(tmp_path):
    (run,) = study().runs.values()
    for age in range(40):
        finish(tmp_path, run, threads=1 + (age >= 30))
        (newest,) = sorted(tmp_path.iterdir(), key=lambda path: int(path.name.split("-")[1]))[-1:]
        os.utime(newest / "run.json", (1e9 - age, 1e9 - age))
    assert [found.threads for found in finished_here(tmp_path, "cpu")] == [1] * 30
    assert finished_here(tmp_path / "nowhere", "cpu") == []


def test_a_batch_pays_one_start_and_looks_once_at_the_same_pictures():
    planned = study(vary={"style_weight": [1, 2, 3], "style_scales": [1, 2]})
    found, runs = Estimates(planned, "cpu"), list(planned.runs.values())
    alone = [found.seconds(run) for run in runs]
    look = [found.work(run).look_seconds for run in runs]
    spared = len(runs) - 1
    same = [second.style_scales == first.style_scales for first, second in itertools.pairwise(runs)]
    assert any(same) and not all(same)
    expected = sum(alone) - spared * (START - costs.LATER_SECONDS) - sum(np.array(look[1:])[same])
    assert found.job_seconds(runs) == pytest.approx(expected)


SHORT = [{"width": 64, "iterations": 3}, {"width": 128, "iterations": 30}, {"width": 192, "iterations": 30}]


@pytest.mark.parametrize("defaults", SHORT)
@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_runs_share_a_job_until_starting_takes_a_tenth(kind, defaults):
    many = study(defaults=defaults, vary={"style_weight": {"logspace": [1, 100, 60]}})
    found, runs = Estimates(many, kind), list(many.runs.values())
    spared = found.seconds(runs[0]) + found.job_seconds(runs[1:]) - found.job_seconds(runs)
    spared -= found.work(runs[0]).look_seconds
    each = (found.job_seconds(runs) - spared) / len(runs)
    size = found.runs_per_job(1)
    assert len(runs) > 1 and spared > 0
    assert size * each >= 9 * spared or size == len(runs)
    assert size * each < 2 * 9 * spared + each, "no more than that, but for equal batches"

    def batches(size):
        return [runs[first : first + size] for first in range(0, len(runs), size)]

    for places in range(1, 70):
        walls = [
            device_usage.elapsed(device_usage.schedule([found.job_seconds(batch) for batch in batches(n)], places))
            for n in (1, found.runs_per_job(places))
        ]
        assert walls[1] <= 1.1 * walls[0], "no device has nothing to do for that"


def test_a_run_of_2018_is_a_job():
    of_2018 = study(defaults={"width": 512, "iterations": 1000}, vary={"style_weight": [1, 2, 3]})
    assert [Estimates(of_2018, kind).runs_per_job(1) for kind in ("cpu", "gpu")] == [1, 1]


def test_a_photograph_without_a_width_asks_for_what_it_needs(tmp_path, monkeypatch):
    Image.new("RGB", (4000, 3000)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    config = tiny_study(vary={}, images={"photograph": {"path": "a.png"}, "artwork": {"painting": "glass"}})
    del config["defaults"]["width"]
    found = Estimates(expand(load(config)), "cpu")
    assert 12_000 < found.memory_limit_mb(found._study.runs) < 16_000


@pytest.mark.parametrize(
    ("width", "height", "optimizer", "gib"),
    [
        (512, 341, "adam", 1.2),
        (1024, 683, "adam", 2.3),
        (1024, 683, "lbfgs", 2.8),
        (2048, 1365, "adam", 3.7),
        (2048, 1365, "lbfgs", 5.0),
        (4096, 2731, "adam", 8.9),
        (4096, 2731, "lbfgs", 9.5),
        (4096, 2731, "lbfgs", 11.6),  # with a copy of its state
    ],
)
def test_memory_of_large_pictures_is_that_of_docs_benchmark(width, height, optimizer, gib):
    pixels, style = width * height / 1e6, width * width / 1e6
    work = Work(Way("cpu", "analytic", "float32"), optimizer, pixels, pixels + style, style)
    assert 0.9 < work.memory_mb / (1073.74 * gib) < 1.25
    assert MEMORY_MARGIN * work.memory_mb > 1073.74 * gib


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_limits_grow_with_pixels_and_are_wider_where_nothing_is_known(kind):
    asked = [estimated(kind, width=width, iterations=500) for width in (64, 512, 2048, 4096)]
    memory, minutes = (
        [getattr(found, name)([run.run_id]) for found, run in asked] for name in ("memory_limit_mb", "minutes_limit")
    )
    assert memory == sorted(set(memory)) and minutes == sorted(set(minutes))
    found, run = asked[-1]
    assert minutes[-1] * 60 > 4 * found.seconds(run)
    way = found.work(run).way
    known, _ = estimated(kind, width=4096, iterations=500, calibration=Calibration({way: 1.0}, runs=1))
    assert 2 * found.seconds(run) < known.minutes_limit([run.run_id]) * 60 < 3 * found.seconds(run)


def told(planned, pool, at_once=1, size=1, **values):
    return overview.summary(planned, pool, Estimates(planned, values.pop("kind", "cpu"), **values), at_once, size)


def test_a_plan_tells_time_on_the_devices_that_there_are_and_what_it_goes_by(tmp_path):
    planned = study(defaults={"width": 512, "iterations": 1000}, vary={"style_weight": [500, *range(1, 8)]})
    (run, *_) = planned.runs.values()
    one = Estimates(planned, "cpu").seconds(run)
    assert f"about {duration(8 * one)} of device time, going by a table" in told(planned, tmp_path)
    assert f"({duration(4 * one)} with 2 runs at once)" in told(planned, tmp_path, 2)
    assert f"({duration(2 * one)} with 4 runs at once)" in told(planned, tmp_path, 4)
    # Two jobs of three runs and one of two, on two places: one of them takes three runs and two.
    runs = list(planned.runs.values())
    wall = sum(Estimates(planned, "cpu").job_seconds(runs[:count]) for count in (3, 2))
    assert f"({duration(wall)} with 2 jobs at once)" in told(planned, tmp_path, 2, size=3)
    assert "going by a P100 of 2018 (docs/estimates.md), as no run" in told(planned, tmp_path, kind="gpu")
    assert "a run takes up to about 1.5 GB of memory" in told(planned, tmp_path)
    finish(tmp_path, run, speed=2)
    found = calibration(finished_here(tmp_path, "cpu"))
    slow = told(planned, tmp_path, calibration=found)
    assert f"about {duration(2 * 8 * one)} of device time" in slow
    assert f"going by 1 finished runs on {precision.cpu_name()}" in slow


def test_a_study_of_one_run_does_not_speak_of_two_at_once(tmp_path):
    assert "at once" not in told(study(), tmp_path, 4)


def test_memory_bounds_what_is_computed_at_once_and_too_little_is_told(tmp_path, monkeypatch):
    planned = study(defaults={"width": 512}, vary={"style_weight": [500, 2, 3]})
    monkeypatch.setattr(host, "memory_mb", lambda: 4500)
    assert "with 2 runs at once" in told(planned, tmp_path, 8)
    assert "a run needs" not in told(planned, tmp_path, 8)
    monkeypatch.setattr(host, "memory_mb", lambda: 1000)
    assert "at once" not in told(planned, tmp_path, 8)
    assert "a run needs about 1.5 GB of memory, and there are 1.0 GB for it here: choose a smaller width" in told(
        planned, tmp_path
    )


def test_a_killed_run_counts_as_what_is_left(tmp_path):
    planned = study(defaults={"width": 512, "iterations": 1000}, vary={"style_weight": [500, 2, 3]})
    runs = list(planned.runs.values())
    found = Estimates(planned, "cpu")
    before = told(planned, tmp_path)
    for run, iteration in zip(runs, (900, 800, None), strict=True):
        state = tmp_path / run.run_id / "run.state.npz"
        state.parent.mkdir()
        if iteration is None:
            state.write_bytes(b"damaged")
        else:
            arrays = {"iteration": np.array(iteration), "image": np.zeros(3)}
            checkpoint.write(state, {}, checkpoint.State(arrays, {}))
    after = told(planned, tmp_path)
    assert "resume from where" not in before
    assert "2 of the new runs resume from where they were stopped" in after
    one = found.seconds(runs[0])
    assert f"about {duration(3 * one)} of device time" in before
    left = one + sum(found.seconds(run, done) for run, done in zip(runs, (900, 800), strict=False))
    assert left == pytest.approx((1 + 0.1 + 0.2) * one, rel=0.02)
    assert f"about {duration(left)} of device time" in after


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (900, None),
        (1024, None),
        (1100, "photograph: 1,100 px is 2.1 times the photograph's 512 px: enlarging"),
        (4960, "photograph: 4,960 px is 9.7 times the photograph's 512 px: enlarging"),
    ],
)
def test_a_photograph_that_is_enlarged_is_told(width, line):
    planned = study(defaults={"width": 64}, vary={"width": [100, width]})
    lines = overview.enlarged(planned)
    assert (len(lines), line is None or lines[0].startswith(line)) == (line is not None, True)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("resources: {gpu: 4}\n", 4),
        ("resources: [gpu=3, mem_mb=5]\n", 3),
        ("cores: all\n", 1),
        ("resources: {gpu: many}\n", 1),
        ("resources:\n", 1),
        ("[", 1),
        (None, 1),
    ],
)
def test_tokens_are_those_of_the_profile(tmp_path, text, tokens):
    profile = tmp_path / "config.yaml"
    if text is not None:
        profile.write_text(text)
    assert gpu_tokens(profile) == tokens


def test_the_command_goes_by_config_profile_and_pool(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(host, "cores", lambda: 4)
    study_of_four = tiny_study(runs_per_job=2, vary={"style_weight": [500, 2, 3, 4]})
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(study_of_four))
    assert cli.run(["plan", "--configfile", "a.yaml"]) == 0
    assert "with 2 jobs at once" in capsys.readouterr().out
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(study_of_four | {"device": "gpu", "runs_per_job": 1}))
    assert cli.run(["plan", "--configfile", "a.yaml"]) == 0
    assert "at once" not in capsys.readouterr().out
    assert cli.run(["plan", "--configfile", "a.yaml", "--at-once", "4"]) == 0
    assert "with 4 runs at once), going by a P100" in capsys.readouterr().out


def test_the_old_key_for_the_time_of_a_run_is_refused_by_name():
    with pytest.raises(InputError, match="seconds_per_run"):
        load(tiny_study(seconds_per_run=60))
