"""The record of a run that was never computed."""

from helpers import engine
from styletransfer.devices.lease import CPU
from styletransfer.runs.record import Record


def record(run=None, **values):
    """That of a run with these settings, with other values where they are given."""
    run = run or engine.settings()
    made = {
        "run_id": run.run_id,
        "status": "ok",
        "settings": run.values(),
        "identity": run.canonical(),
        "width": 40,
        "height": 20,
        "inputs": {"content": "c0", "styles": ["5e"] * len(run.styles)},
        "outputs": {},
        "weights": {"name": "vgg16-grown@1", "source_sha256": "ab"},
        "iterations_done": run.iterations,
        "best_iteration": run.iterations,
        "final": {},
        "best": {},
        "start": "2026-01-01T00:00:00.000+00:00",
        "end": "2026-01-01T00:00:09.000+00:00",
        "seconds": 9.0,
        "seconds_preparing": 1.5,
        "seconds_per_iteration": 0.5,
        "resumed": [],
        "computed_on": ["a CPU, 1 thread"],
        "precision_used": "float32",
        "backend_used": "analytic",
        "steps_per_call": 1,
        "device": CPU,
        "gpu": None,
        "threads": 1,
        "host": "here",
        "peak_memory_mib": 2,
        "versions": {"python": "3.11.7"},
    }
    return Record(**made | values)
