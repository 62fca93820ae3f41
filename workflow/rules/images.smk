"""Pictures: every source becomes a plain RGB PNG whose name tells what it holds."""


rule paint_style:
    """Paint a sample style picture."""
    output:
        "resources/paintings/{painting}@{version}.png",
    log:
        "resources/paintings/{painting}@{version}.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/paint_style.py" --painting {wildcards.painting:q} --output {output:q} > {log:q} 2>&1'


rule sample_photograph:
    """Take a free photograph out of an installed package."""
    output:
        "resources/photographs/{sample}.png",
    log:
        "resources/photographs/{sample}.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/prepare_image.py" --sample {wildcards.sample:q} --output {output:q} > {log:q} 2>&1'


rule prepare_picture:
    """Read a picture of the user's. Its path comes by the shell: as an input its braces would be wildcards."""
    output:
        "resources/pictures/{name}-{digest}.png",
    log:
        "resources/pictures/{name}-{digest}.log",
    wildcard_constraints:
        digest="[0-9a-f]{16}",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'path=PICTURE_{wildcards.digest:q}; python "$SCRIPTS/prepare_image.py" --input="${{!path}}" --output {output:q} > {log:q} 2>&1'
