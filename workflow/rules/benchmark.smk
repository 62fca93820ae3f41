"""`snakemake benchmark`: how fast this machine is, beside what it could be. Not part of a study, and never made unasked."""

BENCHMARK = "results/benchmark"


rule benchmark:
    """The table, its Markdown and the figure."""
    input:
        f"{BENCHMARK}/iterations.csv",
        f"{BENCHMARK}/benchmark.md",
        f"{BENCHMARK}/benchmark.png",


rule benchmark_step:
    """Seconds per iteration at one size: every way to compute, in turn."""
    input:
        weights="resources/weights/vgg16.safetensors",
    output:
        f"{BENCHMARK}/step-{{width}}.json",
    log:
        f"{BENCHMARK}/step-{{width}}.log",
    # It stands in a shell's arithmetic.
    wildcard_constraints:
        width="[0-9]+",
    conda:
        ENVIRONMENT
    # Nothing else may compute meanwhile. A function, since a cluster has no number of cores.
    threads: lambda wildcards: workflow.cores
    shell:
        'python "$SCRIPTS/benchmark.py" step --network {input.weights:q} --width {wildcards.width}'
        " --height $(({wildcards.width} * 26 / 25)) --rounds $BENCHMARK_ROUNDS --output {output:q} > {log:q} 2>&1"


rule benchmark_of:
    """What a run costs beside its iterations (`run`), or what each layer does of the machine's best (`layers`)."""
    input:
        weights="resources/weights/vgg16.safetensors",
    output:
        f"{BENCHMARK}/{{measurement}}.json",
    log:
        f"{BENCHMARK}/{{measurement}}.log",
    wildcard_constraints:
        measurement="run|layers",
    conda:
        ENVIRONMENT
    threads: lambda wildcards: workflow.cores
    shell:
        'python "$SCRIPTS/benchmark.py" {wildcards.measurement:q} --network {input.weights:q}'
        " --width $BENCHMARK_WIDTH --height $((BENCHMARK_WIDTH * 26 / 25)) --rounds $BENCHMARK_ROUNDS"
        " --output {output:q} > {log:q} 2>&1"


rule benchmark_report:
    """All measurements in one table and one figure."""
    input:
        steps=expand(rules.benchmark_step.output, width=config["benchmark"]["widths"]),
        others=expand(rules.benchmark_of.output, measurement=["run", "layers"]),
    output:
        table=f"{BENCHMARK}/iterations.csv",
        page=f"{BENCHMARK}/benchmark.md",
        figure=f"{BENCHMARK}/benchmark.png",
    log:
        f"{BENCHMARK}/report.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/benchmark_report.py" --measurements {input.steps:q} {input.others:q} --table {output.table:q}'
        " --page {output.page:q} --figure {output.figure:q} > {log:q} 2>&1"
