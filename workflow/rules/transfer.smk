"""The runs: one style transfer, one job, one device."""


rule transfer:
    """One style transfer. Its settings are in its name, so its inputs never make it out of date."""
    input:
        weights=ancient(network),
        content=ancient(content_picture),
        styles=ancient(style_pictures),
        initial=ancient(initial_picture),
    output:
        **OUTPUTS,
    log:
        "results/runs/{run_id}/transfer.log",
    benchmark:
        "results/runs/{run_id}/benchmark.tsv"
    priority: 10
    # A run that was killed is tried once more; one that diverges is a result and does not fail.
    retries: 1
    conda:
        "../../envs/engine.yaml"
    threads: config["threads"]
    resources:
        gpu=1 if DEVICE == "gpu" else 0,
    params:
        settings=settings_of,
    shell:
        'python "$SCRIPTS/neural_style.py" --settings {params.settings:q} --content {input.content:q}'
        " --styles {input.styles:q} --initial {input.initial:q} --network {input.weights:q} --output {output.image:q}"
        " --preserved-output {output.preserved:q} --losses {output.losses:q} --record {output.run:q} --overwrite"
        " --device $DEVICE --device-slots $DEVICE_SLOTS --threads {threads} --print-iterations $PRINT_ITERATIONS"
        " > {log:q} 2>&1"
