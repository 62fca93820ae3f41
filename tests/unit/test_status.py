"""How runs stand, told from real processes that end in every way there is."""

import contextlib
import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest import mock

import pytest

from helpers.records import record
from styletransfer import errors
from styletransfer.devices import lease
from styletransfer.files import locks
from styletransfer.runs import causes, status
from styletransfer.runs.layout import RUN_FILES
from styletransfer.settings import Artifact, Settings

MORE = ". Choose a smaller width, or fewer runs at once (--cores, --resources mem_mb)"
RUN = """
import signal, sys, time
from pathlib import Path
from styletransfer.errors import command
from styletransfer.files import locks
from styletransfer.runs import status

# What a shell starts in the background ignores Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

@command
def main():
    folder = Path(sys.argv[1])
    with locks.exclusive_lock(folder / "run.json", 0), status.attempt(folder):
        print("begun", flush=True)
        time.sleep(60)

sys.exit(main())
"""


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A process that computes a run, and never ends by itself."""

    def begin(**environment):
        command = [sys.executable, "-c", RUN, str(tmp_path)]
        with open(tmp_path / "job.log", "w") as log:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | environment
            )
        processes.append(process)
        assert process.stdout.readline() == "begun\n"
        return process

    processes = []
    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def finish(folder, **values):
    folder.mkdir(exist_ok=True)
    for name in RUN_FILES.values():
        (folder / name).write_text("")
    record(**values).write(folder / "run.json")


def test_a_run_waits_runs_and_is_killed(tmp_path, begun):
    assert status.run_status(tmp_path / "nowhere") == status.Status("waiting")
    process = begun()
    running = status.run_status(tmp_path)
    assert (running.name, running.details["pid"], running.details["attempt"]) == ("running", process.pid, 1)
    process.kill()
    process.wait()
    killed = status.run_status(tmp_path)
    assert killed.name == "killed"
    assert f"process {process.pid} on {os.uname().nodename} ended silently" in killed.reason
    assert killed.reason.endswith("job.log may tell of") and Path(killed.details["log"]).samefile(tmp_path / "job.log")
    assert begun().poll() is None
    assert status.run_status(tmp_path).details["attempt"] == 2


@pytest.mark.parametrize(
    ("end", "name", "reason"),
    [
        (None, "killed", "ended by SIGTERM"),
        (3600, "killed", "before the time limit of its SLURM job"),
        (-1, "timeout", "ended by SIGTERM at the time limit of its SLURM job"),
    ],
)
def test_sigterm_is_a_timeout_only_when_the_time_of_the_job_is_up(tmp_path, begun, end, name, reason):
    process = begun(**({} if end is None else {"SLURM_JOB_END_TIME": str(int(time.time()) + end), "SLURM_JOB_ID": "7"}))
    process.terminate()
    assert process.wait() == 128 + signal.SIGTERM
    found = status.run_status(tmp_path)
    assert found.name == name
    assert reason in found.reason
    assert found.details.get("job") == (None if end is None else "7")
    assert found.details["end"] >= found.details["start"]


@pytest.mark.parametrize(
    ("answer", "name"),
    [("+3600", "killed"), ("-1", "timeout"), ("N/A", "killed"), ("", "killed")],
)
def test_an_older_slurm_is_asked_for_the_time_limit(tmp_path, begun, answer, name):
    command = f"date --date '{answer} seconds' +%Y-%m-%dT%H:%M:%S" if answer[:1] in ("+", "-") else f"echo {answer}"
    (tmp_path / "squeue").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{command}\n')
    (tmp_path / "squeue").chmod(0o755)
    process = begun(SLURM_JOB_ID="7", PATH=f"{tmp_path}:{os.environ['PATH']}")
    process.terminate()
    process.wait()
    found = status.run_status(tmp_path)
    assert found.name == name
    assert (found.details["limit"] is None) == (answer in ("N/A", ""))
    assert (tmp_path / "asked").read_text() == "--noheader --jobs 7 --format %e\n"


def test_ctrl_c(tmp_path, begun):
    process = begun()
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert status.run_status(tmp_path) == status.Status("killed", "interrupted (SIGINT)")


def test_a_killed_process_ran_out_of_memory_if_the_kernel_says_so(tmp_path, begun, monkeypatch):
    counter = tmp_path / "memory.events"
    counter.write_text("low 0\noom 3\noom_kill 2\n")
    process = begun()
    process.kill()
    process.wait()
    attempt = json.loads((tmp_path / "attempt.json").read_text())
    assert attempt["oom_kills"], "this kernel has no counter"
    (tmp_path / "attempt.json").write_text(
        json.dumps(attempt | {"oom_kills": [[str(counter), 2], [str(tmp_path / "later"), 0]]})
    )
    assert status.run_status(tmp_path).name == "killed"
    counter.write_text("low 0\noom 4\noom_kill 3\n")
    found = status.run_status(tmp_path)
    assert found.name == "out_of_memory"
    assert f"{counter}: oom_kill 1" in found.reason
    (tmp_path / "attempt.json").write_text(json.dumps(attempt | {"boot": "another"}))
    assert status.run_status(tmp_path).reason.endswith("the host was restarted")


def test_counters_of_both_kinds_of_control_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(causes, "CGROUPS", tmp_path)
    monkeypatch.setattr(causes, "VMSTAT", tmp_path / "vmstat")
    places = [tmp_path / "user/me/memory.events", tmp_path / "memory/job_7/memory.oom_control"]
    lines = "9:cpu:/\n4:memory:/job_7\n0::/user/me\n"
    real = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda path, **how: lines if path == Path("/proc/self/cgroup") else real(path, **how)
    )
    for number, place in enumerate([*places, tmp_path / "vmstat"]):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"under_oom 0\noom_kill {number}\n")
    counters = [(str(places[1]), 1), (str(places[0]), 0), (str(tmp_path / "vmstat"), 2)]
    assert list(causes.oom_kills().items()) == counters, "the nearest is not the first"


@pytest.mark.parametrize(
    ("error", "name", "reason"),
    [
        (
            errors.InputError("photo.png is no picture:\n  convert it"),
            "bad_input",
            "photo.png is no picture: convert it",
        ),
        (errors.MachineError("TensorFlow sees no GPU"), "failed", "TensorFlow sees no GPU"),
        (errors.WaitError("none of 2 GPUs became free"), "timeout", "none of 2 GPUs became free"),
        (locks.BusyError("another process works on it"), "timeout", "another process works on it"),
        (
            MemoryError("Unable to allocate 9 GiB"),
            "out_of_memory",
            f"MemoryError: Unable to allocate 9 GiB{MORE}",
        ),
        (
            OSError(12, "Cannot allocate memory"),
            "out_of_memory",
            f"OSError: [Errno 12] Cannot allocate memory{MORE}",
        ),
        (OSError(28, "No space left on device"), "failed", "OSError: [Errno 28] No space left on device"),
        (MemoryError(), "out_of_memory", f"MemoryError{MORE}"),
        (ZeroDivisionError("division by zero"), "failed", "ZeroDivisionError: division by zero"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_have_names_and_a_result_ends_them(tmp_path, error, name, reason):
    with pytest.raises(type(error)), status.attempt(tmp_path) as attempt:
        attempt.on(lease.Device("gpu", "GPU-7"))
        raise error
    found = status.run_status(tmp_path)
    assert found == status.Status(name, reason)
    assert found.details["device"] == "GPU-7"
    with status.attempt(tmp_path):
        finish(tmp_path)
    assert status.run_status(tmp_path) == status.Status("ok")
    assert not (tmp_path / "attempt.json").exists()


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (errors.InputError("no picture"), True),
        (errors.MachineError("no GPU"), True),
        (errors.WaitError("no GPU became free"), False),
        (MemoryError(), False),
        (OSError(28, "No space left on device"), False),
        (errors.TerminatedError(15), False),
    ],
)
def test_only_what_can_end_in_another_way_is_tried_again(tmp_path, error, final):
    status.refuse_final(tmp_path)
    with pytest.raises(type(error)), status.attempt(tmp_path):
        raise error
    refused = pytest.raises(errors.InputError, match=f"{error}.*not tried again") if final else contextlib.nullcontext()
    before = (tmp_path / "attempt.json").read_text()
    with refused:
        status.refuse_final(tmp_path)
    assert (tmp_path / "attempt.json").read_text() == before


@pytest.mark.parametrize(
    ("changes", "name"),
    [({}, "running"), ({"host": "another"}, "running"), ({"boot": "an earlier one"}, "killed"), ({"pid": 0}, "killed")],
)
def test_without_locks_a_run_at_work_is_not_taken_for_a_killed_one(tmp_path, monkeypatch, changes, name):
    no_locks = OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    monkeypatch.setattr(fcntl, "flock", mock.Mock(side_effect=no_locks))
    with locks.exclusive_lock(tmp_path / "run.json", 0), status.attempt(tmp_path):
        begun = json.loads((tmp_path / "attempt.json").read_text())
        (tmp_path / "attempt.json").write_text(json.dumps(begun | changes))
        assert status.run_status(tmp_path).name == name


def test_tensorflow_out_of_memory():
    import tensorflow as tf

    name, reason = causes.why(tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\n tensor [9]"))
    told = f"ResourceExhaustedError: OOM when allocating tensor [9]{MORE}"
    assert (name, reason) == ("out_of_memory", told)
    assert causes.why(tf.errors.InternalError(None, None, "CUDA_ERROR_OUT_OF_MEMORY"))[0] == "out_of_memory"
    assert causes.why(tf.errors.InternalError(None, None, "no kernel image"))[0] == "failed"


def test_results(tmp_path):
    finish(tmp_path)
    assert status.run_status(tmp_path).finished
    finish(tmp_path, status="diverged", iterations_done=7)
    assert status.run_status(tmp_path) == status.Status("diverged", "the loss was not finite any more after step 7")
    (tmp_path / "image.png").unlink()
    gone = f"{tmp_path}/image.png: there is no such file. It will be computed again"
    assert status.run_status(tmp_path) == status.Status("waiting", gone)
    for text in ("", "[]", '{"status": 3}'):
        (tmp_path / "run.json").write_text(text)
        assert status.run_status(tmp_path).name == "waiting"
    for text in ("", "[]", "{}", '{"status": "ok"}', '{"status": {}}'):
        (tmp_path / "run.json").unlink(missing_ok=True)
        (tmp_path / "attempt.json").write_text(text)
        assert not status.run_status(tmp_path).finished


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ("", status.Status("waiting")),
        ("12:00:00 ok: image.png after 3.0 s\n", status.Status("waiting")),
        ("12:00:00 hello\nerror: --settings is not JSON\n", status.Status("bad_input", "--settings is not JSON")),
        ("Traceback ...\nModuleNotFoundError: No module\n", status.Status("failed", "ModuleNotFoundError: No module")),
    ],
)
def test_a_command_may_fail_before_it_begins_a_run(tmp_path, log, found):
    (tmp_path / "job.log").write_text(log)
    assert status.run_status(tmp_path, tmp_path / "job.log") == found


def test_a_run_that_ends_while_it_is_looked_at_was_not_killed(tmp_path, monkeypatch):
    attempt = status.Attempt(tmp_path / "attempt.json", status._beginning(None))
    assert attempt is not None
    looked = locks.is_locked

    def ends(path):
        finish(tmp_path)
        return looked(path)

    monkeypatch.setattr(locks, "is_locked", ends)
    assert status.run_status(tmp_path) == status.Status("ok")


def test_looking_at_a_lock_does_not_take_it(tmp_path):
    stop = threading.Event()

    def look():
        while not stop.is_set():
            locks.is_locked(tmp_path / "run.json")

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(20):
            with locks.exclusive_lock(tmp_path / "run.json", 30):
                assert locks.is_locked(tmp_path / "run.json")
    finally:
        stop.set()
        for looker in lookers:
            looker.join()
    assert not locks.is_locked(tmp_path / "run.json")


def runs(*names, weights="w"):
    made = [
        Settings(content=Artifact(name, "sha256:0"), styles=(Artifact("art", "a@1"),), weights=Artifact(weights, "1"))
        for name in names
    ]
    return {run.run_id: run for run in made}


def test_what_never_began_for_lack_of_a_picture_says_so(tmp_path):
    study = runs("good", "broken")
    log = tmp_path / "broken.log"
    made = {Artifact("broken", "sha256:0").digest: status.InputStatus(str(tmp_path / "broken.png"), [str(log)])}
    assert {found.name for found in status.study_status(study, tmp_path, made).values()} == {"waiting"}
    log.write_text("error: an older one\nerror: broken.png is cut short\n")
    good, broken = status.study_status(study, tmp_path, made).values()
    assert (good.name, broken) == ("waiting", status.Status("bad_input", "broken.png is cut short"))
    (tmp_path / "broken.png").write_text("fixed")
    assert {found.name for found in status.study_status(study, tmp_path, made).values()} == {"waiting"}


def test_a_summary_counts_and_names_each_reason_once(tmp_path):
    statuses = {f"fine{number}": status.Status("ok") for number in range(3)}
    statuses |= {f"bad{number}": status.Status("bad_input", "cut short") for number in range(2)}
    statuses |= {"far": status.Status("diverged", "after step 7"), "later": status.Status("waiting")}
    (tmp_path / "far").mkdir()
    (tmp_path / "far/transfer.log").write_text("")
    assert status.summary(statuses, tmp_path).splitlines() == [
        "runs: 3 ok, 1 diverged, 1 waiting, 2 bad_input",
        "  bad_input: cut short",
        "    bad0, and 1 more of this kind",
        "  diverged: after step 7",
        f"    {tmp_path}/far/transfer.log",
    ]
    long = status.summary({"a": status.Status("failed", "word " * 99)}, tmp_path).splitlines()
    assert max(map(len, long)) <= 200 and sum(line.count("word") for line in long) == 99
    many = {str(number): status.Status("failed", str(number)) for number in range(9)}
    assert status.summary(many, tmp_path, most=2).splitlines()[-1] == "  and 7 more reasons"


def test_a_summary_says_what_runs_were_computed_on_if_that_differs(tmp_path):
    computed_on = [["a, 1 thread"], ["a, 1 thread"], ["a, 1 thread", "b, 2 threads"]]
    statuses = {
        str(number): status.Status("ok", record=record(computed_on=each)) for number, each in enumerate(computed_on)
    }
    assert status.summary(statuses, tmp_path).splitlines() == [
        "runs: 3 ok",
        "computed on different devices or threads, which round differently:",
        "  2 runs: a, 1 thread",
        "  1 run: a, 1 thread, then b, 2 threads",
    ]
    same = {number: statuses[number] for number in ("0", "1")}
    assert status.summary(same, tmp_path) == "runs: 2 ok"
