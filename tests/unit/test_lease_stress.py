"""Hundreds of short leases under random kills: never two on a slot, no device lost, everybody is served.

Every holder writes a line when it has its lease and one when it gives it back; of a killed holder the test itself knows
when it was killed. From that the holders of each slot are known at every moment, and are counted.
"""

import concurrent.futures
import contextlib
import fcntl
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from helpers.gpus import fake_gpus
from helpers.overlaps import at_once_by_name

# One clock for all processes of the host. A line is one write to a file opened for appending, so lines never mix.
HOLDER = """
import os, sys, time
begin = time.monotonic()
from styletransfer.devices import lease
log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
def tell(what):
    os.write(log, f"{what} {os.getpid()} {device.uuid}.{device.slot} {time.monotonic()} {waited}\\n".encode())
with lease.lease("gpu", 60, slots=int(sys.argv[2])) as device:
    waited = time.monotonic() - begin
    tell("start")
    print(flush=True)
    time.sleep(float(sys.argv[3]))
    tell("end")
"""


@dataclass(frozen=True)
class Lease:
    """The time in which a process surely held a slot."""

    slot: str
    start: float
    end: float
    pid: int


def run_holder(log, slots, seconds, kill, kill_after):
    """One holder from start to end: its process, its exit code, and when it was killed, if it was.

    kill: `never`; `holding`, so many seconds after it got its lease; or `anytime`, so many after it was started.
    """
    code = [sys.executable, "-c", HOLDER, str(log), str(slots), str(seconds)]
    killed = float("inf")
    with subprocess.Popen(code, stdout=subprocess.PIPE) as process:
        if kill == "holding":
            process.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=None if kill == "never" else kill_after)
        if kill != "never":
            # Taken before the kill: until then it surely lived. The parent learns of its end later than the lock does.
            killed = time.monotonic()
            process.kill()
    return process.pid, process.returncode, killed


def read(log, killed):
    """All leases, and the longest time that a holder waited for one."""
    starts, ends, waits = {}, {}, [0.0]
    for line in log.read_text().splitlines():
        what, pid, slot, at, waited = line.split()
        waits.append(float(waited))
        (starts if what == "start" else ends)[int(pid)] = (slot, float(at))
    leases = [
        Lease(slot, start, min(ends.get(pid, (slot, killed[pid]))[1], killed[pid]), pid)
        for pid, (slot, start) in starts.items()
    ]
    return leases, max(waits)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "slots", "runs"), [(1, 1, 60), (2, 1, 60), (4, 1, 70), (8, 1, 70), (2, 2, 60)])
def test_never_two_on_a_slot_and_none_lost(tmp_path, monkeypatch, count, slots, runs):
    uuids = fake_gpus(monkeypatch, tmp_path, count)
    places = {f"{uuid}.{slot}" for uuid in uuids for slot in range(slots)}
    log = tmp_path / "log"
    log.touch()
    chance = random.Random(count * 10 + slots)
    # Starting a process takes about 0.05 s of a core: holders stay long enough for all slots to be taken at times.
    stay = 0.03 * len(places)
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(places) + 4) as pool:
        futures = [
            pool.submit(
                run_holder,
                log,
                slots,
                chance.uniform(0.5, 1.5) * stay,
                chance.choices(["never", "holding", "anytime"], [6, 2, 2])[0],
                chance.uniform(0, stay),
            )
            for _ in range(runs)
        ]
        done = [future.result() for future in futures]
    seconds = time.monotonic() - begin

    assert all(code == 0 or killed < float("inf") for _, code, killed in done), "a holder that was not killed failed"
    leases, longest_wait = read(log, {pid: killed for pid, _, killed in done})
    kills = sum(code == -signal.SIGKILL for _, code, _ in done)
    while_holding = len({lease.end for lease in leases} & {killed for _, _, killed in done})
    assert len(leases) > 40
    assert at_once_by_name((lease.slot, lease.start, lease.end) for lease in leases) == dict.fromkeys(places, 1)
    for place in places:  # all are free again: none is lost
        with open(tmp_path / "leases" / f"{place}.lock", "r+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert longest_wait < 30, "somebody starved: a stay is at most 0.4 s, and four more want a slot than there are"
    assert while_holding >= runs // 20
    print(
        f"{count} devices x {slots}: {len(leases)} leases of {runs} holders in {seconds:.1f} s, {kills} killed, "
        f"{while_holding} of them while holding, longest wait {longest_wait:.2f} s"
    )
