"""Tables: what the runs of a study gave, and what it would run."""


rule collect:
    """Gather the records and losses of all runs into tables."""
    input:
        # Pictures as well: those of the tables are held against their checksums, and one that is gone is made anew.
        expand("results/runs/{run_id}/{file}", run_id=RUN_IDS, file=RUN_FILES.values()),
    output:
        runs=f"{TABLES}/runs.parquet",
        runs_csv=f"{TABLES}/runs.csv",
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


rule plan:
    """Print what the study would run; nothing is run."""
    log:
        f"{TABLES}/plan.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        study=definition,
    shell:
        'python "$SCRIPTS/plan.py" --study {params.study:q} --pool results/runs 2> {log:q}'
