"""Several runs of one process share what is equal, and give the files that each gives alone."""

import dataclasses

import numpy as np
import pytest
from test_losses import small_weights  # noqa: F401  (a fixture)

from styletransfer import images, precision, run, transfer, weights
from styletransfer.settings import Ingredient, Settings


@pytest.fixture
def inputs(small_weights, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setattr(transfer, "load_tensorflow", lambda *_: None)
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
        "style": {"style_scales": 0.5},
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
            assert record["path_used"] == "fast"


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
