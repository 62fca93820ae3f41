"""Snakemake on a tiny study, as a user calls it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from helpers.studies import ROOT, tiny_study

FIGURES = ("contact_sheet", "loss_curves", "device_timeline", "pareto", "parameter_effects", "response")
STUDY = tiny_study()


def environment():
    """Where `python` is the one that runs the tests."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def snakemake(folder, *arguments, config=None, code=0, short=False):
    """What Snakemake says, called in a folder; config is written there as study.yaml. It ends with that exit code.

    short: as it says it unasked; else with its own words about every job.
    """
    if config is not None:
        (folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), *arguments]
    command += [] if short else ["--printshellcmds"]
    if config is not None:
        command += ["--configfile", "study.yaml"]
    done = subprocess.run(
        command, check=False, cwd=folder, env=environment(), capture_output=True, text=True, timeout=560
    )
    output = done.stdout + done.stderr
    assert done.returncode == code, output[-4000:]
    return output


def jobs(output, rule="transfer"):
    """How many jobs of a rule the first table of jobs lists."""
    match = re.search(rf"^{rule}\s+(\d+)$", output, re.MULTILINE)
    return int(match[1]) if match else 0
