"""A few faults of the campaign, `tests/faults`: one of each kind that needs nothing but a process and a file."""

import pytest

from faults import campaign, injections

SAMPLE = {
    ("SIGKILL of a run", "when run.state.npz appears", "single"),
    ("SIGKILL of Snakemake", "with all its jobs, runs at work", "single"),
    ("killed and unlocked", "runs at work", "single"),
    ("little address space", "1000 MiB", "single"),
    ("damage met on the way", "losses.csv flipped, collected", "single"),
    ("damage met on the way", "weights flipped, computed with", "single"),
}
FAULTS = {}
for number, fault in enumerate(injections.plan(2018)):
    FAULTS.setdefault((fault.kind, fault.point, fault.mode), (number, fault))


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("faults")


@pytest.mark.parametrize("name", sorted(SAMPLE), ids=" ".join)
def test_a_study_comes_through(work, name):
    number, fault = FAULTS[name]
    templates = campaign.Templates(work)
    templates.make(fault.mode, fault.whole)
    line = campaign.inject(fault, number, 2018, work, templates)
    assert line["outcome"] == "survived", line["reason"]


def test_the_list_is_the_seeds_and_long():
    def names(seed):
        return [(fault.kind, fault.point, fault.mode) for fault in injections.plan(seed)]

    assert names(1) == names(1)
    assert names(1) != names(2)
    assert len(names(1)) >= 300
