"""A study on a real SLURM of one node with four GPUs: no device is used twice, and no fault loses or doubles a run."""

import os
import re
import signal
import time
from datetime import datetime

import pandas as pd
import yaml

from cluster import slurm
from cluster.studies import PROFILE, RUNS_ONLY, new_study
from helpers.studies import ROOT


def test_a_study_runs_to_its_end_one_device_for_each_run(finished):
    runs = pd.read_parquet(finished.folder / "results/studies/tiny/runs.parquet")
    assert len(runs) == finished.size
    assert (finished.folder / "results/studies/tiny/figures/contact_sheet.png").stat().st_size > 1000
    finished.check()
    assert finished.states() == ["COMPLETED"] * (finished.size + 1), "but for measuring, light rules are no jobs"
    assert len({record["device"]["uuid"] for record in finished.records()}) > 1


def test_a_pack_of_runs_on_a_cluster_that_knows_gres_only(finished, tmp_path):
    """One job for two runs; the profile's own lines for --gres, comment signs off; and no job on a node left out."""
    profile = tmp_path / "profile"
    profile.mkdir()
    lines = (PROFILE / "config.yaml").read_text()
    switched = re.sub(r"^# (__use_yte__|set-resources|  .*:)", r"\1", lines, flags=re.MULTILINE)
    (profile / "config.yaml").write_text(switched)
    with new_study(tmp_path, [1, 2], finished) as study:
        study.run(
            *("--until", "transfer_0001", "--config", "device=gpu", "runs_per_job=2"),
            *("--default-resources", "slurm_account=default", "slurm_partition=long"),
            *("--slurm-exclude-failed-nodes", slurm.SPARE),
            profile=profile,
        )
        study.check(devices=1)
        (job,) = study.slurm_jobs()
        assert (job["JobState"], job["NodeList"]) == ("COMPLETED", slurm.NODE)


def test_a_killed_and_a_hanging_run_are_tried_again(finished, tmp_path):
    """SLURM warns the one that is out of time by SIGTERM: it keeps its state, the only one of so short a run."""
    with new_study(tmp_path, [1, 2], finished, iterations=100) as study:
        process = study.start(*RUNS_ONLY, "--resources", "gpu=2")
        (killed_run, (killed,)), (hanging_run, (hanging,)) = study.wait_for_engines(2).items()
        os.kill(killed, signal.SIGKILL)
        log = tmp_path / f"results/runs/{hanging_run}/transfer.log"
        slurm.wait_for(lambda: "iteration  10/100" in log.read_text(), "the run does not begin", seconds=60)
        os.kill(hanging, signal.SIGSTOP)
        slurm.run(("scontrol", "update", f"JobId={study.job_of(hanging_run)}", "EndTime=now"))
        study.finish(process)
        study.check(devices=2)
        assert study.states() == ["COMPLETED", "COMPLETED", "FAILED", "TIMEOUT"]
        resumed = {record["run_id"]: record["resumed"] for record in study.records()}
        assert resumed[killed_run] == []
        assert 10 < resumed[hanging_run][0] < 100


def test_a_drained_node_and_a_requeued_job(finished, tmp_path):
    """As when a node is taken out of service, its job is put back into the queue, and the node comes back."""
    with new_study(tmp_path, [1, 2, 3], finished) as study:
        process = study.start(*RUNS_ONLY, "--resources", "gpu=2")
        requeued = study.job_of(next(iter(study.wait_for_engines(2))))
        slurm.run(("scontrol", "update", f"NodeName={slurm.NODE}", "State=drain", "Reason=test"))
        slurm.run(("scontrol", "requeue", requeued))
        slurm.wait_for(lambda: slurm.node_state() == "drained", "the node does not drain", seconds=60)
        assert len(study.records()) == 1
        slurm.run(("scontrol", "update", f"NodeName={slurm.NODE}", "State=resume"))
        output = study.finish(process)
        study.check(devices=2)
    assert study.states().count("COMPLETED") == 3
    assert "tried again" not in output, "a requeued job was submitted again"


def test_an_interrupted_study_cancels_its_jobs_and_goes_on(study):
    process = study.start(*RUNS_ONLY, "--resources", "gpu=2")
    study.wait_for_engines(2)
    process.send_signal(signal.SIGINT)
    study.finish(process, code=1)
    slurm.wait_for(lambda: not study.engines(), "cancelled runs go on")
    study.run(*RUNS_ONLY, "--resources", "gpu=2")
    study.check(devices=2)
    assert study.states() == ["CANCELLED", "CANCELLED", "COMPLETED", "COMPLETED"]


def test_a_killed_snakemake_leaves_jobs_that_a_new_start_does_not_double(study):
    """The orphans compute; the new jobs wait for them, find all done, and compute nothing."""
    process = study.start(*RUNS_ONLY)
    orphans = study.wait_for_engines(2)
    process.kill()
    process.wait(timeout=10)
    pids = [pid for (pid,) in orphans.values()]
    for pid in pids:  # so that they still compute when the new jobs begin
        os.kill(pid, signal.SIGSTOP)
    study.run("--unlock")
    restarted = time.time()
    restart = study.start(*RUNS_ONLY)
    try:
        slurm.wait_for(lambda: all(len(found) == 2 for found in study.engines().values()), "no second jobs", seconds=60)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    study.finish(restart)
    study.check()
    assert study.states() == ["COMPLETED"] * 4
    for record in study.records():
        assert datetime.fromisoformat(record["start"]).timestamp() < restarted, "a run was computed twice"


def test_what_else_the_plugin_can_do_from_within_an_allocation(finished, tmp_path):
    """Job names, partitions by their limits, nodes that failed left out, a report of what jobs used.

    The jobs begin on the spare node, which fails. It is back at once, and would be taken first again.
    """
    partitions = {"short": {"max_runtime": 15, "max_gpu": 4}, "long": {"max_gpu": 4}}
    (tmp_path / "partitions.yaml").write_text(yaml.safe_dump({"partitions": partitions}))
    profile = tmp_path / "profile"
    profile.mkdir()
    lines = (PROFILE / "config.yaml").read_text()
    (profile / "config.yaml").write_text(lines.replace("slurm-requeue:", "slurm-no-requeue:"))
    with new_study(tmp_path, [1, 2], finished, iterations=100) as study:
        process = study.start(
            *(*RUNS_ONLY, "--default-resources", "slurm_account=default"),
            *("--slurm-jobname-prefix", "tiny", "--slurm-partition-config", "partitions.yaml"),
            "--slurm-efficiency-report",
            profile=profile,
            within=("salloc", "--job-name=outer", "--cpus-per-task=1", "--mem=1000"),
        )
        study.wait_for_engines(2)
        slurm.run(("scontrol", "update", f"NodeName={slurm.SPARE}", "State=down", "Reason=test"))
        output = study.finish(process)
        study.check()
    jobs = [job for job in study.slurm_jobs() if job["Name"] != "outer"]
    assert all(job["Name"].startswith("tiny_") for job in jobs)
    assert sorted((job["JobState"], job["NodeList"], job["Partition"]) for job in jobs) == [
        *[("COMPLETED", slurm.NODE, "long")] * 2,  # twice the time no longer fits into the other partition
        *[("NODE_FAIL", slurm.SPARE, "short")] * 2,
    ]
    assert f"excluded from subsequent submissions: {slurm.SPARE}" in output
    (report,) = tmp_path.glob("efficiency_report_tiny_*.csv")
    used = pd.read_csv(report)
    assert len(used) == len(jobs)
    assert used["MaxRSS_MB"].max() > 100


def test_a_study_in_one_job_of_several_gpus(finished, tmp_path):
    """Without the plugin: the runs share the GPUs of the job that Snakemake is in."""
    script = tmp_path / "job.sh"
    script.write_text('#!/bin/sh\nexec "$@"\n')
    with new_study(tmp_path, [1, 2], finished) as study:
        study.run(
            *(*RUNS_ONLY, "--resources", "gpu=2"),
            profile=ROOT / "profiles/default",
            options=(),
            within=("sbatch", "--gpus=2", "--cpus-per-task=2", "--mem=8000", str(script)),
        )
        slurm.wait_for(study.states, "the job does not end", seconds=120)
        study.check(devices=2)
        assert study.states() == ["COMPLETED"]
