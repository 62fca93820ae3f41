"""The runs: one style transfer, one job, one device; or several in turn in one job, where starting jobs is expensive."""

# A run that was killed is tried once more; one that diverges is a result and does not fail. Only the Snakemake that was
# started tries again: a cluster job starts two more, and each would.
RETRIES = 1 if workflow.is_main_process else 0
# Where and how a run computes is not what it computes. As a resource it reaches the command of a job, and no change of it
# makes a finished run run again.
MACHINE = (
    f"--device {DEVICE} --device-slots {config['slots_per_device']} --backend {config['backend']}"
    f" --print-iterations {config['print_iterations']} --state-seconds {config['state_seconds']}"
    f"{' --keep-state' if config['keep_state'] else ''} {' '.join(PRESERVE)}"
)
COMMAND = r"""
    styletransfer run {resources.chosen} \
        --plan {resources.plan:q} \
        --threads {threads} \
        {resources.machine} \
        > {log:q} 2>&1
    """

if config["runs_per_job"] == 1:

    rule transfer:
        """One style transfer. Its settings are in its name, so its inputs never make it out of date."""
        input:
            plan=ancient(branch(is_complete, otherwise=PLAN)),
            weights=ancient(branch(is_complete, otherwise=STUDY.weights.file)),
            pictures=ancient(branch(is_complete, otherwise=lambda wildcards: STUDY.picture_files([wildcards.run_id]))),
        # `update`: a result that is there is not removed when its job starts again; the job finds it and keeps it.
        output:
            [update(f"results/runs/{{run_id}}/{name}") for name in RUN_FILES.values()],
        log:
            "results/runs/{run_id}/transfer.log",
        benchmark:
            "results/runs/{run_id}/benchmark.tsv"
        priority: 10
        retries: RETRIES
        conda:
            ENVIRONMENT
        threads: config["threads"]
        resources:
            gpu=int(DEVICE == "gpu"),
            runtime=minutes(1),
            plan=PLAN,
            machine=MACHINE,
            chosen=lambda wildcards: f"--run {wildcards.run_id}",
        shell:
            COMMAND

else:

    for number, batch in enumerate(STUDY.batches(config["runs_per_job"]), start=1):
        finished = all(map(is_finished, batch))

        rule:
            name:
                f"transfer_{number:04}"
            input:
                plan=ancient(branch(finished, otherwise=PLAN)),
                weights=ancient(branch(finished, otherwise=STUDY.weights.file)),
                pictures=ancient(branch(finished, otherwise=STUDY.picture_files(batch))),
            output:
                update(files_of(batch)),
            log:
                f"{FOLDER}/batches/{number:04}.log",
            benchmark:
                f"{FOLDER}/batches/{number:04}.tsv"
            priority: 10
            retries: RETRIES
            conda:
                ENVIRONMENT
            threads: config["threads"]
            resources:
                gpu=int(DEVICE == "gpu"),
                runtime=minutes(len(batch)),
                plan=PLAN,
                machine=MACHINE,
                chosen=f"--batch {number} --batch-size {config['runs_per_job']}",
            shell:
                COMMAND
