"""Rungs: which runs go on after so many steps, where the config says that not all of them do.

The one thing of a study that is not known when its config is read. A run at a rung is an ordinary run, with a target,
record and state of its own; a decision is an ordinary file, the plan of the study at the next rung (`study.rungs`).
So what has been decided is there when a study is started again, on any host; dry runs show all that is known by then;
and only what comes after the decision waits for it, by Snakemake's checkpoint. Decisions are made of pictures alone,
so one that is forced, or whose file was removed, comes to the same.
"""

if RUNGS:

    checkpoint decide:
        """Measure the runs that have come to a rung, and decide which of them go on."""
        input:
            lambda wildcards: asked_of_runs(runs_at(rung_before(wildcards))),
            lambda wildcards: unmeasured(runs_at(rung_before(wildcards))),
            plan=lambda wildcards: PLANS[rung_before(wildcards)],
        output:
            plan=f"{FOLDER}/plan-{STUDY.digest}-{{rung}}.json",
            table=f"{FOLDER}/plan-{STUDY.digest}-{{rung}}.csv",
        log:
            f"{FOLDER}/decide-{{rung}}.log",
        wildcard_constraints:
            rung="|".join(map(str, RUNGS[1:])),
        priority: 20
        conda:
            "../../envs/engine.yaml"
        threads: config["threads"]
        resources:
            mem_mb=2000,
            pool=POOL,
            runtime=5 + len(STUDY.runs) // 20,
        shell:
            r"""
            styletransfer decide \
                --plan {input.plan:q} \
                --pool {resources.pool:q} \
                --iterations {wildcards.rung:q} \
                --threads {threads:q} \
                --output {output.plan:q} \
                --table {output.table:q} \
                >{log:q} 2>&1
            """
