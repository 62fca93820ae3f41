"""The runs: one style transfer, one job, one device; or several in turn in one job, where starting jobs is expensive."""

# A run that was killed is tried once more; one that diverges is a result and does not fail. Only the Snakemake that was
# started tries again: a cluster job starts two more, and each would.
RETRIES = 1 if workflow.is_main_process else 0
# Where and how a run computes is not what it computes: as a resource, no change of it makes a finished run run again.
MACHINE = (
    f"--device-slots {config['slots_per_device']} --backend {config['backend']} --threads {config['threads']}"
    f" --print-iterations {config['print_iterations']} --state-seconds {config['state_seconds']}"
    f" {' '.join(PRESERVE)}"
)


def runs_per_job():
    """Of a batch. What `auto` is decides the call that starts jobs, and tells them as a command line would."""
    if isinstance(config["runs_per_job"], int):
        return config["runs_per_job"]
    # Jobs of a module, whose config has another place, cannot be told.
    is_told = MODIFIER.is_main_snakefile()
    if not workflow.is_main_process or not (is_told or workflow.local_exec):
        return 1
    by_table = Estimates(FIRST, host.guess(config["device"]), config["backend"], config["threads"])
    size = by_table.runs_per_job(places())
    if is_told:
        workflow.config_settings.config_args += [f"runs_per_job={size}"]
    return size


def places():
    """How many jobs that compute runs there are at once, at most."""
    limits = workflow.global_resources
    if not workflow.local_exec:
        return limits["_nodes"].value or 1
    if host.guess(config["device"]) == "gpu":
        return max(1, limits["gpu"].value or 1) if "gpu" in limits else 1
    return max(1, (limits["_cores"].value or 1) // config["threads"])


SIZE = runs_per_job()
# Which runs go on from a rung is not known yet, so those are computed one by one.
BATCHES = [*(FIRST.batches(SIZE) if SIZE > 1 else []), *([[]] if RUNGS or SIZE == 1 else [])]


def machine(wildcards, attempt):
    is_last = wildcards.get("run_id") in STUDY.runs
    keep_state = config["keep_state"] or (RUNGS and not is_last)
    return f"--device {device()} --attempt {attempt} {MACHINE}{' --keep-state' if keep_state else ''}"


def is_computed(batch):
    """Of a job: whether all its runs are finished."""
    return lambda wildcards: all(map(is_finished, batch or [wildcards.run_id]))


def pictures_of(batch):
    """Of a job: the prepared pictures that its runs are made of."""
    return lambda wildcards: EVERY.picture_files(batch or [wildcards.run_id])


def plan_read(batch):
    """Of a job: the plan that has its runs."""
    return lambda wildcards: PLAN if batch else plan_of(wildcards.run_id)


for number, batch in enumerate(BATCHES, start=1):
    name = f"transfer_{number:04}" if batch else "transfer"
    terminal.run_rules.add(named(name))
    # Not among the run's files: of a finished run, a job that is forced or of another study has little to say.
    place = f"{FOLDER}/jobs/{f'{number:04}' if batch else '{run_id}'}"
    chosen = f"--batch {number} --batch-size {SIZE}" if batch else lambda wildcards: f"--run {wildcards.run_id}"

    rule:
        name:
            name
        # Its settings are in a run's name, so what it is made of never makes it out of date.
        input:
            plan=plan_for(name, is_computed(batch), plan_read(batch)),
            weights=unless_made(is_computed(batch), lambda wildcards: STUDY.weights.file),
            pictures=unless_made(is_computed(batch), pictures_of(batch)),
        # `update`: a result that is there is not removed when its job starts again; the job finds it and keeps it.
        output:
            update(files_of(batch or ["{run_id}"])),
        log:
            f"{place}.log",
        benchmark:
            f"{place}.tsv"
        priority: 10
        retries: RETRIES
        conda:
            lambda wildcards: f"../../envs/engine{'-gpu' if device() == 'gpu' else ''}.yaml"
        # A run on a GPU of this host waits for the GPU alone, not for a core as well.
        threads: lambda wildcards: 0 if device() == "gpu" and workflow.local_exec else config["threads"]
        resources:
            gpu=lambda wildcards: int(device() == "gpu"),
            mem_mb=need("memory_limit_mb", batch),
            runtime=need("minutes_limit", batch),
            plan=plan_read(batch),
            pool=POOL,
            machine=machine,
            chosen=chosen,
        shell:
            r"""
            styletransfer run {resources.chosen} \
                --plan {resources.plan:q} \
                --pool {resources.pool:q} \
                {resources.machine} \
                >{log:q} 2>&1
            """


# Files that name their rule are not looked for among those of all others, which took half of a plan's time.
FILES_OF_RUNS = (
    [lambda wildcards: asked_of_runs(last_runs(wildcards))]
    if RUNGS or SIZE == 1
    else [
        file for number in range(len(BATCHES)) for file in asked_of(getattr(rules, f"transfer_{number + 1:04}").output)
    ]
)


if RUNGS and SIZE > 1:
    # What a batch makes is made by the batch.
    workflow.ruleorder(*(f"transfer_{number + 1:04}" for number in range(len(BATCHES) - 1)), "transfer")
