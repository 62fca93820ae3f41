"""Figures and the explorer, made from the tables of the whole study or of what there is of it."""


localrules:
    figure,
    explorer,


rule figure:
    """One figure; its caption says what it shows."""
    input:
        plan=PLAN,
        runs="results/studies/{shown}/runs.parquet",
        losses="results/studies/{shown}/losses.parquet",
        pictures=pictures_shown,
    output:
        report(
            multiext("results/studies/{shown}/figures/{figure}", ".png", ".pdf"),
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "study": "{shown}"},
        ),
    log:
        "results/studies/{shown}/figures/{figure}.log",
    conda:
        "../../envs/engine.yaml"
    params:
        command=figure_command,
    shell:
        r"""
        styletransfer {params.command:q} \
            --plan {input.plan:q} \
            --runs {input.runs:q} \
            --losses {input.losses:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """


use rule figure as explorer with:
    output:
        report(
            directory("results/studies/{shown}/explorer"),
            htmlindex="index.html",
            caption="../report/explorer.rst",
            category="Explorer",
            labels={"figure": "explorer", "study": "{shown}"},
        ),
    log:
        "results/studies/{shown}/explorer.log",
    params:
        command=["explorer", *PRESERVE],
