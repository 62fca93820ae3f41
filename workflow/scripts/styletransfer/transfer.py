"""Runs, computed from files to files: read the pictures, optimise, write the result and the record of how it came.

A `Worker` is one process on one device, for one run or for several. TensorFlow is loaded only after the device has been
leased, so everything that needs it is imported inside functions.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import itertools
import json
import logging
import os
import platform
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from styletransfer import checkpoint, devices, files, images, monitor, precision, status
from styletransfer.errors import InputError
from styletransfer.run import RUN_LOG, STATE_SUFFIX, Inputs, Outputs, Run, check_outputs, finished
from styletransfer.settings import Settings

if TYPE_CHECKING:
    from styletransfer.losses import Targets
    from styletransfer.optimize import Optimization, Stepper
    from styletransfer.trace import Trace
    from styletransfer.vgg import VGG19

logger = logging.getLogger(__name__)

LOG_FORMAT, LOG_TIME = "%(asctime)s %(message)s", "%H:%M:%S"

# How the loss is computed: `fast` and `plain` differ in rounding only; auto is fast on a CPU, for which it is made.
PATHS = ("auto", "fast", "plain")


class Worker(contextlib.AbstractContextManager["Worker"]):
    """One process on one device, which computes runs one after another.

    The device is leased for the first run that has something to compute, and kept: there is one lease and one start of
    TensorFlow, however many runs follow. Runs share what is equal: the network, the traced graph, and the targets that
    were measured last. device, device_wait, device_slots: see `devices.lease`. threads: of the CPU, None for all.
    print_iterations: losses are reported every so many iterations. path: one of `PATHS`. state_seconds: the state of a
    run is kept every so many seconds, for the case that it is killed. keep_state: and after the run, from where one of
    more iterations goes on.
    """

    def __init__(
        self,
        device: str = "auto",
        device_wait: float = 3600.0,
        device_slots: int = 1,
        threads: int | None = None,
        print_iterations: int = 10,
        path: str = "auto",
        state_seconds: float = 30.0,
        keep_state: bool = False,
    ) -> None:
        self._choice, self._wait, self._slots = device, device_wait, device_slots
        self._threads = threads
        self._print_iterations = print_iterations
        self._path = path
        self._state_seconds = state_seconds
        self._keep_state = keep_state
        self._leases = contextlib.ExitStack()
        self._device: devices.Device | None = None
        self._steppers: dict[tuple[Any, ...], tuple[VGG19, Stepper]] = {}
        self._measured: dict[str, tuple[Any, Any]] = {}

    def __exit__(self, *_: object) -> None:
        self._leases.close()

    def transfer_once(self, run: Run, wait_seconds: float | None = None) -> dict[str, Any]:
        """Compute a run unless its result is there already, whole and of the same settings; returns the record.

        A run that was killed goes on from its last state; so does one from that of a run with fewer iterations. Two
        processes never compute one run at the same time: the second waits for the first, at most wait_seconds (by
        default as long as for a device), and then finds the result. Raises `BusyError` if it does not, and `InputError`
        as `transfer` does.
        """
        assert run.outputs.record is not None
        with files.alone(run.outputs.record, self._wait if wait_seconds is None else wait_seconds):
            record = finished(run)
            if record is not None:
                folder = run.outputs.record.parent
                logger.info("finished already, nothing computed. To compute it anew, remove the folder %s", folder)
                return record
            state = run.outputs.record.with_name(f"{run.outputs.record.stem}{STATE_SUFFIX}")
            for path in (*run.outputs.named(), state):
                files.remove_leftovers(path)
            with status.attempt(run.outputs.record.parent) as attempt:
                return self.transfer(run, overwrite=True, state=state, tell=attempt.on)

    def transfer_all(self, runs: Sequence[Run]) -> int:
        """Compute runs one after another, each as `transfer_once` does; returns how many failed.

        A run that fails is logged and does not stop the others. Runs that another process computes come last. While a
        run is computed, what is logged goes to `transfer.log` in its folder as well.
        """
        busy: list[Run] = []
        failed = 0
        # The second part is looked at only when the first is through.
        for run, wait in itertools.chain(((run, 0.0) for run in runs), ((run, self._wait) for run in busy)):
            assert run.outputs.record is not None
            with _logged_to(run.outputs.record.with_name(RUN_LOG)):
                try:
                    self.transfer_once(run, wait)
                except Exception as error:
                    if wait == 0 and isinstance(error, files.BusyError):
                        busy.append(run)
                        continue
                    failed += 1
                    unexpected = not isinstance(error, InputError)
                    logger.error("%s failed: %s", run.settings.run_id, error, exc_info=unexpected)
        return failed

    def transfer(
        self,
        run: Run,
        overwrite: bool = False,
        state: Path | None = None,
        tell: Callable[[devices.Device], None] | None = None,
    ) -> dict[str, Any]:
        """Compute one run and write its files; returns the record that goes into `Outputs.record`.

        state: the file that keeps the run's state until it is finished, and from which the run goes on if it is there;
        the caller sees to it that nobody else uses it meanwhile. None: from the start, and nothing is kept. tell:
        called with the device as soon as there is one.

        A run that diverges is a result: its status says so, and its picture is the last one with a finite loss. Raises
        `InputError` for pictures, weights or outputs that cannot be used, before anything is computed or written.
        """
        settings, outputs = run.settings, run.outputs
        check_outputs(outputs, overwrite)
        content, styles, initial = read_pictures(settings, run.inputs)
        device = self._leased()
        if tell is not None:
            tell(device)
        start, clock = time.time(), Clock()
        with monitor.watch(device.uuid) as usage:
            used = self._resolved(settings, device)
            network, optimization, trace = self._prepare(settings, used, run.inputs.network, content, styles, initial)
            course = Course(optimization, trace, clock)
            checksums = _checksums(run.inputs)
            identity = _state_identity(run, checksums, network.source, device, used)
            saver = checkpoint.Saver(state, identity, self._state_seconds)
            course.go_on(saver.find(settings.run_id, settings.iterations))
            clock.prepared()
            _optimise(course, network, outputs, content, saver)
        image = network.postprocess(optimization.last if trace.diverged else optimization.best)
        _write(outputs, image, content, trace)
        keep_state = self._keep_state and not trace.diverged
        if keep_state:
            saver.save(course.state)
        record = {
            "run_id": settings.run_id,
            "status": "diverged" if trace.diverged else "ok",
            "settings": settings.values(),
            "identity": settings.canonical(),
            "width": content.shape[1],
            "height": content.shape[0],
            "inputs": checksums,
            "outputs": {path.name: files.checksum(path) for path in outputs.results()},
            "weights": network.source,
            "iterations_done": max(trace.last_finite, 0),
            "best_iteration": trace.best_iteration,
            "final": trace.losses(trace.last_finite),
            "best": trace.losses(trace.best_iteration) if trace.last_finite >= 0 else {},
            "start": files.timestamp(start),
            "end": files.timestamp(time.time()),
            **clock.read(),
            "seconds_per_iteration": round(trace.seconds_per_iteration, 6),
            **{f"{name}_used": value for name, value in used.items()},
            "device": dataclasses.asdict(device),
            "gpu": usage.summary(),
            "threads": self._threads,
            "host": platform.node(),
            "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "versions": _versions(),
        }
        if outputs.record is not None:
            files.write_text(outputs.record, json.dumps(record, indent=1, sort_keys=True) + "\n")
        if not keep_state:
            saver.remove()
        return record

    def _leased(self) -> devices.Device:
        if self._device is None:
            self._device = self._leases.enter_context(devices.lease(self._choice, self._wait, self._slots))
        return self._device

    def _resolved(self, settings: Settings, device: devices.Device) -> dict[str, str]:
        """What `precision` and `path` are on this device. Loads TensorFlow."""
        if not self._steppers:
            load_tensorflow(self._threads, device)
        path = self._path if self._path != "auto" else {"cpu": "fast"}.get(device.kind, "plain")
        return {"precision": precision.resolve(settings.precision, device.kind), "path": path}

    def _prepare(
        self,
        settings: Settings,
        used: dict[str, str],
        weights: Path,
        content: np.ndarray,
        styles: list[np.ndarray],
        initial: np.ndarray | None,
    ) -> tuple[VGG19, Optimization, Trace]:
        from styletransfer import optimize, trace

        kind = (settings.pooling, settings.kernel_layout, used["precision"])
        network, stepper = self._stepper(weights, kind, used["path"])
        targets = self._targets(settings, (weights, *kind), network, content, styles)
        begin = None if initial is None else network.preprocess(initial)
        start = optimize.starting_image(settings, begin, content.shape)
        optimization = optimize.Optimization(stepper, targets, settings, start)
        return network, optimization, trace.Trace(settings, self._print_iterations)

    def _stepper(self, path: Path, kind: tuple[str, str, str], how: str) -> tuple[VGG19, Stepper]:
        """The network and what takes steps with it. kind: pooling, kernel layout, precision. how: fast or plain."""
        from styletransfer import fast, losses, optimize, vgg, weights

        if (path, kind, how) not in self._steppers:
            network = vgg.VGG19(weights.load(path), *kind)
            loss = fast.FastLoss(network) if how == "fast" else losses.PlainLoss(network)
            self._steppers[path, kind, how] = network, optimize.Stepper(loss)
        return self._steppers[path, kind, how]

    def _targets(
        self, settings: Settings, kind: tuple[Any, ...], network: VGG19, content: np.ndarray, styles: list[np.ndarray]
    ) -> Targets:
        from styletransfer import losses, optimize

        layers = losses.content_layers(settings)
        return losses.Targets(
            content=self._once(
                "content", (kind, layers), [content], lambda: optimize.content_features(network, content, layers)
            ),
            style=self._once("style", kind, styles, lambda: optimize.style_grams(network, styles)),
        )

    def _once(self, name: str, kind: tuple[Any, ...], pictures: list[np.ndarray], measure: Callable[[], Any]) -> Any:
        """What `measure` returns; or what it returned last, if kind and pixels are the same as then."""
        key = kind, [(picture.shape, hashlib.sha256(picture.tobytes()).digest()) for picture in pictures]
        if name not in self._measured or self._measured[name][0] != key:
            self._measured[name] = key, measure()
        return self._measured[name][1]


@contextlib.contextmanager
def _logged_to(path: Path) -> Iterator[None]:
    """While the block lasts, whatever is logged goes to a file as well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(LOG_FORMAT, LOG_TIME))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


class Clock:
    """The seconds that a run took: the part that this process does, and those before it, up to the states they left."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._preparing = 0.0
        self._earlier: dict[str, Any] = {"seconds": 0.0, "seconds_preparing": 0.0}
        self._resumed: list[int] = []

    def prepared(self) -> None:
        """The first iteration is about to begin."""
        self._preparing = time.monotonic() - self._begin

    def resume(self, earlier: dict[str, Any], iteration: int) -> None:
        """Go on from what an earlier part `read`, at that iteration."""
        self._earlier = earlier
        self._resumed = [*earlier["resumed"], iteration]

    def read(self) -> dict[str, Any]:
        """What the record says: `seconds`, of these `seconds_preparing`, and `resumed`: the iterations of new parts."""
        return {
            "seconds": round(self._earlier["seconds"] + time.monotonic() - self._begin, 3),
            "seconds_preparing": round(self._earlier["seconds_preparing"] + self._preparing, 3),
            "resumed": self._resumed,
        }


@dataclasses.dataclass(frozen=True)
class Course:
    """All that changes while a run is computed."""

    optimization: Optimization
    trace: Trace
    clock: Clock

    def state(self) -> checkpoint.State:
        """What `go_on` takes."""
        return checkpoint.State({**self.optimization.state(), **self.trace.state()}, self.clock.read())

    def go_on(self, state: checkpoint.State | None) -> None:
        """Go on from a state, if there is one."""
        if state is not None:
            self.optimization.restore(state.arrays)
            self.trace.restore(state.arrays)
            self.clock.resume(state.notes, state.iteration)


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


def load_tensorflow(threads: int | None, leased: devices.Device = devices.CPU) -> None:
    """Import TensorFlow, quiet, deterministic, and no greedier than it needs to be."""
    # On the CPU nobody wants to read that no GPU was found.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if leased.kind == "gpu" else "3")
    # Not Keras, matplotlib and pandas along with it: a package that is not installed is taken in their place.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
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


def _optimise(course: Course, network: VGG19, outputs: Outputs, content: np.ndarray, saver: checkpoint.Saver) -> None:
    from styletransfer.trace import Reporter

    optimization, trace = course.optimization, course.trace
    with Reporter(trace) as reporter, saver.postponing_signals():
        for evaluation in optimization.run():
            trace.add(evaluation)
            reporter.tell(evaluation.iteration)
            picture = outputs.checkpoint(evaluation.iteration)
            if picture is not None and evaluation.finite:
                image = network.postprocess(optimization.last)
                _write_image(picture, image, content if outputs.preserve_checkpoints else None)
            # Trace and images are of one iteration, and there is something to go on from.
            if evaluation.finite and optimization.iteration == len(trace.evaluations):
                if saver.due:
                    saver.save(course.state)
                if saver.stopped:
                    break
    if trace.diverged:
        logger.warning("diverged: the loss is not finite after %d steps", len(trace.evaluations) - 1)


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


def _state_identity(
    run: Run, inputs: dict[str, Any], weights: dict[str, str], device: devices.Device, used: dict[str, str]
) -> dict[str, Any]:
    """What two runs have in common if one can go on from a state of the other and come to what it would have had."""
    outputs = run.outputs
    return {
        "settings": {name: value for name, value in run.settings.canonical().items() if name != "iterations"},
        "inputs": inputs,
        "weights": weights,
        "versions": _versions(),
        "device": device.kind,
        **used,
        # Those up to the state have been written.
        "pictures on the way": [outputs.checkpoints, outputs.checkpoint_iterations, outputs.preserve_checkpoints],
    }


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
