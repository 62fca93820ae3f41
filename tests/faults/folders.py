"""A tiny study in a folder of its own: called as a user calls it, disturbed, compared with an undisturbed one.

Nothing in the project knows of faults: all that is done to a study is done to its files and processes from here.
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import yaml

from helpers.studies import ENGINE, ROOT, tiny_study

STUDY = tiny_study(
    defaults={"width": 24, "iterations": 30},
    design="list",
    vary={},
    runs=[{"style_weight": 5}, {"style_weight": 50}, {"style_weight": 500}],
    state_seconds=0.05,
)
RUNS_PER_JOB = {"single": 1, "batch": 3}
RUN_FILES = ("image.png", "losses.csv", "run.json")
TABLES = "results/studies/tiny"
STATE = "run.state.npz"
PATIENCE = 300.0
# Permissions hold back root as well, if it may not override them.
HELD = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")

# What a run says of when, where and how fast it was computed, and by how many parts; all else is the same each time.
TIMINGS = ("start", "end", "seconds", "seconds_preparing", "seconds_per_iteration", "peak_memory_mib", "host")
OF_RECORDS = (*TIMINGS, "resumed", "gpu", "device", "computed_on", "threads", "record_sha256")


class FailureError(Exception):
    """The study did not come through: the message says what is wrong."""


@dataclasses.dataclass
class Call:
    """One call of Snakemake, which may be over. log: a file with all that it said."""

    process: subprocess.Popen
    log: Path

    @property
    def over(self):
        return self.process.poll() is not None

    def wait(self, seconds=PATIENCE):
        """The exit code. Raises `FailureError` if it takes too long."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise FailureError(f"still at work after {seconds:.0f} s: {self.said()[-500:]}") from None

    def said(self):
        return self.log.read_text(errors="replace")


class Folder:
    """A folder with a study. mode: `single` (a job per run) or `batch` (all runs in one job).

    held: whether permissions hold back who calls, as they do anybody but root. options: of every call without a target.
    """

    def __init__(self, path, mode):
        self.path, self.mode, self.held = path, mode, False
        self.options = ()
        self.beside = path.with_name(f"{path.name}.beside")
        self.beside.mkdir(parents=True, exist_ok=True)
        self.calls = 0

    def write_config(self):
        self.path.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(STUDY | {"runs_per_job": RUNS_PER_JOB[self.mode]}, sort_keys=False)
        (self.path / "study.yaml").write_text(text)

    def copy_of(self, template):
        """Become a copy, with all times: nothing in it is out of date. No links: what is damaged is this copy only."""
        shutil.copytree(template.path, self.path, symlinks=True)
        return self

    def start(self, *arguments, environment=None, limits=(), group=None):
        """Call Snakemake. limits: resource limits as (name, bytes). group: a memory cgroup to live in."""
        self.calls += 1
        log = self.beside / f"call-{self.calls}.log"
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--configfile", "study.yaml", "--cores", "2"]
        command += arguments
        if all(argument.startswith("-") for argument in arguments):
            command += self.options
        # One for all studies, so that matplotlib does not look for fonts in each.
        home = self.path.parent / "home"
        home.mkdir(exist_ok=True)
        if self.held and os.geteuid() == 0:
            command = [*HELD, *command]
        places = {"HOME": home, "TMPDIR": home, "XDG_CACHE_HOME": home / "cache", "PYTHONDONTWRITEBYTECODE": "1"}

        def prepare():
            if group is not None:
                (group / "cgroup.procs").write_text(str(os.getpid()))
            for name, value in limits:
                resource.setrlimit(getattr(resource, name), (value, value))

        with open(log, "w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.path,
                env=os.environ | {name: str(value) for name, value in places.items()} | (environment or {}),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=prepare if group or limits else None,  # noqa: PLW1509 (nothing in it takes a lock)
            )
        return Call(process, log)

    def run(self, *arguments, **options):
        """Call Snakemake and wait. Returns exit code and what it said."""
        call = self.start(*arguments, **options)
        return call.wait(), call.said()

    def engine(self, *words):
        """Call the engine's command and wait. Returns exit code and what it said."""
        done = subprocess.run([*ENGINE, *words], cwd=self.path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def processes(self, command=None):
        """Ids of the processes that work in this folder; only those of the engine's command, if one is named."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if str((process / "cwd").readlink()).removesuffix(" (deleted)") != str(self.path):
                    continue
                words = (process / "cmdline").read_bytes().split(b"\0")
                if command is None or (
                    len(words) > 2
                    and words[1].endswith(b"/styletransfer")
                    and b" ".join(words[2:]).startswith(f"{command} ".encode())
                ):
                    found.append(int(process.name))
        return found

    def kill_all(self, number=signal.SIGKILL):
        """End every process that works in this folder: what a node that fails does."""
        for _ in range(50):
            found = self.processes()
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if not found:
                return
            time.sleep(0.02)

    def wait_for_orphans(self):
        """Until nothing works in the folder any more."""
        end = time.monotonic() + PATIENCE
        while self.processes():
            if time.monotonic() > end:
                raise FailureError("processes work on after the workflow has ended")
            time.sleep(0.05)

    def run_folders(self):
        """The folders of the runs, in the study's order."""
        found = [path for path in (self.path / "results/runs").glob("*") if path.is_dir()]
        return sorted(found, key=lambda path: int(re.search(r"-sw(\d+)-", path.name)[1]))

    def forget(self, *patterns):
        """Remove files and folders: those of the runs, tables and figures that the fault is about."""
        for pattern in patterns:
            for path in list(self.path.glob(pattern)):
                remove(path)

    def recover(self):
        """What a user does: call again; where Snakemake says that the folder is locked, unlock it and call again."""
        code, said = self.run()
        if code and "--unlock" in said:
            unlocked, said = self.run("--unlock")
            if unlocked:
                raise FailureError(f"cannot be unlocked: {said[-500:]}")
            code, said = self.run()
        if code:
            raise FailureError(f"exit code {code} when called again: {tail(said)}")

    def tracebacks(self):
        """What the scripts' logs have of programs that did not know what to say."""
        return [
            f"a traceback in {log.relative_to(self.path)}: {log.read_text(errors='replace').splitlines()[-1:]}"
            for log in self.path.rglob("*.log")
            if ".snakemake" not in log.parts and "Traceback" in log.read_text(errors="replace")
        ]

    def discard(self):
        self.kill_all()
        for path in (self.path, self.beside):
            shutil.rmtree(path, ignore_errors=True)


def remove(path):
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def tail(said, length=900):
    """The end of what Snakemake said, without the lines that are always there."""
    lines = [line for line in said.splitlines() if line.strip() and "Complete log" not in line]
    return " | ".join(lines)[-length:]


# --- Comparison -------------------------------------------------------------------------------------------------------


def listing(folder):
    """All files of a study. Snakemake's own records and what Python caches are not the study's."""
    return {
        path.relative_to(folder.path).as_posix()
        for path in folder.path.rglob("*")
        if path.is_file()
        and "live.html" not in path.name
        and not {".snakemake", "__pycache__"} & {*path.relative_to(folder.path).parts}
    }


def differences(folder, template, absent=()):
    """A line for each way in which a study is not as the undisturbed one; none if it is complete, equal and clean."""
    expected, found = listing(template), listing(folder)
    lines = [f"missing: {name}" for name in sorted(expected - found - {*absent})]
    lines += [f"left behind: {name}" for name in sorted(found - expected)]
    for name in sorted(expected & found):
        if fingerprint(folder.path / name) != fingerprint_of_template(template.path / name):
            lines.append(f"differs: {name}")
    for kind in ("locks", "incomplete"):
        lines += [f"left: .snakemake/{kind}/{path.name}" for path in (folder.path / ".snakemake" / kind).glob("*")]
    lines += [f"manifest: {line}" for line in manifest_differences(folder.path)]
    return lines


@functools.cache
def fingerprint_of_template(path):
    return fingerprint(path)


def fingerprint(path):
    """What of a file is the same each time it is made: the bytes, less the times that stand in it."""
    try:
        return _fingerprint(path)
    except Exception as error:  # whatever a damaged file raises
        return f"{type(error).__name__}: {error}"


def _fingerprint(path):
    if path.suffix in (".log", ".tsv", ".lock", ".yaml") or path.name.startswith(".snakemake"):
        return None
    if path.stem in ("device_timeline", "manifest"):
        return path.stat().st_size > 1000
    if path.name == "run.json":
        record = json.loads(path.read_text())
        return {name: value for name, value in record.items() if name not in OF_RECORDS}
    if path.name == "index.html":
        return hashlib.sha256(re.sub(rb'"seconds":[\d.e+-]+', b"", path.read_bytes())).hexdigest()
    if path.name in ("runs.csv", "runs.parquet"):
        table = (pd.read_csv if path.suffix == ".csv" else pd.read_parquet)(path)
        return table.drop(columns=[*TIMINGS]).to_csv()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest_differences(path):
    """Files that are not as the study's manifest says, where it has one."""
    manifest = path / TABLES / "manifest.json"
    if not manifest.exists():
        return []
    listed = json.loads(manifest.read_text())["files"]
    return [name for name, entry in listed.items() if not is_as_recorded(path / name, entry)]


def is_as_recorded(path, entry):
    """Whether a file is the one of a manifest; weights and pictures may be gone."""
    if not path.exists():
        return entry["role"] in ("weights", "input")
    return hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
