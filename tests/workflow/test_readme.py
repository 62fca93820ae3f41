"""What the README tells to paste works when it is pasted, in the folder of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def block(heading):
    """The first block of shell commands below a heading."""
    section = README[README.index(f"\n## {heading}\n") :]
    return re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1]


@pytest.fixture
def clone(tmp_path):
    """A copy of the project; `.venv` is whatever Python runs this test."""
    unwanted = shutil.ignore_patterns(".git", ".venv*", ".snakemake", "results", "resources", "tests", ".*_cache")
    # At the top only: the engine has a folder `results` as well.
    shutil.copytree(ROOT, tmp_path / "clone", ignore=lambda at, names: unwanted(at, names) if Path(at) == ROOT else [])
    (tmp_path / "clone/.venv/bin").mkdir(parents=True)
    (tmp_path / "clone/.venv/bin/activate").write_text(f"PATH={Path(sys.executable).parent}:$PATH\n")
    return tmp_path / "clone"


def paste(commands, folder):
    own = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    shell = ["bash", "-euo", "pipefail", "-c", commands]
    done = subprocess.run(shell, cwd=folder, env=own, capture_output=True, text=True, timeout=590, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


def test_a_study_of_ones_own(clone):
    output = paste(block("Your own study"), clone)
    assert "3 new runs, 0 cached" in output
    (explorer,) = re.findall(r"^explorer: (\S+)$", output, re.MULTILINE)
    assert (clone / explorer).exists()


def test_one_picture(clone):
    output = paste(block("One picture, without Snakemake"), clone)
    assert "256 x 170 pixels, 40 iterations of L-BFGS from photo; weights: vgg16-grown@1" in output
    for name in ("result.png", "result-in-the-colours-of-the-photo.png"):
        assert Image.open(clone / name).size == (256, 170)


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (ROOT / target).exists(), target
