"""Seconds per iteration and memory: the engine's backends, plain TensorFlow, and what the machine could do at best."""

from __future__ import annotations

import dataclasses
import functools
import math
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

from styletransfer.benchmarks import peers
from styletransfer.benchmarks.measure import Options, Workbench, begin, is_possible, ratio, study_settings
from styletransfer.benchmarks.textbook import textbook_step
from styletransfer.errors import InputError
from styletransfer.optim.stylize import fit
from styletransfer.optim.terms import style_shares, weights
from styletransfer.vgg.weights import CHANNELS, DEEPEST_NEEDED

if TYPE_CHECKING:
    import tensorflow as tf

Prepare = Callable[[Options], Callable[[], object]]
BATCH = 4


def engine_step(precision: str, backend: str = "analytic") -> Prepare:
    """One iteration of the engine, ready to be called."""

    def prepare(options: Options) -> Callable[[], object]:
        settings = study_settings(precision=precision)
        evaluations = Workbench(options, backend).optimization(settings, backend).run()
        return lambda: next(evaluations)

    return prepare


def batched_loss(precision: str) -> Prepare:
    """The loss and gradient of several images in one call, ready to be called. The engine takes one after another."""

    def prepare(options: Options) -> Callable[[], object]:
        bench, settings = Workbench(options), study_settings(precision=precision)
        import tensorflow as tf

        from styletransfer.optim import gradients

        engine, (content, style) = bench.engine(settings), bench.pictures
        targets = engine.targets(settings, fit(settings, content, [style]))
        loss = gradients.AnalyticGradient(engine.network)
        weight, blend = tf.constant(weights(settings), tf.float32), tf.ones(1)
        start = tf.stack(BATCH * [engine.network.preprocess(content)])

        def one(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return loss(image, targets, weight, blend)

        return functools.partial(tf.function(functools.partial(tf.vectorized_map, one), autograph=False), start)

    return prepare


def matrix_product(precision: str) -> Prepare:
    """As many multiplications as an iteration has, in products of large matrices: what the machine can do."""

    def prepare(options: Options) -> Callable[[], object]:
        begin(options)
        import tensorflow as tf

        total = multiplications(*options.size)
        count = math.ceil(total / 2048**3)
        side = round((total / count) ** (1 / 3))
        a, b = (tf.cast(tf.random.stateless_normal((side, side), (0, seed)), precision) for seed in (1, 2))
        a @= b
        return lambda: [(a @ b)[0, 0].numpy() for _ in range(count)]

    return prepare


def multiplications(width: int, height: int) -> float:
    """Of one iteration: convolutions forward and back, Gram matrices and their gradients."""
    total = 0.0
    for name, (inputs, outputs) in CHANNELS.items():
        pixels = -(-height // 2 ** (int(name[4]) - 1)) * -(-width // 2 ** (int(name[4]) - 1))
        total += 2 * pixels * 9 * inputs * outputs
        if f"relu{name[4:]}" in style_shares(study_settings()):
            total += 2 * pixels * outputs**2
        if name == DEEPEST_NEEDED:
            return total
    raise AssertionError


class Candidate(NamedTuple):
    """What is measured beside others.

    images: a step is for so many. spread: as many processes as cores, of one thread each; else one on all cores.
    largest: wider pictures are left out unasked, since all candidates must fit into the memory side by side.
    """

    prepare: Prepare
    images: int = 1
    spread: bool = False
    largest: int = 2048


REFERENCE = "plain TensorFlow"
CANDIDATES = {
    REFERENCE: Candidate(textbook_step),
    "engine, autodiff, float32": Candidate(engine_step("float32", "autodiff")),
    "engine, autodiff, bfloat16": Candidate(engine_step("bfloat16", "autodiff"), largest=512),
    "engine, float32": Candidate(engine_step("float32")),
    "engine, bfloat16": Candidate(engine_step("bfloat16")),
    "engine, float32, a process per core": Candidate(engine_step("float32"), spread=True, largest=512),
    "engine, bfloat16, a process per core": Candidate(engine_step("bfloat16"), spread=True, largest=512),
    f"loss alone, float32, batch of {BATCH}": Candidate(batched_loss("float32"), images=BATCH, largest=256),
    f"loss alone, bfloat16, batch of {BATCH}": Candidate(batched_loss("bfloat16"), images=BATCH, largest=256),
    "matrix products, float32": Candidate(matrix_product("float32")),
    "matrix products, bfloat16": Candidate(matrix_product("bfloat16")),
}
# Those of other libraries, which have to be installed first, and what they are measured beside.
PEERS = {f"PyTorch, {layout}": Candidate(peers.pytorch_step(layout)) for layout in ("NCHW", "channels_last")}
BESIDE_PEERS = (REFERENCE, *PEERS, "engine, float32", "matrix products, float32")
EVERY = {**CANDIDATES, **PEERS}


def measure_step(options: Options, names: Sequence[str] = ()) -> dict[str, Any]:
    """Seconds per iteration and peak memory of plain TensorFlow and of the engine, in turn.

    Beside them, the same number of multiplications as products of large matrices. A convolution can be faster than
    that: by Winograd's method it multiplies less.

    Args:
        options: the size of the picture, the iterations of a round, the rounds.
        names: of `EVERY`; by default all of `CANDIDATES` that this machine can
            compute at this size.
    """
    possible = [name for name, each in CANDIDATES.items() if each.largest >= options.width and is_possible(name)]
    names = list(dict.fromkeys([REFERENCE, *(names or possible)]))
    workers = {name: Workers(name, options) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(options.rounds + 1):
        for name, working in workers.items():
            # The first turn traces the graph, fills caches and does not count.
            taken = working.seconds_per_image(options.steps if turn else 2)
            seconds[name] += [taken] if turn else []
    result: dict[str, Any] = {}
    for name in names:
        result[name] = {
            "seconds per iteration": round(statistics.median(seconds[name]), 4),
            "fastest": round(min(seconds[name]), 4),
            "slowest": round(max(seconds[name]), 4),
            "peak memory, GiB": round(workers[name].end(), 2),
            "times as fast as plain TensorFlow": ratio(seconds[REFERENCE], seconds[name]),
        }
        products = f"matrix products, {'bfloat16' if 'bfloat16' in name else 'float32'}"
        if products in seconds:
            result[name]["share of the speed of matrix products"] = ratio(seconds[products], seconds[name])
    return result


class Workers:
    """The processes that compute one candidate."""

    def __init__(self, name: str, options: Options) -> None:
        self._name = name
        spread = EVERY[name].spread
        context = multiprocessing.get_context("spawn")
        self._children = []
        for _ in range((os.cpu_count() or 1) if spread else 1):
            here, there = context.Pipe()
            threads = 1 if spread else options.threads
            child = context.Process(target=_serve, args=(there, name, options, threads), daemon=True)
            child.start()
            there.close()  # or nobody would notice that the child has ended
            self._children.append((child, here))

    def seconds_per_image(self, steps: int) -> float:
        """What a step of one image takes, if each process takes so many."""
        for _, pipe in self._children:
            pipe.send(steps)
        return max(self._answers()) / (steps * EVERY[self._name].images * len(self._children))

    def end(self) -> float:
        """End them; returns their peak memory, GiB."""
        for _, pipe in self._children:
            pipe.send(None)
        memory = self._answers()
        for child, _ in self._children:
            child.join()
        return sum(memory)

    def _answers(self) -> list[float]:
        try:
            return [pipe.recv() for _, pipe in self._children]
        except EOFError as error:
            raise InputError(f"{self._name} ended early: see above") from error


def _serve(pipe: Connection, name: str, options: Options, threads: int | None) -> None:
    """A child: for every number received, take so many steps and send their seconds; then the peak memory."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    step = EVERY[name].prepare(dataclasses.replace(options, threads=threads))
    while (steps := pipe.recv()) is not None:
        began = time.perf_counter()
        for _ in range(steps):
            step()
        pipe.send(time.perf_counter() - began)
    if isinstance(step, peers.Step):
        step.end()
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    pipe.send(max(peaks) / 2**20)
