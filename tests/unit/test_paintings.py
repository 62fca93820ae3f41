"""Paintings are the same pixels everywhere, since a run knows them by name and version alone, and are worth a style."""

import hashlib
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from scipy import ndimage

from styletransfer.errors import InputError
from styletransfer.images import generated, samples

# Of version 1 of each, at 96 x 64 pixels. Whoever changes one raises its version in `images.samples`.
DIGESTS = {
    "strokes@1": "2aea6b7b8041",
    "glass@1": "4a869b9ed367",
    "candy@1": "df2c0deef456",
    "woodcut@1": "99c228ccece5",
    "watercolour@1": "ef530fcafa4e",
    "pencil@1": "36d9d5114db6",
    "impasto@1": "4bf17c61d42c",
}
BETTER_THAN_BASELINE = " ".join(feature for feature in __cpu_dispatch__ if __cpu_features__[feature])


def digests():
    return {name: hashlib.sha256(generated.paint(name, 96, 64)).hexdigest()[:12] for name in generated.PAINTINGS}


def test_paintings_are_the_pixels_that_their_versions_name():
    assert {samples.recipe(name): digest for name, digest in digests().items()} == DIGESTS


@pytest.mark.slow
@pytest.mark.skipif(not BETTER_THAN_BASELINE, reason="this CPU has nothing that could be left out")
def test_paintings_are_the_same_on_a_lesser_cpu():
    """NumPy's and the C library's functions round differently without the newer instructions."""
    code = "import json; from test_paintings import digests; print(json.dumps(digests()))"
    lesser = {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        "NPY_DISABLE_CPU_FEATURES": BETTER_THAN_BASELINE,
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
    }
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, env=os.environ | lesser, check=True, capture_output=True, text=True).stdout
    assert json.loads(found) == digests()


@pytest.mark.parametrize("name", generated.PAINTINGS)
def test_a_painting_has_detail_at_every_scale(name):
    """The network sees from a few pixels to a hundred: a style needs something to see at each of them."""
    picture = generated.paint(name, 384, 256)
    assert picture.shape == (256, 384, 3)
    assert picture.std(axis=(0, 1)).min() > 40
    luma = picture @ np.array([0.299, 0.587, 0.114])
    blurred = [luma, *(ndimage.gaussian_filter(luma, sigma) for sigma in (1, 2, 4, 8, 16))]
    bands = [np.std(fine - coarse) for fine, coarse in pairwise(blurred)]
    assert min(bands) > 4


@pytest.mark.parametrize(("width", "height"), [(16, 24), (40, 16)])
def test_paintings_of_odd_shapes(width, height):
    for name in generated.PAINTINGS:
        assert generated.paint(name, width, height).shape == (height, width, 3)


def test_a_larger_painting_shows_the_same():
    for name in generated.PAINTINGS:
        small, large = generated.paint(name, 64, 64), generated.paint(name, 128, 128)
        halved = large.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
        soft = [ndimage.gaussian_filter(picture, (4, 4, 0)).ravel() for picture in (halved, small.astype(float))]
        assert np.corrcoef(soft)[0, 1] > 0.85, name


def test_unknown_painting():
    with pytest.raises(InputError, match="glass"):
        generated.paint("gals", 64, 64)
    assert list(generated.PAINTINGS) == list(samples.PAINTINGS)
