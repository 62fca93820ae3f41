"""The analytic gradient is that of automatic differentiation but for rounding: each term, each option, both formats."""

import copy

import numpy as np
import pytest
import tensorflow as tf

from helpers.cpus import SUMS_BFLOAT16
from helpers.engine import pictures, settings
from styletransfer.optim import gradients as optim_gradients
from styletransfer.optim import loop, losses
from styletransfer.optim.stylize import starting_image
from styletransfer.vgg import winograd
from styletransfer.vgg.network import VGG19, max_pool

pytestmark = pytest.mark.engine

# (height, width): odd, even, thinner than a tile, a single row.
SIZES = [(37, 45), (32, 48), (21, 3), (1, 40)]
# Rounding of the terms and of the gradient's norm. These small networks tell pictures badly apart: Gram matrices are
# nearly equal, and the difference has the rounding of both.
ROUNDING = {"direct": (1e-5, 1e-4), "winograd": (1e-3, 2e-2)}
OPTIONS = pytest.mark.parametrize(
    "options",
    [
        *({"size": size} for size in SIZES),
        {"pooling": "avg"},
        {"pooling": "avg", "size": (33, 34)},
        {"blend": 1.0},
        {"styles": 3},
        {"layout": "reference"},
    ],
    ids=str,
)


def setting(weights, precision="float32", size=(37, 45), pooling="max", layout="correct", styles=1, blend=0.3):
    run = settings(styles=styles, content_weight_blend=blend, style_blend_weights=tuple(range(1, styles + 1)))
    network = VGG19(weights, pooling, layout, precision)
    targets = losses.measure_targets(network, run, *pictures(size, styles))
    image = tf.constant(np.random.default_rng(5).normal(0, 50, (*size, 3)), tf.float32)
    return network, targets, image, tf.constant(run.style_blend_weights, tf.float32)


def terms_and_gradients(loss, image, targets, blend):
    """Term by term, so that none hides behind a larger one: (8,), and (8, H, W, 3)."""
    results = [loss(image, targets, row, blend) for row in tf.eye(len(targets.terms))]
    return results[0][0].numpy(), np.stack([gradient for _, gradient in results])


def distance(gradients, others):
    return np.linalg.norm((gradients - others).reshape(len(gradients), -1), axis=1)


@OPTIONS
def test_the_analytic_gradient_is_the_automatic_one(small_weights, options):
    network, targets, image, blend = setting(small_weights, **options)
    expected, gradients = terms_and_gradients(losses.AutodiffGradient(network), image, targets, blend)
    for convolution, (of_terms, of_gradients) in ROUNDING.items():
        analytic = optim_gradients.AnalyticGradient(network, winograd_from=0 if convolution == "winograd" else np.inf)
        found, grads = terms_and_gradients(analytic, image, targets, blend)
        np.testing.assert_allclose(found, expected, rtol=of_terms, err_msg=convolution)
        assert (distance(grads, gradients) <= of_gradients * distance(gradients, 0)).all(), convolution


@SUMS_BFLOAT16
@OPTIONS
def test_the_analytic_gradient_is_as_exact_as_the_automatic_one_in_bfloat16(small_weights, options):
    """Held to float32 with the same kernels, since bfloat16 has two digits and these small networks need more."""
    network, targets, image, blend = setting(small_weights, "bfloat16", **options)
    exact, gradients = terms_and_gradients(losses.AutodiffGradient(in_float32(network)), image, targets, blend)
    autodiff, autodiff_gradients = terms_and_gradients(losses.AutodiffGradient(network), image, targets, blend)
    found, grads = terms_and_gradients(optim_gradients.AnalyticGradient(network), image, targets, blend)
    assert (np.abs(found - exact) <= 2 * np.abs(autodiff - exact) + 0.02 * exact).all()
    error, allowed = distance(grads, gradients), distance(autodiff_gradients, gradients)
    assert (error <= 1.5 * allowed + 0.02 * distance(gradients, 0)).all()


def in_float32(network):
    """The same network with exact activations: its kernels are those that bfloat16 holds."""
    exact = copy.copy(network)
    exact.dtype = tf.float32
    exact.kernels, exact.biases = (
        {name: tf.cast(value, tf.float32) for name, value in values.items()}
        for values in (network.kernels, network.biases)
    )
    return exact


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=SUMS_BFLOAT16)])
@pytest.mark.parametrize("path", [optim_gradients.AnalyticGradient, losses.AutodiffGradient])
@pytest.mark.parametrize("options", [{}, {"pooling": "avg", "styles": 2}], ids=str)
def test_what_xla_compiles_is_as_exact(small_weights, path, precision, options):
    network, targets, image, blend = setting(small_weights, precision, **options)
    exact, gradients = terms_and_gradients(losses.AutodiffGradient(in_float32(network)), image, targets, blend)
    autodiff, autodiff_gradients = terms_and_gradients(losses.AutodiffGradient(network), image, targets, blend)
    compiled = VGG19(small_weights, network.pooling, precision=precision, compiled=True)
    loss = tf.function(path(compiled), autograph=False, jit_compile=True)
    found, grads = terms_and_gradients(loss, image, targets, blend)
    share = 0.02 if precision == "bfloat16" else 1e-3
    assert (np.abs(found - exact) <= 2 * np.abs(autodiff - exact) + share * exact).all()
    error, allowed = distance(grads, gradients), distance(autodiff_gradients, gradients)
    assert (error <= 1.5 * allowed + share * distance(gradients, 0)).all()


@pytest.mark.parametrize(("size", "expected"), [((16, 16), 0), ((17, 16), 1), ((1, 77), 1)])
def test_small_pictures_are_convolved_directly(size, expected, monkeypatch):
    """Winograd's kernels are four times as large: with few tiles, reading them is all the work. 4 x 4 pixels a tile."""
    made = []
    monkeypatch.setattr(winograd, "transformed", lambda kernel: made.append(kernel) or kernel)
    monkeypatch.setattr(winograd, "Convolution", lambda kernel, flipped=False: lambda x: x)
    convolution = optim_gradients.Convolution(lambda: tf.zeros((3, 3, 4, 4)), tiles=20)
    for _ in range(2):
        convolution.forward(tf.zeros((1, *size, 4)))
        convolution.backward(tf.zeros((1, *size, 4)))
    assert len(made) == expected


@pytest.mark.parametrize(
    ("instructions", "expected"), [("avx2", {16, 20, 25}), ("avx512f", {20, 25}), ("amx_bf16", {20, 25})]
)
def test_the_kind_of_cpu_tells_which_layers_go_by_winograd(small_weights, monkeypatch, instructions, expected):
    """A table and no stopwatch: equal settings give equal bytes on equal CPUs."""
    made = set()
    transformed = winograd.transformed
    monkeypatch.setattr(
        winograd, "transformed", lambda kernel: made.add(np.prod(kernel.shape[2:])) or transformed(kernel)
    )
    monkeypatch.setattr(optim_gradients, "WINOGRAD_FROM", 20)
    monkeypatch.setattr(optim_gradients, "WINOGRAD_FROM_ON", {"avx2": 16})
    monkeypatch.setattr(optim_gradients, "WINOGRAD_TILES", 0)
    monkeypatch.setattr(optim_gradients.precision, "usable_instructions", lambda: instructions)
    network, targets, image, blend = setting(small_weights)
    optim_gradients.AnalyticGradient(network)(image, targets, tf.ones(len(targets.terms)), blend)
    assert made == expected
    made.clear()
    in_bfloat16 = VGG19(small_weights, precision="bfloat16")
    optim_gradients.AnalyticGradient(in_bfloat16)(image, targets, tf.ones(len(targets.terms)), blend)
    assert not made


def test_a_graph_keeps_no_more_than_it_must(small_weights):
    """The first layer's activations are as large as any; and TensorFlow copies constants again and again."""
    network, targets, image, blend = setting(small_weights, size=(64, 64))
    loss = optim_gradients.AnalyticGradient(network, winograd_from=20)
    weights = tf.ones(len(targets.terms))
    step = tf.function(lambda image: loss(image, targets, weights, blend), autograph=False)
    graph = step.get_concrete_function(image).graph
    relu = next(operation for operation in graph.get_operations() if operation.type == "Relu")
    assert [consumer.type for consumer in relu.outputs[0].consumers()] == ["Conv2D"]
    constants = [operation for operation in graph.get_operations() if operation.type == "Const"]
    assert max(constant.get_attr("value").ByteSize() for constant in constants) < 1000


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (5, 8), (6, 7)])
def test_the_gradient_of_max_pooling_is_tensorflows(size):
    """Small whole numbers: windows with equal maxima are common."""
    rng = np.random.default_rng(4)
    x = tf.constant(rng.integers(-2, 3, (1, *size, 3)), tf.float32)
    grad = tf.constant(rng.normal(size=(1, -(-size[0] // 2), -(-size[1] // 2), 3)), tf.float32)
    gradients = []
    for pool in (max_pool, lambda x: tf.nn.max_pool2d(x, 2, 2, "SAME")):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = pool(x)
        gradients.append(tape.gradient(y, x, grad))
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (4, 4), (19, 22), (64, 33)])
def test_winograd_is_a_convolution_and_its_way_back(size, monkeypatch):
    monkeypatch.setattr(winograd, "STRIP_BYTES", 1)  # as many strips as there may be
    rng = np.random.default_rng(2)
    x, kernel = rng.normal(size=(1, *size, 5)).astype(np.float32), rng.normal(size=(3, 3, 5, 7)).astype(np.float32)
    points = winograd.transformed(tf.constant(kernel))
    expected = tf.nn.conv2d(x, kernel, 1, "SAME")
    np.testing.assert_allclose(winograd.Convolution(points)(tf.constant(x)), expected, atol=1e-4)
    grad = tf.constant(rng.normal(size=expected.shape), tf.float32)
    gradient = tf.nn.conv2d_transpose(grad, kernel, x.shape, 1, "SAME")
    np.testing.assert_allclose(winograd.Convolution(points, flipped=True)(grad), gradient, atol=1e-4)


@SUMS_BFLOAT16
def test_gram_matrices_in_bfloat16_are_summed_in_float32():
    F = tf.cast(np.random.default_rng(3).uniform(0, 9, (1003, 6)), tf.bfloat16)
    exact = tf.cast(F, tf.float64)
    exact = tf.matmul(exact, exact, transpose_a=True) / (1003 * 6)
    found = optim_gradients.gram_sum(tf.reshape(F, (1, 17, 59, 6))) / (1003 * 6)
    np.testing.assert_allclose(found, exact, rtol=1.5e-3)


def test_settings_of_equal_shapes_share_a_graph(small_weights):
    """The second run in a process gives the bits that it gives alone."""
    content, styles = pictures((20, 24), 1)
    runs = [settings(iterations=3, seed=seed, style_weight=seed, learning_rate=seed) for seed in (1, 2)]

    def results(stepper, run):
        targets = losses.measure_targets(network, run, content, styles)
        start = starting_image(run, None, content.shape)
        optimization = loop.Optimization(stepper, targets, run, start)
        return [evaluation.terms for evaluation in optimization.run()], optimization.best

    network = VGG19(small_weights)
    shared = loop.Stepper(optim_gradients.AnalyticGradient(network))
    results(shared, runs[0])
    traces = shared.steps.experimental_get_tracing_count()
    again, alone = results(shared, runs[1]), results(loop.Stepper(optim_gradients.AnalyticGradient(network)), runs[1])
    assert shared.steps.experimental_get_tracing_count() == traces == 1
    np.testing.assert_array_equal(again[0], alone[0])
    np.testing.assert_array_equal(again[1], alone[1])
