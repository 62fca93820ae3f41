"""Coarse to fine: what stages are, that each is optimised as a run of its size, and what goes from one to the next."""

import csv
import dataclasses
import logging
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from helpers import records
from helpers.engine import pictures, settings
from helpers.studies import tiny_study
from styletransfer import Settings, stages, stylize
from styletransfer.errors import InputError
from styletransfer.images.io import image_size, read_image
from styletransfer.images.resize import to_uint8
from styletransfer.results import readings, tables
from styletransfer.results.estimates import Estimates, Observation
from styletransfer.results.plan import check_sizes
from styletransfer.runs import history, transfer
from styletransfer.runs.layout import Outputs, Run
from styletransfer.runs.session import Session
from styletransfer.runs.status import Status
from styletransfer.study.config import load
from styletransfer.study.expand import expand

numbers = st.integers(1, stages.MOST)


@given(numbers, st.integers(16, 16384))
def test_a_number_stands_for_widths_whose_squares_double_up_to_the_width(number, width):
    found = stages.widths(number, width)
    assert found[-1] == width
    assert len(found) == number
    for left, each in enumerate(reversed(found)):
        assert abs(each - width * 0.5 ** (left / 2)) <= 0.5


@given(numbers, st.integers(0, 1000))
def test_stages_share_the_iterations_equally_and_the_last_takes_the_remainder(number, more):
    iterations = number + more
    found = stages.spans(number, iterations)
    assert [k for span in found for k in span] == list(range(iterations + 1)), "every image is evaluated once"
    *firsts, last = [*map(len, found[:-1]), len(found[-1]) - 1]
    assert set(firsts) <= {iterations // number}
    assert last == iterations // number + iterations % number


@given(numbers, st.integers(0, 300), st.data())
def test_steps_cost_what_their_pixels_cost(number, more, data):
    iterations = number + more
    first = data.draw(st.integers(0, iterations))
    each = [0.5 ** (number - 1 - stages.stage_of(k, number, iterations)) for k in range(iterations)]
    assert stages.work(number, iterations) == pytest.approx(sum(each), rel=1e-3)
    assert stages.work(number, iterations, first=first) == pytest.approx(sum(each[first:]), rel=1e-3)
    assert stages.work(1, iterations) == iterations


def test_a_list_that_a_number_stands_for_is_that_number_and_one_stage_is_none():
    assert settings(width=256, stages=[128, 181, 256]) == settings(width=256, stages=3)
    assert settings(stages=[128, 181, 256]).run_id == settings(width=256, stages=(3,)).run_id
    assert settings(width=256, stages=1).run_id == settings(width=256).run_id
    assert "stages" not in settings(stages=1).canonical()
    own = settings(stages=[100, 256])
    assert (own.stages, own.width) == ((100, 256), 256)
    assert own.canonical()["stages"] == [100, 256]
    assert len({each.run_id for each in (own, settings(width=256), settings(width=256, stages=2))}) == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stages": 0}, "stages is 0: it must be at least 1 and at most 20, or a list of widths"),
        ({"stages": 256}, "stages is 256: it must be"),
        ({"stages": 1.5}, "a whole number"),
        ({"stages": "coarse"}, "stages is 'coarse', not a number"),
        ({"stages": []}, "a list has the width of each stage, from the smallest"),
        ({"stages": [128, 128]}, "from the smallest to the largest"),
        ({"stages": [256, 128]}, "from the smallest to the largest"),
        ({"stages": [0, 128]}, "width is 0"),
        ({"stages": [64, 128], "width": 256}, "stages is 64 128, and width is 256: the last stage is the result"),
        ({"stages": 4, "iterations": 3}, "iterations is 3, for 4 stages that share them: each stage needs at least"),
    ],
    ids=str,
)
def test_stages_that_cannot_be_are_refused(values, message):
    with pytest.raises(InputError, match=re.escape(message)):
        settings(**values)


def staged_study(**changes):
    vary = {"stages": [1, 2, [24, 32]]}
    return tiny_study(**{"vary": vary, "defaults": {"width": 32, "iterations": 4}, "max_runs": 9} | changes)


def test_a_study_varies_stages(tmp_path):
    study = expand(load(staged_study()))
    assert [(row.value, row.label) for row in study.rows] == [(1, "1"), (2, "2"), ([24, 32], "24 32")]
    (tmp_path / "runs.csv").write_text("stages,tv_weight\n2,\n24 32,1\n,2\n")
    listed = expand(load(staged_study(vary={}, design="list", runs=str(tmp_path / "runs.csv"))))
    assert [run.stages for run in listed.runs.values()] == [2, (24, 32), 1]
    text = staged_study(vary={}, defaults={"width": "32", "iterations": "4", "stages": ["24", "32"]})
    assert next(iter(expand(load(text)).runs.values())).stages == (24, 32), "as --config gives it"


def test_a_stage_that_is_too_small_for_the_network_is_refused_beforehand():
    check_sizes(expand(load(staged_study())))
    with pytest.raises(InputError, match=r"the result \(photograph, width 11\) would have 11 x 11 pixels: each side"):
        check_sizes(expand(load(staged_study(vary={"stages": [1, 4]}))))


def test_tables_have_stages_as_text_and_records_of_before_had_one(tmp_path):
    study = expand(load(staged_study()))
    for number, (run_id, run) in enumerate(study.runs.items()):
        folder = tmp_path / run_id
        folder.mkdir()
        made = records.record(run, outputs={"image.png": "0"})
        if number == 0:
            made.settings.pop("stages")
        table = tables._columns(made, run, Status("ok"), readings.NOTHING)
        assert table["stages"] == ["1", "2", "24 32"][number]


def test_estimates_count_small_stages_for_what_they_cost(tmp_path):
    study = expand(load(staged_study(vary={"stages": [1, 3]}, defaults={"width": 512, "iterations": 3000})))
    one, three = study.runs
    assert Estimates(study, "cpu").minutes_limit([three]) < 0.65 * Estimates(study, "cpu").minutes_limit([one])
    # A run of three stages that took 0.7 s a step tells what one of a single stage takes, and the other way round.
    made = [
        records.record(run, width=512, height=512, seconds=10 + 3000 * each, seconds_per_iteration=each)
        for run, each in zip(study.runs.values(), (1.2, 0.7), strict=True)
    ]
    for known in made:
        assert known.is_timed
        assert Observation.of(known).seconds_per_iteration == pytest.approx(1.2, rel=1e-2)


@given(st.integers(0, 10), st.floats(0.01, 1e5))
def test_a_line_of_a_log_tells_the_stage_and_the_time_left(iteration, seconds):
    left = stages.work(2, 10, first=iteration) / stages.cost(stages.stage_of(iteration, 2, 10), 2)
    stage = "stage 1/2" if iteration < 5 else "stage 2/2"
    progress = history.Progress(iteration, 10, {"total": 2.5}, seconds, stage, left)
    (found,) = history.read(history.line(progress))
    assert (found.iteration, found.stage, found.losses) == (iteration, stage, {"total": 2.5})
    assert found.seconds_left == pytest.approx(left * seconds, abs=1.01, rel=1e-6)


def whole_pictures():
    content, styles = pictures((26, 30), 1)
    return np.round(content).astype(np.uint8), [np.round(style).astype(np.uint8) for style in styles]


class Descent:
    """Adam and its moments in NumPy, on a gradient that TensorFlow gives."""

    def __init__(self, run):
        self.run, self.steps = run, 0
        self.mean = self.square = 0.0

    def step(self, image, gradient):
        self.steps += 1
        self.mean = self.run.beta1 * self.mean + (1 - self.run.beta1) * gradient
        self.square = self.run.beta2 * self.square + (1 - self.run.beta2) * gradient**2
        mean, square = self.mean / (1 - self.run.beta1**self.steps), self.square / (1 - self.run.beta2**self.steps)
        return image - self.run.learning_rate * mean / (np.sqrt(square) + self.run.eps)

    def enlarge(self, width, height):
        share = self.mean.shape[0] * self.mean.shape[1] / (width * height)
        self.mean = share * resized(self.mean, width, height, Image.Resampling.BILINEAR)
        self.square = share**2 * resized(self.square, width, height, Image.Resampling.BILINEAR)


def resized(values, width, height, method):
    return np.dstack(
        [Image.fromarray(values[..., c].astype(np.float32)).resize((width, height), method) for c in range(3)]
    )


@pytest.mark.engine
def test_a_staged_run_is_the_runs_of_its_sizes_one_after_another(small_weights):
    """Against Adam in NumPy that enlarges picture and moments by itself."""
    import tensorflow as tf

    from styletransfer.optim import losses, terms
    from styletransfer.optim.stylize import fit
    from styletransfer.vgg.network import VGG19

    run = settings(stages=(20, 30), iterations=5, learning_rate=3, tv_weight=1, initial_noiseblend=0)
    content, styles = whole_pictures()
    network = VGG19(small_weights)
    loss = losses.AutodiffGradient(network)
    weights, blend = tf.constant(terms.weights(run), tf.float32), tf.constant([1.0])
    descent, image, totals, images = Descent(run), None, [], []
    for width, iterations in ((20, range(2)), (30, range(2, 6))):
        fitted = fit(run, content, styles, width=width)
        targets = losses.measure_targets(network, run, fitted.content, fitted.styles)
        height = fitted.content.shape[0]
        if image is None:
            image = network.preprocess(fitted.content).numpy()
        else:
            image = resized(image, width, height, Image.Resampling.LANCZOS)
            descent.enlarge(width, height)
        for _ in iterations:
            values, gradient = loss(tf.constant(image, tf.float32), targets, weights, blend)
            totals.append(float(tf.reduce_sum(weights * values)))
            images.append(image)
            image = descent.step(image, gradient.numpy())
    seen = []
    in_memory = Settings(stages=(20, 30), iterations=5, learning_rate=3, tv_weight=1, initial_noiseblend=0)
    result, found = stylize(content, styles, in_memory, small_weights, seen.append)
    assert [one.losses["total"] for one in seen] == pytest.approx(totals, rel=1e-4)
    assert [round(each.shape[1]) for each in images] == [20] * 2 + [30] * 4
    best = min(range(2, 6), key=totals.__getitem__)
    assert found.best_iteration == best, "not the best of the last stage"
    expected = to_uint8(network.postprocess(images[best].astype(np.float32)))
    assert np.abs(result.astype(int) - expected).max() <= 1


@pytest.mark.engine
def test_lbfgs_begins_again_in_a_larger_stage_with_a_tenth_of_its_first_step(small_weights):
    from styletransfer.optim.stylize import Computation, build, fit_stages

    run = settings(stages=(20, 30), iterations=6, optimizer="lbfgs", learning_rate=3, tv_weight=1)
    engine = build(small_weights, run, Computation("cpu", "float32", "autodiff", 1))
    content, styles = whole_pictures()
    fitted = fit_stages(run, content, styles)
    pyramid = engine.pyramid(run, fitted, lambda stage: engine.targets(run, fitted[stage]))
    images = [pyramid.last for _ in pyramid.run()]
    steps = [np.sqrt(np.mean((images[k + 1] - images[k]) ** 2)) for k in (0, 3)]
    assert steps == pytest.approx([3, 0.3], rel=1e-3)


@pytest.mark.engine
@pytest.mark.parametrize("values", [{}, {"learning_rate": 1e30, "iterations": 9}], ids=["whole", "diverged"])
def test_the_files_of_a_staged_run(inputs, tmp_path, caplog, values):
    caplog.set_level(logging.INFO)
    run = settings(**{"stages": (19, 24, 30), "iterations": 7, "learning_rate": 2, "colors": "content", **values})
    outputs = dataclasses.replace(
        Outputs.in_folder(tmp_path / "run"),
        checkpoints=str(tmp_path / "step-{}.png"),
        checkpoint_iterations=2,
    )
    with Session("cpu", print_iterations=2) as session:
        record = transfer.transfer(Run(run, inputs, outputs), session)
    assert (record.width, record.height) == (30, 26) == read_image(outputs.image).shape[1::-1]
    assert "in 3 stages, 19, 24, 30 pixels wide" in caplog.text
    with open(outputs.losses, newline="") as file:
        rows = [(int(row["iteration"]), int(row["stage"])) for row in csv.DictReader(file)]
    if values:
        assert (record.status, record.iterations_done) == ("diverged", rows[-1][0] - 1)
        assert rows[-1][1] == 1, "it was to diverge in the first stage"
        return
    assert rows == [(0, 1), (2, 2), (4, 3), (6, 3), (7, 3)]
    assert record.best_iteration >= 4
    assert [image_size(tmp_path / f"step-{k}.png")[0] for k in (2, 4, 6)] == [24, 30, 30]
    told = history.read(caplog.text)
    assert [one.stage for one in told] == ["stage 1/3", "stage 2/3", "stage 3/3", "stage 3/3", "stage 3/3"]
