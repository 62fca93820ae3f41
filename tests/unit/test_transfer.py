"""Several runs of one process share what is equal, and give the files that each gives alone."""

import dataclasses
import itertools
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from helpers.cpus import BFLOAT16
from helpers.studies import NEURAL_STYLE
from styletransfer.devices import precision
from styletransfer.errors import InputError
from styletransfer.images.io import write_image
from styletransfer.runs import run_state, transfer
from styletransfer.runs import session as session_module
from styletransfer.runs.inputs import read_pictures
from styletransfer.runs.layout import Outputs, Run
from styletransfer.runs.session import Session
from styletransfer.settings import Artifact, Settings
from styletransfer.vgg import sources

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]


def compute(session, inputs, folder, settings):
    return transfer.transfer(Run(settings, inputs, Outputs.in_folder(folder)), session)


@pytest.mark.parametrize(
    "values",
    [
        {"style_weight": 7, "tv_weight": 3, "learning_rate": 2, "seed": 5},
        {"style_scales": 0.7},
        {"content_weight_blend": 0.5},
        {"style_layers": "relu1_2 relu2_1"},
        {"content_layers": "relu2_2"},
        {"pooling": "avg"},
        {"optimizer": "lbfgs"},
        pytest.param({"precision": "bfloat16"}, marks=BFLOAT16),
        {"width": 21},
        {"colors": "matched"},
        {"colors": "luminance"},
    ],
    ids=str,
)
def test_runs_of_one_process_are_those_of_processes_of_their_own(inputs, tmp_path, values):
    file = Artifact("a", "b")
    first = Settings(content=file, styles=(file,), weights=file, iterations=4)
    settings = dataclasses.replace(first, **values)
    with Session("cpu") as session:
        compute(session, inputs, tmp_path / "first", first)
        compute(session, inputs, tmp_path / "together", settings)
    with Session("cpu") as fresh:
        record = compute(fresh, inputs, tmp_path / "alone", settings)
    for file in ("losses.csv", "image.png"):
        assert (tmp_path / "together" / file).read_bytes() == (tmp_path / "alone" / file).read_bytes()
    assert record.precision_used == settings.precision
    assert (record.backend_used, record.steps_per_call) == ("analytic", 1)


def test_pictures_are_read_once_for_runs_that_are_made_of_the_same(inputs, tmp_path, monkeypatch):
    """And again for another size, and once a file has changed; what a run does to them is not seen by the next."""
    read = []
    monkeypatch.setattr(session_module, "read_pictures", lambda *made_of: read.append(1) or read_pictures(*made_of))
    file = Artifact("a", "b")
    settings = Settings(content=file, styles=(file,), weights=file, iterations=4)
    session = Session("cpu")

    def pictures(**changes):
        return session.pictures(Run(dataclasses.replace(settings, **changes), inputs, Outputs(tmp_path / "image.png")))

    (first,) = pictures()
    first.content[:] = 0
    (second,) = pictures(style_weight=7)
    assert second.content.any() and len(read) == 1
    assert pictures(width=21)[0].content.shape[1] == 21 and len(read) == 2
    write_image(inputs.content, np.full((40, 40, 3), 9, np.uint8))
    assert np.all(pictures(width=21)[0].content == 9) and len(read) == 3


def test_steps_in_one_call_are_those_of_many_calls(inputs, tmp_path):
    """Files are equal to the byte; so are pictures on the way, at whatever iterations, and a run that goes on."""
    file = Artifact("a", "b")
    for optimizer in ("adam", "lbfgs"):
        settings = Settings(content=file, styles=(file,), weights=file, iterations=11, optimizer=optimizer)
        found = []
        for steps in (1, 4):
            folder = tmp_path / optimizer / str(steps)
            outputs = Outputs.in_folder(folder)
            outputs = dataclasses.replace(outputs, checkpoints=f"{folder}/{{}}.png", checkpoint_iterations=6)
            with Session("cpu", steps_per_call=steps, print_iterations=1) as session:
                record = transfer.transfer(Run(settings, inputs, outputs), session)
                # A picture on the way is of the last step of a call.
                assert record.steps_per_call == (2 if steps == 4 else 1)
                compute(session, inputs, folder / "plain", settings)
            found.append({path.relative_to(folder): path for path in folder.rglob("*.[pc][ns][gv]")})
        assert found[0].keys() == found[1].keys()
        for name, path in found[0].items():
            assert path.read_bytes() == found[1][name].read_bytes(), name


def test_a_run_that_diverges_within_a_call_ends_there(inputs, tmp_path):
    file = Artifact("a", "b")
    settings = Settings(content=file, styles=(file,), weights=file, iterations=40, learning_rate=1e30)
    records = []
    for steps in (1, 10):
        with Session("cpu", steps_per_call=steps) as session:
            records.append(compute(session, inputs, tmp_path / str(steps), settings))
    assert [record.status for record in records] == ["diverged"] * 2
    assert records[0].outputs == records[1].outputs
    assert records[0].iterations_done == records[1].iterations_done < 40


@pytest.mark.parametrize(("gradient", "optimizer"), [("analytic", "adam"), ("autodiff", "adam"), ("analytic", "lbfgs")])
def test_compiled_runs_are_the_others_but_for_rounding(inputs, tmp_path, gradient, optimizer):
    file = Artifact("a", "b")
    settings = Settings(content=file, styles=(file,), weights=file, iterations=2, optimizer=optimizer)
    finals = []
    for backend in (gradient, f"{gradient}-xla"):
        with Session("cpu", backend=backend, steps_per_call=2) as session:
            record = compute(session, inputs, tmp_path / backend, settings)
        assert record.backend_used == backend
        finals.append([record.final[name] for name in sorted(record.final)])
    np.testing.assert_allclose(finals[0], finals[1], rtol=1e-3)


def test_auto_is_what_the_cpu_has(tmp_path):
    flags = tmp_path / "cpuinfo"
    for number, (text, expected) in enumerate(
        [
            ("avx512f avx512_bf16", "bfloat16"),
            ("amx_bf16 amx_tile", "bfloat16"),
            ("avx512f", "float32"),
            ("", "float32"),
        ]
    ):
        path = flags.with_name(f"cpuinfo{number}")
        path.write_text(f"processor\t: 0\nflags\t\t: {text}\n")
        assert precision.resolve("auto", "cpu", path) == expected
    assert precision.resolve("auto", "cpu", tmp_path / "none") == "float32"
    assert precision.resolve("float32", "cpu") == "float32"
    assert precision.resolve("tensorfloat32", "cpu") == "float32"


def write_cpuinfo(folder, flags, name="A CPU"):
    path = folder / flags.replace(" ", "-")
    path.write_text(f"processor\t: 0\nmodel name\t: {name}\nflags\t\t: {flags}\n")
    return path


@pytest.mark.parametrize(
    ("flags", "variable", "formats"),
    [
        ("avx512f avx512_bf16", None, ("float32", "bfloat16")),
        ("avx512f amx_bf16", ("ONEDNN_MAX_CPU_ISA", "all"), ("float32", "bfloat16")),
        ("avx2", None, ("float32",)),
        ("avx512f avx512_vnni", None, ("float32",)),
        # oneDNN ends a process that it cannot serve.
        ("avx512f avx512_bf16", ("ONEDNN_MAX_CPU_ISA", "AVX2"), ("float32",)),
        ("avx512f avx512_bf16", ("TF_ENABLE_ONEDNN_OPTS", "0"), ("float32",)),
    ],
)
def test_bfloat16_is_refused_where_the_cpu_does_not_multiply_in_it(tmp_path, monkeypatch, flags, variable, formats):
    cpuinfo = write_cpuinfo(tmp_path, flags)
    if variable:
        monkeypatch.setenv(*variable)
    assert precision.cpu_formats(cpuinfo) == formats
    assert precision.resolve("auto", "cpu", cpuinfo) == formats[-1]
    if "bfloat16" in formats:
        assert precision.resolve("bfloat16", "cpu", cpuinfo) == "bfloat16"
    else:
        with pytest.raises(InputError, match=r"precision is bfloat16, but this CPU \(A CPU\).*precision: float32"):
            precision.resolve("bfloat16", "cpu", cpuinfo)


def test_a_run_in_bfloat16_is_refused_before_anything_is_written(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "_cpu_computes_in_bfloat16", lambda _: False)
    file = Artifact("a", "b")
    settings = Settings(content=file, styles=(file,), weights=file, iterations=4, precision="bfloat16")
    with Session("cpu") as session, pytest.raises(InputError, match="does not multiply in it"):
        compute(session, inputs, tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()


def test_what_decides_the_rounding_of_a_cpu_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    computed_on = precision.computed_on_cpu
    assert computed_on(1, write_cpuinfo(tmp_path, "avx2 avx fma")) == "A CPU, avx2, oneDNN, 1 thread"
    newer = write_cpuinfo(tmp_path, "avx2 avx512f avx512_vnni")
    assert computed_on(2, newer) == "A CPU, avx512_vnni, oneDNN, 2 threads"
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert computed_on(2, newer) == "A CPU, avx512_vnni, oneDNN limited to AVX2, 2 threads"
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert ", no oneDNN limited to AVX2, " in computed_on(2, newer)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    assert ", oneDNN as TensorFlow chooses limited to AVX2, " in computed_on(2, newer)


def test_a_run_that_goes_on_elsewhere_tells_of_both():
    first, second = run_state.Clock(), run_state.Clock()
    first.prepared("a, 1 thread")
    second.resume(first.read(), 7)
    second.prepared("b, 2 threads")
    third = run_state.Clock()
    third.resume(second.read(), 9)
    third.prepared("a, 1 thread")
    assert third.read()["computed_on"] == ["a, 1 thread", "b, 2 threads"]
    assert third.read()["resumed"] == [7, 9]


KINDS = {
    "as it is": {},
    "AVX2 alone": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
}


def test_equal_settings_and_threads_give_equal_bytes_on_each_kind_of_cpu(tmp_path):
    """Other kinds by oneDNN's and TensorFlow's own limits. Between kinds results differ by rounding alone."""
    pictures = [tmp_path / name for name in ("content.png", "style.png")]
    for seed, path in enumerate(pictures):
        write_image(path, np.random.default_rng(seed).integers(0, 256, (48, 60, 3), np.uint8))
    command = [*NEURAL_STYLE, "--content", pictures[0], "--styles"]
    command += [pictures[1], "--network", sources.package_path(sources.SOURCES["vgg16"]), "--iterations", "4"]
    command += ["--device", "cpu", "--threads", "2", "--print-iterations", "1", "--overwrite"]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ONEDNN", "TF_ENABLE"))}

    def run(variables):
        outputs = [tmp_path / f"run.{suffix}" for suffix in ("png", "csv", "json")]
        options = itertools.chain(*zip(("--output", "--losses", "--record"), outputs, strict=True))
        subprocess.run([*command, *options], check=True, capture_output=True, env=own | variables)
        return [path.read_bytes() for path in outputs[:2]], json.loads(outputs[2].read_text())

    totals, places = [], []
    for variables in KINDS.values():
        files, record = run(variables)
        again, other = run(variables) if variables else (files, record)  # as it is, others test that
        assert files == again
        assert record["computed_on"] == other["computed_on"]
        places += record["computed_on"]
        totals.append(record["final"]["total"])
    assert len(set(places)) == len(KINDS)
    assert all(place.endswith("2 threads") for place in places)
    assert totals == pytest.approx([totals[0]] * len(KINDS), rel=1e-3)


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float32"), ((8, 0), None), ((9, 0), None)])
def test_what_a_gpu_has(monkeypatch, capability, expected):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {"compute_capability": capability})
    assert precision.resolve("auto", "gpu") == (expected or "bfloat16")
    assert precision.resolve("tensorfloat32", "gpu") == (expected or "tensorfloat32")
    assert precision.resolve("float32", "gpu") == "float32"
