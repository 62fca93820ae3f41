"""What holds for all tests."""

import os
import sys
from pathlib import Path

import hypothesis
import pytest

from styletransfer.devices import precision

# As the engine has it, also where a test loads TensorFlow itself.
os.environ.setdefault(precision.ONEDNN_SWITCH, "1")
# Commands that tests start find the engine of this checkout, whatever is installed.
ENGINE = str(Path(__file__).parents[1] / "workflow")
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ["PYTHONPATH"] = os.pathsep.join([ENGINE, *filter(None, [os.environ.get("PYTHONPATH")])])
LEFT_OUT = pytest.StashKey[list[str]]()

# A machine that others use as well is no reason to fail: speed is measured by benchmarks.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """In CI nothing is skipped: what a test needs is installed there, so a skip is a failure."""
    report = yield
    if os.environ.get("CI") and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {report.longrepr}"
    return report


def pytest_collection_modifyitems(config, items):
    """Leave out the tests that need a kind of CPU which this one is not (see helpers/cpus.py)."""
    needs = {item: set(marker.args) for item in items if (marker := item.get_closest_marker("cpu"))}
    left_out = [item for item, flags in needs.items() if not flags & precision.cpu_flags()]
    config.stash[LEFT_OUT] = [f"{item.nodeid}: needs {' or '.join(sorted(needs[item]))}" for item in left_out]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter, config):
    """Name them, so that nobody takes them for tested."""
    if lines := config.stash.get(LEFT_OUT, []):
        terminalreporter.section(f"{len(lines)} tests need another kind of CPU than {precision.cpu_name()}")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def _environment_as_before():
    """What a test, or the engine in it, sets in the environment ends with the test."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
