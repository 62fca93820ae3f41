"""Runs, computed from files to files: read the pictures, optimise, write the result and the record of how it came.

`transfer` computes one run, `transfer_once` unless its result is there already, `transfer_all` several in turn.
TensorFlow is loaded only after the device has been leased, so what needs it is imported inside functions.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import platform
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from styletransfer.devices import gpu_usage, lease
from styletransfer.errors import InputError
from styletransfer.files import atomic, checks, locks
from styletransfer.images.color import finished, finished_exactly
from styletransfer.images.io import write_image
from styletransfer.optim.history import History
from styletransfer.optim.stylize import Computation, Engine, Pictures
from styletransfer.runs import checkpoint, status
from styletransfer.runs.history import ProgressLogger, plot_progress, write_losses, write_progress
from styletransfer.runs.inputs import check_pictures, checksums_of
from styletransfer.runs.layout import RUN_LOG, Outputs, Run, check_outputs, state_file
from styletransfer.runs.record import Record, find_record, versions
from styletransfer.runs.run_state import Clock, RunState
from styletransfer.runs.session import Session
from styletransfer.runs.twin import from_twin
from styletransfer.settings import Settings
from styletransfer.vgg.sources import described

logger = logging.getLogger(__name__)

LOG_FORMAT, LOG_TIME = "%(asctime)s %(message)s", "%H:%M:%S"


def transfer_once(run: Run, session: Session, wait_seconds: float | None = None) -> Record:
    """Compute a run unless its result is there already, whole and of the same settings; returns the record.

    A run that was killed continues from its last state; so does one from that of a run with fewer iterations. Two
    processes never compute one run at the same time: the second waits for the first, and then finds the result.

    Args:
        run: with a record among its outputs.
        session: the process that computes.
        wait_seconds: for another process that computes it; by default as long as for a device.

    Raises:
        BusyError: if another process still computes it then.
        InputError: as `transfer` does.
    """
    assert run.outputs.record is not None
    with locks.exclusive_lock(run.outputs.record, session.device_wait if wait_seconds is None else wait_seconds):
        folder = run.outputs.record.parent
        state = state_file(run.outputs.record)
        record = find_record(run.outputs.record, run.outputs.results(), run.settings.run_id, verify=True)
        if record is not None:
            logger.info("finished already, nothing computed. To compute it again, remove the folder %s", folder)
            # The process may have been killed between its last file and its end.
            status.clear_attempt(folder)
            if not session.keep_state:
                state.unlink(missing_ok=True)
            return record
        if session.attempt > 1:
            status.refuse_final(folder)
        for path in (*run.outputs.named(), state):
            atomic.remove_leftovers(path)
        with status.attempt(folder) as attempt:
            if (record := from_twin(run)) is not None:
                state.unlink(missing_ok=True)
                return record
            return transfer(run, session, overwrite=True, state=state, on_device=attempt.on)


def transfer_all(runs: Sequence[Run], session: Session) -> int:
    """Compute runs one after another, each as `transfer_once` does; returns how many failed.

    A run that fails is logged and does not stop the others. Runs that another process computes come last. While a run
    is computed, what is logged goes to `transfer.log` in its folder as well.
    """
    busy: list[Run] = []
    failed = 0
    # The second part is looked at only when the first is through.
    for run, wait in itertools.chain(((run, 0.0) for run in runs), ((run, session.device_wait) for run in busy)):
        assert run.outputs.record is not None
        with _logged_to(run.outputs.record.with_name(RUN_LOG)):
            try:
                transfer_once(run, session, wait)
            except Exception as error:
                if wait == 0 and isinstance(error, locks.BusyError):
                    busy.append(run)
                    continue
                failed += 1
                unexpected = not isinstance(error, InputError | OSError | MemoryError)
                logger.error("%s failed: %s", run.settings.run_id, error, exc_info=unexpected)
    return failed


def transfer(
    run: Run,
    session: Session,
    overwrite: bool = False,
    state: Path | None = None,
    on_device: Callable[[lease.Device], None] | None = None,
) -> Record:
    """Compute one run and write its files; returns the record that goes into `Outputs.record`.

    A run that diverges is a result: its status says so, and its picture is the last one with a finite loss.

    Args:
        run: what to compute, from which files, into which.
        session: the process that computes.
        overwrite: whether files that exist are replaced.
        state: the file that keeps the run's state until it is finished, and from which the run continues if it is
            there; the caller sees to it that nobody else uses it meanwhile. None: from the start, and nothing is kept.
        on_device: called with the device as soon as there is one.

    Raises:
        InputError: for pictures, weights or outputs that cannot be used, before anything is computed or written.
    """
    settings, outputs = run.settings, run.outputs
    check_outputs(outputs, overwrite, run.inputs)
    check_pictures(settings, run.inputs)
    pictures = session.pictures(run)
    content = pictures[-1].content
    logger.info("%s", _about(settings, pictures))
    device = session.device
    if on_device is not None:
        on_device(device)
    start, clock = time.time(), Clock()
    with gpu_usage.watch(device.uuid) as usage:
        engine, how, optimization = session.begin(run, pictures)
        history = History(settings, session.print_iterations)
        run_state = RunState(optimization, history, clock)
        checksums = checksums_of(run.inputs)
        identity = _state_identity(run, checksums, engine.network.source, device, how)
        saver = checkpoint.Saver(state, identity, session.state_seconds)
        run_state.resume(saver.find(settings.run_id, settings.iterations))
        clock.prepared(session.computed_on(how))
        _optimise(run_state, engine, outputs, pictures, saver)
    result = engine.result(optimization, history)
    write_image(outputs.image, finished(result, content, settings.colors))
    if outputs.exact is not None:
        with atomic.atomic_path(outputs.exact) as temporary:
            np.save(temporary, finished_exactly(result, content, settings.colors))
    _write(outputs, history)
    keep_state = session.keep_state and not history.diverged
    if keep_state:
        saver.save(run_state.state)
    record = Record(
        run_id=settings.run_id,
        status="diverged" if history.diverged else "ok",
        settings=settings.values(),
        identity=settings.canonical(),
        width=content.shape[1],
        height=content.shape[0],
        inputs=checksums,
        outputs={path.name: checks.checksum(path) for path in outputs.results()},
        weights=engine.network.source,
        iterations_done=max(history.last_finite, 0),
        best_iteration=history.best_iteration,
        final=history.losses(history.last_finite),
        best=history.losses(history.best_iteration) if history.last_finite >= 0 else {},
        start=atomic.timestamp(start),
        end=atomic.timestamp(time.time()),
        **clock.read(),
        seconds_per_iteration=round(history.seconds_per_iteration, 6),
        precision_used=how.precision,
        backend_used=how.backend,
        steps_per_call=how.steps_per_call,
        device=device,
        gpu=usage.summary(),
        threads=session.threads,
        host=platform.node(),
        peak_memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        versions=versions(),
    )
    if outputs.record is not None:
        record.write(outputs.record)
    if not keep_state:
        saver.remove()
    return record


@contextlib.contextmanager
def _logged_to(path: Path) -> Iterator[None]:
    """While the block lasts, whatever is logged goes to a file as well."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:  # if the result cannot be written either, that will say so
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


def _optimise(
    run_state: RunState, engine: Engine, outputs: Outputs, pictures: Sequence[Pictures], saver: checkpoint.Saver
) -> None:
    optimization, history = run_state.optimization, run_state.history
    with ProgressLogger(history) as progress, saver.postponing_signals():
        for evaluation in optimization.run():
            history.add(evaluation)
            progress.log(evaluation.iteration)
            picture = outputs.checkpoint(evaluation.iteration)
            if picture is not None and evaluation.finite:
                image = engine.network.postprocess(optimization.last)
                content = pictures[optimization.stage].content
                write_image(picture, finished(image, content, history.settings.colors))
            # History and images are of one iteration, and there is something to resume from.
            if evaluation.finite and optimization.iteration == len(history.evaluations):
                if saver.due:
                    saver.save(run_state.state)
                if saver.stopped:
                    break
    if history.diverged:
        logger.warning("diverged: the loss is not finite after %d steps", len(history.evaluations) - 1)


def _write(outputs: Outputs, history: History) -> None:
    if outputs.losses is not None:
        write_losses(outputs.losses, history)
    if outputs.progress is not None:
        write_progress(outputs.progress, history)
    if outputs.plot is not None:
        plot_progress(outputs.plot, history)


def _state_identity(
    run: Run, inputs: dict[str, Any], weights: dict[str, str], device: lease.Device, how: Computation
) -> dict[str, Any]:
    """What two runs have in common if one can continue from a state of the other and come to what it would have had."""
    outputs = run.outputs
    settings = run.settings.canonical()
    if run.settings.stages == 1:  # with more iterations each stage would have had more as well
        settings.pop("iterations", None)
    if run.settings.colors == "content" and not outputs.checkpoints:  # they are put onto the finished picture
        settings.pop("colors")
    return {
        "settings": settings,
        "inputs": inputs,
        "weights": weights,
        "versions": versions(),
        "device": device.kind,
        "precision": how.precision,
        "backend": how.backend,
        # Those up to the state have been written. The third told of their colours, before these were a setting.
        "pictures on the way": [outputs.checkpoints, outputs.checkpoint_iterations, False],
    }


def _about(settings: Settings, pictures: Sequence[Pictures]) -> str:
    """One line on what a run is, for its log. pictures: of each stage."""
    height, width, _ = pictures[-1].content.shape
    widths = ", ".join(str(fitted.content.shape[1]) for fitted in pictures)
    stages = f" in {len(pictures)} stages, {widths} pixels wide" if len(pictures) > 1 else ""
    noise = settings.initial_noiseblend
    start = "noise" if settings.initial is None else settings.initial.name
    mixed = f" with {noise:.0%} noise" if settings.initial is not None and noise else ""
    method = {"adam": "Adam", "lbfgs": "L-BFGS"}[settings.optimizer]
    return (
        f"{width} x {height} pixels, {settings.iterations} iterations of {method} from {start}{mixed}{stages}; "
        f"weights: {described(settings.weights.name)}"
    )
