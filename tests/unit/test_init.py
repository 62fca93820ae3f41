"""`styletransfer init`: a first study that works as it is, whatever the files are called."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml

from styletransfer import cli
from styletransfer.images.io import read_image, write_image
from styletransfer.study import config
from styletransfer.study.expand import expand


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("photo.jpg", "art.png")):
        write_image(tmp_path / name, np.random.default_rng(seed).integers(0, 256, (240, 320, 3), np.uint8))
    return tmp_path


def init(*words):
    return cli.run(["init", *map(str, words)])


def test_it_writes_a_study_and_says_how_to_go_on(folder, capsys):
    assert init("photo.jpg", "art.png") == 0
    told = capsys.readouterr().out
    text = Path("study.yaml").read_text()
    found = config.read("study.yaml")
    study = expand(found)
    assert 9 <= len(study.runs) <= 12
    assert f"study.yaml: {len(study.runs)} runs at 256 px" in told
    assert "ten small pictures" in text
    assert len(study.runs) == 10, "the text says ten"
    assert found["images"] == {"photo": {"path": "photo.jpg"}, "art": {"path": "art.png"}}
    assert found["defaults"]["width"] <= 256
    (default,) = {row.run_id for row in study.rows if row.is_default}
    assert study.runs[default].initial.name == "photo"
    assert study.runs[default].optimizer == "lbfgs"
    assert not study.unused()
    assert max(map(len, text.splitlines())) <= 120
    commands = re.findall(r"^  (styletransfer plan .*?|snakemake .*?)  +#", told, re.MULTILINE)
    assert len(commands) == 2
    assert cli.run(shlex.split(commands[0])[1:]) == 0
    assert "10 new runs, 0 cached" in capsys.readouterr().out
    assert f"# {text.split('# pairs: ')[1].splitlines()[0]}" == "# {contents: photos/*, styles: art/*}"


def test_the_line_for_folders_works(folder):
    for name in ("photos/a.png", "photos/b.png", "art/c.png"):
        write_image(folder / name, read_image("photo.jpg"))
    assert init("photo.jpg", "art.png") == 0
    document = yaml.safe_load(Path("study.yaml").read_text())
    line = next(line for line in Path("study.yaml").read_text().splitlines() if line.startswith("# pairs:"))
    del document["images"]
    assert len(expand(config.load(document | yaml.safe_load(line[2:]))).runs) == 20


@pytest.mark.parametrize(
    "name", ['a "quoted": #1.png', "it's {x} %s ü.png", "- a.png", "猫.png", "~.png", "*.png", "null.png"]
)
def test_any_name_of_a_file_works(folder, name):
    Path("art.png").rename(name)
    Path("photos").mkdir()
    Path("photo.jpg").rename(f"photos/{name}")
    assert init(f"photos/{name}", name, "--output", "first.yml") == 0
    found = config.read("first.yml")
    assert sorted(picture["path"] for picture in found["images"].values()) == sorted([name, f"photos/{name}"])
    assert len(expand(found).runs) == 10


def test_a_small_photograph_is_not_enlarged(folder):
    write_image("small.png", np.zeros((60, 90, 3), np.uint8))
    assert init("small.png", "art.png", "--weights", "keras") == 0
    found = config.read("study.yaml")
    assert (found["defaults"]["width"], found["weights"]) == (90, "keras")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("gone.jpg", "art.png"), "PHOTO is 'gone.jpg': there is no such file"),
        (("photo.jpg", "art.pgn"), "ART is 'art.pgn': there is no such file as"),
        (("photo.jpg", "."), "ART is '.': it is a folder"),
        (("photo.jpg", "broken.png"), "images.broken: picture 'broken.png'"),
        (("broken.png", "art.png"), "picture 'broken.png' "),
        (("photo.jpg", "art.png", "--weights", "vgg17"), "weights is 'vgg17'"),
        (("photo.jpg", "art.png", "--output", "study.txt"), "its name must end in .yaml"),
        (("photo.jpg", "art.png", "--output", "there.yaml"), "'there.yaml' exists already, and is kept"),
        (("photo.jpg", "art.png", "--output", "photo.jpg/a.yaml"), "photo.jpg"),
        (("tiny.png", "art.png"), "would have 3 x 3 pixels"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_written(folder, capsys, words, message):
    (folder / "there.yaml").write_text("mine")
    whole = (folder / "art.png").read_bytes()
    (folder / "broken.png").write_bytes(whole[: len(whole) // 2])
    write_image(folder / "tiny.png", np.zeros((3, 3, 3), np.uint8))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert init(*words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
