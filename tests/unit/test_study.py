"""Settings and designs: identity, limits, value specs, and the 2018 study to the last value."""

import platform
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.records import record
from helpers.studies import ROOT, SCHEMA, config
from styletransfer import settings
from styletransfer.errors import InputError
from styletransfer.images import generated
from styletransfer.images.samples import SAMPLES
from styletransfer.results import tables
from styletransfer.results.plan import summary
from styletransfer.runs.layout import RUN_FILES
from styletransfer.settings import Artifact, Settings
from styletransfer.study import values as study_values
from styletransfer.study.config import definition
from styletransfer.study.expand import expand

FILE = Artifact("a", "sha256:0")


def run(**values):
    return Settings(content=FILE, styles=(FILE,), weights=FILE, **values)


def test_the_2018_study_is_exact():
    expanded = expand(config())
    assert len(expanded.rows) == 252
    assert len(expanded.runs) == 251
    values = {
        "learning_rate": [0.1, 0.3, 0.6, 1, 2, 3, 5, 10, 15, 20, 30, 40, 50],
        "style_scales": [*np.linspace(0.1, 1, 19), *np.linspace(1.1, 3, 30)],
        "content_weight_blend": np.linspace(0, 1, 30),
        "style_weight": [*np.linspace(0, 200, 50), *np.linspace(0, 100, 50)[1::2]],
        "tv_weight": np.linspace(0, 600, 50),
        "style_layer_weight_exp": [*np.linspace(0, 1.3, 15), *np.linspace(1.33, 20, 20)],
    }
    for parameter, expected in values.items():
        found = [row.value for row in expanded.rows if row.parameter == parameter]
        np.testing.assert_allclose(found, expected, rtol=1e-11)
    default = next(row for row in expanded.rows if row.is_default).settings
    assert (default.width, default.iterations, default.content_weight, default.pooling) == (512, 1000, 1, "max")


def test_the_demo_has_enough_runs():
    expanded = expand(config("demo.yaml"))
    assert len(expanded.runs) >= 20
    assert len({row.parameter for row in expanded.rows}) >= 5


def test_too_large_a_grid_is_refused_with_an_estimate():
    tenfold = {
        name: {"linspace": [1, 10, 10]} for name in ("learning_rate", "style_scales", "style_weight", "tv_weight")
    }
    tenfold |= {"content_weight": {"linspace": [1, 10, 10]}, "style_layer_weight_exp": {"linspace": [1, 10, 10]}}
    with pytest.raises(InputError, match=r"1,000,000 runs: 1\.9 years"):
        expand(config(design="grid", vary=tenfold))


def test_a_grid_has_every_combination_and_a_list_its_rows():
    grid = expand(config(design="grid", vary={"style_weight": [1, 2], "tv_weight": [3, 4, 5]}))
    assert Counter((r.settings.style_weight, r.settings.tv_weight) for r in grid.rows) == Counter(
        (float(s), float(t)) for s in (1, 2) for t in (3, 4, 5)
    )
    listed = expand(config(design="list", vary={}, runs=[{"seed": 1}, {"seed": 2, "tv_weight": 0}]))
    assert [(r.settings.seed, r.settings.tv_weight) for r in listed.rows] == [(1, 100.0), (2, 0.0)]


def test_a_star_without_its_default_gets_it():
    expanded = expand(config(vary={"style_weight": [1, 2]}))
    assert [row.is_default for row in expanded.rows] == [False, False, True]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"linspace": [0, 1, 3]}, [0, 0.5, 1]),
        ({"logspace": [1, 100, 3]}, [1, 10, 100]),
        ({"arange": [0, 0.3, 0.1]}, [0, 0.1, 0.2]),
        ([1, {"linspace": [0, 3, 4], "slice": "1::2"}], [1, 3]),
    ],
)
def test_value_specs(spec, expected):
    assert study_values.values("tv_weight", spec) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stlye": 1}, "there is no such key"),
        ({"vary": {"style_wieght": [1]}}, "Did you mean style_weight"),
        ({"vary": {"style_weight": []}}, "is empty"),
        ({"vary": {"style_weight": [-1]}}, "at least 0"),
        ({"vary": {"style_weight": [float("nan")]}}, "finite"),
        ({"vary": {"style_weight": {"linspace": [0, 1]}}}, "three numbers"),
        ({"defaults": {"learning_rate": "1e-3"}}, r"1\.0e-8"),
        ({"defaults": {"pooling": "median"}}, "choose one of max, avg"),
        ({"contact_sheet": {"limits": {"style_wieght": [1, 2]}}}, "Did you mean style_weight"),
        ({"contact_sheet": {"grid": ["tv_weight", "styel_scales"]}}, "Did you mean style_scales"),
        ({"pairs": [{"content": "nobody", "styles": ["artwork"]}]}, "nobody"),
        ({"images": {"photograph": {"path": "/no/such.jpg"}, "artwork": {"painting": "glass"}}}, "no such file"),
    ],
)
def test_bad_configs_are_named(changes, message):
    with pytest.raises(InputError, match=message):
        expand(config(**changes))


def test_defaults_do_not_rename_runs():
    assert run().run_id == run(eps=1e-8, pooling="max", initial_noiseblend=1.0, style_scales=1).run_id
    assert run(style_weight=0.1 + 0.2).run_id == run(style_weight=0.3).run_id
    assert run(style_weight=1, tv_weight=2).run_id != run(style_weight=2, tv_weight=1).run_id


def test_the_seed_counts_only_where_noise_is_drawn():
    assert run(seed=1).run_id != run(seed=2).run_id
    assert run(seed=1, initial_noiseblend=0).run_id == run(seed=2, initial_noiseblend=0).run_id


def test_run_ids_are_stable():
    # This name stands on users' disks: if it changes, every run is computed again. Raise NUMERICS instead.
    assert run(style_weight=10, width=512).run_id.rsplit("-", 1)[1] == STABLE


STABLE = "38423f68b457"


@given(
    st.floats(0, 1e6),
    st.floats(1e-6, 1e3),
    st.integers(1, 4096),
    st.sampled_from(["max", "avg"]),
    st.floats(0, 1) | st.none(),
)
def test_canonical_settings_round_trip(style_weight, learning_rate, width, pooling, noise):
    original = run(
        style_weight=style_weight, learning_rate=learning_rate, width=width, pooling=pooling, initial_noiseblend=noise
    )
    again = settings.from_canonical(original.canonical())
    assert again == original
    assert again.run_id == original.run_id


@given(
    st.dictionaries(st.sampled_from(["tv_weight", "style_weight"]), st.lists(st.floats(0, 99), min_size=1, max_size=9))
)
def test_a_star_has_a_row_for_every_distinct_value(vary):
    expanded = expand(config(vary=vary))
    assert len(expanded.rows) <= 1 + sum(len({settings.rounded(v) for v in found}) for found in vary.values())
    assert {row.run_id for row in expanded.rows} == set(expanded.runs)
    assert any(row.is_default for row in expanded.rows)


def test_schema_defaults_and_the_page_about_them_cannot_drift():
    import config_tables

    page = (ROOT / "config/README.md").read_text()
    assert config_tables.document(page, SCHEMA) == page, "run: python docs/config_tables.py"
    text = (ROOT / "workflow/schemas/config.schema.yaml").read_text()
    assert config_tables.with_parameters(text) == text, "run: python docs/config_tables.py"
    assert list(SCHEMA["properties"]["defaults"]["properties"]) == list(settings.PARAMETERS)
    for key, part in config_tables.keys(SCHEMA):
        assert part["description"], key
    kinds = SCHEMA["properties"]["images"]["additionalProperties"]["properties"]
    assert kinds["sample"]["enum"] == list(SAMPLES)
    assert kinds["painting"]["enum"] == list(generated.PAINTINGS)


def test_every_key_has_a_default_or_is_required():
    filled = config()
    optional = set(SCHEMA["properties"]) - set(SCHEMA["required"])
    assert all("default" in SCHEMA["properties"][key] for key in optional)
    assert set(filled) == set(SCHEMA["properties"])


def test_an_explicit_list_from_a_csv_file(tmp_path):
    table = tmp_path / "runs.csv"
    table.write_text("seed,style_weight,pooling\n1,0.5,\n2,,avg\n", encoding="utf-8-sig")
    listed = expand(config(design="list", vary={}, runs=str(table)))
    assert [(r.settings.seed, r.settings.style_weight, r.settings.pooling) for r in listed.rows] == [
        (1, 0.5, "max"),
        (2, 10.0, "avg"),
    ]
    assert [row.label for row in listed.rows] == ["seed 1, style_weight 0.5", "seed 2, pooling avg"]
    before = definition(config(design="list", vary={}, runs=str(table)))
    table.write_text("seed\n3\n")
    assert definition(config(design="list", vary={}, runs=str(table))) != before


@pytest.mark.parametrize(
    ("content", "message"),
    [("seed\n1,2\n", "as many cells"), ("sed\n1\n", "Did you mean seed"), ("seed\nx\n", "seed is 'x'")],
)
def test_a_bad_csv_file_of_runs_is_refused(tmp_path, content, message):
    (tmp_path / "runs.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        expand(config(design="list", vary={}, runs=str(tmp_path / "runs.csv")))


def test_a_missing_csv_file_of_runs_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        expand(config(design="list", vary={}, runs=str(tmp_path / "none.csv")))


def test_a_plan_counts_new_cached_and_shared_runs(tmp_path):
    described = config(vary={"style_weight": [5, 10], "tv_weight": [100, 7]}, seconds_per_run=90)
    expanded = expand(described)
    done = expanded.rows[0].run_id
    for name in RUN_FILES.values():
        (tmp_path / done).mkdir(exist_ok=True)
        (tmp_path / done / name).touch()

    def finish(**values):
        made = record(expanded.runs[done], seconds=9, seconds_per_iteration=0.5, width=256, **values)
        made.write(tmp_path / done / "run.json")

    finish(iterations_done=0)
    lines = [line.split() for line in summary(expanded, tmp_path).splitlines()]
    assert ["style_weight", "2", "1", "1", "0"] in lines
    assert ["tv_weight", "2", "1", "0", "1"] in lines, "both rows of the default point are one run"
    assert lines[-1][:3] == ["about", "3.0", "minutes"]
    finish(iterations_done=10)
    # Two new runs of 1000 iterations at twice the width, and 4 s outside of them.
    assert "about 66.8 minutes of device time, going by 1 finished runs" in summary(expanded, tmp_path)
    # So does another study, which has none of its own yet; but not by those of another host.
    others = config(vary={"style_weight": [3]}, defaults={"width": 512, "iterations": 100})
    told = summary(expand(others), tmp_path)
    assert "if a run takes" in told
    finish(iterations_done=10, host=platform.node())
    told = summary(expand(others), tmp_path)
    assert "about 6.8 minutes of device time, going by 1 finished runs of other studies on this host" in told
    assert "device time (33.4 minutes with 2 runs at once), going by" in summary(expanded, tmp_path, 8)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"status": "ok"}'])
def test_a_damaged_record_is_named_with_a_remedy(tmp_path, text):
    expanded = expand(config(vary={}))
    (path,) = (tmp_path / run_id / "run.json" for run_id in expanded.runs)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(InputError, match=r"run\.json is no record of a run .*Remove the folder"):
        tables.runs_table(expanded, tmp_path)


@given(st.integers(1, 9))
def test_batches_hold_every_run_once_and_never_mix_pictures(size):
    pairs = [{"content": "photograph", "styles": ["artwork"]}, {"content": "artwork", "styles": ["photograph"]}]
    expanded = expand(config(pairs=pairs, vary={"style_weight": [1, 2, 3], "tv_weight": [4, 5]}))
    batched = expanded.batches(size)
    assert [run_id for batch in batched for run_id in batch] == list(expanded.runs)
    assert all(len({expanded.runs[run_id].content for run_id in batch}) == 1 for batch in batched)
    assert max(map(len, batched)) <= size
    assert len(batched) == 2 * -(-len(expanded.runs) // 2 // size)
