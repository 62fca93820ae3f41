"""One run, from files to files: read the pictures, optimise, write the result and the record of how it came about.

TensorFlow is loaded only after a device has been leased, so everything that needs it is imported inside functions.
"""

from __future__ import annotations

import dataclasses
import datetime
import importlib.metadata
import json
import logging
import os
import platform
import re
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from styletransfer import devices, files, images, monitor
from styletransfer.errors import InputError
from styletransfer.settings import Settings

if TYPE_CHECKING:
    from styletransfer.optimize import Optimization
    from styletransfer.trace import Trace
    from styletransfer.vgg import VGG19

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inputs:
    """The files a run reads. initial: only where it starts from a picture that is not the content."""

    content: Path
    styles: Sequence[Path]
    network: Path
    initial: Path | None = None


@dataclass(frozen=True)
class Outputs:
    """The files a run writes; only `image` is compulsory.

    image: the picture with the lowest loss. preserved: the same with the content's colours. losses: a CSV row per
    reported evaluation. record: all about the run, JSON. progress, plot: the reference program's progress.txt and
    a plot of it. checkpoints: a pattern for pictures on the way, such as `step-{:05}.png`, every so many steps.
    """

    image: Path | None = None
    preserved: Path | None = None
    losses: Path | None = None
    record: Path | None = None
    progress: Path | None = None
    plot: Path | None = None
    checkpoints: str | None = None
    checkpoint_iterations: int | None = None
    preserve_checkpoints: bool = False

    def named(self) -> list[Path]:
        """All files with a fixed name."""
        paths = (self.image, self.preserved, self.losses, self.record, self.progress, self.plot)
        return [path for path in paths if path is not None]

    def checkpoint(self, iteration: int) -> Path | None:
        """Where the picture after that many steps goes, if it is to be kept."""
        if not self.checkpoints or not self.checkpoint_iterations or iteration % self.checkpoint_iterations:
            return None
        return Path(checkpoint_name(self.checkpoints, iteration)) if iteration else None


def checkpoint_name(pattern: str, iteration: int) -> str:
    """The file name that a pattern gives: `{}` or `{:05}`, or `%s` or `%05d`, stands for the iteration.

    Raises `InputError` for a pattern without exactly one such place.
    """
    places = re.findall(r"\{(?::0?\d*d?)?\}|%0?\d*[ds]", pattern)
    if len(places) != 1:
        raise InputError(f"checkpoint pattern {pattern!r} needs one place for the iteration, such as step-{{:05}}.png")
    text = places[0].format(iteration) if places[0].startswith("{") else places[0] % iteration
    return pattern.replace(places[0], text)


def transfer(
    settings: Settings,
    inputs: Inputs,
    outputs: Outputs,
    *,
    device: str = "auto",
    device_wait: float = 3600.0,
    device_slots: int = 1,
    threads: int | None = None,
    print_iterations: int = 10,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Compute one run and write its files; returns the record that goes into `Outputs.record`.

    A run that diverges is a result: its status says so, and its picture is the last one with a finite loss. Raises
    `InputError` for pictures, weights or outputs that cannot be used, before anything is computed or written.
    """
    start, begin = time.time(), time.monotonic()
    _check_outputs(outputs, overwrite)
    content, styles, initial = read_pictures(settings, inputs)
    with devices.lease(device, device_wait, device_slots) as leased, monitor.watch(leased.uuid) as usage:
        _load_tensorflow(threads, leased)
        network, optimization = _prepare(settings, inputs, content, styles, initial)
        prepared = time.monotonic()
        trace = _optimise(settings, network, optimization, outputs, print_iterations, content)
        seconds_optimising = time.monotonic() - prepared
        image = network.postprocess(optimization.last if trace.diverged else optimization.best)
    _write(outputs, image, content, trace)
    result = outputs.image or outputs.preserved
    record = {
        "run_id": settings.run_id,
        "status": "diverged" if trace.diverged else "ok",
        "settings": settings.values(),
        "identity": settings.canonical(),
        "width": content.shape[1],
        "height": content.shape[0],
        "inputs": _checksums(inputs),
        "weights": network.source,
        "iterations_done": max(trace.last_finite, 0),
        "best_iteration": trace.best_iteration,
        "image_sha256": result and files.checksum(result),
        "final": trace.losses(trace.last_finite),
        "best": trace.losses(trace.best_iteration) if trace.last_finite >= 0 else {},
        "start": _timestamp(start),
        "end": _timestamp(time.time()),
        "seconds": round(time.monotonic() - begin, 3),
        "seconds_preparing": round(prepared - begin, 3),
        "seconds_per_iteration": round(seconds_optimising / len(trace.evaluations), 6),
        "device": dataclasses.asdict(leased),
        "gpu": usage.summary(),
        "threads": threads,
        "host": platform.node(),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "versions": _versions(),
    }
    if outputs.record is not None:
        files.write_text(outputs.record, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return record


def _check_outputs(outputs: Outputs, overwrite: bool) -> None:
    existing = [str(path) for path in outputs.named() if path.exists()]
    if existing and not overwrite:
        raise InputError(f"{', '.join(existing)}: exists already. Choose another name, or say --overwrite")
    for path in outputs.named():
        if path in (outputs.image, outputs.preserved, outputs.plot):
            images.check_suffix(path)
    if outputs.checkpoints:
        images.check_suffix(Path(checkpoint_name(outputs.checkpoints, 0)))
        if not outputs.checkpoint_iterations:
            raise InputError(f"--checkpoint-output {outputs.checkpoints} needs --checkpoint-iterations as well")


def read_pictures(settings: Settings, inputs: Inputs) -> tuple[np.ndarray, list[np.ndarray], np.ndarray | None]:
    """Content, styles and initial picture, (H, W, 3) RGB in 0..255, each at the size that the run wants."""
    pixels = images.read_image(inputs.content)
    width = settings.width or pixels.shape[1]
    content = images.resize_to_width(pixels, width)
    styles = [
        images.resize_to_width(images.read_image(path), max(1, round(scale * width)))
        for path, scale in zip(inputs.styles, settings.style_scales, strict=True)
    ]
    if settings.initial is None:
        return content, styles, None
    if inputs.initial is None:
        return content, styles, content
    height = content.shape[0]
    return content, styles, images.resize(images.read_image(inputs.initial), width, height)


def _prepare(
    settings: Settings,
    inputs: Inputs,
    content: np.ndarray,
    styles: list[np.ndarray],
    initial: np.ndarray | None,
) -> tuple[VGG19, Optimization]:
    from styletransfer import optimize, vgg, weights

    network = vgg.VGG19(weights.load(inputs.network), settings.pooling, settings.kernel_layout, settings.precision)
    targets = optimize.measure_targets(network, settings, content, styles)
    begin = None if initial is None else network.preprocess(initial)
    start = optimize.starting_image(settings, begin, content.shape)
    return network, optimize.Optimization(network, targets, settings, start)


def _load_tensorflow(threads: int | None, leased: devices.Device) -> None:
    """Import TensorFlow, quiet, deterministic, no greedier than it needs to be, and on the leased device."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    # Equal seeds give equal bits, on GPUs as well.
    tf.config.experimental.enable_op_determinism()
    gpus = tf.config.list_physical_devices("GPU")
    # Tests have no GPU but want to see runs being scheduled.
    if leased.kind == "gpu" and not gpus and not os.environ.get("STYLETRANSFER_FAKE_GPUS"):
        raise InputError(
            f"{leased.uuid} is leased, but TensorFlow sees no GPU and would compute on the CPU. Install "
            "envs/requirements-gpu.txt and check the driver, or compute on the CPU (device: cpu, --device cpu)"
        )
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    # The network is one chain of operations: a second one beside it only costs memory.
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)


def _optimise(
    settings: Settings,
    network: VGG19,
    optimization: Optimization,
    outputs: Outputs,
    print_iterations: int,
    content: np.ndarray,
) -> Trace:
    from styletransfer.trace import Reporter, Trace

    trace = Trace(settings, print_iterations)
    with Reporter(trace) as reporter:
        for evaluation in optimization.run():
            trace.add(evaluation)
            reporter.tell(evaluation.iteration)
            checkpoint = outputs.checkpoint(evaluation.iteration)
            if checkpoint is not None and evaluation.finite:
                image = network.postprocess(optimization.last)
                _write_image(checkpoint, image, content if outputs.preserve_checkpoints else None)
    if trace.diverged:
        logger.warning("diverged: the loss is not finite after %d steps", len(trace.evaluations) - 1)
    return trace


def _write(outputs: Outputs, image: np.ndarray, content: np.ndarray, trace: Trace) -> None:
    from styletransfer import trace as traces

    if outputs.image is not None:
        _write_image(outputs.image, image)
    if outputs.preserved is not None:
        _write_image(outputs.preserved, image, content)
    if outputs.losses is not None:
        traces.write_losses(outputs.losses, trace)
    if outputs.progress is not None:
        traces.write_progress(outputs.progress, trace)
    if outputs.plot is not None:
        traces.plot_progress(outputs.plot, trace)


def _write_image(path: Path, image: np.ndarray, colors_of: np.ndarray | None = None) -> None:
    if colors_of is not None:
        image = images.preserve_colors(np.clip(image, 0, 255), colors_of)
    images.write_image(path, images.to_uint8(image))


def _checksums(inputs: Inputs) -> dict[str, Any]:
    checksums: dict[str, Any] = {
        "content": files.checksum(inputs.content),
        "styles": [files.checksum(path) for path in inputs.styles],
    }
    if inputs.initial is not None:
        checksums["initial"] = files.checksum(inputs.initial)
    return checksums


def _versions() -> dict[str, str]:
    packages = ("tensorflow", "numpy", "pillow")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in packages}}


def _timestamp(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")
