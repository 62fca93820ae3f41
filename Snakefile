"""Neural style transfer: every setting, side by side."""

from snakemake.utils import min_version

min_version("9.27")


# A study given by --configfile stands alone: Snakemake would merge it into this one.
if not workflow.configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/weights.smk"
include: "workflow/rules/images.smk"
include: "workflow/rules/transfer.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/explorer.smk"
include: "workflow/rules/benchmark.smk"


rule all:
    """The whole study: every run, the tables, the figures and the explorer."""
    default_target: True
    input:
        rules.collect.input,
        rules.collect.output,
        rules.contact_sheet.output,
        rules.loss_curves.output,
        rules.device_timeline.output,
        rules.pareto.output,
        rules.parameter_effects.output,
        rules.explorer.output,
