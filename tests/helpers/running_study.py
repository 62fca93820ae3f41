"""A study in the middle of its work, without computing any: run folders as runs leave them."""

import contextlib
import json
import os
import time

import numpy as np

from helpers.records import record
from helpers.studies import tiny_study
from styletransfer.devices.lease import Device
from styletransfer.files import atomic, locks
from styletransfer.images.io import write_image
from styletransfer.runs import history, status
from styletransfer.runs.layout import RUN_FILES, RUN_LOG
from styletransfer.study import expand as study_expand
from styletransfer.study.config import load as load_config

CONFIG = tiny_study(
    study="busy",
    images={"photograph": {"sample": "astronaut"}, "glass": {"painting": "glass"}},
    pairs=[{"content": "photograph", "styles": ["glass"]}],
    defaults={"width": 100, "iterations": 200, "style_weight": 1},
    vary={"style_weight": list(range(1, 13))},
    device="auto",
)
GPUS = ["GPU-01234560-89ab-cdef-0123-456789abcdef", "GPU-01234561-89ab-cdef-0123-456789abcdef"]


def expand(**changes):
    return study_expand.expand(load_config(CONFIG | changes))


def finish(folder, gpu=0, seconds=30.0, name="ok", ago=0.0, iterations=200, width=100):
    """A run that took so many seconds, a tenth of them before its first step, and ended that long ago."""
    pixels = np.random.default_rng(len(str(folder))).integers(0, 255, (75, width, 3)).astype(np.uint8)
    write_image(folder / RUN_FILES["image"], pixels)
    (folder / RUN_FILES["losses"]).write_text("iteration\n")
    made = record(
        status=name,
        device=Device("gpu", GPUS[gpu]),
        seconds=seconds,
        seconds_per_iteration=0.9 * seconds / iterations,
        iterations_done=iterations,
        width=width,
        end=atomic.timestamp(time.time() - ago),
    )
    made.write(folder / RUN_FILES["record"])


def begin(folder, device="", ago=20.0, **changes):
    """An attempt as its process tells of it."""
    folder.mkdir(parents=True, exist_ok=True)
    info = {"status": "running", "host": "here", "pid": 7, "start": atomic.timestamp(time.time() - ago)} | changes
    (folder / status.ATTEMPT).write_text(json.dumps(info | ({"device": device} if device else {})))


def write_log(folder, steps, iterations=200, every=10, seconds=0.1, ago=0.0):
    """The log of a run that has taken so many steps; its last line was written that long ago."""
    lines = ["10:00:00 leased it"]
    for step in range(0, steps + 1, every):
        losses = {"content": 9e3 / (1 + step), "style": 8e4 / (1 + step), "tv": 3.5, "total": 9e4 / (1 + step)}
        progress = history.Progress(step, iterations, losses, seconds if step else None)
        lines.append(f"10:00:00 {history.line(progress)}")
    (folder / RUN_LOG).write_text("\n".join(lines) + "\n")
    os.utime(folder / RUN_LOG, (time.time() - ago,) * 2)


@contextlib.contextmanager
def at_work(folder):
    """As long as the block lasts, a process works on the run of that folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with locks.exclusive_lock(folder / RUN_FILES["record"], 0):
        yield


@contextlib.contextmanager
def busy(watched, pool):
    """Of 12 runs 6 are done, one of them diverged; 3 are at work, of which one waits for a GPU; 1 failed; 2 wait."""
    folders = [pool / run_id for run_id in watched.runs]
    for number, folder in enumerate(folders[:6]):
        finish(
            folder, gpu=number % 2, seconds=28.0 + number, ago=100 - number, name="diverged" if number == 3 else "ok"
        )
    for number, (folder, steps) in enumerate(zip(folders[6:8], (50, 150), strict=True)):
        begin(folder, device=GPUS[number])
        write_log(folder, steps)
    begin(folders[8])
    begin(folders[9], status="failed", reason="ValueError: <b>[red]no</b> such layer")
    with contextlib.ExitStack() as stack:
        for folder in folders[6:9]:
            stack.enter_context(at_work(folder))
        yield
