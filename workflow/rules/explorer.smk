"""The explorer: the whole study, or what there is of it, as one page."""


rule explorer:
    """Everything that a study found, to look through in a browser."""
    input:
        runs=RUNS_TABLE,
        losses=LOSSES_TABLE,
        pictures=pictures_of_study,
    output:
        report(
            directory(f"{SHOWN}/explorer"),
            htmlindex="index.html",
            caption="../report/explorer.rst",
            category="Explorer",
            labels={"figure": "explorer", "study": STUDY.name},
        ),
    log:
        f"{SHOWN}/explorer.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        options=explorer_options,
    shell:
        'python "$SCRIPTS/explorer.py" --runs {input.runs:q} --losses {input.losses:q} --pool results/runs'
        " --options {params.options:q} --output {output:q} > {log:q} 2>&1"


# All that is made from tables.
FIGURE_RULES = (
    rules.contact_sheet,
    rules.loss_curves,
    rules.device_timeline,
    rules.pareto,
    rules.parameter_effects,
    rules.explorer,
)
