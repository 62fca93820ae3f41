"""Run a command of the workflow with the network stubbed, and note what it took.

    python tests/load/stub.py run --plan ...

All but TensorFlow is real: locks, pictures, losses, checksums and records are read and written by the engine; nothing
is optimised, and what is measured of pictures (about 0.3 s of a core for each) is their brightness. Where
`STUB_NOTES` names a file, a line of JSON is added to it: `command`, `seconds`, `peak_mib`.
"""

import functools
import json
import os
import re
import sys
import time
from pathlib import Path

import numpy as np

from styletransfer import cli
from styletransfer.optim.terms import Evaluation


class Network:
    """What a run asks of a network when there is nothing to compute."""

    def __init__(self, source):
        self.source = source

    @staticmethod
    def postprocess(image):
        return image


class Optimization:
    """Takes no step: the content picture with some noise, and losses that fall from one iteration to the next."""

    def __init__(self, settings, content):
        generator = np.random.default_rng(settings.seed)
        scale = 10 + 40 * np.log10(1 + settings.style_weight) / 4
        self.best = self.last = content + generator.normal(0, scale, content.shape).astype(np.float32)
        self.iteration = 0
        self._iterations = settings.iterations
        self._terms = (1e4 * generator.uniform(0.5, 1.5, 8) / settings.learning_rate).astype(np.float32)

    def run(self):
        for step in range(self._iterations + 1):
            self.iteration = step + 1
            yield Evaluation(step, self._terms / (1 + step), True, True)

    def result(self, diverged):
        return self.best


def stub_tensorflow():
    """Put the stub in the place of all that would load TensorFlow; `transfer` is none the wiser."""
    from styletransfer import errors
    from styletransfer.optim.stylize import Computation, Engine
    from styletransfer.runs import session
    from styletransfer.vgg import formats

    errors.fast_exit = sys.exit  # there is something left to note

    @functools.cache
    def engine(path):
        return Engine(Network(formats.load(path).source), None)

    def begin(session, run, pictures):
        how = Computation("cpu", "float32", "stub", 1)
        return engine(run.inputs.network), how, Optimization(run.settings, pictures[-1].content)

    session.Session.begin = begin


def stub_ruler():
    """Measure pictures without a network."""
    from styletransfer.analysis.ruler import Reading
    from styletransfer.results import readings

    class Ruler:
        @staticmethod
        def measure(picture):
            light = picture / 255
            return Reading(light.mean(), 1.0, 1 - light.std(), light.min(), light.max())

    measure = readings.measure
    readings.measure = lambda study, pool, images, load_network: measure(study, pool, images, lambda: None)
    readings._rulers = lambda study, run_ids, network: ((run_id, Ruler()) for run_id in run_ids)


def peak_mib():
    """Of this process alone: what getrusage tells begins with the memory of the parent."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def main():
    """As if the engine's command had been called by itself."""
    begin = time.monotonic()
    if sys.argv[1] == "run":
        stub_tensorflow()
    if sys.argv[1] == "measure":
        stub_ruler()
    try:
        cli.main()
    finally:
        if "STUB_NOTES" in os.environ:
            note = {
                "command": sys.argv[1],
                "seconds": round(time.monotonic() - begin, 3),
                "peak_mib": round(peak_mib()),
            }
            with open(os.environ["STUB_NOTES"], "a", encoding="utf-8") as file:
                file.write(json.dumps(note) + "\n")


if __name__ == "__main__":
    main()
