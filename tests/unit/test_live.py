"""A study at work is seen as it is: what is done, at work and stopped, on what, and what is left."""

import contextlib
import io
import math
import os
import random
import re
import signal
import time
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from helpers import running_study
from helpers.records import record
from styletransfer import cli
from styletransfer.analysis import device_usage
from styletransfer.cli import watch
from styletransfer.devices import precision
from styletransfer.devices.lease import Device
from styletransfer.errors import TerminatedError
from styletransfer.files import locks
from styletransfer.reports import dashboard, live, monitor, terminal
from styletransfer.reports.live import LivePage
from styletransfer.reports.monitor import Monitor, TimeLeft
from styletransfer.results.costs import PROCESS_SECONDS, START_SECONDS
from styletransfer.results.estimates import Calibration
from styletransfer.runs import history
from styletransfer.runs.layout import RUN_FILES

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"


@pytest.fixture
def study():
    return running_study.expand()


@pytest.fixture
def busy(study, tmp_path):
    with running_study.busy(study, tmp_path):
        yield Monitor(study, tmp_path)


def printed(snapshot, watched, width=140):
    console = Console(file=io.StringIO(), width=width)
    console.print(terminal.view(snapshot, watched, bars=False))
    return console.file.getvalue()


losses = st.dictionaries(st.sampled_from(["content", "style", "tv", "total"]), st.floats(-1e300, 1e300), min_size=1)


@given(st.lists(st.tuples(st.integers(0, 10**7), losses, st.floats(0.001, 1e4)), unique_by=lambda entry: entry[0]))
def test_a_log_is_read_as_it_was_written(entries):
    reports = [
        history.Progress(step, 10**7, loss, seconds) for step, loss, seconds in sorted(entries, key=lambda e: e[0])
    ]
    log = "".join(f"12:00:00 leased cpu\n12:00:01 {history.line(one)}\n" for one in reports)
    found = history.read(log)
    assert [one.iteration for one in found] == [one.iteration for one in reports]
    for one, other in zip(found, reports, strict=True):
        assert one.iterations == 10**7
        assert one.losses == pytest.approx(other.losses, rel=1e-4)
        assert one.seconds_per_iteration == pytest.approx(other.seconds_per_iteration, abs=6e-4)


def test_a_log_tells_of_the_newest_attempt():
    first, second = (
        [history.Progress(step, 9, {"total": math.inf}) for step in steps] for steps in ((0, 3, 6), (0, 3))
    )
    log = "\n".join(map(history.line, first + second))
    assert history.read(log + "\n12:00:00 iteration 6/9  conte") == second
    assert history.read("nothing of this kind") == []


def test_every_state_is_counted_and_shown(busy):
    now = busy.snapshot()
    assert (now.done, now.total, len(now.at_work), now.counts["waiting"], len(now.stopped)) == (6, 12, 3, 2, 1)
    assert [(use.name, use.done, use.at_work, use.seconds) for use in now.devices] == [
        ("GPU-01234560", 3, 1, 30.0),
        ("GPU-01234561", 3, 1, 31.0),
    ]
    text = printed(now, busy)
    assert text.startswith("busy: 6 of 12 done, 1 of them diverged, 3 running, 2 waiting, 1 stopped without a result\n")
    assert re.search(r"style weight 7 +GPU-01234560 +25% +content 176\.5 .* total 1,765 +15 s left", text)
    assert re.search(r"style weight 8 +GPU-01234561 +75% .* 5 s left", text)
    assert re.search(r"style weight 9 .* waits for a device", text)
    assert "failed  style weight 10: ValueError: <b>[red]no</b> such layer" in text, "a reason was taken for markup"
    assert now.newest[0] == list(now.labels)[5], "the newest is not first"


def test_a_run_that_ends_is_seen_at_the_next_look(study, tmp_path, monkeypatch):
    monkeypatch.setattr("os.path.exists", lambda path: True)
    watched = Monitor(study, tmp_path)
    run_id = next(iter(study.runs))
    assert watched.snapshot().done == 0
    with running_study.at_work(tmp_path / run_id):
        running_study.begin(tmp_path / run_id, device="cpu")
        assert [run.run_id for run in watched.snapshot().at_work] == [run_id]
    assert list(watched.snapshot().stopped) == [run_id]
    running_study.finish(tmp_path / run_id)
    now = watched.snapshot()
    assert (now.newest, now.stopped, now.left) == ([run_id], {}, None)
    assert dashboard.left_text(now) == "No run is at work."


def test_nothing_runs_while_pictures_are_prepared(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    watched = Monitor(study, tmp_path)
    files = [Path(file) for file in (study.weights.file, *study.picture_files(study.runs))]
    for file in files:
        assert dashboard.left_text(watched.snapshot()) == "No run is at work: pictures or weights are not made yet."
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert dashboard.left_text(watched.snapshot()) == "No run is at work."


def test_a_run_without_a_word_is_told_from_one_at_work(study, tmp_path):
    quiet, busy, begun = (tmp_path / run_id for run_id in list(study.runs)[:3])
    with contextlib.ExitStack() as stack:
        for folder in (quiet, busy, begun):
            stack.enter_context(running_study.at_work(folder))
            running_study.begin(folder, device="cpu", ago=600)
        running_study.write_log(quiet, 50, seconds=0.1, ago=300)
        running_study.write_log(busy, 50, seconds=20, ago=300)
        running_study.write_log(begun, 50, ago=700)  # by the attempt before
        runs = Monitor(study, tmp_path).snapshot().at_work
    assert [run.silent and round(run.silent / 10) for run in runs] == [30, None, 60]
    assert [dashboard.state_text(run) for run in runs] == [
        "no word for 5.0 minutes",
        "50.0 minutes left",
        "no word for 10.0 minutes",
    ]
    assert runs[2].reports == []


def computing(run_id, device="GPU-1", seconds=5.0, step=None, per_step=None):
    reports = [] if step is None else [history.Progress(step, 200, {}, per_step)]
    return monitor.RunningRun(run_id, "", "here", device, seconds, reports)


def finished(study, *durations):
    """Runs of the study on a GPU, that took so many seconds, a second beside 201 evaluations."""
    return [
        record(
            run,
            device=Device("gpu", "GPU-1"),
            width=100,
            height=100,
            seconds=seconds,
            seconds_per_iteration=(seconds - 1) / 201,
        )
        for run, seconds in zip(study.runs.values(), durations, strict=False)
    ]


def nobody(kind):
    raise AssertionError("the study's own runs tell")


@given(st.integers(1, 6), st.integers(0, 40), st.integers(0, 2**32))
def test_the_time_left_is_that_of_a_simulated_schedule(lanes, waiting, seed):
    """Against a simulation, second by second, of devices that each take the next run."""
    study = running_study.expand(vary={"style_weight": list(range(1, lanes + waiting + 1))})
    runs, draw = list(study.runs.values()), random.Random(seed)
    lefts = [draw.randrange(1, 30) for _ in range(lanes)]
    work = [computing(run.run_id, step=200 - left, per_step=1.0) for run, left in zip(runs, lefts, strict=False)]
    found = monitor.time_left(study, finished(study, *[23.0] * 5), work, runs[lanes:], nobody)
    clock, left, queue = 0, list(lefts), waiting
    while any(left) or queue:
        for place, seconds in enumerate(left):
            if seconds == 0 and queue:
                left[place], queue = 23, queue - 1
        left = [max(0, seconds - 1) for seconds in left]
        clock += 1
    # A process takes a while until its run begins.
    late = PROCESS_SECONDS * math.ceil(waiting / lanes + 1)
    assert clock - 1e-6 <= found.likely <= clock + late
    spread = 1 if len(study.runs) >= monitor.ENOUGH else 2
    assert found.high / found.likely == pytest.approx(spread), "equal runs leave no doubt, if there are enough"


def test_the_range_is_that_of_the_quicker_and_the_slower_runs(study):
    runs = list(study.runs.values())
    work = computing(runs[0].run_id, seconds=0.0)
    records = finished(study, 50, 80, 100, 120, 200)
    found = monitor.time_left(study, records, [work], runs[1:4], nobody)
    assert found.likely == pytest.approx(400, rel=0.01)
    assert 200 < found.low < 350
    assert 450 < found.high < 800
    few = monitor.time_left(study, records[2:3], [work], runs[1:4], nobody)
    assert (few.low, few.likely, few.high) == pytest.approx((200, 400, 800), rel=0.01)
    assert monitor.time_left(study, records, [], runs, nobody) is None


def test_before_the_first_run_is_done_those_at_work_tell_and_before_them_other_studies(study):
    runs = list(study.runs.values())
    half = computing(runs[0].run_id, seconds=60.0, step=100, per_step=0.5)
    # 50 s are left of it, and of each of 3 runs 201 evaluations and a start.
    start = START_SECONDS["gpu"] + PROCESS_SECONDS
    found = monitor.time_left(study, [], [half], runs[1:4], nobody)
    assert found.likely == pytest.approx(50 + 3 * (201 * 0.5 + start), rel=0.05)
    begun = [computing(runs[0].run_id, device="cpu", seconds=0.0)]
    asked = []

    def others(kind):
        asked.append(kind)
        return Calibration(usual=2.0, start=9.0, runs=3)

    slow = monitor.time_left(study, [], begun, runs[1:4], others)
    by_model = monitor.time_left(study, [], begun, runs[1:4], lambda kind: Calibration(start=9.0))
    assert asked == ["cpu"]
    fixed = 4 * (9.0 + PROCESS_SECONDS)
    assert slow.likely - fixed == pytest.approx(2 * (by_model.likely - fixed))


def test_a_monitor_goes_by_finished_runs_of_other_studies_until_its_own_tell(study, tmp_path):
    first = next(iter(study.runs))
    with running_study.at_work(tmp_path / first):
        running_study.begin(tmp_path / first, device="cpu", ago=0)
        by_model = Monitor(study, tmp_path).snapshot().left.likely
        (tmp_path / "another-study").mkdir()
        for name in RUN_FILES.values():
            (tmp_path / "another-study" / name).touch()
        slow = record(computed_on=[precision.computed_on_cpu(1)], seconds_per_iteration=60.0)
        slow.write(tmp_path / "another-study/run.json")
        assert Monitor(study, tmp_path).snapshot().left.likely > 100 * by_model


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(180, 300, "3.0 to 5.0 minutes"), (40, 41.0, "40 to 41 s"), (40.1, 40.2, "40 s"), (80, 5400, "80 s to 1.5 hours")],
)
def test_spans_read_well(low, high, text):
    assert dashboard.span(TimeLeft(low, low, high)) == text


def test_labels_name_the_pair_where_there_are_several():
    pairs = [{"content": "photograph", "styles": ["glass"]}, {"content": "glass", "styles": ["photograph"]}]
    labels = list(monitor.labels(running_study.expand(pairs=pairs, vary={"style_weight": [1, 2]})).values())
    assert labels[0] == "photograph x glass: style weight 1"
    assert labels[3] == "glass x photograph: style weight 2"


@pytest.fixture
def page(study, tmp_path):
    """The page of a study at work, which begins with what was left of others."""
    with running_study.busy(study, tmp_path / "runs"):
        yield LivePage(study, tmp_path / "runs", tmp_path / "a study")


def grow_old(path, seconds):
    os.utime(path, (time.time() - seconds,) * 2)


def test_the_page_says_the_same_and_takes_names_as_text(page, study, tmp_path):
    assert page.update()
    text = (tmp_path / "a study/live.html").read_text()
    assert "<title>6/12 busy</title>" in text
    assert "6 of 12 done, 1 of them diverged, 3 running" in text
    assert "ValueError: &lt;b&gt;[red]no&lt;/b&gt; such layer" in text
    assert "150 of 200" in text
    assert text.count("<img ") == 6
    links = [unquote(link) for link in re.findall(r'(?:href|src)="([^"]+)"', text)]
    assert len(links) > 12
    assert [link for link in links if not (tmp_path / "a study" / link).exists()] == []
    for run_id in study.runs:
        running_study.finish(tmp_path / "runs" / run_id)
    assert page.update(last=True)
    assert "for the last time" in (tmp_path / "a study/live.html").read_text()


def test_the_page_shows_the_contents_colors_where_they_are_a_view(study, tmp_path):
    colors = running_study.expand(vary={"colors": ["style", "matched"]})
    for run_id in colors.runs:
        running_study.finish(tmp_path / "runs" / run_id)
    for preserve, views in ((True, 1), (False, 0)):
        LivePage(colors, tmp_path / "runs", tmp_path / "a study", preserve).update(last=True)
        text = (tmp_path / "a study/live.html").read_text()
        (content,) = {found["content"][0].file for found in map(colors.pictures_of, colors.runs)}
        assert text.count('data-colors="content" style="--content') == views
        assert text.count(f"{content}')\"") == views


def test_of_all_who_want_to_write_the_page_one_does_when_it_is_due(page, study, tmp_path):
    path = tmp_path / "a study/live.html"
    other = LivePage(study, tmp_path / "runs", path.parent)
    assert page.update()
    assert not other.update(), "it was written just now"
    grow_old(path, live.MIN_SECONDS - 1)
    assert not other.update()
    grow_old(path, live.MIN_SECONDS + 1)
    with locks.exclusive_lock(path, 0):
        assert not other.update(), "somebody else is about to write it"
    assert other.update()
    assert page.update(last=True), "the last word was not written"


@pytest.mark.parametrize(
    ("error", "done"), [(None, 7), (RuntimeError("a run failed"), 7), (TerminatedError(signal.SIGTERM), 6)]
)
def test_the_page_tells_how_a_block_ended_unless_a_signal_ended_it(page, study, tmp_path, error, done):
    path = tmp_path / "a study/live.html"
    with contextlib.suppress(RuntimeError, TerminatedError), page.kept_current():
        while not path.exists():
            time.sleep(0.01)
        running_study.finish(tmp_path / "runs" / list(study.runs)[-1])
        if error:
            raise error
    assert f"<title>{done}/12 busy</title>" in path.read_text()


def test_a_page_of_many_runs_is_written_less_often(tmp_path):
    study = running_study.expand(vary={"style_weight": list(range(1, 1001))})
    page, path = LivePage(study, tmp_path / "runs", tmp_path), tmp_path / "live.html"
    assert page.update()
    grow_old(path, 1000 * live.SECONDS_PER_RUN - 2)
    assert not page.update()
    grow_old(path, 1000 * live.SECONDS_PER_RUN + 1)
    assert page.update()


def test_a_page_that_cannot_be_written_ends_no_run(study, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    page = LivePage(study, tmp_path / "runs", tmp_path / "file")
    assert not page.update()
    assert not page.update()
    assert len(caplog.messages) == 1, "it says so more often than it tries"


def test_the_log_gets_a_line_when_counts_change(busy, tmp_path, monkeypatch):
    console = Console(file=io.StringIO(), width=200)
    pool = tmp_path
    steps = iter([None, None, lambda: [running_study.finish(pool / run_id) for run_id in busy.labels]])
    monkeypatch.setattr(time, "sleep", lambda _: (step := next(steps)) and step())
    watch.in_log(busy, 1.0, console)
    lines = console.file.getvalue().splitlines()
    assert [line.split(",")[0] for line in lines] == ["6 of 12 done", "12 of 12 done"]


@pytest.mark.parametrize(
    ("arguments", "message"), [(["."], "there is no plan in it"), ([".", "--interval", "0"], "--interval is 0")]
)
def test_what_cannot_be_watched_is_named(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["watch", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_short_names_of_lanes():
    assert device_usage.short(f"{running_study.GPUS[0]} slot 1") == "GPU-01234560 slot 1"
    assert device_usage.short("cpu 2") == "cpu 2"
