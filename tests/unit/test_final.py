"""Finals: of which run, how large, what they take, and files that other programs read as they are meant."""

import dataclasses
import io
import json
import re
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from helpers import finished_runs
from helpers.studies import tiny_study
from styletransfer import cli
from styletransfer.errors import InputError
from styletransfer.files import checks
from styletransfer.images import export
from styletransfer.images.io import read_alpha, read_image
from styletransfer.results import final
from styletransfer.results.estimates import Estimates
from styletransfer.settings import Artifact
from styletransfer.study.config import load
from styletransfer.study.expand import expand
from styletransfer.study.plan import Source

STUDY, DEFAULT = finished_runs.STUDY, finished_runs.DEFAULT


def random_pixels(channels=3):
    return np.random.default_rng(5).integers(0, 65536, (23, 31, channels), dtype=np.uint16)


@pytest.mark.engine
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_png_is_read_by_libpng_as_it_was_meant(tmp_path, bits, channels):
    import tensorflow as tf

    pixels = random_pixels(channels)
    export.write(tmp_path / "p.png", pixels, bits, 300)
    kind = {8: tf.uint8, 16: tf.uint16}[bits]
    found = tf.io.decode_png((tmp_path / "p.png").read_bytes(), channels=channels, dtype=kind).numpy()
    np.testing.assert_array_equal(found, pixels if bits == 16 else np.round(pixels / 257.0).astype(np.uint8))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_has_the_tags_and_samples_of_its_specification(tmp_path, bits, channels):
    pixels = random_pixels(channels)
    export.write(tmp_path / "p.tif", pixels, bits, 150)
    content = (tmp_path / "p.tif").read_bytes()
    with Image.open(tmp_path / "p.tif") as image:
        tags = image.tag_v2
    assert tags[258] == (bits,) * channels
    assert tags[259] == 8, "deflate"
    assert tags[262] == 2, "RGB"
    assert tags.get(338) == (None if channels == 3 else (2,)), "opacity is not multiplied in"
    assert (tags[282], tags[283], tags[296]) == (150, 150, 2)
    strips = b"".join(
        zlib.decompress(content[begin : begin + size]) for begin, size in zip(tags[273], tags[279], strict=True)
    )
    found = np.frombuffer(strips, f"<u{bits // 8}").reshape(pixels.shape)
    np.testing.assert_array_equal(found, pixels if bits == 16 else np.round(pixels / 257.0).astype(np.uint8))


@pytest.mark.parametrize("kind", export.FORMATS)
def test_resolution_and_profile_are_in_the_file_and_equal_pictures_are_equal_files(tmp_path, monkeypatch, kind):
    rows, columns = np.mgrid[:64, :64].astype(np.uint16)
    pixels = np.dstack([rows * 1000, columns * 1000, (rows + columns) * 500])
    export.write(tmp_path / f"p.{kind}", pixels, 8, 300)
    with Image.open(tmp_path / f"p.{kind}") as image:
        assert image.mode == "RGB"
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        same = np.asarray(ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB")), int)
        assert np.abs(same - np.asarray(image)).max() <= 1
        assert np.abs(same - pixels / 257).max() < (8 if kind == "jpg" else 1.5)
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    other = tmp_path / f"other.{kind}"
    monkeypatch.setattr("time.time", lambda: 1e9)
    export.write(other, pixels, 8, 300)
    assert other.read_bytes() == (tmp_path / f"p.{kind}").read_bytes()


def test_a_profile_does_not_tell_when_it_was_made():
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert bytes(made[:24] + made[36:]) == export.srgb()[:24] + export.srgb()[36:]
    assert export.srgb()[24:36] == b"\x07\xd0\0\1\0\1\0\0\0\0\0\0"


@given(st.sampled_from(list(final.PAPERS)), st.floats(72, 600), st.integers(100, 9000), st.integers(100, 9000))
def test_on_paper_a_picture_fits_and_no_larger_one_does(paper, dpi, width, height):
    found = final.width_on(paper, dpi, (width, height))

    def too_large(wide):
        """By how many pixels, on the side that is too large."""
        limits = sorted(side / 25.4 * dpi for side in final.PAPERS[paper])
        return max(a - b for a, b in zip(sorted((wide, wide * height / width)), limits, strict=True))

    assert too_large(found) < 1e-5
    assert too_large(found + 1) > -1e-5


def test_a4_at_300_dpi():
    assert final.width_on("A4", 300, (600, 400)) == 3507  # 297 mm across
    assert final.width_on("A4", 300, (400, 600)) == 2338  # 297 mm upright
    assert final.width_on("A4", 300, (500, 500)) == 2480  # 210 mm


def test_a_run_is_found_by_any_part_of_its_name_that_no_other_has():
    for run_id in finished_runs.RUNS:
        assert final.find(run_id, [STUDY]) == (STUDY, run_id)
        assert final.find(run_id[-12:], [STUDY]) == (STUDY, run_id)
    with pytest.raises(InputError, match=f"'photo' stands for {len(finished_runs.RUNS)} runs, such as"):
        final.find("photo", [STUDY])
    with pytest.raises(InputError, match=r"'other' is no run of a study here \(half\)"):
        final.find("other", [STUDY])
    assert final.defaults(STUDY) == [DEFAULT]


def test_favourites_are_those_that_the_explorer_saved(tmp_path):
    path = tmp_path / "half-favourites.json"
    marked = [{"run_id": run_id, "favourite": k != 1} for k, run_id in enumerate(finished_runs.RUNS[:3])]
    path.write_text(json.dumps({"study": "half", "runs": marked}))
    assert final.favourites(path) == ("half", [finished_runs.RUNS[0], finished_runs.RUNS[2]])
    path.write_text(json.dumps({"study": "half", "runs": marked[1:2]}))
    with pytest.raises(InputError, match="has no favourite: mark runs with a star"):
        final.favourites(path)
    for text in ("[]", "{", '{"study": "half"}', '{"study": "half", "runs": [7]}'):
        path.write_text(text)
        with pytest.raises(InputError, match="holds no favourites"):
            final.favourites(path)


@pytest.fixture
def pool(tmp_path):
    finished_runs.finish(tmp_path / DEFAULT, DEFAULT)
    return tmp_path


@pytest.mark.parametrize(
    ("width", "widths"), [(41, [41]), (56, [56]), (80, [57, 80]), (113, [56, 80, 113]), (160, [57, 80, 113, 160])]
)
def test_a_final_is_a_run_from_the_picture_of_the_chosen_one_in_stages(pool, width, widths):
    from styletransfer import stages

    made = final.final(STUDY, DEFAULT, pool, width, 7)
    chosen, run = STUDY.runs[DEFAULT], made.settings
    assert stages.widths(run.stages, width) == widths
    assert (run.iterations, run.optimizer, run.initial_noiseblend) == (7 * len(widths), "lbfgs", 0)
    assert (run.styles, run.style_weight, run.pooling) == (chosen.styles, chosen.style_weight, chosen.pooling)
    assert (run.content, run.content_weight) == (run.initial, 200 * chosen.content_weight)
    assert run.canonical()["content"]["name"] == DEFAULT, "its record does not say from which run"
    assert made.content.artifact == chosen.content
    (start,) = made.study.pictures_of(run.run_id)["content"]
    assert start.file == str(pool / DEFAULT / "image.png")
    assert not start.is_changed()


def test_a_final_of_what_is_not_there_or_not_smaller_is_refused(pool):
    with pytest.raises(InputError, match=r"a final is larger than its run, and .* is 40 pixels wide: not 40"):
        final.final(STUDY, DEFAULT, pool, 40)
    other = next(run_id for run_id in finished_runs.RUNS if run_id != DEFAULT)
    with pytest.raises(InputError, match=r"has no result to start from: .*there is no such file"):
        final.final(STUDY, other, pool, 80)
    (pool / DEFAULT / "image.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"has no result to start from: .*is damaged"):
        final.final(STUDY, DEFAULT, pool, 80)


def test_what_a_final_takes_grows_with_it(pool):
    small, large = (final.final(STUDY, DEFAULT, pool, width) for width in (400, 4000))
    assert large.size == (4000, 2000)
    of_small, of_large = (Estimates(made.study, "cpu") for made in (small, large))
    assert of_large.memory_mb([large.settings.run_id]) > 3 * of_small.memory_mb([small.settings.run_id])
    assert of_large.seconds(large.settings) > 10 * of_small.seconds(small.settings)


def test_transparency_and_colours_are_those_of_the_content(pool, tmp_path):
    rng = np.random.default_rng(1)
    own = np.dstack([rng.integers(0, 256, (50, 80, 3)), np.repeat([[0] * 40 + [255] * 40], 50, 0)]).astype(np.uint8)
    Image.fromarray(own).save(tmp_path / "own.png")
    Image.fromarray(own[..., :3]).save(tmp_path / "prepared.png")
    made = final.final(STUDY, DEFAULT, pool, 160)
    artifact = Artifact("photo", f"sha256:{checks.checksum(tmp_path / 'own.png')}")
    found = Source(artifact, "path", str(tmp_path / "own.png"), str(tmp_path / "prepared.png"))
    made = made._replace(study=dataclasses.replace(made.study, pictures={"photo": found}))
    exact = rng.integers(0, 65536, (100, 160, 3), dtype=np.uint16)
    np.save(tmp_path / "image.npy", exact)
    pixels = final.picture(made, tmp_path / "image.npy", False, True)
    np.testing.assert_array_equal(pixels[..., :3], exact)
    assert not pixels[:, :78, 3].any()
    assert (pixels[:, 82:, 3] == 65535).all()
    Image.fromarray(own[::-1]).save(tmp_path / "own.png")
    with pytest.raises(InputError, match="which has been changed since the study was planned: what was transparent"):
        final.picture(made, tmp_path / "image.npy", False, True)
    grey = final.picture(made, tmp_path / "image.npy", True, False) / 257
    luma = np.array([0.299, 0.587, 0.114])
    inside = ((grey > 0) & (grey < 255)).all(2)
    assert inside.any()
    assert np.abs((grey - exact / 257) @ luma)[inside].max() < 0.01, "another luma"
    colors = np.asarray(Image.fromarray(own[..., :3]).resize((160, 100), Image.Resampling.LANCZOS), float)
    np.testing.assert_allclose((grey - colors).std(2)[inside], 0, atol=0.01)


def test_opacity_is_turned_as_the_picture_is_and_none_is_none(tmp_path):
    pixels = np.random.default_rng(2).integers(0, 256, (20, 30, 4), np.uint8)
    exif = Image.Exif()
    exif[274] = 6  # turned clockwise to be seen upright
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_alpha(tmp_path / "a.png"), np.rot90(pixels[..., 3], -1))
    assert read_image(tmp_path / "a.png").shape == (30, 20, 3)
    Image.fromarray(pixels[..., :3]).save(tmp_path / "b.png")
    assert read_alpha(tmp_path / "b.png") is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--width", "0"], "--width is 0: it must be at least 1"),
        (["--width", "99", "--evaluations", "0"], "--evaluations is 0: it must be at least 1"),
        (["--width", "99", "--dpi", "0"], "--dpi is 0: it must be above 0"),
        (["--width", "99", "--format", "jpg", "--bits", "16"], "a JPEG has 8 bits a channel: for 16 choose png or tif"),
        (["--width", "99", "--format", "jpg", "--keep-transparency"], "a JPEG has no transparency"),
        (["--width", "99"], "the studies here are none: choose one by --study"),
        (["--width", "99", "--favourites", "no.json"], "no.json"),
        (["--width", "99", "x"], "'x' is no run of a study here (none)"),
        (["--width", "99", "--study", "no"], "no: there is no plan in it"),
    ],
)
def test_what_cannot_be_made_is_told_before_anything_is_computed(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["final", *words]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_dry_run_says_what_it_takes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    study = expand(load(tiny_study()))
    study.write("results/studies/tiny/plan-0.json")
    (run_id,) = final.defaults(study)
    monkeypatch.setattr(finished_runs, "STUDY", study)
    monkeypatch.setattr(finished_runs, "RUNS", list(study.runs))
    finished_runs.finish(tmp_path / "results/runs" / run_id, run_id)
    words = ["final", "--paper", "A4", "--dpi", "10", "--dry-run"]
    assert cli.run(words) == 2
    assert "photograph-" in (missing := capsys.readouterr().err)
    assert "is missing: make it by" in missing
    for file in (*study.picture_files([run_id]), study.weights.file):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert cli.run(words) == 0
    said = capsys.readouterr().out
    about = f"116 x 58 pixels, from {run_id}, 40 to 58 to 82 to 116 pixels wide, 30 evaluations."
    assert said.startswith(f"results/finals/tiny-116px.png: {about}")
    assert re.search(r"It takes about .*, going by .*, and [\d.]+ of [\d.]+ GB of memory$", said.strip())
    assert not (tmp_path / "results/finals").exists()
