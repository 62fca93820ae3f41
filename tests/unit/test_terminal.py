"""The logger plugin: what it makes of Snakemake's records."""

import logging
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from helpers.studies import tiny_study
from snakemake_logger_plugin_styletransfer import LONGEST, LogHandler
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand


@pytest.fixture
def say(capsys, tmp_path):
    """What the plugin writes about a record."""
    plain = dict.fromkeys(("dryrun", "printshellcmds", "verbose", "stdout"), False)
    handler = LogHandler(SimpleNamespace(**plain, quiet=None, show_failed_logs=True), None)

    def answer(message="", event=None, level=logging.INFO, **fields):
        record = logging.LogRecord("snakemake", level, "", 0, message, (), None)
        record.__dict__ |= {"event": event, **fields}
        handler.emit(record)
        return capsys.readouterr().err

    return answer


def job(number, rule, wildcards=None, plan=None):
    found = {"event": LogEvent.JOB_INFO, "jobid": number, "rule_name": rule, "wildcards": wildcards}
    return found | {"resources": SimpleNamespace(plan=plan)}


def test_a_run_has_the_label_of_the_plan(say, tmp_path):
    study = expand(load_config(tiny_study()))
    study.write(tmp_path / "plan.json")
    assert say(event=LogEvent.RUN_INFO, stats={"transfer": 2, "collect": 1, "all": 1, "total": 4}) == (
        "2 jobs to compute runs, and 1 other steps\n"
    )
    for number, run_id in enumerate(list(study.runs)[:2]):
        assert say(**job(number, "transfer", {"run_id": run_id}, tmp_path / "plan.json")) == ""
    assert say(event=LogEvent.JOB_FINISHED, job_id=0) == "style weight 5: 0 s. 1 of 2 done, about 0 s left\n"
    assert say("Trying to restart job 1.") == "style weight 50: tried again\n"
    assert say(event=LogEvent.JOB_FINISHED, job_id=1) == "style weight 50: 0 s. 2 of 2 done\n"


def test_a_step_that_fails_shows_the_end_of_its_log_in_bounded_lines(say, tmp_path):
    (tmp_path / "a.log").write_text("first\n" * 50 + "x" * 999 + "\nlast\n")
    say(**job(3, "figure", {"part": "", "figure": "pareto"}))
    lines = say(event=LogEvent.JOB_ERROR, jobid=3, log=[str(tmp_path / "a.log")], rule_name="figure").splitlines()
    assert lines[0] == f"figure pareto: failed, see {tmp_path}/a.log"
    assert lines[-1] == "    last" and sum(line.count("x") for line in lines) == 999
    assert max(map(len, lines)) == LONGEST


def test_batches_have_numbers_and_a_plan_that_is_gone_ends_nothing(say):
    say(**job(1, "transfer_0012") | {"resources": SimpleNamespace(chosen="--batch 12 --batch-size 6")})
    assert say(event=LogEvent.JOB_FINISHED, job_id=1).startswith("batch 12 of at most 6 runs: ")
    say(**job(2, "transfer", {"run_id": "cat-1"}, "nowhere.json"))
    assert say(event=LogEvent.JOB_FINISHED, job_id=2).startswith("cat-1: ")


def test_chatter_is_left_out_and_warnings_are_not(say):
    assert say("Select jobs to execute...") == ""
    for text in ("Nothing to be done (all is up to date).", "Congratulations, your workflow is in a good condition!"):
        assert say(text) == f"{text}\n"
    assert say("a warning", level=logging.WARNING) == "a warning\n"
    assert "without its fields" in say("a record without its fields", event=LogEvent.JOB_FINISHED)
