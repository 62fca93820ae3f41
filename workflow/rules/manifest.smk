"""The manifest of a study: what was computed, from what and with what, and whether it is still unchanged."""


rule manifest:
    """Settings, versions, and the checksum of every file of a study that is complete."""
    input:
        tables=rules.collect.output,
        figures=[expand(rule.output, shown=STUDY.name) for rule in FIGURE_RULES],
        pictures=[picture(found) for found in STUDY.pictures.values()],
    output:
        report(
            f"{TABLES}/manifest.json",
            caption="../report/manifest.rst",
            category="Environment",
            labels={"file": "manifest", "study": STUDY.name},
        ),
    log:
        f"{TABLES}/manifest.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        study=definition,
        network=f"resources/weights/{NETWORK}.safetensors",
    shell:
        'python "$SCRIPTS/manifest.py" --study {params.study:q} --pool results/runs --tables {input.tables:q}'
        " --figures {input.figures:q} --inputs {input.pictures:q} --network {params.network:q} --output {output:q}"
        " > {log:q} 2>&1"


rule verify:
    """Hold every file of the study against its manifest, as it is: an input would be brought up to date first."""
    log:
        f"{TABLES}/verify.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        study=definition,
        manifest=f"{TABLES}/manifest.json",
    shell:
        'python "$SCRIPTS/verify.py" {params.manifest:q} --study {params.study:q} 2> {log:q}'


rule repair:
    """Remove every file that is not what the manifest tells of; the next call recreates them."""
    log:
        f"{TABLES}/repair.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        manifest=f"{TABLES}/manifest.json",
    shell:
        'python "$SCRIPTS/verify.py" {params.manifest:q} --remove 2> {log:q}'


rule crate:
    """The study as an RO-Crate, to be archived or handed on."""
    input:
        rules.manifest.output,
    output:
        f"{TABLES}/crate.zip",
    log:
        f"{TABLES}/crate.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/crate.py" --manifest {input:q} --output {output:q} > {log:q} 2>&1'
