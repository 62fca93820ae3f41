"""Measure `styletransfer parts` on a study of very many tiny runs: seconds, memory, files; killed once if asked.

    python tests/load/measure_parts.py --runs 100000 --folder /tmp/parts --kill-after 600

As in measure_load.py all but the network is real. With --kill-after all processes are killed (SIGKILL) after so many
seconds and the command is called again; whatever was finished by then must be kept as it is. Ctrl-C ends it with the
figures so far.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pandas as pd
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow"))

from helpers.studies import ROOT
from load.study import NOTES, environment, prepare

PLACES = ("results/runs", "results/studies", ".snakemake")
SECONDS = 1.0


def call(folder: Path, per_part: int, kill_after: float | None, peaks: dict[str, float]) -> tuple[float, float, int]:
    """Seconds, seconds of CPU, exit code (negative if killed). peaks: MiB by kind of process, made larger."""
    command = [sys.executable, "-m", "styletransfer", "parts", "--configfile", "study.yaml"]
    command += ["--runs-per-part", str(per_part), "--", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
    with open(folder / "parts.log", "a", encoding="utf-8") as log:
        begin = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdout=log, stderr=log, start_new_session=True
        )
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            try:
                sample(psutil.Process(process.pid), peaks)
                time.sleep(SECONDS)
            except KeyboardInterrupt:
                kill_after = 0
            if kill_after is not None and time.monotonic() - begin > kill_after:
                os.killpg(process.pid, signal.SIGKILL)
    _, status, usage = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, process.returncode


def sample(root: psutil.Process, peaks: dict[str, float]) -> None:
    """Take down the memory of each process that `root` has started, and of all together."""
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            words, memory = process.cmdline(), process.memory_info().rss / 2**20
        except psutil.Error:
            continue
        total += memory
        kind = next((word for word in ("snakemake", "parts") if word in words), None)
        if kind:
            peaks[kind] = max(peaks[kind], memory)
    peaks["all together"] = max(peaks["all together"], total)


def records(folder: Path) -> dict[str, int]:
    """The finished runs, each with the inode of its record: another one if it was computed again."""
    return {file.parent.name: file.stat().st_ino for file in (folder / "results/runs").glob("*/run.json")}


def report(folder: Path, calls: list[tuple[float, float, int]], peaks: dict[str, float]) -> str:
    """Lines of Markdown."""
    notes = [json.loads(line) for line in (folder / NOTES).read_text(encoding="utf-8").splitlines()]
    by_command = defaultdict(list)
    for note in notes:
        by_command[note["command"]].append(note)
    lines = ["| what | seconds | s of CPU |", "| --- | --- | --- |"]
    for number, (seconds, cpu, code) in enumerate(calls, start=1):
        lines.append(f"| call {number}, exit code {code} | {seconds:,.0f} | {cpu:,.0f} |")
    lines += ["", "| command | calls | seconds, summed | MiB, largest |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {len(of)} | {sum(n['seconds'] for n in of):,.0f} | {max(n['peak_mib'] for n in of):,} |"
        for name, of in sorted(by_command.items())
    ]
    lines += [f"| {name} | | | {peak:,.0f} |" for name, peak in peaks.items()]
    lines += ["", "| folder | files | MB | MB on disk |", "| --- | --- | --- | --- |"]
    for place in PLACES:
        found = [path.lstat() for path in (folder / place).rglob("*") if not path.is_dir()]
        sizes = sum(each.st_size for each in found) / 1e6, sum(each.st_blocks * 512 for each in found) / 1e6
        lines.append(f"| {place} | {len(found):,} | {sizes[0]:,.0f} | {sizes[1]:,.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Run the study, killed once if asked, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000, help="a multiple of 10")
    parser.add_argument("--runs-per-part", type=int, default=10_000)
    parser.add_argument("--per-job", type=int, default=100, help="runs in a batch")
    parser.add_argument("--folder", type=Path, required=True, help="where the study stays")
    parser.add_argument("--kill-after", type=float, metavar="SECONDS")
    options = parser.parse_args()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    prepare(folder, options.runs, options.per_job)
    peaks: dict[str, float] = defaultdict(float)
    calls = [call(folder, options.runs_per_part, options.kill_after, peaks)]
    before = records(folder)
    if options.kill_after is not None:
        part = next((folder / "results/studies/load").glob("load-1of*.yaml"))
        unlock = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", str(part)]
        subprocess.run([*unlock, "--unlock"], cwd=folder, check=True)
        calls.append(call(folder, options.runs_per_part, None, peaks))
        after = records(folder)
        kept = sum(after.get(run) == inode for run, inode in before.items())
        print(f"killed with {len(before):,} runs finished: {kept:,} are as they were, and there are {len(after):,} now")
    print(report(folder, calls, peaks))
    if calls[-1][-1] == 0:
        table = pd.read_parquet(folder / "results/studies/load/runs.parquet", columns=["run_id", "status"])
        print(f"\n{len(table):,} rows, {table['run_id'].nunique():,} runs, {table['status'].value_counts().to_dict()}")


if __name__ == "__main__":
    main()
