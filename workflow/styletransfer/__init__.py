"""The style-transfer engine: what a run is and how it is computed. It knows no workflow.

From Python: `from styletransfer import Settings, load_weights, stylize`.

Each sub-package imports only from those below it; pyproject.toml has the contract, and `make lint` checks it:

    reports     what people look at: figures, the explorer, a study at work
    results     what a study would compute, tables of what it computed, and where that came from
    runs        one run, from files to files: its record, status and checkpoint
    analysis    the front of content against style, how busy devices were
    optim       the paper: losses, their gradients, the optimisation of one picture
    study       from a config to the runs of a study
    vgg         VGG-19: weights in every format, and the network
    images      pictures in and out, and the samples
    devices     the lease of a device, how busy it is, and how it rounds
    files       files that are whole or absent, locks, checksums, YAML, downloads

Below them all are `settings`, the parameters of a run, `errors` and `text`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from styletransfer.optim.stylize import stylize
    from styletransfer.settings import Settings
    from styletransfer.vgg.formats import load_weights

__all__ = ["Settings", "load_weights", "stylize"]
_MODULES = {
    "Settings": "styletransfer.settings",
    "load_weights": "styletransfer.vgg.formats",
    "stylize": "styletransfer.optim.stylize",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: commands that plan a study need neither NumPy nor TensorFlow."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
