"""Bad input to the commands that take it from users: one message, no traceback, nothing written."""

import contextlib
import os
import re
import signal
from pathlib import Path

import pytest

from helpers import bad_input
from styletransfer import cli
from styletransfer.devices import tf_setup


def tree(folder):
    """Every file with its content; a pipe's is not read."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def answer(capsys, *arguments):
    """Exit code and stderr of a command, in this process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        code = cli.run(arguments)
    except SystemExit as error:  # argparse's own
        code = error.code
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return code, capsys.readouterr().err


@pytest.mark.parametrize("case", bad_input.CASES, ids=lambda case: f"{case.group}: {case.what}"[:60])
def test_bad_input_is_one_message_and_nothing_is_written(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tf_setup, "load_tensorflow", lambda *_: None)
    case.lay_out(tmp_path)
    if case.config is None:
        if "--network" not in case.options:
            (tmp_path / "network").write_bytes(bad_input.tensors())
        arguments = ["transfer", *case.arguments()]
    else:
        arguments = ["plan", "--configfile", "study.yaml"]
    before = tree(tmp_path)
    code, message = answer(capsys, *arguments)
    assert code == 2
    assert case.message in message
    assert message.count("error: ") == 1
    assert "Traceback" not in message
    assert len(message) < 3000
    assert tree(tmp_path) == before


def test_the_page_is_current():
    assert bad_input.PAGE.read_text(encoding="utf-8") == bad_input.page(), "run: python tests/helpers/bad_input.py"
    tests = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    for _, _, test in bad_input.ACCEPTED:
        assert f"def {test.partition('::')[2]}(" in tests


def test_no_two_rows_say_the_same():
    rows = [(case.group, case.what) for case in bad_input.CASES]
    assert len(set(rows)) == len(rows)


def test_a_sound_config_is_planned_by_the_same_command(tmp_path, monkeypatch, capsys):
    """Or every case above might fail for a reason of its own."""
    monkeypatch.chdir(tmp_path)
    case = next(case for case in bad_input.CASES if case.config is not None)
    case.lay_out(tmp_path)
    (tmp_path / "study.yaml").write_text(bad_input.yaml.safe_dump(bad_input.BASE))
    assert answer(capsys, "plan", "--configfile", "study.yaml") == (0, "")
    (tmp_path / "study.yaml").write_text(bad_input.yaml.safe_dump(bad_input.BASE | {"study": "a b"}))
    assert answer(capsys, "plan", "--configfile", "study.yaml")[0] == 2


@contextlib.contextmanager
def somebody_else():
    """Root reads every file, so root becomes nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", ["a.png", "weights.h5", "runs.csv", "study.yaml"])
def test_a_file_that_may_not_be_read(name, tmp_path, monkeypatch, capsys):
    changes = {"weights": "weights.h5", "design": "list", "vary": {}, "runs": "runs.csv"}
    names = ("a.png", "b.png", "weights.h5", "runs.csv", "study.yaml")
    next(iter(bad_input.CASES)).lay_out(tmp_path)
    (tmp_path / "weights.h5").write_bytes(bad_input.tensors())
    (tmp_path / "runs.csv").write_text("seed\n1\n")
    (tmp_path / "study.yaml").write_text(bad_input.yaml.safe_dump(bad_input.BASE | changes))
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o711)
    for each in names:
        (tmp_path / each).chmod(0 if each == name else 0o644)
    with somebody_else():
        code, message = answer(capsys, "plan", "--configfile", "study.yaml")
    assert code == 2
    assert re.search(rf"'{name}': it cannot be read \(Permission denied\)", message), message
