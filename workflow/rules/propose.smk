"""What to run next: a config, from the finished runs. Nothing is run."""


rule propose:
    """The settings of which most is expected, of preferences or else of style and content, as a config that runs."""
    input:
        f"{FOLDER}/partial/measures.csv",
        lambda wildcards: runs_brought({"part": PARTIAL}),
        preferences=[local(outside(file)) for file in config["preferences"]],
        plan=PLAN,
    output:
        f"{FOLDER}/next.yaml",
    log:
        f"{FOLDER}/next.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    resources:
        pool=POOL,
    params:
        number=config["proposals"],
        preferences=["--preferences", *map(outside, config["preferences"])] if config["preferences"] else [],
        machine=lambda wildcards: machine_of(config),
        # No run is an input: what is missing must not be computed. So this tells when one has come to an end.
        status=lambda wildcards: status_digest(STUDY, Path(POOL)),
    shell:
        r"""
        styletransfer propose {input.plan:q} {params.preferences:q} \
            --pool {resources.pool:q} \
            --number {params.number:q} \
            --machine {params.machine:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """
