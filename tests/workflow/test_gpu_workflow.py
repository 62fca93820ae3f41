"""Studies for GPUs on machines with and without them: a fake nvidia-smi, and runs that TensorFlow does on the CPU."""

import json
import re
import subprocess
import sys

import pytest

from helpers.gpus import fake_gpus
from helpers.workflow import STUDY, jobs, snakemake

GPU_STUDY = STUDY | {"device": "gpu", "vary": {"style_weight": [5]}}
HOLD = """
import time
from styletransfer.devices import lease
with lease.lease("gpu") as device:
    print(device.uuid, flush=True)
    time.sleep(300)
"""


@pytest.fixture
def no_gpu(tmp_path, monkeypatch):
    fake_gpus(monkeypatch, tmp_path, 0)


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    fake_gpus(monkeypatch, tmp_path, 2)


def test_a_gpu_study_is_planned_anywhere_and_run_only_where_there_is_a_gpu(tmp_path, no_gpu):
    assert jobs(snakemake(tmp_path, "--dry-run", config=GPU_STUDY)) == 2
    refused = snakemake(tmp_path, config=GPU_STUDY, code=1)
    assert "device is gpu, but no GPU is visible" in refused
    assert "Traceback" not in refused
    assert not (tmp_path / "resources").exists(), "a job was started before the study was refused"


def test_more_tokens_than_slots_are_refused(tmp_path, two_gpus):
    refused = snakemake(tmp_path, "--resources", "gpu=5", config=GPU_STUDY | {"slots_per_device": 2}, code=1)
    assert "5 runs may have a GPU at once, but this host has room for 4" in refused
    assert "Traceback" not in refused
    assert not (tmp_path / "resources").exists()
    assert jobs(snakemake(tmp_path, "--dry-run", "--resources", "gpu=5", config=GPU_STUDY)) == 2


@pytest.mark.parametrize(("gpus", "device", "token"), [(2, "auto", 1), (0, "auto", 0), (2, "cpu", 0), (0, "gpu", 1)])
def test_only_a_run_on_a_gpu_takes_a_token(tmp_path, monkeypatch, gpus, device, token):
    fake_gpus(monkeypatch, tmp_path, gpus)
    planned = snakemake(tmp_path, "--dry-run", config=GPU_STUDY | {"device": device})
    transfer = re.search(r"^rule transfer:.*?resources: ([^\n]*)", planned, re.MULTILINE | re.DOTALL)
    assert f"gpu={token}" in transfer[1]


def test_a_login_node_is_not_asked_for_gpus(tmp_path, no_gpu):
    """It only submits; here that fails, but not for lack of a GPU."""
    for name in ("sbatch", "sacct", "sacctmgr", "sinfo", "squeue", "sshare"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch '{tmp_path}/cluster-asked'\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\ntouch '{tmp_path}/asked'\n")
    arguments = ("--executor", "slurm", "--jobs", "2", "--default-resources", "slurm_account=a", "slurm_partition=p")
    arguments += ("--slurm-init-seconds-before-status-checks", "1")
    output = snakemake(tmp_path, *arguments, config=GPU_STUDY, code=1)
    assert (tmp_path / "cluster-asked").exists(), output
    assert "no GPU is visible" not in output
    assert not (tmp_path / "asked").exists()


def test_a_cluster_job_never_ends_up_on_the_cpu_because_the_login_node_has_no_gpu(tmp_path, no_gpu):
    arguments = ("--executor", "slurm", "--jobs", "2", "--default-resources", "slurm_account=a", "slurm_partition=p")
    refused = snakemake(tmp_path, *arguments, config=GPU_STUDY | {"device": "auto"}, code=1)
    assert "device is auto, but runs are computed on other hosts" in refused
    assert "Traceback" not in refused
    assert not (tmp_path / "resources").exists()


def test_a_workflow_keeps_off_the_gpu_of_a_run_by_hand(tmp_path, two_gpus, monkeypatch):
    monkeypatch.setenv("STYLETRANSFER_FAKE_GPUS", "1")
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as by_hand:
        try:
            taken = by_hand.stdout.readline().strip()
            snakemake(tmp_path, "--resources", "gpu=2", config=GPU_STUDY)
        finally:
            by_hand.kill()
    records = [json.loads(path.read_text()) for path in tmp_path.glob("results/runs/*/run.json")]
    (free,) = {"GPU-fake-0", "GPU-fake-1"} - {taken}
    assert [record["device"] for record in records] == [{"kind": "gpu", "uuid": free, "slot": 0}] * 2
    assert all(record["gpu"] is None for record in records)
    logs = "".join(path.read_text() for path in tmp_path.glob("results/runs/*/transfer.log"))
    assert logs.count(f"leased {free}, slot 0") == 2
