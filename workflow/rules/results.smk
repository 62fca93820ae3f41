"""Results: the tables of a study, or of what there is of it, and the manifest of every file."""


rule measure:
    """Measure how much of style and content the pictures have. What was measured once is kept beside each run."""
    input:
        *FILES_OF_RUNS,
        lambda wildcards: unmeasured(last_runs(wildcards)),
        plan=last_plan,
    output:
        f"{FOLDER}/measures.csv",
    log:
        f"{FOLDER}/measure.log",
    conda:
        "../../envs/engine.yaml"
    threads: config["threads"]
    resources:
        mem_mb=2000,
        pool=POOL,
        runtime=lambda wildcards: 5 + len(STUDY.runs) // 20,
    shell:
        r"""
        styletransfer measure \
            --plan {input.plan:q} \
            --pool {resources.pool:q} \
            --threads {threads:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """


use rule measure as measure_partial with:
    input:
        lambda wildcards: runs_brought({"part": PARTIAL}),
        plan=newest_plan,
    output:
        f"{FOLDER}/partial/measures.csv",
    log:
        f"{FOLDER}/partial/measure.log",
    params:
        status=lambda wildcards: status_digest(study_in(newest_plan()), Path(POOL)),


rule collect:
    """Gather the records and losses of all runs into tables."""
    input:
        # Pictures as well: those of the tables are held against their checksums, and one that is gone is recreated.
        *FILES_OF_RUNS,
        measures=f"{FOLDER}/measures.csv",
        plan=last_plan,
    output:
        runs=f"{FOLDER}/runs.parquet",
        runs_csv=report(
            f"{FOLDER}/runs.csv",
            caption="../report/runs.rst",
            category="Tables",
            labels={"table": "runs", "study": STUDY.name},
        ),
        losses=f"{FOLDER}/losses.parquet",
    log:
        f"{FOLDER}/collect.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    resources:
        pool=POOL,
    params:
        options=[],
    shell:
        r"""
        styletransfer collect {params.options:q} \
            --plan {input.plan:q} \
            --pool {resources.pool:q} \
            --runs {output.runs:q} \
            --runs-csv {output.runs_csv:q} \
            --losses {output.losses:q} \
            2>{log:q}
        """


use rule collect as collect_partial with:
    input:
        lambda wildcards: runs_brought({"part": PARTIAL}),
        measures=f"{FOLDER}/partial/measures.csv",
        plan=newest_plan,
    output:
        runs=f"{FOLDER}/partial/runs.parquet",
        runs_csv=f"{FOLDER}/partial/runs.csv",
        losses=f"{FOLDER}/partial/losses.parquet",
    log:
        f"{FOLDER}/partial/collect.log",
    localrule: True
    params:
        options=["--partial"],
        # No run is an input: what is missing must not be computed. So this tells when one has come to an end.
        status=lambda wildcards: status_digest(study_in(newest_plan()), Path(POOL)),


rule response:
    """Model what parameters do to what is measured of the pictures, alone and two together."""
    input:
        f"{FOLDER}/{{part}}runs.parquet",
    output:
        f"{FOLDER}/{{part}}response.json",
    log:
        f"{FOLDER}/{{part}}response.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        r"""
        styletransfer response \
            --runs {input:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """


rule manifest:
    """Settings, versions, and the checksum of every file of a study that is complete."""
    input:
        runs_brought,
        lambda wildcards: brought(prepared_files()),
        plan=last_plan,
        tables=[*tables_of(), *decisions_of()],
        figures=figures_of(),
    output:
        report(
            f"{FOLDER}/manifest.json",
            caption="../report/manifest.rst",
            category="Environment",
            labels={"file": "manifest", "study": STUDY.name},
        ),
    log:
        f"{FOLDER}/manifest.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    resources:
        pool=POOL,
    shell:
        r"""
        styletransfer manifest \
            --plan {input.plan:q} \
            --pool {resources.pool:q} \
            --tables {input.tables:q} \
            --figures {input.figures:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """
