"""The test cluster, and a finished study on it."""

import contextlib
import signal

import pytest

from cluster import sge, slurm
from cluster.studies import Study, new_study
from styletransfer.files import locks

# Not every Debian has SGE; `sge.py install`, of `make cluster`, says so.
collect_ignore = ["test_sge.py"] if sge.missing() else []


@contextlib.contextmanager
def running(system):
    """The daemons of a cluster, ended again unless they were there before."""
    # A process started in the background ignores SIGINT, and so would Snakemake.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with locks.exclusive_lock(system.FOLDER, 900):  # one cluster on a machine, whoever tests
        started = system.start()
        yield
        if started:
            system.stop()


@pytest.fixture(scope="session")
def cluster():
    if (reason := slurm.obstacle()) is not None:
        pytest.skip(reason)
    if slurm.missing():
        pytest.skip("SLURM is not installed: `make cluster` does that")
    with running(slurm):
        yield


@pytest.fixture
def sge_cluster():
    if (reason := sge.obstacle()) is not None:
        pytest.skip(reason)
    with running(sge):
        yield


@pytest.fixture(scope="session")
def finished(cluster, tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("a study with 'spaces'"), [1, 2, 3, 4, 5])
    study.run("--resources", "gpu=4")
    return study


@pytest.fixture
def study(finished, tmp_path):
    """Two runs that nobody has computed yet; weights and pictures are there."""
    with new_study(tmp_path, [1, 2], finished) as found:
        yield found
