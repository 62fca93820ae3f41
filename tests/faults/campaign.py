"""Fault campaign: disturb tiny real studies in every way there is, and see whether they come through.

    python tests/faults/campaign.py --log faults.jsonl

A fault is survived if the workflow, called again once the environment is in order, ends complete, with results equal to
the undisturbed ones, and leaves nothing else behind. Every fault is a line of the log; a campaign that is started again
with the same log goes on. See docs/faults.md.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import json
import random
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.folders import FailureError, Folder, differences, tail
from faults.injections import TABLES, MissedError, Scene, SkippedError, plan

# What makes no figures, to be quick.
UNTIL_TABLES = ("--until", "collect")
OF_FIGURES = tuple(f"{TABLES}/{name}*" for name in ("response", "figures", "verdict", "explorer", "manifest"))
ATTEMPTS = 3


class Templates:
    """Undisturbed finished studies, by mode: whole, and without what is made from the tables."""

    def __init__(self, work):
        self.work = work

    def get(self, mode, whole):
        folder = Folder(self.work / f"undisturbed-{mode}-{'whole' if whole else 'tables'}", mode)
        folder.options = () if whole else UNTIL_TABLES
        return folder

    def make(self, mode, whole):
        """Compute one, unless it is there."""
        folder = self.get(mode, whole)
        if (folder.beside / "complete").exists():
            return
        shutil.rmtree(folder.path, ignore_errors=True)
        folder.write_config()
        code, said = folder.run()
        if code:
            raise SystemExit(f"the undisturbed study fails: {tail(said)}")
        (folder.beside / "complete").touch()


def attempt(fault, number, draw, work, templates):
    """Inject one fault once; draw: its random numbers. Returns `outcome` and, where it is not `survived`, `reason`."""
    template = templates.get(fault.mode, fault.whole)
    folder = Folder(work / f"fault-{number}", fault.mode)
    folder.options = template.options
    try:
        folder.discard()
        folder.beside.mkdir(parents=True)
        folder.copy_of(template)
        with contextlib.ExitStack() as finally_:
            with contextlib.ExitStack() as undo:
                scene = Scene(folder, draw, undo, finally_)
                fault.inject(scene)
                tracebacks = [] if scene.tracebacks else folder.tracebacks()
            if scene.narrow:
                template = templates.get(fault.mode, False)
                folder.forget(*OF_FIGURES)
                folder.options = template.options
            folder.recover()
            folder.wait_for_orphans()
            found = [*tracebacks, *differences(folder, template, scene.absent)]
            if number % 5 == 0 and not found:
                _, said = folder.run()
                found = (
                    [] if re.search(r"Nothing to be done|^total +0$", said, re.M) else [f"not complete: {tail(said)}"]
                )
        return ("failed", "; ".join(found)[:2000]) if found else ("survived", "")
    except MissedError as error:
        return "missed", str(error)
    except SkippedError as error:
        return "skipped", str(error)
    except FailureError as error:
        return "failed", str(error)
    except Exception as error:  # the campaign goes on
        return "failed", f"{type(error).__name__}: {error}"
    finally:
        folder.discard()


def inject(fault, number, seed, work, templates):
    """One fault, tried again where its moment did not come; a line of the log."""
    begin = time.monotonic()
    for turn in range(ATTEMPTS):
        # A moment that this machine does not have would be missed again.
        draw = random.Random(f"{seed} {number} {turn}" if turn else f"{seed} {number}")
        outcome, reason = attempt(fault, number, draw, work, templates)
        if outcome != "missed":
            break
    result = {"number": number, "kind": fault.kind, "point": fault.point, "mode": fault.mode, "outcome": outcome}
    return result | {"reason": reason, "seconds": round(time.monotonic() - begin, 1), "seed": seed}


def summary(lines):
    """Injected and survived by kind, as a Markdown table."""
    counts = collections.defaultdict(collections.Counter)
    for line in lines:
        counts[line["kind"]][line["outcome"]] += 1
    rows = ["| fault | injected | survived |", "|---|---|---|"]
    total = collections.Counter()
    for kind in sorted(counts, key=str.casefold):
        injected = counts[kind]["survived"] + counts[kind]["failed"]
        rows.append(f"| {kind} | {injected} | {counts[kind]['survived']} |")
        total += counts[kind]
    rows.append(f"| **all** | **{total['survived'] + total['failed']}** | **{total['survived']}** |")
    for outcome in ("missed", "skipped"):
        if total[outcome]:
            rows.append(f"\n{outcome}: {total[outcome]}")
    return "\n".join(rows)


def read_log(path):
    """The lines of a log, the last one of each fault."""
    if path is None or not path.exists():
        return {}
    return {line["number"]: line for line in map(json.loads, path.read_text().splitlines())}


def parser():
    command_line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_argument("--log", type=Path, help="a line of JSON for each fault; those in it are not done again")
    command_line.add_argument("--seed", type=int, default=2018, help="what is injected, and in which order")
    command_line.add_argument("--count", type=int, help="stop after so many faults")
    command_line.add_argument("--seconds", type=float, help="begin no fault after so many seconds")
    command_line.add_argument("--workers", type=int, default=1, help="faults at a time")
    command_line.add_argument("--kind", help="only kinds that contain this")
    command_line.add_argument("--point", help="only points that contain this")
    command_line.add_argument("--again", action="store_true", help="those of the log that failed or missed, once more")
    command_line.add_argument(
        "--work", type=Path, help="a folder to work in, in memory for speed; else a temporary one"
    )
    command_line.add_argument("--list", action="store_true", help="list the faults and end")
    command_line.add_argument("--summary", action="store_true", help="print the table of the log and end")
    return command_line


def main():
    options = parser().parse_args()
    log = read_log(options.log)
    faults = dict(enumerate(plan(options.seed)))
    if options.summary:
        print(summary(log.values()))
        return 0
    done = {number for number, line in log.items() if not options.again or line["outcome"] == "survived"}
    wanted = {
        number: fault
        for number, fault in faults.items()
        if number not in done and (options.kind or "") in fault.kind and (options.point or "") in fault.point
    }
    if options.again:
        wanted = {number: fault for number, fault in wanted.items() if number in log}
    wanted = dict(list(wanted.items())[: options.count])
    if options.list:
        for number, fault in wanted.items():
            print(f"{number:4} {fault.mode:6} {fault.kind}: {fault.point}")
        return 0
    with contextlib.ExitStack() as stack:
        work = options.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        work.mkdir(parents=True, exist_ok=True)
        work.chmod(0o755)
        print(f"seed {options.seed}: {len(wanted)} of {len(faults)} faults")
        templates = Templates(work)
        kinds = {(fault.mode, whole) for fault in wanted.values() for whole in (fault.whole, False)}
        for mode, whole in sorted(kinds):
            templates.make(mode, whole)
        log |= campaign(wanted, options, work, templates)
    print(summary(log.values()))
    return 1 if any(line["outcome"] == "failed" for line in log.values()) else 0


def campaign(wanted, options, work, templates):
    """Inject faults, log and print each; returns the lines by number."""
    end = time.monotonic() + (options.seconds or float("inf"))
    lines = {}

    def one(number):
        if time.monotonic() > end:
            return
        line = inject(wanted[number], number, options.seed, work, templates)
        lines[number] = line
        print(
            f"{number:4} {line['outcome']:9} {line['seconds']:6.1f} s  {line['kind']}: {line['point']} ({line['mode']})"
            + (f"\n     {line['reason']}" if line["reason"] else ""),
            flush=True,
        )
        if options.log:
            with options.log.open("a") as file:
                file.write(json.dumps(line) + "\n")

    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        for job in [pool.submit(one, number) for number in wanted]:
            job.result()
    return lines


if __name__ == "__main__":
    sys.exit(main())
