"""The faults of the campaign: what is done to a study, at which point, and how it is undone.

`plan` lists them; the same seed gives the same list. Each is done to a copy of a finished study of which that has been
removed which the fault is about. Then the environment is put right, and the workflow is called again.
"""

import contextlib
import dataclasses
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from faults.folders import HELD, RUN_FILES, STATE, STUDY, TABLES, FailureError, remove, tail
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand

FIGURES = ("contact_sheet", "loss_curves", "device_timeline", "pareto", "parameter_effects", "response")
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
MEMORY_GROUPS = Path("/sys/fs/cgroup/memory")
PAGE = 4096


class MissedError(Exception):
    """The fault was not injected: the moment for it did not come."""


class SkippedError(Exception):
    """The fault cannot be injected here: the message says why."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """kind: as the summary groups them. point: where and how, in words. whole: with figures, explorer and manifest."""

    kind: str
    point: str
    inject: Callable
    mode: str = "single"
    whole: bool = False


@dataclasses.dataclass
class Scene:
    """What a fault has to work with.

    undo: what puts the environment right. finally_: what must be done in any case. absent: files that may be missing.
    narrow: figures are left as they are, to be quick. tracebacks: are allowed, as libraries print them without memory.
    """

    folder: object
    random: random.Random
    undo: contextlib.ExitStack
    finally_: contextlib.ExitStack
    absent: set = dataclasses.field(default_factory=set)
    narrow: bool = False
    tracebacks: bool = False

    def wait_for(self, call, condition, pause=0.001):
        """Until something is so. Raises `MissedError` if the call ends before."""
        while not condition():
            if call.over:
                raise MissedError(f"the call ended first, with {call.process.returncode}: {tail(call.said(), 200)}")
            time.sleep(pause)


# --- What a fault is about, and when ----------------------------------------------------------------------------------


def lacks_runs(folder):
    """Runs that are left to compute: the last one; of a batch the last two."""
    for path in folder.run_folders()[-2 if folder.mode == "batch" else -1 :]:
        remove(path)
    folder.forget(f"{TABLES}/*.parquet", f"{TABLES}/runs.csv", f"{TABLES}/plan-*.json")


def lacks(*patterns, runs=False):
    """Whatever is called so."""

    def prepare(folder):
        if runs:
            lacks_runs(folder)
        folder.forget(*patterns)

    return prepare


def begun(scene, call, command, after):
    """The processes of a command of the engine, so many seconds after they began."""
    found = []

    def there():
        found[:] = scene.folder.processes(command)
        return bool(found)

    scene.wait_for(call, there, pause=0.03)
    time.sleep(after)
    return found


def appears(scene, call, pattern):
    scene.wait_for(call, lambda: any(scene.folder.path.glob(pattern)))


def at_work(scene, call):
    """A moment at which runs are computed: between the start of their process and their last iteration."""
    if scene.random.choice(("start", "iterations")) == "start":
        begun(scene, call, "run", scene.random.uniform(0, 2.5))
    else:
        begun(scene, call, "run", 0)
        text = f"iteration {scene.random.randrange(1, 25):2}/30"
        scene.wait_for(call, lambda: any(text in said for said in unfinished_logs(scene.folder)))


def unfinished_logs(folder):
    """What the logs of the runs say that are not finished."""
    for path in folder.path.glob("results/runs/*/transfer.log"):
        with contextlib.suppress(OSError):
            if not (path.parent / "run.json").exists():
                yield path.read_text(errors="replace")


# --- Processes that end -----------------------------------------------------------------------------------------------


def signalled(pids, number):
    hit = 0
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            hit += 1
    if not hit:
        raise MissedError("the process had ended already")


def kill_job(prepare, command, number, after=None, file=None):
    """End the process of a job: after a time, or when a file appears."""

    def inject(scene):
        prepare(scene.folder)
        call = scene.folder.start()
        name = command or "run"
        pids = begun(scene, call, name, scene.random.uniform(0, after) if after else 0)
        if file is not None:
            appears(scene, call, file)
        signalled(pids, number)
        call.wait()

    return inject


def kill_workflow(prepare, number, everything, at=None):
    """End Snakemake, or it and all that it has started. What goes on working meets the next call."""

    def inject(scene):
        prepare(scene.folder)
        call = scene.folder.start()
        if at is None:
            at_work(scene, call)
        else:
            time.sleep(scene.random.uniform(0, at))
        if call.over:
            raise MissedError("the call had ended already")
        if everything and number == signal.SIGKILL:
            scene.folder.kill_all()
        elif everything:
            os.killpg(call.process.pid, number)
        else:
            call.process.send_signal(number)
        call.wait()

    return inject


def unlocked_at_once(scene):
    """Snakemake is killed, its jobs work on, and somebody unlocks the folder and starts again."""
    lacks_runs(scene.folder)
    call = scene.folder.start()
    at_work(scene, call)
    call.process.kill()
    call.wait()
    code, said = scene.folder.run("--unlock")
    if code:
        raise FailureError(f"cannot be unlocked: {tail(said)}")
    code, said = scene.folder.run()
    if code:
        raise FailureError(f"exit code {code} beside jobs of the killed workflow: {tail(said)}")


def two_at_once(delay, *options):
    """A second call beside the first: Snakemake's lock refuses it; where the lock is switched off, ours hold."""

    def inject(scene):
        scene.folder.forget("results/runs/*")
        lacks(f"{TABLES}/*.parquet", f"{TABLES}/runs.csv", f"{TABLES}/plan-*.json")(scene.folder)
        first = scene.folder.start(*options)
        time.sleep(scene.random.uniform(0, delay))
        second = scene.folder.start(*options)
        codes = first.wait(), second.wait()
        if first.process.returncode and second.process.returncode:
            raise FailureError(f"neither came through, exit codes {codes}: {tail(first.said())}")

    return inject


# --- Folders and disks ------------------------------------------------------------------------------------------------


def mount(*arguments):
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SkippedError(f"mount is not allowed: {done.stderr.strip()}")


def unmount(path):
    subprocess.run(["umount", "--lazy", str(path)], capture_output=True, check=False)


def full_disk(prepare, place, pages):
    """A file system of its own for a folder, on which so many pages of 4 KiB are left."""

    def inject(scene):
        prepare(scene.folder)
        path = scene.folder.path / place
        path.mkdir(parents=True, exist_ok=True)
        aside = scene.folder.beside / "aside"
        shutil.copytree(path, aside, symlinks=True)
        mount("-t", "tmpfs", "-o", "size=1g,mode=755", "tmpfs", path)
        scene.finally_.callback(unmount, path)
        shutil.copytree(aside, path, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(aside)
        left = scene.random.randrange(*pages)
        used = shutil.disk_usage(path).used
        mount("-o", f"remount,size={used + left * PAGE}", path)
        scene.undo.callback(mount, "-o", "remount,size=1g", path)
        scene.folder.run()

    return inject


def read_only(prepare, place, moment=None):
    """A folder that can be read and not written, from the start or while runs are computed."""

    def inject(scene):
        prepare(scene.folder)
        path = scene.folder.path / place
        path.mkdir(parents=True, exist_ok=True)
        call = None
        if moment:
            call = scene.folder.start()
            at_work(scene, call)
        mount("--bind", path, path)
        scene.finally_.callback(unmount, path)
        scene.undo.callback(unmount, path)
        mount("-o", "remount,ro,bind", path)
        (call or scene.folder.start()).wait()

    return inject


def vanished(prepare, place, returns):
    """A folder that is moved away while runs are computed: for good, or until the workflow has ended."""

    def inject(scene):
        prepare(scene.folder)
        call = scene.folder.start()
        at_work(scene, call)
        path, away = scene.folder.path / place, scene.folder.beside / "away"
        if place == "the run's folder":
            path = scene.folder.run_folders()[-1]
        if not returns:
            # Nobody writes logs and locks again of what is finished.
            names = (file.relative_to(scene.folder.path).as_posix() for file in path.rglob("*"))
            scene.absent.update(name for name in names if name.endswith((".log", ".tsv", ".lock")))
        path.rename(away)

        def back():
            scene.folder.wait_for_orphans()
            shutil.rmtree(path, ignore_errors=True)
            away.rename(path)

        scene.undo.callback(back if returns else lambda: shutil.rmtree(away))
        call.wait()

    return inject


def denied(prepare, place, mode):
    """A file or folder that the user may not read, or not write."""

    def inject(scene):
        if os.geteuid() == 0 and subprocess.run([*HELD, "true"], capture_output=True, check=False).returncode:
            raise SkippedError("root cannot give up that permissions do not count for it: call as another user")
        scene.folder.held = True
        prepare(scene.folder)
        found = sorted(scene.folder.path.glob(place))
        if not found:
            raise MissedError(f"there is no {place}")
        before = found[0].stat().st_mode & 0o777
        found[0].chmod(mode)
        scene.undo.callback(found[0].chmod, before)
        scene.folder.run()

    return inject


# --- Time and memory --------------------------------------------------------------------------------------------------


def shifted(prepare, places, seconds):
    """Files that were written by another clock: its time is that many seconds off."""

    def inject(scene):
        prepare(scene.folder)
        for place in places:
            for path in scene.folder.path.glob(place):
                before = path.stat()
                os.utime(path, (before.st_atime + seconds, before.st_mtime + seconds), follow_symlinks=False)
        code, said = scene.folder.run()
        if code and "clock skew" not in said:
            raise FailureError(f"exit code {code}: {tail(said)}")
        touch_future(scene.folder)

    return inject


def touch_future(folder):
    """What docs/faults.md says to do once the clock is right again."""
    command = ["find", "results", "resources", "-newermt", "now", "-exec", "touch", "-t", "200001010000", "{}", "+"]
    subprocess.run(command, cwd=folder.path, check=True)


def clock_jumps(prepare, seconds):
    """The clock of all processes is set back or forward while runs are computed."""

    def inject(scene):
        if not FAKETIME.exists():
            raise SkippedError(f"there is no {FAKETIME} (Debian's package libfaketime)")
        prepare(scene.folder)
        clock = scene.folder.beside / "clock"
        clock.write_text("+0\n")
        environment = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        call = scene.folder.start(environment=environment)
        at_work(scene, call)
        clock.write_text(f"{seconds:+d}\n")
        if call.wait() and "clock skew" not in call.said():
            raise FailureError(f"exit code {call.process.returncode}: {tail(call.said())}")
        touch_future(scene.folder)

    return inject


def out_of_memory(prepare, mebibytes):
    """The kernel kills what grows beyond the limit of the workflow's memory cgroup."""

    def inject(scene):
        group = MEMORY_GROUPS / f"faults-{os.getpid()}-{scene.folder.path.name}"
        try:
            group.mkdir()
        except OSError as error:
            raise SkippedError(f"no memory cgroup can be made: {error}") from None
        scene.finally_.callback(empty_and_remove, group)
        scene.finally_.callback(scene.folder.kill_all)
        (group / "memory.limit_in_bytes").write_text(f"{mebibytes * 2**20}\n")
        prepare(scene.folder)
        scene.folder.run(group=group)

    return inject


def empty_and_remove(group):
    """A group can be removed once the kernel has done with the last of its processes."""
    for _ in range(100):
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.05)


def little_memory(prepare, mebibytes):
    """Every process may map so much memory and no more."""

    def inject(scene):
        scene.tracebacks = True
        prepare(scene.folder)
        scene.folder.run(limits=[("RLIMIT_AS", mebibytes * 2**20)])

    return inject


# --- Damage -----------------------------------------------------------------------------------------------------------


def damage(path, how, other, source):
    """Damage a file; half of the time it does not show in its time. other: the file that it changes places with."""
    times = path.stat()
    content = path.read_bytes()
    if how == "truncated":
        path.write_bytes(content[: source.randrange(1, len(content))])
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "flipped":
        place = source.randrange(len(content))
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << source.randrange(8)]) + content[place + 1 :])
    elif how == "swapped":
        others = other.stat()
        path.write_bytes(other.read_bytes())
        other.write_bytes(content)
        os.utime(other, (others.st_atime, others.st_mtime))
    if source.random() < 0.5:
        os.utime(path, (times.st_atime, times.st_mtime))


def chosen(folder, place):
    """The file that a pattern names; of a run, that of the first."""
    if place in OF_RUN:
        return folder.run_folders()[0] / place
    return sorted(folder.path.glob(place))[0]


def partner(folder, place, other):
    return folder.run_folders()[1] / place if place in OF_RUN else chosen(folder, other)


def damaged(place, how, other=None):
    """A finished study with a damaged file: `verify` names it, and `repair`, or who reads that, removes it."""

    def inject(scene):
        folder = scene.folder
        path = chosen(folder, place)
        names = [path]
        if how == "swapped":
            names.append(partner(folder, place, other))
        damage(path, how, names[-1], scene.random)
        code, said = folder.engine("verify", f"{TABLES}/manifest.json")
        for name in names:
            relative = name.relative_to(folder.path).as_posix()
            if not code or relative not in said:
                raise FailureError(f"verify does not name {relative} (exit code {code}): {tail(said)}")
        # Snakemake knows verdict and explorer as folders: that is for `repair`.
        if scene.random.random() < 0.5 or place.endswith("index.html"):
            folder.engine("verify", f"{TABLES}/manifest.json", "--remove")
        for name in names:
            if name.exists():
                remove(name)
        scene.narrow = how != "flipped" and (place in RUN_FILES or place in TABLE_FILES)
        # What is finished does not need weights and pictures, so these stay away.
        scene.absent.update(name for name in (WEIGHTS, PAINTING, PHOTOGRAPH) if not (folder.path / name).exists())

    return inject


def damage_used(prepare, place, how, other=None):
    """A damaged file from which something is about to be made: refused by name, or of no consequence."""

    def inject(scene):
        folder = scene.folder
        prepare(folder)
        path = chosen(folder, place)
        names = [path]
        if how == "swapped":
            names.append(partner(folder, place, other))
        damage(path, how, names[-1], scene.random)
        code, said = folder.run()
        if not code:
            return  # what came of it is compared
        output = "\n".join([said, *(log.read_text(errors="replace") for log in folder.path.rglob("*.log"))])
        errors = [line for line in output.splitlines() if line.startswith("error: ") or " failed: " in line]
        if not any(name.name in line or name.parent.name in line for line in errors for name in names):
            raise FailureError(f"exit code {code}, and nothing names {path.name}: {tail(said)}")
        if "Traceback" in output:
            raise FailureError(f"a traceback: {output[output.index('Traceback') :][-600:]}")
        for name in names:
            remove(name)
            if name.name == "measures.json":
                folder.forget(f"{TABLES}/measures.csv")

    return inject


def damaged_state(how):
    """A run that is killed, and whose state is damaged before it goes on."""

    def inject(scene):
        folder = scene.folder
        lacks_runs(folder)
        call = folder.start()
        begun(scene, call, "run", 0)
        appears(scene, call, f"results/runs/*/{STATE}")
        folder.kill_all()
        call.wait()
        found = sorted(folder.path.glob(f"results/runs/*/{STATE}"))
        if not found:
            raise MissedError("no state was left")
        if how == "swapped":
            shutil.copy2(folder.run_folders()[0] / "image.png", found[0])
        else:
            damage(found[0], how, None, scene.random)

    return inject


# --- The list ---------------------------------------------------------------------------------------------------------

MODES = ("single", "batch")
OF_RUN = (*RUN_FILES, "measures.json")
TABLE_FILES = tuple(f"{TABLES}/{name}" for name in ("runs.parquet", "losses.parquet", "runs.csv"))
TABLES_GONE = (f"{TABLES}/*.parquet", f"{TABLES}/runs.csv", f"{TABLES}/plan-*.json")
PICTURES = expand(load_config(STUDY)).pictures
WEIGHTS = "resources/weights/vgg16.safetensors"
PUBLISHED = "resources/weights/source/vgg16"
PAINTING, PHOTOGRAPH = (picture.file for picture in (PICTURES["artwork"], PICTURES["photograph"]))
# Of the rules that compute no runs: command, what is removed so that it has work, and whether runs must be missing.
LIGHT = {
    "fetch_weights": ("fetch", ("resources/weights/*",), True),
    "convert_weights": ("convert", (WEIGHTS,), True),
    "prepare_picture": ("picture", (PAINTING, PHOTOGRAPH), True),
    "collect": ("collect", TABLES_GONE, False),
    "measure": ("measure", (*TABLES_GONE, f"{TABLES}/measures.csv", "results/runs/*/measures.json"), False),
    "contact_sheet": ("draw contact_sheet", (f"{TABLES}/figures/contact_sheet.*",), False),
    "loss_curves": ("draw loss_curves", (f"{TABLES}/figures/loss_curves.*",), False),
    "device_timeline": ("draw device_timeline", (f"{TABLES}/figures/device_timeline.*",), False),
    "pareto": ("draw pareto", (f"{TABLES}/figures/pareto.*",), False),
    "parameter_effects": ("draw parameter_effects", (f"{TABLES}/figures/parameter_effects.*",), False),
    "response": ("response", (f"{TABLES}/response.json",), False),
    "figure of the response": ("draw response", (f"{TABLES}/figures/response.*",), False),
    "verdict": ("verdict", (f"{TABLES}/verdict",), False),
    "explorer": ("explorer", (f"{TABLES}/explorer",), False),
    "manifest": ("manifest", (f"{TABLES}/manifest.json",), False),
}
# What is damaged: pattern, and what it changes places with.
OUTPUTS = {
    **{name: (name, None) for name in RUN_FILES},
    "runs.parquet": (f"{TABLES}/runs.parquet", f"{TABLES}/losses.parquet"),
    "losses.parquet": (f"{TABLES}/losses.parquet", f"{TABLES}/runs.parquet"),
    "runs.csv": (f"{TABLES}/runs.csv", f"{TABLES}/losses.parquet"),
    "contact_sheet.png": (f"{TABLES}/figures/contact_sheet.png", f"{TABLES}/figures/pareto.png"),
    "loss_curves.pdf": (f"{TABLES}/figures/loss_curves.pdf", f"{TABLES}/figures/contact_sheet.pdf"),
    "pareto.png": (f"{TABLES}/figures/pareto.png", f"{TABLES}/figures/loss_curves.png"),
    "parameter_effects.pdf": (f"{TABLES}/figures/parameter_effects.pdf", f"{TABLES}/figures/pareto.pdf"),
    "device_timeline.png": (f"{TABLES}/figures/device_timeline.png", f"{TABLES}/figures/pareto.png"),
    "response.json": (f"{TABLES}/response.json", f"{TABLES}/runs.csv"),
    "response.png": (f"{TABLES}/figures/response.png", f"{TABLES}/figures/pareto.png"),
    "verdict": (f"{TABLES}/verdict/index.html", f"{TABLES}/runs.csv"),
    "explorer": (f"{TABLES}/explorer/index.html", f"{TABLES}/runs.csv"),
    "photograph": (PHOTOGRAPH, PAINTING),
    "painting": (PAINTING, PHOTOGRAPH),
    "weights": (WEIGHTS, PAINTING),
}
HOW = ("truncated", "emptied", "flipped", "swapped")


def processes():
    """Processes that are ended."""
    parts = (".image.*", "image.png", "losses.csv", ".run*.tmp*", STATE)
    for mode in MODES:
        for number in (signal.SIGKILL, signal.SIGTERM):
            name = number.name
            for _ in range(10 if number == signal.SIGKILL else 3):
                yield Fault(f"{name} of a run", "at a random time", kill_job(lacks_runs, None, number, after=3), mode)
            for file in parts:
                kill = kill_job(lacks_runs, None, number, file=f"results/runs/*-sw500-*/{file}")
                yield Fault(f"{name} of a run", f"when {file} appears", kill, mode)
    for rule, (command, patterns, runs) in LIGHT.items():
        prepare = lacks(*patterns, runs=runs)
        for number, repeats in ((signal.SIGKILL, 2), (signal.SIGTERM, 1)):
            for _ in range(repeats):
                kill = kill_job(prepare, command, number, after=1.2)
                yield Fault(
                    f"{number.name} of another rule", rule, kill, whole=not runs and rule not in ("measure", "collect")
                )
    between = ("contact_sheet", "loss_curves", "pareto")
    for rule in between:
        kill = kill_job(lacks(*LIGHT[rule][1]), LIGHT[rule][0], signal.SIGKILL, file=f"{TABLES}/figures/{rule}.png")
        yield Fault("SIGKILL of another rule", f"{rule}, between its files", kill, whole=True)
    kill = kill_job(lacks(*TABLES_GONE), "collect", signal.SIGKILL, file=f"{TABLES}/runs.parquet")
    yield Fault("SIGKILL of another rule", "collect, between its files", kill)


def workflows():
    """Snakemake itself, and more than one of it."""
    for mode in MODES:
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            for everything in (False, True):
                for _ in range(3 if number == signal.SIGKILL else 1):
                    who = "with all its jobs" if everything else "alone"
                    kill = kill_workflow(lacks_runs, number, everything)
                    yield Fault(f"{number.name} of Snakemake", f"{who}, runs at work", kill, mode)
        for _ in range(3):
            yield Fault("killed and unlocked", "runs at work", unlocked_at_once, mode)
        for options in ((), ("--nolock",)):
            for delay in (0.3, 3, 9):
                what = " ".join(options) or "with Snakemake's lock"
                yield Fault(
                    "two workflows at once", f"{what}, up to {delay} s apart", two_at_once(delay, *options), mode
                )
    for everything in (False, True):
        for _ in range(3):
            kill = kill_workflow(lacks(*TABLES_GONE), signal.SIGKILL, everything, at=12)
            who = "with all its jobs" if everything else "alone"
            yield Fault("SIGKILL of Snakemake", f"{who}, tables and figures at work", kill, whole=True)


def places():
    """Disks and folders."""
    figures_gone = lacks(f"{TABLES}/figures/*", f"{TABLES}/explorer")
    for mode in MODES:
        for pages in ((0, 1), (1, 3), (3, 6), (6, 12), (12, 40)):
            yield Fault("full disk", f"results, {pages} pages", full_disk(lacks_runs, "results", pages), mode)
        for place in ("results/runs", "results"):
            yield Fault("read-only folder", f"{place}, from the start", read_only(lacks_runs, place), mode)
            yield Fault("read-only folder", f"{place}, runs at work", read_only(lacks_runs, place, "at work"), mode)
        for place in ("the run's folder", "results/runs", "results", "resources"):
            for returns in (False, True):
                what = f"{place}, {'comes back' if returns else 'for good'}"
                yield Fault("vanished folder", what, vanished(lacks_runs, place, returns), mode)
    for pages in ((0, 2), (2, 20), (20, 200)):
        yield Fault("full disk", f"figures, {pages} pages", full_disk(figures_gone, TABLES, pages), whole=True)
        prepare = lacks(*LIGHT["convert_weights"][1], runs=True)
        yield Fault("full disk", f"weights, {pages} pages", full_disk(prepare, "resources", pages))
        prepare = lacks(PAINTING, PHOTOGRAPH, runs=True)
        yield Fault("full disk", f"pictures, {pages} pages", full_disk(prepare, "resources", pages))
    yield Fault("read-only folder", f"{TABLES}, for figures", read_only(figures_gone, TABLES), whole=True)
    yield Fault("read-only folder", "resources, for weights", read_only(lacks(WEIGHTS, runs=True), "resources"))
    yield Fault("read-only folder", ".snakemake", read_only(lacks_runs, ".snakemake"))
    for place, mode in (
        *(("results/runs", 0o555), ("results/runs", 0o000), ("resources/weights", 0o000), (WEIGHTS, 0o000)),
        *((PHOTOGRAPH, 0o000), ("results/runs/*/losses.csv", 0o000), ("results/runs/*/run.json", 0o000)),
        *((TABLES, 0o555), ("results", 0o000), ("results/runs/*/.run.json.lock", 0o000), ("resources", 0o555)),
    ):
        yield Fault("permission denied", f"{place} {mode:03o}", denied(lacks_runs, place, mode))
    for place in (f"{TABLES}/figures", f"{TABLES}/explorer"):
        fault = denied(lacks(f"{TABLES}/figures/*.png", *TABLES_GONE), place, 0o555)
        yield Fault("permission denied", f"{place} 555", fault, whole=True)


def machines():
    """Clocks and memory."""
    hour, day = 3600, 86400
    for seconds in (-day, -hour, hour, day):
        for places in (["results/runs/*/*"], [f"{TABLES}/*"], ["resources/*/*"], ["results/**/*", "resources/**/*"]):
            what = f"{', '.join(places)} by {seconds:+} s"
            yield Fault("clock set otherwise", what, shifted(lacks_runs, places, seconds))
        for mode in MODES:
            yield Fault("clock jumps", f"{seconds:+} s, runs at work", clock_jumps(lacks_runs, seconds), mode)
    for mode in MODES:
        for mebibytes in (40, 90, 150, 250, 350, 450, 550):
            yield Fault("OOM kill", f"{mebibytes} MiB for all", out_of_memory(lacks_runs, mebibytes), mode)
        for mebibytes in (300, 1000, 1800, 2600, 4000):
            yield Fault("little address space", f"{mebibytes} MiB", little_memory(lacks_runs, mebibytes), mode)


def damages():
    """Files that are not what they were."""
    for name, (place, other) in OUTPUTS.items():
        for how in HOW:
            yield Fault(f"{how} file", name, damaged(place, how, other), whole=True)
    figures = (f"{TABLES}/figures/*.*", f"{TABLES}/explorer")
    for how in HOW:
        for _ in range(2 if how == "flipped" else 1):
            for name in OF_RUN:
                use = damage_used(lacks(*TABLES_GONE), name, how)
                yield Fault("damage met on the way", f"{name} {how}, collected", use)
            for name in ("runs.parquet", "losses.parquet"):
                use = damage_used(lacks(*figures), OUTPUTS[name][0], how, OUTPUTS[name][1])
                yield Fault("damage met on the way", f"{name} {how}, shown", use, whole=True)
            for name in ("photograph", "painting", "weights"):
                use = damage_used(lacks_runs, OUTPUTS[name][0], how, OUTPUTS[name][1])
                yield Fault("damage met on the way", f"{name} {how}, computed with", use)
            use = damage_used(lacks(WEIGHTS, runs=True), PUBLISHED, how, PHOTOGRAPH)
            yield Fault("damage met on the way", f"published weights {how}, converted", use)
            for mode in MODES:
                yield Fault("damage met on the way", f"state {how}, gone on from", damaged_state(how), mode)


def plan(seed):
    """All faults, in an order of the seed's: each part of the list has something of everything."""
    found = [*processes(), *workflows(), *places(), *machines(), *damages()]
    random.Random(seed).shuffle(found)
    return found
