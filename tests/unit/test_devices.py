"""Leases on a machine with a fake nvidia-smi."""

import dataclasses
import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from helpers.gpus import fake_gpus
from helpers.studies import NEURAL_STYLE
from styletransfer.devices import gpu_usage, host, lease, precision, tf_setup
from styletransfer.errors import InputError, MachineError
from styletransfer.images.io import write_image
from styletransfer.optim.stylize import BACKENDS

HOLD = """
import subprocess, sys, time
from styletransfer.devices import lease
with lease.lease("gpu", 5, slots=int(sys.argv[1])) as device:
    print(device.uuid, device.slot, flush=True)
    {meanwhile}
    time.sleep(60)
"""
MIG = """GPU 0: A (UUID: GPU-aaaa-1)
  MIG 1g Device 0: (UUID: MIG-1111)
  MIG 1g Device 1: (UUID: MIG-1122)
GPU 1: B (UUID: GPU-aaaa-2)
GPU 2: C (UUID: GPU-cccc-3)
"""


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    fake_gpus(monkeypatch, tmp_path, 2)
    return tmp_path


class Holder:
    """A process that leases a device and keeps it until it is killed."""

    def __init__(self, meanwhile="", slots=1):
        code = [sys.executable, "-c", HOLD.format(meanwhile=meanwhile), str(slots)]
        self.process = subprocess.Popen(code, stdout=subprocess.PIPE, text=True)
        self.uuid, self.slot = self.process.stdout.readline().split()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kill()
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait()


def test_two_processes_get_two_devices_and_a_killed_one_frees_its_own(two_gpus):
    with Holder() as first, Holder() as second:
        assert {first.uuid, second.uuid} == {"GPU-fake-0", "GPU-fake-1"}
        held = rf"none of 2 GPUs became free within 0.1 s: .*{first.uuid}.0 held by process {first.process.pid}"
        with pytest.raises(InputError, match=held), lease.lease("gpu", 0.1):
            pass
        first.kill()
        with lease.lease("gpu", 0) as device:
            assert dataclasses.asdict(device) == {"kind": "gpu", "uuid": first.uuid, "slot": 0}


def test_cuda_shows_the_leased_device_and_nothing_else(two_gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with lease.lease("gpu", 0):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-fake-1"
        assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_one_given_device_is_locked_too(two_gpus, monkeypatch):
    """A batch system gave one device; two runs by hand in that allocation must not share it."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with Holder(), pytest.raises(InputError, match="none of 1 GPUs"), lease.lease("auto", 0):
        pass


def test_slots_fill_devices_first_and_end(two_gpus):
    with Holder(slots=2) as a, Holder(slots=2) as b, Holder(slots=2) as c, Holder(slots=2) as d:
        assert {a.uuid, b.uuid} == {c.uuid, d.uuid} == {"GPU-fake-0", "GPU-fake-1"}
        assert [a.slot, b.slot, c.slot, d.slot] == ["0", "0", "1", "1"]
        with pytest.raises(InputError, match="none of 2"), lease.lease("gpu", 0, slots=2):
            pass
        with pytest.raises(InputError, match="none of 2"), lease.lease("gpu", 0, slots=1):
            pass
        with lease.lease("gpu", 0, slots=3) as device:
            assert device.slot == 2


@pytest.mark.parametrize(
    "meanwhile",
    [
        "print(subprocess.Popen(['sleep', '60']).pid, flush=True)",
        "print(subprocess.Popen(['sleep', '60'], close_fds=False).pid, flush=True)",
        "import os; child = os.fork(); child or (time.sleep(60), os._exit(0)); print(child, flush=True)",
    ],
    ids=["exec", "exec that would inherit open files", "bare fork"],
)
def test_a_child_that_outlives_its_killed_parent_holds_nothing(two_gpus, monkeypatch, meanwhile):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with Holder(meanwhile) as holder:
        child = int(holder.process.stdout.readline())
        try:
            with pytest.raises(InputError, match="none of 1"), lease.lease("gpu", 0):
                pass
            holder.kill()
            os.kill(child, 0)  # it is still there
            with lease.lease("gpu", 0):
                pass
        finally:
            os.kill(child, 9)


def test_a_forked_child_that_ends_does_not_free_its_parents_device(two_gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with Holder("import os; child = os.fork(); child or sys.exit(); os.wait(); print('gone', flush=True)") as holder:
        assert holder.process.stdout.readline() == "gone\n"
        with pytest.raises(InputError, match="none of 1"), lease.lease("gpu", 0):
            pass


def test_a_second_lease_in_one_process_is_refused(two_gpus):
    refused = pytest.raises(RuntimeError, match="one process, one device")
    with lease.lease("gpu", 0), refused, lease.lease("gpu", 0):
        pass
    with lease.lease("gpu", 0):
        pass


def test_waiting_is_told_at_its_start_and_then_now_and_again(two_gpus, caplog, monkeypatch):
    monkeypatch.setattr(lease, "REPORT_SECONDS", 0.3)
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with Holder() as holder, pytest.raises(InputError), lease.lease("gpu", 2.5):
        pass
    messages = [message for message in caplog.messages if message.startswith("waiting")]
    assert len(messages) >= 3
    assert messages[0] == f"waiting for a GPU, 0 of at most 2.5 s: GPU-fake-0.0 held by process {holder.process.pid}"


def test_who_waits_longer_asks_more_often():
    pauses = [[lease._pause(waited) for _ in range(200)] for waited in (0, 60, 600, 1e6)]
    means = [sum(group) / len(group) for group in pauses]
    assert means[0] > means[1] > means[2]
    assert all(0.01 <= pause <= 0.75 for group in pauses for pause in group)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("1", ["GPU-aaaa-2"]),
        ("2,1", ["GPU-cccc-3", "GPU-aaaa-2"]),
        ("2, 2", ["GPU-cccc-3"]),
        ("0", ["MIG-1111", "MIG-1122"]),
        ("7", []),
        ("2,7,1", ["GPU-cccc-3"]),
        ("2,-1,1", ["GPU-cccc-3"]),
        ("-1", []),
        ("", []),
        ("NoDevFiles", []),
        ("GPU-cccc-3", ["GPU-cccc-3"]),
        ("GPU-c", ["GPU-cccc-3"]),
        ("GPU-aaaa", []),
        ("GPU-other", []),
        ("GPU-aaaa-1", ["MIG-1111", "MIG-1122"]),
        ("MIG-1122,GPU-cccc", ["MIG-1122", "GPU-cccc-3"]),
        ("MIG-112", ["MIG-1122"]),
        ("MIG-GPU-aaaa-1/1/0", ["MIG-GPU-aaaa-1/1/0"]),
        ("../../evil", []),
    ],
)
def test_cuda_visible_devices(tmp_path, monkeypatch, visible, expected):
    fake_gpus(monkeypatch, tmp_path, MIG)
    assert host.gpus({"CUDA_VISIBLE_DEVICES": visible}) == expected


def test_mig_devices_stand_for_their_gpu(tmp_path, monkeypatch):
    fake_gpus(monkeypatch, tmp_path, MIG)
    assert host.gpus({}) == ["MIG-1111", "MIG-1122", "GPU-aaaa-2", "GPU-cccc-3"]


def test_an_invalid_entry_is_told(two_gpus, caplog):
    host.gpus({"CUDA_VISIBLE_DEVICES": "0,9,1"})
    assert "CUDA_VISIBLE_DEVICES is '0,9,1': '9' is not a device here" in caplog.text


def test_without_nvidia_smi_names_are_taken_as_they_are(tmp_path, monkeypatch):
    fake_gpus(monkeypatch, tmp_path, 0)
    (tmp_path / "nvidia-smi").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert host.gpus({}) == []
    assert host.gpus({"CUDA_VISIBLE_DEVICES": "1,GPU-ab,MIG-x"}) == ["index-1", "GPU-ab", "MIG-x"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with lease.lease("gpu", 0) as device:
        assert device.uuid == "index-3"
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "3"
        assert (tmp_path / "leases/index-3.0.lock").exists()


def broken(folder, script):
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")


LOST = """GPU 0: A (UUID: GPU-a)
Unable to determine the device handle for GPU1: 0000:41:00.0: GPU is lost.  Reboot the system to recover this GPU
GPU 2: C (UUID: GPU-c)
  MIG 1g Device 0: (UUID: MIG-c0)
GPU 3: D (UUID: GPU-d)
"""


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ({}, ["GPU-a", "MIG-c0", "GPU-d"]),
        ({"CUDA_VISIBLE_DEVICES": "2"}, ["MIG-c0"]),
        ({"CUDA_VISIBLE_DEVICES": "3"}, ["GPU-d"]),
        ({"CUDA_VISIBLE_DEVICES": "1"}, []),
        ({"CUDA_VISIBLE_DEVICES": "GPU-d"}, ["GPU-d"]),
    ],
)
@pytest.mark.parametrize("code", [0, 15])
def test_the_index_that_nvidia_smi_prints_is_the_one_that_is_used(tmp_path, monkeypatch, visible, expected, code):
    fake_gpus(monkeypatch, tmp_path, LOST)
    broken(tmp_path, f"cat '{tmp_path}/listing'; exit {code}")
    assert host.gpus(visible) == expected


def test_the_models_of_gpus_are_those_that_nvidia_smi_names(tmp_path, monkeypatch):
    fake_gpus(monkeypatch, tmp_path, LOST.replace("3: D", "3: NVIDIA A100 (80 GB)").replace("0: A", "0: C"))
    assert host.gpu_names() == ("C", "NVIDIA A100 (80 GB)")
    (tmp_path / "nvidia-smi").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert host.gpu_names() == ()


@pytest.mark.parametrize("text", ["No devices found.", "No devices were found"])
def test_an_nvidia_smi_that_finds_no_device_says_so(two_gpus, text):
    broken(two_gpus, f"echo {text}; exit 6")
    assert host.gpus({}) == []


DRIVER = "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver."


@pytest.mark.parametrize(
    ("script", "reason"),
    [(f"echo '{DRIVER}'; exit 9", f"exit status 9: {DRIVER}"), ("exec sleep 60", "did not answer")],
)
@pytest.mark.parametrize("visible", [None, "0"])
def test_where_nvidia_smi_fails_nobody_guesses(two_gpus, monkeypatch, caplog, script, reason, visible):
    broken(two_gpus, script)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(MachineError, match=re.escape(reason)):
        host.resolve("auto", patience=0.3)
    assert host.guess("auto", patience=0.3) == "gpu"
    assert reason in caplog.text
    with lease.lease("cpu") as device:
        assert device == lease.CPU


@pytest.mark.parametrize("choice", ["auto", "gpu"])
def test_where_nvidia_smi_fails_a_run_does_not_take_the_cpu(two_gpus, choice):
    broken(two_gpus, "exit 9")
    with pytest.raises(MachineError, match="nobody knows whether there is a GPU"), lease.lease(choice, 0):
        pass


def test_a_driver_that_even_sigkill_does_not_end_is_not_waited_for(two_gpus, monkeypatch):
    broken(two_gpus, "exec sleep 60")
    monkeypatch.setattr(subprocess.Popen, "kill", lambda process: None)
    begin = time.monotonic()
    with pytest.raises(MachineError, match=r"did not answer within 0\.2 s"):
        host.gpus({}, 0.2)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(("answer", "kind"), [("GPUs: 1", "gpu"), ("GPUs: 0", "cpu"), ("cannot import", "cpu")])
def test_auto_is_a_gpu_only_where_tensorflow_finds_it(two_gpus, monkeypatch, caplog, answer, kind):
    monkeypatch.delenv("STYLETRANSFER_FAKE_GPUS")
    monkeypatch.setattr(host, "_LIST_GPUS", f"print('a message'); print({answer!r})")
    assert host.resolve("auto") == kind
    assert host.resolve("auto", try_tensorflow=False) == "gpu"
    assert ("computing on the CPU" in caplog.text) == (kind == "cpu")
    if kind == "gpu":
        host.check("gpu", "gpu", 2)
        return
    with pytest.raises(MachineError, match=r"TensorFlow sees no GPU: install envs/requirements-gpu\.txt"):
        host.check("gpu", "gpu", 2)
    with pytest.raises(InputError, match="no GPU is visible to TensorFlow"):
        host.check("auto", "cpu", 2)
    host.check("auto", "cpu", 1)
    with lease.lease("auto") as device:
        assert device == lease.CPU


@pytest.mark.parametrize("version", [1, 2])
def test_the_quota_of_a_container_counts(tmp_path, monkeypatch, version):
    """Half a core and 1200 MiB, set on a group above that of the process."""
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal: 16000000 kB\nMemAvailable:   8000000 kB\n")
    if version == 2:
        (proc / "self/cgroup").write_text("0::/box/job\n")
        files = {"box/cpu.max": "50000 100000", "box/job/cpu.max": "max 100000", "box/memory.max": "1258291200"}
        files |= {"box/job/memory.max": "max"}
    else:
        (proc / "self/cgroup").write_text("4:memory:/box/job\n3:cpu,cpuacct:/box/job\n")
        files = {"cpu/box/cpu.cfs_quota_us": "50000", "cpu/box/cpu.cfs_period_us": "100000"}
        files |= {"cpu/box/job/cpu.cfs_quota_us": "-1", "cpu/box/job/cpu.cfs_period_us": "100000"}
        files |= {"memory/box/memory.limit_in_bytes": "1258291200", "memory/memory.limit_in_bytes": str(2**63 - 4096)}
    for name, text in files.items():
        (groups / name).parent.mkdir(parents=True, exist_ok=True)
        (groups / name).write_text(text + "\n")
    monkeypatch.setattr(host, "PROC", proc)
    monkeypatch.setattr(host, "CGROUPS", groups)
    assert (host.cores(), host.memory_mb()) == (1, 1258)
    asked = mock.Mock(value=len(os.sched_getaffinity(0)))
    assert host.limits({"_cores": asked}) == {"_cores": 1, "mem_mb": 1258}
    assert host.limits({"_cores": mock.Mock(value=99), "mem_mb": mock.Mock(value=5)}) == {}
    for name in files:
        (groups / name).unlink()
    assert (host.cores(), host.memory_mb()) == (asked.value, 8192)


def test_a_gpu_asked_for_and_none_there(two_gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match="no GPU is visible"), lease.lease("gpu"):
        pass
    with lease.lease("auto") as device:
        assert device == lease.CPU
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"


@pytest.mark.parametrize(("tokens", "slots"), [(1, 1), (2, 1), (4, 2)])
def test_a_workflow_that_fits_may_start(two_gpus, tokens, slots):
    host.check("gpu", "gpu", tokens, slots)


@pytest.mark.parametrize(
    ("tokens", "slots", "message"),
    [
        (3, 1, r"3 runs may .* room for 2 \(GPUs: 2, slots per device: 1\). Use --resources gpu=2,"),
        (5, 2, r"5 runs may .* room for 4 \(GPUs: 2, slots per device: 2\)"),
        (None, 1, "any number of runs"),
        (0, 1, "or fewer but not 0"),
    ],
)
def test_a_workflow_with_more_tokens_than_slots_is_refused(two_gpus, tokens, slots, message):
    with pytest.raises(InputError, match=message):
        host.check("gpu", "gpu", tokens, slots)


def test_a_workflow_for_gpus_is_refused_where_there_is_none_and_one_for_cpus_is_not(tmp_path, monkeypatch):
    fake_gpus(monkeypatch, tmp_path, 0)
    host.check("cpu", "cpu", None)
    with pytest.raises(InputError, match="device is gpu, but no GPU is visible"):
        host.check("gpu", "gpu", 1)


def test_auto_without_a_gpu_takes_the_cpu_but_not_if_several_gpus_were_asked_for(tmp_path, monkeypatch):
    fake_gpus(monkeypatch, tmp_path, 0)
    assert host.resolve("auto") == "cpu"
    host.check("auto", "cpu", 1)
    with pytest.raises(InputError, match="4 runs may have a GPU at once, but no GPU is visible"):
        host.check("auto", "cpu", 4)
    fake_gpus(monkeypatch, tmp_path, 2)
    with pytest.raises(InputError, match="room for 2"):
        host.check("auto", host.resolve("auto"), 4)


def test_who_only_submits_must_say_what_runs_compute_on():
    for choice in ("gpu", "cpu"):
        host.check_remote(choice)
    with pytest.raises(InputError, match="write device: gpu or device: cpu"):
        host.check_remote("auto")


def symlinked(folder):
    (folder / "elsewhere").mkdir(mode=0o700)
    (folder / "leases").symlink_to(folder / "elsewhere")


def readable_by_others(folder):
    (folder / "leases").mkdir(mode=0o700)
    (folder / "leases").chmod(0o750)


def a_file(folder):
    (folder / "leases").write_text("")


@pytest.mark.parametrize("hijack", [symlinked, readable_by_others, a_file])
def test_a_folder_that_is_not_the_users_alone_is_refused(two_gpus, hijack):
    hijack(two_gpus)
    with pytest.raises(InputError, match="not a private folder of this user"), lease.lease("gpu", 0):
        pass


def test_a_folder_of_somebody_else_is_refused(two_gpus, monkeypatch):
    lease.lock_folder()
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(InputError, match=f"owner {owner + 1}"):
        lease.lock_folder()


def test_a_folder_that_cannot_be_made_is_told(two_gpus, monkeypatch):
    monkeypatch.setenv("STYLETRANSFER_LEASES", str(two_gpus / "no/such/place"))
    with pytest.raises(InputError, match="name another folder in STYLETRANSFER_LEASES"):
        lease.lock_folder()


def test_a_folder_that_depends_on_where_one_stands_is_refused(two_gpus, monkeypatch):
    monkeypatch.setenv("STYLETRANSFER_LEASES", "leases")
    with pytest.raises(InputError, match="'leases': give the full path"):
        lease.lock_folder()


def test_each_user_has_a_folder_of_their_own(monkeypatch):
    monkeypatch.delenv("STYLETRANSFER_LEASES", raising=False)
    monkeypatch.setenv("TMPDIR", "/nowhere")
    folder = lease.lock_folder()
    assert folder == Path(f"/tmp/styletransfer-leases-{os.getuid()}")
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def lock(two_gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    (two_gpus / "victim").write_text("precious")
    return lease.lock_folder() / "GPU-fake-0.0.lock"


@pytest.mark.parametrize(
    "hijack",
    [
        lambda lock: lock.symlink_to(lock.parents[1] / "victim"),
        lambda lock: lock.hardlink_to(lock.parents[1] / "victim"),
        lambda lock: lock.mkdir(),
        os.mkfifo,
    ],
    ids=["symlink", "hard link", "folder", "pipe"],
)
def test_a_lock_file_that_is_something_else_is_refused(lock, hijack):
    hijack(lock)
    refused = r"GPU-fake-0.0.lock (is not|cannot be used as) a lock file"
    with pytest.raises(InputError, match=refused), lease.lease("gpu", 0):
        pass
    assert (lock.parents[1] / "victim").read_text() == "precious"


def test_a_lock_file_of_somebody_else_is_refused(lock, monkeypatch):
    with lease.lease("gpu", 0):
        pass
    owner = os.getuid()
    monkeypatch.setattr(lease, "lock_folder", lambda: lock.parent)
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(InputError, match="not a lock file of this user"), lease.lease("gpu", 0):
        pass


def test_a_lock_file_is_private_and_not_inherited(lock):
    with lease.lease("gpu", 0):
        assert lock.stat().st_mode & 0o777 == 0o600
        assert lock.read_text() == f"{os.getpid()}\n"
        (descriptor,) = [link.name for link in Path("/proc/self/fd").iterdir() if link.resolve() == lock]
        assert not os.get_inheritable(int(descriptor))


def test_tensorflow_starts_on_the_leased_device_alone(two_gpus, monkeypatch):
    """A stand-in for TensorFlow tells what it would see when it is imported."""
    (two_gpus / "tensorflow").mkdir()
    (two_gpus / "tensorflow/__init__.py").write_text("import os, sys; sys.exit(os.environ['CUDA_VISIBLE_DEVICES'])")
    monkeypatch.setenv("PYTHONPATH", f"{two_gpus}{os.pathsep}{os.environ['PYTHONPATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    write_image(two_gpus / "a.png", np.zeros((16, 16, 3), np.uint8))
    picture = str(two_gpus / "a.png")
    command = [
        *NEURAL_STYLE,
        "--device",
        "gpu",
        "--content",
        picture,
        "--styles",
        picture,
        "--network",
        picture,
        "--output",
        f"{two_gpus}/b.png",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "GPU-fake-1", done.stderr


@pytest.fixture
def tensorflow(monkeypatch):
    module = mock.MagicMock()
    monkeypatch.setitem(sys.modules, "tensorflow", module)
    return module


def test_memory_growth_is_on(tensorflow):
    tensorflow.config.list_physical_devices.return_value = ["the leased one"]
    tf_setup.load_tensorflow(None, lease.Device("gpu", "GPU-a"))
    tensorflow.config.experimental.set_memory_growth.assert_called_once_with("the leased one", True)


def test_slots_share_the_memory(tensorflow, monkeypatch):
    tensorflow.config.list_physical_devices.return_value = ["the leased one"]
    monkeypatch.setattr(gpu_usage, "total_memory_mib", {"GPU-a": 24000.0}.get)
    tf_setup.load_tensorflow(None, lease.Device("gpu", "GPU-a", 1), 3)
    tensorflow.config.LogicalDeviceConfiguration.assert_called_once_with(memory_limit=7200)
    ((gpu, _),) = [call.args for call in tensorflow.config.set_logical_device_configuration.call_args_list]
    assert gpu == "the leased one"
    assert not tensorflow.config.experimental.set_memory_growth.called
    # Where the driver does not tell, there is no share to keep to.
    tf_setup.load_tensorflow(None, lease.Device("gpu", "GPU-b", 1), 3)
    tensorflow.config.experimental.set_memory_growth.assert_called_once_with("the leased one", True)


def test_a_leased_gpu_that_tensorflow_does_not_see_is_an_error(tensorflow):
    """Else a study would compute on the CPU for days, and its tables would say GPU."""
    tensorflow.config.list_physical_devices.return_value = []
    tf_setup.load_tensorflow(None, lease.CPU)
    with pytest.raises(InputError, match="GPU-a is leased, but TensorFlow sees no GPU"):
        tf_setup.load_tensorflow(None, lease.Device("gpu", "GPU-a"))


@pytest.mark.parametrize(
    ("device", "backend", "before", "after"),
    [
        (lease.CPU, "auto", None, "1"),
        (lease.CPU, "analytic", "0", "0"),  # the user's word counts
        (lease.CPU, "autodiff", None, None),
        (lease.Device("gpu", "GPU-a"), "auto", None, None),
    ],
)
def test_onednn_is_on_where_it_is_faster(tensorflow, monkeypatch, device, backend, before, after):
    tensorflow.config.list_physical_devices.return_value = [] if device == lease.CPU else ["the leased one"]
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if before:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", before)
    tf_setup.load_tensorflow(1, device, backend=backend)
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == after


def test_the_page_about_gpus_quotes_what_the_code_says():
    root = Path(__file__).parents[2]
    page = (root / "docs/gpus.md").read_text()
    engine = "".join(path.read_text() for path in (root / "workflow").rglob("*.py"))
    quoted = re.findall(r"^\| `([^`:]+)` \|", page, re.MULTILINE)
    assert len(quoted) == 9
    for words in (*quoted, *re.findall(r"STYLETRANSFER_\w+|--device-\w+", page)):
        assert words in engine, f"{words} is in docs/gpus.md, but not in the engine"


@pytest.mark.parametrize("where", ["nowhere", "unwritable", "a file"])
def test_a_run_without_a_home_folder_keeps_no_cache(tensorflow, tmp_path, monkeypatch, where):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("TF_XLA_FLAGS", raising=False)
    if where == "nowhere":
        monkeypatch.setattr(Path, "home", mock.Mock(side_effect=RuntimeError("Could not determine home directory.")))
    elif where == "a file":
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert tf_setup.cache_folder() is None
    tf_setup.load_tensorflow(1)
    assert "TF_XLA_FLAGS" not in os.environ


def test_a_table_tells_the_backend_of_every_kind_of_device_and_precision():
    formats = {"cpu": {"float32", "bfloat16"}, "gpu": {"float32", "tensorfloat32", "bfloat16"}}
    assert set(precision.DEFAULT_BACKEND) == {(kind, name) for kind, names in formats.items() for name in names}
    assert set(precision.DEFAULT_BACKEND.values()) <= set(BACKENDS)


@pytest.mark.parametrize(
    ("flags", "limit", "expected"),
    [
        ("avx avx2 avx512f", None, "avx512f"),
        ("avx avx2 avx512f", "AVX2", "avx2"),
        ("avx avx2 avx512f", "avx2_vnni", "avx2"),
        ("avx avx2 avx512f", "AVX", "avx"),
        ("avx avx2 avx512f", "AVX512_CORE", "avx512f"),
        ("avx avx2 avx512f", "DEFAULT", "avx512f"),
        ("avx", "AVX2", "avx"),
        ("avx avx2", None, "avx2"),
    ],
)
def test_instructions_are_those_that_a_user_lets_onednn_have(tmp_path, monkeypatch, flags, limit, expected):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"flags\t: fpu {flags}\n")
    monkeypatch.setenv(precision.ONEDNN_LIMIT, limit or "")
    assert precision.usable_instructions(cpuinfo) == expected
