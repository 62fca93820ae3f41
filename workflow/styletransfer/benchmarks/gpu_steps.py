"""A process on a leased device that measures what it is asked, one thing after another."""

from __future__ import annotations

import collections
import gc
import itertools
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from styletransfer.benchmarks.iteration import multiplications
from styletransfer.benchmarks.measure import NO_TIME, Options, Workbench, begin, study_settings
from styletransfer.devices import tf_setup
from styletransfer.errors import InputError

# The side of matrices that a device multiplies at its best, and for how long each thing is measured.
PRODUCT_SIDE = {"gpu": 8192, "cpu": 1024}
SECONDS = 1.5
MOST_ROUNDS, LEAST_ROUNDS = 30, 3
# A run that lasts longer than any measurement.
ENDLESS = 10**7


class Way(NamedTuple):
    """How steps are computed: precision and backend."""

    precision: str
    backend: str


class Device:
    """A process that holds a device until the block ends.

    Args:
        options: of what is measured; each question may have another width.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._start()

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, self._options), daemon=True)
        self._process.start()
        there.close()

    def ask(self, limit: float, question: str, *arguments: Any) -> Any:
        """The answer of one of `Measurements`. Raises `InputError` as `answer` does."""
        self.tell(question, *arguments)
        return self.answer(limit)

    def tell(self, question: str, *arguments: Any) -> None:
        """Ask without waiting."""
        self._pipe.send((question, arguments))

    def answer(self, limit: float) -> Any:
        """What it answers. Raises `InputError` if it cannot, or not in so many seconds: it is then started again."""
        try:
            if not self._pipe.poll(max(0.0, limit)):
                raise InputError(NO_TIME)
            found = self._pipe.recv()
        except (InputError, EOFError) as error:
            self.__exit__()
            self._start()
            raise error if isinstance(error, InputError) else InputError("the process ended: see above") from error
        if isinstance(found, InputError):
            raise found
        return found


def _serve(pipe: Connection, options: Options) -> None:
    """The process: answers what it is asked, until nobody asks any more."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    measurements = Measurements(options)
    while True:
        try:
            question, arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(getattr(measurements, question)(*arguments))
        except Exception as error:  # out of memory on the device, a kernel that it has not: the next may do
            pipe.send(error if isinstance(error, InputError) else InputError(_short(error)))


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


class Measurements:
    """What such a process can be asked."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._evaluations: Iterator[Any] = iter(())

    def device(self) -> dict[str, Any]:
        """What computes."""
        begin(self._options)
        import tensorflow as tf

        kind, build = tf_setup.device_kind(), tf.sysconfig.get_build_info()
        found = {"computed by": tf_setup.device_name(kind), "tensorflow": tf.__version__}
        for gpu in tf.config.list_physical_devices("GPU"):
            capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", ())
            found["compute capability"] = ".".join(map(str, capability))
        return found | {
            name: build[key] for name, key in (("CUDA", "cuda_version"), ("cuDNN", "cudnn_version")) if key in build
        }

    def products(self, precision: str) -> dict[str, float]:
        """TFLOP/s of products of large matrices."""
        begin(self._options)
        import tensorflow as tf

        self._use(precision)
        side = PRODUCT_SIDE[tf_setup.device_kind()]
        dtype = "bfloat16" if precision == "bfloat16" else "float32"
        a, b = (tf.cast(tf.random.stateless_normal((side, side), (0, seed)), dtype) for seed in (1, 2))

        def several() -> None:
            for _ in range(4):
                product = a @ b
            product[0, 0].numpy()  # waits for all of them

        several()
        return {"TFLOP/s": 4 * 2 * side**3 / _median(several) / 1e12}

    def step(self, precision: str, backend: str, width: int) -> dict[str, Any]:
        """Seconds per iteration, TFLOP/s, seconds of the first call, and the device's memory at its peak, MiB.

        The run is kept: `more` goes on with it.
        """
        begin(self._options)
        self._evaluations = iter(())
        gc.collect()
        options = Options(self._options.weights, width=width, device=self._options.device, slots=self._options.slots)
        how = self._use(precision, backend)
        before = _memory(reset=True)
        began = time.perf_counter()
        settings = study_settings(precision=precision, iterations=ENDLESS)
        self._evaluations = Workbench(options).optimization(settings, backend).run()
        next(self._evaluations)
        first = time.perf_counter() - began
        seconds = _median(lambda: self._take(how.steps_per_call)) / how.steps_per_call
        peak = _memory()
        return {
            "seconds per iteration": seconds,
            "TFLOP/s": 2 * multiplications(*options.size) / seconds / 1e12,
            "seconds until the second": first,
            "memory, MiB": None if peak is None or before is None else round((peak - before) / 2**20),
        }

    def more(self, count: int) -> float:
        """The seconds of so many more iterations."""
        began = time.perf_counter()
        self._take(count)
        return time.perf_counter() - began

    def _take(self, count: int) -> None:
        collections.deque(itertools.islice(self._evaluations, count), maxlen=0)

    def _use(self, precision: str, backend: str = "auto") -> Any:
        """How it computes. Raises `InputError` for a precision that the device has not."""
        from styletransfer.optim.stylize import resolve

        how = resolve(study_settings(precision=precision), backend)
        if how.precision != precision:
            raise InputError(f"this device computes in {how.precision} for it")
        return how


def _median(step: Callable[[], object]) -> float:
    """Seconds of a step, after one that does not count."""
    step()
    taken: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(taken) < LEAST_ROUNDS or (time.perf_counter() < end and len(taken) < MOST_ROUNDS):
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _memory(reset: bool = False) -> int | None:
    """Bytes of the GPU that TensorFlow has had at most. None on the CPU.

    reset: return what it has now, and count from here on.
    """
    import tensorflow as tf

    if tf_setup.device_kind() == "cpu":
        return None
    found = tf.config.experimental.get_memory_info("GPU:0")
    if reset:
        tf.config.experimental.reset_memory_stats("GPU:0")
    return int(found["current" if reset else "peak"])
