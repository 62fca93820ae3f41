"""Which way is the fastest: the arithmetic of the choice, and what is remembered of it."""

import json

import pytest

from styletransfer.devices import autotune


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/styletransfer/ways.json"


@pytest.fixture
def costs(monkeypatch):
    """What each way costs; runs are not timed."""
    costs = {
        "fast": {"start": 3.0, "evaluation": 0.5},
        "plain": {"start": 2.0, "evaluation": 0.6},
        "fast-xla": {"start": 60.0, "evaluation": 0.2},
        "plain-xla": {"start": 90.0, "evaluation": 0.3},
    }
    monkeypatch.setattr(autotune, "_cost", lambda run: costs[run])
    return costs


def test_compilation_must_pay_off_within_the_run(cache, costs):
    assert autotune.fastest("here", 5, str) == "plain"
    assert autotune.fastest("here", 100, str) == "fast"
    assert autotune.fastest("here", 1000, str) == "fast-xla"


def test_each_situation_is_measured_once(cache, costs):
    tried = []
    for situation in ("here", "there", "here"):
        autotune.fastest(situation, 100, lambda name: tried.append(name) or name)
    assert tried == 2 * list(autotune.WAYS)
    assert set(json.loads(cache.read_text())) == {"here", "there"}
    assert cache.parent.stat().st_mode & 0o077 == 0


def test_a_way_that_fails_is_out_of_the_race(cache, costs, caplog):
    def begin(name):
        if name != "plain":
            raise MemoryError("too large")
        return name

    assert autotune.fastest("here", 1000, begin) == "plain"
    assert "path fast-xla fails on this device: MemoryError: too large" in caplog.text


def test_if_all_fail_the_run_fails(cache):
    def begin(name):
        raise MemoryError("too large")

    with pytest.raises(MemoryError):
        autotune.fastest("here", 1000, begin)
    assert not cache.exists()


@pytest.mark.parametrize("text", ["", "[1]", '{"here": 3}', '{"here": {"fast": {"start": "x"}}}', '{"here": {}}'])
def test_a_damaged_memory_is_measured_again(cache, costs, text):
    cache.parent.mkdir(parents=True)
    cache.write_text(text)
    assert autotune.fastest("here", 1000, str) == "fast-xla"
    assert json.loads(cache.read_text()) == {"here": costs}


def test_a_folder_that_cannot_be_written_costs_the_memory_only(monkeypatch, tmp_path, costs, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert autotune.fastest("here", 1000, str) == "fast-xla"
    assert "not remembered" in caplog.text
