"""Several runs of one process share what is equal, and give the files that each gives alone."""

import dataclasses
import json

import numpy as np
import pytest
from test_losses import small_weights  # noqa: F401  (a fixture)

from styletransfer import images, precision, run, transfer, ways, weights
from styletransfer.settings import Ingredient, Settings


@pytest.fixture
def inputs(small_weights, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setattr(transfer, "load_tensorflow", lambda *_: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "load", lambda path: small_weights)
    paths = [tmp_path / name for name in ("content.png", "style.png", "weights.safetensors")]
    for seed, path in enumerate(paths[:2]):
        images.write_image(path, np.random.default_rng(seed).integers(0, 256, (26, 30, 3), np.uint8))
    paths[2].touch()
    return run.Inputs(paths[0], [paths[1]], paths[2])


def compute(worker, inputs, folder, settings):
    return worker.transfer(run.Run(settings, inputs, run.Outputs.in_folder(folder)))


def test_runs_of_one_process_are_those_of_processes_of_their_own(inputs, tmp_path):
    file = Ingredient("a", "b")
    first = Settings(content=file, styles=(file,), weights=file, iterations=4)
    others = {
        "weights": {"style_weight": 7, "tv_weight": 3, "learning_rate": 2, "seed": 5},
        "style": {"style_scales": 0.7},
        "layers": {"content_weight_blend": 0.5},
        "pooling": {"pooling": "avg"},
        "method": {"optimizer": "lbfgs"},
        "format": {"precision": "bfloat16"},
        "size": {"width": 21},
    }
    with transfer.Worker("cpu") as worker:
        compute(worker, inputs, tmp_path / "first", first)
        for name, values in others.items():
            settings = dataclasses.replace(first, **values)
            compute(worker, inputs, tmp_path / "together" / name, settings)
            with transfer.Worker("cpu") as fresh:
                record = compute(fresh, inputs, tmp_path / "alone" / name, settings)
            for file in ("losses.csv", "image.png"):
                together, alone = (tmp_path / place / name / file for place in ("together", "alone"))
                assert together.read_bytes() == alone.read_bytes(), name
            assert record["precision_used"] == settings.precision
            assert (record["path_used"], record["steps_per_call"]) == ("fast", 1)


def test_steps_in_one_call_are_those_of_many_calls(inputs, tmp_path):
    """Files are equal to the byte; so are pictures on the way, at whatever iterations, and a run that goes on."""
    file = Ingredient("a", "b")
    for optimizer in ("adam", "lbfgs"):
        settings = Settings(content=file, styles=(file,), weights=file, iterations=11, optimizer=optimizer)
        found = []
        for steps in (1, 4):
            folder = tmp_path / optimizer / str(steps)
            outputs = run.Outputs.in_folder(folder)
            outputs = dataclasses.replace(outputs, checkpoints=f"{folder}/{{}}.png", checkpoint_iterations=6)
            with transfer.Worker("cpu", steps_per_call=steps, print_iterations=1) as worker:
                record = worker.transfer(run.Run(settings, inputs, outputs))
                # A picture on the way is of the last step of a call.
                assert record["steps_per_call"] == (2 if steps == 4 else 1)
                compute(worker, inputs, folder / "plain", settings)
            found.append({path.relative_to(folder): path for path in folder.rglob("*.[pc][ns][gv]")})
        assert found[0].keys() == found[1].keys()
        for name, path in found[0].items():
            assert path.read_bytes() == found[1][name].read_bytes(), name


def test_a_run_that_diverges_within_a_call_ends_there(inputs, tmp_path):
    file = Ingredient("a", "b")
    settings = Settings(content=file, styles=(file,), weights=file, iterations=40, learning_rate=1e30)
    records = []
    for steps in (1, 10):
        with transfer.Worker("cpu", steps_per_call=steps) as worker:
            records.append(compute(worker, inputs, tmp_path / str(steps), settings))
    assert [record["status"] for record in records] == ["diverged"] * 2
    assert records[0]["outputs"] == records[1]["outputs"]
    assert records[0]["iterations_done"] == records[1]["iterations_done"] < 40


@pytest.mark.parametrize(("gradient", "optimizer"), [("fast", "adam"), ("plain", "adam"), ("fast", "lbfgs")])
def test_compiled_runs_are_the_others_but_for_rounding(inputs, tmp_path, gradient, optimizer):
    file = Ingredient("a", "b")
    settings = Settings(content=file, styles=(file,), weights=file, iterations=2, optimizer=optimizer)
    finals = []
    for path in (gradient, f"{gradient}-xla"):
        with transfer.Worker("cpu", path=path, steps_per_call=2) as worker:
            record = compute(worker, inputs, tmp_path / path, settings)
        assert record["path_used"] == path
        finals.append([record["final"][name] for name in sorted(record["final"])])
    np.testing.assert_allclose(finals[0], finals[1], rtol=1e-3)


def test_the_fastest_way_is_measured_once(inputs, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = Ingredient("a", "b")
    settings = Settings(content=file, styles=(file,), weights=file, iterations=3)
    with transfer.Worker("cpu", path="measured") as worker:
        chosen = compute(worker, inputs, tmp_path / "1", settings)["path_used"]
    known = json.loads((tmp_path / "cache/styletransfer/ways.json").read_text())
    (situation, costs), *_ = known.items()
    assert chosen in costs.keys() == set(ways.WAYS)
    assert "26" in situation and "30" in situation and "float32" in situation
    # Another process on this machine looks it up.
    monkeypatch.setattr(ways, "_cost", lambda run: pytest.fail("measured again"))
    with transfer.Worker("cpu", path="measured") as worker:
        assert compute(worker, inputs, tmp_path / "2", settings)["path_used"] == chosen


def test_auto_is_what_the_cpu_has(tmp_path):
    flags = tmp_path / "cpuinfo"
    for number, (text, expected) in enumerate(
        [
            ("avx512f avx512_bf16", "bfloat16"),
            ("amx_bf16 amx_tile", "bfloat16"),
            ("avx512f", "float32"),
            ("", "float32"),
        ]
    ):
        path = flags.with_name(f"cpuinfo{number}")
        path.write_text(f"processor\t: 0\nflags\t\t: {text}\n")
        assert precision.resolve("auto", "cpu", path) == expected
    assert precision.resolve("auto", "cpu", tmp_path / "none") == "float32"
    assert precision.resolve("float32", "cpu") == "float32"
    assert precision.resolve("tensorfloat32", "cpu") == "float32"


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float32"), ((8, 0), None), ((9, 0), None)])
def test_what_a_gpu_has(monkeypatch, capability, expected):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {"compute_capability": capability})
    assert precision.resolve("auto", "gpu") == (expected or "bfloat16")
    assert precision.resolve("tensorfloat32", "gpu") == (expected or "tensorfloat32")
    assert precision.resolve("float32", "gpu") == "float32"
