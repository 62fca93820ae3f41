"""The timeline of a study: lanes, pauses, and the schedule against what no schedule can beat."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.overlaps import at_once_by_name
from styletransfer.analysis import device_usage
from styletransfer.benchmarks import schedule_2018
from styletransfer.reports.figures.device_usage import device_timeline


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=60), st.integers(1, 8))
def test_a_schedule_keeps_graham_s_bound(durations, lanes):
    bars = device_usage.schedule(durations, lanes)
    assert [end - begin for _, begin, end in bars] == pytest.approx(durations)
    assert set(at_once_by_name(bars).values()) == {1}
    elapsed = device_usage.elapsed(bars)
    assert elapsed >= max(*durations, sum(durations) / lanes) - 1e-9
    assert elapsed <= sum(durations) / lanes + (1 - 1 / lanes) * max(durations) + 1e-9


def test_the_2018_study_within_two_percent_of_the_bound_where_fixed_chunks_left_a_gpu_idle():
    durations = schedule_2018.durations_of_2018()
    assert (len(durations), sum(durations)) == (252, pytest.approx(252 * 97))
    cut = schedule_2018.chunks(durations, 4)
    assert device_usage.elapsed(cut) == pytest.approx(108 * 60)
    assert device_usage.elapsed(bar for bar in cut if bar[0] == 3) == pytest.approx(91 * 60)
    for order in range(20):
        shuffled = np.random.default_rng(order).permutation(durations)
        assert device_usage.elapsed(device_usage.schedule(shuffled, 4)) <= 1.02 * sum(durations) / 4


def runs_table(rows):
    table = pd.DataFrame(rows, columns=["run_id", "device", "device_slot", "begin", "end"])
    clock = pd.Timestamp("2026-01-01", tz="UTC")
    for name, column in (("start", "begin"), ("end", "end")):
        table[name] = [(clock + pd.Timedelta(seconds=s)).isoformat() for s in table[column]]
    return table.assign(study="s", parameter="style_weight", status="ok", host="node")


def test_lanes_of_the_cpu_and_of_slots():
    cpu = runs_table([("a", "cpu", 0, 0, 10), ("b", "cpu", 0, 1, 5), ("c", "cpu", 0, 6, 9), ("d", "cpu", 0, 11, 12)])
    assert list(device_usage.intervals(cpu)["lane"]) == ["cpu 1", "cpu 2", "cpu 2", "cpu 1"]
    gpu = runs_table([("a", "GPU-1", 0, 0, 10), ("b", "GPU-1", 1, 1, 5)])
    assert list(device_usage.intervals(gpu)["lane"]) == ["GPU-1 slot 0", "GPU-1 slot 1"]
    assert list(device_usage.intervals(gpu.assign(host=["x", "y"]))["lane"]) == ["x GPU-1 slot 0", "y GPU-1 slot 1"]


def test_long_pauses_are_cut_out_and_short_ones_are_idle_time():
    bars = device_usage.intervals(
        runs_table([("a", "GPU-1", 0, 0, 10), ("b", "GPU-1", 0, 20, 30), ("c", "GPU-2", 0, 100_000, 100_010)])
    )
    usage = device_usage.usage(bars)
    assert (usage.pauses, usage.lanes, usage.busy, usage.elapsed) == (1, 2, 30, 40)
    assert usage.speed_up == pytest.approx(0.75)
    assert usage.utilisation == pytest.approx(0.375)
    assert usage.bound == 15


def test_runs_of_several_labels_are_one_bar_and_the_figure_says_how_well_devices_were_used():
    runs = runs_table([("a", "GPU-1", 0, 0, 60), ("b", "GPU-2", 0, 0, 30), ("a", "GPU-1", 0, 0, 60)])
    figure = device_timeline(runs)
    assert len(figure.axes[0].patches) == 2
    text = figure.get_suptitle()
    assert "2 runs on 2 lanes" in text
    assert "Speed-up 1.50, utilisation 75%" in text
