"""Every loss term, and the gradient of their sum, against plain NumPy in float64 and finite differences."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy import signal

from helpers.engine import settings
from styletransfer.optim import loop, losses
from styletransfer.optim import terms as loss_terms
from styletransfer.optim.stylize import Computation, Pictures, build, starting_image
from styletransfer.vgg.network import CONVOLUTIONS, VGG19

pytestmark = pytest.mark.engine


def numpy_features(weights, image, pooling="max"):
    """VGG-19 in float64 with SciPy's correlation; image: (H, W, 3) RGB less the mean pixel."""
    x, found = image[..., ::-1].astype(np.float64), {}
    for name in CONVOLUTIONS:
        if name.endswith("_1") and name != "1_1":
            x = numpy_pool(x, pooling)
        kernel, bias = weights.kernels[f"conv{name}"].astype(np.float64), weights.biases[f"conv{name}"]
        x = np.stack(
            [
                sum(signal.correlate2d(x[..., i], kernel[..., i, o], "same") for i in range(x.shape[-1])) + bias[o]
                for o in range(kernel.shape[-1])
            ],
            axis=-1,
        )
        x = found[f"relu{name}"] = np.maximum(x, 0)
    return found


def numpy_pool(x, pooling):
    height, width, channels = x.shape
    padded = np.full((height + height % 2, width + width % 2, channels), np.nan)
    padded[:height, :width] = x
    blocks = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2, channels)
    return np.nanmax(blocks, axis=(1, 3)) if pooling == "max" else np.nanmean(blocks, axis=(1, 3))


def numpy_terms(weights, image, content, styles, blend, run):
    X, P = numpy_features(weights, image), numpy_features(weights, content)

    def gram(features):
        F = features.reshape(-1, features.shape[-1])
        return F.T @ F / features.size

    terms = [np.mean((X[layer] - P[layer]) ** 2) for layer in loss_terms.content_shares(run)]
    for layer in loss_terms.style_shares(run):
        S = [gram(numpy_features(weights, style)[layer]) for style in styles]
        terms.append(sum(b * np.mean((gram(X[layer]) - G) ** 2) for b, G in zip(blend, S, strict=True)))
    return np.array([*terms, np.mean(np.diff(image, axis=0) ** 2) + np.mean(np.diff(image, axis=1) ** 2)])


@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_features_match_scipy_on_an_odd_size(small_weights, pooling):
    image = np.random.default_rng(1).normal(0, 1, (19, 23, 3)).astype(np.float32)
    found = VGG19(small_weights, pooling).features(tf.constant(image), ("relu1_1", "relu3_4", "relu5_2"))
    expected = numpy_features(small_weights, image, pooling)
    for layer, features in found.items():
        np.testing.assert_allclose(features, expected[layer], rtol=2e-4, atol=2e-4)


class Counted(dict):
    """A dictionary that knows which of its values were asked for."""

    def __init__(self, values):
        super().__init__(values)
        self.read = []

    def __getitem__(self, name):
        self.read.append(name)
        return super().__getitem__(name)


def test_kernels_are_forgotten_before_the_first_step_and_made_again(small_weights):
    """Steps have their own kernels, and most of these in another form: both at once would only take memory."""
    kernels = Counted(small_weights.kernels)
    run = settings()
    engine = build(
        dataclasses.replace(small_weights, kernels=kernels), run, Computation("cpu", "float32", "analytic", 1)
    )
    assert not kernels.read
    pictures = Pictures(np.full((16, 24, 3), 9.0), [np.full((17, 18, 3), 7.0)], None)
    first = engine.targets(run, pictures)
    needed = [f"conv{name}" for name in CONVOLUTIONS[: CONVOLUTIONS.index("5_1") + 1]]
    assert sorted(kernels.read) == needed  # of two pictures, each is read once
    engine.begin(run, first, pictures)
    engine.pyramid(run, [pictures], lambda stage: engine.targets(run, pictures))
    assert sorted(kernels.read) == sorted(2 * needed)
    kernels.read.clear()
    again = engine.targets(run, pictures)
    assert sorted(kernels.read) == needed
    tf.nest.map_structure(np.testing.assert_array_equal, first, again)


def test_graphs_share_the_kernels_that_they_hold_anyway(small_weights):
    kernels = Counted(small_weights.kernels)
    network = VGG19(dataclasses.replace(small_weights, kernels=kernels))
    features = tf.function(lambda image: network.features(image, ("relu2_1",))["relu2_1"], autograph=False)
    for size in (16, 24):
        image = tf.ones((size, 16, 3))
        found = features(image)
        network.kernels.forget()
        np.testing.assert_allclose(found, network.features(image, ("relu2_1",))["relu2_1"], rtol=1e-6)
    assert kernels.read == ["conv1_1", "conv1_2", "conv2_1"]


def test_reference_layout_transposes_kernels(small_weights):
    image = np.random.default_rng(1).normal(0, 1, (8, 9, 3)).astype(np.float32)
    turned = VGG19(small_weights, kernel_layout="reference").features(tf.constant(image), ("relu1_2",))
    plain = VGG19(small_weights).features(tf.constant(image.transpose(1, 0, 2)), ("relu1_2",))
    np.testing.assert_allclose(turned["relu1_2"], np.transpose(plain["relu1_2"], (1, 0, 2)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("values", [{}, {"content_layers": "relu2_2", "style_layers": "relu1_2 relu4_4"}], ids=str)
def test_terms_and_gradient_match_numpy_and_finite_differences(small_weights, values):
    rng = np.random.default_rng(3)
    image, content, *styles = (rng.normal(0, 1, (20, 18, 3)).astype(np.float32) for _ in range(4))
    run = settings(styles=2, content_weight_blend=0.3, style_layer_weight_exp=0.5, style_blend_weights=(1, 3), **values)
    network = VGG19(small_weights)
    mean = network.mean_pixel
    targets = losses.measure_targets(network, run, content + mean, [style + mean for style in styles])
    blend = tf.constant(run.style_blend_weights, tf.float32)
    variable = tf.Variable(image)
    with tf.GradientTape(persistent=True) as tape:
        terms = losses.terms(variable, network.features(variable, targets.layers), targets, blend)
        parts = tf.unstack(terms)
    gradients = np.stack([tape.gradient(part, variable).numpy() for part in parts])

    def numpy_at(bumped):
        return numpy_terms(small_weights, bumped, content, styles, run.style_blend_weights, run)

    np.testing.assert_allclose(terms, numpy_at(image), rtol=1e-3)
    step = 1e-5
    for y, x, c in [(0, 0, 0), (7, 9, 1), (19, 17, 2), (3, 12, 0), (19, 0, 1)]:
        bump = np.zeros_like(image, np.float64)
        bump[y, x, c] = step
        expected = (numpy_at(image + bump) - numpy_at(image - bump)) / (2 * step)
        scale = np.abs(gradients).max(axis=(1, 2, 3))
        assert (scale > 0).all()
        np.testing.assert_allclose(gradients[:, y, x, c] / scale, expected / scale, atol=2e-3, err_msg=str((y, x, c)))


@pytest.mark.parametrize(
    ("exponent", "expected"), [(1, [0.2] * 5), (0, [1, 0, 0, 0, 0]), (2, [1 / 31, 2 / 31, 4 / 31, 8 / 31, 16 / 31])]
)
def test_weights_of_successive_style_layers(exponent, expected):
    shares = loss_terms.style_shares(settings(style_layer_weight_exp=exponent))
    np.testing.assert_allclose(list(shares.values()), expected)


def test_report_adds_up():
    run = settings(content_weight=2, content_weight_blend=0.25, style_weight=3, tv_weight=5)
    report = loss_terms.named_losses(np.arange(1, 9), run)
    assert report["content_unweighted"] == pytest.approx(0.25 * 1 + 0.75 * 2)
    assert report["style"] == pytest.approx(3 * np.mean([3, 4, 5, 6, 7]))
    assert report["tv"] == pytest.approx(5 * 8)
    assert report["total"] == pytest.approx(report["content"] + report["style"] + report["tv"])


def test_adam_matches_numpy(small_weights):
    rng = np.random.default_rng(5)
    image, content, style = (rng.normal(0, 1, (16, 16, 3)).astype(np.float32) for _ in range(3))
    run = settings(iterations=3, learning_rate=0.5, beta1=0.8, beta2=0.9, eps=1e-3)
    network = VGG19(small_weights)
    targets = losses.measure_targets(network, run, content + network.mean_pixel, [style + network.mean_pixel])
    optimization = loop.Optimization(loop.Stepper(losses.AutodiffGradient(network)), targets, run, image)
    evaluations = list(optimization.run())
    x, mean, square = image.astype(np.float64), 0.0, 0.0
    for t in range(1, 4):
        variable = tf.Variable(x.astype(np.float32))
        with tf.GradientTape() as tape:
            terms = losses.terms(variable, network.features(variable, targets.layers), targets, tf.constant([1.0]))
            total = tf.reduce_sum(tf.constant(loss_terms.weights(run), tf.float32) * terms)
        gradient = tape.gradient(total, variable).numpy().astype(np.float64)
        mean, square = 0.8 * mean + 0.2 * gradient, 0.9 * square + 0.1 * gradient**2
        corrected = (mean / (1 - 0.8**t), square / (1 - 0.9**t))
        x = x - 0.5 * corrected[0] / (np.sqrt(corrected[1]) + 1e-3 / np.sqrt(1 - 0.9**t))
    assert [evaluation.iteration for evaluation in evaluations] == [0, 1, 2, 3]
    np.testing.assert_allclose(optimization.last, x, rtol=1e-3, atol=1e-3)


def test_divergence_keeps_the_last_finite_image(small_weights):
    content = np.full((16, 16, 3), 100, np.float32)
    run = settings(iterations=5, learning_rate=1e30)
    network = VGG19(small_weights)
    targets = losses.measure_targets(network, run, content, [content])
    start = starting_image(run, None, content.shape)
    optimization = loop.Optimization(loop.Stepper(losses.AutodiffGradient(network)), targets, run, start)
    evaluations = list(optimization.run())
    assert not evaluations[-1].finite
    assert len(evaluations) < 6
    assert np.isfinite(optimization.last).all()
