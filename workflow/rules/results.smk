"""Tables: what the runs of a study gave, what there is of them so far, and what it would run."""


rule collect:
    """Gather the records and losses of all runs into tables."""
    input:
        # Pictures as well: those of the tables are held against their checksums, and one that is gone is recreated.
        expand("results/runs/{run_id}/{file}", run_id=RUN_IDS, file=RUN_FILES.values()),
    output:
        runs=f"{TABLES}/runs.parquet",
        runs_csv=report(
            f"{TABLES}/runs.csv",
            caption="../report/runs.rst",
            category="Tables",
            labels={"table": "runs", "study": STUDY.name},
        ),
        losses=f"{TABLES}/losses.parquet",
        # Another study under this name is another file: so it is noticed even where Snakemake's own records are gone.
        definition=f"{TABLES}/study-{DIGEST}.json",
    log:
        f"{TABLES}/collect.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        study=definition,
    shell:
        'python "$SCRIPTS/collect.py" --study {params.study:q} --pool results/runs --runs {output.runs:q}'
        " --runs-csv {output.runs_csv:q} --losses {output.losses:q} --definition {output.definition:q} > {log:q} 2>&1"


rule collect_partial:
    """The same of what there is: a run without a result stands in the table with its status and the reason."""
    output:
        runs=f"{TABLES}/partial/runs.parquet",
        runs_csv=f"{TABLES}/partial/runs.csv",
        losses=f"{TABLES}/partial/losses.parquet",
    log:
        f"{TABLES}/partial/collect.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        study=definition,
        preparations=input_status_json,
        # No run is an input: what is missing must not be computed. So this tells when one has come to an end.
        standing=status_digest_of_runs,
    shell:
        'python "$SCRIPTS/collect.py" --partial --study {params.study:q} --pool results/runs --runs {output.runs:q}'
        " --preparations {params.preparations:q} --runs-csv {output.runs_csv:q} --losses {output.losses:q}"
        " 2> {log:q}"


rule plan:
    """Print what the study would run; nothing is run."""
    log:
        f"{TABLES}/plan.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        study=definition,
        at_once=runs_at_once,
    shell:
        'python "$SCRIPTS/plan.py" --study {params.study:q} --pool results/runs --at-once {params.at_once:q}'
        " 2> {log:q}"
