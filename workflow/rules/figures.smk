"""Figures and the explorer, made from the tables of the whole study or of what there is of it."""


rule figure:
    """One figure; its caption says what it shows."""
    input:
        plan=last_plan,
        runs=f"{FOLDER}/{{part}}runs.parquet",
        losses=f"{FOLDER}/{{part}}losses.parquet",
        responses=f"{FOLDER}/{{part}}response.json",
        pictures=pictures_shown,
        shown=runs_brought,
    output:
        report(
            multiext(f"{FOLDER}/{{part}}figures/{{figure}}", ".png", ".pdf"),
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "study": STUDY.name},
        ),
    log:
        f"{FOLDER}/{{part}}figures/{{figure}}.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    resources:
        pool=POOL,
    params:
        command=figure_command,
    shell:
        r"""
        styletransfer {params.command:q} \
            --plan {input.plan:q} \
            --pool {resources.pool:q} \
            --runs {input.runs:q} \
            --losses {input.losses:q} \
            --responses {input.responses:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """


use rule figure as verdict with:
    output:
        report(
            directory(f"{FOLDER}/{{part}}verdict"),
            htmlindex="index.html",
            caption="../report/verdict.rst",
            category="Verdict",
            labels={"figure": "verdict", "study": STUDY.name},
        ),
    log:
        f"{FOLDER}/{{part}}verdict.log",
    localrule: True
    params:
        command=["verdict", *PRESERVE],


use rule figure as explorer with:
    output:
        report(
            directory(f"{FOLDER}/{{part}}explorer"),
            htmlindex="index.html",
            caption="../report/explorer.rst",
            category="Explorer",
            labels={"figure": "explorer", "study": STUDY.name},
        ),
    log:
        f"{FOLDER}/{{part}}explorer.log",
    localrule: True
    params:
        command=["explorer", *PRESERVE],
