"""From finished runs to the config of the next ones, by the commands that a user calls."""

import json
import subprocess

import yaml

from helpers.studies import ENGINE, tiny_study
from helpers.workflow import environment, snakemake
from styletransfer.study import plan

DESIGN = {
    "design": "sobol",
    "runs_total": 8,
    "vary": {"style_weight": {"log_range": [5, 500]}, "tv_weight": {"range": [0, 10]}},
    "runs_per_job": 8,
    "proposals": 2,
}


def test_a_study_goes_on_with_what_is_proposed_by_rulers_and_by_preferences(tmp_path):
    study = tiny_study(**DESIGN)
    assert "tiny has no finished run: run it first" in snakemake(tmp_path, "-c1", "propose", config=study, code=1)
    snakemake(tmp_path, "-c1", config=study)
    said = snakemake(tmp_path, "-c1", "propose", config=study)
    assert "what to run next: snakemake --configfile results/studies/tiny/next.yaml" in said
    written = yaml.safe_load((tmp_path / "results/studies/tiny/next.yaml").read_text())
    assert (written["study"], written["device"], written["runs_per_job"]) == ("tiny-2", "cpu", 8)
    assert len(written["runs"]) == 10

    (of_first,) = (tmp_path / "results/studies/tiny").glob("plan-*.json")
    ids = list(plan.read(of_first).runs)
    told = [{"left": ids[place], "right": ids[place - 1], "chosen": "left"} for place in range(8)]
    content = {"format": "styletransfer-choices", "version": 1, "study": "tiny", "choices": told}
    (tmp_path / "choices.json").write_text(json.dumps(content))
    snakemake(tmp_path, "-c1", "propose", "--config", "preferences=choices.json", "proposals=1", config=study)
    text = (tmp_path / "results/studies/tiny/next.yaml").read_text()
    assert "after tiny, by preferences" in text

    command = [*ENGINE, "plan", "--configfile", "results/studies/tiny/next.yaml"]
    planned = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    assert "1 new runs, 8 cached" in planned.stdout
