"""A real SLURM on this machine, for tests: one node on the loopback with four fake GPUs and CPUs it does not have.

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
import signal
import socket
import string
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = Path("/var/lib/styletransfer-slurm")  # only root may write here, and programs may be run from it
CONFIG = FOLDER / "slurm.conf"
DEFAULT_CONFIG = Path("/etc/slurm/slurm.conf")
PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client")
DAEMONS = ("munged", "slurmctld", "slurmd")
GPUS = 4
SEARCH_PATH = f"{os.environ['PATH']}:/usr/sbin"


class ClusterError(Exception):
    """No cluster, and why."""


def obstacle() -> str | None:
    """Why a cluster cannot run on this machine; None if it can."""
    if os.geteuid() != 0:
        return "a test cluster needs root: SLURM's daemons do. Run this as root in a container"
    if (DEFAULT_CONFIG.exists() or DEFAULT_CONFIG.is_symlink()) and DEFAULT_CONFIG.resolve() != CONFIG:
        return f"this machine has a SLURM of its own, which is left alone: {DEFAULT_CONFIG} exists"
    if missing() and shutil.which("apt-get") is None:
        return (
            f"{', '.join(missing())} missing, and there is no apt-get: a test cluster needs Debian or SLURM installed"
        )
    return None


def missing() -> list[str]:
    """The programs that are not installed yet."""
    return [name for name in (*DAEMONS, "sbatch") if shutil.which(name, path=SEARCH_PATH) is None]


def install() -> None:
    """Install SLURM from Debian's packages, where it is missing."""
    if not missing():
        return
    # In run level 1 a package starts no daemon of its own.
    settings = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    options = ("--quiet", "--quiet", "--option", "DPkg::Lock::Timeout=120")
    for words in (("update",), ("install", "--yes", "--no-install-recommends", *PACKAGES)):
        run(("apt-get", *options, *words), timeout=300, **settings)


def start() -> bool:
    """Start all daemons and wait for the node. False if they all ran already."""
    if (reason := obstacle()) is not None:
        raise ClusterError(reason)
    if missing():
        raise ClusterError(f"{', '.join(missing())} not installed: {sys.executable} {__file__} install")
    if all(map(pid, DAEMONS)):
        return False
    stop()
    configure()
    files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid", "seed-file": "munge.seed"}
    launch("munged", "--foreground", "--force", *(f"--{option}={FOLDER / name}" for option, name in files.items()))
    wait_for((FOLDER / "munge.socket").exists, "munged opens no socket")
    launch("slurmctld", "-D", "-f", str(CONFIG))
    launch("slurmd", "-D", "-f", str(CONFIG))
    wait_for(lambda: node_state() == "idle", "the node does not become idle")
    return True


def stop() -> None:
    """Cancel all jobs, then end the daemons that were recorded, each by its pid."""
    if pid("slurmctld"):
        with contextlib.suppress(ClusterError):
            # Jobs first: their processes would outlive the daemons.
            run(("scancel", "--user=root"))
            wait_for(lambda: not run(("squeue", "--noheader")), "jobs do not end")
    for name in reversed(DAEMONS):
        end(name)
    if DEFAULT_CONFIG.is_symlink() and DEFAULT_CONFIG.resolve() == CONFIG:
        DEFAULT_CONFIG.unlink()


def configure() -> None:
    """Begin with an empty folder: key, configuration, device nodes."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name in ("state", "spool", "dev"):
        (FOLDER / name).mkdir(parents=True)
    key = FOLDER / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(1024))
    for number in range(GPUS):
        device_node(FOLDER / f"dev/gpu{number}")
    host = socket.gethostname().partition(".")[0]
    values = {"folder": FOLDER, "host": host, "address": "127.0.0.1", "communication": communication(host)}
    CONFIG.write_text(string.Template((HERE / "slurm.conf").read_text()).substitute(values))
    (FOLDER / "gres.conf").write_text(f"AutoDetect=off\nName=gpu Type=fake File={FOLDER}/dev/gpu[0-{GPUS - 1}]\n")
    DEFAULT_CONFIG.parent.mkdir(exist_ok=True)
    DEFAULT_CONFIG.unlink(missing_ok=True)
    DEFAULT_CONFIG.symlink_to(CONFIG)


def communication(host: str) -> str:
    """Keep the daemons to the loopback. They bind to what the host's name stands for, so it must be 127.0.0.1."""
    try:
        loopback = socket.gethostbyname(host) == "127.0.0.1"
    except OSError:
        loopback = False
    return "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny" if loopback else "# (all addresses)"


def device_node(path: Path) -> None:
    """A GPU, as far as SLURM looks: a character device. With a plain file a job gets no CUDA_VISIBLE_DEVICES."""
    try:
        os.mknod(path, 0o20666, Path("/dev/null").stat().st_rdev)
    except PermissionError:  # containers may not make devices; a link to one will do
        path.symlink_to("/dev/null")


def launch(name: str, *options: str) -> None:
    """Start a daemon that outlives this process, and record its pid."""
    with (FOLDER / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [shutil.which(name, path=SEARCH_PATH) or name, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"SLURM_CONF": str(CONFIG)},
        )
    (FOLDER / f"{name}.pid").write_text(str(process.pid))


def pid(name: str) -> int | None:
    """The recorded pid of a daemon, if that very program still runs under it."""
    with contextlib.suppress(OSError, ValueError):
        number = int((FOLDER / f"{name}.pid").read_text())
        with contextlib.suppress(ChildProcessError):
            os.waitpid(number, os.WNOHANG)  # an own child that has ended stays a zombie until it is asked for
        process = Path(f"/proc/{number}")
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        if (process / "comm").read_text().strip() == name and state != "Z":
            return number
    return None


def end(name: str) -> None:
    """End a daemon: asked first, then killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if (process := pid(name)) is None:
            return
        os.kill(process, number)
        with contextlib.suppress(ClusterError):
            wait_for(lambda: pid(name) is None, f"{name} does not end", seconds=10)


def node_state() -> str:
    """What SLURM says of the node, such as idle or mixed."""
    try:
        return run(("sinfo", "--noheader", "--format=%T"), timeout=5).strip()
    except ClusterError:
        return "unknown"


def environment() -> dict[str, str]:
    """What Snakemake and its jobs are to see: this cluster, this Python, fake GPUs, and leave to compute on the CPU."""
    path = f"{HERE}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "SLURM_CONF": str(CONFIG), "STYLETRANSFER_FAKE_GPUS": "1"}


def run(words: Sequence[str], timeout: float = 30, **settings: str) -> str:
    """A command's standard output. Raises `ClusterError` with all that it said if it fails or hangs.

    settings: environment variables. SLURM's commands speak to this cluster, whatever SLURM_CONF says.
    """
    try:
        return subprocess.run(
            words,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            env=os.environ | {"SLURM_CONF": str(CONFIG)} | settings,
        ).stdout
    except subprocess.CalledProcessError as error:
        raise ClusterError(f"{' '.join(words)} failed:\n{error.stdout}{error.stderr}") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"{' '.join(words)} does not end within {timeout} s") from error


def wait_for(condition: Callable[[], object], complaint: str, seconds: float = 30) -> None:
    """Wait until the condition holds. Raises `ClusterError` with the complaint and the daemons' last words."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            words = "".join(f"\n{log}:\n{log.read_text()[-1500:]}" for log in sorted(FOLDER.glob("*.log")))
            raise ClusterError(f"{complaint} within {seconds:.0f} s{words}")
        time.sleep(0.1)


def main() -> int:
    """The command line."""
    commands = {"install": install, "start": start, "stop": stop}
    if sys.argv[1:] not in [[name] for name in commands]:
        print(__doc__)
        return 2
    if (reason := obstacle()) is not None:
        print(f"no test cluster here: {reason}")
        return 0 if sys.argv[1] == "install" else 1
    try:
        commands[sys.argv[1]]()
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
