"""Configs: those of the project, and a tiny one; and the engine's command."""

import sys
from pathlib import Path

import yaml

from styletransfer.study import plan
from styletransfer.study.config import load as load_config

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
# The command `styletransfer`, and the reference program.
ENGINE = [sys.executable, "-m", "styletransfer"]
NEURAL_STYLE = [sys.executable, str(ROOT / "workflow/scripts/neural_style.py")]


def tiny_study(*, defaults=(), **changes):
    """A config of four tiny runs on the CPU, one of which diverges; other keys on request, and more `defaults`."""
    study = {
        "study": "tiny",
        "weights": "vgg16",
        "images": {"photograph": {"sample": "astronaut"}, "artwork": {"painting": "glass"}},
        "pairs": [{"content": "photograph", "styles": ["artwork"]}],
        "defaults": {"width": 32, "iterations": 3, "content_weight": 1, **dict(defaults)},
        "vary": {"style_weight": [5, 50], "learning_rate": [10, 1.0e30]},
        "device": "cpu",
        "runs_per_job": 1,
        "print_iterations": 1,
    }
    return study | changes


def config(name="config.yaml", **changes):
    """A config of the project, with other values for some keys, as the workflow loads it.

    One that varies something else has no limits of what the contact sheet shows.
    """
    loaded = yaml.safe_load((ROOT / "config" / name).read_text())
    if {"vary", "design"} & set(changes):
        del loaded["contact_sheet"]
    return load_config(loaded | changes)


def prepared(folder, name, study="tiny"):
    """The file of a study's picture that runs read."""
    return folder / plan.read(plan.find(folder / "results/studies" / study)).pictures[name].file
