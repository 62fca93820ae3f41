"""What is told of a GPU: every figure has its place, what has none says why, and time is kept."""

import subprocess

import pytest

from helpers.gpus import fake_gpus
from helpers.studies import ENGINE
from styletransfer.benchmarks import gpu, gpu_page
from styletransfer.benchmarks.gpu_steps import Way
from styletransfer.benchmarks.measure import NO_TIME, Options
from styletransfer.devices import host
from styletransfer.vgg import sources

NETWORK = sources.package_path(sources.SOURCES["vgg16"])


def step(seconds, tflops, memory):
    names = ("seconds per iteration", "TFLOP/s", "seconds until the second", "memory, MiB")
    return dict(zip(names, (seconds, tflops, 2.5, memory), strict=True))


def test_the_page_has_every_figure_and_marks_the_default():
    device = {"computed by": "A Card", "compute capability": "9.0"}
    found = {
        "seconds": 421,
        "budget, seconds": 480.0,
        "machine": {"device": device, "driver": "560.1"},
        "products": {"bfloat16": {"TFLOP/s": 600.0}, "float32": "no kernel"},
        "steps": {
            (Way("bfloat16", "autodiff"), 512): step(0.004, 300.0, 900),
            (Way("bfloat16", "autodiff"), 256): step(0.002, 150.0, 300),
            (Way("bfloat16", "analytic"), 512): NO_TIME,
            (Way("bfloat16", "analytic"), 256): step(0.005, 60.0, 200),
            (Way("float32", "autodiff"), 512): "no kernel: for this",
        },
        "run": {512: {"iterations": 1000, "seconds": 12.0, "seconds per iteration": 0.004, "gpu": None}},
        "outside": [7.0, 8.0, 12.0],
        "bytes": {"bfloat16": {"iterations": 900, "again": True, "killed and resumed": False}, "float32": NO_TIME},
        "slots": {1: 410.0, 2: NO_TIME},
        "study": {512: "the command failed"},
    }
    page = gpu_page.page(found, "the command")
    assert "`the command` wrote this page in 421 of at most 480 seconds" in page
    assert "computed by A Card, compute capability 9.0, driver 560.1." in page
    assert "| bfloat16 | 600 |\n| float32 | no kernel |" in page
    assert "|  | 256 px | 512 px |" in page
    for row in ("500 | 250", "150 | 300", "0.25 | 0.50", "300 | 900"):
        assert f"| **bfloat16, autodiff** | {row} |" in page
    assert f"| bfloat16, analytic | 0.10 | {NO_TIME} |" in page
    assert "Not measured: float32, autodiff: no kernel: for this." in page
    assert "300 such runs an hour, each by a command of its own; at most 900." in page
    assert "8.0 s (7.0 to 12.0, 3 runs)" in page
    assert "| bfloat16 | 900 | yes | NO |" in page
    assert f"| 2 | {NO_TIME} |" in page
    assert "Not measured: the command failed." in page


def test_what_there_is_no_time_for_is_left_out_and_said_so(tmp_path):
    pages = []
    options = Options(NETWORK, width=32, device="cpu")
    found = gpu.measure_gpu(gpu.Wanted(options, (32,)), 0.0, lambda found: pages.append(gpu_page.page(found, "it")))
    assert len(pages) == len(gpu.PARTS)
    figures = [
        figure
        for part in ("products", "steps", "run", "slots", "study", "workflows")
        for figure in found[part].values()
    ]
    assert len(figures) == 3 + 12 + 1 + 3 + 1 + 1
    assert set(figures) == {NO_TIME}


def test_only_what_had_no_time_is_measured_again(tmp_path):
    bench = gpu.Bench(gpu.Wanted(Options(NETWORK)), tmp_path)
    asked = []
    for answer in (NO_TIME, "no such kernel", 1.0):
        bench.found["part"] = {"name": answer}
        bench.note("part", "name", lambda answer=answer: asked.append(answer) or 2.0)
    assert asked == [NO_TIME]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--minutes", "0"], "--minutes is 0: it must be a number above 0"),
        (["--widths", "256", "9"], "--widths is 9: it must be at least 16"),
        (["--slots", "0"], "--slots is 0: it must be at least 1"),
        (["--weights", "none.h5"], "none.h5"),
        (["--output", "nvidia-smi/page.md"], "is not a folder that this user may write to"),
        ([], "device is gpu, but no GPU is visible"),
    ],
)
def test_what_cannot_be_measured_is_refused_and_the_page_kept(tmp_path, monkeypatch, words, message):
    fake_gpus(monkeypatch, tmp_path, 0)
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs/gpus-measured.md"
    page.write_text("figures")
    done = subprocess.run(
        [*ENGINE, "benchmark", "gpu", "--weights", NETWORK, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
    assert page.read_text() == "figures"


@pytest.mark.parametrize(("answer", "version"), [("560.35.03\n560.35.03\n", "560.35.03"), ("it failed", "unknown")])
def test_the_version_of_the_driver(tmp_path, monkeypatch, answer, version):
    fake_gpus(monkeypatch, tmp_path, answer)
    assert host.driver() == version
