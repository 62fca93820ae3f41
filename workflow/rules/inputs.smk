"""What jobs read and targets are made of: plans, runs, pictures, tables and figures, by their files."""


def plan_of(run_id):
    """The plan that has a run."""
    return PLANS[EVERY.runs[run_id].iterations] if RUNGS else PLAN


def decided_plan(rung):
    """The plan of the study at a rung, once it has been decided who goes on to it."""
    if rung != RUNGS[0]:
        checkpoints.decide.get(rung=rung)
    return PLANS[rung]


def rung_before(wildcards):
    """The rung at which it is decided who goes on to the one of a job."""
    return RUNGS[RUNGS.index(int(wildcards.rung)) - 1]


def newest_plan(wildcards=None):
    """The plan as far as it has been decided by now."""
    return next((file for file in reversed(PLANS.values()) if is_there(file)), PLAN)


def last_plan(wildcards):
    """The plan of what is shown: decided to the end, or for a part of the study as far as it is."""
    if wildcards.get("part") == PARTIAL:
        return newest_plan()
    return decided_plan(RUNGS[-1]) if RUNGS else PLAN


def study_in(file):
    """The study of a plan. The first one need not be written yet."""
    return FIRST if file == PLAN else plan.read(local_copy(file))


def runs_at(rung):
    """The runs of the study at a rung, by its newest decision."""
    return list(study_in(decided_plan(rung)).runs)


def last_runs(wildcards):
    """The runs of what is shown."""
    return list(study_in(last_plan(wildcards)).runs)


def plan_for(rule, is_made, plan_of=lambda wildcards: PLAN):
    """The plan, for a job that reads it: one that is forced does so in any case."""

    def is_read(wildcards):
        settings = workflow.dag_settings
        return settings.forceall or named(rule) in settings.forcerun or not is_made(wildcards)

    return unless_made(lambda wildcards: not is_read(wildcards), plan_of)


def is_prepared(wildcards):
    """Of a prepared picture, or weights: the user's own file may be gone, and is not asked for."""
    return is_there(made_file(wildcards))


def made_file(wildcards):
    """The prepared picture, or weights, that a job makes."""
    made = "weights/{weights}.safetensors" if "weights" in wildcards.keys() else "pictures/{picture}.png"
    return f"{RESOURCES}/{made.format(**wildcards)}"


def unmeasured(runs):
    """What pictures of runs are measured with, where one was not yet: nothing that is gone is asked for."""
    if all(os.path.exists(f"{POOL}/{run_id}/{MEASURES}") for run_id in runs):
        return []
    return prepared_files()


def pictures_shown(wildcards):
    """The sheet and the explorer show pictures: none that is gone, and of a part of a study none not yet made."""
    partial = wildcards.part == PARTIAL
    return [
        picture.file
        for picture in STUDY.pictures.values()
        if wildcards.get("figure", "contact_sheet") == "contact_sheet"
        if is_there(picture.file) or (not partial and is_at_hand(picture))
    ]


def files_of(run_ids):
    """All files of runs."""
    return [f"{POOL}/{run_id}/{file}" for run_id in run_ids for file in RUN_FILES.values()]


def asked_of(made):
    """Of files that one job makes together: one that is missing, or else the newest.

    Asked for it alone, Snakemake does what it would do if asked for all, in a fraction of the time. In storage it is
    all: what is not asked for is not brought.
    """
    if not SHARED:
        return made
    if not workflow.is_main_process:  # what is missing has been seen to
        return made[-1:]
    found = [stat_of(file) for file in made]
    if None in found:
        return [made[found.index(None)]]
    return [max(zip(made, found), key=lambda pair: pair[1].st_mtime_ns)[0]]


def asked_of_runs(run_ids):
    """Of the files of runs, what is asked for where each run may have a job of its own."""
    return [file for run_id in run_ids for file in asked_of(files_of([run_id]))]


def tables_of(part=""):
    """The tables of the study, or of what there is of it."""
    return expand(f"{FOLDER}/{part}{{table}}", table=["runs.parquet", "runs.csv", "losses.parquet", "response.json"])


def decisions_of():
    """The tables that tell which runs went on to each rung but the first."""
    return [str(Path(file).with_suffix(".csv")) for file in list(PLANS.values())[1:]]


def figures_of(part=""):
    """The figures and the explorer of the study, or of what there is of it."""
    figures = expand(f"{FOLDER}/{part}figures/{{figure}}.{{form}}", figure=FIGURES, form=["png", "pdf"])
    return [*figures, f"{FOLDER}/{part}verdict", f"{FOLDER}/{part}explorer"]
