"""L-BFGS against SciPy's on functions whose minimum is known, and on a small style transfer."""

import dataclasses

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from helpers.cpus import SUMS_BFLOAT16
from helpers.engine import pictures, settings
from styletransfer.optim import gradients, loop, losses, optimizers
from styletransfer.optim.stylize import starting_image
from styletransfer.vgg.network import VGG19

pytestmark = pytest.mark.engine


def rosenbrock(x):
    return scipy.optimize.rosen(x), scipy.optimize.rosen_der(x)


def quadratic(x):
    """Of condition 10,000."""
    curvature = np.logspace(0, 4, x.size)
    return 0.5 * np.sum(curvature * (x - 1) ** 2), curvature * (x - 1)


def minimise(function, start, evaluations, learning_rate=0.1):
    """The losses of the images that L-BFGS evaluates."""
    image = tf.Variable(start.reshape(1, -1, 1), dtype=tf.float32)
    method = optimizers.LBFGS.init(image.numpy())
    hyper = optimizers.Hyperparameters.of(settings(learning_rate=learning_rate))
    losses = []
    step = tf.function(method.step)
    for _ in range(evaluations):
        loss, gradient = function(image.numpy().reshape(-1).astype(np.float64))
        losses.append(loss)
        step(image, tf.constant(gradient.reshape(image.shape), tf.float32), tf.constant(loss, tf.float32), hyper)
    return losses


@pytest.mark.parametrize(
    ("function", "start"), [(rosenbrock, np.full(10, -1.0)), (quadratic, np.zeros(60))], ids=["rosenbrock", "quadratic"]
)
def test_lbfgs_needs_about_as_many_evaluations_as_scipy(function, start):
    below = 1e-3 * function(start)[0]
    seen = []

    def watched(x):
        seen.append(function(x)[0])
        return function(x)

    scipy.optimize.minimize(watched, start, jac=True, method="L-BFGS-B", options={"maxcor": optimizers.HISTORY_SIZE})
    expected = next(number for number, loss in enumerate(seen) if loss < below)
    losses = minimise(function, start, 2 * expected + 20)
    assert next(number for number, loss in enumerate(losses) if loss < below) <= 1.5 * expected + 5
    assert min(losses) < below


def test_lbfgs_keeps_fewer_pairs_of_a_large_picture(monkeypatch):
    """As many as there is room for; and it converges, if later."""
    start, allowed = np.full(10, -1.0), optimizers.HISTORY_BYTES
    monkeypatch.setattr(optimizers, "HISTORY_BYTES", 5 * 2 * 4 * start.size)
    assert optimizers.LBFGS.init(start).s.shape == (5, 10)
    assert min(minimise(rosenbrock, start, 300)) < 1e-3 * rosenbrock(start)[0]
    for size, pairs in (((512, 512, 3), 20), ((1365, 2048, 3), 20), ((2731, 4096, 3), 6)):
        monkeypatch.setattr(optimizers, "HISTORY_BYTES", allowed)
        assert optimizers.pairs_kept(int(np.prod(size))) == pairs


def test_lbfgs_recovers_from_a_first_step_that_is_far_too_long():
    losses = minimise(quadratic, np.zeros(20), 150, learning_rate=1e4)
    assert min(losses) < 1e-4 * losses[0]


def optimised(weights, precision="float32", **values):
    """On kernels that neither swell nor fade activations (He et al. 2015)."""
    kernels = {name: kernel * np.sqrt(2 / 9 / kernel.shape[2]) / 0.4 for name, kernel in weights.kernels.items()}
    weights = dataclasses.replace(weights, kernels=kernels)
    content, styles = pictures((24, 28), 1)
    run = settings(precision=precision, initial_noiseblend=0.0, **values)
    network = VGG19(weights, precision=precision)
    targets = losses.measure_targets(network, run, content, styles)
    start = starting_image(run, network.preprocess(content).numpy(), content.shape)
    optimization = loop.Optimization(loop.Stepper(gradients.AnalyticGradient(network)), targets, run, start)
    evaluations = list(optimization.run())
    return evaluations, optimization


def best(evaluations, run):
    from styletransfer.optim import terms

    return min(terms.named_losses(evaluation.terms, run)["total"] for evaluation in evaluations)


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=SUMS_BFLOAT16)])
def test_lbfgs_reaches_adams_loss_sooner(small_weights, precision):
    adam, _ = optimised(small_weights, precision, iterations=120)
    lbfgs, _ = optimised(small_weights, precision, iterations=60, optimizer="lbfgs")
    assert best(lbfgs, settings()) < best(adam, settings())


def test_lbfgs_is_deterministic_and_keeps_the_best(small_weights):
    first, one = optimised(small_weights, iterations=20, optimizer="lbfgs")
    second, two = optimised(small_weights, iterations=20, optimizer="lbfgs")
    np.testing.assert_array_equal([e.terms for e in first], [e.terms for e in second])
    np.testing.assert_array_equal(one.best, two.best)
    assert sum(evaluation.best for evaluation in first) > 10


def test_lbfgs_diverges_gracefully(small_weights):
    evaluations, optimization = optimised(small_weights, iterations=20, optimizer="lbfgs", learning_rate=1e30)
    assert not evaluations[-1].finite
    assert len(evaluations) < 21
    assert np.isfinite(optimization.best).all()
    assert np.isfinite(optimization.last).all()
