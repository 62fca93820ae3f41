"""One set of pins: what conda installs is what pip installs, and no pin names an index."""

import re
from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).parents[2] / "envs"
# Snakemake itself starts the rules; it is not needed inside their environment.
OUTSIDE = {"snakemake", "snakemake-executor-plugin-slurm"}


def pins(kind):
    text = (ENVS / f"requirements-{kind}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize(("kind", "file"), [("cpu", "engine.yaml"), ("gpu", "engine-gpu.yaml")])
def test_conda_installs_the_pins_of_pip(kind, file):
    *_, pip = yaml.safe_load((ENVS / file).read_text())["dependencies"]
    named = dict(re.fullmatch(r"([\w.-]+)(?:\[.*\])?==(.+)", entry).groups() for entry in pip["pip"])
    wanted = re.findall(r"^[a-z][\w-]*", (ENVS / "requirements.in").read_text(), re.MULTILINE)
    extra = {"nvidia-ml-py"} if kind == "gpu" else set()
    assert set(named) == set(wanted) - OUTSIDE | extra
    assert {name: pins(kind)[name] for name in named} == named


def test_both_kinds_have_the_same_engine():
    cpu, gpu = pins("cpu"), pins("gpu")
    assert {name: gpu[name] for name in cpu} == cpu


def test_pins_name_no_index():
    for path in ENVS.iterdir():
        assert not re.search(r"https?://|index-url|find-links", path.read_text()), path.name
