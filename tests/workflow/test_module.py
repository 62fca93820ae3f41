"""Another workflow takes this one as a module, from a git address or a folder."""

import shutil
import subprocess
import sys

import yaml

from helpers.studies import ROOT, tiny_study
from helpers.workflow import environment, jobs, snakemake
from styletransfer.study import plan

STUDY = tiny_study(vary={"style_weight": [5, 500]}, runs_per_job=2)
MODULE = """
configfile: "study.yaml"

module nst:
    snakefile: {snakefile}
    config: config
    pathvars:
        results="out/results",
        resources="out/resources",

use rule * from nst as nst_*

onstart:
    nst.onstart()

onsuccess:
    nst.onsuccess()
"""


def imported(folder, snakefile, *arguments, more=""):
    """What Snakemake says of a workflow that has this one as a module, and its exit code."""
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    (folder / "Snakefile").write_text(MODULE.format(snakefile=snakefile) + more)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    done = subprocess.run(
        command, check=False, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
    )
    return done.stdout + done.stderr, done.returncode


def tree(folder):
    """What is in the files of a folder that no clock and no path of a folder decides, by their names."""
    kinds = ("image.png", "losses.csv", "measures.csv")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for kind in kinds for path in folder.rglob(kind)}


def test_module_from_a_git_address_computes_the_same_in_folders_of_the_importer(tmp_path):
    repository = tmp_path / "repository"
    # Rules, environments and captions come from the address, the engine from where Snakemake is installed.
    for name in ("workflow/rules", "workflow/report", "envs"):
        shutil.copytree(ROOT / name, repository / name)
    shutil.copy(ROOT / "workflow/Snakefile", repository / "workflow")
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "all"], ["tag", "v1"]):
        subprocess.run([*git, *words], check=True)
    importer, alone = tmp_path / "importer", tmp_path / "alone"
    importer.mkdir()
    alone.mkdir()
    address = f'gitfile("{repository}", path="workflow/Snakefile", tag="v1")'
    table = "results/studies/tiny/measures.csv"
    output, code = imported(importer, address, f"out/{table}")
    assert code == 0, output
    assert jobs(output, "nst_transfer_0001") == 1
    assert "runs: 2 ok" in output, "handlers did nothing"
    snakemake(alone, table, config=STUDY)
    assert tree(importer / "out/results") == tree(alone / "results")
    assert len(tree(alone / "results")) == 5
    assert sorted(path.name for path in importer.iterdir() if path.name[0] != ".") == ["Snakefile", "out", "study.yaml"]
    prepared = plan.read(plan.find(importer / "out/results/studies/tiny"))
    assert prepared.weights.file == "out/resources/weights/vgg16.safetensors"
    forced = "--dry-run", "--forcerun", "nst_prepare_picture"
    output, code = imported(importer, f'"{ROOT}/workflow/Snakefile"', *forced)
    assert code == 0 and jobs(output, "nst_prepare_picture") == 2 and jobs(output, "nst_transfer_0001") == 0, output
    assert jobs(output, "nst_manifest") == jobs(output, "nst_all") == 1, "that is not the default target"


def test_module_with_a_prefix_is_told_of_path_variables(tmp_path):
    output, code = imported(tmp_path, f'"{ROOT}/workflow/Snakefile"\n    prefix: "elsewhere"', "--dry-run")
    assert code == 1 and "pathvars" in output
