"""What Snakemake says of a study, in a few short lines: a logger plugin, named in the profiles.

A run has a line when it ends, fails or is tried again; any other step has one when it is done. `--printshellcmds`,
`--verbose` and dry runs show Snakemake's own output; so does its log file.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_styletransfer.time_left import TimeLeft, expected_seconds
from styletransfer.errors import InputError
from styletransfer.reports.monitor import labels
from styletransfer.study import plan
from styletransfer.text import LONGEST, duration, folded

# The end of a failed step's log.
LOG_LINES = 20
# What Snakemake says in passing and nobody needs.
CHATTER = re.compile(
    r"\s*$|Building DAG|Using shell|Provided |Rules claiming|Conda env|Singularity|Select jobs|Execute \d+ jobs|"
    r"Assuming unrestricted|Elapsed time|Job \d+ has been submitted|Removing output files|Touching output|"
    r"Storing in storage|Retrieving from storage|Finished (upload|retrieval)|Removing local copy|Skipped removing|"
    r"Missing metadata|RuleException|--keep-incomplete mode|At least one job did not complete|"
    r"WorkflowError:\s+At least one job"
)
RESTART = re.compile(r"Trying to restart job (\d+)")
NOTHING = "Nothing to be done"
# What there is to look at then, if it is there: the workflow says it.
explorer: Path | None = None
# The rules that compute runs, by the names that they have in this call.
run_rules: set[str] = set()


class LogHandler(LogHandlerBase):
    """Writes to the terminal."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        settings = self.common_settings
        self._plain = settings.dryrun or settings.printshellcmds or settings.verbose
        self._default = DefaultFormatter(settings.quiet, settings.show_failed_logs)
        self._jobs: dict[int, Mapping[str, Any]] = {}
        self._labels: dict[str, str] = {}
        self._plans: set[str] = set()
        self._begun: dict[int, float] = {}
        self._done = self._runs = 0
        self._time_left = TimeLeft()

    def emit(self, record: logging.LogRecord) -> None:
        """Write what the record amounts to, if anything."""
        try:
            lines = [self._default.format(record)] if self._plain else list(self._short(record))
        except Exception:  # whatever another release of Snakemake says otherwise must be read all the same
            lines = [self._default.format(record)]
        stream = sys.stdout if self.common_settings.stdout else sys.stderr
        # Each in one piece: it comes from a thread of its own, and others write as well.
        stream.writelines(f"{line}\n" for line in lines)
        stream.flush()

    def _short(self, record: logging.LogRecord) -> Iterator[str]:
        fields = record.__dict__
        match fields.get("event"):
            case LogEvent.RUN_INFO:
                yield from self._begin(fields["stats"])
            case LogEvent.JOB_INFO:
                self._jobs[fields["jobid"]] = fields
                if _is_run(fields):
                    self._read_plan(fields["resources"])
                    self._time_left.begin(_job(fields))
                self._begun[fields["jobid"]] = time.monotonic()
            case LogEvent.JOB_FINISHED:
                yield from self._finished(fields["job_id"])
            case LogEvent.JOB_ERROR:
                yield from self._failed(fields)
            case None | LogEvent.ERROR:
                yield from self._other(record)

    def _begin(self, stats: Mapping[str, int]) -> Iterator[str]:
        """How much there is to do; Snakemake says it once more at its end, where it adds nothing."""
        if not self._runs + self._done and not self._jobs:
            self._runs = sum(count for rule, count in stats.items() if rule in run_rules)
            steps = stats.get("total", 0) - self._runs - stats.get("all", 0)
            jobs = f"{self._runs} {'job' if self._runs == 1 else 'jobs'} to compute runs, and " if self._runs else ""
            # Where `--until` leaves out all that would be due, Snakemake itself does not say so.
            yield f"{jobs}{steps} other steps" if stats.get("total", 0) else f"{NOTHING}."

    def _finished(self, jobid: int) -> Iterator[str]:
        fields = self._jobs.get(jobid)
        if fields is None or fields["rule_name"] in ("all", "partial"):
            return
        took = duration(time.monotonic() - self._begun[jobid])
        if not _is_run(fields):
            yield f"{self._title(fields)}: made in {took}"
            return
        self._done += 1
        left = self._time_left.finish(_job(fields), self._runs - self._done)
        yield f"{self._title(fields)}: {took}. {self._done} of {self._runs} done" + (
            f", about {duration(left)} left" if self._done < self._runs else ""
        )

    def _failed(self, fields: Mapping[str, Any]) -> Iterator[str]:
        logs = list(fields.get("log") or [])
        lines = {log: _tail(Path(log)) for log in logs}
        known = self._jobs.get(fields["jobid"], fields)
        if _is_run(known):
            self._time_left.fail(_job(known))
        title = self._title(known)
        if any(found[-1:] == ["interrupted"] for found in lines.values()):
            yield f"{title}: interrupted"
            return
        yield f"{title}: failed" + (f", see {', '.join(logs)}" if logs else "")
        for found in lines.values():
            yield from (part for line in found for part in folded(line, "    "))

    def _other(self, record: logging.LogRecord) -> Iterator[str]:
        text = self._default.format(record)
        if again := RESTART.search(text):
            known = self._jobs.get(int(again[1]))
            yield f"{self._title(known) if known else f'job {again[1]}'}: tried again"
        elif not CHATTER.match(text):
            yield text
        if text.startswith(NOTHING) and explorer is not None and explorer.exists():
            yield f"explorer: {explorer}"

    def _title(self, fields: Mapping[str, Any]) -> str:
        """A step in words: a run by its label, anything else by its rule and what it is about."""
        run_id = fields["wildcards"].get("run_id") if fields.get("wildcards") else None
        if run_id is not None:
            return _cut(self._labels.get(run_id) or run_id)
        if _is_run(fields):
            batch, size = re.findall(r"\d+", str(fields["resources"].chosen))
            return f"batch {batch} (up to {size} runs)"
        about = [str(value) for value in (fields.get("wildcards") or {}).values() if value]
        return _cut(" ".join([fields["rule_name"].replace("_", " "), *about]))

    def _read_plan(self, resources: Any) -> None:
        """What the study's plan calls its runs, and how long they take; once, and again after each rung."""
        with contextlib.suppress(InputError, AttributeError):
            if resources.plan in self._plans:
                return
            self._plans.add(resources.plan)
            study = plan.read(str(resources.plan))
            self._labels |= labels(study)
            size = re.search(r"--batch-size (\d+)", str(getattr(resources, "chosen", "")))
            kind = "gpu" if getattr(resources, "gpu", 0) else "cpu"
            expected = expected_seconds(study, kind, int(size[1]) if size else 0)
            self._time_left.plan(expected)
            if len(self._plans) > 1:  # Snakemake does not say that there are more, once it is decided which runs go on
                self._runs = max(self._runs, self._done + len(expected))


def _job(fields: Mapping[str, Any]) -> str:
    """What tells the jobs apart that compute runs."""
    return str(getattr(fields["resources"], "chosen", fields["jobid"]))


def _is_run(fields: Mapping[str, Any]) -> bool:
    return fields.get("rule_name") in run_rules


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST - 4 else f"{text[: LONGEST - 7]}..."


def _tail(log: Path) -> list[str]:
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    except OSError:
        return []
