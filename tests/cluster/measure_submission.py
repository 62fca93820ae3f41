"""Measure what a run costs beside its computing, by how runs are handed to SLURM: singly, in groups, in batches.

    python tests/cluster/measure_submission.py --runs 20 --per-job 5

Runs on the test cluster (slurm.py), which it starts and stops. Columns: seconds of wall time, seconds that a job holds
its GPU, and seconds that the engine optimises, each per run; overhead is what a GPU is held beyond the optimising.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import slurm
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.studies import ROOT, tiny_study

WAYS = {
    "single": [],
    "groups": [
        *("--groups", "transfer=together", "--group-components", "together={per_job}"),
        *("--set-resource-scopes", "gpu=local"),
    ],
    "batches": ["--config", "device=gpu", "runs_per_job={per_job}"],
}
COLUMNS = ("wall", "held", "optimising", "overhead", "sbatch calls")


def study(runs: int, iterations: int) -> dict[str, object]:
    """A study of so many short, distinct runs."""
    weights = {"style_weight": list(range(1, runs + 1))}
    return tiny_study(study="measured", design="grid", vary=weights, defaults={"iterations": iterations}, device="auto")


def measure(way: str, folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """All runs of the study handed over in one way; the table's columns."""
    words = [word.format(per_job=options.per_job) for word in WAYS[way]]
    begin = time.perf_counter()
    output = snakemake(folder, "--until", *transfers(way, options), *words)
    wall = time.perf_counter() - begin
    records = [json.loads(path.read_text()) for path in folder.glob("results/runs/*/run.json")]
    if len(records) != options.runs:
        raise slurm.ClusterError(f"{way}: {len(records)} of {options.runs} runs are there:\n{output[-3000:]}")
    held = sum(job_seconds(folder))
    optimising = sum(record["seconds"] - record["seconds_preparing"] for record in records)
    seconds = (wall, held, optimising, held - optimising)
    calls = len(re.findall("has been submitted with SLURM jobid", output))
    return dict(zip(COLUMNS, [*(round(value / options.runs, 2) for value in seconds), calls], strict=True))


def transfers(way: str, options: argparse.Namespace) -> list[str]:
    """The rules that compute runs."""
    batches = -(-options.runs // options.per_job)
    return [f"transfer_{number:04}" for number in range(1, batches + 1)] if way == "batches" else ["transfer"]


def job_seconds(folder: Path) -> list[float]:
    """How long each of the study's jobs held its GPU, as SLURM has it."""
    lines = [line for line in (slurm.FOLDER / "jobs.txt").read_text().splitlines() if f"WorkDir={folder} " in line]
    times = [re.search(r"StartTime=(\S+) EndTime=(\S+)", line) for line in lines]
    return [
        (datetime.fromisoformat(found[2]) - datetime.fromisoformat(found[1])).total_seconds()
        for found in times
        if found
    ]


def snakemake(folder: Path, *arguments: str) -> str:
    """Run the study's workflow on the cluster; what Snakemake printed."""
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "study.yaml"),
        *("--workflow-profile", str(ROOT / "profiles/slurm"), "--slurm-init-seconds-before-status-checks", "2"),
        "--printshellcmds",  # it tells of submissions
    ]
    done = subprocess.run(
        [*command, *arguments],
        check=False,
        cwd=folder,
        env=slurm.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=7200,
    )
    if done.returncode:
        raise slurm.ClusterError(f"Snakemake failed in {folder}:\n{done.stdout[-3000:]}")
    return done.stdout


def prepare(folder: Path, runs: int, iterations: int, resources: Path | None = None) -> None:
    """A folder for a study. Without resources it makes its own."""
    folder.mkdir()
    (folder / "study.yaml").write_text(yaml.safe_dump(study(runs, iterations)))
    if resources is not None:
        (folder / "resources").symlink_to(resources)


def print_table(options: argparse.Namespace) -> None:
    """Measure each way in a folder of its own; weights and pictures are made once."""
    with tempfile.TemporaryDirectory(prefix="submission-") as name:
        folder = Path(name).resolve()
        prepare(folder / "resources-only", 1, options.iterations)
        snakemake(folder / "resources-only", "--until", "convert_weights", "prepare_picture")
        print("".join(f"{title:>14}" for title in ("", *COLUMNS)))
        for way in options.ways:
            prepare(folder / way, options.runs, options.iterations, folder / "resources-only/resources")
            figures = measure(way, folder / way, options)
            print(f"{way:>14}" + "".join(f"{figures[title]:>14}" for title in COLUMNS), flush=True)


def main() -> int:
    """Measure each way in turn and print a table."""
    command_line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_argument("--runs", type=int, default=200)
    command_line.add_argument("--per-job", type=int, default=10, help="runs in a group or batch")
    command_line.add_argument("--iterations", type=int, default=3)
    command_line.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    options = command_line.parse_args()
    try:
        started = slurm.start()
        try:
            print_table(options)
        finally:
            if started:
                slurm.stop()
    except slurm.ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
