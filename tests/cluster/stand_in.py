"""PBS, LSF or HTCondor, as far as a profile sees them.

    python stand_in.py COMMAND WORDS...

does what one of their commands does: it runs a job at once, in a process group of its own, tells of it, or kills it;
and it keeps how it was called. The folder for that is in the variable STAND_IN. A job's number is the process number of
the command that submitted it.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

COMMANDS = {
    "pbs": ("qsub", "qstat", "qdel"),
    "lsf": ("bsub", "bjobs", "bkill"),
    "htcondor": ("condor_submit", "condor_q", "condor_rm"),
}
FOLDER = Path(os.environ.get("STAND_IN", "."))
NUMBER = os.getpid()


def submit_pbs(words, text):
    start(["sh", words[-1]], "/", PBS_JOBID=f"{NUMBER}.server", PBS_O_WORKDIR=str(Path.cwd()))
    return f"{NUMBER}.server"


def submit_lsf(words, text):
    script = FOLDER / f"{NUMBER}.sh"
    script.write_text(text)
    start(["sh", str(script)], ".", LSB_JOBID=str(NUMBER))
    return f"Job <{NUMBER}> is submitted to queue <gpu1>."


def submit_htcondor(words, text):
    description = text.replace("$(Cluster)", str(NUMBER))
    lines = dict(line.split(" = ", 1) for line in description.splitlines()[:-1])
    name, _, value = lines["environment"].partition("=")
    start([lines["executable"]], ".", **{name: value})
    return f"{NUMBER}.0 - {NUMBER}.0"


def start(command, folder, **settings):
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (FOLDER / f"{NUMBER}.pid").write_text(str(process.pid))


def process_of(job, folder=FOLDER):
    """A job's process, if it runs."""
    number = int((folder / f"{job.partition('.')[0]}.pid").read_text())
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None
    return None if state == "Z" else number


def status(scheduler, job):
    running = process_of(job) is not None
    if scheduler == "lsf":
        return "RUN" if running else "EXIT"
    if not running:
        return None
    return "    job_state = R" if scheduler == "pbs" else "2"


def main():
    name, *words = sys.argv[1:]
    scheduler, place = next((key, names.index(name)) for key, names in COMMANDS.items() if name in names)
    text = "" if place or scheduler == "pbs" else sys.stdin.read()
    with (FOLDER / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({"command": name, "words": words, "text": text}) + "\n")
    if place == 0:
        print(globals()[f"submit_{scheduler}"](words, text))
    elif place == 1:
        answer = status(scheduler, next(word for word in words if word[0].isdigit()))
        if answer is None:
            return 1
        print(answer)
    else:
        for job in words:
            if (process := process_of(job)) is not None:
                os.killpg(process, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
