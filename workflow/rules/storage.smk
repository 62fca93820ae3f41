"""Without a shared disk: a storage provider brings what a job reads, and takes what it gives.

What it brings lies below one folder, under the paths that it has everywhere. The engine goes there before anything else,
so commands and files are the same in both cases. What a job does not name is not there: no state of a run that was
killed, no lock that another host sees, no earlier record.
"""

SHARED = workflow.storage_settings.default_storage_provider is None
if not SHARED and any(Path(folder).is_absolute() for folder in (RESULTS, RESOURCES)):
    raise WorkflowError(f"pathvars are {RESULTS} and {RESOURCES}: in a storage they begin at its prefix, without a /")
stored = workflow.modifier.path_modifier.apply_default_storage
os.environ.update(STYLETRANSFER_ROOT="" if SHARED else str(Path(str(stored("root"))).parent))


def is_there(file):
    """Whether a file of the workflow is there. Snakemake's own `exists` cannot be called while it looks for jobs."""
    return Path(file).exists() if SHARED else stored(file).flags["storage_object"].exists()


def stored_at(file):
    """Where a file of the workflow is, for people."""
    return file if SHARED else f"{workflow.storage_settings.default_storage_prefix.rstrip('/')}/{file}"


def local_copy(file):
    """A file of the workflow, to be read here."""
    if SHARED:
        return file
    found = stored(file).flags["storage_object"]
    if not found.local_path().exists():
        found.local_path().parent.mkdir(parents=True, exist_ok=True)
        found.retrieve_object()
    return found.local_path()


def planned_study(name):
    """The study as the Snakemake that was started has planned it, for its jobs: the user's files are on its disk alone."""
    return None if SHARED or workflow.is_main_process else plan.newest(f"{RESULTS}/studies/{name}")


def give_to_jobs(study, file):
    """Let the plan go to jobs with the rules: it has what they know the user's files by."""
    if SHARED or not workflow.is_main_process:
        return
    for source in (*study.pictures.values(), study.weights):
        if source.kind == "path" and has_marks(source.source):
            raise WorkflowError(f"{source.source}: with a storage provider give it a name without {{ and <")
    if not workflow.dryrun:
        study.write(file)
        workflow.configfiles.append(file)


def has_marks(path):
    """Whether a path has what Snakemake takes for a wildcard, or for a path variable of its own."""
    return any(mark in path for mark in "{<")


def is_at_hand(source):
    """Whether a prepared file is there or can be made; in storage it is asked for in any case."""
    return not SHARED or source.is_at_hand()


def brought(files):
    """What a job finds on a shared disk, and has to be brought where there is none."""
    return [] if SHARED else files


def outside(file):
    """A file that is no part of the workflow, as it is called where the engine works."""
    return file if SHARED else str(Path(file).absolute())


def original(source):
    """The user's own file, if it is one and still there. It is read where Snakemake was started, and never stored."""
    # On a shared disk the engine finds the others all the same.
    is_input = source.kind == "path" and not has_marks(source.source) and Path(source.source).exists()
    return local(outside(source.source)) if is_input else []


def prepared_files():
    """All pictures and the weights as runs read them, but those that are gone."""
    return ancient([source.file for source in (*STUDY.pictures.values(), STUDY.weights) if is_at_hand(source)])


def original_of(wildcards):
    """The user's own file that a picture, or weights, are made from; none of what is published or painted."""
    made = made_file(wildcards)
    return next((original(source) for source in (*STUDY.pictures.values(), STUDY.weights) if source.file == made), [])


def runs_brought(wildcards):
    """The files of all runs of what is shown, or for a part of the study of those that are finished."""
    if SHARED:
        return []
    runs = last_runs(wildcards)
    return files_of([run for run in runs if wildcards.get("part") != PARTIAL or is_there(files_of([run])[-1])])
