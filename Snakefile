"""Neural style transfer: every setting, side by side."""

from snakemake.utils import min_version

min_version("9.27")


# A study given by --configfile stands alone: Snakemake would merge it into this one.
if not workflow.configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/transfer.smk"
include: "workflow/rules/rungs.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/propose.smk"


rule all:
    """The whole study: every run, the tables, the figures, the explorer and the manifest."""
    default_target: True
    input:
        # A plan is a target as well: a missing input alone makes nothing run whose output is there.
        PLAN,
        lambda wildcards: files_of(last_runs(wildcards)),
        tables_of(),
        figures_of(),
        f"{FOLDER}/manifest.json",


rule partial:
    """What there is of the study so far, in `partial` in its folder. Nothing is run."""
    input:
        PLAN,
        tables_of(PARTIAL),
        figures_of(PARTIAL),
