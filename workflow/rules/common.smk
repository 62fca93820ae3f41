"""What all rules share: the checked config, the study that it describes, and look-ups into it."""

import functools
import hashlib
import math
import os
import re
import shlex
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
SCHEMA = Path(workflow.basedir) / "workflow" / "schemas" / "config.schema.yaml"
# The engine is found beside the workflow, installed or not.
ENGINE = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(ENGINE))

from styletransfer import settings
from styletransfer.devices import lease, precision
from styletransfer.errors import InputError
from styletransfer.files import yaml_reader
from styletransfer.images import generated
from styletransfer.runs import status
from styletransfer.runs.layout import RUN_FILES
from styletransfer.study.config import definition as definition_of
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand as expand_study
from styletransfer.study.expand import batches as batches_of
from styletransfer.vgg.sources import SOURCES

try:
    # Snakemake has read them already, but says nothing of a key that is there twice.
    for file in workflow.configfiles:
        yaml_reader.read(file)
    config = load_config(config, yaml.safe_load(SCHEMA.read_text()))
    STUDY = expand_study(config)
    DEFINITION = definition_of(config)
except InputError as error:
    raise WorkflowError(str(error))

TABLES = f"results/studies/{STUDY.name}"
DIGEST = hashlib.sha256(DEFINITION.encode()).hexdigest()[:12]
# What is shown is the whole study, or what there is of it: in the study's folder, or in partial/ there.
PARTIAL = f"{STUDY.name}/partial"
SHOWN = "results/studies/{shown}"
RUNS_TABLE = f"{SHOWN}/runs.parquet"
LOSSES_TABLE = f"{SHOWN}/losses.parquet"
FIGURES = f"{SHOWN}/figures"
RUN_IDS = list(STUDY.runs)
DEVICE = (
    ("gpu" if lease.gpus() else "cpu")
    if config["device"] == "auto"
    else config["device"]
)
ENVIRONMENT = f"../../envs/engine{'-gpu' if DEVICE == 'gpu' else ''}.yaml"
NETWORK = (
    config["weights"]
    if config["weights"] in SOURCES
    else f"local-{STUDY.weights.digest}"
)
OUTPUTS = {name: f"results/runs/{{run_id}}/{file}" for name, file in RUN_FILES.items()}

# Where and how a job runs is not what it computes, and what a file holds is part of its name. So places and machine
# reach the shell beside the rules: another clone, device or folder of pictures is not taken for another command.
VARIABLES = {
    "SCRIPTS": SCRIPTS,
    "DEVICE": DEVICE,
    "DEVICE_SLOTS": config["slots_per_device"],
    "BENCHMARK_ROUNDS": config["benchmark"]["rounds"],
    "BENCHMARK_WIDTH": config["benchmark"]["typical"],
    "COMPUTE_PATH": config["path"],
    "PRINT_ITERATIONS": config["print_iterations"],
    "STATE": f"--state-seconds={config['state_seconds']}"
    + " --keep-state" * config["keep_state"],
    "WEIGHTS": config["weights"],
    **{
        f"PICTURE_{found.digest}": config["images"][name]["path"]
        for name, found in STUDY.pictures.items()
        if "path" in config["images"][name]
    },
}
# Snakemake formats the prefix as well, so braces are doubled.
EXPORTS = " ".join(
    f"{name}={shlex.quote(str(value))}" for name, value in VARIABLES.items()
)
# Rules call `python`: that of Snakemake's own environment, whether or not it is activated, unless rules have theirs.
if not workflow.deployment_settings.deployment_method:
    EXPORTS += f" PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
# Commands find the engine as this file does.
EXPORTS += f" PYTHONPATH={shlex.quote(str(ENGINE))}${{PYTHONPATH:+:$PYTHONPATH}}"
shell.prefix(f"export {EXPORTS}; ".replace("{", "{{").replace("}", "}}"))


# Only when runs are about to start: a dry run and a plan work anywhere.
onstart:
    if workflow.is_main_process and not workflow.touch and computes_runs():
        try:
            refuse_missing_gpus()
            refuse_bfloat16()
        except InputError as error:
            raise WorkflowError(str(error))
        watch = Path(os.path.relpath(SCRIPTS), "watch.py")
        print(
            f"runs at work: python {watch} --configfile {workflow.configfiles[-1]}",
            file=sys.stderr,
        )


onsuccess:
    print_status()
    if workflow.is_main_process and any(
        job.rule.name == "all" for job in workflow.dag.jobs
    ):
        print(f"contact sheet: {TABLES}/figures/contact_sheet.png", file=sys.stderr)
        print(
            f"explorer: {TABLES}/explorer/index.html (open it in a browser)",
            file=sys.stderr,
        )
    if any(job.rule.name == "collect_partial" for job in workflow.dag.jobs):
        print(f"what there is so far: results/studies/{PARTIAL}", file=sys.stderr)


onerror:
    print_status()


wildcard_constraints:
    run_id="[A-Za-z0-9][A-Za-z0-9.+_-]*",
    shown=f"{re.escape(STUDY.name)}(/partial)?",


def picture(artifact):
    """The prepared file of a picture. What it holds is part of its name, so it is never out of date."""
    ((kind, source),) = config["images"][artifact.name].items()
    if kind == "painting":
        return f"resources/paintings/{generated.recipe(source)}.png"
    if kind == "sample":
        return f"resources/photographs/{source}.png"
    return f"resources/pictures/{artifact.name}-{artifact.digest}.png"


def computes_runs():
    return any(
        job.rule.name.startswith("transfer") for job in workflow.dag.needrun_jobs()
    )


def refuse_missing_gpus():
    """No run may end up on the CPU, or wait for ever, because nobody looked whether there are GPUs."""
    tokens = workflow.global_resources.get("gpu")
    if workflow.local_exec:
        lease.check(
            config["device"], tokens and tokens.value, config["slots_per_device"]
        )
    else:
        lease.check_remote(config["device"])


def refuse_bfloat16():
    """Before the first run rather than in each of them."""
    if DEVICE == "cpu" and workflow.local_exec:
        for run_id, run in STUDY.runs.items():
            if not finished(run_id):
                precision.resolve(run.precision, "cpu")


def runs_at_once(wildcards):
    """How many runs this call computes at the same time."""
    if DEVICE == "gpu":
        tokens = workflow.global_resources.get("gpu")
        return tokens.value if tokens and tokens.value else 1
    return max(1, (workflow.cores or 1) // config["threads"])


def print_status():
    """Only after runs, not after a plan."""
    if workflow.is_main_process and any(
        job.rule.name.startswith("transfer") for job in workflow.dag.jobs
    ):
        statuses = status.study_status(
            STUDY.runs, Path("results/runs"), status.input_status(input_status())
        )
        print(status.summary(statuses, Path("results/runs")), file=sys.stderr)


@functools.cache
def finished(run_id):
    return all(Path(path.format(run_id=run_id)).exists() for path in OUTPUTS.values())


def needed(run_id, paths):
    """A finished run asks for nothing that is gone: Snakemake would recreate it and then every run that names it."""
    forced = workflow.dag_settings.forceall or workflow.dag_settings.forcerun
    return [
        path for path in paths if forced or not finished(run_id) or Path(path).exists()
    ]


def pictures_of(run_id):
    """Where the pictures of a run lie; initial only where it starts from another picture than the content."""
    run = STUDY.runs[run_id]
    return {
        "content": picture(run.content),
        "styles": [picture(style) for style in run.styles],
        "initial": (
            picture(run.initial) if run.initial not in (None, run.content) else None
        ),
    }


def network(wildcards):
    return needed(wildcards.run_id, [f"resources/weights/{NETWORK}.safetensors"])


def content_picture(wildcards):
    return needed(wildcards.run_id, [pictures_of(wildcards.run_id)["content"]])


def style_pictures(wildcards):
    return needed(wildcards.run_id, pictures_of(wildcards.run_id)["styles"])


def initial_picture(wildcards):
    initial = pictures_of(wildcards.run_id)["initial"]
    return needed(wildcards.run_id, [initial] if initial else [])


def batches():
    """By number, the runs of equal pictures that one job computes in turn, less those that are finished.

    A job on another host parses this file again, when some of its runs may be there: it takes its batch whole.
    """
    left = [
        [run_id for run_id in batch if workflow.remote_exec or not finished(run_id)]
        for batch in batches_of(STUDY, config["runs_per_job"])
    ]
    return {
        f"{number:04}": batch for number, batch in enumerate(left, start=1) if batch
    }


def batch_pictures(batch):
    found = [pictures_of(run_id) for run_id in batch]
    names = [[run["content"], *run["styles"], run["initial"]] for run in found]
    return sorted({name for group in names for name in group if name})


def batch_outputs(batch):
    return [
        update(path.format(run_id=run_id))
        for run_id in batch
        for path in OUTPUTS.values()
    ]


def minutes(runs):
    """Time limit of a job of so many runs, for clusters; every attempt gets more."""
    expected = 5 + runs * config["seconds_per_run"] / 60
    return lambda wildcards, attempt: math.ceil(2 * expected * attempt)


# Params are functions: in a plain string Snakemake would take the braces of JSON and of the user's words for wildcards.
# These name `output` as well, so that Snakemake keeps no record of them: a run is its settings, whatever job computes it.
def settings_of(wildcards, output):
    return settings.to_json(STUDY.runs[wildcards.run_id].canonical())


# Snakemake keeps the command of a job with every file that it makes: what the runs of a batch share is said once.
def common_of(batch):
    return lambda wildcards, output: settings.to_json(
        {
            "settings": settings.factor_common(canonical(batch))[0],
            **pictures_of(batch[0]),
        }
    )


def runs_of(batch):
    return lambda wildcards, output: settings.to_json(
        [{"settings": own} for own in settings.factor_common(canonical(batch))[1]]
    )


def canonical(batch):
    return [STUDY.runs[run_id].canonical() for run_id in batch]


def definition(wildcards):
    return DEFINITION


def input_status():
    """By digest, how pictures and weights come about: where it says why there are none."""
    files = {
        found.digest: {
            "file": picture(found),
            "logs": [Path(picture(found)).with_suffix(".log").as_posix()],
        }
        for found in STUDY.pictures.values()
    }
    logs = [
        f"resources/weights/{NETWORK}.{stage}.log" for stage in ("fetch", "convert")
    ]
    network = {"file": f"resources/weights/{NETWORK}.safetensors", "logs": logs}
    # What cannot be downloaded is no fault of what was asked for.
    own = config["weights"] not in SOURCES
    files[STUDY.weights.digest] = network | {"status": "bad_input" if own else "failed"}
    return files


def input_status_json(wildcards):
    return settings.to_json(input_status())


@functools.cache
def status_digest():
    """How all runs stand, in short: another text when the tables of what there is are out of date."""
    statuses = status.study_status(
        STUDY.runs, Path("results/runs"), status.input_status(input_status())
    )
    rows = [[run_id, found.name, found.reason] for run_id, found in statuses.items()]
    return hashlib.sha256(settings.to_json(rows).encode()).hexdigest()


def status_digest_of_runs(wildcards):
    return status_digest()


def pictures_of_study(wildcards):
    """What is made of what there is does not ask for pictures that are not there."""
    paths = [picture(found) for found in STUDY.pictures.values()]
    return [path for path in paths if wildcards.shown != PARTIAL or Path(path).exists()]


def sheet_options(wildcards):
    return settings.to_json(
        {**config["contact_sheet"], "preserve_colors": config["preserve_colors"]}
    )


def pictures_by_name(wildcards):
    return settings.to_json(
        {name: picture(found) for name, found in STUDY.pictures.items()}
    )


def explorer_options(wildcards):
    return settings.to_json(
        {
            **{name: config[name] for name in ("design", "pairs", "weights")},
            "preserve_colors": config["preserve_colors"],
            "images": {name: config["images"][name] for name in STUDY.pictures},
            "files": {name: picture(found) for name, found in STUDY.pictures.items()},
            "network": f"resources/weights/{NETWORK}.safetensors",
        }
    )
