"""The daemons of a test cluster: started, recorded by their pids, and ended by them; and what such clusters share."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SEARCH_PATH = f"{os.environ['PATH']}:/usr/sbin"


class ClusterError(Exception):
    """No cluster, and why."""


class Cluster(Protocol):
    """What a module of a test cluster has for its command line."""

    def obstacle(self) -> str | None: ...
    def install(self) -> None: ...
    def start(self) -> bool: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class Daemons:
    """Daemons that outlive this process, with their pids and what they say in one folder.

    settings: environment variables of the daemons, and of the commands that speak to them.
    """

    folder: Path
    settings: Mapping[str, str]

    def launch(self, program: str, *options: str, name: str = "") -> None:
        """Start a daemon, and record its pid under a name, its program's unless said otherwise."""
        name = name or program
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [shutil.which(program, path=SEARCH_PATH) or program, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | self.settings,
            )
        (self.folder / f"{name}.pid").write_text(f"{process.pid} {program}")

    def pid(self, name: str) -> int | None:
        """The recorded pid of a daemon, if that very program still runs under it."""
        with contextlib.suppress(OSError, ValueError):
            number, program = (self.folder / f"{name}.pid").read_text().split()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(number), os.WNOHANG)  # an own child that has ended stays a zombie until it is asked for
            process = Path(f"/proc/{number}")
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            if (process / "comm").read_text().strip() == program and state != "Z":
                return int(number)
        return None

    def end(self, name: str, signals: Sequence[int] = (signal.SIGTERM, signal.SIGKILL)) -> None:
        """End a daemon: asked first, then killed."""
        for number in signals:
            if (process := self.pid(name)) is None:
                return
            os.kill(process, number)
            with contextlib.suppress(ClusterError):
                self.wait_for(lambda: self.pid(name) is None, f"{name} does not end", seconds=10)

    def run(self, words: Sequence[str], timeout: float = 30, **settings: str) -> str:
        """A command's standard output. Raises `ClusterError` with all that it said if it fails or hangs.

        settings: environment variables besides those of the daemons.
        """
        try:
            return subprocess.run(
                words,
                check=True,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=timeout,
                env=os.environ | self.settings | settings,
            ).stdout
        except subprocess.CalledProcessError as error:
            raise ClusterError(f"{' '.join(words)} failed:\n{error.stdout}{error.stderr}") from error
        except subprocess.TimeoutExpired as error:
            raise ClusterError(f"{' '.join(words)} does not end within {timeout} s") from error

    def ready(self, *words: str) -> bool:
        """Whether a command succeeds by now."""
        with contextlib.suppress(ClusterError):
            self.run(words, timeout=5)
            return True
        return False

    def wait_for(self, condition: Callable[[], object], complaint: str, seconds: float = 30) -> None:
        """Wait until the condition holds. Raises `ClusterError` with the complaint and the daemons' last words."""
        limit = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > limit:
                words = "".join(f"\n{log}:\n{log.read_text()[-1500:]}" for log in sorted(self.folder.glob("*.log")))
                raise ClusterError(f"{complaint} within {seconds:.0f} s{words}")
            time.sleep(0.1)

    def install(self, packages: Sequence[str]) -> None:
        """Install Debian packages."""
        # In run level 1 a package starts no daemon of its own.
        settings = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        options = ("--quiet", "--quiet", "--option", "DPkg::Lock::Timeout=120")
        for words in (("update",), ("install", "--yes", "--no-install-recommends", *packages)):
            self.run(("apt-get", *options, *words), timeout=300, **settings)


def not_found(programs: Sequence[str]) -> list[str]:
    """The programs that are not installed."""
    return [name for name in programs if shutil.which(name, path=SEARCH_PATH) is None]


def obstacle(programs: Sequence[str]) -> str | None:
    """Why daemons cannot run on this machine, with these programs or with Debian's; None if they can."""
    if os.geteuid() != 0:
        return "a test cluster needs root: a scheduler's daemons do. Run this as root in a container"
    if (lacking := not_found(programs)) and shutil.which("apt-get") is None:
        return f"{', '.join(lacking)} missing, and there is no apt-get: a test cluster needs Debian or them installed"
    return None


def main(cluster: Cluster, usage: str | None) -> int:
    """The command line of a test cluster: install, start, stop."""
    commands = {"install": cluster.install, "start": cluster.start, "stop": cluster.stop}
    if sys.argv[1:] not in [[name] for name in commands]:
        print(usage)
        return 2
    if (reason := cluster.obstacle()) is not None:
        print(f"no test cluster here: {reason}")
        return 0 if sys.argv[1] == "install" else 1
    try:
        commands[sys.argv[1]]()
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
