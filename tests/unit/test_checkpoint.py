"""A run that is killed goes on to the same bytes, and nothing but its own state is ever taken for it."""

import argparse
import contextlib
import dataclasses
import json
import logging
import os
import signal
import subprocess
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from helpers.cpus import BFLOAT16
from styletransfer.cli import transfer as transfer_command
from styletransfer.errors import InputError
from styletransfer.files import atomic
from styletransfer.runs import checkpoint, history, transfer
from styletransfer.runs.checkpoint import State
from styletransfer.runs.layout import Outputs, Run
from styletransfer.runs.session import Session
from styletransfer.settings import Artifact, Settings

pytestmark = pytest.mark.engine

FILE = Artifact("a", "b")
RESULTS = ("image.png", "losses.csv")
IDENTITY = {"settings": {"numerics": 1, "width": 5}, "precision": "float32"}


class Killed(BaseException):
    """As SIGKILL: nobody catches it."""


@pytest.fixture(autouse=True)
def as_often_as_asked_for(monkeypatch):
    monkeypatch.setattr(checkpoint, "SHARE", float("inf"))


def settings(**values):
    return Settings(content=FILE, styles=(FILE,), weights=FILE, **{"iterations": 12, **values})


def new_session(**options):
    return Session("cpu", **{"backend": "analytic", "print_iterations": 5, "state_seconds": 1e-9} | options)


def compute(inputs, folder, settings, session=None, **options):
    """The record and the bytes of the results of a run; in a process of its own, unless it is given."""
    with contextlib.nullcontext(session) if session else new_session(**options) as process:
        record = transfer.transfer_once(Run(settings, inputs, Outputs.in_folder(folder)), process)
    return record, [(folder / name).read_bytes() for name in RESULTS]


def kill(monkeypatch, inputs, folder, settings, iteration, **options):
    """Begin a run and kill it after that many steps."""
    with monkeypatch.context() as patch:
        log = history.ProgressLogger.log

        def log_and_die(self, now):
            log(self, now)
            if now == iteration:
                raise Killed

        patch.setattr(history.ProgressLogger, "log", log_and_die)
        with pytest.raises(Killed):
            compute(inputs, folder, settings, **options)


def begun(folder):
    """A folder as a killed run leaves it: what is in it, less the lock."""
    return {path.name for path in folder.iterdir()} - {".run.json.lock"}


@pytest.mark.parametrize("backend", ["analytic", "autodiff"])
@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=BFLOAT16)])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_killed_run_comes_to_the_same_bytes(inputs, tmp_path, monkeypatch, optimizer, precision, backend):
    study = settings(optimizer=optimizer, precision=precision, learning_rate=2, initial_noiseblend=0.3)
    rng = np.random.default_rng(3)
    first, second = sorted(rng.choice(np.arange(1, 13), 2, replace=False))
    with new_session(backend=backend) as session:  # one graph for all: to trace it takes longest
        _, whole = compute(inputs, tmp_path / "whole", study, session)
        for iteration in (first, second):
            kill(monkeypatch, inputs, tmp_path / "killed", study, iteration, session=session)
            assert begun(tmp_path / "killed") == {"run.state.npz", "attempt.json"}
        record, resumed = compute(inputs, tmp_path / "killed", study, session)
    assert resumed == whole
    assert record.resumed == [first, second]
    assert begun(tmp_path / "killed") == {*RESULTS, "run.json"}


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_run_of_several_stages_that_is_killed_comes_to_the_same_bytes(inputs, tmp_path, monkeypatch, optimizer):
    study = settings(optimizer=optimizer, stages=(19, 24, 30), learning_rate=2)
    with new_session() as session:
        _, whole = compute(inputs, tmp_path / "whole", study, session)
        for iteration in (2, 4, 9):  # within the first stage, between two, within the last
            kill(monkeypatch, inputs, tmp_path / "killed", study, iteration, session=session)
    record, resumed = compute(inputs, tmp_path / "killed", study)
    assert resumed == whole
    assert record.resumed == [2, 4, 9]


def test_a_run_of_several_stages_goes_on_from_no_run_of_other_iterations(inputs, tmp_path):
    """All of its stages have other iterations."""
    long = settings(stages=2, learning_rate=2)
    _, whole = compute(inputs, tmp_path / "elsewhere" / long.run_id, long)
    pool = tmp_path / "runs"
    with new_session(keep_state=True) as session:
        short = dataclasses.replace(long, iterations=6)
        compute(inputs, pool / short.run_id, short, session)
        record, continued = compute(inputs, pool / long.run_id, long, session)
    assert continued == whole
    assert record.resumed == []


def test_a_run_that_is_killed_before_it_has_a_result_is_not_computed_again(inputs, tmp_path, monkeypatch):
    _, whole = compute(inputs, tmp_path / "whole", settings())
    write_text = atomic.write_text

    def killed_at_the_record(path, text, **how):
        if path.name == "run.json":
            raise Killed
        write_text(path, text, **how)

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "write_text", killed_at_the_record)
        with pytest.raises(Killed):
            compute(inputs, tmp_path / "killed", settings())
    # As a process leaves it that is killed while it writes.
    (tmp_path / "killed/.run.state.tmp.npz").touch()
    (tmp_path / "killed/.image.tmp.png").touch()
    with monkeypatch.context() as patch:
        patch.setattr("styletransfer.optim.loop.Stepper._step", None)
        record, resumed = compute(inputs, tmp_path / "killed", settings())
    assert resumed == whole
    assert record.resumed == [13]
    assert begun(tmp_path / "killed") == {*RESULTS, "run.json"}


@pytest.mark.parametrize("keep", [True, False])
def test_what_a_run_that_was_killed_just_after_its_result_left_is_removed(inputs, tmp_path, keep):
    folder = tmp_path / "run"
    record, results = compute(inputs, folder, settings(), keep_state=True)
    (folder / "attempt.json").write_text("{}")
    again, found = compute(inputs, folder, settings(), keep_state=keep)
    assert (again.start, found) == (record.start, results), "computed again"
    assert begun(folder) == {*RESULTS, "run.json", *(["run.state.npz"] if keep else [])}


def test_seconds_are_those_of_all_parts(inputs, tmp_path, monkeypatch):
    kill(monkeypatch, inputs, tmp_path, settings(), 6)
    path = tmp_path / "run.state.npz"
    with np.load(path) as archive:
        about = json.loads(archive["about"].tobytes())
        arrays = {name: archive[name] for name in archive.files if name not in ("about", "sha256")}
    notes = {"seconds": 1000.0, "seconds_preparing": 400.0, "resumed": [2]}
    arrays |= {"history_seconds": np.array(590.0), "history_timed": np.array(5)}
    checkpoint.write(path, about["identity"], State(arrays, notes))
    record, _ = compute(inputs, tmp_path, settings())
    assert record.resumed == [2, 6]
    assert 1000 < record.seconds < 1100
    assert 400 < record.seconds_preparing < 500
    # The first of the seven evaluations that were left has none before it in its process.
    assert 590 / 11 < record.seconds_per_iteration < 690 / 11


def test_a_run_of_more_iterations_goes_on_from_a_kept_state(inputs, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    long = settings(optimizer="lbfgs", iterations=17, learning_rate=2)
    _, whole = compute(inputs, tmp_path / "elsewhere" / long.run_id, long)
    pool = tmp_path / "runs"
    with new_session(keep_state=True, print_iterations=3) as session:
        for iterations in (5, 12, 25):
            short = dataclasses.replace(long, iterations=iterations)
            record, _ = compute(inputs, pool / short.run_id, short, session)
            assert record.resumed == {5: [], 12: [6], 25: [6, 13]}[iterations]
        other = dataclasses.replace(long, iterations=16, seed=1)
        compute(inputs, pool / other.run_id, other, session)
    record, continued = compute(inputs, pool / long.run_id, long)
    assert continued == whole
    assert record.resumed == [6, 13]
    assert f"resuming from iteration 13: {pool / dataclasses.replace(long, iterations=12).run_id}" in caplog.text
    assert not list((pool / long.run_id).glob("*.npz"))
    assert len(list(pool.glob("*/run.state.npz"))) == 4


def test_a_run_that_diverges_keeps_no_state(inputs, tmp_path):
    record, _ = compute(inputs, tmp_path / "run", settings(learning_rate=1e30), keep_state=True)
    assert record.status == "diverged"
    assert begun(tmp_path / "run") == {*RESULTS, "run.json"}


def test_a_short_run_never_writes_a_state(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "write", None)
    record, _ = compute(inputs, tmp_path, settings(), state_seconds=3600)
    assert record.resumed == []


@pytest.mark.parametrize(
    ("changes", "options", "reason"),
    [
        pytest.param({"precision": "bfloat16"}, {}, "other precision, settings", marks=BFLOAT16),
        ({}, {"backend": "autodiff"}, "other backend"),
        ({"tv_weight": 7}, {}, "other settings"),
    ],
)
def test_a_state_of_something_else_is_refused(inputs, tmp_path, monkeypatch, caplog, changes, options, reason):
    study = settings(**changes)
    _, whole = compute(inputs, tmp_path / "whole", study, **options)
    kill(monkeypatch, inputs, tmp_path / "killed", settings(), 8)
    caplog.clear()
    record, again = compute(inputs, tmp_path / "killed", study, **options)
    assert again == whole
    assert record.resumed == []
    (line,) = (message for message in caplog.messages if "begins again" in message)
    assert reason in line


@pytest.mark.parametrize("what", ["numerics", "weights", "content"])
def test_a_state_of_other_files_or_another_engine_is_refused(inputs, tmp_path, monkeypatch, caplog, what):
    kill(monkeypatch, inputs, tmp_path, settings(), 8)
    if what == "numerics":
        monkeypatch.setattr("styletransfer.settings.NUMERICS", -1)
    elif what == "weights":
        from styletransfer.vgg import formats

        other = dataclasses.replace(formats.load(inputs.network), sha256="another")
        monkeypatch.setattr(formats, "load", lambda path: other)
    else:
        inputs.content.write_bytes(inputs.styles[0].read_bytes())
    record, _ = compute(inputs, tmp_path, settings())
    assert record.resumed == []
    assert sum("begins again" in message for message in caplog.messages) == 1


@pytest.fixture(scope="module")
def state_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("state") / "run.state.npz"
    rng = np.random.default_rng(0)
    arrays = {
        "iteration": np.array(3),
        "image": rng.normal(size=(4, 5, 3)).astype(np.float32),
        "flag": rng.random(3) > 0.5,
    }
    checkpoint.write(path, IDENTITY, State(arrays, {"seconds": 1.5, "resumed": [2]}))
    return path


def same(state, path):
    whole = checkpoint.read(path, IDENTITY)
    assert state.notes == whole.notes
    assert state.arrays.keys() == whole.arrays.keys()
    for name, array in whole.arrays.items():
        assert (array.dtype, array.shape, array.tobytes()) == (
            state.arrays[name].dtype,
            state.arrays[name].shape,
            state.arrays[name].tobytes(),
        )


@profile(max_examples=400)
@given(data=st.data())
def test_no_damage_passes(state_file, data):
    """A bit that nobody reads may flip; what is read is what was written, or it is refused."""
    damaged = bytearray(state_file.read_bytes())
    match data.draw(st.sampled_from(["flip", "cut", "zero", "swap"])):
        case "flip":
            bit = data.draw(st.integers(0, 8 * len(damaged) - 1))
            damaged[bit // 8] ^= 1 << bit % 8
        case "cut":
            del damaged[data.draw(st.integers(0, len(damaged) - 1)) :]
        case "zero":
            begin = data.draw(st.integers(0, len(damaged) - 1))
            end = data.draw(st.integers(begin, len(damaged)))
            damaged[begin:end] = bytes(end - begin)
        case "swap":
            damaged = bytearray(data.draw(st.binary(max_size=2000)))
    path = state_file.with_name("damaged.npz")
    path.write_bytes(damaged)
    with contextlib.suppress(InputError):
        same(checkpoint.read(path, IDENTITY), state_file)


def test_what_is_whole_is_read_and_pickles_are_not(state_file, tmp_path):
    same(checkpoint.read(state_file, IDENTITY), state_file)
    with pytest.raises(InputError, match="is the state of a run with other precision, settings"):
        checkpoint.read(state_file, {"settings": {}, "precision": "bfloat16"})
    about = np.frombuffer(json.dumps({"identity": IDENTITY, "notes": {}}).encode(), np.uint8)
    np.savez(tmp_path / "pickle.npz", about=about, iteration=np.array(1), image=np.array([print], object))
    with pytest.raises(InputError, match="damaged"):
        checkpoint.read(tmp_path / "pickle.npz", IDENTITY)


def test_the_names_in_an_archive_have_a_share_in_its_checksum(state_file, tmp_path):
    with np.load(state_file) as archive:
        arrays = dict(archive)
    for other in (
        {name: array for name, array in arrays.items() if name != "flag"},
        arrays | {"more": arrays["flag"]},
        {{"flag": "falg"}.get(name, name): array for name, array in arrays.items()},
        arrays | {"image": arrays["image"].reshape(5, 4, 3)},
        arrays | {"image": arrays["image"].view(np.int32)},
    ):
        np.savez(tmp_path / "other.npz", **other)
        with pytest.raises(InputError, match="the checksum differs"):
            checkpoint.read(tmp_path / "other.npz", IDENTITY)


def test_a_damaged_state_is_discarded(inputs, tmp_path, monkeypatch, caplog):
    _, whole = compute(inputs, tmp_path / "whole", settings())
    kill(monkeypatch, inputs, tmp_path / "killed", settings(), 8)
    path = tmp_path / "killed/run.state.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    record, again = compute(inputs, tmp_path / "killed", settings())
    assert again == whole
    assert record.resumed == []
    (line,) = (message for message in caplog.messages if "begins again" in message)
    assert "is damaged" in line


def test_a_full_disk_costs_a_line_not_the_run(inputs, tmp_path, caplog):
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    _, whole = compute(inputs, tmp_path / "whole", settings())
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", disk], check=True)
    try:
        outputs = Outputs.in_folder(tmp_path / "results")
        with Session("cpu", backend="analytic", print_iterations=5, state_seconds=1e-9) as session:
            transfer.transfer(Run(settings(), inputs, outputs), session, state=disk / "run.state.npz")
        assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)
    assert [(tmp_path / "results" / name).read_bytes() for name in RESULTS] == whole
    (line,) = (message for message in caplog.messages if "is not written" in message)
    assert "No space left" in line


def test_a_state_that_takes_long_is_written_less_often(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(checkpoint, "SHARE", 0.01)
    monkeypatch.setattr("styletransfer.runs.checkpoint.time.monotonic", lambda: now[0])

    def takes(seconds):
        def write(*_):
            now[0] += seconds

        return write

    saver = checkpoint.Saver(tmp_path / "state.npz", IDENTITY, 30)
    for seconds, wait in ((0.0, 30), (0.1, 30), (2.0, 200)):
        monkeypatch.setattr(checkpoint, "write", takes(seconds))
        saver.save(lambda: None)
        now[0] += wait - 1
        assert not saver.due
        now[0] += 1
        assert saver.due


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_waits_until_the_state_is_kept(tmp_path, number):
    seen = []
    before = signal.signal(number, lambda *_: seen.append("taken"))
    try:
        saver = checkpoint.Saver(tmp_path / "state.npz", IDENTITY, 3600)
        with pytest.raises(SystemExit), saver.postponing_signals():
            assert not saver.due
            os.kill(os.getpid(), number)
            assert saver.due
            assert saver.stopped
            seen.append("kept")
        assert seen == ["kept", "taken"]
        signal.signal(number, signal.SIG_IGN)
        with checkpoint.Saver(tmp_path / "state.npz", IDENTITY, 3600).postponing_signals():
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_said_twice_waits_and_an_impatient_interrupt_does_not(tmp_path, monkeypatch, number):
    """At the end of a job's time SLURM sends SIGTERM twice within milliseconds."""
    seen, now = [], [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    before = signal.signal(number, lambda *_: seen.append("taken"))
    try:
        saver = checkpoint.Saver(tmp_path / "state.npz", IDENTITY, 3600)
        with pytest.raises(SystemExit), saver.postponing_signals():
            for second in (0, 0.006, 0.9, 1.1):
                now[0] = second
                os.kill(os.getpid(), number)
                seen.append(second)
        at_once = ["taken"] if number == signal.SIGINT else []
        assert seen == [0, 0.006, 0.9, *at_once, 1.1, "taken"]
    finally:
        signal.signal(number, before)


def test_signals_are_left_alone_where_they_cannot_be_had(tmp_path):
    def block():
        with checkpoint.Saver(tmp_path / "state.npz", IDENTITY, 1).postponing_signals():
            done.append(signal.getsignal(signal.SIGTERM))

    done, before = [], signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    with checkpoint.Saver(None, IDENTITY, 1).postponing_signals():
        done.append(signal.getsignal(signal.SIGTERM))
    assert done == [before, before]


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_a_time_between_states_that_is_none_is_refused(seconds):
    command_line = argparse.ArgumentParser()
    transfer_command.add_machine_options(command_line)
    with pytest.raises(InputError, match=r"--state-seconds is .*: it must be above 0"):
        transfer_command.session_of(command_line.parse_args(["--state-seconds", seconds]))
