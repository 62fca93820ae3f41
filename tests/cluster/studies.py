"""A study on the test cluster, and what must be true of it when it is done."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import yaml

from cluster import slurm
from helpers.overlaps import at_once, at_once_by_name
from helpers.studies import ROOT, tiny_study
from styletransfer.files import checks

PROFILE = ROOT / "profiles/slurm"
RUNS_ONLY = ("--until", "transfer")
QUICK = ("--slurm-init-seconds-before-status-checks", "2")


class Study:
    """A study in a folder of its own, on the cluster."""

    cluster = slurm
    profile = PROFILE

    def __init__(self, folder, style_weights, resources=None, iterations=3):
        self.folder = folder
        self.size = len(style_weights)
        self.processes = []
        vary, defaults = {"style_weight": style_weights}, {"iterations": iterations}
        study = tiny_study(design="grid", vary=vary, defaults=defaults, device="auto")
        (folder / "study.yaml").write_text(yaml.safe_dump(study))
        if resources is not None:
            (folder / "resources").symlink_to(resources)

    def start(self, *arguments, profile=None, options=QUICK, within=()):
        """Snakemake, as a user starts it on a login node, but for a quicker first look at the jobs.

        within: the command that starts it, such as `salloc`.
        """
        command = [
            *within,
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *("--workflow-profile", str(profile or self.profile), "--configfile", "study.yaml", *options, *arguments),
        ]
        with (self.folder / "snakemake.txt").open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.cluster.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def finish(self, process, code=0):
        """What Snakemake printed, once it has ended."""
        process.wait(timeout=300)
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
                if "--run" in words and words[1].endswith("/styletransfer") and process_folder(process) == self.folder:
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

        self.cluster.wait_for(ready, f"no {runs} runs with {each} processes each in {self.folder}", seconds=60)
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
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=10)
        self.cluster.delete_jobs()


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
