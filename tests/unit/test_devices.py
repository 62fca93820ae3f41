"""Leases on a machine with a fake nvidia-smi."""

import subprocess
import sys

import pytest

from styletransfer import devices
from styletransfer.errors import InputError

HOLD = """
import time
from styletransfer import devices
with devices.lease("gpu", 5) as device:
    print(device.uuid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    smi = tmp_path / "nvidia-smi"
    smi.write_text('#!/bin/sh\nfor i in 0 1; do echo "GPU $i: Fake (UUID: GPU-fake-$i)"; done\n')
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("STYLETRANSFER_LEASES", str(tmp_path / "leases"))
    monkeypatch.setenv("PYTHONPATH", "workflow/scripts")
    return tmp_path


def hold():
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def test_two_processes_get_two_devices_and_a_killed_one_frees_its_own(two_gpus):
    first, second = hold(), hold()
    try:
        assert {first[1], second[1]} == {"GPU-fake-0", "GPU-fake-1"}
        with pytest.raises(InputError, match="none of 2 GPUs"), devices.lease("gpu", 0.1):
            pass
        first[0].kill()
        first[0].wait()
        with devices.lease("gpu", 5) as device:
            assert device.uuid == first[1]
    finally:
        for process, _ in (first, second):
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("1", ["GPU-fake-1"]),
        ("1,0", ["GPU-fake-1", "GPU-fake-0"]),
        ("7", ["index-7"]),
        ("-1", []),
        ("", []),
        ("MIG-a/1/0,GPU-x", ["MIG-a/1/0", "GPU-x"]),
    ],
)
def test_cuda_visible_devices(two_gpus, visible, expected):
    assert devices.gpus({"CUDA_VISIBLE_DEVICES": visible}) == expected


def test_mig_devices_stand_for_their_gpu(two_gpus):
    (two_gpus / "nvidia-smi").write_text(
        "#!/bin/sh\necho 'GPU 0: A (UUID: GPU-a)'\necho '  MIG 1g Device 0: (UUID: MIG-1)'\n"
        "echo '  MIG 1g Device 1: (UUID: MIG-2)'\necho 'GPU 1: B (UUID: GPU-b)'\n"
    )
    assert devices.gpus({}) == ["MIG-1", "MIG-2", "GPU-b"]


def test_a_gpu_asked_for_and_none_there(two_gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match="no GPU is visible"), devices.lease("gpu"):
        pass
    with devices.lease("auto") as device:
        assert device.kind == "cpu"


def test_a_lock_folder_of_others_is_refused(two_gpus):
    (two_gpus / "elsewhere").mkdir()
    (two_gpus / "leases").symlink_to(two_gpus / "elsewhere")
    with pytest.raises(InputError, match="not a private folder"):
        devices.lock_folder()
