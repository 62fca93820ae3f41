"""Fixtures of several unit tests."""

import numpy as np
import pytest

from helpers import engine, weights
from styletransfer.devices import tf_setup
from styletransfer.images.io import write_image
from styletransfer.runs.layout import Inputs
from styletransfer.vgg import formats


@pytest.fixture
def small_weights():
    return engine.small_weights()


@pytest.fixture
def inputs(small_weights, monkeypatch, tmp_path):
    """The files of a run: two pictures of noise, and a name for weights that load as `small_weights`."""
    monkeypatch.setattr(tf_setup, "load_tensorflow", lambda *_: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(formats, "load", lambda path: small_weights)
    paths = [tmp_path / name for name in ("content.png", "style.png", "weights.safetensors")]
    for seed, path in enumerate(paths[:2]):
        write_image(path, np.random.default_rng(seed).integers(0, 256, (26, 30, 3), np.uint8))
    paths[2].touch()
    return Inputs(paths[0], [paths[1]], paths[2])


@pytest.fixture(scope="session")
def layers():
    """A whole VGG-19, 80 MB."""
    return weights.random_layers(weights.names_and_shapes())
