"""A file that is not what was written is named before anything is made from it."""

import hashlib
import json
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.finished_runs import RUNS, STUDY, finish
from helpers.weights import write_matconvnet
from styletransfer.errors import InputError
from styletransfer.files import checks
from styletransfer.images.io import CHECKSUM_KEY, check_source, read_image, write_image
from styletransfer.results import tables
from styletransfer.runs.inputs import check_pictures, check_weights
from styletransfer.runs.layout import Inputs
from styletransfer.settings import Artifact, Settings
from styletransfer.vgg import formats

TABLE = pd.DataFrame(
    {
        "status": ["ok", "ok", "diverged"],
        "run_id": ["a", "b", "b"],
        "value": [0.1, float("nan"), -3.0],
        "none": [None, None, None],
        "text": ["ü", None, ""],
        "count": [1, 2, 3],
        "flag": [True, False, True],
    }
)


def flipped(path, bit):
    """Change one bit of a file, and nothing of its times."""
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    os.utime(path, (times.st_atime, times.st_mtime))


# --- Tables ---


def test_a_table_comes_back_as_it_was(tmp_path):
    tables.write(tmp_path / "a.parquet", TABLE)
    pd.testing.assert_frame_equal(tables.read_runs(tmp_path / "a.parquet"), TABLE)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), TABLE)
    first = (tmp_path / "a.parquet").read_bytes()
    tables.write(tmp_path / "a.parquet", TABLE)
    assert (tmp_path / "a.parquet").read_bytes() == first


@given(st.data())
def test_whatever_bit_of_a_table_changes_it_is_refused_or_tells_the_same(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("table") / "a.parquet"
    tables.write(path, TABLE)
    flipped(path, data.draw(st.integers(0, 8 * path.stat().st_size - 1)))
    try:
        found = tables.read_runs(path)
    except InputError as error:
        assert f"{path} is damaged" in str(error)
        assert "Remove it" in str(error)
    else:
        pd.testing.assert_frame_equal(found, TABLE)


def test_a_part_of_a_table_or_another_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    tables.write(path, TABLE)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"a\.parquet is damaged"):
        tables.read_runs(path)
    # One that says the checksum of another.
    other = TABLE.assign(value=1.0)
    other.attrs = {tables.CHECKSUM_KEY: "00"}
    other.to_parquet(path)
    with pytest.raises(InputError, match="its checksum differs"):
        tables.read_runs(path)
    tables.write(path, TABLE)
    with pytest.raises(InputError, match="it has no column weighted"):
        tables.read_losses(path)


# --- Runs ---


@pytest.fixture
def pool(tmp_path):
    for run_id in RUNS:
        finish(tmp_path / run_id, run_id)
    return tmp_path


def test_sound_runs_are_collected(pool):
    assert len(tables.runs_table(STUDY, pool)) == len(STUDY.rows)


@pytest.mark.parametrize("name", ["image.png", "losses.csv"])
def test_no_table_is_made_of_a_damaged_result(pool, name):
    flipped(pool / RUNS[1] / name, 100)
    with pytest.raises(InputError, match=rf"{RUNS[1]}.{name} is damaged.*Remove the folder"):
        tables.runs_table(STUDY, pool)
    (pool / RUNS[1] / name).unlink()
    with pytest.raises(InputError, match=rf"{RUNS[1]}.{name}"):
        tables.runs_table(STUDY, pool)


def test_no_table_is_made_of_a_changed_record_or_that_of_another_run(pool):
    path = pool / RUNS[0] / "run.json"
    before = path.read_text()
    path.write_text(before.replace('"host": "here"', '"host": "hero"'))
    with pytest.raises(InputError, match=r"run\.json is not a record of a run .*record_sha256"):
        tables.runs_table(STUDY, pool)
    path.write_text((pool / RUNS[1] / "run.json").read_text())
    with pytest.raises(InputError, match=r"run\.json is the record of another run"):
        tables.runs_table(STUDY, pool)
    changed = json.loads(before)
    del changed["record_sha256"]
    path.write_text(json.dumps(changed))
    with pytest.raises(InputError, match=r"run\.json is not a record of a run .*record_sha256"):
        tables.runs_table(STUDY, pool)


def test_a_record_of_another_version_is_named(pool):
    path = pool / RUNS[0] / "run.json"
    changed = json.loads(path.read_text())
    del changed["backend_used"], changed["record_sha256"]
    text = json.dumps(changed, sort_keys=True)
    path.write_text(json.dumps(changed | {"record_sha256": hashlib.sha256(text.encode()).hexdigest()}))
    with pytest.raises(InputError, match=r"it has no backend_used: another version of the engine wrote it"):
        tables.runs_table(STUDY, pool)


# --- Pictures ---


@pytest.fixture
def prepared(tmp_path):
    pixels = np.random.default_rng(3).integers(0, 256, (30, 20, 3), np.uint8)
    write_image(tmp_path / "a.png", pixels, "glass@1")
    return tmp_path / "a.png"


@given(st.data())
def test_whatever_bit_of_a_prepared_picture_changes_it_is_refused_or_looks_the_same(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("picture") / "a.png"
    pixels = np.random.default_rng(3).integers(0, 256, (9, 8, 3), np.uint8)
    write_image(path, pixels, "glass@1")
    flipped(path, data.draw(st.integers(0, 8 * path.stat().st_size - 1)))
    try:
        found = read_image(path)
    except InputError as error:
        assert str(path) in str(error)
    else:
        assert (found == pixels).all()


def test_a_prepared_picture_with_other_pixels_is_refused(prepared):
    from PIL import Image, PngImagePlugin

    about = PngImagePlugin.PngInfo()
    with Image.open(prepared) as picture:
        about.add_text(CHECKSUM_KEY, picture.info[CHECKSUM_KEY])
        changed = picture.rotate(180)
    changed.save(prepared, pnginfo=about)
    with pytest.raises(InputError, match="its checksum differs"):
        read_image(prepared)


def test_a_run_refuses_a_picture_that_was_made_from_something_else(prepared):
    artifact = Artifact("glass", "glass@1")
    own = Artifact("a", f"sha256:{checks.checksum(prepared)}")
    other = Artifact("candy", "candy@1")
    inputs = Inputs(prepared, [prepared], prepared, prepared)
    for style in (artifact, own):
        settings = Settings(content=artifact, styles=(style,), weights=own, initial=own)
        check_pictures(settings, inputs)
    for wrong in (
        Settings(content=other, styles=(own,), weights=own),
        Settings(content=own, styles=(other,), weights=own),
        Settings(content=own, styles=(own,), weights=own, initial=other),
    ):
        with pytest.raises(InputError, match=r"a\.png' was made from glass@1, not from candy@1"):
            check_pictures(wrong, inputs)


def test_pictures_of_other_programs_say_nothing_and_are_read(tmp_path):
    write_image(tmp_path / "b.png", np.zeros((9, 9, 3), np.uint8))
    check_source(tmp_path / "b.png", "anything")


# --- Weights ---


@pytest.fixture
def converted(tmp_path, layers):
    source = write_matconvnet(tmp_path / "my.mat", layers, np.array([123.0, 117.0, 104.0]))
    formats.convert(source, tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def test_damaged_weights_are_refused(converted):
    sound = formats.load(converted)
    size = converted.stat().st_size
    # In the last layer, in the first, and in what is known of them.
    header = converted.read_bytes().index(b"sha256:")
    for place in (size - 2, size // 2, header + 9):
        content = converted.read_bytes()
        flipped(converted, 8 * place)
        with pytest.raises(InputError, match=r"a\.safetensors"):
            formats.load(converted)
        converted.write_bytes(content)
    assert formats.load(converted).sha256 == sound.sha256


def test_a_run_refuses_weights_that_were_converted_from_others(converted, tmp_path):
    loaded = formats.load(converted)
    assert loaded.original == f"sha256:{checks.checksum(tmp_path / 'my.mat')}"
    assert formats.load(tmp_path / "my.mat").original == ""
    record = {**loaded.source, "file_sha256": loaded.sha256, "original_checksum": loaded.original}
    inputs = Inputs(converted, [converted], converted)
    file = Artifact("a", "b")
    for checksum in (loaded.original, f"sha256:{loaded.sha256}"):
        check_weights(Settings(content=file, styles=(file,), weights=Artifact("my", checksum)), inputs, record)
    with pytest.raises(InputError, match=r"holds my\.mat .* the run is one of keras .md5:00.\. Remove the file"):
        check_weights(Settings(content=file, styles=(file,), weights=Artifact("keras", "md5:00")), inputs, record)
