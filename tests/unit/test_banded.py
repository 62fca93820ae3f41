"""A picture in bands gives the losses and the gradient of the whole picture, but for rounding, and without seams."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from helpers.cpus import SUMS_BFLOAT16
from helpers.engine import pictures, settings
from styletransfer.optim import banded, gradients, losses, terms
from styletransfer.optim.stylize import stylize
from styletransfer.settings import Settings
from styletransfer.vgg import network as vgg_network
from styletransfer.vgg.bands import SEGMENTS
from styletransfer.vgg.network import CONVOLUTIONS, VGG19

NARROW = [segment._replace(largest=1, pixels=1) for segment in SEGMENTS]
# Height and width: odd ones and even ones, of two bands and more; the last two have several in the third block as well.
SIZES = [(69, 21), (101, 22), (150, 19), (213, 17)]
# Layers before a pooling, of each segment; and none behind the first, or the second.
DEEP = {"content_layers": "relu1_2 relu2_1=0.5 relu3_3 relu4_2", "style_layers": "relu1_1 relu2_2 relu3_4 relu4_1"}
MIDDLE = {"content_layers": "relu3_3", "style_layers": "relu1_2 relu3_2"}
SHALLOW = {"content_layers": "relu1_1", "style_layers": "relu1_2 relu2_1"}


@pytest.fixture
def narrow(monkeypatch):
    """Every picture is in as many bands as there may be."""
    monkeypatch.setattr(banded, "SEGMENTS", NARROW)
    monkeypatch.setattr(vgg_network, "SEGMENTS", NARROW)
    monkeypatch.setattr(losses, "LARGE", 0)


@given(st.sampled_from([*SEGMENTS, *NARROW]), st.integers(1, 20_000), st.integers(1, 20_000))
def test_bands_make_up_the_picture_and_keep_the_grid_of_poolings(segment, height, width):
    parts = segment.bands(height, width)
    assert [band.first for band in parts] == [sum(other.rows for other in parts[:k]) for k in range(len(parts))]
    assert sum(band.rows for band in parts) == height
    assert {part % segment.scale for band in parts for part in (band.first, band.above, band.below)} == {0}
    assert all(band.rows % segment.scale == 0 for band in parts[:-1])
    assert all(0 <= band.first - band.above <= band.first + band.rows + band.below <= height for band in parts)
    assert len({band[1:] for band in parts[1:-1]}) <= 1
    assert all(band.above == segment.halo for band in parts[1:])
    assert all(band.below == segment.halo for band in parts[:-1])
    if height * width <= segment.pixels:
        assert len(parts) == 1


def test_what_is_computed_whole():
    """The bytes of finished runs: those of the 2018 study, of 512 x 532 pixels, are none of bands."""
    assert [segment.largest for segment in SEGMENTS] == [1024 * 1024, 512 * 512]
    assert not losses.is_large(np.zeros((532, 512, 3)))
    assert losses.is_large(np.zeros((683, 1024, 3)))
    assert [len(SEGMENTS[0].bands(*size)) for size in ((512, 512), (683, 1024), (2731, 4096))] == [1, 3, 43]
    assert [len(SEGMENTS[1].bands(*size)) for size in ((128, 128), (342, 512), (683, 1024))] == [1, 2, 6]


@pytest.mark.parametrize("segment", SEGMENTS, ids=str)
def test_a_halo_is_as_wide_as_results_depend_on(segment):
    """Counted back from the row 0 after the last pooling, which is of the rows 0 to scale - 1 of the input."""
    first = last = 0
    for _, layers in itertools.groupby(reversed(segment.names), key=lambda name: name[0]):
        count = len(list(layers))  # each depends on a row more on either side; a row after pooling is two before
        first, last = 2 * first - count, 2 * last + 1 + count
    assert -first <= segment.halo
    assert last - (segment.scale - 1) <= segment.halo


def problem(weights, run, size, precision="float32", compiled=False):
    network = VGG19(weights, run.pooling, precision=precision, compiled=compiled)
    targets = losses.measure_targets(network, run, *pictures(size, 2))
    image = tf.constant(np.random.default_rng(5).normal(0, 50, (*size, 3)), tf.float32)
    blend = tf.constant(run.style_blend_weights, tf.float32)
    return network, (image, targets, tf.constant(terms.weights(run), tf.float32), blend)


def compare(found, expected, of_terms=1e-5, of_gradient=1e-5):
    """The terms, and the gradient at every pixel."""
    np.testing.assert_allclose(found[0], expected[0], rtol=of_terms)
    np.testing.assert_allclose(found[1], expected[1], atol=of_gradient * np.abs(expected[1]).max())


@pytest.mark.engine
@pytest.mark.parametrize("values", [{}, DEEP, MIDDLE, SHALLOW, {"pooling": "avg"}, {"pooling": "avg", **DEEP}], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_bands_give_what_the_whole_picture_gives(small_weights, narrow, size, values):
    run = settings(styles=2, content_weight=50, tv_weight=1e-3, content_weight_blend=0.6, **values)
    network, inputs = problem(small_weights, run, size)
    assert len(NARROW[0].bands(*size)) > 1
    found = tf.function(banded.BandedGradient(network), autograph=False)(*inputs)
    compare(found, gradients.AnalyticGradient(network)(*inputs))
    compare(found, losses.AutodiffGradient(network)(*inputs))


@pytest.mark.engine
def test_pictures_of_one_band_are_the_same_to_the_bit(small_weights):
    network, inputs = problem(small_weights, settings(styles=2), (41, 30))
    for found, expected in zip(
        banded.BandedGradient(network)(*inputs), gradients.AnalyticGradient(network)(*inputs), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.engine
@pytest.mark.parametrize("values", [DEEP, {"pooling": "avg"}], ids=str)
def test_bands_may_be_compiled(small_weights, narrow, values):
    network, inputs = problem(small_weights, settings(styles=2, **values), (150, 19), compiled=True)
    found = tf.function(banded.BandedGradient(network), autograph=False, jit_compile=True)(*inputs)
    compare(found, gradients.AnalyticGradient(network)(*inputs), 1e-4, 1e-4)


@pytest.mark.engine
def test_bands_by_winograd(small_weights, narrow):
    network, inputs = problem(small_weights, settings(styles=2), (150, 19))
    whole = gradients.AnalyticGradient(network, winograd_from=0)(*inputs)
    compare(banded.BandedGradient(network, winograd_from=0)(*inputs), whole, 1e-3, 2e-2)


@SUMS_BFLOAT16
@pytest.mark.engine
def test_bands_in_bfloat16(small_weights, narrow):
    network, inputs = problem(small_weights, settings(styles=2), (150, 19), "bfloat16")
    compare(banded.BandedGradient(network)(*inputs), gradients.AnalyticGradient(network)(*inputs), 0.02, 0.1)


@pytest.mark.engine
@pytest.mark.parametrize("values", [{}, DEEP, SHALLOW], ids=str)
def test_targets_are_those_of_whole_pictures(small_weights, monkeypatch, values):
    run, network, size = settings(styles=2, **values), VGG19(small_weights), (213, 17)
    expected = losses.measure_targets(network, run, *pictures(size, 2))
    monkeypatch.setattr(vgg_network, "SEGMENTS", NARROW)
    monkeypatch.setattr(losses, "LARGE", 0)
    found = losses.measure_targets(network, run, *pictures(size, 2))
    assert found.terms == expected.terms
    for layer, P in expected.content.items():
        assert (P is None) == (found.content[layer] is None)
        if P is not None:
            np.testing.assert_allclose(found.content[layer], P, atol=1e-5 * np.abs(P).max())
    for layer, grams in expected.style.items():
        np.testing.assert_allclose(found.style[layer], grams, rtol=1e-5)


@pytest.mark.engine
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_run_in_bands_is_the_run(small_weights, monkeypatch, optimizer):
    rng = np.random.default_rng(3)
    content, style = (rng.integers(0, 256, size, np.uint8) for size in ((140, 40, 3), (90, 60, 3)))
    run = Settings(iterations=4, optimizer=optimizer, initial_noiseblend=0)

    def totals():
        _, history = stylize(content, [style], run, small_weights)
        return [history.losses(iteration)["total"] for iteration in range(5)]

    expected = totals()
    monkeypatch.setattr(banded, "SEGMENTS", NARROW)
    monkeypatch.setattr(vgg_network, "SEGMENTS", NARROW)
    monkeypatch.setattr(losses, "LARGE", 0)
    found = totals()
    assert found != expected, "it was not in bands"
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_segments_are_successive_layers_up_to_a_pooling():
    names = [name for segment in SEGMENTS for name in segment.names]
    assert tuple(names) == CONVOLUTIONS[: len(names)]
    assert all(CONVOLUTIONS[CONVOLUTIONS.index(segment.names[-1]) + 1].endswith("_1") for segment in SEGMENTS)
