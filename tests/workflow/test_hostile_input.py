"""Bad input through the real commands, and good input with names that a shell, a format or a formula would trip over.

A handful of `bad_input.CASES`; BAD_INPUT=all takes every one through Snakemake and through the commands (ten minutes).
"""

import os
import shutil
import subprocess

import h5py
import numpy as np
import pandas as pd
import pytest

from helpers import bad_input
from helpers.studies import NEURAL_STYLE
from helpers.workflow import FIGURES, STUDY, snakemake
from styletransfer.images.io import write_image
from styletransfer.vgg import formats, sources

# Snakemake reads a config before anybody else does: what it says of these is its own.
SNAKEMAKES = {
    "a list": "Config file must be given as JSON or YAML with keys at top level",
    "a word": "Config file must be given as JSON or YAML with keys at top level",
    "11 MB": "Config file must be given as JSON or YAML with keys at top level",
    "nothing": "Config file must be given as JSON or YAML with keys at top level",
    **dict.fromkeys(
        ("a tab for indentation", "half a JSON file", "`!!python/object`"), "Config file is not valid JSON or YAML"
    ),
    "zero bytes": "Config file is not valid JSON or YAML",
    "Latin-1": "UnicodeDecodeError",
    "a number of 5000 digits": "ValueError",
}
TRACEBACKS = ("Latin-1", "a number of 5000 digits")
CONFIGS = [case for case in bad_input.CASES if case.config is not None]
COMMANDS = [case for case in bad_input.CASES if case.config is None]
HANDFUL = (
    "a YAML key twice",
    "a billion laughs",
    "text named .png",
    "a style scale that makes 0 pixels",
    "HDF5 that claims 2**50 numbers",
)


def chosen(cases):
    return [case for case in cases if os.environ.get("BAD_INPUT") == "all" or case.what in HANDFUL]


def tree(folder):
    return {path for path in folder.rglob("*") if ".snakemake" not in path.parts}


@pytest.mark.parametrize("case", chosen(CONFIGS), ids=lambda case: case.what[:60])
def test_snakemake_tells_it_and_writes_nothing(case, tmp_path):
    case.lay_out(tmp_path)
    before = tree(tmp_path)
    output = snakemake(tmp_path, "--dry-run", "--configfile", "study.yaml", code=1)
    # Snakemake prints at most one line of 4000 characters, and its own error in lines of its own.
    assert SNAKEMAKES.get(case.what, case.message) in output
    assert case.what in TRACEBACKS or ("Traceback" not in output and output.count("Error") <= 2), output
    assert tree(tmp_path) == before


@pytest.mark.parametrize("case", chosen(COMMANDS), ids=lambda case: case.what[:60])
def test_the_command_tells_it_and_writes_nothing(case, tmp_path):
    case.lay_out(tmp_path)
    (tmp_path / "network").write_bytes(bad_input.tensors())
    before = tree(tmp_path)
    command = [*NEURAL_STYLE, *case.arguments()]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert case.message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert tree(tmp_path) == before


HOSTILE = (
    "--help",
    "-rf $(touch owned) `touch owned`; touch owned & touch owned || #{wildcards.run_id} {0} {{ %s %(x)s.png",
    'it\'s "quoted"\nnew line\ttab back\\slash\\n *?[a-z] ~ !$HOME ${{!path}}.png',
    "ünï 漢字 🎨 \u202e <script>alert(1)<!--&amp;.png",
)


def test_hostile_names_through_the_whole_workflow(tmp_path):
    """Pictures, weights, the table of runs and the study's own folder: all are names, and nothing more."""
    folder = tmp_path / 'it\'s "a" $(touch owned) `touch owned` % ünï\nline;'
    folder.mkdir()
    for number, name in enumerate(HOSTILE):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 24, 3), np.uint8)
        write_image(tmp_path / "made.png", pixels)
        shutil.move(tmp_path / "made.png", folder / name)
    # Nothing that any source has: so the file's own name is that of the weights, in tables and figures.
    network = "-w $\\frac{$ {x} %s 'q'\n<b>.h5"
    grown = formats.load(sources.package_path(sources.SOURCES["vgg16"]))
    with h5py.File(folder / network, "w") as file:
        for name, kernel in grown.kernels.items():
            layer = name.replace("conv", "block").replace("_", "_conv")
            file[f"{layer}/{layer}_W_1:0"], file[f"{layer}/{layer}_b_1:0"] = kernel, grown.biases[name]
    (folder / "-runs {x} $(touch owned).csv").write_text("style_weight\n3\n")
    study = {
        **STUDY,
        "weights": network,
        "images": {f"p{number}": {"path": name} for number, name in enumerate(HOSTILE)},
        "pairs": [{"content": "p0", "styles": ["p1", "p2"], "initial": "p3"}],
        "design": "list",
        "vary": {},
        "runs": "-runs {x} $(touch owned).csv",
        "defaults": {**STUDY["defaults"], "width": 24, "iterations": 1},
    }
    snakemake(folder, config=study)
    runs = pd.read_parquet(folder / "results/studies/tiny/runs.parquet")
    assert len(runs) == 1
    assert set(runs["status"]) == {"ok"}
    assert set(runs["weights"]) == {network}
    assert all((folder / f"results/studies/tiny/figures/{name}.pdf").exists() for name in FIGURES)
    assert not list(tmp_path.rglob("owned"))
    assert not list(folder.rglob("*.tmp*"))
    assert "Nothing to be done" in snakemake(folder, config=study)


def test_by_hand_hostile_names_are_names(tmp_path):
    for name in ("--help", "$(touch owned) {} %s.png"):
        write_image(tmp_path / "made.png", np.zeros((20, 20, 3), np.uint8))
        shutil.move(tmp_path / "made.png", tmp_path / name)
    formats.convert(sources.package_path(sources.SOURCES["vgg16"]), tmp_path / "-w {}.safetensors")
    command = [*NEURAL_STYLE, "--device", "cpu", "--iterations", "1"]
    command += ["--content=--help", "--styles", "$(touch owned) {} %s.png", "--network=-w {}.safetensors"]
    command += ["--output=-out {} %s.png", "--record=-r\n.json", "--losses=$(touch owned).csv"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {"-out {} %s.png", "-r\n.json", "$(touch owned).csv"} <= {path.name for path in tmp_path.iterdir()}
    assert not (tmp_path / "owned").exists()
