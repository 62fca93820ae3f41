"""A real SGE (Grid Engine) on this machine, for tests: one node on the loopback with four fake GPUs.

    python tests/cluster/sge.py install   the Debian packages, where they are missing
    python tests/cluster/sge.py start     a second start changes nothing
    python tests/cluster/sge.py stop      deletes the jobs, ends the daemons that `start` recorded, keeps their logs

All that it writes is in one folder. Needs root, because SGE's daemons do.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cluster import daemons
from cluster.daemons import ClusterError, Daemons

HERE = Path(__file__).parent
FOLDER = Path("/var/lib/styletransfer-sge")
PACKAGES = ("gridengine-master", "gridengine-exec", "gridengine-client")
PROGRAMS = ("sge_qmaster", "sge_execd", "qsub")
HOST = socket.gethostname()
# Debian's package: programs, and what a new cluster begins with.
PROGRAM_ROOT = Path("/var/lib/gridengine")
DEBIAN = Path("/usr/share/gridengine")
SETTINGS = {"SGE_ROOT": str(FOLDER), "SGE_CELL": "default", "SGE_QMASTER_PORT": "16821", "SGE_EXECD_PORT": "16822"}
# SGE_ND: daemons stay in the foreground.
SGE = Daemons(FOLDER, SETTINGS | {"SGE_ND": "1"})
run, wait_for = SGE.run, SGE.wait_for

BOOTSTRAP = f"""admin_user none
default_domain none
ignore_fqdn false
spooling_method berkeleydb
spooling_lib libspoolb
spooling_params {FOLDER}/database
binary_path /usr/sbin
qmaster_spool_dir {FOLDER}/qmaster
security_mode none
listener_threads 2
worker_threads 2
scheduler_threads 1
"""
ENVIRONMENT = """pe_name smp
slots 100
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule $pe_slots
control_slaves FALSE
job_is_first_task TRUE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
"""
NODE = f"""hostname {HOST}
load_scaling NONE
complex_values gpu=4,mem_free=64G
user_lists NONE
xuser_lists NONE
projects NONE
xprojects NONE
usage_scaling NONE
report_variables NONE
"""


def obstacle() -> str | None:
    """Why SGE cannot run on this machine; None if it can."""
    return daemons.obstacle(PROGRAMS)


def missing() -> list[str]:
    """The programs that are not installed yet."""
    return daemons.not_found(PROGRAMS)


def install() -> None:
    """Install SGE from Debian's packages, where it is missing. Not every Debian has them: then a line says so."""
    if missing():
        try:
            SGE.install(PACKAGES)
        except ClusterError as error:
            print(f"SGE is not tested here, its packages cannot be had: {str(error).strip().splitlines()[-1]}")


def start() -> bool:
    """Start both daemons and wait for the node. False if they ran already."""
    if (reason := obstacle()) is not None:
        raise ClusterError(reason)
    if missing():
        raise ClusterError(f"{', '.join(missing())} not installed: {sys.executable} {__file__} install")
    if SGE.pid("sge_qmaster") and SGE.pid("sge_execd"):
        return False
    stop()
    prepare()
    SGE.launch("sge_qmaster")
    wait_for(lambda: SGE.ready("qconf", "-sh"), "sge_qmaster does not answer")
    configure()
    SGE.launch("sge_execd")
    wait_for(lambda: re.search(rf"@{HOST} +BIP +0/0/8 +[\d.]+ +\S+ *$", run(("qstat", "-f")), re.MULTILINE), "no node")
    return True


def stop() -> None:
    """Delete all jobs, then end the daemons that were recorded, each by its pid."""
    if SGE.pid("sge_qmaster"):
        with contextlib.suppress(ClusterError):
            delete_jobs()
    SGE.end("sge_execd")
    SGE.end("sge_qmaster", (signal.SIGKILL,))  # asked, it takes ten seconds


def delete_jobs() -> None:
    """Delete all jobs, and wait until none is left."""
    if run(("qstat",)):
        run(("qdel", "-u", "*"))
        wait_for(lambda: not run(("qstat",)), "jobs do not end")


def prepare() -> None:
    """Begin with an empty folder, and a database of what a new cluster has."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    common = FOLDER / "default/common"
    for folder in (common, *(FOLDER / name for name in ("database", "qmaster", "execd"))):
        folder.mkdir(parents=True)
    for name in ("bin", "lib", "util", "utilbin"):
        (FOLDER / name).symlink_to(PROGRAM_ROOT / name)
    (common / "bootstrap").write_text(BOOTSTRAP)
    (common / "act_qmaster").write_text(f"{HOST}\n")
    # All names of the loopback are this host.
    lines = [line.split() for line in Path("/etc/hosts").read_text().splitlines() if line.startswith("127.")]
    others = {name for _, *names in lines for name in names} - {HOST}
    (common / "host_aliases").write_text(" ".join([HOST, *sorted(others)]) + "\n")
    changes = {"min_uid": "0", "min_gid": "0", "execd_spool_dir": f"{FOLDER}/execd"}
    settings = changed((DEBIAN / "default-configuration").read_text(), changes)
    programs = PROGRAM_ROOT / "bin/lx-amd64"
    run((str(programs / "spoolinit"), "berkeleydb", "libspoolb", f"{FOLDER}/database", "init"))
    for kind, place in (
        ("configuration", file("configuration", settings)),
        ("complexes", f"{DEBIAN}/util/resources/centry"),
        ("usersets", f"{DEBIAN}/util/resources/usersets"),
        ("managers", "root"),
    ):
        run((str(programs / "spooldefaults"), kind, place))


def configure() -> None:
    """A node with GPUs, queue and parallel environment of the profile, and a scheduler that looks every second."""
    run(("qconf", "-as", HOST))
    complexes = run(("qconf", "-sc")) + "gpu gpu INT <= YES YES 0 0\n"
    run(("qconf", "-Mc", file("complexes", complexes)))
    run(("qconf", "-Ae", file("node", NODE)))
    run(("qconf", "-Ap", file("environment", ENVIRONMENT)))
    queue = {"qname": "gpu.q", "hostlist": HOST, "slots": "8", "pe_list": "smp", "load_thresholds": "NONE"}
    run(("qconf", "-Aq", file("queue", changed(run(("qconf", "-sq")), queue))))
    pace = {"schedule_interval": "0:0:1", "flush_submit_sec": "1", "flush_finish_sec": "1"}
    run(("qconf", "-Msconf", file("scheduler", changed(run(("qconf", "-ssconf")), pace))))


def file(name: str, text: str) -> str:
    """A file for qconf, which takes settings from files alone."""
    path = FOLDER / name
    path.write_text(text)
    return str(path)


def changed(settings: str, values: dict[str, str]) -> str:
    """Settings of SGE, a line each, with other values for some."""
    for key, value in values.items():
        settings = re.sub(rf"^{key} .*$", f"{key} {value}", settings, flags=re.MULTILINE)
    return settings


def environment() -> dict[str, str]:
    """What Snakemake and its jobs are to see: this cluster, this Python, fake GPUs, and leave to compute on the CPU."""
    path = f"{HERE}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | SETTINGS | {"PATH": path, "STYLETRANSFER_FAKE_GPUS": "1"}


if __name__ == "__main__":
    sys.exit(daemons.main(sys.modules[__name__], __doc__))
