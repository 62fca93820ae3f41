"""Studies for GPUs on machines with and without them: a fake nvidia-smi, and runs that TensorFlow does on the CPU."""

import json
import re
import shutil
import subprocess
import sys
import time

import pytest

from helpers.gpus import fake_gpus
from helpers.workflow import STUDY, jobs, snakemake
from styletransfer.files import checks
from styletransfer.runs.layout import RUN_FILES
from styletransfer.study.config import load
from styletransfer.study.expand import expand

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


def test_as_many_runs_at_once_as_gpus_on_however_few_cores(tmp_path, two_gpus):
    planned = snakemake(tmp_path, "--dry-run", "--cores", "1", "--resources", "gpu=2", config=GPU_STUDY)
    assert re.findall(r"^    threads: (\d+)$", planned, re.MULTILINE) == ["0", "0"]
    assert "--device gpu" in planned
    assert "--threads 1" in planned


def test_memory_and_time_belong_to_the_rule(tmp_path, no_gpu):
    """Whatever profile there is, and whatever `--default-resources` takes away from it."""
    study = GPU_STUDY | {"device": "cpu", "defaults": STUDY["defaults"] | {"width": 512, "iterations": 1000}}
    arguments = ("--dry-run", "--workflow-profile", "none", "--default-resources", "slurm_partition=gpu2")
    planned = snakemake(tmp_path, *arguments, config=study)
    transfers = re.findall(r"^rule transfer:.*?resources: ([^\n]*)", planned, re.MULTILINE | re.DOTALL)
    assert len(transfers) == 2
    for asked in transfers:
        assert "slurm_partition=gpu2" in asked
        assert int(re.search(r"runtime=(\d+)", asked)[1]) > 60
        assert 1700 < int(re.search(r"mem_mb=(\d+)", asked)[1]) < 3000


def test_memory_bounds_what_runs_at_once(tmp_path, no_gpu):
    """Room for one run and a half: two runs on two cores, one after another. Less than one needs is told."""
    study = GPU_STUDY | {"device": "cpu"}

    def run(megabytes):
        arguments = ("--workflow-profile", "none", "--cores", "2", "--until", "transfer", "--rerun-triggers", "mtime")
        return snakemake(tmp_path, *arguments, "--resources", f"mem_mb={megabytes}", config=study)

    assert "a run needs about" not in run(1500)
    spans = sorted((r["start"], r["end"]) for r in map(record_of, tmp_path.glob("results/runs/*/run.json")))
    assert len(spans) == 2
    assert spans[0][1] <= spans[1][0]
    shutil.rmtree(next(tmp_path.glob("results/runs/*")))
    assert "a run needs about 0.9 GB of memory, and there are 0.5 GB for it here" in run(500)


def record_of(path):
    return json.loads(path.read_text())


def test_a_gpu_that_tensorflow_cannot_use_is_found_out_once(tmp_path, two_gpus, monkeypatch):
    monkeypatch.delenv("STYLETRANSFER_FAKE_GPUS")
    refused = snakemake(tmp_path, "--resources", "gpu=2", config=GPU_STUDY, code=1)
    assert refused.count("there is a GPU, but TensorFlow sees no GPU: install envs/requirements-gpu.txt") == 1
    assert "Traceback" not in refused
    assert not (tmp_path / "resources").exists()
    output = snakemake(tmp_path, "--until", "transfer", config=GPU_STUDY | {"device": "auto"})
    assert output.count("TensorFlow sees no GPU: computing on the CPU") == 1
    devices = [record_of(path)["device"]["kind"] for path in tmp_path.glob("results/runs/*/run.json")]
    assert devices == ["cpu", "cpu"]


def test_a_driver_that_hangs_is_not_waited_for_by_a_dry_run_and_not_guessed_at_by_a_run(tmp_path, two_gpus):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexec sleep 600\n")
    study = GPU_STUDY | {"device": "auto"}
    begin = time.monotonic()
    assert jobs(snakemake(tmp_path, "--dry-run", config=study)) == 2
    assert time.monotonic() - begin < 15
    refused = snakemake(tmp_path, config=study, code=1)
    assert "nvidia-smi does not list devices (it did not answer within" in refused
    assert "Traceback" not in refused
    assert not (tmp_path / "resources").exists()


def test_a_failed_batch_deletes_nothing_under_any_profile(tmp_path, no_gpu):
    study = GPU_STUDY | {"device": "cpu", "runs_per_job": 2}
    first, second = expand(load(study)).runs
    # No lock can be had on the second run, so it fails each time.
    (tmp_path / f"results/runs/{second}/.run.json.lock").mkdir(parents=True)
    output = snakemake(tmp_path, "--workflow-profile", "none", "--cores", "1", config=study, code=1)
    assert "1 of 2 runs finished" in (tmp_path / "results/studies/tiny/jobs/0001.log").read_text()
    assert "Removing output files" not in output
    assert sorted(path.name for path in (tmp_path / f"results/runs/{first}").glob("[!.]*.*")) == sorted(
        [*RUN_FILES.values(), "transfer.log"]
    )


def test_a_failed_batch_keeps_what_it_has_computed_in_place_of_what_was_damaged(tmp_path, no_gpu):
    """Snakemake makes copies of what is there when a job begins, and would put them back."""
    study = GPU_STUDY | {"device": "cpu", "runs_per_job": 2}
    first, second = expand(load(study)).runs
    snakemake(tmp_path, f"results/runs/{first}/run.json", config=study | {"runs_per_job": 1})
    files = {name: tmp_path / f"results/runs/{first}/{name}" for name in RUN_FILES.values()}
    whole = files["image.png"].read_bytes()
    files["image.png"].write_bytes(whole[:-1])
    (tmp_path / f"results/runs/{second}/.run.json.lock").mkdir(parents=True)
    snakemake(tmp_path, config=study, code=1)
    assert files["image.png"].read_bytes() == whole
    record = json.loads(files["run.json"].read_text())
    assert {name: checks.checksum(files[name]) for name in record["outputs"]} == record["outputs"]


def test_what_cannot_end_in_another_way_is_not_tried_again(tmp_path, no_gpu):
    """A picture that a user exchanged for another after it was prepared: no second attempt changes that."""
    study = GPU_STUDY | {"device": "cpu", "vary": {}}
    snakemake(tmp_path, "--until", "prepare_picture", "convert_weights", config=study)
    (tmp_path / "resources/weights/vgg16.safetensors").write_bytes(b"no weights at all")
    output = snakemake(tmp_path, "--until", "transfer", config=study, code=1)
    (folder,) = (tmp_path / "results/runs").iterdir()
    assert "not tried again: this does not go away by itself" in (folder / "transfer.log").read_text()
    assert json.loads((folder / "attempt.json").read_text())["attempt"] == 1
    assert "1 bad_input" in output


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
