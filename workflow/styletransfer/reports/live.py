"""The page of a study at work, `live.html` beside its results: written by the runs themselves, and read in any browser.

It belongs to the explorer: frame, style sheet and policy are the same.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from styletransfer.analysis import device_usage
from styletransfer.errors import TerminatedError, WaitError
from styletransfer.files import atomic, locks
from styletransfer.optim.terms import LOSSES
from styletransfer.reports import dashboard, html
from styletransfer.reports.monitor import Monitor, Snapshot
from styletransfer.study.plan import Study
from styletransfer.text import number_text

logger = logging.getLogger(__name__)

# A page is at least so old before it is written again: a study of thousands of runs takes seconds to look through.
MIN_SECONDS, SECONDS_PER_RUN = 10.0, 0.02
# For the last word: whoever is writing just now knows less.
PATIENCE_SECONDS = 5.0
MOST_PICTURES = 12


class LivePage:
    """The page of a study, for every process that works on it to keep up to date.

    Args:
        study: the study, as it is planned.
        pool: the folder of all runs.
        folder: the folder of the study, where `live.html` is written.
        preserve: show pictures in the content's colours.

    Example:
        page = LivePage(study, Path("results/runs"), Path("results/studies/demo"))
        page.update()  # every few seconds while a run is at work
        page.update(last=True)  # after the last run

    """

    def __init__(self, study: Study, pool: Path, folder: Path, preserve: bool = False) -> None:
        self._monitor = Monitor(study, pool)
        self._preserve = preserve
        self._path = folder / "live.html"
        self._failed = -math.inf
        self._seconds = max(MIN_SECONDS, SECONDS_PER_RUN * len(study.runs))

    def update(self, last: bool = False) -> bool:
        """Write the page if it is due, unless another process is about to; returns whether it was written.

        It costs a look at one file where it is not due, and never raises: no run may end because of its page.

        Args:
            last: nothing will write it after this: write it now.

        """
        try:
            if not (last or self._is_due()):
                return False
            with locks.exclusive_lock(self._path, PATIENCE_SECONDS if last else 0):
                # Another process may have written it since.
                if not (last or self._is_due()):
                    return False
                atomic.write_text(self._path, self._render(self._monitor.snapshot()))
                return True
        except WaitError:
            return False
        except Exception as error:  # whatever it is: the run goes on
            logger.warning("%s is not written: %s: %s", self._path, type(error).__name__, error)
            self._failed = time.time()
            return False

    @contextlib.contextmanager
    def kept_current(self) -> Iterator[None]:
        """Keep the page up to date while runs are computed in the block."""
        ended = threading.Event()

        def update() -> None:
            self.update()
            while not ended.wait(MIN_SECONDS):
                self.update()

        thread = threading.Thread(target=update, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            # Not after a signal: such a process has little time.
            if not isinstance(sys.exception(), TerminatedError | KeyboardInterrupt):
                thread.join()
                # Of a large study the page is a look at thousands of folders: then only if it is due.
                self.update(last=self._seconds <= MIN_SECONDS)

    def _is_due(self) -> bool:
        try:
            written = self._path.stat().st_mtime
        except OSError:  # there is none
            written = -math.inf
        return time.time() - max(written, self._failed) >= self._seconds

    def _render(self, now: Snapshot) -> str:
        return html.render(
            "live.html",
            [html.source("live.js")],
            now=now,
            written=f"{datetime.datetime.fromtimestamp(now.time):%H:%M:%S}",
            refresh=math.ceil(self._seconds),
            say=dashboard,
            text=number_text,
            short=device_usage.short,
            losses=LOSSES,
            log=self._log,
            picture=lambda run_id: self._link(self._monitor.picture(run_id)),
            colors_of=self._colors_of,
            newest=now.newest[:MOST_PICTURES],
        )

    def _log(self, run_id: str) -> str:
        """A link to the log of a run; empty if there is none."""
        log = self._monitor.log(run_id)
        return self._link(log) if log.exists() else ""

    def _colors_of(self, run_id: str) -> str:
        """A link to the content picture, if the run is shown in its colours."""
        content = self._monitor.colors_of(run_id) if self._preserve else None
        return self._link(content) if content else ""

    def _link(self, path: Path) -> str:
        return quote(os.path.relpath(path, self._path.parent))
