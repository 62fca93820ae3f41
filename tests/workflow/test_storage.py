"""Without a shared disk: the storage providers fs and s3, and jobs on nodes that have no file in common."""

import contextlib
import filecmp
import shutil
import socket
import stat
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers.studies import ROOT, tiny_study
from helpers.workflow import snakemake

STUDY = tiny_study(
    images={"photograph": {"path": "photos/a b.png"}, "artwork": {"painting": "glass"}},
    vary={"style_weight": [5]},
)
LOSSES = "results/studies/tiny/losses.parquet"
# A node is a folder of its own, of which nobody else knows but the commands that submit a job and ask after it.
SUBMIT = """#!/bin/sh
node=$(mktemp -d {nodes}/XXXXXX)
cp "$1" $node/job.sh
cd $node
PATH={bin}:$PATH setsid sh -c 'sh job.sh > log 2>&1; echo $? > ended; mv ended end' > /dev/null 2>&1 < /dev/null &
echo $! > pid
echo $node
"""
LOOK = """#!/bin/sh
if test -e $1/end; then test $(cat $1/end) = 0 && echo success || echo failed
elif kill -0 $(cat $1/pid) 2> /dev/null; then echo running
else echo failed; fi
"""
# The node that computes the first run dies when all is computed and nothing has been stored.
ENGINE = """#!/bin/sh
echo "$@" >> {calls}
test "$1" = run && mkdir {calls}.killed 2> /dev/null || exec {engine} "$@"
{engine} "$@"
kill -9 -- -$(ps -o pgid= $$ | tr -d ' ')
"""


def lay_out(folder):
    """The user's photograph."""
    (folder / "photos").mkdir(parents=True)
    pixels = np.random.default_rng(1).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(pixels).save(folder / STUDY["images"]["photograph"]["path"])


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory):
    """The study as it is with a shared disk."""
    folder = tmp_path_factory.mktemp("disk")
    lay_out(folder)
    snakemake(folder, LOSSES, config=STUDY)
    return folder


def assert_same(folder, on_disk):
    """All that a stopwatch does not decide is the same to the byte."""
    made = sorted(
        path.relative_to(on_disk) for path in on_disk.glob("results/runs/*/*") if path.suffix in (".png", ".csv")
    )
    assert len(made) == 4
    for name in (*made, LOSSES):
        assert filecmp.cmp(on_disk / name, folder / name, shallow=False), name


def command(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_nodes_that_have_no_file_in_common(tmp_path, on_disk):
    """They know the photograph by the plan; a run whose node is killed is computed once more, and once only."""
    for plugin in ("storage_plugin_fs", "executor_plugin_cluster_generic"):
        pytest.importorskip(f"snakemake_{plugin}")
    if not shutil.which("rsync"):
        pytest.skip("no rsync, which the storage provider fs calls: `make workflow` installs it")
    checkout, store, nodes, bin = (tmp_path / name for name in ("checkout", "store", "nodes", "bin"))
    lay_out(checkout)
    nodes.mkdir()
    bin.mkdir()
    for name in ("workflow", "profiles", "envs"):
        shutil.copytree(ROOT / name, checkout / name)
    shutil.copy(ROOT / "Snakefile", checkout)
    calls = tmp_path / "calls"
    command(bin / "styletransfer", ENGINE.format(calls=calls, engine=f"{sys.executable} -m styletransfer"))
    arguments = [
        *("--snakefile", "Snakefile", "--executor", "cluster-generic", "--jobs", "2", "--job-deploy-sources"),
        *("--cluster-generic-submit-cmd", command(tmp_path / "submit", SUBMIT.format(nodes=nodes, bin=bin))),
        *("--cluster-generic-status-cmd", command(tmp_path / "look", LOOK)),
        *("--default-storage-provider", "fs", "--default-storage-prefix", str(store), "--shared-fs-usage", "none"),
    ]
    output = snakemake(checkout, *arguments, config=STUDY)
    assert_same(store, on_disk)
    computed = [line.split()[2] for line in calls.read_text().splitlines() if line.startswith("run ")]
    assert sorted(map(computed.count, set(computed))) == [1, 2]
    # Four nodes: two runs, the one that was killed, and measuring. All else is done where the study was started.
    assert len(list(nodes.iterdir())) == 4
    assert not [path for path in nodes.rglob("*") if path.name == "a b.png"]
    runs = pd.read_csv(store / "results/studies/tiny/runs.csv")
    assert list(runs["status"]) == ["ok", "ok"]
    assert (store / "results/studies/tiny/manifest.json").exists()
    output = snakemake(checkout, *arguments, config=STUDY)
    assert "Nothing to be done" in output


@contextlib.contextmanager
def server():
    """The address of an S3 server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert process.poll() is None
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_an_object_store(tmp_path, on_disk, monkeypatch):
    pytest.importorskip("snakemake_storage_plugin_s3")
    pytest.importorskip("moto.server")
    import boto3

    lay_out(tmp_path)
    with server() as address:
        for name, value in {"ENDPOINT_URL": address, "ACCESS_KEY": "a", "SECRET_KEY": "b"}.items():
            monkeypatch.setenv(f"SNAKEMAKE_STORAGE_S3_{name}", value)
        prefix = ["--default-storage-prefix", "s3://studies/mine", "--shared-fs-usage", "none"]
        snakemake(tmp_path, LOSSES, "--default-storage-provider", "s3", *prefix, config=STUDY)
        store = boto3.resource("s3", endpoint_url=address, aws_access_key_id="a", aws_secret_access_key="b")
        for found in store.Bucket("studies").objects.all():
            file = tmp_path / "got" / found.key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(found.get()["Body"].read())
    assert_same(tmp_path / "got/mine", on_disk)
    assert not list((tmp_path / "got").rglob("a b.png"))
