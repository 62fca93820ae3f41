"""How TensorFlow starts on a leased device."""

from __future__ import annotations

import contextlib
import gc
import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from styletransfer.devices import gpu_usage, lease, precision
from styletransfer.errors import MachineError

# Of a slot's share of a GPU's memory: the rest is for what CUDA itself takes of it in every process.
USABLE_MEMORY = 0.9


def load_tensorflow(
    threads: int | None, leased: lease.Device = lease.CPU, slots: int = 1, backend: str = "auto"
) -> None:
    """Import TensorFlow, quiet, deterministic, and no greedier than it needs to be.

    slots: how many processes share the device; each then keeps to its share of the memory. backend: as
    `optim.stylize` has it.
    """
    # TensorFlow itself switches oneDNN on only on CPUs with AVX512-VNNI. With AVX2 alone `analytic` gains a quarter of
    # its speed by it, and `autodiff` loses a tenth.
    if leased.kind == "cpu" and not backend.startswith("autodiff"):
        os.environ.setdefault(precision.ONEDNN_SWITCH, "1")
    # On the CPU nobody wants to read that no GPU was found.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if leased.kind == "gpu" else "3")
    # Not Keras, matplotlib and pandas along with it: a package that is not installed is taken in their place.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    # What XLA compiled in one process serves the next.
    if (cache := cache_folder()) is not None:
        os.environ.setdefault("TF_XLA_FLAGS", f"--tf_xla_persistent_cache_directory={cache / 'xla'}")
    with _without_native_messages() if leased.kind == "cpu" else contextlib.nullcontext(), _without_collections():
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    # Equal seeds give equal bits, on GPUs as well.
    tf.config.experimental.enable_op_determinism()
    # Tests have no GPU but want to see runs being scheduled.
    if leased.kind == "gpu" and not gpus and not os.environ.get("STYLETRANSFER_FAKE_GPUS"):
        raise MachineError(
            f"{leased.uuid} is leased, but TensorFlow sees no GPU and would compute on the CPU. Install "
            "envs/requirements-gpu.txt and check the driver, or compute on the CPU (device: cpu, --device cpu)"
        )
    share = gpu_usage.total_memory_mib(leased.uuid) if gpus and slots > 1 else None
    for gpu in gpus:
        if share is None:
            tf.config.experimental.set_memory_growth(gpu, True)
        else:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=round(USABLE_MEMORY * share / slots))
            tf.config.set_logical_device_configuration(gpu, [limit])
    # The network is one chain of operations: a second one beside it only costs memory.
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)


def version() -> str:
    """That of TensorFlow, without loading it; its package for CPUs alone has another name."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version("tensorflow")
    return importlib.metadata.version("tensorflow-cpu")


def cache_folder() -> Path | None:
    """Where this user's machine keeps what was compiled for it; made if need be. None where nothing can be kept."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "styletransfer"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a user without a home folder, as a container may have
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Objects that stay are not searched for garbage, now or later: that is a fifth of TensorFlow's import."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


@contextlib.contextmanager
def _without_native_messages() -> Iterator[None]:
    """What libraries print before anybody can set their loggers goes nowhere: that a CPU is no GPU frightens people."""
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def device_kind() -> str:
    """What TensorFlow computes on: `gpu` if it sees one, else `cpu`. It must have been loaded."""
    import tensorflow as tf

    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


def device_name(kind: str) -> str:
    """The model of what computes."""
    if kind == "cpu":
        return precision.cpu_name()
    import tensorflow as tf

    (gpu, *_) = tf.config.list_physical_devices("GPU")
    return str(tf.config.experimental.get_device_details(gpu).get("device_name", "GPU"))
