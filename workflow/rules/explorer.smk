"""The explorer: the whole study as one page."""


rule explorer:
    """Everything that a study found, to look through in a browser."""
    input:
        runs=rules.collect.output.runs,
        losses=rules.collect.output.losses,
        pictures=[picture(found) for found in STUDY.pictures.values()],
    output:
        report(
            directory(f"{TABLES}/explorer"),
            htmlindex="index.html",
            caption="../report/explorer.rst",
            category="Explorer",
            labels={"figure": "explorer", "study": STUDY.name},
        ),
    log:
        f"{TABLES}/explorer.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        options=explorer_options,
    shell:
        'python "$SCRIPTS/explorer.py" --runs {input.runs:q} --losses {input.losses:q} --pool results/runs'
        " --options {params.options:q} --output {output:q} > {log:q} 2>&1"
