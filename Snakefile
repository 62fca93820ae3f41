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
include: "workflow/rules/manifest.smk"


rule all:
    """The whole study: every run, the tables, the figures, the explorer and the manifest."""
    default_target: True
    input:
        rules.collect.input,
        rules.collect.output,
        [expand(rule.output, shown=STUDY.name) for rule in FIGURE_RULES],
        rules.manifest.output,


rule partial:
    """What there is of the study so far, in `partial` in its folder. Nothing is run."""
    input:
        rules.collect_partial.output,
        [expand(rule.output, shown=PARTIAL) for rule in FIGURE_RULES],
