"""What all rules share: the checked config, the study that it describes, and look-ups into it."""

import shlex
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
SCHEMA = Path(workflow.basedir) / "workflow" / "schemas" / "config.schema.yaml"
sys.path.insert(0, str(SCRIPTS))

from styletransfer import devices, paintings, settings, study
from styletransfer import weights as network_weights
from styletransfer.errors import InputError

try:
    config = study.load(config, yaml.safe_load(SCHEMA.read_text()))
    STUDY = study.expand(config)
    study.definition(config)
except InputError as error:
    raise WorkflowError(str(error))

TABLES = f"results/studies/{STUDY.name}"
FIGURES = f"{TABLES}/figures"
RUN_IDS = list(STUDY.runs)
DEVICE = (
    ("gpu" if devices.gpus() else "cpu")
    if config["device"] == "auto"
    else config["device"]
)
NETWORK = (
    config["weights"]
    if config["weights"] in network_weights.SOURCES
    else f"local-{STUDY.weights.digest}"
)
PICTURES = study.picture_names(config)

# Where and how a job runs is not what it computes: these reach the shell beside the rules, so that another clone,
# device or logging interval does not look like another command.
shell.prefix(
    f"export SCRIPTS={shlex.quote(str(SCRIPTS))} DEVICE={DEVICE}"
    f" PRINT_ITERATIONS={config['print_iterations']}; "
)


wildcard_constraints:
    run_id="[A-Za-z0-9][A-Za-z0-9.+_-]*",


def picture(name):
    """The prepared file of a picture. What it holds is part of its name, so it is never out of date."""
    ((kind, source),) = config["images"][name].items()
    if kind == "painting":
        return f"resources/paintings/{paintings.recipe(source)}.png"
    if kind == "sample":
        return f"resources/photographs/{source}.png"
    return f"resources/pictures/{name}-{study.ingredient(config, name).digest}.png"


def settings_of(wildcards):
    return settings.to_json(STUDY.runs[wildcards.run_id].canonical())


def content_picture(wildcards):
    return picture(STUDY.runs[wildcards.run_id].content.name)


def style_pictures(wildcards):
    return [picture(style.name) for style in STUDY.runs[wildcards.run_id].styles]


def initial_picture(wildcards):
    run = STUDY.runs[wildcards.run_id]
    return [picture(run.initial.name)] if run.initial not in (None, run.content) else []


def path_of_picture(wildcards):
    """The user's own file behind a prepared picture."""
    return config["images"][wildcards.name]["path"]


# Params that hold the user's words come from functions: in a plain string Snakemake takes braces for wildcards.
def definition(wildcards):
    return study.definition(config)


def path_of_weights(wildcards):
    return config["weights"]


def sheet_options(wildcards):
    return settings.to_json(
        {**config["contact_sheet"], "preserve_colors": config["preserve_colors"]}
    )


def pictures_by_name(wildcards):
    return settings.to_json({name: picture(name) for name in PICTURES})
