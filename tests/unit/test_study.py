"""Settings and designs: identity, limits, value specs, and the 2018 study to the last value."""

import contextlib
import json
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import snakemake.cli as snakemake_cli
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from helpers.records import record
from helpers.studies import ROOT, SCHEMA, config
from styletransfer import settings
from styletransfer.errors import InputError
from styletransfer.files import yaml_reader
from styletransfer.images import generated
from styletransfer.images.samples import SAMPLES
from styletransfer.results import tables
from styletransfer.results.estimates import Estimates
from styletransfer.results.overview import summary
from styletransfer.runs.layout import RUN_FILES
from styletransfer.settings import Artifact, Settings
from styletransfer.study import plan
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
        ({"defaults": {"learning_rate": "1,5"}}, r"'1,5', not a number\. Write it with a point: 1\.5"),
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
    [
        (b"seed\n1,2\n", "line 2 has 2 cells, and the header 1. In a number write a point"),
        (b"seed,tv_weight\n\n1,2\n3\n", "line 4 has 1 cells, and the header 2$"),
        (b"sed\n1\n", "Did you mean seed"),
        (b"seed\nx\n", "seed is 'x'"),
        (b'tv_weight\n"1,5"\n', r"'1,5', not a number\. Write it with a point: 1\.5"),
        (b"seed;tv_weight\n1;1,000\n", "line 2: 1,000 may be a fraction, or thousands"),
        (b"seed;tv_weight\n1;1.000\n1;1,5\n", r"line 2: 1\.000 may be a fraction, or thousands"),
        (b"seed;tv_weight,pooling\n1;2,max\n", "has several separators"),
        (b",seed\n0,7\n", "column 1 has values, but no name"),
        ("seed\n1\n".encode("utf-16-le"), "save it as CSV UTF-8"),
        ("pooling\navg\u00e9\n".encode("cp1252"), "save it as CSV UTF-8"),
        (b"PK\x03\x04", "workbook of a spreadsheet: save it as CSV UTF-8"),
    ],
)
def test_a_bad_csv_file_of_runs_is_refused(tmp_path, content, message):
    (tmp_path / "runs.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        expand(config(design="list", vary={}, runs=str(tmp_path / "runs.csv")))


COLUMNS = ("content_weight", "style_weight")


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"content_weight,style_weight\n5,100\n5,200\n,\n", [(5, 100), (5, 200)]),
        (b",\n content_weight , style_weight \n  \n 5 , 6 \n , \n", [(5, 6)]),
        (b"content_weight;style_weight\r\n5,0;100,5\r\n;\r\n", [(5, 100.5)]),
        (b"content_weight\tstyle_weight\n0,125\t1e3\n", [(0.125, 1000)]),
        (b"sep=;\r\ncontent_weight;style_weight\r\n5;1.5\r\n", [(5, 1.5)]),
        (b'\xef\xbb\xbf"SEP=\t"\ncontent_weight\tstyle_weight\n5\t1.5\n', [(5, 1.5)]),
        (b"content_weight,style_weight,,\n5,1_000,,\n6,010,\n7,.5,,,\n", [(5, 1000), (6, 10), (7, 0.5)]),
        ("content_weight;style_weight\n\u00a05;6\u00a0\n".encode(), [(5, 6)]),
        (b"content_weight,style_weight\r5,1\r6,2", [(5, 1), (6, 2)]),
        (b"style_weight,content_weight\n1,\n1,\n", [(1, 1), (1, 1)]),
    ],
)
def test_csv_files_as_spreadsheets_and_people_write_them(tmp_path, content, rows):
    (tmp_path / "runs.csv").write_bytes(content)
    found = expand(config(design="list", vary={}, runs=str(tmp_path / "runs.csv"))).rows
    assert [tuple(getattr(row.settings, name) for name in COLUMNS) for row in found] == rows


@given(
    st.lists(st.tuples(*[st.integers(0, 99_999).map(lambda number: number / 100)] * 2), min_size=1, max_size=9),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_csv_files_that_pandas_writes(tmp_path_factory, rows, marks, encoding, line_end):
    path = tmp_path_factory.mktemp("runs") / "runs.csv"
    separator, decimal = marks
    form = {"sep": separator, "decimal": decimal, "encoding": encoding, "lineterminator": line_end}
    pd.DataFrame(rows, columns=COLUMNS).to_csv(path, index=False, **form)
    found = expand(config(design="list", vary={}, runs=str(path))).rows
    assert [tuple(getattr(row.settings, name) for name in COLUMNS) for row in found] == rows


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, 1000.0) for text in ("1000", "1e3", "1E3", "1.0e3", "1.0e+3", "1_000", "+1000", "1000.", "10000e-1")),
        *((text, 0.5) for text in (".5", "0.5", "5e-1", "5.0e-1")),
        ("1e-8", 1e-8),
    ],
)
def test_a_number_has_one_reading_through_every_door(tmp_path, text, value):
    """In a file, quoted there, in a JSON file, as Snakemake reads `--config`, and in a table."""
    fields = {
        "plain.yaml": f"vary: {{tv_weight: [{text}]}}\ndefaults: {{style_weight: {text}}}\n",
        "quoted.yaml": f"vary: {{tv_weight: ['{text}']}}\ndefaults: {{style_weight: ' {text} '}}\n",
        "study.json": json.dumps(
            {"vary": {"tv_weight": {"arange": [text, "1e6", "2e6"]}}, "defaults": {"style_weight": text}}
        ),
    }
    read = []
    for name, content in fields.items():
        (tmp_path / name).write_text(content)
        read.append(yaml_reader.read(tmp_path / name))
    read.append(snakemake_cli.parse_config([f"vary={{tv_weight: [{text}]}}", f"defaults={{style_weight: {text}}}"]))
    studies = [expand(config(**given)) for given in read]
    (tmp_path / "runs.csv").write_text(f"style_weight,tv_weight\n{text}, {text} \n")
    studies.append(expand(config(design="list", vary={}, defaults={}, runs=str(tmp_path / "runs.csv"))))
    expected = expand(config(vary={"tv_weight": [value]}, defaults={"style_weight": value})).rows[0]
    for study in studies:
        assert study.rows[0].run_id == expected.run_id
    assert [row.value for study in studies[:-1] for row in study.rows[:1]] == [value] * 4


@pytest.mark.parametrize("whole", ["2", "2.0", "2e0"])
@pytest.mark.parametrize(("word", "is_kept"), [("true", True), ("True", True), ("yes", True), ("off", False)])
def test_keys_of_the_machine_are_read_as_their_type(whole, word, is_kept):
    entries = [
        f"keep_state={word}",
        f"threads={whole}",
        f"contact_sheet={{columns: {whole}}}",
        f"state_seconds={whole}",
    ]
    entries += [f"preserve_colors={word}", f"contact_sheet={{limits: {{tv_weight: [{whole}, 1e1]}}}}"]
    found = config(**snakemake_cli.parse_config(entries))
    assert (found["keep_state"], found["preserve_colors"]) == (is_kept, is_kept)
    assert (found["threads"], found["contact_sheet"]["columns"], found["state_seconds"]) == (2, 2, 2)
    assert found["contact_sheet"]["limits"] == {"tv_weight": [2, 10]}
    assert isinstance(found["threads"], int)


def test_a_seed_keeps_every_digit(tmp_path):
    seeds = [2**53, 2**53 + 1, 2**63 - 1]
    (tmp_path / "runs.csv").write_text("seed\n" + "\n".join(map(str, seeds)))
    listed = expand(config(design="list", vary={}, runs=str(tmp_path / "runs.csv")))
    assert [row.settings.seed for row in listed.rows] == seeds
    assert [row.label for row in expand(config(vary={"seed": seeds})).rows[:3]] == [f"{seed:,}" for seed in seeds]


@pytest.mark.parametrize(("text", "other"), [("010", 8), ("0x10", 16), ("0b11", 3), ("1:30", 90), ("1:30.5", 90.5)])
def test_a_number_that_yaml_takes_for_another_is_refused(tmp_path, text, other):
    assert yaml.safe_load(text) == other
    (tmp_path / "study.yaml").write_text(f"study: a\ndefaults:\n  iterations: {text}\n")
    with pytest.raises(InputError, match=rf"line 3: YAML reads {text} as {other}\. Write"):
        yaml_reader.read(tmp_path / "study.yaml")
    (tmp_path / "study.yaml").write_text(f"study: '{text}'\n")
    assert yaml_reader.read(tmp_path / "study.yaml") == {"study": text}


def test_one_thing_is_a_list_of_one_and_nothing_is_an_empty_one():
    several = config(pairs=[{"content": "photograph", "styles": ["artwork"]}], vary={}, contact_sheet={})
    assert config(pairs={"content": "photograph", "styles": "artwork"}, vary=None, contact_sheet=None) == several
    assert expand(config(design="list", vary=None, runs={"seed": 1})).rows[0].settings.seed == 1


TWO_STYLES = {
    "images": {"photograph": {"sample": "astronaut"}, "a": {"painting": "glass"}, "b": {"painting": "candy"}},
    "pairs": [{"content": "photograph", "styles": ["a", "b"]}],
    "defaults": {},
}


@pytest.mark.parametrize(
    ("parameter", "values", "labels"),
    [
        ("style_blend_weights", [[0.2, 0.8], [0.5, 0.5], [8, 2]], ["0.2 0.8", "0.5 0.5", "8 2"]),
        ("style_scales", [[1, 2], [2, 1]], ["1 2", "2 1"]),
        ("style_scales", [1, [2, "1e0"], 3], ["1", "2 1", "3"]),
    ],
)
@pytest.mark.parametrize("design", ["star", "grid"])
def test_a_value_for_each_style_may_be_varied(tmp_path, parameter, values, labels, design):
    study = expand(config(**TWO_STYLES, design=design, vary={parameter: values}))
    listed = expand(config(**TWO_STYLES, design="list", vary={}, runs=[{parameter: value} for value in values]))
    assert [row.run_id for row in study.rows][: len(values)] == [row.run_id for row in listed.rows]
    assert len(listed.runs) == len(values)
    study.write(tmp_path / "plan.json")
    assert plan.read(tmp_path / "plan.json") == study
    expected = labels if design == "star" else [f"{parameter} {label}" for label in labels]
    assert [row.label for row in study.rows][: len(values)] == expected
    assert [row.label for row in listed.rows] == [f"{parameter} {label}" for label in labels]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.2, 0.5, 0.8], "0.2, 0.5, 0.8 stand for the same"),
        ([[1, 1], [1, 3], [2, 2]], "1 1, 2 2 stand for the same"),
        ([[1, 2, 3]], "3 values for 2 styles"),
        ([[0, 0]], "at least one style needs a weight above 0"),
    ],
)
@pytest.mark.parametrize("design", ["star", "grid"])
def test_values_that_collapse_are_refused(values, message, design):
    with pytest.raises(InputError, match=re.escape(message)):
        expand(config(**TWO_STYLES, design=design, vary={"style_blend_weights": values}))
    with pytest.raises(InputError, match=re.escape(message)):
        expand(config(**TWO_STYLES, design="list", vary={}, runs=[{"style_blend_weights": value} for value in values]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runs": [{"seed": 1}]}, "runs is given, but design is star"),
        ({"contact_sheet": {"grid": ["tv_weight", "seed"]}}, "contact_sheet.grid names seed, which the study does not"),
        ({"runs": "runs.csv", "design": "grid"}, "runs is given, but design is grid"),
        ({"runs": [{"seed": 1}], "design": "list"}, "vary is given, but design is list"),
        ({"vary": {}, "design": "grid"}, "design is grid, but vary is empty"),
        ({"vary": {"beta1": [0.8, 0.9]}, "defaults": {"optimizer": "lbfgs"}}, "vary.beta1 .*: optimizer is lbfgs"),
        ({"vary": {"eps": [1], "tv_weight": [1]}, "design": "grid", "defaults": {"optimizer": "lbfgs"}}, "vary.eps"),
        ({"defaults": {"optimizer": "lbfgs", "beta2": 0.8}}, "defaults.beta2 .*: optimizer is lbfgs"),
        ({"vary": {"seed": [1, 2]}, "defaults": {"initial_noiseblend": 0}}, "vary.seed .*: initial_noiseblend is 0"),
        (
            {"vary": {"style_scales": [1, 2]}, "defaults": {"style_weight": 0}},
            "vary.style_scales .*: style_weight is 0",
        ),
        (
            {"vary": {"iterations": [1, 2]}, "defaults": {"content_weight": 0, "style_weight": 0, "tv_weight": 0}},
            "vary.iterations .*: all weights are 0",
        ),
        ({"vary": {"style_blend_weights": [[1]]}}, "vary.style_blend_weights .*: there is one style"),
        (
            {
                "pairs": [{"content": "photograph", "styles": ["artwork"], "initial": "artwork"}],
                "defaults": {"initial_noiseblend": 1},
            },
            "pairs.0.initial .*: initial_noiseblend is 1",
        ),
        (
            {
                "design": "list",
                "vary": {},
                "runs": [{"beta1": 0.8}, {"beta1": 0.7}],
                "defaults": {"optimizer": "lbfgs"},
            },
            "runs: beta1 .*: optimizer is lbfgs",
        ),
    ],
)
def test_what_is_asked_for_and_not_used_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        expand(config(**changes))


def planned(study, pool, device="auto"):
    return summary(study, pool, Estimates(study, "cpu"), device=device)


def test_what_some_runs_do_not_use_is_told(tmp_path):
    vary = {"optimizer": ["adam", "lbfgs"], "beta1": [0.8, 0.9]}
    told = planned(expand(config(design="grid", vary=vary)), tmp_path)
    assert "beta1 makes no difference to 1 of the 4 runs: optimizer is lbfgs" in told
    assert "makes no difference" not in planned(
        expand(config(design="grid", vary=vary | {"optimizer": "adam"})), tmp_path
    )
    study = expand(config(vary={"precision": ["float32", "tensorfloat32"]}))
    assert "precision makes no difference to 1 of the 2 runs: tensorfloat32" in planned(study, tmp_path, device="cpu")
    assert "makes no difference" not in planned(study, tmp_path, device="gpu")
    # Favourites of such a study are a list of runs: they are the runs that are finished already.
    favourites = config(design="list", vary={}, runs=[{"optimizer": "lbfgs", "beta1": 0.8, "tv_weight": 7}])
    assert expand(favourites).rows[0].settings.beta1 == 0.8


@pytest.mark.parametrize("key", ["images", "weights", "runs"])
def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch, key):
    monkeypatch.setenv("HOME", str(tmp_path))
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    (tmp_path / "runs.csv").write_text("seed\n1\n")
    (tmp_path / "w.h5").write_bytes(b"\x89HDF\r\n\x1a\n")

    def study(home):
        changes = {
            "images": {"images": {"photograph": {"path": f"{home}/a.png"}, "artwork": {"painting": "glass"}}},
            "weights": {"weights": f"{home}/w.h5"},
            "runs": {"design": "list", "vary": {}, "runs": f"{home}/runs.csv"},
        }
        return expand(config(**changes[key]))

    assert study("~").text == study(tmp_path).text


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("https://example.org/a.jpg", "it is an address, and files are not fetched"),
        ("file:///a.jpg", "Write the path alone, without file:"),
        (r"C:\Pictures\a.jpg", "a path of Windows"),
        ("$HOME/a.jpg", "Variables are not expanded"),
        ("p*.png", "Patterns are not expanded"),
        ("~nobody-of-this-name/a.png", "~ is not expanded"),
        ("A.PNG", r"Did you mean a\.png\?"),
        ("a.png ", r"Did you mean a\.png\?"),
        ("picture-of-the-harbor.jpg", r"Did you mean picture-of-the-harbour\.jpg\?"),
        ("b.png", "Check the path"),
    ],
)
@pytest.mark.parametrize("key", ["images", "weights", "runs"])
def test_a_path_that_leads_nowhere_is_told_why(tmp_path, monkeypatch, path, message, key):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "picture-of-the-harbour.jpg"):
        (tmp_path / name).touch()
    changes = {
        "images": {"images": {"photograph": {"path": path}, "artwork": {"painting": "glass"}}},
        "weights": {"weights": path},
        "runs": {"design": "list", "vary": {}, "runs": path},
    }
    with pytest.raises(InputError, match=rf"{re.escape(repr(path))}: .*{message}"):
        expand(config(**changes[key]))


def test_a_missing_csv_file_of_runs_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        expand(config(design="list", vary={}, runs=str(tmp_path / "none.csv")))


def test_a_plan_counts_new_cached_and_shared_runs(tmp_path):
    expanded = expand(config(vary={"style_weight": [5, 10], "tv_weight": [100, 7]}))
    done = expanded.rows[0].run_id
    for name in RUN_FILES.values():
        (tmp_path / done).mkdir(exist_ok=True)
        (tmp_path / done / name).touch()
    record(expanded.runs[done]).write(tmp_path / done / "run.json")
    told = planned(expanded, tmp_path)
    lines = [line.split() for line in told.splitlines()]
    assert ["style_weight", "2", "1", "1", "0"] in lines
    assert ["tv_weight", "2", "1", "0", "1"] in lines, "both rows of the default point are one run"
    assert "  2 new runs, 1 cached\n" in told


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"status": "ok"}'])
def test_a_damaged_record_is_named_with_a_remedy(tmp_path, text):
    expanded = expand(config(vary={}))
    (path,) = (tmp_path / run_id / "run.json" for run_id in expanded.runs)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(InputError, match=r"run\.json is not a record of a run .*Remove the folder"):
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


MARKS = st.sampled_from(
    ["seed", "tv_weight", ",", ";", "\t", "\n", "\r\n", '"', "sep=", "1,5", "1e3", "null", " ", "\0", "é"]
)


@given(
    st.lists(MARKS, max_size=20).map("".join) | st.text(max_size=30),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"]),
    st.binary(max_size=4),
)
@example('sep="\nseed\n1', "utf-8", b"")
@example("sep= \nseed tv_weight\n1 2", "utf-8", b"")
def test_whatever_a_csv_file_holds_it_is_read_or_refused(tmp_path_factory, text, encoding, rest):
    path = tmp_path_factory.mktemp("runs") / "runs.csv"
    path.write_bytes(text.encode(encoding, "surrogatepass") + rest)
    with contextlib.suppress(InputError):
        rows = expand(config(design="list", vary={}, runs=str(path))).rows
        assert all(set(row.settings.values()) == set(settings.PARAMETERS) for row in rows)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["1e3", "a", "true", "~", "[", "9" * 200]),
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(["linspace", "a", "columns"]), part, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(list(SCHEMA["properties"])), VALUES, max_size=4))
def test_whatever_a_config_holds_it_is_read_or_refused(changes):
    with contextlib.suppress(InputError):
        expand(config(**changes))
        assert config(**config(**changes)) == config(**changes), "what is read once is read the same again"


def test_values_that_python_takes_for_equal_are_told_apart():
    """Each is checked once for all runs, and True is 1."""
    assert settings.check("iterations", 1) == settings.check("iterations", 1.0) == 1
    assert isinstance(settings.check("iterations", 1.0), int)
    for value in (True, [True]):
        assert settings.check("style_scales", 1, 2) == settings.check("style_scales", [1], 2) == (1.0, 1.0)
        for name in ("iterations", "style_scales", "stages"):
            with pytest.raises(InputError, match="not a number"):
                settings.check(name, value)
