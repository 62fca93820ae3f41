"""The profiles of clusters without SLURM: what jobs ask for, how they are watched, and how they are cancelled.

PBS, LSF and HTCondor are played by stand_in.py. A real SGE is in test_sge.py.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml

from cluster import stand_in
from helpers.studies import ROOT, tiny_study
from helpers.workflow import jobs

NAMES = ("slurm", "sge", "pbs", "lsf", "htcondor")
# One job is killed at its first try, as one is that takes too long, fails at its second, and is done at its third. The
# other waits to be cancelled.
WORKFLOW = """
rule transfer:
    output:
        "{run}.txt"
    threads: 3
    retries: 2 * workflow.is_main_process
    resources:
        gpu=1,
        mem_mb=1500,
        runtime=7
    shell:
        "echo try >> {wildcards.run}.tries;"
        "case {wildcards.run}$(grep -c try {wildcards.run}.tries) in"
        "  tried1) kill -9 0 ;;"
        "  tried2) exit 3 ;;"
        "  cancelled*) sleep 100 ;;"
        "esac; touch {output}"
"""
ASKED_FOR = {
    "pbs": "-q gpu -l select=1:ncpus=3:ngpus=1:mem=1500mb -l walltime=420",
    "lsf": "-q gpu -n 3 -W 7 -R span[hosts=1] rusage[mem=1500MB] -gpu num=1 -o .snakemake/cluster/%J.log",
    "htcondor": "request_cpus = 3\nrequest_memory = 1500MB\nrequest_gpus = 1\n",
}


def snakemake(folder, name, *words, snakefile=ROOT / "Snakefile", **settings):
    """Snakemake with a profile, started in a folder."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), *words]
    with (folder / f"{name}.txt").open("w") as output:
        return subprocess.Popen(
            [*command, "--workflow-profile", str(ROOT / "profiles" / name)],
            cwd=folder,
            env=os.environ | settings,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@contextlib.contextmanager
def ended(processes):
    """Processes that end with the test, whatever happens."""
    try:
        yield
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_carries_the_default_profile(name):
    """Snakemake reads one workflow profile: the other's settings must stand here as well."""
    default, profile = (yaml.safe_load((ROOT / f"profiles/{key}/config.yaml").read_text()) for key in ("default", name))
    # On a cluster the number of jobs takes the place of cores, and GPUs are counted by the scheduler.
    for key in default.keys() - {"cores", "resources"}:
        assert profile[key] == default[key], key


def test_all_profiles_are_read_by_snakemake(tmp_path):
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(tiny_study(device="auto")))
    words = ("--configfile", "study.yaml", "--dry-run", "--printshellcmds")
    processes = {name: snakemake(tmp_path, name, *words, "--nolock") for name in NAMES[1:]}
    with ended(processes.values()):
        for name, process in processes.items():
            code = process.wait(timeout=120)
            output = (tmp_path / f"{name}.txt").read_text()
            assert code == 0, output
            assert jobs(output) == 4


def test_jobs_are_submitted_watched_and_cancelled(tmp_path):
    """Each scheduler in a folder of its own, all at once."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started in the background ignores it
    folders = {name: tmp_path / f"the folder of {name}" for name in stand_in.COMMANDS}
    processes = {name: start(folder, name) for name, folder in folders.items()}
    with ended(processes.values()):
        for name, folder in folders.items():
            wait_for(processes[name], folder / "tried.txt")
            wait_for(processes[name], folder / "cancelled.tries")
            assert len(list((folder / ".snakemake/cluster").glob("*.asked"))) >= 1, "no job is watched"
            processes[name].send_signal(signal.SIGINT)
        for name, folder in folders.items():
            assert processes[name].wait(timeout=60) == 1
            check(folder, name)


def wait_for(process, file):
    """Wait for a file that Snakemake or its jobs make."""
    ends = time.monotonic() + 120
    while not file.exists() and time.monotonic() < ends and process.poll() is None:
        time.sleep(0.1)
    assert file.exists(), "\n".join(path.read_text() for path in file.parent.glob("*.txt"))


def start(folder, name):
    (folder / "bin").mkdir(parents=True)
    for command in stand_in.COMMANDS[name]:
        link = folder / "bin" / command
        link.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in.__file__}" {command} "$@"\n')
        link.chmod(0o755)
    (folder / "Snakefile").write_text(WORKFLOW)
    return snakemake(
        folder,
        name,
        *("tried.txt", "cancelled.txt", "--config", "study=3d"),
        *("--latency-wait", "1", "--seconds-between-status-checks", "1"),
        snakefile=folder / "Snakefile",
        PATH=f"{folder}/bin:{os.environ['PATH']}",
        STAND_IN=str(folder / "bin"),
        CLUSTER_SECONDS_BETWEEN_QUERIES="1",
    )


def check(folder, name):
    output = (folder / f"{name}.txt").read_text()
    submit, _, cancel = stand_in.COMMANDS[name]
    calls = [json.loads(line) for line in (folder / "bin/calls.jsonl").read_text().splitlines()]
    submitted = [" ".join(call["words"]) + call["text"] for call in calls if call["command"] == submit]
    names = sorted(re.search(r"nst\.3d\.transfer\.(\w+)", said)[1] for said in submitted)
    assert names == ["cancelled", *["tried"] * 3]
    assert all(ASKED_FOR[name] in said for said in submitted)
    assert [call["command"] for call in calls].count(cancel) == 1
    numbers = re.findall(r"with external jobid '(.*)'", output)
    assert len(numbers) == 4
    assert not any(stand_in.process_of(number, folder / "bin") for number in numbers)
