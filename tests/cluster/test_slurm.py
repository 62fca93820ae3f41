"""A study on a real SLURM of one node with four GPUs: no device is used twice, and no fault loses or doubles a run."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cluster import slurm
from helpers.overlaps import at_once, at_once_by_name
from helpers.studies import ROOT, tiny_study
from styletransfer.files import checks, locks

PROFILE = ROOT / "profiles/slurm"
RUNS_ONLY = ("--until", "transfer")


class Study:
    """A study in a folder of its own, on the cluster."""

    def __init__(self, folder, style_weights, resources=None, iterations=3):
        self.folder = folder
        self.size = len(style_weights)
        self.processes = []
        vary, defaults = {"style_weight": style_weights}, {"iterations": iterations}
        study = tiny_study(design="grid", vary=vary, defaults=defaults, device="auto")
        (folder / "study.yaml").write_text(yaml.safe_dump(study))
        if resources is not None:
            (folder / "resources").symlink_to(resources)

    def start(self, *arguments, profile=PROFILE):
        """Snakemake, as a user starts it on a login node, but for a quicker first look at the jobs."""
        command = [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *("--workflow-profile", str(profile), "--configfile", "study.yaml"),
            *("--slurm-init-seconds-before-status-checks", "2", *arguments),
        ]
        with (self.folder / "snakemake.txt").open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=slurm.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def finish(self, process, code=0):
        """What Snakemake printed, once it has ended."""
        process.wait(timeout=180)
        output = (self.folder / "snakemake.txt").read_text()
        assert process.returncode == code, output[-4000:]
        return output

    def run(self, *arguments, **options):
        return self.finish(self.start(*arguments, **options))

    def engines(self):
        """The runs that a process is at now, each with the pids of those processes."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_text().split("\0")
                if words[1:2] and words[1].endswith("/styletransfer") and process_folder(process) == self.folder:
                    run_id = words[words.index("--run") + 1]
                    found.setdefault(run_id, []).append(int(process.name))
        return found

    def wait_for_engines(self, runs, each=1):
        """The engines, once so many runs have so many processes each and have leased their device."""

        def ready():
            found = self.engines()
            return len(found) == runs and all(
                len(pids) == each and self.leased(run_id) for run_id, pids in found.items()
            )

        slurm.wait_for(ready, f"no {runs} runs with {each} processes each in {self.folder}", seconds=60)
        return self.engines()

    def leased(self, run_id):
        with contextlib.suppress(FileNotFoundError):
            return "leased" in (self.folder / f"results/runs/{run_id}/transfer.log").read_text()
        return False

    def slurm_jobs(self):
        """What SLURM keeps of this study's jobs that have ended."""
        lines = (slurm.FOLDER / "jobs.txt").read_text().splitlines()
        jobs = [dict(re.findall(r"(\w+)=(.*?)(?= \w+=| *$)", line)) for line in lines]
        return [job for job in jobs if job["WorkDir"] == str(self.folder)]

    def states(self):
        return sorted(job["JobState"] for job in self.slurm_jobs())

    def job_of(self, run_id):
        """The number of the job that computes a run. SLURM knows the run by the job's comment."""
        listing = slurm.run(("squeue", "--noheader", "--states=RUNNING", "--format=%i %k"))
        return next(line.split()[0] for line in listing.splitlines() if line.endswith(run_id))

    def records(self):
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("results/runs/*/run.json"))]

    def check(self, devices=4):
        """Every run is there, whole; and no more devices than allowed were in use, each by one run at a time."""
        records = self.records()
        assert len(records) == self.size
        for record in records:
            assert record["status"] == "ok"
            image = self.folder / "results/runs" / record["run_id"] / "image.png"
            assert checks.checksum(image) == record["outputs"]["image.png"]
            assert record["device"]["kind"] == "gpu"
        assert not list(self.folder.glob("results/runs/*/*.tmp*"))
        spans = [(record["device"]["uuid"], moment(record["start"]), moment(record["end"])) for record in records]
        assert at_once(span[1:] for span in spans) <= devices
        assert set(at_once_by_name(spans).values()) == {1}
        assert at_once((moment(job["SubmitTime"]), moment(job["EndTime"])) for job in self.slurm_jobs()) <= devices

    def clean_up(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait(timeout=10)
        slurm.run(("scancel", "--user=root"))
        slurm.wait_for(lambda: not slurm.run(("squeue", "--noheader")), "jobs do not end")


def process_folder(process):
    return (process / "cwd").resolve()


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=None)


@contextlib.contextmanager
def new_study(folder, style_weights, finished, **options):
    study = Study(folder, style_weights, finished.folder / "resources", **options)
    try:
        yield study
    finally:
        study.clean_up()


@pytest.fixture(scope="session")
def cluster():
    if (reason := slurm.obstacle()) is not None:
        pytest.skip(reason)
    if slurm.missing():
        pytest.skip("SLURM is not installed: `make cluster` does that")
    # A process started in the background ignores SIGINT, and so would Snakemake.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with locks.exclusive_lock(slurm.FOLDER, 900):  # one cluster on a machine, whoever tests
        started = slurm.start()
        yield
        if started:
            slurm.stop()


@pytest.fixture(scope="module")
def finished(cluster, tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("a study with 'spaces'"), [1, 2, 3, 4, 5])
    study.run("--resources", "gpu=4")
    return study


@pytest.fixture
def study(finished, tmp_path):
    """Two runs that nobody has computed yet; weights and pictures are there."""
    with new_study(tmp_path, [1, 2], finished) as found:
        yield found


def test_the_profile_carries_the_default_profile():
    """Snakemake reads one workflow profile: the other's settings must stand here as well."""
    default, slurm_profile = (
        yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text()) for name in ("default", "slurm")
    )
    # On a cluster the number of jobs takes the place of cores, and GPUs are counted by SLURM.
    for key in default.keys() - {"cores", "resources"}:
        assert slurm_profile[key] == default[key], key


def test_a_study_runs_to_its_end_one_device_for_each_run(finished):
    runs = pd.read_parquet(finished.folder / "results/studies/tiny/runs.parquet")
    assert len(runs) == finished.size
    assert (finished.folder / "results/studies/tiny/figures/contact_sheet.png").stat().st_size > 1000
    finished.check()
    assert finished.states() == ["COMPLETED"] * (finished.size + 1), "but for measuring, light rules are no jobs"
    assert len({record["device"]["uuid"] for record in finished.records()}) > 1


def test_a_pack_of_runs_on_a_cluster_that_knows_gres_only(finished, tmp_path):
    """One job for two runs; and the profile's own lines for --gres, comment signs off."""
    profile = tmp_path / "profile"
    profile.mkdir()
    lines = (PROFILE / "config.yaml").read_text()
    switched = re.sub(r"^# (__use_yte__|set-resources|  .*:)", r"\1", lines, flags=re.MULTILINE)
    (profile / "config.yaml").write_text(switched)
    with new_study(tmp_path, [1, 2], finished) as study:
        study.run("--until", "transfer_0001", "--config", "device=gpu", "runs_per_job=2", profile=profile)
        study.check(devices=1)
        assert study.states() == ["COMPLETED"]


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
        node = slurm.run(("sinfo", "--noheader", "--format=%n")).strip()
        slurm.run(("scontrol", "update", f"NodeName={node}", "State=drain", "Reason=test"))
        slurm.run(("scontrol", "requeue", requeued))
        slurm.wait_for(lambda: slurm.node_state() == "drained", "the node does not drain", seconds=60)
        assert len(study.records()) == 1
        slurm.run(("scontrol", "update", f"NodeName={node}", "State=resume"))
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
