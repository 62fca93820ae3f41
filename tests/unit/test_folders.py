"""Whole folders of pictures, all contents with all styles, from one line of a config."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.studies import SCHEMA, tiny_study
from styletransfer import cli
from styletransfer.errors import InputError
from styletransfer.images.io import write_image
from styletransfer.study import expand
from styletransfer.study.config import load
from styletransfer.study.folders import expanded, picture_name

NAME = re.compile(SCHEMA["properties"]["images"]["propertyNames"]["pattern"])


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Three photographs and two artworks, with names as people give them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    names = ("photos/Zoë & me.JPG", "photos/harbour.png", "photos/a.jpeg", "art/great wave.png", "art/Night.webp")
    for seed, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_image(tmp_path / name, np.random.default_rng(seed).integers(0, 256, (40, 50, 3), np.uint8))
    (tmp_path / "photos/.hidden.txt").touch()
    (tmp_path / "photos/older").mkdir()
    return tmp_path


def study(pairs, **changes):
    config = tiny_study(vary={"style_weight": [5]}, pairs=pairs, **changes)
    return load({name: value for name, value in config.items() if name != "images" or "images" in changes})


ALL = [(content, style) for content in ("a", "harbour", "Zoe_me") for style in ("great_wave", "Night")]


@pytest.mark.parametrize(
    "pairs",
    [
        {"contents": "photos", "styles": "art"},
        {"contents": "photos/", "styles": ["art/great wave.png", "art/Night.webp"]},
        [{"contents": ["photos/*"], "styles": ["art/*.*"]}],
        {"contents": "~/photos/*", "styles": "~/art"},
        {"contents": ["photos/a.jpeg", "photos/*", "photos"], "styles": "art"},
        [{"contents": "photos/*", "styles": "art/g*"}, {"contents": "photos", "styles": "art/[!g]*"}],
    ],
    ids=str,
)
def test_all_contents_go_with_all_styles(folders, pairs):
    found = study(pairs)
    made = [(pair["content"], *pair["styles"]) for pair in found["pairs"]]
    assert sorted(made) == sorted(ALL)
    if len(pairs) != 2 or isinstance(pairs, dict):
        assert made == ALL, "by name, whatever the order on the disk"
    assert [path.rpartition("/")[2] for path in (found["images"]["Zoe_me"]["path"],)] == ["Zoë & me.JPG"]
    rows = expand.expand(found).rows
    assert [row.pair for row in rows[::2]] == [f"{content} x {style}" for content, *style_ in made for style in style_]


def test_names_of_images_and_files_go_together(folders):
    images = {"cat": {"sample": "chelsea"}, "glass": {"painting": "glass"}, "Night": {"path": "art/Night.webp"}}
    pairs = [{"contents": ["cat", "photos/a.jpeg"], "styles": ["glass", "art/Night.webp"]}]
    pairs.append({"content": "cat", "styles": ["glass", "Night"]})
    found = study(pairs, images=images)
    assert [(pair["content"], pair["styles"]) for pair in found["pairs"]] == [
        *(("cat", ["glass"]), ("cat", ["Night"]), ("a", ["glass"]), ("a", ["Night"])),
        ("cat", ["glass", "Night"]),
    ]
    assert found["images"] == {**images, "a": {"path": "photos/a.jpeg"}}


def test_a_run_is_that_of_the_pair_written_out(folders):
    """And another picture in the folder adds runs, and changes none."""
    by_folder = expand.expand(study({"contents": "photos", "styles": "art/Night.webp"})).runs
    images = {"harbour": {"path": "photos/harbour.png"}, "Night": {"path": "art/Night.webp"}}
    written = expand.expand(study([{"content": "harbour", "styles": ["Night"]}], images=images)).runs
    assert written.keys() < by_folder.keys()
    write_image(folders / "photos/b.png", np.zeros((40, 50, 3), np.uint8))
    assert by_folder.keys() < expand.expand(study({"contents": "photos", "styles": "art/Night.webp"})).runs.keys()


@given(st.text(alphabet=st.characters(exclude_characters="/\x00"), min_size=1, max_size=60))
def test_every_file_has_a_name_that_a_picture_may_have(name):
    assert NAME.fullmatch(picture_name(f"folder/{name}.png"))


def test_names_are_kept_where_they_can_be():
    names = ["IMG_0042.jpg", "a.b-c.png", "Zoë.png", "  spaced  out .png", "猫.png", f"{'x' * 50}.png", "._.png"]
    assert [picture_name(name) for name in names] == [
        *("IMG_0042", "a.b-c", "Zoe", "spaced_out", "picture", "x" * 40, "picture"),
    ]


def test_the_plan_lists_the_pictures(folders, capsys):
    text = (
        "study: s\nweights: vgg16\npairs: {contents: photos, styles: art}\ndefaults: {width: 32}\nvary: {seed: [1]}\n"
    )
    (folders / "s.yaml").write_text(text)
    assert cli.run(["plan", "--configfile", "s.yaml"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "6 pairs of pictures 3 contents: a (photos/a.jpeg), harbour (photos/harbour.png), Zoe_me" in told
    assert "2 styles: great_wave (art/great wave.png), Night (art/Night.webp)" in told
    (folders / "photos/a.jpeg").write_bytes(b"no picture")
    assert cli.run(["plan", "--configfile", "s.yaml"]) == 2
    assert "images.a: picture 'photos/a.jpeg' is not recognised" in capsys.readouterr().err


@pytest.mark.parametrize("entry", ["x" * 300, "*" + "x" * 300, "photos\0*", "photos\0", "photos\0/*"])
def test_what_no_file_can_be_called_is_told(folders, entry):
    with pytest.raises(InputError, match=r"pairs.0.contents.0 is '"):
        expanded({"pairs": [{"contents": [entry], "styles": ["art"]}]})


def test_two_files_of_one_name_are_told_with_both(folders):
    write_image(folders / "art/harbour.jpg", np.zeros((40, 50, 3), np.uint8))
    with pytest.raises(InputError, match=r"styles: 'art/harbour.jpg' would be called harbour, as is 'photos/harb"):
        study({"contents": "photos", "styles": "art"})
