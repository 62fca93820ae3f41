"""A real SLURM on this machine, for tests: two nodes on the loopback with fake GPUs and CPUs it does not have,
and a database of what jobs used.

    python tests/cluster/slurm.py install   the Debian packages, where they are missing
    python tests/cluster/slurm.py start     a second start changes nothing
    python tests/cluster/slurm.py stop      cancels the jobs, ends the daemons that `start` recorded, keeps their logs

All that it writes is in one folder, but for a link at SLURM's default place: the inner `srun` of Snakemake's plugin
gets no SLURM_CONF. Needs root, because SLURM's daemons do.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import string
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cluster import daemons
from cluster.daemons import ClusterError, Daemons

HERE = Path(__file__).parent
FOLDER = Path("/var/lib/styletransfer-slurm")  # only root may write here, and programs may be run from it
CONFIG = FOLDER / "slurm.conf"
DEFAULT_CONFIG = Path("/etc/slurm/slurm.conf")
PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client", "slurmdbd", "mariadb-server")
PROGRAMS = ("munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "sbatch")
NODE = socket.gethostname().partition(".")[0]
SPARE = "spare"
# In the order of their start.
DAEMONS = ("munged", "mariadbd", "slurmdbd", "slurmctld", f"slurmd-{NODE}", f"slurmd-{SPARE}")
GPUS = 4
# SLURM's commands speak to this cluster, whatever SLURM_CONF says.
SLURM = Daemons(FOLDER, {"SLURM_CONF": str(CONFIG)})
run, wait_for = SLURM.run, SLURM.wait_for


def obstacle() -> str | None:
    """Why a cluster cannot run on this machine; None if it can."""
    if (DEFAULT_CONFIG.exists() or DEFAULT_CONFIG.is_symlink()) and DEFAULT_CONFIG.resolve() != CONFIG:
        return f"this machine has a SLURM of its own, which is left alone: {DEFAULT_CONFIG} exists"
    return daemons.obstacle(PROGRAMS)


def missing() -> list[str]:
    """The programs that are not installed yet."""
    return daemons.not_found(PROGRAMS)


def install() -> None:
    """Install SLURM from Debian's packages, where it is missing."""
    if missing():
        SLURM.install(PACKAGES)


def start() -> bool:
    """Start all daemons and wait for the nodes. False if they all ran already."""
    if (reason := obstacle()) is not None:
        raise ClusterError(reason)
    if missing():
        raise ClusterError(f"{', '.join(missing())} not installed: {sys.executable} {__file__} install")
    if all(map(SLURM.pid, DAEMONS)):
        return False
    stop()
    configure()
    files = {
        "key-file": "munge.key",
        "socket": "munge.socket",
        "pid-file": "munged.daemon.pid",
        "seed-file": "munge.seed",
    }
    SLURM.launch("munged", "--foreground", "--force", *(f"--{key}={FOLDER / name}" for key, name in files.items()))
    wait_for((FOLDER / "munge.socket").exists, "munged opens no socket")
    start_accounting()
    SLURM.launch("slurmctld", "-D", "-f", str(CONFIG))
    for node in (NODE, SPARE):
        SLURM.launch("slurmd", "-D", "-f", str(CONFIG), "-N", node, name=f"slurmd-{node}")
    wait_for(lambda: node_state() == node_state(SPARE) == "idle", "the nodes do not become idle")
    return True


def start_accounting() -> None:
    """A database, SLURM's daemon that fills it, and in it the account that the profile names."""
    place = ("--no-defaults", "--user=root", f"--datadir={FOLDER}/database")
    run(("mariadb-install-db", *place, "--skip-test-db", "--auth-root-authentication-method=normal"))
    socket_file = f"--socket={FOLDER}/mariadb.socket"
    SLURM.launch("mariadbd", *place, socket_file, "--bind-address=127.0.0.1", "--port=16806")
    client = ("mariadb", "--no-defaults", "--user=root", socket_file, "--execute")
    wait_for(lambda: SLURM.ready(*client, "SELECT 1"), "the database does not answer")
    run((*client, "CREATE USER slurm@localhost IDENTIFIED BY 'slurm'; GRANT ALL ON *.* TO slurm@localhost"))
    SLURM.launch("slurmdbd", "-D")
    wait_for(lambda: SLURM.ready("sacctmgr", "list", "cluster"), "slurmdbd does not answer")
    for words in (("cluster", "styletransfer"), ("account", "default"), ("user", "root", "account=default")):
        run(("sacctmgr", "--immediate", "add", *words))


def stop() -> None:
    """Cancel all jobs, then end the daemons that were recorded, each by its pid."""
    if SLURM.pid("slurmctld"):
        with contextlib.suppress(ClusterError):
            delete_jobs()  # first: their processes would outlive the daemons
    for name in reversed(DAEMONS):
        SLURM.end(name)
    if DEFAULT_CONFIG.is_symlink() and DEFAULT_CONFIG.resolve() == CONFIG:
        DEFAULT_CONFIG.unlink()


def delete_jobs() -> None:
    """Cancel all jobs, and wait until none is left."""
    run(("scancel", "--user=root"))
    wait_for(lambda: not run(("squeue", "--noheader")), "jobs do not end")


def configure() -> None:
    """Begin with an empty folder: key, configuration, device nodes."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name in ("state", f"spool/{NODE}", f"spool/{SPARE}", "dev"):
        (FOLDER / name).mkdir(parents=True)
    key = FOLDER / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(1024))
    for number in range(GPUS):
        device_node(FOLDER / f"dev/gpu{number}")
    values = {"folder": FOLDER, "host": NODE, "spare": SPARE, "last": GPUS - 1}
    for name in ("slurm.conf", "slurmdbd.conf", "gres.conf"):
        file = FOLDER / name
        file.touch(mode=0o600)  # slurmdbd refuses another
        template = string.Template((HERE / name).read_text())
        file.write_text(template.substitute(values, address="127.0.0.1", communication=communication()))
    DEFAULT_CONFIG.parent.mkdir(exist_ok=True)
    DEFAULT_CONFIG.unlink(missing_ok=True)
    DEFAULT_CONFIG.symlink_to(CONFIG)


def communication() -> str:
    """Keep the daemons to the loopback. They bind to what the host's name stands for, so it must be 127.0.0.1."""
    try:
        loopback = socket.gethostbyname(NODE) == "127.0.0.1"
    except OSError:
        loopback = False
    return "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny" if loopback else "# (all addresses)"


def device_node(path: Path) -> None:
    """A GPU, as far as SLURM looks: a character device. With a plain file a job gets no CUDA_VISIBLE_DEVICES."""
    try:
        os.mknod(path, 0o20666, Path("/dev/null").stat().st_rdev)
    except PermissionError:  # containers may not make devices; a link to one will do
        path.symlink_to("/dev/null")


def node_state(node: str = NODE) -> str:
    """What SLURM says of a node, such as idle or mixed."""
    try:
        return run(("sinfo", "--noheader", f"--nodes={node}", "--format=%T"), timeout=5).strip()
    except ClusterError:
        return "unknown"


def environment() -> dict[str, str]:
    """What Snakemake and its jobs are to see: this cluster, this Python, fake GPUs, and leave to compute on the CPU."""
    path = f"{HERE}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "SLURM_CONF": str(CONFIG), "STYLETRANSFER_FAKE_GPUS": "1"}


if __name__ == "__main__":
    sys.exit(daemons.main(sys.modules[__name__], __doc__))
