"""Measure the product: an iteration against plain TensorFlow, the way to a loss, what bfloat16 does to results, a whole
run, planning, and the 2018 study in small.

Figures on a shared machine are noisy: contestants take turns within one measurement, and medians are quoted.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import functools
import importlib.metadata
import itertools
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import yaml

from styletransfer.devices import precision, tf_setup
from styletransfer.errors import InputError, command
from styletransfer.files import atomic
from styletransfer.images import generated
from styletransfer.images.io import read_image, write_image
from styletransfer.images.resize import resize, resize_to_width, to_uint8
from styletransfer.images.samples import sample_file
from styletransfer.optim.stylize import BACKEND_CHOICES
from styletransfer.settings import Artifact, Settings

if TYPE_CHECKING:
    import tensorflow as tf

    from styletransfer.optim.loop import Optimization, Stepper
    from styletransfer.optim.losses import Targets
    from styletransfer.vgg.network import VGG19

ROOT = Path(__file__).parents[2]
STUDY_DEFAULTS: dict[str, Any] = {
    "content_weight": 1,
    "content_weight_blend": 0.2,
    "style_weight": 10,
    "tv_weight": 100,
    "learning_rate": 10,
}


def pictures(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Content and style, (height, width, 3): a photograph and a painting."""
    content = resize(read_image(sample_file("astronaut")), width, height)
    return content, generated.paint("glass", width, width).astype(np.float32)


class Engine:
    """Runs of the engine in this process, which share what is equal."""

    def __init__(self, options: argparse.Namespace, path: str = "fast") -> None:
        from styletransfer.vgg import formats

        tf_setup.load_tensorflow(options.threads, backend="autodiff" if path == "plain" else "analytic")
        self._options = options
        self._weights = formats.load(options.network)
        self._steppers: dict[tuple[str, str], tuple[VGG19, Stepper]] = {}

    def settings(self, **values: Any) -> Settings:
        """The study's default run, with other values."""
        file = Artifact("benchmark", "none")
        return Settings(content=file, styles=(file,), weights=file, **(STUDY_DEFAULTS | values))

    def stepper(self, precision: str, path: str = "fast") -> tuple[VGG19, Stepper]:
        """The network and what takes steps with it."""
        from styletransfer.optim import gradients, loop, losses
        from styletransfer.vgg.network import VGG19

        if (precision, path) not in self._steppers:
            network = VGG19(self._weights, precision=precision)
            loss = losses.AutodiffGradient(network) if path == "plain" else gradients.AnalyticGradient(network)
            self._steppers[precision, path] = network, loop.Stepper(loss)
        return self._steppers[precision, path]

    def optimization(self, settings: Settings, path: str = "fast") -> Optimization:
        """A run on the pictures of this benchmark."""
        from styletransfer.optim import loop, stylize

        network, stepper = self.stepper(settings.precision, path)
        content, style = pictures(self._options.width, self._options.height)
        targets = self.targets(settings, network, content, style)
        begin = None if settings.initial is None else network.preprocess(content).numpy()
        start = stylize.starting_image(settings, begin, content.shape)
        return loop.Optimization(stepper, targets, settings, start)

    def targets(self, settings: Settings, network: VGG19, content: np.ndarray, style: np.ndarray) -> Targets:
        """What a run is compared with."""
        from styletransfer.optim import losses

        scaled = resize_to_width(to_uint8(style), round(settings.style_scales[0] * self._options.width))
        return losses.measure_targets(network, settings, content, [scaled])

    def judge(self, settings: Settings) -> Callable[[np.ndarray], float]:
        """The total loss of an image, less the mean pixel, in float32 whatever precision it was made in."""
        from styletransfer.optim import terms

        # It takes a step after each evaluation: there must always be one left.
        exact = dataclasses.replace(settings, precision="float32", optimizer="adam", iterations=10**7)

        def total(image: np.ndarray) -> float:
            optimization.place(image)
            return terms.report(next(optimization.run()).terms, exact)["total"]

        optimization = self.optimization(exact)
        return total


Prepare = Callable[[argparse.Namespace], Callable[[], object]]


def engine_step(precision: str, path: str) -> Prepare:
    """One iteration of the engine, ready to be called."""

    def prepare(options: argparse.Namespace) -> Callable[[], object]:
        engine = Engine(options, path)
        evaluations = engine.optimization(engine.settings(precision=precision), path).run()
        return lambda: next(evaluations)

    return prepare


BATCH = 4


def batched_loss(precision: str) -> Prepare:
    """The loss and gradient of several images in one call, ready to be called. The engine takes one after another."""

    def prepare(options: argparse.Namespace) -> Callable[[], object]:
        import tensorflow as tf

        from styletransfer.optim import gradients, terms

        engine = Engine(options)
        settings = engine.settings(precision=precision)
        network, _ = engine.stepper(precision)
        content, style = pictures(options.width, options.height)
        targets = engine.targets(settings, network, content, style)
        loss = gradients.AnalyticGradient(network)
        weights, blend = tf.constant(terms.weights(settings), tf.float32), tf.ones(1)
        start = tf.stack(BATCH * [network.preprocess(content)])

        def one(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return loss(image, targets, weights, blend)

        return functools.partial(tf.function(functools.partial(tf.vectorized_map, one), autograph=False), start)

    return prepare


def matrix_product(precision: str) -> Prepare:
    """As many multiplications as an iteration has, in products of large matrices: what the machine can do."""

    def prepare(options: argparse.Namespace) -> Callable[[], object]:
        tf_setup.load_tensorflow(options.threads)
        import tensorflow as tf

        total = multiplications(options.width, options.height)
        count = math.ceil(total / 2048**3)
        side = round((total / count) ** (1 / 3))
        a, b = (tf.cast(tf.random.stateless_normal((side, side), (0, seed)), precision) for seed in (1, 2))
        a @= b
        return lambda: [(a @ b)[0, 0].numpy() for _ in range(count)]

    return prepare


def multiplications(width: int, height: int) -> float:
    """Of one iteration: convolutions forward and back, Gram matrices and their gradients."""
    from styletransfer.optim.terms import STYLE_LAYERS
    from styletransfer.vgg.weights import CHANNELS, DEEPEST_NEEDED

    total = 0.0
    for name, (inputs, outputs) in CHANNELS.items():
        pixels = -(-height // 2 ** (int(name[4]) - 1)) * -(-width // 2 ** (int(name[4]) - 1))
        total += 2 * pixels * 9 * inputs * outputs
        if f"relu{name[4:]}" in STYLE_LAYERS:
            total += 2 * pixels * outputs**2
        if name == DEEPEST_NEEDED:
            return total
    raise AssertionError


def plain_step(options: argparse.Namespace) -> Callable[[], object]:
    """The same iteration as a textbook writes it in TensorFlow: one tf.function, a tape, Keras' Adam; float32."""
    import tensorflow as tf

    from styletransfer.vgg import formats

    source = formats.load(options.network)
    kernels = {name: (tf.constant(kernel), tf.constant(source.biases[name])) for name, kernel in source.kernels.items()}
    depths = (2, 2, 4, 4, 2)

    def features(x: tf.Tensor) -> dict[str, tf.Tensor]:
        found = {}
        x = x[tf.newaxis, ..., ::-1] if source.channel_order == "BGR" else x[tf.newaxis]
        for block, depth in enumerate(depths, start=1):
            for number in range(1, depth + 1):
                kernel, bias = kernels[f"conv{block}_{number}"]
                x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
                found[f"{block}_{number}"] = x
            x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        return found

    def gram(x: tf.Tensor) -> tf.Tensor:
        flat = tf.reshape(x, (-1, x.shape[-1]))
        return tf.matmul(flat, flat, transpose_a=True) / tf.size(flat, tf.float32)

    def mse(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(a - b))

    layers = ("1_1", "2_1", "3_1", "4_1", "5_1")
    content, style = (tf.constant(picture - 117.0, tf.float32) for picture in pictures(options.width, options.height))
    P, S = features(content), features(style)
    grams = {layer: gram(S[layer]) for layer in layers}
    image = tf.Variable(tf.random.stateless_normal(content.shape, (0, 0)) * 0.256)
    adam = tf.keras.optimizers.Adam(10.0, epsilon=1e-8)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            X = features(image)
            loss = 0.2 * mse(X["4_2"], P["4_2"]) + 0.8 * mse(X["5_2"], P["5_2"])
            loss += 10.0 * tf.add_n([mse(gram(X[layer]), grams[layer]) for layer in layers]) / len(layers)
            loss += 100.0 * (mse(image[1:], image[:-1]) + mse(image[:, 1:], image[:, :-1]))
        adam.apply_gradients([(tape.gradient(loss, image), image)])
        return loss

    return lambda: step().numpy()


REFERENCE = "plain TensorFlow"


class Contestant(NamedTuple):
    """images: how many a step is for. spread: as many processes as cores, of one thread each; else one on all cores.

    largest: wider pictures are left out unasked, since all contestants must fit into the memory side by side.
    """

    prepare: Prepare
    images: int = 1
    spread: bool = False
    largest: int = 2048


FAST = {name: engine_step(name, "fast") for name in ("float32", "bfloat16")}
STEPS = {
    REFERENCE: Contestant(plain_step),
    "engine, plain path, float32": Contestant(engine_step("float32", "plain")),
    "engine, plain path, bfloat16": Contestant(engine_step("bfloat16", "plain"), largest=512),
    "engine, float32": Contestant(FAST["float32"]),
    "engine, bfloat16": Contestant(FAST["bfloat16"]),
    "engine, float32, a process per core": Contestant(FAST["float32"], spread=True, largest=512),
    "engine, bfloat16, a process per core": Contestant(FAST["bfloat16"], spread=True, largest=512),
    f"loss alone, float32, batch of {BATCH}": Contestant(batched_loss("float32"), images=BATCH, largest=256),
    f"loss alone, bfloat16, batch of {BATCH}": Contestant(batched_loss("bfloat16"), images=BATCH, largest=256),
    "matrix products, float32": Contestant(matrix_product("float32")),
    "matrix products, bfloat16": Contestant(matrix_product("bfloat16")),
}


def serve(options: argparse.Namespace) -> None:
    """Child process: for every number read, take so many steps and print their seconds; then the peak memory."""
    step = STEPS[options.contestants[0]].prepare(options)
    for line in sys.stdin:
        begin = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(time.perf_counter() - begin, flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, flush=True)


def measure_step(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds per iteration and peak memory of plain TensorFlow and of the engine, in turn.

    Beside them, the same number of multiplications as products of large matrices. A convolution can be faster than
    that: by Winograd's method it multiplies less.
    """
    names = options.contestants or [
        name for name, step in STEPS.items() if step.largest >= options.width and _is_possible(name)
    ]
    if REFERENCE not in names:
        names = [REFERENCE, *names]
    teams = {name: _team(name, options) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(options.rounds + 1):
        for name, team in teams.items():
            # The first turn traces the graph, fills caches and does not count.
            steps = options.iterations if turn else 2
            taken = _ask(team, steps) / (steps * STEPS[name].images * len(team))
            seconds[name] += [taken] if turn else []
    result: dict[str, Any] = {}
    for name, team in teams.items():
        memory = [_dismiss(name, child) for child in team]
        result[name] = {
            "seconds per iteration": round(statistics.median(seconds[name]), 4),
            "fastest": round(min(seconds[name]), 4),
            "slowest": round(max(seconds[name]), 4),
            "peak memory, GiB": round(sum(memory), 2),
            "times as fast as plain TensorFlow": _ratio(seconds[REFERENCE], seconds[name]),
        }
        products = f"matrix products, {'bfloat16' if 'bfloat16' in name else 'float32'}"
        if products in seconds:
            result[name]["share of the speed of matrix products"] = _ratio(seconds[products], seconds[name])
    return result


def _is_possible(contestant: str) -> bool:
    """Not what this CPU would refuse as a run."""
    return "bfloat16" not in contestant or "bfloat16" in precision.cpu_formats()


def _ratio(seconds: list[float], others: list[float]) -> float:
    """The median over turns: what slows the machine down slows neighbours in time alike."""
    return round(statistics.median(a / b for a, b in zip(seconds, others, strict=True)), 3)


Child = subprocess.Popen[str]


def _team(name: str, options: argparse.Namespace) -> list[Child]:
    count = (os.cpu_count() or 1) if STEPS[name].spread else 1
    words = [f"--{key}={getattr(options, key)}" for key in ("network", "width", "height")]
    words += ["--threads=1"] if STEPS[name].spread else []
    script = [sys.executable, str(Path(__file__)), "serve", *words, "--contestants", name]
    return [
        subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment())
        for _ in range(count)
    ]


def _ask(team: list[Child], iterations: int) -> float:
    """The seconds that a team takes for so many iterations of each member."""
    for child in team:
        assert child.stdin is not None
        print(iterations, file=child.stdin, flush=True)
    answers = [child.stdout.readline() for child in team if child.stdout is not None]
    if not all(answers):
        raise InputError("a contestant ended early: see above")
    return max(float(answer) for answer in answers)


def _dismiss(name: str, child: Child) -> float:
    """The peak memory of a child, GiB."""
    memory, _ = child.communicate()
    if child.returncode:
        raise InputError(f"{name} failed with exit code {child.returncode}: see above")
    return float(memory)


LAYER_SECONDS = 0.3


def measure_layers(options: argparse.Namespace) -> dict[str, Any]:
    """What each convolution does of the machine's best: multiplications and bytes a second, forward, float32.

    Bytes are those that must be moved at least: inputs, kernel and results, each once. The best: products of large
    matrices, and copies of a large array.
    """
    tf_setup.load_tensorflow(options.threads)
    import tensorflow as tf

    from styletransfer.vgg import winograd
    from styletransfer.vgg.weights import CHANNELS, DEEPEST_NEEDED

    a = tf.random.stateless_normal((2048, 2048), (0, 1))
    large = tf.random.stateless_normal((2**26,), (0, 2))
    result: dict[str, Any] = {
        "products, GFLOP/s": round(2 * 2048**3 / _best(functools.partial(tf.matmul, a, a)) / 1e9, 1),
        "copies, GB/s": round(2 * 4 * 2**26 / _best(functools.partial(tf.add, large, 1.0)) / 1e9, 2),
    }
    for name, (inputs, outputs) in CHANNELS.items():
        scale = 2 ** (int(name[4]) - 1)
        height, width = -(-options.height // scale), -(-options.width // scale)
        x = tf.random.stateless_normal((1, height, width, inputs), (0, 3))
        kernel = tf.random.stateless_normal((3, 3, inputs, outputs), (0, 4))
        operations = 2 * 9 * inputs * outputs * height * width
        moved = 4 * (height * width * (inputs + outputs) + 9 * inputs * outputs)
        result[name] = {"FLOP per byte": round(operations / moved, 1)}
        ways: dict[str, Callable[[Any], Any]] = {
            "direct": functools.partial(tf.nn.conv2d, filters=kernel, strides=1, padding="SAME")
        }
        if inputs * outputs >= fast_from():
            ways["Winograd"] = winograd.Convolution(winograd.transformed(kernel))
        for way, convolve in ways.items():
            seconds = _best(functools.partial(tf.function(convolve, autograph=False), x))
            result[name][f"{way}, GFLOP/s"] = round(operations / seconds / 1e9, 1)
        if name == DEEPEST_NEEDED:
            break
    return result


def fast_from() -> int:
    """From how many pairs of channels on the engine convolves by Winograd's method."""
    from styletransfer.optim import gradients

    return gradients.WINOGRAD_FROM


def _best(step: Callable[[], object]) -> float:
    """The seconds that it takes when nothing comes between; after a first, which does not count."""
    step()
    taken: list[float] = []
    end = time.perf_counter() + LAYER_SECONDS
    while time.perf_counter() < end or len(taken) < 3:
        begin = time.perf_counter()
        step()
        taken.append(time.perf_counter() - begin)
    return min(taken)


# The reference first. L-BFGS needs no more than that share of the iterations. In bfloat16 it ends a little above the
# float32 loss of a long float32 run: its optimum is that of rounded kernels.
DESCENTS: dict[str, tuple[dict[str, Any], str, float]] = {
    "float32, Adam, plain path": ({"precision": "float32"}, "plain", 1.0),
    "bfloat16, Adam": ({"precision": "bfloat16"}, "fast", 1.0),
    "bfloat16, L-BFGS": ({"precision": "bfloat16", "optimizer": "lbfgs"}, "fast", 0.6),
    "float32, L-BFGS": ({"precision": "float32", "optimizer": "lbfgs"}, "fast", 0.6),
}


def measure_descent(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds and steps until the loss is that of the reference, plain float32 Adam, after all its iterations.

    The contestants take turns, each on a clock of its own; losses are those of the best image so far, in float32.
    """
    engine = Engine(options)
    result: dict[str, Any] = {}
    courses: dict[str, dict[str, Course]] = {}
    for start, noise in (("content", 0.0), ("noise", 1.0)):
        settings = engine.settings(initial_noiseblend=noise, iterations=options.iterations)
        judge = engine.judge(settings)
        racers = {
            name: _Racer(engine.optimization(dataclasses.replace(settings, iterations=steps, **values), path), judge)
            for name, (values, path, share) in DESCENTS.items()
            if _is_possible(name) and (steps := round(share * options.iterations))
        }
        while sum(racer.advance(TURN) for racer in racers.values()):
            pass
        courses[start] = {name: racer.course for name, racer in racers.items()}
        reference, *_ = courses[start].values()
        result[start] = {name: _arrivals(course, reference[-1]) for name, course in courses[start].items()}
    if options.figure is not None:
        draw_descent(options.figure, courses, engine.stepper("float32")[0].mean_pixel)
    return result


TURN = 10


class Place(NamedTuple):
    """Where an optimisation is after a turn. image: the best so far, less the mean pixel; loss: its total loss."""

    steps: int
    seconds: float
    loss: float
    image: np.ndarray


Course = list[Place]


class _Racer:
    """An optimisation with a stopwatch."""

    def __init__(self, optimization: Optimization, judge: Callable[[np.ndarray], float]) -> None:
        self._optimization, self._judge = optimization, judge
        self._evaluations = optimization.run()
        next(self._evaluations)  # traces the graph
        self.course: Course = []
        self._note(0, 0.0)

    def advance(self, steps: int) -> bool:
        """Take so many steps; returns whether there are any left."""
        begin = time.perf_counter()
        taken = list(itertools.islice(self._evaluations, steps))
        seconds = time.perf_counter() - begin
        if taken:
            self._note(taken[-1].iteration, self.course[-1].seconds + seconds)
        return bool(taken)

    def _note(self, steps: int, seconds: float) -> None:
        image = self._optimization.best
        self.course.append(Place(steps, seconds, self._judge(image), image))


def arrival(course: Course, loss: float) -> Place | None:
    """The first place of a course with at most that loss."""
    return next((place for place in course if place.loss <= loss), None)


def _arrivals(course: Course, goal: Place) -> dict[str, Any]:
    """When a course is at the goal's loss, and within 1 % of it, and how many times sooner than the goal."""
    result: dict[str, Any] = {"lowest loss over the reference's": round(course[-1].loss / goal.loss, 4)}
    for name, factor in (("at its loss", 1.0), ("within 1 % of it", 1.01)):
        place = arrival(course, factor * goal.loss)
        if place is not None:
            times = round(goal.seconds / place.seconds, 2)
            result[name] = {"steps": place.steps, "seconds": round(place.seconds, 1), "times as fast": times}
    return result


def draw_descent(path: Path, courses: Mapping[str, Mapping[str, Course]], mean_pixel: np.ndarray) -> None:
    """A row per start: loss against seconds, and the pictures that are within 1 % of the reference's loss first."""
    from matplotlib.figure import Figure

    from styletransfer.reports.figures.style import save

    figure = Figure(figsize=(14, 3.6 * len(courses)), layout="constrained")
    count = max(map(len, courses.values()))
    rows = figure.subplots(len(courses), 1 + count, width_ratios=[2] + [1] * count, squeeze=False)
    for (curves, *panels), (start, contest) in zip(rows, courses.items(), strict=True):
        goal = next(iter(contest.values()))[-1]
        for (name, course), panel in zip(contest.items(), panels, strict=True):
            curves.plot([max(place.seconds, 0.1) for place in course], [place.loss for place in course], label=name)
            place = arrival(course, 1.01 * goal.loss) or course[-1]
            panel.imshow(to_uint8(place.image + mean_pixel))
            panel.set_title(f"{name}\n{place.steps} steps, {place.seconds:.0f} s", fontsize=8)
            panel.set_axis_off()
        curves.axhline(goal.loss, color="0.6", linewidth=0.8)
        curves.set(title=f"start: {start}", xlabel="seconds", ylabel="total loss", xscale="log", yscale="log")
        curves.spines[["top", "right"]].set_visible(False)
    rows[0, 0].legend(frameon=False, fontsize=8)
    save(figure, [path])


# The default run of the study, and each parameter it varies low and high.
EXTREMES: dict[str, tuple[float, float]] = {
    "learning_rate": (1, 30),
    "style_scales": (0.3, 2),
    "content_weight_blend": (0, 1),
    "style_weight": (1, 150),
    "tv_weight": (0, 500),
    "style_layer_weight_exp": (0.2, 5),
}
HARMLESS = 0.01
SEEDS = 3


def measure_precision(options: argparse.Namespace) -> dict[str, Any]:
    """What bfloat16 does to results: final losses, evaluated in float32, beside those of float32 from several seeds.

    Harmless is what changes the loss by less than 1 %, or by less than another seed does.
    """
    precision.resolve("bfloat16", "cpu")
    engine = Engine(options)
    points: list[dict[str, float]] = [{}, *({name: value} for name, both in EXTREMES.items() for value in both)]
    result: dict[str, Any] = {}
    shown: list[tuple[str, np.ndarray, np.ndarray]] = []
    for point in points:
        name = ", ".join(f"{key} {value:g}" for key, value in point.items()) or "default"
        settings = engine.settings(iterations=options.iterations, **point)
        judge = engine.judge(settings)
        finals = [_finish(engine, dataclasses.replace(settings, seed=seed)) for seed in range(SEEDS)]
        final = _finish(engine, dataclasses.replace(settings, precision="bfloat16"))
        exact, loss = [judge(image) for image in finals], judge(final)
        change, spread = loss / exact[0] - 1, (max(exact) - min(exact)) / exact[0]
        result[name] = {
            "float32": exact[0],
            "bfloat16": loss,
            "change": round(change, 5),
            "spread of seeds": round(spread, 5),
            "harmless": abs(change) <= max(HARMLESS, spread),
        }
        print(name, result[name], file=sys.stderr, flush=True)
        shown.append((name, finals[0], final))
    if options.figure is not None:
        draw_pairs(options.figure, shown, engine.stepper("float32")[0].mean_pixel)
    return result


def _finish(engine: Engine, settings: Settings) -> np.ndarray:
    optimization = engine.optimization(settings)
    for _ in optimization.run():
        pass
    return optimization.best


PAIRS_ACROSS = 7


def draw_pairs(path: Path, shown: list[tuple[str, np.ndarray, np.ndarray]], mean_pixel: np.ndarray) -> None:
    """Results in float32 above those in bfloat16, a column per setting, in as many bands as it takes."""
    from matplotlib.figure import Figure

    from styletransfer.reports.figures.style import save

    bands = math.ceil(len(shown) / PAIRS_ACROSS)
    figure = Figure(figsize=(1.7 * PAIRS_ACROSS, 4 * bands), layout="constrained")
    panels = figure.subplots(2 * bands, PAIRS_ACROSS, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for number, (name, *pair) in enumerate(shown):
        band, column = divmod(number, PAIRS_ACROSS)
        for row, (image, number_format) in enumerate(zip(pair, ("float32", "bfloat16"), strict=True)):
            axes = panels[2 * band + row, column]
            axes.imshow(to_uint8(image + mean_pixel))
            title = [*name.split(" "), number_format] if row == 0 else [number_format]
            axes.set_title("\n".join(title), fontsize=8)
    save(figure, [path])


def measure_run(options: argparse.Namespace) -> dict[str, Any]:
    """What a run costs beside its iterations: start of Python and TensorFlow, weights, targets, tracing, files.

    Wall time of the command less evaluations x seconds per evaluation; the first one, which traces, is not among them.
    """
    outside: dict[str, list[float]] = {number_format: [] for number_format in precision.cpu_formats()}
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        content, style = (Path(folder, name) for name in ("content.png", "style.png"))
        for path, picture in zip((content, style), pictures(options.width, options.height), strict=True):
            write_image(path, to_uint8(picture))
        for number, number_format in itertools.product(range(options.rounds), outside):
            record = Path(folder, f"{number_format}-{number}.json")
            words = ["--content", content, "--styles", style, "--network", options.network, "--record", record]
            words += ["--output", record.with_suffix(".png"), "--iterations", options.iterations]
            words += ["--precision", number_format, "--backend", options.backend, "--device", "cpu"]
            words += [word for name, value in STUDY_DEFAULTS.items() for word in (f"--{name.replace('_', '-')}", value)]
            seconds = _time([sys.executable, ROOT / "workflow/scripts/neural_style.py", *words])
            run = json.loads(record.read_text())
            outside[number_format].append(seconds - (options.iterations + 1) * run["seconds_per_iteration"])
            memory[number_format] = round(run["peak_memory_mib"] / 1024, 2)
    return {
        number_format: {"seconds outside iterations": _summary(seconds), "peak memory, GiB": memory[number_format]}
        for number_format, seconds in outside.items()
    }


def measure_planning(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of `snakemake -n`: the 2018 study, and a grid of 10,000 runs."""
    grid = {name: {"linspace": [1, 10, 10]} for name in ("style_weight", "tv_weight", "learning_rate", "style_scales")}
    shipped = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        studies = {"2018 study": shipped, "grid of 10,000": {**shipped, "design": "grid", "vary": grid}}
        return {
            f"snakemake -n, {name}": _summary([_snakemake(folder, study, "-n") for _ in range(options.rounds)])
            for name, study in studies.items()
        }


def measure_study(options: argparse.Namespace) -> dict[str, Any]:
    """All rows of the 2018 study on tiny pictures with the offline weights; then the same with nothing left to do."""
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    study |= {"weights": "vgg16", "device": "cpu", "study": "scaled-down"}
    study["defaults"] |= {"width": 32, "iterations": 5}
    folder = options.folder or tempfile.mkdtemp(prefix="study-")
    first = _snakemake(folder, study)
    again = [_snakemake(folder, study) for _ in range(options.rounds)]
    rows = len(Path(folder, "results/studies/scaled-down/runs.csv").read_text().splitlines()) - 1
    runs = len(list(Path(folder, "results/runs").glob("*/run.json")))
    return {"rows": rows, "runs": runs, "seconds": round(first, 1), "seconds, nothing to do": _summary(again)}


def measure_throughput(options: argparse.Namespace) -> dict[str, Any]:
    """A study of many short runs: a process for each of them, against packs that share one."""
    study: dict[str, Any] = {
        "study": "throughput",
        "weights": "vgg16",
        "device": "cpu",
        "images": {"photograph": {"sample": "coffee"}, "artwork": {"painting": "glass"}},
        "pairs": [{"content": "photograph", "styles": ["artwork"]}],
        "defaults": {**STUDY_DEFAULTS, "width": options.width, "iterations": options.iterations},
    }
    many = study | {"design": "grid", "vary": {"style_weight": {"logspace": [1, 100, options.runs]}}}
    sizes = {"a process each": 1, "packs": max(2, options.runs // (2 * (os.cpu_count() or 1)))}
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder, "prepared")
        _snakemake(prepared, study)
        for name, size in sizes.items():
            place = Path(folder, name)
            place.mkdir()
            (place / "resources").symlink_to(prepared / "resources")
            seconds = _snakemake(place, many | {"runs_per_job": size})
            records = [json.loads(path.read_text()) for path in place.glob("results/runs/*/run.json")]
            result[name] = {"runs per job": size, "seconds": round(seconds, 1), **_pace(records, options.iterations)}
    return result


def _pace(records: Sequence[Mapping[str, Any]], iterations: int) -> dict[str, Any]:
    """How long runs took together, from their records, and each of them for its iterations."""
    begin, end = min(record["start"] for record in records), max(record["end"] for record in records)
    seconds = datetime.datetime.fromisoformat(end) - datetime.datetime.fromisoformat(begin)
    each = statistics.mean(record["seconds_per_iteration"] for record in records) * iterations
    return {
        "runs": len(records),
        "seconds, first run begun to last one ended": round(seconds.total_seconds(), 1),
        "of it iterations, seconds per run and core": round(each, 2),
    }


def _snakemake(folder: str | Path, study: Mapping[str, Any], *arguments: str) -> float:
    Path(folder).mkdir(parents=True, exist_ok=True)
    config = Path(folder, "study.yaml")
    atomic.write_text(config, yaml.safe_dump(dict(study)))
    words = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", str(config), "--quiet", "all", *arguments]
    return _time([sys.executable, "-m", "snakemake", "--directory", folder, *words])


def _time(words: list[Any]) -> float:
    begin = time.perf_counter()
    done = subprocess.run(
        [str(word) for word in words], check=False, capture_output=True, text=True, env=_environment()
    )
    if done.returncode:
        raise InputError(f"{' '.join(map(str, words))} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return time.perf_counter() - begin


def _environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return os.environ | {"PATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}


def _summary(seconds: list[float]) -> dict[str, float]:
    low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
    return {"median": round(middle, 2), "fastest": round(low, 2), "slowest": round(high, 2)}


MEASUREMENTS = {
    "step": measure_step,
    "layers": measure_layers,
    "descent": measure_descent,
    "precision": measure_precision,
    "run": measure_run,
    "planning": measure_planning,
    "study": measure_study,
    "throughput": measure_throughput,
}


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cpu": precision.cpu_name(),
        "bfloat16 by": ", ".join(sorted(precision.cpu_flags() & precision.CPU_FLAGS)) or "nothing",
        "cores": os.cpu_count(),
        "memory, GiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "tensorflow": importlib.metadata.version("tensorflow"),
    }


# A turn takes so many pixels through an iteration, if 20 iterations do: short turns are all noise.
TURN_PIXELS = 400_000


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    command_line = argparse.ArgumentParser(description=__doc__)
    command_line.add_argument("measurement", choices=[*MEASUREMENTS, "serve"], help="what to measure")
    command_line.add_argument("--network", type=Path, default=ROOT / "resources/weights/vgg16.safetensors")
    command_line.add_argument("--width", type=int, default=512)
    command_line.add_argument("--height", type=int, default=532)
    command_line.add_argument("--backend", choices=BACKEND_CHOICES, default="auto")
    command_line.add_argument(
        "--iterations", type=int, help="of a turn, or of a run; default: 3, more for small pictures"
    )
    command_line.add_argument("--rounds", type=int, default=5, help="how often everything is measured")
    command_line.add_argument("--runs", type=int, default=200, help="of `throughput`")
    command_line.add_argument("--folder", type=Path, help="where the study runs; default: a temporary folder")
    command_line.add_argument("--output", type=Path, help="write the figures here as JSON")
    command_line.add_argument("--figure", type=Path, help="draw the curves of `descent`, the results of `precision`")
    command_line.add_argument("--threads", type=int, help="CPU threads of `layers`; default: all cores")
    command_line.add_argument("--contestants", nargs="+", choices=STEPS, help="of `step`; default: all")
    return command_line


@command
def main() -> None:
    """Measure, print, write."""
    options = parser().parse_args()
    if options.iterations is None:
        options.iterations = min(max(3, TURN_PIXELS // (options.width * options.height)), 20)
    if options.measurement == "serve":
        return serve(options)
    size = {"width": options.width, "height": options.height}
    figures = {"machine": machine(), "size": size, options.measurement: MEASUREMENTS[options.measurement](options)}
    text = json.dumps(figures, indent=1) + "\n"
    print(text, end="")
    if options.output is not None:
        atomic.write_text(options.output, text)


if __name__ == "__main__":
    sys.exit(main())
