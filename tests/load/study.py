"""Studies of any number of tiny runs, and Snakemake in a folder where the optimisation is stubbed."""

import math
import os
import subprocess
import sys
import time
from pathlib import Path

import yaml

from helpers.studies import ROOT, tiny_study

STUB = Path(__file__).with_name("stub.py")
NOTES = "notes.jsonl"


def config(runs, per_job=100):
    """A grid of so many runs, which must be a multiple of 10."""
    rest = runs // 10
    down = next(number for number in range(math.isqrt(rest), 0, -1) if rest % number == 0)
    return tiny_study(
        study="load",
        defaults={"iterations": 20},
        design="grid",
        vary={
            "style_weight": {"logspace": [1, 1000, 10]},
            "tv_weight": {"linspace": [0, 100, down]},
            "learning_rate": {"linspace": [1, 20, rest // down]},
        },
        max_runs=runs,
        runs_per_job=per_job,
    )


def prepare(folder, runs, per_job=100):
    """Write the study, and what makes the engine's command in shells the stub: a function goes before PATH."""
    (folder / "study.yaml").write_text(yaml.safe_dump(config(runs, per_job), sort_keys=False))
    (folder / "stub.bash").write_text(f'styletransfer() {{ python {str(STUB)!r} "$@"; }}\n')


def environment(folder):
    """In which whatever is started in the folder is the stub, and takes notes."""
    return os.environ | {"BASH_ENV": str(folder / "stub.bash"), "STUB_NOTES": str(folder / NOTES)}


def snakemake(folder, *arguments, code=0):
    """Seconds, peak memory in MiB of the largest process of all, and what was printed."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "study.yaml"]
    command += ["--cores", "2", *arguments]
    with open(folder / "snakemake.log", "w+", encoding="utf-8") as log:
        begin = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begin
        log.seek(0)
        output = log.read()
    assert process.returncode == code, output[-4000:]
    return seconds, usage.ru_maxrss / 1024, output
