"""The whole workflow on the command line, in a temporary folder, with tiny pictures and the offline weights."""

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.gpus import fake_gpus
from helpers.overlaps import at_once
from helpers.studies import ENGINE, NEURAL_STYLE, prepared
from helpers.workflow import FIGURES, ROOT, STUDY, jobs, snakemake
from styletransfer import settings
from styletransfer.files import checks
from styletransfer.images.samples import sample_file
from styletransfer.study import plan
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand
from styletransfer.vgg import sources

# What a table tells of when and where runs were computed.
TIMING = ("start", "end", "seconds", "seconds_preparing", "seconds_per_iteration", "host", "device", "device_slot")
TIMING += ("peak_memory_mib",)
# Two runs that last long enough to be killed.
LONG = STUDY | {
    "design": "list",
    "vary": {},
    "runs": [{"style_weight": 5}, {"style_weight": 50}],
    "defaults": STUDY["defaults"] | {"iterations": 60},
}


def folders(finished):
    """The folders of the runs of the study `tiny`, in its order."""
    runs = pd.read_csv(finished / "results/studies/tiny/runs.csv")
    return [finished / "results/runs" / run_id for run_id in dict.fromkeys(runs["run_id"])]


def damaged(path):
    """A picture with a wrong bit in its pixels: found when it is read, not when its study is planned."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    return bytes(content)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a study with 'spaces'")
    snakemake(folder, config=STUDY)
    return folder


def test_tables_and_figures(finished):
    results = finished / "results/studies/tiny"
    runs = pd.read_parquet(results / "runs.parquet")
    assert len(runs) == len(pd.read_csv(results / "runs.csv")) == 4
    by_value = runs.set_index(["parameter", "value"])["status"]
    assert by_value["learning_rate", 1e30] == "diverged"
    assert (by_value.drop(("learning_rate", 1e30)) == "ok").all()
    assert set(runs["weights"]) == {"vgg16-grown@1"}
    page = (ROOT / "results/README.md").read_text()
    documented = [name.replace("*", ".*") for name in re.findall(r"`([\w*]+)`", page)] + list(settings.PARAMETERS)
    assert [name for name in runs if not any(re.fullmatch(one, name) for one in documented)] == []
    losses = pd.read_parquet(results / "losses.parquet")
    assert set(losses["loss"]) == {"content", "style", "tv", "total"}
    assert set(losses["run_id"]) == set(runs["run_id"])
    for name in (f"{figure}.{kind}" for figure in FIGURES for kind in ("png", "pdf")):
        assert (results / "figures" / name).stat().st_size > 1000
    assert (results / "explorer/index.html").stat().st_size > 900_000
    record = json.loads((finished / "results/runs" / runs["run_id"][0] / "run.json").read_text())
    assert record["weights"]["source_sha256"]


def test_it_ends_by_naming_the_explorer(finished):
    (finished / "results/studies/tiny/figures/pareto.png").unlink()
    output = snakemake(finished, config=STUDY)
    (named,) = re.findall(r"^explorer: (\S+)$", output, re.MULTILINE)
    assert (finished / named).is_file()
    assert "computed on different" not in output


def test_it_has_a_short_line_for_each_run_and_step(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    study = STUDY | {"vary": {"style_weight": [5, 7]}, "images": STUDY["images"] | {"broken": {"path": "broken.png"}}}
    study["pairs"] = [*STUDY["pairs"], {"content": "broken", "styles": ["artwork"]}]
    (tmp_path / "copy/broken.png").write_bytes(damaged(prepared(finished, "photograph")))
    lines = snakemake(tmp_path / "copy", config=study, code=1, short=True).splitlines()
    assert max(map(len, lines)) <= 200 and len(lines) < 40
    ended = re.compile(r"photograph x artwork: style weight 7: \d+ s\. 1 of \d done.*")
    assert len([line for line in lines if ended.fullmatch(line)]) == 1
    failed = next(line for line in lines if line.startswith("prepare picture broken-"))
    assert "error: picture 'broken.png'" in lines[lines.index(failed) + 1]
    assert not [line for line in lines if "localrule" in line or "jobid" in line]


def test_bfloat16_is_refused_before_the_first_run(tmp_path, monkeypatch):
    """On a CPU without it; made so by the variable that limits oneDNN, wherever this runs."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    study = STUDY | {"defaults": STUDY["defaults"] | {"precision": "bfloat16"}}
    output = snakemake(tmp_path, config=study, code=1)
    assert "precision is bfloat16, but this CPU" in output
    assert not (tmp_path / "results/runs").exists()
    assert jobs(snakemake(tmp_path, "--dry-run", config=study)) == 4


def test_a_second_run_does_nothing(finished):
    output = snakemake(finished, config=STUDY, short=True)
    assert "Nothing to be done" in output
    assert "\nexplorer: results/studies/tiny/explorer/index.html\n" in output


@pytest.mark.parametrize(
    ("changes", "new"),
    [
        ({"vary": {"style_weight": [5, 50, 7], "learning_rate": [10, 1.0e30]}}, 1),
        ({"vary": {"style_weight": [5], "learning_rate": [10]}}, 0),
        ({"vary": {"learning_rate": [10, 1.0e30], "style_weight": [50, 5]}}, 0),
        ({"study": "renamed"}, 0),
        ({"threads": 2, "print_iterations": 2, "max_runs": 77, "state_seconds": 5, "keep_state": True}, 0),
        ({"defaults": STUDY["defaults"] | {"tv_weight": 7}}, 4),
        ({"defaults": STUDY["defaults"] | {"pooling": "max", "eps": 1.0e-8}}, 0),
        ({"design": "list", "vary": {}, "runs": [{"style_weight": 5}, {"learning_rate": 10}, {"style_weight": 50}]}, 0),
        ({"design": "list", "vary": {}, "runs": [{"style_weight": 100, "tv_weight": 500}]}, 1),
        ({"repeats": 3}, 8),
        ({"repeats": 1, "repeats_of": "all"}, 0),
    ],
    ids=[
        *("added value", "fewer values", "another order", "renamed", "resources", "changed default", "named default"),
        *("two studies share runs", "swapped values", "repeats", "one repeat"),
    ],
)
def test_only_what_changed_runs_again(finished, changes, new):
    assert jobs(snakemake(finished, "--dry-run", config=STUDY | changes)) == new


def test_a_pair_of_swapped_values_is_another_run(finished):
    """Snakemake compares the set of a job's params: two that change places would go unnoticed."""
    one, other = ({"style_weight": 5, "tv_weight": 7}, {"style_weight": 7, "tv_weight": 5})
    config = STUDY | {"design": "list", "vary": {}}
    snakemake(finished, config=config | {"runs": [one], "study": "one"})
    assert jobs(snakemake(finished, "--dry-run", config=config | {"runs": [one], "study": "one"})) == 0
    assert jobs(snakemake(finished, "--dry-run", config=config | {"runs": [other], "study": "one"})) == 1


def test_another_number_of_threads_is_told_and_finished_runs_are_kept(finished, tmp_path):
    """It changes the rounding of sums, and is no part of a run's settings."""
    shutil.copytree(finished, tmp_path / "copy")
    added = STUDY | {"vary": {"style_weight": [5, 50, 7]}, "threads": 2}
    output = snakemake(tmp_path / "copy", config=added)
    assert jobs(output) == 1
    note = output[output.index("computed on different devices or threads") :].splitlines()
    assert re.match(r"  3 runs: .*, 1 thread$", note[1]) and re.match(r"  1 run: .*, 2 threads$", note[2])
    assert "computed on different devices or threads" in verify(tmp_path / "copy")[1]
    runs = pd.read_parquet(tmp_path / "copy/results/studies/tiny/runs.parquet")
    threads = dict(zip(runs["style_weight"], runs["computed_on"].str.rpartition(", ")[2], strict=True))
    assert threads == {5: "1 thread", 50: "1 thread", 7: "2 threads", 500: "1 thread"}


def test_touched_code_and_a_moved_study_run_nothing(finished, tmp_path, monkeypatch):
    moved = tmp_path / "moved"
    shutil.copytree(finished, moved, ignore=shutil.ignore_patterns(".snakemake"))
    assert jobs(snakemake(moved, "--dry-run", config=STUDY)) == 0
    bare = tmp_path / "bare"
    shutil.copytree(finished / "results", bare / "results")
    added = STUDY | {"vary": STUDY["vary"] | {"style_weight": [5, 50, 7]}}
    output = snakemake(bare, "--dry-run", config=added)
    assert (jobs(output), jobs(output, "convert_weights")) == (1, 1), "weights that are gone made finished runs run"
    fewer = STUDY | {"vary": {"style_weight": [5]}}
    output = snakemake(bare, "--dry-run", config=fewer)
    assert (jobs(output), jobs(output, "collect")) == (0, 1), "the tables of another study were left as they are"
    gone = next(iter((moved / "results/runs").glob("*/run.json")))
    gone.unlink()
    output = snakemake(moved, "--dry-run", config=STUDY)
    assert (jobs(output), jobs(output, "collect")) == (1, 1), "a result that is gone was not missed"
    shutil.copy(finished / gone.relative_to(moved), gone)
    for path in (moved / "resources/weights/vgg16.safetensors", prepared(moved, "artwork")):
        path.touch()
    assert jobs(snakemake(moved, "--dry-run", config=STUDY)) == 0
    clone = tmp_path / "clone"
    unwanted = shutil.ignore_patterns(".*", "results", "resources")
    # At the top only: the engine has a folder `results` as well.
    shutil.copytree(ROOT, clone, ignore=lambda at, names: unwanted(at, names) if Path(at) == ROOT else [])
    elsewhere = ("--dry-run", "--snakefile", str(clone / "Snakefile"))
    monkeypatch.setenv("PYTHONPATH", str(clone / "workflow"))
    assert jobs(snakemake(finished, *elsewhere, config=STUDY)) == 0
    module = clone / "workflow/styletransfer/settings.py"
    option = '    gamma: float = parameter(1.0, "an option that is new", above=0)\n'
    module.write_text(module.read_text().replace("    seed: int =", f"{option}    seed: int =", 1))
    assert "gamma" in module.read_text()
    assert jobs(snakemake(finished, *elsewhere, config=STUDY)) == 0, "a new option renamed old runs"
    changed = STUDY | {"vary": STUDY["vary"] | {"gamma": [1, 2]}}
    assert jobs(snakemake(finished, *elsewhere, config=changed)) == 1, "the new option's own value is no run of its own"


def test_own_pictures_weights_and_blends(finished, tmp_path):
    """Names that a shell would stumble over, weights by path, two styles, and a start from a picture."""
    odd = tmp_path / 'it\'s "a" $(touch owned) {picture}; ünïcode.png'
    shutil.copy(prepared(finished, "photograph"), odd)
    shutil.copy(finished / "resources/weights/vgg16.safetensors", tmp_path / "my {weights}'.safetensors")
    study = {
        **STUDY,
        "weights": "my {weights}'.safetensors",
        "images": {
            "odd": {"path": str(odd)},
            "glass": {"painting": "glass"},
            "candy": {"painting": "candy"},
            "cat": {"sample": "chelsea"},
        },
        "pairs": [
            {"content": "odd", "styles": ["glass", "candy"]},
            {"content": "odd", "styles": ["glass"], "initial": "cat"},
        ],
        "design": "list",
        "vary": {},
        "runs": "runs.csv",
    }
    (tmp_path / "runs.csv").write_text("style_weight,style_scales\n3,0.5\n")
    snakemake(tmp_path, config=study)
    runs = pd.read_parquet(tmp_path / "results/studies/tiny/runs.parquet")
    assert list(runs["pair"]) == ["odd x glass + candy", "odd x glass, from cat"]
    assert list(runs["style_blend_weights"]) == ["0.5 0.5", "1"]
    assert list(runs["initial_noiseblend"]) == [1, 0]
    assert set(runs["weights"]) == {"vgg16-grown@1"}
    assert not list(tmp_path.rglob("owned"))
    assert "Nothing to be done" in snakemake(tmp_path, config=study)
    # What the user had may be changed or gone.
    shutil.copy(prepared(tmp_path, "cat"), odd)
    found = plan.find(tmp_path / "results/studies/tiny")
    said = subprocess.run(
        [*ENGINE, "status", "--plan", found], check=True, cwd=tmp_path, capture_output=True, text=True
    )
    assert f"images.odd.path is {str(odd)!r}, which has been changed since the study was planned" in said.stdout
    odd.unlink()
    (tmp_path / "my {weights}'.safetensors").unlink()
    shutil.rmtree(tmp_path / "resources")
    assert "Nothing to be done" in snakemake(tmp_path, config=study)
    assert verify(tmp_path, "--configfile", "study.yaml")[0] == 0
    (tmp_path / "results/studies/tiny/figures/contact_sheet.png").unlink()
    output = snakemake(tmp_path, "all", "partial", config=study)
    # What comes with the workflow is made again for the sheet and the explorer.
    assert (jobs(output), jobs(output, "prepare_picture"), jobs(output, "figure")) == (0, 3, 7)
    assert (tmp_path / "results/studies/tiny/partial/figures/contact_sheet.png").exists()
    shutil.copy(sample_file("astronaut"), odd)
    assert jobs(snakemake(tmp_path, "--dry-run", config=study), "transfer") == 2


def test_a_study_is_planned_where_only_snakemake_is_installed(tmp_path, monkeypatch):
    """Without the libraries for pictures, networks and figures, as on a login node."""
    for name in ("h5py", "matplotlib", "PIL", "scipy", "tensorflow"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}")
    assert jobs(snakemake(tmp_path, "--dry-run", config=STUDY)) == 4


def test_a_killed_run_is_tried_again_and_a_bad_picture_stops_only_its_own_runs(finished, tmp_path):
    (tmp_path / "resources").symlink_to(finished / "resources")
    (tmp_path / "broken.png").write_bytes(damaged(prepared(finished, "photograph")))
    study = {
        **STUDY,
        "images": STUDY["images"] | {"broken": {"path": "broken.png"}},
        "pairs": [*STUDY["pairs"], {"content": "broken", "styles": ["artwork"]}],
        "vary": {"style_weight": [7]},
        "defaults": STUDY["defaults"] | {"iterations": 40},
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    killed = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(snakemake, tmp_path, config=study, code=1)
        while not running.done() and not killed:
            time.sleep(0.2)
            found = [pid for log in tmp_path.glob("results/studies/tiny/jobs/*.log") for pid in writers(log)]
            killed = found[:1]
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
        output = running.result()
    assert len(killed) == 1
    assert "broken.png" in "".join(path.read_text() for path in tmp_path.glob("resources/pictures/*.log"))
    assert "Trying to restart job" in output
    assert "runs: 2 ok, 2 bad_input" in output
    assert "bad_input: picture 'broken.png' is damaged or incomplete: the checksum of IDAT is wrong" in output
    assert not list(tmp_path.glob("results/runs/*/attempt.json"))
    records = [json.loads(path.read_text()) for path in tmp_path.glob("results/runs/*/run.json")]
    assert sorted(record["settings"]["style_weight"] for record in records) == [7, 500]
    assert {record["status"] for record in records} == {"ok"}
    assert not list(tmp_path.glob("results/runs/*/*.tmp*"))


@pytest.fixture(scope="module")
def undisturbed(finished, tmp_path_factory):
    """The folders of the runs of the study `LONG`, computed one after the other in one process."""
    pool = tmp_path_factory.mktemp("undisturbed")
    study = expand(load_config(LONG))
    study.write(pool / "plan.json")
    command = [*ENGINE, "run", "--plan", pool / "plan.json", "--pool", pool, "--batch", "1", "--batch-size", "2"]
    command += ["--threads", "1", "--device", "cpu", "--print-iterations", "1"]
    subprocess.run(command, check=True, capture_output=True, cwd=finished)
    return [pool / run_id for run_id in study.runs]


@pytest.mark.parametrize(("number", "runs_per_job"), [(signal.SIGKILL, 1), (signal.SIGTERM, 2)])
def test_a_killed_run_goes_on_where_it_was(finished, undisturbed, tmp_path, number, runs_per_job):
    """Its job is tried again, and comes to the same bytes; in a batch, what is finished is not computed again."""
    (tmp_path / "resources").symlink_to(finished / "resources")
    # With SIGTERM the only state is the one that is kept at the end.
    changes = {"runs_per_job": runs_per_job, "state_seconds": 0.01 if number == signal.SIGKILL else 3600}
    rule, log = {
        1: ("transfer", f"results/studies/tiny/jobs/{undisturbed[-1].name}.log"),
        2: ("transfer_0001", "results/studies/tiny/jobs/0001.log"),
    }[runs_per_job]
    killed = tmp_path / "results/runs" / undisturbed[-1].name
    run_log = killed / "transfer.log"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(snakemake, tmp_path, "--until", rule, config=LONG | changes)
        while not running.done() and not (run_log.exists() and "iteration 10/60" in run_log.read_text()):
            time.sleep(0.02)
        for pid in writers(tmp_path / log):
            os.kill(pid, number)
        output = running.result()
    assert "Trying to restart job" in output
    for run in undisturbed:
        again = tmp_path / "results/runs" / run.name
        for name in ("image.png", "losses.csv"):
            assert (again / name).read_bytes() == (run / name).read_bytes()
        assert not [path for path in again.iterdir() if ".npz" in path.name or ".tmp" in path.name]
        resumed = json.loads((again / "run.json").read_text())["resumed"]
        assert len(resumed) == (again == killed)
    assert f"resuming from iteration {resumed[0]}:" in run_log.read_text()


def test_a_forced_study_needs_none_of_what_finished_runs_were_made_of(finished, tmp_path):
    """Nor does a finished one without the project's profile, whatever Snakemake takes for a change there."""
    for folder in ("results", ".snakemake"):
        shutil.copytree(finished / folder, tmp_path / folder, ignore=shutil.ignore_patterns("locks"))
    bare = ("--workflow-profile", "none", "--cores", "2")
    assert "Nothing to be done" in snakemake(tmp_path, *bare, config=STUDY)
    output = snakemake(tmp_path, "--forcerun", "figure", "--dry-run", config=STUDY)
    assert (jobs(output, "figure"), jobs(output), jobs(output, "convert_weights")) == (6, 0, 0)
    (plan_file,) = (tmp_path / "results/studies/tiny").glob("plan-*.json")
    plan_file.unlink()
    output = snakemake(tmp_path, "--forceall", "--until", "transfer", "prepare_picture", *bare, config=STUDY)
    counts = [jobs(output, rule) for rule in ("transfer", "prepare_picture", "convert_weights", "plan_study")]
    assert counts == [4, 2, 0, 1]
    assert "4 runs were kept" in output


def test_a_finished_run_is_never_computed_again(finished):
    """Not even by force, and not after a crash of Snakemake: the run's record tells that all of it is there."""
    names = ("image.png", "run.json", "transfer.log")
    before = {folder / name: (folder / name).read_text("latin-1") for folder in folders(finished) for name in names}
    output = snakemake(finished, "--forcerun", "transfer", "--until", "transfer", config=STUDY)
    assert jobs(output) == 4
    assert "\n4 runs were kept: to compute a finished run again, remove its folder in results/runs\n" in output
    after = {path: path.read_text("latin-1") for path in before}
    for path, said in before.items():
        kept, added = after[path][: len(said)], after[path][len(said) :]
        assert kept == said
        assert re.fullmatch(r".* finished already, .*\n" if path.name == "transfer.log" else "", added)
    image = next(path for path in before if path.name == "image.png")
    image.write_bytes(image.read_bytes()[:100])
    output = snakemake(finished, "--forcerun", "transfer", config=STUDY)
    assert image.read_text("latin-1") == before[image], "a damaged result was taken for a whole one"
    assert "3 runs were kept" in output


def test_runs_in_batches(finished, tmp_path):
    """Several runs in one job: the same results, each its own target; one that fails takes no other with it."""
    (tmp_path / "resources").symlink_to(finished / "resources")
    batches = STUDY | {"runs_per_job": 3}
    assert jobs(snakemake(tmp_path, "--dry-run", config=batches), r"transfer_0001") == 1
    snakemake(tmp_path, config=batches)
    for folder, again in zip(folders(finished), folders(tmp_path), strict=True):
        assert folder.name == again.name
        assert (folder / "image.png").read_bytes() == (again / "image.png").read_bytes()
        assert "iteration" in (again / "transfer.log").read_text()
    assert "Nothing to be done" in snakemake(tmp_path, "--dry-run", config=batches)
    for size in (1, "auto"):
        assert "Nothing to be done" in snakemake(tmp_path, "--dry-run", config=STUDY | {"runs_per_job": size})


def test_a_run_that_fails_does_not_stop_its_batch(finished, tmp_path):
    bad, good = folders(finished)[:2]
    (tmp_path / bad.name / "image.png").mkdir(parents=True)
    command = [*ENGINE, "run", "--plan", plan.find(finished / "results/studies/tiny"), "--pool", tmp_path]
    command += ["--batch", "1", "--batch-size", "2", "--threads", "1", "--print-iterations", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=finished)
    assert done.returncode == 1
    assert "1 of 2 runs finished" in done.stderr
    assert "is to be written, but is a folder" in (tmp_path / bad.name / "transfer.log").read_text()
    records = [json.loads((at / good.name / "run.json").read_text()) for at in (tmp_path, finished / "results/runs")]
    assert records[0]["outputs"] == records[1]["outputs"]
    assert not (tmp_path / bad.name / "run.json").exists()


def test_two_processes_never_compute_one_run_at_the_same_time(finished, tmp_path):
    """The second waits for the first, and then finds its result."""
    command = [*ENGINE, "run", "--plan", plan.find(finished / "results/studies/tiny"), "--pool", tmp_path]
    command += ["--run", folders(finished)[0].name, "--device", "cpu"]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=finished) for _ in range(3)]
    logs = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum("iteration" in log for log in logs) == 1
    assert sum("finished already" in log for log in logs) == 2


def writers(log):
    """The processes of the engine's command that have the file as their standard output."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if (process / "fd/1").resolve() == log.resolve() and any(word.endswith(b"styletransfer") for word in words):
                yield int(process.name)


def test_names_that_repeat_a_letter_are_names(tmp_path):
    """In a wildcard Snakemake takes them for a rule that calls itself."""
    name = "p" + "0" * 22
    pairs = [{"content": name, "styles": ["artwork"]}]
    images = {name: STUDY["images"]["photograph"], "artwork": STUDY["images"]["artwork"]}
    study = STUDY | {"study": "a" * 24, "images": images, "pairs": pairs}
    assert jobs(snakemake(tmp_path, "all", "partial", "--dry-run", config=study)) == 4


def test_a_bad_config_is_one_message(tmp_path):
    output = snakemake(tmp_path, "--dry-run", config=STUDY | {"vary": {"style_wieght": [1]}}, code=1)
    assert "Did you mean style_weight?" in output
    assert "Traceback" not in output
    assert not (tmp_path / "results").exists()


def test_the_2018_study_and_its_plan():
    output = snakemake(ROOT, "--dry-run", "--forceall")
    assert jobs(output) == 251
    planned = subprocess.run([*ENGINE, "plan"], check=True, cwd=ROOT, capture_output=True, text=True).stdout
    assert "252 rows, 251 distinct runs" in planned
    assert re.search(r"about [0-9.]+ (hours|days) of device time", planned), planned


def test_the_2018_study_in_small_to_the_end(finished, tmp_path):
    """All 252 rows as shipped, but for size, iterations and weights."""
    (tmp_path / "resources").symlink_to(finished / "resources")
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    study |= {"weights": "vgg16", "device": "cpu", "runs_per_job": 50, "print_iterations": 1}
    study["defaults"] |= {"width": 32, "iterations": 2}
    snakemake(tmp_path, config=study)
    results = tmp_path / "results/studies/cloudheat-2018"
    runs = pd.read_parquet(results / "runs.parquet")
    assert (len(runs), runs["run_id"].nunique()) == (252, 251)
    counts = {"learning_rate": 13, "style_scales": 49, "content_weight_blend": 30}
    counts |= {"style_weight": 75, "tv_weight": 50, "style_layer_weight_exp": 35}
    assert runs["parameter"].value_counts().to_dict() == counts
    assert list(dict.fromkeys(runs["parameter"])) == list(counts), "rows are not in the order of the config"
    assert set(runs["status"]) == {"ok"}
    assert at_once(spans(runs)) <= os.cpu_count()
    assert pd.read_parquet(results / "losses.parquet")["run_id"].nunique() == 251
    assert all((results / f"figures/{name}.png").stat().st_size > 1000 for name in FIGURES)
    assert "Nothing to be done" in snakemake(tmp_path, config=study)


def spans(runs):
    """Start and end of every distinct run."""
    distinct = runs.drop_duplicates("run_id")
    return zip(*(pd.to_datetime(distinct[name]) for name in ("start", "end")), strict=True)


def test_a_report_is_built(finished):
    snakemake(finished, "--report", "report.zip", config=STUDY)
    with zipfile.ZipFile(finished / "report.zip") as report:
        names = {Path(name).name for name in report.namelist()}
    assert {"report.html", "index.html", *(f"{figure}.png" for figure in FIGURES)} <= names


def test_same_seed_same_bits_and_the_overwrite_guard(finished, tmp_path):
    command = [
        *(*NEURAL_STYLE, "--device", "cpu", "--width", "24"),
        *("--content", str(prepared(finished, "photograph"))),
        *("--styles", str(prepared(finished, "artwork"))),
        *("--network", str(finished / "resources/weights/vgg16.safetensors"), "--iterations", "4"),
        *("--checkpoint-output", str(tmp_path / "step-{:02}.png"), "--checkpoint-iterations", "2"),
        *("--progress-write", "--progress-plot", "--print-iterations", "2", "--output"),
    ]
    for name in ("one/a.png", "two/a.png"):
        assert subprocess.run([*command, str(tmp_path / name)], check=False).returncode == 0
    assert (tmp_path / "one/a.png").read_bytes() == (tmp_path / "two/a.png").read_bytes()
    assert {path.name for path in tmp_path.glob("*.png")} == {"step-02.png", "step-04.png"}
    progress = tmp_path / "one/progress.txt"
    assert progress.read_text().startswith("# itr content style tv total\n")
    assert np.loadtxt(progress)[:, 0].tolist() == [0, 2, 4]
    refused = subprocess.run([*command, str(tmp_path / "one/a.png")], check=False, capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: ")
    assert "--overwrite" in refused.stderr


def test_by_hand_weights_have_names_and_a_run_starts_from_its_content(finished, tmp_path):
    """Without a value `--initial` is the content picture. The weights lie where the workflow keeps them."""
    command = [
        *(*NEURAL_STYLE, "--device", "cpu", "--width", "24"),
        *("--content", str(prepared(finished, "photograph")), "--network", "vgg16"),
        *("--styles", str(prepared(finished, "artwork")), "--iterations", "1"),
        *("--output", "result.png", "--record", "run.json"),
    ]
    done = subprocess.run([*command, "--initial"], check=True, capture_output=True, text=True, cwd=tmp_path)
    start = prepared(finished, "photograph").stem
    assert f"1 iterations of Adam from {start}; weights: vgg16-grown@1 (VGG-16 grown to 19" in done.stderr
    made = tmp_path / "resources/weights/vgg16.safetensors"
    assert checks.checksum(made) == checks.checksum(finished / "resources/weights/vgg16.safetensors")
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["identity"]["weights"] == sources.source_identity("vgg16")
    assert record["identity"]["initial"] == record["identity"]["content"]
    assert record["settings"]["initial_noiseblend"] == 0
    named = [*command, "--initial", command[command.index("--content") + 1], "--overwrite"]
    subprocess.run(named, check=True, capture_output=True, cwd=tmp_path)
    assert json.loads((tmp_path / "run.json").read_text())["outputs"] == record["outputs"]


def test_what_there_is_of_a_study_is_shown_and_nothing_is_run(finished, tmp_path):
    (tmp_path / "resources").symlink_to(finished / "resources")
    first, second, third, fourth = folders(finished)
    for folder in (first, fourth):
        shutil.copytree(folder, tmp_path / "results/runs" / folder.name)
    attempt = {"status": "out_of_memory", "reason": "OOM when allocating", "attempt": 2}
    (tmp_path / "results/runs" / second.name).mkdir()
    (tmp_path / "results/runs" / second.name / "attempt.json").write_text(json.dumps(attempt))
    output = snakemake(tmp_path, "partial", config=STUDY)
    assert "runs: 1 ok, 1 diverged, 1 waiting, 1 out_of_memory" in output
    assert "out_of_memory: OOM when allocating" in output
    assert {path.name for path in tmp_path.glob("results/runs/*")} == {first.name, second.name, fourth.name}
    partial = tmp_path / "results/studies/tiny/partial"
    assert {path.name[:5] for path in partial.parent.iterdir()} == {"parti", "plan-", "plan."}, (
        "taken for the complete study"
    )
    runs = pd.read_parquet(partial / "runs.parquet").set_index("run_id")
    expected = {first: "ok", second: "out_of_memory", third: "waiting", fourth: "diverged"}
    assert runs["status"].to_dict() == {folder.name: name for folder, name in expected.items()}
    assert runs.loc[second.name, "reason"] == "OOM when allocating"
    assert all((partial / f"figures/{name}.png").stat().st_size > 1000 for name in FIGURES)
    assert "Partial: 2 of 4 runs without a result" in (partial / "explorer/index.html").read_text()
    assert "Nothing to be done" in snakemake(tmp_path, "partial", "--dry-run", config=STUDY)
    assert jobs(snakemake(tmp_path, "--dry-run", config=STUDY)) == 2
    shutil.copytree(third, tmp_path / "results/runs" / third.name)
    output = snakemake(tmp_path, "partial", "--dry-run", config=STUDY)
    assert (jobs(output), jobs(output, "collect_partial")) == (0, 1), "a run that has come to its end was not noticed"


def verify(folder, *options):
    command = [*ENGINE, "verify", "results/studies/tiny/manifest.json", *options]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_a_study_is_verified_and_handed_on(finished, tmp_path):
    (finished / "study.yaml").write_text(yaml.safe_dump(STUDY))
    assert " 0 differ" in verify(finished, "--configfile", "study.yaml")[1]
    command = [*ENGINE, "crate", "--manifest", "results/studies/tiny/manifest.json", "--output", tmp_path / "crate.zip"]
    subprocess.run(command, check=True, cwd=finished)
    with zipfile.ZipFile(tmp_path / "crate.zip") as crate:
        crate.extractall(tmp_path)
    assert verify(tmp_path) == (0, verify(tmp_path)[1])
    image = tmp_path / "results/runs" / folders(finished)[0].name / "image.png"
    image.write_bytes(image.read_bytes()[:-1])
    code, output = verify(tmp_path)
    assert (code, image.relative_to(tmp_path).as_posix() in output) == (1, True)
    changed = STUDY | {"vary": {"style_weight": [5]}}
    (tmp_path / "changed.yaml").write_text(yaml.safe_dump(changed))
    code, output = verify(tmp_path, "--configfile", "changed.yaml")
    assert code == 1
    assert "image.png: " in output
    assert "config: vary.style_weight is [5], was [5, 50]\n" in output
    assert "config: vary.learning_rate is absent, was [10, 1e+30]\n" in output
    assert "3 differ" in output, "the manifest was recreated, or more was changed"


def test_the_same_study_gives_the_same_bytes_on_one_device_and_on_two_in_another_order(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("STYLETRANSFER_FAKE_GPUS", "1")
    study = STUDY | {"device": "gpu", "backend": "autodiff", "vary": {"style_weight": [5, 50]}}
    tables = [f"results/studies/tiny/{name}" for name in ("runs.parquet", "runs.csv", "losses.parquet")]
    found = []
    for number, name in ((1, "one"), (2, "another place, with two")):
        folder = tmp_path / name
        (folder / "fake").mkdir(parents=True)
        (folder / "resources").symlink_to(finished / "resources")
        with monkeypatch.context() as gpus:
            fake_gpus(gpus, folder / "fake", number)
            if found:  # the run that came last first, then the others together in one job
                last = pd.read_parquet(tmp_path / "one" / tables[0]).sort_values("start")["run_id"].iloc[-1]
                snakemake(folder, f"results/runs/{last}/run.json", config=study)
            batches = {"runs_per_job": 1 if not found else 5}
            snakemake(folder, *tables, "--resources", f"gpu={number}", config=study | batches)
        found.append(folder)
    one, another = found
    orders = [pd.read_parquet(folder / tables[0]).sort_values("start")["run_id"].tolist() for folder in found]
    assert orders[0] != orders[1]
    for run, again in zip(folders(one), folders(another), strict=True):
        assert run.name == again.name
        for name in ("image.png", "losses.csv"):
            assert (run / name).read_bytes() == (again / name).read_bytes(), name
    assert (one / tables[2]).read_bytes() == (another / tables[2]).read_bytes()
    runs, again = (pd.read_csv(folder / tables[1], dtype=str).drop(columns=list(TIMING)) for folder in found)
    pd.testing.assert_frame_equal(runs, again)
    assert {"best_total", "final_style", "image_sha256", "status"} <= set(runs)
