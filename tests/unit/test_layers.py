"""Layers as a setting: their one written form, what it costs to name them, and a gradient for every choice."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from helpers.engine import pictures, settings, small_weights
from helpers.studies import config
from styletransfer.errors import InputError
from styletransfer.layers import LAYERS, weights_of, written
from styletransfer.optim import gradients, losses, terms
from styletransfer.settings import Settings, default_of
from styletransfer.study.expand import expand
from styletransfer.text import value_labels
from styletransfer.vgg.network import CONVOLUTIONS, VGG19

choices = st.dictionaries(st.sampled_from(LAYERS), st.floats(0.01, 100), min_size=1, max_size=5)


def test_the_layers_are_those_of_the_network():
    assert tuple(layer.removeprefix("relu") for layer in LAYERS) == CONVOLUTIONS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("relu1_1", "relu1_1"),
        ("relu2_1  relu1_1", "relu1_1+relu2_1"),
        ("relu1_1 + relu2_1 = 0.5", "relu1_1+relu2_1=0.5"),
        (["relu5_4", "relu1_1=1e+3+relu2_2=500"], "relu1_1+relu2_2=0.5+relu5_4=0.001"),
        (("relu1_1=3", "relu2_1=3"), "relu1_1+relu2_1"),
        ({"relu2_1": "2", "relu1_1": 1}, "relu1_1=0.5+relu2_1"),
        ({"relu2_1": 0, "relu1_1": 7}, "relu1_1"),
        ({"relu1_1": 1, "relu1_2": 3}, "relu1_1=0.333333333333+relu1_2"),
        ({"relu1_1": 1e-320, "relu1_2": 1e300}, "relu1_2"),
    ],
)
def test_layers_have_one_written_form(value, text):
    assert written("style_layers", value) == text


@given(choices)
def test_the_written_form_keeps_every_ratio_and_is_its_own(weights):
    text = written("style_layers", weights)
    found = weights_of(text)
    assert list(found) == [layer for layer in LAYERS if layer in weights]
    largest = max(weights.values())
    assert found == pytest.approx({layer: weight / largest for layer, weight in weights.items()})
    assert written("style_layers", text) == written("style_layers", found) == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("conv1_1", "style_layers names 'conv1_1', which is no layer after a ReLU of VGG-19: name layers from relu1_1"),
        ("relu1_1 relu3_5", "names 'relu3_5'"),
        ("relu1_1 2", "names 'relu1_1 2'"),
        (["relu1_1", "relu1_1=2"], "names relu1_1 twice: keep one"),
        ("relu1_1=-1", "style_layers: the weight of relu1_1 is '-1': it must be a number, at least 0"),
        ("relu1_1=", "the weight of relu1_1 is ''"),
        ({"relu1_1": float("nan")}, "the weight of relu1_1 is nan"),
        ({"relu1_1": 10**400}, "it must be a number, at least 0"),
        ({"relu1_1": True}, "the weight of relu1_1 is True"),
        ({"relu1_1": [1]}, r"the weight of relu1_1 is \[1\]"),
        ({"relu1_1": 0}, "at least one layer needs a weight above 0"),
        ([], r"style_layers is \[\]: at least one layer"),
        (7, "style_layers is 7: name layers"),
        (["relu1_1", ["relu2_1"]], "name layers"),
    ],
    ids=str,
)
def test_what_are_no_layers_is_refused(value, message):
    with pytest.raises(InputError, match=message):
        Settings(style_layers=value)


def test_the_default_choice_has_the_default_id_however_it_is_written():
    expected = settings().run_id
    named = {"style_layers": [f"relu{block}_1=2" for block in range(1, 6)], "content_layers": {"relu4_2": 1}}
    assert settings(**named).run_id == expected
    assert settings(style_layers="relu1_1").run_id != expected
    assert settings(style_layers="relu1_1").canonical()["style_layers"] == "relu1_1"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"content_relu4_2": 1, "content_relu5_2": 0, **{f"style_relu{block}_1": 0.2 for block in range(1, 6)}}),
        (
            {"content_layers": "relu1_1 relu3_1=3", "content_weight_blend": 0.8, "style_layers": "relu1_2 relu2_2=2"},
            {
                **{"content_relu1_1": 0.2, "content_relu3_1": 0.6, "content_relu5_2": 0.2},
                **{"style_relu1_2": 1 / 3, "style_relu2_2": 2 / 3},
            },
        ),
        (
            {"content_layers": "relu5_2 relu5_4=3", "content_weight_blend": 0.4, "style_layers": "relu5_4"},
            {"content_relu5_2": 0.7, "content_relu5_4": 0.3, "style_relu5_4": 1},
        ),
        (
            {"style_layers": "relu1_1=0.25 relu2_1 relu5_1=0.5", "style_layer_weight_exp": 3},
            {
                **{"content_relu4_2": 1, "content_relu5_2": 0},
                **{"style_relu1_1": 0.25 / 7.75, "style_relu2_1": 3 / 7.75, "style_relu5_1": 4.5 / 7.75},
            },
        ),
    ],
    ids=str,
)
def test_shares_of_layers(values, expected):
    run = settings(**values)
    assert dict(zip(terms.names(run), terms.term_scales(run), strict=True)) == pytest.approx(expected | {"tv": 1})


def problem(run, size=(21, 18)):
    network = VGG19(small_weights(), run.pooling)
    targets = losses.measure_targets(network, run, *pictures(size, 1))
    image = tf.constant(np.random.default_rng(5).normal(0, 50, (*size, 3)), tf.float32)
    return network, (image, targets, tf.constant(terms.weights(run), tf.float32), tf.ones(1))


@pytest.mark.engine
@hypothesis_settings(deadline=None, max_examples=40)
@given(choices, choices, st.sampled_from([0, 0.4, 1]), st.sampled_from(["max", "avg"]))
def test_the_analytic_gradient_is_the_automatic_one_for_every_choice(content, style, blend, pooling):
    run = settings(content_layers=content, style_layers=style, content_weight_blend=blend, pooling=pooling)
    network, inputs = problem(run)
    expected, gradient = losses.AutodiffGradient(network)(*inputs)
    assert len(expected) == len(terms.names(run))
    for winograd_from in (0, np.inf):
        found, other = gradients.AnalyticGradient(network, winograd_from)(*inputs)
        np.testing.assert_allclose(found, expected, rtol=1e-3 if winograd_from == 0 else 1e-5)
        share = 2e-2 if winograd_from == 0 else 1e-4
        assert np.linalg.norm(other - gradient) <= share * np.linalg.norm(gradient)


@pytest.mark.engine
def test_the_network_ends_at_the_deepest_layer_that_is_needed():
    shallow = small_weights()
    for name in CONVOLUTIONS[4:]:
        del shallow.kernels[f"conv{name}"]
    run = settings(content_layers="relu2_2", style_layers="relu1_1 relu2_1")
    network = VGG19(shallow)
    targets = losses.measure_targets(network, run, *pictures((16, 16), 1))
    assert targets.content["relu5_2"] is None
    for loss in (losses.AutodiffGradient(network), gradients.AnalyticGradient(network)):
        found, _ = loss(tf.zeros((16, 16, 3)), targets, tf.constant(terms.weights(run), tf.float32), tf.ones(1))
        assert dict(zip(terms.names(run), found.numpy(), strict=True))["content_relu5_2"] == 0
    with pytest.raises(InputError, match="the weights small end at conv2_2, and relu5_1 is wanted: take weights with"):
        losses.measure_targets(network, settings(), *pictures((16, 16), 1))


VALUES = [["relu1_1", "relu2_1"], {"relu1_1": 1, "relu2_1": 0.5}, "relu3_1", "relu1_1 relu5_4=0.3333333"]
LABELS = ["relu1_1+relu2_1", "relu1_1+relu2_1=0.5", "relu3_1", "relu1_1+relu5_4=0.3333"]


@pytest.mark.parametrize("design", ["star", "grid", "list"])
def test_layers_may_be_varied_in_every_form(design):
    runs = [{"style_layers": value} for value in VALUES]
    changes = {"vary": {}, "runs": runs} if design == "list" else {"vary": {"style_layers": VALUES}}
    study = expand(config(design=design, **changes))
    labels = LABELS if design == "star" else [f"style_layers {label}" for label in LABELS]
    assert [row.label for row in study.rows][:4] == labels
    assert [row.settings.style_layers for row in study.rows][:4] == [written("", value) for value in VALUES]


def test_layers_come_from_a_csv_file_and_as_text(tmp_path):
    table = tmp_path / "runs.csv"
    table.write_text("style_layers;content_layers\nrelu1_1 relu2_1=0.5;\n;relu3_1+relu4_1\n")
    found = [run.settings for run in expand(config(design="list", vary={}, runs=str(table))).rows]
    assert [(run.style_layers, run.content_layers) for run in found] == [
        ("relu1_1+relu2_1=0.5", "relu4_2"),
        (default_of("style_layers"), "relu3_1+relu4_1"),
    ]
    # As Snakemake's --config gives them: every value within a value is text.
    texts = expand(config(defaults={"style_layers": {"relu1_1": "1", "relu2_1": "0.5"}}, vary={}))
    assert texts.rows[0].settings.style_layers == "relu1_1+relu2_1=0.5"


def test_equal_choices_are_one_value_and_a_generator_is_none():
    study = expand(config(vary={"style_layers": ["relu1_1 relu2_1", ["relu2_1=3", "relu1_1=3"]]}))
    assert [row.label for row in study.rows if row.parameter] == ["relu1_1+relu2_1"]
    with pytest.raises(InputError, match="style_layers names 'linspace'"):
        expand(config(vary={"style_layers": {"linspace": [0, 1, 3]}}))


def test_labels_of_layers_are_short_and_differ():
    assert value_labels(["relu1_1=0.333333333333+relu2_1", "max"]) == ["relu1_1=0.3333+relu2_1", "max"]
    assert value_labels(["relu1_1=0.33333333", "relu1_1=0.33333334"]) == ["relu1_1=0.33333333", "relu1_1=0.33333334"]
