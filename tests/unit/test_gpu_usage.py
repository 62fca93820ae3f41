"""GPU sampling against a module that stands in for nvidia-ml-py."""

import logging
import sys
import threading
import time
import types

import pytest

from styletransfer.devices import gpu_usage

MIB = 2**20


@pytest.fixture
def nvml(monkeypatch):
    """A fake pynvml with one GPU and one MIG device, whose figures go round."""
    monkeypatch.setattr(gpu_usage, "INTERVAL_SECONDS", 0.01)
    module = types.ModuleType("pynvml")
    module.NVMLError = type("NVMLError", (Exception,), {})
    module.NVMLError_NotSupported = type("NVMLError_NotSupported", (module.NVMLError,), {})
    module.open, module.samples = 0, 0

    def start():
        module.open += 1

    def stop():
        module.open -= 1

    def handle(uuid):
        if uuid not in ("GPU-a", "MIG-a"):
            raise module.NVMLError("Not Found")
        return uuid

    def memory(device):
        module.samples += 1
        return types.SimpleNamespace(used=(100 if module.samples % 2 else 300) * MIB)

    def utilisation(device):
        if device.startswith("MIG"):
            raise module.NVMLError_NotSupported
        return types.SimpleNamespace(gpu=90 if module.samples % 2 else 50)

    module.nvmlInit, module.nvmlShutdown = start, stop
    module.nvmlDeviceGetHandleByUUID = handle
    module.nvmlDeviceGetMemoryInfo, module.nvmlDeviceGetUtilizationRates = memory, utilisation
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return module


def watched(uuid, nvml, samples=4):
    with gpu_usage.watch(uuid) as usage:
        end = time.monotonic() + 5
        while nvml.samples < samples and time.monotonic() < end:
            time.sleep(0.005)
    assert nvml.open == 0, "NVML was not shut down"
    assert not [thread for thread in threading.enumerate() if thread.name == "gpu-monitor"]
    return usage.summary()


def test_mean_and_peak(nvml):
    summary = watched("GPU-a", nvml)
    assert (summary["utilisation_peak_percent"], summary["memory_peak_mib"]) == (90, 300)
    assert 50 < summary["utilisation_mean_percent"] < 90
    assert 100 < summary["memory_mean_mib"] < 300


def test_a_short_run_has_one_sample_at_least(nvml, monkeypatch):
    monkeypatch.setattr(gpu_usage, "INTERVAL_SECONDS", 60)
    begin = time.monotonic()
    assert watched("GPU-a", nvml, samples=1)["memory_peak_mib"] == 100
    assert time.monotonic() - begin < 5


def test_a_mig_device_tells_its_memory_only(nvml):
    summary = watched("MIG-a", nvml)
    assert summary["memory_peak_mib"] == 300
    assert summary["utilisation_mean_percent"] is summary["utilisation_peak_percent"] is None


@pytest.mark.parametrize("name", ["cpu", "index-0"])
def test_what_is_no_uuid_is_not_asked_for(nvml, name):
    assert watched(name, nvml, samples=0) is None
    assert nvml.samples == 0


def test_no_nvml_is_one_line_in_the_log(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with gpu_usage.watch("GPU-a") as usage:
        pass
    assert usage.summary() is None
    assert len(caplog.messages) == 1


def test_an_unknown_device_is_one_line_in_the_log(nvml, caplog):
    caplog.set_level(logging.INFO)
    assert watched("GPU-b", nvml, samples=0) is None
    assert caplog.messages == ["GPU-b is not sampled (any more): NVMLError: Not Found"]


def test_an_error_on_the_way_keeps_what_is_known_and_disturbs_nothing(nvml, caplog):
    caplog.set_level(logging.INFO)

    def fails_after_two(device, working=nvml.nvmlDeviceGetMemoryInfo):
        if nvml.samples == 2:
            nvml.samples += 1
            raise nvml.NVMLError("GPU is lost")
        return working(device)

    nvml.nvmlDeviceGetMemoryInfo = fails_after_two
    assert watched("GPU-a", nvml, samples=3)["memory_mean_mib"] == 200
    assert caplog.messages == ["GPU-a is not sampled (any more): NVMLError: GPU is lost"]


def test_a_driver_that_hangs_does_not_hold_up_the_run(nvml, monkeypatch):
    monkeypatch.setattr(gpu_usage, "PATIENCE_SECONDS", 0.05)
    hung = threading.Event()
    nvml.nvmlInit = hung.wait
    begin = time.monotonic()
    with gpu_usage.watch("GPU-a") as usage:
        pass
    assert time.monotonic() - begin < 2
    assert usage.summary() is None
    hung.set()


def test_an_error_of_the_run_is_not_swallowed(nvml):
    with pytest.raises(ZeroDivisionError), gpu_usage.watch("GPU-a"):
        raise ZeroDivisionError
    assert nvml.open == 0
