"""What may never be: code out of data, words of a user's as commands, files that anybody can write."""

import ast
import os
import pickle
import re
import stat
from pathlib import Path

import h5py
import numpy as np
import pytest
import requests

from helpers import bad_input
from styletransfer.devices import lease
from styletransfer.errors import InputError
from styletransfer.files import atomic, download, locks, yaml_reader
from styletransfer.vgg import formats

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "workflow").rglob("*.py"))
RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))
# They make code out of data, or let a shell read words.
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "xml", "code", "pty"}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "system",
    "popen",
    "read_pickle",
    "to_pickle",
    "full_load",
    "unsafe_load",
}


def calls(path):
    """Name and node of every call in a file; rules are Python after their first words."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")), node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_code_out_of_data(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {name.partition(".")[0] for name in names} & MODULES
    for name, node in calls(path):
        if name == "compile" and ast.unparse(node.func) == "re.compile":
            continue
        assert name not in CALLS, ast.unparse(node)
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        assert given.get("shell", "False") == "False", ast.unparse(node)
        if ast.unparse(node.func) in ("np.load", "numpy.load"):
            assert given.get("allow_pickle") == "False", ast.unparse(node)
        assert ast.unparse(node.func) not in ("yaml.load", "yaml.load_all"), ast.unparse(node)


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("owned"),))


@pytest.mark.parametrize("kind", ["opaque", "bytes", "text"])
def test_an_array_of_objects_in_weights_is_not_unpickled(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    payload = pickle.dumps(Bomb())
    with h5py.File("bad.h5", "w") as file:
        value = {"opaque": np.void(payload), "bytes": np.bytes_(payload), "text": "cos\nsystem\n"}[kind]
        file.create_group("block1_conv1")["kernel"] = value
    with pytest.raises(InputError, match="holds no numbers"):
        formats.load("bad.h5")
    assert not Path("owned").exists()


# What stands outside of quotes: numbers, options with words of the schema, the id of a run or the number of a batch.
WORDS = {"resources.machine", "resources.chosen"}


def shell_commands():
    """The text of every shell command of the rules, with the name of its file."""
    for path in RULES:
        for block, line in re.findall(r'shell:\s+(?:r"""(.*?)"""|"([^"\n]*)"\n)', path.read_text(), re.DOTALL):
            yield path.name, block or line


def test_every_word_in_a_shell_command_is_quoted():
    commands = list(shell_commands())
    rules = "".join(path.read_text() for path in RULES)
    assert len(commands) == len(re.findall(r"shell:", rules)) > 6
    for name, command in commands:
        words = re.findall(r"\{([^{}]*)\}", command)
        assert words, name
        assert [word for word in words if not word.endswith(":q") and word not in WORDS] == [], command
        assert not re.search(r"[$`]|\beval\b", command), command


def test_what_is_outside_of_quotes_can_only_be_words():
    schema = yaml_reader.read(ROOT / "workflow/schemas/config.schema.yaml")["properties"]
    rules = (ROOT / "workflow/rules/transfer.smk").read_text()
    machine, options, chosen = (
        re.findall(pattern, rules, re.DOTALL)
        for pattern in (r"MACHINE = \((.*?)\n\)", r'return f"(--[^\n]*)"', r"chosen = ([^\n]*)")
    )
    assert options == ["--device {device()} --attempt {attempt} {MACHINE}{' --keep-state' if keep_state else ''}"]
    keys = re.findall(r"config\['(\w+)'\]", machine[0])
    assert {"device", *keys} == {
        "device",
        "threads",
        "slots_per_device",
        "backend",
        "print_iterations",
        "state_seconds",
    }
    for key in ("device", *keys):
        assert "enum" in schema[key] or schema[key]["type"] in ("integer", "number", "boolean"), key
    assert len(chosen) == 1
    assert set(re.findall(r"\{(.*?)\}", chosen[0])) == {"wildcards.run_id", "number", "SIZE"}
    assert "SIZE = runs_per_job()" in rules
    assert 'if isinstance(config["runs_per_job"], int):\n        return config["runs_per_job"]\n' in rules
    assert 'run_id="[A-Za-z0-9][A-Za-z0-9.+_-]*"' in (ROOT / "workflow/rules/common.smk").read_text()


@pytest.fixture
def umask():
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def test_with_umask_0_no_file_is_everybodys_to_write(umask, tmp_path, monkeypatch):
    monkeypatch.setenv("STYLETRANSFER_LEASES", str(tmp_path / "leases"))
    folder = lease.lock_folder()
    descriptor = lease._try_lock(folder / "gpu.0.lock")
    os.close(descriptor)
    atomic.write_text(tmp_path / "result", "x")
    with locks.exclusive_lock(tmp_path / "result", 1):
        pass
    assert (mode(folder), mode(folder / "gpu.0.lock")) == (0o700, 0o600)
    found = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(found) == 2
    assert all(not mode(path) & 0o002 for path in found)


def test_the_umask_is_respected(tmp_path):
    before = os.umask(0o077)
    try:
        atomic.write_text(tmp_path / "result", "x")
        with locks.exclusive_lock(tmp_path / "result", 1):
            pass
    finally:
        os.umask(before)
    assert {mode(path) for path in tmp_path.iterdir()} == {0o600}


def test_a_link_in_place_of_a_lock_or_of_a_temporary_file_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "result").symlink_to("precious")
    atomic.write_text(tmp_path / "result", "new")
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "result").is_symlink()


@pytest.mark.parametrize("scheme", ["http", "file", "ftp", "data", "gopher"])
def test_only_https_is_fetched_also_after_a_redirect(scheme, tmp_path):
    """A redirect asks the same session for an adapter: what it has none for, it cannot fetch."""
    with download._session(("https",), 0) as session, pytest.raises(requests.exceptions.InvalidSchema):
        session.get_adapter(f"{scheme}://127.0.0.1/x")
    with pytest.raises(download.DownloadError, match="only https is"):
        download.fetch([f"{scheme}://127.0.0.1/etc/passwd"], tmp_path / "x", retries=0)
    assert not (tmp_path / "x").exists()


def test_captions_of_the_report_hold_no_words_of_the_users():
    """Snakemake fills in templates in them: they look at the name of the figure alone."""
    for path in (ROOT / "workflow/report").glob("*.rst"):
        without = re.sub(
            r'\{% (el)?if snakemake\.wildcards\.figure == "\w+" %\}|\{% (else|endif) %\}', "", path.read_text()
        )
        assert not re.search(r"[{}]|\.\. (raw|include)::", without), path.name


def test_the_page_escapes_all_but_its_own_parts():
    """`Markup` is what autoescape lets through; `format` and `join` of a plain text escape what they are given."""
    files = (ROOT / "workflow/styletransfer/reports").glob("*.py")
    marked = {found for path in files for found in re.findall(r"Markup\(((?!\").+?)\)[,\n ]", path.read_text())}
    assert marked == {'source("page.css")', "html.script_safe(data)", "script"}
    page = (ROOT / "workflow/styletransfer/reports/templates/explorer/page.html").read_text()
    assert not re.search(r"\|\s*safe|autoescape", page)
    scripts = "".join(
        path.read_text() for path in (ROOT / "workflow/styletransfer/reports/templates/explorer").glob("*.js")
    )
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", scripts)


def test_security_md_names_tests_that_exist():
    page = (ROOT / "SECURITY.md").read_text()
    named = re.findall(r"`(test_\w+)\.py(?:::(\w+))?`", page)
    assert len(named) > 8
    for module, test in named:
        (path,) = (ROOT / "tests").rglob(f"{module}.py")
        assert f"def {test}" in path.read_text(), (module, test)
    assert bad_input.PAGE.exists()
