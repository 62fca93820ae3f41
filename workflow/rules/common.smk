"""What all rules share: the study, and look-ups into it."""

import functools
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import RerunTrigger

try:
    import styletransfer
except ModuleNotFoundError:
    raise WorkflowError(
        "Snakemake's Python has no engine of this workflow: `pip install --no-deps` with the repository"
    )

import snakemake_logger_plugin_styletransfer as terminal
from styletransfer.devices import host, precision
from styletransfer.errors import InputError
from styletransfer.files import yaml_reader
from styletransfer.results.estimates import Estimates
from styletransfer.results.overview import estimates_of, too_large
from styletransfer.results.plan import check_sizes, status_digest
from styletransfer.runs.layout import MEASURES, RUN_FILES
from styletransfer.study import plan, rungs
from styletransfer.study.config import DEFINING_KEYS
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand as expand_study
from styletransfer.vgg.sources import SOURCES

# Of another workflow that has this one as a module, config files hold more than a study, and rules may have other names.
MODIFIER = workflow.modifier
RESULTS, RESOURCES = map(workflow.pathvars.apply, ("<results>", "<resources>"))
POOL = f"{RESULTS}/runs"
if MODIFIER.path_modifier.replace_prefix(POOL) != POOL:
    raise WorkflowError(
        "a module of this workflow has no prefix: give it pathvars, `pathvars: results=..., resources=...`"
    )
# Environments that conda builds have no engine but this one: envs/*.post-deploy.sh.
os.environ.update(STYLETRANSFER_ENGINE=str(Path(styletransfer.__file__).parent))


include: "storage.smk"


try:
    # Snakemake has read them already, but says nothing of a key that is there twice.
    for file in workflow.configfiles if MODIFIER.is_main_snakefile() else []:
        yaml_reader.read(file)
    if planned := planned_study(config.get("study")):  # in place of folders of pictures, those that there were
        config.update({key: planned.config[key] for key in ("images", "pairs")})
    given = (config.get("pathvars") or {}) if MODIFIER.is_main_snakefile() else {}
    config = load_config({**config, "pathvars": {**given, "results": RESULTS, "resources": RESOURCES}})
    FOLDER = f"{RESULTS}/studies/{config['study']}"
    STUDY = planned or expand_study(config, lambda: plan.newest(FOLDER))
    check_sizes(STUDY)
except InputError as error:
    raise WorkflowError(str(error))

# For calls with `--sdm apptainer`. It takes the driver's libraries along, as --nv does, where runs compute on GPUs.
if config["container"]:

    container: config["container"]

    if host.guess(config["device"]) == "gpu":
        os.environ.update(APPTAINER_NV="1", SINGULARITY_NV="1")


# The plan of another study is another file: so it is noticed even where Snakemake's own records are gone.
# With rungs the plan is that of the first, and each decision is one more plan, beside it: see rungs.smk.
RUNGS = config["rungs"]
PLANS = {rung: f"{FOLDER}/plan-{STUDY.digest}-{rung}.json" for rung in RUNGS}
PLAN = PLANS[RUNGS[0]] if RUNGS else f"{FOLDER}/plan-{STUDY.digest}.json"
FIRST = rungs.at(STUDY, RUNGS[0]) if RUNGS else STUDY
EVERY = rungs.every(STUDY)  # with all runs that may come to be computed
give_to_jobs(STUDY, f"{FOLDER}/plan-{STUDY.digest}.json")
terminal.explorer = Path(FOLDER, "explorer", "index.html")
# What is shown is the whole study, or what there is of it: in the study's folder, or in partial/ there. That is all of a
# path which is a wildcard: Snakemake takes a name such as aaaaaaaaaaaaaaaaaaaa for a rule that calls itself.
PARTIAL = "partial/"
FIGURES = ["contact_sheet", "loss_curves", "device_timeline", "pareto", "parameter_effects", "response"]
OWN_PYTHON = not workflow.deployment_settings.deployment_method  # of Snakemake, or one that it builds for runs
PRESERVE = ["--preserve-colors"] if config["preserve_colors"] else []


wildcard_constraints:
    run_id="[A-Za-z0-9][A-Za-z0-9.+_-]*",
    part=f"({PARTIAL})?",
    weights=f"{'|'.join(SOURCES)}|local-[0-9a-f]{{16}}",


# What runs at once on this host is bounded by what is scarce: memory as well, and a container's quota of cores.
if workflow.is_main_process and workflow.global_resources["_nodes"].value is None:
    for name, limit in host.limits(workflow.global_resources).items():
        workflow.register_resource(name, limit)


# Only when runs are about to start: a dry run and a plan work anywhere.
onstart:
    if not all(is_finished(run_id) for job in jobs_of_runs() for run_id in runs_of(job)):
        refuse_missing_devices()
        warn_of_too_large_runs()
        if SHARED:
            sys.stderr.write(f"to watch it: styletransfer watch {STUDY.name}, or open {FOLDER}/live.html\n")


onsuccess:
    print_status()
    print_what_is_there()


onerror:
    print_status()


def refuse_missing_devices():
    """No run may end up on the CPU, or wait for ever, because nobody looked whether there are devices."""
    tokens = workflow.global_resources.get("gpu")
    try:
        if not workflow.local_exec:
            host.check_remote(config["device"])
            return
        host.check(config["device"], device(), tokens and tokens.value, config["slots_per_device"], OWN_PYTHON)
        for run_id, run in STUDY.runs.items():
            if device() == "cpu" and not is_finished(run_id):
                precision.resolve(run.precision, "cpu")
    except InputError as error:
        raise WorkflowError(str(error))


def warn_of_too_large_runs():
    """Not refused: it is an estimate, and there may be swap."""
    runs = [run_id for run_id in STUDY.runs if not is_finished(run_id)]
    limit = workflow.global_resources.get("mem_mb")
    if workflow.local_exec and runs and limit is not None:
        sys.stderr.writelines(f"{line}\n" for line in too_large(estimates(), runs, limit.value))


@functools.cache
def estimates():
    """Of time and memory. What a job asks for was decided when it was submitted: there is nothing more to look at."""
    machine = device(), config["backend"], config["threads"]
    if not workflow.is_main_process:
        return Estimates(EVERY, *machine)
    return estimates_of(EVERY, Path(POOL), *machine, anywhere=not workflow.local_exec)


@functools.cache
def device():
    """`gpu` or `cpu`. Jobs ask for it, so that what runs nothing, or dry, waits neither for a driver nor TensorFlow."""
    if workflow.dryrun or not workflow.local_exec:
        return host.guess(config["device"])
    return host.guess(config["device"], host.PATIENCE_SECONDS, OWN_PYTHON)


def print_status():
    """After runs, how all of them stand and where the results are; and if they were forced, that they were kept."""
    rules_run = {job.rule.name for job in workflow.dag.jobs}
    if SHARED and rules_run & {named("all"), *terminal.run_rules}:
        file, pool = newest_plan(), POOL
        shell("test ! -e {file:q} || styletransfer status --plan {file:q} --pool {pool:q} >&2 || true")
    forced = {run_id for job in jobs_of_runs() if workflow.dag.reason(job).forced for run_id in runs_of(job)}
    if kept := sum(is_finished(run_id) and first_inode_of(run_id) == inode_of(run_id) for run_id in forced):
        runs = "1 run was" if kept == 1 else f"{kept} runs were"
        print(f"{runs} kept: to compute a finished run again, remove its folder in {POOL}", file=sys.stderr)


def print_what_is_there():
    """What was asked for, where it is made."""
    rules_run = {job.rule.name for job in workflow.dag.jobs}
    if named("propose") in rules_run:
        print(f"what to run next: snakemake --configfile {stored_at(f'{FOLDER}/next.yaml')}", file=sys.stderr)
    if named("partial") in rules_run:
        print(f"what there is so far: {stored_at(f'{FOLDER}/{PARTIAL}')}", file=sys.stderr)
    if not SHARED and named("all") in rules_run:
        print(f"the study: {stored_at(FOLDER)}", file=sys.stderr)


def named(rule):
    """What a rule is called where another workflow has this one as a module."""
    return MODIFIER.modify_rulename(rule)


def jobs_of_runs():
    """The jobs of this call that compute runs."""
    return [job for job in workflow.dag.needrun_jobs(exclude_finished=False) if job.rule.name in terminal.run_rules]


def runs_of(job):
    """The runs that a job computes."""
    return {Path(file).parent.name for file in job.output}


def inode_of(run_id):
    """Of the record of a finished run: another one once it is computed again, while Snakemake changes times. Or None.

    In storage none is looked for: it would be a request for each file, and Snakemake asks for all of them together.
    """
    found = [stat_of(file) for file in files_of([run_id])] if SHARED else [None]
    return None if None in found else found[-1].st_ino


def stat_of(file):
    """What the disk says of a file; None if it is not there. Called for each file of each run, so without a `Path`."""
    try:
        return os.stat(file)
    except (FileNotFoundError, NotADirectoryError):
        return None


# As it was when this call of Snakemake began.
first_inode_of = functools.cache(inode_of)


def is_finished(run_id):
    return first_inode_of(run_id) is not None


@functools.cache
def leave_runs_to_themselves():
    """A run's own record tells what is whole, and replaces its files, each as a whole. Snakemake would write files about
    each that nothing reads; make finished runs of a job look new to other studies; and of a failed job remove what was
    made, or put back what was there when it began.
    """
    persistence, is_of_runs = workflow.persistence, lambda job: job.rule.name in terminal.run_rules
    started, finished, has_metadata = persistence.started, persistence.finished, persistence.has_metadata
    touch = workflow.dag.check_and_touch_output

    async def finish(job):
        persistence.cleanup(job) if is_of_runs(job) else await finished(job)

    async def check(job, **how):
        kept = {"no_touch": True, "check_output_mtime": False} if SHARED and is_of_runs(job) else {}
        await touch(job, **how | kept)

    workflow.dag.check_and_touch_output = check
    persistence.started = lambda job, *jobid: is_of_runs(job) or started(job, *jobid)
    persistence.finished = finish
    persistence.has_metadata = lambda job: is_of_runs(job) or has_metadata(job)
    persistence.backup_output = lambda path: None
    persistence.restore_output = lambda path: False
    if workflow.execution_settings is not None:  # as where a report is made
        workflow.execution_settings.keep_incomplete = True


def unless_made(is_made, wanted):
    """What a job asks for: nothing once its output is there, since what that was made of may be gone."""

    def asked_for(wildcards):
        # So another set of inputs is no reason to make it again; nor is the command line of a new release.
        workflow.dag_settings.rerun_triggers &= {RerunTrigger.MTIME, RerunTrigger.PARAMS}
        leave_runs_to_themselves()
        return [] if is_made(wildcards) else wanted(wildcards)

    return ancient(asked_for)


include: "inputs.smk"


def need(what, runs):
    """What a job of these runs asks for: memory or time, by its name in `Estimates`. Every attempt gets more."""
    return lambda wildcards, attempt: attempt * getattr(estimates(), what)(runs or [wildcards.run_id])


def machine_of(config):
    """What the plan does not have of a config, and is not as it is unasked, as JSON."""
    usual = load_config({name: config[name] for name in ("study", "images", "pairs")})
    left_out = (*DEFINING_KEYS, "part", "contact_sheet", "preferences")
    return json.dumps({name: value for name, value in config.items() if name not in left_out and value != usual[name]})


def figure_command(wildcards):
    """The command that draws a figure, with what the config says of it."""
    command = ["draw", wildcards.figure]
    if wildcards.figure == "contact_sheet":
        sheet = config["contact_sheet"]
        command += [*PRESERVE, "--columns", str(sheet["columns"])]
        command += ["--grid", *sheet["grid"]] if sheet["grid"] else []
        for name, limits in sheet["limits"].items():
            command += ["--limits", name, *map(str, limits)]
    return command
