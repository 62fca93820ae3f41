"""Measure the product: an iteration against plain TensorFlow, a whole run, planning, and the 2018 study in small.

Figures on a shared machine are noisy: contestants take turns within one measurement, and medians are quoted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from styletransfer import files, images, paintings, transfer
from styletransfer.errors import InputError, command
from styletransfer.settings import Ingredient, Settings

if TYPE_CHECKING:
    import tensorflow as tf

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
    content = images.resize(images.read_image(images.sample_file("astronaut")), width, height)
    return content, paintings.paint("glass", width, width).astype(np.float32)


def engine_step(options: argparse.Namespace) -> Callable[[], object]:
    """One iteration of the engine, ready to be called."""
    import tensorflow as tf

    from styletransfer import fast, losses, optimize, vgg, weights

    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    file = Ingredient("benchmark", "none")
    settings = Settings(content=file, styles=(file,), weights=file, precision=options.precision, **STUDY_DEFAULTS)
    content, style = pictures(options.width, options.height)
    network = vgg.VGG19(weights.load(options.network), precision=options.precision)
    targets = optimize.measure_targets(network, settings, content, [style])
    start = optimize.starting_image(settings, None, content.shape)
    loss = losses.PlainLoss(network) if options.path == "plain" else fast.FastLoss(network)
    evaluations = optimize.Optimization(optimize.Stepper(loss), targets, settings, start).run()
    return lambda: next(evaluations)


def plain_step(options: argparse.Namespace) -> Callable[[], object]:
    """The same iteration as a textbook writes it in TensorFlow: one tf.function, a tape, Keras' Adam; float32."""
    import tensorflow as tf

    from styletransfer import weights

    source = weights.load(options.network)
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


STEPS = {"engine": engine_step, "plain TensorFlow": plain_step}


def serve(options: argparse.Namespace) -> None:
    """Child process: for every number read, take so many steps and print their seconds; then the peak memory."""
    step = STEPS[options.contestant](options)
    for line in sys.stdin:
        begin = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(time.perf_counter() - begin, flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, flush=True)


def measure_step(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds per iteration and peak memory of the engine and of plain TensorFlow, in turn."""
    children = {name: _child(name, options) for name in STEPS}
    seconds: dict[str, list[float]] = {name: [] for name in STEPS}
    for turn in range(options.rounds + 1):
        for name, child in children.items():
            # The first turn traces the graph, fills caches and does not count.
            taken = _ask(child, options.iterations if turn else 2) / options.iterations
            seconds[name] += [taken] if turn else []
    result: dict[str, Any] = {}
    for name, child in children.items():
        memory, _ = child.communicate()
        if child.returncode:
            raise InputError(f"{name} failed with exit code {child.returncode}: see above")
        result[name] = {
            "seconds per iteration": round(statistics.median(seconds[name]), 4),
            "fastest": round(min(seconds[name]), 4),
            "slowest": round(max(seconds[name]), 4),
            "peak memory, GiB": round(float(memory), 2),
        }
    ratios = [a / b for a, b in zip(seconds["engine"], seconds["plain TensorFlow"], strict=True)]
    result["engine / plain"] = round(statistics.median(ratios), 3)
    return result


def _child(name: str, options: argparse.Namespace) -> subprocess.Popen[str]:
    words = [f"--{key}={getattr(options, key)}" for key in ("network", "width", "height", "precision", "path")]
    script = [sys.executable, str(Path(__file__)), "serve", "--contestant", name, *words]
    return subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment())


def _ask(child: subprocess.Popen[str], iterations: int) -> float:
    assert child.stdin is not None and child.stdout is not None
    print(iterations, file=child.stdin, flush=True)
    answer = child.stdout.readline()
    if not answer:
        raise InputError("a contestant ended early: see above")
    return float(answer)


def measure_run(options: argparse.Namespace) -> dict[str, Any]:
    """What a run costs beside its iterations: wall time of the command less iterations x seconds per iteration."""
    with tempfile.TemporaryDirectory() as folder:
        content, style = (Path(folder, name) for name in ("content.png", "style.png"))
        for path, picture in zip((content, style), pictures(options.width, options.height), strict=True):
            images.write_image(path, images.to_uint8(picture))
        outside = []
        for number in range(options.rounds):
            record = Path(folder, f"{number}.json")
            words = ["--content", content, "--styles", style, "--network", options.network, "--record", record]
            words += ["--output", Path(folder, f"{number}.png"), "--iterations", options.iterations]
            words += ["--precision", options.precision, "--path", options.path]
            words += [word for name, value in STUDY_DEFAULTS.items() for word in (f"--{name.replace('_', '-')}", value)]
            seconds = _time([sys.executable, ROOT / "workflow/scripts/neural_style.py", *words])
            run = json.loads(record.read_text())
            outside.append(seconds - (options.iterations + 1) * run["seconds_per_iteration"])
        return {"seconds outside iterations": _summary(outside), "peak memory, GiB": run["peak_memory_mib"] / 1024}


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
    study |= {"weights": "hed", "device": "cpu", "study": "scaled-down"}
    study["defaults"] |= {"width": 32, "iterations": 5}
    folder = options.folder or tempfile.mkdtemp(prefix="study-")
    first = _snakemake(folder, study)
    again = [_snakemake(folder, study) for _ in range(options.rounds)]
    rows = len(Path(folder, "results/studies/scaled-down/runs.csv").read_text().splitlines()) - 1
    runs = len(list(Path(folder, "results/runs").glob("*/run.json")))
    return {"rows": rows, "runs": runs, "seconds": round(first, 1), "seconds, nothing to do": _summary(again)}


def _snakemake(folder: str | Path, study: Mapping[str, Any], *arguments: str) -> float:
    Path(folder).mkdir(parents=True, exist_ok=True)
    config = Path(folder, "study.yaml")
    files.write_text(config, yaml.safe_dump(dict(study)))
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


MEASUREMENTS = {"step": measure_step, "run": measure_run, "planning": measure_planning, "study": measure_study}


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return {"cpu": names[0] if names else platform.processor(), "cores": os.cpu_count(), "host": platform.node()}


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    command_line = argparse.ArgumentParser(description=__doc__)
    command_line.add_argument("measurement", choices=[*MEASUREMENTS, "serve"], help="what to measure")
    command_line.add_argument("--network", type=Path, default=ROOT / "resources/weights/hed.safetensors")
    command_line.add_argument("--width", type=int, default=512)
    command_line.add_argument("--height", type=int, default=532)
    command_line.add_argument("--precision", default="float32")
    command_line.add_argument("--path", choices=transfer.PATHS, default="auto")
    command_line.add_argument("--iterations", type=int, default=3, help="iterations of a turn, or of a run")
    command_line.add_argument("--rounds", type=int, default=5, help="how often everything is measured")
    command_line.add_argument("--folder", type=Path, help="where the study runs; default: a temporary folder")
    command_line.add_argument("--output", type=Path, help="write the figures here as JSON")
    command_line.add_argument("--contestant", choices=STEPS, default="engine", help=argparse.SUPPRESS)
    return command_line


@command
def main() -> None:
    """Measure, print, write."""
    options = parser().parse_args()
    if options.measurement == "serve":
        return serve(options)
    figures = {"machine": machine(), options.measurement: MEASUREMENTS[options.measurement](options)}
    text = json.dumps(figures, indent=1) + "\n"
    print(text, end="")
    if options.output is not None:
        files.write_text(options.output, text)


if __name__ == "__main__":
    sys.exit(main())
