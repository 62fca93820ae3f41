"""The ruler's statistics against SciPy and loops; its anchors; and that a picture is measured once."""

import json
import re

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial.distance
from hypothesis import given
from hypothesis import strategies as st

from helpers.finished_runs import RUNS, STUDY, finish
from styletransfer.analysis import ruler
from styletransfer.errors import InputError
from styletransfer.results import readings
from styletransfer.runs.layout import MEASURES


class Blurs:
    """In place of the network: three channels at each layer, coarser and coarser, and their products."""

    def preprocess(self, pixels):
        return np.asarray(pixels, np.float64) / 255

    def features(self, image, layers):
        found = {}
        for number, layer in enumerate(layers):
            step = 2**number
            height, width = (side // step for side in image.shape[:2])
            cells = image[: height * step, : width * step].reshape(height, step, width, step, 3).mean((1, 3))
            found[layer] = Tensor(np.concatenate([cells, cells**2, cells[..., ::-1] * cells], axis=-1))
        return found


class Tensor(np.ndarray):
    def __new__(cls, array):
        return np.asarray(array).view(cls)

    def numpy(self):
        return np.asarray(self)


def picture(seed, height=90, width=128):
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (6, 8, 3), np.uint8)
    fine = np.kron(coarse, np.ones((15, 16, 1), np.uint8))[:height, :width]
    return (fine // 2 + generator.integers(0, 128, fine.shape, np.uint8)).astype(np.uint8)


CONTENT = picture(1)
# Of other colours than the content, all over.
STYLE = 255 - picture(2) // 8


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_the_distance_of_gaussians_is_scipys(seed, size):
    generator = np.random.default_rng(seed)
    one, other = (
        ruler.Gaussian(generator.normal(size=size), (root := generator.normal(size=(size, size))) @ root.T)
        for _ in range(2)
    )
    root = scipy.linalg.sqrtm(one.covariance)
    shared = scipy.linalg.sqrtm(root @ other.covariance @ root).real
    square = ((one.mean - other.mean) ** 2).sum() + np.trace(one.covariance + other.covariance - 2 * shared)
    # The roots of eigenvalues that are 0 but for rounding are no better than that.
    near = {"abs": 1e-6 * np.trace(one.covariance + other.covariance)}
    assert ruler.wasserstein(one, other) ** 2 == pytest.approx(square, **near)
    assert ruler.wasserstein(other, one) ** 2 == pytest.approx(square, **near)
    assert ruler.wasserstein(one, one) ** 2 == pytest.approx(0, **near)


def test_the_statistics_are_those_of_all_positions():
    F = np.random.default_rng(0).normal(size=(5, 7, 4))
    found = ruler.statistics({"layer": F})["layer"]
    apart = F.reshape(35, 4) - F.mean((0, 1))
    np.testing.assert_allclose(found.mean, F.mean((0, 1)))
    np.testing.assert_allclose(found.covariance, sum(np.outer(row, row) for row in apart) / 35)


@pytest.mark.parametrize("shape", [(24, 16), (50, 33), (3, 60), (1, 1)])
def test_the_self_similarity_is_of_cells_of_equal_size(shape):
    F = np.random.default_rng(0).random((*shape, 5)) + 0.1
    found = ruler.self_similarity(F)
    step = max(1, round(max(shape) / 24))
    down, across = min(step, shape[0]), min(step, shape[1])
    cells = [
        F[i * down : (i + 1) * down, j * across : (j + 1) * across].mean((0, 1))
        for i in range(shape[0] // down)
        for j in range(shape[1] // across)
    ]
    expected = scipy.spatial.distance.cdist(cells, cells, "cosine")
    sums = expected.sum(1, keepdims=True)
    np.testing.assert_allclose(found, expected / np.where(sums > 1e-12, sums, 1), atol=1e-9)


def test_the_anchors_are_exact():
    measure = ruler.Ruler(Blurs(), CONTENT, [STYLE])
    content, style = measure.measure(CONTENT), measure.measure(STYLE)
    assert content.style_reached == pytest.approx(0, abs=1e-9)
    assert tuple(content)[2:] == pytest.approx((1, 1, 1))
    assert style.content_kept == pytest.approx(0, abs=1e-9)
    assert style.style_reached >= 1
    assert content.style_size in ruler.SCALES
    # What is as near to the style as its halves are to each other.
    (scales,) = measure._styles
    far = measure._farthest[0]
    for scale, at in zip(scales, far, strict=True):
        halves = {layer: Halves(scale.halves[layer]) for layer in ruler.STYLE_LAYERS}
        assert ruler._mean_reached(Nearby(scale), at, halves) == pytest.approx(1)


class Halves(float):
    """Statistics that are known by their distance alone."""


class Nearby:
    """A scale from which everything is as far as it says."""

    def __init__(self, scale):
        self.halves = scale.halves

    def distance(self, layer, other):
        return float(other)


def test_shares_count():
    other = picture(3) // 8
    one, two = (ruler.Ruler(Blurs(), CONTENT, [style]).measure(picture(4)) for style in (STYLE, other))
    both = ruler.Ruler(Blurs(), CONTENT, [STYLE, other], shares=[0.25, 0.75]).measure(picture(4))
    assert both.style_reached == pytest.approx(0.25 * one.style_reached + 0.75 * two.style_reached)


def test_nothing_is_told_where_the_anchors_are_one():
    found = ruler.Ruler(Blurs(), CONTENT, [CONTENT]).measure(picture(4))
    assert np.isnan(found.content_kept) and np.isnan(found.style_reached)
    assert found.ssim < 1


def test_a_picture_is_measured_once_and_again_when_it_changes(tmp_path):
    pool = tmp_path / "pool"
    for run_id in RUNS[:2]:
        (pool / run_id).mkdir(parents=True)
        finish(pool / run_id, run_id)
    due = readings.unmeasured(STUDY, pool)
    assert list(due) == RUNS[:2]
    readings._write(pool / RUNS[0], due[RUNS[0]], ruler.Reading(0.51239, 1.0, float("nan"), 0.2, 1.1))
    assert list(readings.unmeasured(STUDY, pool)) == [RUNS[1]]
    kept = readings.read(pool / RUNS[0], due[RUNS[0]])
    assert kept.style_reached == 0.5124 and np.isnan(kept.content_kept)
    with pytest.raises(InputError, match="of another picture"):
        readings.read(pool / RUNS[0], "another")
    table = readings.table(STUDY, pool)
    assert table["run_id"].tolist() == RUNS
    assert table["style_reached"].notna().tolist() == [True] + [False] * (len(RUNS) - 1)


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"version": 1}', "flipped"])
def test_a_damaged_measure_is_refused_by_name_and_measured_again(tmp_path, damaged):
    pool = tmp_path / "pool"
    (pool / RUNS[0]).mkdir(parents=True)
    finish(pool / RUNS[0], RUNS[0])
    due = readings.unmeasured(STUDY, pool)
    readings._write(pool / RUNS[0], due[RUNS[0]], ruler.Reading(0.5, 1.0, 0.3, 0.2, 1.1))
    path = pool / RUNS[0] / MEASURES
    if damaged == "flipped":
        damaged = path.read_text(encoding="utf-8").replace('"style_reached": 0.5', '"style_reached": 0.7')
    path.write_text(damaged, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(f"{path} is not what was measured") + r".*measures\.csv"):
        readings.read(pool / RUNS[0], due[RUNS[0]])
    assert readings.unmeasured(STUDY, pool) == due


def test_measures_of_earlier_versions_without_a_checksum_stay(tmp_path):
    readings._write(tmp_path, "image", ruler.Reading(0.5, 1.0, 0.3, 0.2, 1.1))
    path = tmp_path / MEASURES
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["sha256"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert readings.read(tmp_path, "image").style_reached == 0.5


def test_what_is_gone_is_left_out(tmp_path):
    """Neither network nor pictures are here: nothing is loaded, nothing fails."""
    assert readings.measure(STUDY, tmp_path, {RUNS[0]: "0"}, load_network=None) == 0
