"""Rules run in a container where the config names one: by a program that stands in for Apptainer."""

import os
import subprocess
import sys

import yaml

from helpers.studies import ROOT, tiny_study
from helpers.workflow import environment
from styletransfer.study.config import load
from styletransfer.study.expand import expand

# It tells what it was asked for, and runs that outside of any container.
APPTAINER = """#!/bin/sh
if test "$1" = --version; then echo apptainer version 1.4.0; exit; fi
echo "nv=$APPTAINER_NV $*" >> calls.txt
while test "$1" != ./image.sif; do shift; done
shift
exec "$@"
"""


def test_rules_run_in_the_image_and_see_a_gpu_only_where_one_is_asked(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/apptainer").write_text(APPTAINER)
    (tmp_path / "bin/apptainer").chmod(0o755)
    (tmp_path / "image.sif").touch()
    path = {"PATH": f"{tmp_path}/bin:{environment()['PATH']}"}
    calls = tmp_path / "calls.txt"
    for device, name, nv in (("cpu", "artwork", ""), ("gpu", "photograph", "1")):
        study = tiny_study(device=device, container="./image.sif")
        (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
        picture = expand(load(study)).pictures[name].file
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", "study.yaml"]
        command += ["--sdm", "apptainer", "--cores", "1", picture]
        own = {key: value for key, value in os.environ.items() if not key.endswith("_NV")} | path
        done = subprocess.run(command, check=False, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        call = calls.read_text()
        assert call.startswith(f"nv={nv} ") and "./image.sif" in call and "styletransfer picture" in call
        assert (tmp_path / picture).exists()
        calls.unlink()
