"""One set of pins: what conda installs is what pip installs, and no pin names an index."""

import re
from pathlib import Path

import pytest
import yaml

import pin_environments
from styletransfer.errors import InputError

ENVS = Path(__file__).parents[2] / "envs"


def pins(kind):
    return pin_environments.pins((ENVS / f"requirements-{kind}.txt").read_text())


@pytest.mark.parametrize(("kind", "file"), [("cpu", "engine.yaml"), ("gpu", "engine-gpu.yaml")])
def test_conda_installs_the_pins_of_pip(kind, file):
    text = (ENVS / file).read_text()
    requirements = (ENVS / "requirements.in").read_text()
    again = pin_environments.environment(kind, requirements, (ENVS / f"requirements-{kind}.txt").read_text())
    assert text == again, "run: python workflow/scripts/pin_environments.py"
    *_, pip = yaml.safe_load(text)["dependencies"]
    named = dict(re.fullmatch(r"([\w.-]+)(?:\[.*\])?==(.+)", entry).groups() for entry in pip["pip"])
    assert {"tensorflow", "pandas", "jinja2"} <= set(named)
    assert "snakemake" not in named
    assert {name: pins(kind)[name] for name in named} == named


def test_a_requirement_without_a_pin_is_named():
    with pytest.raises(InputError, match="no pin for pandas"):
        pin_environments.environment("cpu", "tensorflow\npandas>=3\n", "tensorflow==1.0 \\\n")


def test_both_kinds_have_the_same_engine():
    cpu, gpu = pins("cpu"), pins("gpu")
    assert {name: gpu[name] for name in cpu} == cpu


def test_pins_name_no_index():
    for path in ENVS.iterdir():
        assert not re.search(r"https?://|index-url|find-links", path.read_text()), path.name
