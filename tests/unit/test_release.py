"""Releases, and the files by which others find and take part in this repository."""

import re
from pathlib import Path

import pytest
import yaml

import release_notes
from styletransfer.errors import InputError

ROOT = Path(__file__).parents[2]
CHANGELOG = (
    "# Changelog\n\nHow.\n\n## Unreleased\n\n- next\n\n## 1.2.0 (2027-01-01)\n\n- this\n- that\n\n## 1.1.0\n\n- old\n"
)


def test_citation_names_the_newest_version_of_the_changelog():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == release_notes.newest((ROOT / "CHANGELOG.md").read_text())
    assert ("date-released" in citation) == (citation["version"] != "unreleased")


def test_notes_of_a_release_are_its_section():
    assert release_notes.notes("v1.2.0", CHANGELOG, "version: 1.2.0") == "- this\n- that"
    for tag, cited in (("v1.1.0", "1.2.0"), ("v1.2.0", "1.1.0"), ("v1.3.0", "1.3.0"), ("vUnreleased", "Unreleased")):
        with pytest.raises(InputError, match="newest version in"):
            release_notes.notes(tag, CHANGELOG, f"version: {cited}")
    assert release_notes.newest(CHANGELOG.partition("## 1.2.0")[0]) == "unreleased"


def test_what_runs_elsewhere_calls_targets_that_there_are():
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = set()
    for path in (ROOT / ".github/workflows").iterdir():
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            lines = [step.get("run", "") for step in job["steps"]]
            called |= set(re.findall(r"^make ([\w-]+)", "\n".join(lines), re.MULTILINE))
    assert called == {"check", "test", "release-notes"}
    called |= set(re.findall(r"\bmake ([\w-]+)\b", (ROOT / "CONTRIBUTING.md").read_text()))
    assert called <= targets


def test_catalog_finds_what_it_shows():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"]["conda"] and usage["report"] is True
    assert usage["mandatory-flags"]["desc"]
    for name in ("README.md", "LICENSE", "config/README.md", "config/config.yaml", "workflow/Snakefile"):
        assert (ROOT / name).is_file(), f"the catalog wants {name}"
