"""The logger plugin: what it makes of Snakemake's records."""

import logging
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

import snakemake_logger_plugin_styletransfer as terminal
from helpers.studies import tiny_study
from snakemake_logger_plugin_styletransfer import LONGEST, LogHandler, time_left
from styletransfer.results.estimates import Estimates
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand


@pytest.fixture
def say(capsys, monkeypatch):
    """What the plugin writes about a record."""
    monkeypatch.setattr(terminal, "run_rules", {"transfer", "transfer_0012"})
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
    assert say(event=LogEvent.JOB_FINISHED, job_id=1).startswith("batch 12 (up to 6 runs): ")
    say(**job(2, "transfer", {"run_id": "cat-1"}, "nowhere.json"))
    assert say(event=LogEvent.JOB_FINISHED, job_id=2).startswith("cat-1: ")


def test_chatter_is_left_out_and_warnings_are_not(say):
    assert say("Select jobs to execute...") == ""
    for text in ("Nothing to be done (all is up to date).", "Congratulations, your workflow is in a good condition!"):
        assert say(text) == f"{text}\n"
    assert say("a warning", level=logging.WARNING) == "a warning\n"
    assert "without its fields" in say("a record without its fields", event=LogEvent.JOB_FINISHED)


@pytest.fixture
def clock(monkeypatch):
    """Time that goes on when it is told to."""
    now = [100.0]
    monkeypatch.setattr(time_left.time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_follows_from_what_jobs_are_expected_to_take(clock):
    """Against a schedule made by hand: two places, and every job takes three times what was expected."""
    left = time_left.TimeLeft()
    left.plan({"a": 10, "b": 20, "c": 30, "d": 40})
    left.begin("a")
    left.begin("b")
    clock[0] += 30
    # b has 30 s left and then takes d; the place of a takes c for 90 s.
    assert left.finish("a", 3) == pytest.approx(30 + 120)
    left.begin("c")
    clock[0] += 30
    # c has 60 s left, and d takes the other place for 120 s.
    assert left.finish("b", 2) == pytest.approx(120)
    left.begin("d")
    left.fail("d")
    left.begin("d")
    clock[0] += 60
    assert left.finish("c", 1) == pytest.approx(60)
    clock[0] += 60
    assert left.finish("d", 0) == 0


def test_jobs_that_are_not_planned_take_as_long_as_others(clock):
    left = time_left.TimeLeft()
    left.begin("a")
    clock[0] += 7
    assert left.finish("a", 3) == pytest.approx(21)
    # Fewer are left than the study has: somebody asked for some of them.
    left = time_left.TimeLeft()
    left.plan(dict.fromkeys("abcdef", 2.0))
    left.begin("a")
    clock[0] += 4
    assert left.finish("a", 2) == pytest.approx(8)
    assert left.finish("never begun", 0) == 0


@pytest.mark.parametrize("size", [0, 3])
def test_jobs_are_expected_to_take_what_their_unfinished_runs_do(tmp_path, size):
    study = expand(load_config(tiny_study(vary={"style_weight": [500, 5, 50, 7, 8], "iterations": [9, 900]})))
    first, *others = study.runs
    (tmp_path / first).mkdir()
    (tmp_path / first / "run.json").touch()
    expected = time_left.expected_seconds(study, "cpu", size, tmp_path)
    estimates = Estimates(study, "cpu")
    if size:
        batches = [[study.runs[run_id] for run_id in batch if run_id != first] for batch in study.batches(size)]
        assert list(expected) == [f"--batch {n} --batch-size 3" for n in range(1, len(batches) + 1)]
        assert list(expected.values()) == [estimates.job_seconds(batch) for batch in batches]
    else:
        assert list(expected) == [f"--run {run_id}" for run_id in others]
        assert max(expected.values()) > 5 * min(expected.values())


def test_a_study_of_which_all_that_is_due_is_left_out_has_nothing_to_do(say):
    assert say(event=LogEvent.RUN_INFO, stats={"total": 0}) == "Nothing to be done.\n"
