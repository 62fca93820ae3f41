"""A study is planned where Snakemake is installed and nothing of the engine but its own code."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution, packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.studies import ROOT

# Python runs this first: it refuses what is on the list beside it.
HOOK = """
import json, pkgutil, sys
from pathlib import Path

refused = set(json.loads(Path(__file__).with_name("refused.json").read_text()))


class Refuse:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Refuse)
listed = pkgutil.iter_modules  # how Snakemake finds its plugins
pkgutil.iter_modules = lambda *where: (module for module in listed(*where) if module.name not in refused)
"""


def brought_by(name):
    """A distribution and all that pip would install with it."""
    found, left = set(), [Requirement(name)]
    while left:
        wanted = left.pop()
        key = canonicalize_name(wanted.name), *sorted(wanted.extras)
        if key in found:
            continue
        found.add(key)
        for line in distribution(wanted.name).requires or []:
            requirement = Requirement(line)
            extras = wanted.extras or {""}
            if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
                left.append(requirement)
    return {key[0] for key in found}


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """The environment of Snakemake with this package, installed as `pip install --no-deps .` does: from a wheel."""
    folder = tmp_path_factory.mktemp("light")
    source = folder / "source"
    shutil.copytree(ROOT / "workflow", source / "workflow", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", folder, source], check=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    known = brought_by("snakemake")
    refused = [
        module
        for module, owners in packages_distributions().items()
        if not known & {canonicalize_name(owner) for owner in owners} and not module.endswith("styletransfer")
    ]
    assert {"numpy", "PIL", "pandas", "tensorflow", "skimage", "tqdm", "rich"} <= set(refused)
    (folder / "site/refused.json").write_text(json.dumps(refused))
    (folder / "site/sitecustomize.py").write_text(HOOK)
    return os.environ | {"PYTHONPATH": str(folder / "site")}


def test_study_is_checked_and_planned_with_snakemake_alone(light, tmp_path):
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "profiles").symlink_to(ROOT / "profiles")
    snakemake = ["-m", "snakemake", "--snakefile", str(ROOT / "workflow/Snakefile")]
    calls = {
        "good condition": [*snakemake, "--lint"],
        "transfer             251": [*snakemake, "--dry-run"],
        "transfer_0008          1": [*snakemake, "--dry-run", "--configfile", "config/demo.yaml"],
        "252 rows, 251 distinct runs": ["-m", "styletransfer", "plan"],
        "32 new runs": ["-m", "styletransfer", "plan", "--configfile", "config/demo.yaml"],
    }
    for said, words in calls.items():
        done = subprocess.run(
            [sys.executable, *words], check=False, cwd=tmp_path, env=light, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0 and said in done.stdout + done.stderr, done.stdout + done.stderr
