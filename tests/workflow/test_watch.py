"""A real study is watched while it runs, from before its first run to its end."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import yaml

from helpers.studies import tiny_study

ROOT = Path(__file__).parents[2]
STUDY = tiny_study(study="watched", defaults={"width": 64, "iterations": 60}, vary={"style_weight": [5, 500]})


def test_a_study_is_watched_from_its_begin_to_its_end(tmp_path):
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    watch = [sys.executable, "-m", "styletransfer", "watch", "results/studies/watched"]
    workflow = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "study.yaml"]
    options = {"cwd": tmp_path, "env": environment, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with (
        (tmp_path / "workflow.log").open("w") as log,
        subprocess.Popen([*workflow, "--until", "transfer"], **(options | {"stdout": log, "stderr": log})) as snakemake,
    ):
        while snakemake.poll() is None and not list(tmp_path.glob("results/studies/watched/plan-*.json")):
            time.sleep(0.1)
        with subprocess.Popen([*watch, "--interval", "0.1"], **options) as watcher:
            out, err = watcher.communicate(timeout=500)
        snakemake.wait(timeout=60)
    assert (watcher.returncode, err) == (0, "")
    assert snakemake.returncode == 0, (tmp_path / "workflow.log").read_text()[-3000:]
    lines = out.splitlines()
    assert lines[0].startswith("0 of 2 done, 0 running, 2 waiting. No run is at work")
    assert any(re.search(", [12] running, ", line) for line in lines)
    assert lines[-1] == "2 of 2 done, 0 running, 0 waiting. Every run has a result."
    assert "Every run has a result." in (tmp_path / "results/studies/watched/live.html").read_text()
    once = subprocess.run([*watch, "--once"], **options, check=True).stdout
    assert re.search(r"^cpu +2 +0 +\S+ s$", once, re.MULTILINE)
