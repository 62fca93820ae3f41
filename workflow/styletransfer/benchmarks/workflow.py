"""What runs and studies cost beside their iterations: commands and Snakemake workflows, timed from outside."""

from __future__ import annotations

import datetime
import itertools
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from styletransfer.benchmarks.measure import COMMAND, ROOT, STUDY_DEFAULTS, Options, pictures, seconds_of, summary
from styletransfer.devices import precision
from styletransfer.files import atomic
from styletransfer.images.io import write_image
from styletransfer.runs.record import Record


def measure_run(options: Options) -> dict[str, Any]:
    """What a run costs beside its iterations: start of Python and TensorFlow, weights, targets, tracing, files.

    Wall time of the command less evaluations x seconds per evaluation; the first one, which traces, is not among them.
    """
    outside: dict[str, list[float]] = {number_format: [] for number_format in precision.cpu_formats()}
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, number_format in itertools.product(range(options.rounds), outside):
            record = Path(folder, f"{number_format}-{number}.json")
            seconds = seconds_of(transfer_words(record, options, number_format))
            run = Record.read(record)
            outside[number_format].append(seconds - (options.steps + 1) * run.seconds_per_iteration)
            memory[number_format] = round(run.peak_memory_mib / 1024, 2)
    return {
        number_format: {"seconds outside iterations": summary(seconds), "peak memory, GiB": memory[number_format]}
        for number_format, seconds in outside.items()
    }


def transfer_words(record: Path, options: Options, number_format: str = "auto") -> list[Any]:
    """The command of a run on the pictures of the benchmarks, which are put beside its record if need be."""
    content, style = (record.with_name(f"{role}-{options.width}.png") for role in ("content", "style"))
    for path, picture in zip((content, style), pictures(*options.size), strict=True):
        if not path.exists():
            write_image(path, picture)
    words = [*COMMAND, "transfer", "--content", content, "--styles", style, "--network", options.weights]
    words += ["--record", record, "--output", record.with_suffix(".png"), "--losses", record.with_suffix(".csv")]
    words += ["--iterations", options.steps, "--precision", number_format, "--device", options.device]
    return words + [word for name, value in STUDY_DEFAULTS.items() for word in (f"--{name.replace('_', '-')}", value)]


def measure_planning(options: Options) -> dict[str, Any]:
    """Seconds of `snakemake -n`: the 2018 study, and a grid of 10,000 runs."""
    grid = {name: {"linspace": [1, 10, 10]} for name in ("style_weight", "tv_weight", "learning_rate", "style_scales")}
    shipped = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        studies = {"2018 study": shipped, "grid of 10,000": {**shipped, "design": "grid", "vary": grid}}
        return {
            f"snakemake -n, {name}": summary([_snakemake(Path(folder), study, "-n") for _ in range(options.rounds)])
            for name, study in studies.items()
        }


def measure_study(options: Options, folder: Path | None = None) -> dict[str, Any]:
    """All rows of the 2018 study on tiny pictures with the offline weights; then the same with nothing left to do.

    folder: where it runs; by default a temporary one.
    """
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    study |= {"weights": "vgg16", "device": "cpu", "study": "scaled-down"}
    study["defaults"] |= {"width": 32, "iterations": 5}
    folder = folder or Path(tempfile.mkdtemp(prefix="study-"))
    first = _snakemake(folder, study)
    again = [_snakemake(folder, study) for _ in range(options.rounds)]
    rows = len((folder / "results/studies/scaled-down/runs.csv").read_text().splitlines()) - 1
    runs = len(list((folder / "results/runs").glob("*/run.json")))
    return {"rows": rows, "runs": runs, "seconds": round(first, 1), "seconds, nothing to do": summary(again)}


def measure_throughput(options: Options, count: int = 200) -> dict[str, Any]:
    """A study of many short runs: a process for each of them, against batches that share one."""
    study, many = study_of(options), study_of(options, count)
    sizes = {"a process each": 1, "batches": max(2, count // (2 * (os.cpu_count() or 1)))}
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder, "prepared")
        _snakemake(prepared, study, "--until", "transfer")  # weights and pictures for both
        for name, size in sizes.items():
            place = Path(folder, name)
            place.mkdir()
            (place / "resources").symlink_to(prepared / "resources")
            seconds = _snakemake(place, many | {"runs_per_job": size})
            records = [Record.read(path) for path in place.glob("results/runs/*/run.json")]
            result[name] = {"runs per job": size, "seconds": round(seconds, 1), **_together(records, options.steps)}
    return result


def study_of(options: Options, runs: int = 1) -> dict[str, Any]:
    """The config of a study of so many runs, which differ in the style's weight."""
    varied = {"design": "grid", "vary": {"style_weight": {"logspace": [1, 100, runs]}}} if runs > 1 else {}
    return varied | {
        "study": "measured",
        "weights": "vgg16",
        "device": options.device,
        "images": {"photograph": {"sample": "coffee"}, "artwork": {"painting": "glass"}},
        "pairs": [{"content": "photograph", "styles": ["artwork"]}],
        "defaults": {**STUDY_DEFAULTS, "width": options.width, "iterations": options.steps},
    }


def _together(records: Sequence[Record], iterations: int) -> dict[str, Any]:
    """How long runs took together, from their records, and each of them for its iterations."""
    begin, end = min(record.start for record in records), max(record.end for record in records)
    seconds = datetime.datetime.fromisoformat(end) - datetime.datetime.fromisoformat(begin)
    each = statistics.mean(record.seconds_per_iteration for record in records) * iterations
    return {
        "runs": len(records),
        "seconds, first run begun to last one ended": round(seconds.total_seconds(), 1),
        "of it iterations, seconds per run and core": round(each, 2),
    }


def _snakemake(folder: Path, study: Mapping[str, Any], *arguments: str) -> float:
    return seconds_of([*snakemake_words(folder, study), *arguments])


def snakemake_words(folder: Path, study: Mapping[str, Any]) -> list[Any]:
    """The command of the workflow in a folder, where the config is put."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "study.yaml"
    atomic.write_text(config, yaml.safe_dump(dict(study)))
    words = ["--quiet", "all", "--snakefile", ROOT / "Snakefile", "--configfile", config, "--directory", folder]
    return [sys.executable, "-m", "snakemake", *words]
