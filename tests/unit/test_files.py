"""What stands in the way of writing is one message, and nothing is left behind."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from styletransfer import errors
from styletransfer.errors import WriteError
from styletransfer.files import atomic, locks
from styletransfer.images.io import write_image


def nothing_left(folder):
    return [path.name for path in folder.iterdir()] == []


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.ENOSPC, "Make space"), (errno.EROFS, "Let this user"), (errno.EIO, "Check the disk")]
)
def test_a_disk_that_refuses_is_told_with_path_and_remedy(tmp_path, number, remedy):
    with pytest.raises(WriteError, match=remedy) as raised, atomic.atomic_path(tmp_path / "a.csv"):
        raise OSError(number, os.strerror(number))  # as `write` does: without a file name
    assert str(tmp_path / "a.csv") in str(raised.value)
    assert raised.value.errno == number
    assert nothing_left(tmp_path)


def test_the_error_of_another_file_or_kind_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match="other"), atomic.atomic_path(tmp_path / "a.csv"):
        (tmp_path / "other").read_bytes()
    with pytest.raises(ConnectionResetError), atomic.atomic_path(tmp_path / "a.csv"):
        raise ConnectionResetError(errno.ECONNRESET, "the server has gone")
    assert nothing_left(tmp_path)


def test_a_folder_that_goes_while_a_file_is_written(tmp_path):
    with pytest.raises(WriteError, match="Bring the folder back"), atomic.atomic_path(tmp_path / "gone/a.csv") as path:
        path.unlink()
        path.parent.rmdir()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux'")
def test_a_picture_on_a_full_disk(tmp_path, monkeypatch):
    def claim(path, _):
        temporary = path.with_name("full.png")
        temporary.symlink_to("/dev/full")
        return temporary, os.open("/dev/full", os.O_RDONLY)

    monkeypatch.setattr(atomic, "_claim", claim)
    with pytest.raises(WriteError, match=r"a\.png cannot be written: No space left on device\. Make space there"):
        write_image(tmp_path / "a.png", np.zeros((40, 40, 3), np.uint8))
    assert nothing_left(tmp_path)


# Writes `a.txt`, or the folder `a`, in parts.
WRITER = """
import sys, time
from pathlib import Path
from unittest import mock
from styletransfer.files import atomic
kind, folder, text, seconds = *sys.argv[1:4], float(sys.argv[4])
with atomic.atomic_folder(folder + "/a") if kind == "folder" else atomic.atomic_path(folder + "/a.txt") as path:
    with open(path / "b.txt" if kind == "folder" else path, "w") as file:
        file.write(text), file.flush()
        Path(folder, text).touch()
        time.sleep(seconds)
        file.write(text)
"""


def start_writer(kind, folder, text, seconds):
    command = [sys.executable, "-c", WRITER, kind, folder, text, str(seconds)]
    return subprocess.Popen(command, cwd=Path(atomic.__file__).parents[2])


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.01)


@pytest.fixture(params=["file", "folder"])
def written(request, tmp_path):
    """The kind of what is written, and the file that has the text."""
    return request.param, tmp_path / ("a.txt" if request.param == "file" else "a/b.txt")


def test_what_a_killed_process_left_is_gone_after_the_next_attempt(tmp_path, written):
    kind, path = written
    process = start_writer(kind, tmp_path, "half", 60)
    wait_for(tmp_path / "half", process)
    process.kill()
    process.wait()
    assert len(list(tmp_path.iterdir())) == 2
    assert not path.exists()
    assert start_writer(kind, tmp_path, "whole", 0).wait() == 0
    assert path.read_text() == "wholewhole"
    assert sorted(found.name for found in tmp_path.iterdir()) == sorted(
        ["half", "whole", "a.txt" if kind == "file" else "a"]
    )


def test_two_processes_that_write_the_same_at_once_do_so_one_after_the_other(tmp_path, written):
    kind, path = written
    first = start_writer(kind, tmp_path, "first", 1)
    wait_for(tmp_path / "first", first)
    second = start_writer(kind, tmp_path, "second", 0.2)
    wait_for(tmp_path / "second", second)
    assert path.read_text() == "firstfirst"
    assert (first.wait(), second.wait()) == (0, 0)
    assert path.read_text() == "secondsecond"
    assert not list(tmp_path.glob(".*"))


def test_many_threads_that_write_the_same_leave_one_of_their_texts(tmp_path):
    texts = [str(number) * 1000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: [atomic.write_text(tmp_path / "a.txt", text) for _ in range(50)], texts))
    assert (tmp_path / "a.txt").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_leftovers_can_be_removed_alone(tmp_path):
    (tmp_path / ".a.tmp.png").touch()
    atomic.remove_leftovers(tmp_path / "a.png")
    atomic.remove_leftovers(tmp_path / "a.png")
    assert nothing_left(tmp_path)


def test_a_link_in_place_of_a_temporary_file_is_refused(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / ".a.tmp.txt").symlink_to("precious")
    with pytest.raises(OSError, match=r"\.a\.tmp\.txt"):
        atomic.write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_long_name_has_a_temporary_one(tmp_path):
    for name in ("x" * 250 + ".csv", "\U0001f600" * 60 + ".parquet"):
        atomic.write_text(tmp_path / name, "text")
        assert (tmp_path / name).read_text() == "text"


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    with pytest.raises(WriteError, match="No space left"), atomic.atomic_folder(tmp_path / "page") as folder:
        atomic.write_text(folder / "pictures/a.avif", "a")
        with atomic.atomic_path(folder / "index.html"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert nothing_left(tmp_path)
    for text in ("first", "second"):
        with atomic.atomic_folder(tmp_path / "page") as folder:
            atomic.write_text(folder / "pictures/a.avif", text)
            atomic.write_text(folder / "index.html", text)
        assert [path.name for path in tmp_path.iterdir()] == ["page"]
        assert (tmp_path / "page/pictures/a.avif").read_text() == text
        (tmp_path / "page/own").touch()
    assert sorted(path.name for path in (tmp_path / "page").iterdir()) == ["index.html", "own", "pictures"]
    assert (tmp_path / "page").stat().st_mode & 0o005 == 0o005


def test_a_lock_that_cannot_be_is_told(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / ".a.json.lock"))

    monkeypatch.setattr(locks.os, "open", refuse)
    message = r"a\.json cannot be written: Read-only file system\. Let this user write there, and start again"
    with pytest.raises(WriteError, match=message), locks.exclusive_lock(tmp_path / "a.json", 1):
        pass


@pytest.fixture(params=["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def no_locks(request, monkeypatch):
    """A file system that has no locks."""
    number = getattr(errno, request.param)

    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    return os.strerror(number)


def test_where_there_are_no_locks_it_goes_on_and_says_so(tmp_path, no_locks, caplog):
    (tmp_path / ".a.json.lock").write_text("4711\nelsewhere\n")  # what a process left that is dead, on another host
    with locks.exclusive_lock(tmp_path / "a.json", 0):
        assert f"a.json: its file system has no locks ({no_locks}): start no second workflow here" in caplog.text
        assert locks.is_locked(tmp_path / "a.json") is None
        atomic.write_text(tmp_path / "a.json", "text")
    assert (tmp_path / "a.json").read_text() == "text"


@pytest.mark.usefixtures("no_locks")
def test_without_locks_nobody_writes_into_the_file_of_another(tmp_path):
    def write(text):
        for _ in range(50):
            atomic.write_text(tmp_path / "a.txt", text)
            with atomic.atomic_folder(tmp_path / f"page-{text[0]}") as folder:
                (folder / "index.html").write_text(text)

    texts = [str(number) * 1000 for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, texts))
    assert (tmp_path / "a.txt").read_text() in texts
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", *(f"page-{number}" for number in range(4))]


def test_another_fault_of_a_lock_is_no_lack_of_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", mock.Mock(side_effect=OSError(errno.EIO, os.strerror(errno.EIO))))
    with pytest.raises(WriteError, match=r"a\.json cannot be written: Input/output error\. Check the disk"):
        locks.exclusive_lock(tmp_path / "a.json", 0).__enter__()


def test_a_lock_whose_file_is_removed_meanwhile_is_taken_again(tmp_path, monkeypatch):
    """Whoever removes a run's folder removes its lock: the process that waited must not hold what nobody sees."""
    real, calls = fcntl.flock, []

    def removed_first(descriptor, kind):
        real(descriptor, kind)
        if not calls:
            (tmp_path / ".a.json.lock").unlink()
        calls.append(kind)

    monkeypatch.setattr(fcntl, "flock", removed_first)
    with locks.exclusive_lock(tmp_path / "a.json", 1):
        assert locks.is_locked(tmp_path / "a.json")
    assert len(calls) == 2


def test_a_command_says_one_line(tmp_path):
    code = (
        "import sys; from styletransfer import errors; from styletransfer.files import atomic\n"
        "@errors.command\n"
        "def main():\n    atomic.write_text('/proc/nowhere/a.txt', 'text')\n"
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=atomic.__file__.rsplit("/", 2)[0], capture_output=True, text=True, check=False
    )
    assert done.returncode == errors.EXIT_FAILED
    assert done.stderr.startswith("error: /proc/nowhere/a.txt cannot be written: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            MemoryError("Unable to allocate 9 MiB"),
            errors.EXIT_FAILED,
            "error: out of memory: Unable to allocate 9 MiB.",
        ),
        (OSError(errno.EIO, "Input/output error", "a"), errors.EXIT_FAILED, "error: [Errno 5] Input/output error: 'a'"),
        (PermissionError(errno.EACCES, "denied", "a"), errors.EXIT_BAD_INPUT, "error: 'a': denied. Check the path"),
        (errors.InputError("width is 0"), errors.EXIT_BAD_INPUT, "error: width is 0"),
    ],
)
def test_exit_codes(capsys, error, code, message):
    def fail():
        raise error

    assert errors.command(fail)() == code
    assert capsys.readouterr().err.startswith(message)


def test_a_process_that_leaves_has_said_everything():
    program = (
        "import logging, sys; from styletransfer import errors\n"
        "logging.basicConfig(stream=sys.stdout)\n"
        "logging.warning('a line')\n"
        "print('no line', end='')\n"
        "errors.fast_exit(3)"
    )
    folder = Path(errors.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "WARNING:root:a line\nno line")


def test_a_process_leaves_though_nobody_reads_what_it_says(monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    program = "from styletransfer import errors; print('a line'); errors.fast_exit(3)"
    folder = Path(errors.__file__).parents[1]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (3, b"")


def test_a_process_leaves_that_has_nowhere_to_speak():
    program = "from styletransfer import errors; errors.fast_exit(3)"
    folder = Path(errors.__file__).parents[1]
    done = subprocess.run(["sh", "-c", 'exec "$0" -c "$1" >&- 2>&-', sys.executable, program], cwd=folder, check=False)
    assert done.returncode == 3
