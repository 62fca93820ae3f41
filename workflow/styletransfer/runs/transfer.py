"""Runs, computed from files to files: read the pictures, optimise, write the result and the record of how it came.

A `Worker` is one process on one device, for one run or for several. TensorFlow is loaded only after the device has been
leased, so everything that needs it is imported inside functions.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import itertools
import logging
import math
import os
import platform
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from styletransfer.devices import gpu_usage, lease, precision, tf_setup
from styletransfer.errors import InputError
from styletransfer.files import atomic, checks, locks
from styletransfer.images.color import preserve_colors
from styletransfer.images.io import write_image
from styletransfer.images.resize import to_uint8
from styletransfer.optim.stylize import DEFAULT_BACKEND, STEPS_PER_CALL, Pictures, begin, build
from styletransfer.runs import checkpoint, status
from styletransfer.runs.inputs import check_pictures, check_weights, checksums_of, read_pictures
from styletransfer.runs.layout import RUN_LOG, STATE_SUFFIX, Outputs, Run, check_outputs
from styletransfer.runs.record import finished, write_record
from styletransfer.settings import Settings
from styletransfer.vgg.sources import described

if TYPE_CHECKING:
    from styletransfer.optim.loop import Optimization, Stepper
    from styletransfer.optim.losses import Targets
    from styletransfer.runs.history import History
    from styletransfer.vgg.network import VGG19

logger = logging.getLogger(__name__)

LOG_FORMAT, LOG_TIME = "%(asctime)s %(message)s", "%H:%M:%S"


class Worker(contextlib.AbstractContextManager["Worker"]):
    """One process on one device, which computes runs one after another.

    The device is leased for the first run that has something to compute, and kept: there is one lease and one start of
    TensorFlow, however many runs follow. Runs share what is equal: the network, the traced graph, and the targets that
    were measured last. device, device_wait, device_slots: see `lease.lease`. threads: of the CPU, None for all.
    print_iterations: losses are reported every so many iterations. backend: one of
    `stylize.BACKEND_CHOICES`. steps_per_call: by default as `stylize` has it for the device. state_seconds: the state
    of a run is kept every so many seconds, for the case that it is killed. keep_state: and after the run, from where
    one of more iterations goes on.
    """

    def __init__(
        self,
        device: str = "auto",
        device_wait: float = 3600.0,
        device_slots: int = 1,
        threads: int | None = None,
        print_iterations: int = 10,
        backend: str = "auto",
        steps_per_call: int | None = None,
        state_seconds: float = 30.0,
        keep_state: bool = False,
    ) -> None:
        self._choice, self._wait, self._slots = device, device_wait, device_slots
        self._threads = threads or len(os.sched_getaffinity(0))
        self._print_iterations = print_iterations
        self._backend = backend
        self._steps_per_call = steps_per_call
        self._state_seconds = state_seconds
        self._keep_state = keep_state
        self._leases = contextlib.ExitStack()
        self._device: lease.Device | None = None
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
        with locks.exclusive_lock(run.outputs.record, self._wait if wait_seconds is None else wait_seconds):
            folder = run.outputs.record.parent
            state = run.outputs.record.with_name(f"{run.outputs.record.stem}{STATE_SUFFIX}")
            record = finished(run)
            if record is not None:
                logger.info("finished already, nothing computed. To compute it again, remove the folder %s", folder)
                # The process may have been killed between its last file and its end.
                status.clear_attempt(folder)
                if not self._keep_state:
                    state.unlink(missing_ok=True)
                return record
            for path in (*run.outputs.named(), state):
                atomic.remove_leftovers(path)
            with status.attempt(folder) as attempt:
                return self.transfer(run, overwrite=True, state=state, on_device=attempt.on)

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
                    if wait == 0 and isinstance(error, locks.BusyError):
                        busy.append(run)
                        continue
                    failed += 1
                    unexpected = not isinstance(error, InputError | OSError | MemoryError)
                    logger.error("%s failed: %s", run.settings.run_id, error, exc_info=unexpected)
        return failed

    def transfer(
        self,
        run: Run,
        overwrite: bool = False,
        state: Path | None = None,
        on_device: Callable[[lease.Device], None] | None = None,
    ) -> dict[str, Any]:
        """Compute one run and write its files; returns the record that goes into `Outputs.record`.

        state: the file that keeps the run's state until it is finished, and from which the run goes on if it is there;
        the caller sees to it that nobody else uses it meanwhile. None: from the start, and nothing is kept. on_device:
        called with the device as soon as there is one.

        A run that diverges is a result: its status says so, and its picture is the last one with a finite loss. Raises
        `InputError` for pictures, weights or outputs that cannot be used, before anything is computed or written.
        """
        settings, outputs = run.settings, run.outputs
        check_outputs(outputs, overwrite, run.inputs)
        check_pictures(settings, run.inputs)
        pictures = read_pictures(settings, run.inputs)
        content = pictures.content
        logger.info("%s", _about(settings, content))
        device = self._leased()
        if on_device is not None:
            on_device(device)
        start, clock = time.time(), Clock()
        with gpu_usage.watch(device.uuid) as usage:
            network, stepper, used = self._network(run, device)
            check_weights(settings, run.inputs, network.source)
            run_state = RunState(*self._begin(run, network, stepper, used, pictures), clock)
            optimization, history = run_state.optimization, run_state.history
            checksums = checksums_of(run.inputs)
            identity = _state_identity(run, checksums, network.source, device, used)
            saver = checkpoint.Saver(state, identity, self._state_seconds)
            run_state.go_on(saver.find(settings.run_id, settings.iterations))
            clock.prepared(used.pop("computed_on"))
            _optimise(run_state, network, outputs, content, saver)
        image = network.postprocess(optimization.last if history.diverged else optimization.best)
        _write(outputs, image, content, history)
        keep_state = self._keep_state and not history.diverged
        if keep_state:
            saver.save(run_state.state)
        record = {
            "run_id": settings.run_id,
            "status": "diverged" if history.diverged else "ok",
            "settings": settings.values(),
            "identity": settings.canonical(),
            "width": content.shape[1],
            "height": content.shape[0],
            "inputs": checksums,
            "outputs": {path.name: checks.checksum(path) for path in outputs.results()},
            "weights": network.source,
            "iterations_done": max(history.last_finite, 0),
            "best_iteration": history.best_iteration,
            "final": history.losses(history.last_finite),
            "best": history.losses(history.best_iteration) if history.last_finite >= 0 else {},
            "start": atomic.timestamp(start),
            "end": atomic.timestamp(time.time()),
            **clock.read(),
            "seconds_per_iteration": round(history.seconds_per_iteration, 6),
            **used,
            "device": dataclasses.asdict(device),
            "gpu": usage.summary(),
            "threads": self._threads,
            "host": platform.node(),
            "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "versions": _versions(),
        }
        if outputs.record is not None:
            write_record(outputs.record, record)
        if not keep_state:
            saver.remove()
        return record

    def _leased(self) -> lease.Device:
        if self._device is None:
            self._device = self._leases.enter_context(lease.lease(self._choice, self._wait, self._slots))
        return self._device

    def _begin(
        self, run: Run, network: VGG19, stepper: Stepper, used: dict[str, Any], pictures: Pictures
    ) -> tuple[Optimization, History]:
        from styletransfer.runs.history import History

        targets = self._targets(run, network, used["precision_used"], pictures)
        optimization = begin(run.settings, network, stepper, targets, pictures)
        return optimization, History(run.settings, self._print_iterations)

    def _network(self, run: Run, device: lease.Device) -> tuple[VGG19, Stepper, dict[str, Any]]:
        """The network, what takes steps with it, and what `auto` was on this device. Loads TensorFlow."""
        if not self._steppers:
            tf_setup.load_tensorflow(self._threads, device, self._slots, self._backend)
        import tensorflow as tf

        # What computes, not what was leased: tests lease GPUs that are none.
        kind = "gpu" if device.kind == "gpu" and tf.config.list_physical_devices("GPU") else "cpu"
        settings = run.settings
        used = precision.resolve(settings.precision, kind)
        tf.config.experimental.enable_tensor_float_32_execution(used == "tensorfloat32")
        steps = self._steps_per_call or STEPS_PER_CALL[kind]
        # A picture on the way is of the last step of a call.
        steps = math.gcd(steps, run.outputs.checkpoint_iterations or steps)
        backend = DEFAULT_BACKEND[kind] if self._backend == "auto" else self._backend
        key = (run.inputs.network, settings.pooling, settings.kernel_layout, used, backend, steps)
        if key not in self._steppers:
            self._steppers[key] = build(*key)
        where = precision.computed_on_cpu(self._threads) if kind == "cpu" else tf_setup.device_name(kind)
        how = {"precision_used": used, "backend_used": backend, "steps_per_call": steps, "computed_on": where}
        return *self._steppers[key], how

    def _targets(self, run: Run, network: VGG19, used: str, pictures: Pictures) -> Targets:
        """What the run's result is compared with: the same in each way to compute."""
        from styletransfer.optim import loop, losses

        settings, (content, styles, _) = run.settings, pictures
        kind = (run.inputs.network, settings.pooling, settings.kernel_layout, used)
        layers = losses.content_layers(settings)
        return losses.Targets(
            content=self._once(
                "content", (kind, layers), [content], lambda: loop.content_features(network, content, layers)
            ),
            style=self._once("style", kind, styles, lambda: loop.style_grams(network, styles)),
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:  # what keeps the result from being written as well will be told by it
        logger.warning("%s is not written: %s", path, error.strerror)
        yield
        return
    handler.setFormatter(logging.Formatter(LOG_FORMAT, LOG_TIME))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


class Clock:
    """The seconds that a run took: the part that this process does, and those before it, up to the states they left.

    And on what each part was computed.
    """

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._preparing = 0.0
        self._here: list[str] = []
        self._earlier: dict[str, Any] = {"seconds": 0.0, "seconds_preparing": 0.0}
        self._resumed: list[int] = []

    def prepared(self, computed_on: str) -> None:
        """The first iteration is about to begin. computed_on: what decides how this part rounds."""
        self._preparing = time.monotonic() - self._begin
        self._here = [computed_on]

    def resume(self, earlier: dict[str, Any], iteration: int) -> None:
        """Go on from what an earlier part `read`, at that iteration."""
        self._earlier = earlier
        self._resumed = [*earlier["resumed"], iteration]

    def read(self) -> dict[str, Any]:
        """What the record says: `seconds`, of these `seconds_preparing`; `resumed`: the iterations of new parts;
        `computed_on`: each once, in order.
        """
        return {
            "seconds": round(self._earlier["seconds"] + time.monotonic() - self._begin, 3),
            "seconds_preparing": round(self._earlier["seconds_preparing"] + self._preparing, 3),
            "resumed": self._resumed,
            "computed_on": list(dict.fromkeys([*self._earlier.get("computed_on", []), *self._here])),
        }


@dataclasses.dataclass(frozen=True)
class RunState:
    """All that changes while a run is computed."""

    optimization: Optimization
    history: History
    clock: Clock

    def state(self) -> checkpoint.State:
        """What `go_on` takes."""
        return checkpoint.State({**self.optimization.state(), **self.history.state()}, self.clock.read())

    def go_on(self, state: checkpoint.State | None) -> None:
        """Go on from a state, if there is one."""
        if state is not None:
            self.optimization.restore(state.arrays)
            self.history.restore(state.arrays)
            self.clock.resume(state.notes, state.iteration)


def _optimise(
    run_state: RunState, network: VGG19, outputs: Outputs, content: np.ndarray, saver: checkpoint.Saver
) -> None:
    from styletransfer.runs.history import ProgressLogger

    optimization, history = run_state.optimization, run_state.history
    with ProgressLogger(history) as progress, saver.postponing_signals():
        for evaluation in optimization.run():
            history.add(evaluation)
            progress.log(evaluation.iteration)
            picture = outputs.checkpoint(evaluation.iteration)
            if picture is not None and evaluation.finite:
                image = network.postprocess(optimization.last)
                _write_image(picture, image, content if outputs.preserve_checkpoints else None)
            # History and images are of one iteration, and there is something to go on from.
            if evaluation.finite and optimization.iteration == len(history.evaluations):
                if saver.due:
                    saver.save(run_state.state)
                if saver.stopped:
                    break
    if history.diverged:
        logger.warning("diverged: the loss is not finite after %d steps", len(history.evaluations) - 1)


def _write(outputs: Outputs, image: np.ndarray, content: np.ndarray, history: History) -> None:
    from styletransfer.runs.history import plot_progress, write_losses, write_progress

    if outputs.image is not None:
        _write_image(outputs.image, image)
    if outputs.preserved is not None:
        _write_image(outputs.preserved, image, content)
    if outputs.losses is not None:
        write_losses(outputs.losses, history)
    if outputs.progress is not None:
        write_progress(outputs.progress, history)
    if outputs.plot is not None:
        plot_progress(outputs.plot, history)


def _write_image(path: Path, image: np.ndarray, colors_of: np.ndarray | None = None) -> None:
    if colors_of is not None:
        image = preserve_colors(np.clip(image, 0, 255), colors_of)
    write_image(path, to_uint8(image))


def _state_identity(
    run: Run, inputs: dict[str, Any], weights: dict[str, str], device: lease.Device, used: dict[str, str]
) -> dict[str, Any]:
    """What two runs have in common if one can go on from a state of the other and come to what it would have had."""
    outputs = run.outputs
    return {
        "settings": {name: value for name, value in run.settings.canonical().items() if name != "iterations"},
        "inputs": inputs,
        "weights": weights,
        "versions": _versions(),
        "device": device.kind,
        "precision": used["precision_used"],
        "backend": used["backend_used"],
        # Those up to the state have been written.
        "pictures on the way": [outputs.checkpoints, outputs.checkpoint_iterations, outputs.preserve_checkpoints],
    }


def _about(settings: Settings, content: np.ndarray) -> str:
    """One line on what a run is, for its log."""
    height, width, _ = content.shape
    noise = settings.initial_noiseblend
    start = "noise" if settings.initial is None else settings.initial.name
    mixed = f" with {noise:.0%} noise" if settings.initial is not None and noise else ""
    method = {"adam": "Adam", "lbfgs": "L-BFGS"}[settings.optimizer]
    return (
        f"{width} x {height} pixels, {settings.iterations} iterations of {method} from {start}{mixed}; "
        f"weights: {described(settings.weights.name)}"
    )


@functools.cache
def _versions() -> dict[str, str]:
    packages = ("tensorflow", "numpy", "pillow")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in packages}}
