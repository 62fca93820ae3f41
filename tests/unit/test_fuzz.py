"""Damaged and made-up files: nothing but an `InputError` comes out. `tests/fuzz/fuzz.py` goes on for longer."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz import targets

FEW = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["p", "-", "keras"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=9) | st.sampled_from(["linspace", "slice", "path", "content"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


def places(document, at=()):
    """Every place in a document, as a path of keys."""
    yield at
    parts = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in parts:
        yield from places(value, (*at, key))


def replaced(document, place, value):
    if not place:
        return value
    copy = document.copy()
    copy[place[0]] = replaced(copy[place[0]], place[1:], value)
    return copy


PLACES = sorted(places(targets.CONFIG), key=str)


@settings(FEW, max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(PLACES[1:]), VALUES), min_size=1, max_size=2))
def test_configs(changes):
    document = targets.CONFIG
    for place, value in sorted(changes, key=lambda change: -len(change[0])):
        document = replaced(document, place, value)
    targets.of_config(document)


@FEW
@given(st.dictionaries(st.sampled_from(sorted(targets.SCHEMA["properties"])) | st.text(), VALUES))
def test_configs_of_any_kind(document):
    targets.of_config(document)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    return {kind: targets.seeds(kind, folder) for kind in targets.TARGETS}


@pytest.mark.parametrize(
    ("kind", "examples"),
    [("config", 100), ("image", 400), ("weights", 60), ("record", 200), ("plan", 200), ("state", 200)],
)
def test_damaged_files(kind, examples, seeds, tmp_path):
    @settings(FEW, max_examples=examples)
    @given(st.integers(0, len(seeds[kind]) - 1), st.binary(max_size=40))
    def fuzz(seed, data):
        (tmp_path / "file").write_bytes(targets.damaged(seeds[kind][seed], data))
        targets.TARGETS[kind](tmp_path / "file")

    fuzz()
