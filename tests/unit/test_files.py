"""What stands in the way of writing is one message, and nothing is left behind."""

import errno
import os
import subprocess
import sys
from pathlib import Path

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
    (tmp_path / "full").symlink_to("/dev/full")
    monkeypatch.setattr(atomic.tempfile, "mkstemp", lambda **_: (os.open("/dev/null", os.O_RDONLY), tmp_path / "full"))
    with pytest.raises(WriteError, match=r"a\.png cannot be written: No space left on device\. Make space there"):
        write_image(tmp_path / "a.png", np.zeros((40, 40, 3), np.uint8))
    assert nothing_left(tmp_path)


def test_what_a_killed_process_left_is_removed_and_what_others_write_is_not(tmp_path, monkeypatch):
    """Of any file of that folder; a temporary file that is being written is told by its lock."""
    code = (
        "import os, signal; from styletransfer.files import atomic\n"
        "with atomic.atomic_path(os.environ['FOLDER'] + '/a.pdf') as path:\n"
        "    path.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", code]
    subprocess.run(
        command, cwd=atomic.__file__.rsplit("/", 2)[0], env=os.environ | {"FOLDER": str(tmp_path)}, check=False
    )
    (left,) = tmp_path.iterdir()
    with atomic.atomic_path(tmp_path / "c.png") as other:
        atomic._swept.clear()  # as another process
        atomic.write_text(tmp_path / "b.png", "whole")
        assert not left.exists()
        assert other.exists()
        other.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.png", "c.png"]


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


def test_a_folder_that_a_killed_process_left_is_removed(tmp_path):
    (tmp_path / ".page.abcd1234.tmp/pictures").mkdir(parents=True)
    with atomic.atomic_folder(tmp_path / "other") as being_written:
        atomic._swept.clear()  # as another process
        with atomic.atomic_folder(tmp_path / "page"):
            assert being_written.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "page"]


def test_a_lock_that_cannot_be_is_told(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / ".a.json.lock"))

    monkeypatch.setattr(locks.FileLock, "acquire", refuse)
    message = r"a\.json cannot be written: Read-only file system\. Let this user write there, and start again"
    with pytest.raises(WriteError, match=message), locks.exclusive_lock(tmp_path / "a.json", 1):
        pass


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
