"""The setting `colors`, against SciPy and Pillow; and that what differs in colours alone is computed once."""

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image
from scipy.linalg import sqrtm

from helpers.engine import pictures, settings
from styletransfer import Settings, cli, stylize
from styletransfer.cli import transfer as command
from styletransfer.files import checks
from styletransfer.images.color import LEAST_VARIANCE, finished, gray, match_colors, preserve_colors
from styletransfer.images.io import read_image, write_image
from styletransfer.optim import loop, losses
from styletransfer.optim import stylize as engine
from styletransfer.runs import transfer
from styletransfer.runs.layout import RUN_FILES, Outputs, Run
from styletransfer.runs.record import Record
from styletransfer.runs.session import Session
from styletransfer.settings import Artifact
from styletransfer.vgg.network import VGG19

FILE = Artifact("a", "b")
LUMA = np.array([0.299, 0.587, 0.114])
CHOICES = ("style", "content", "matched", "luminance")


def moments(picture):
    flat = picture.reshape(-1, 3).astype(float)
    return flat.mean(axis=0), np.cov(flat.T, bias=True)


def colored(seed, size, spread=40.0):
    """A picture whose channels depend on each other."""
    rng = np.random.default_rng(seed)
    return (rng.normal(0, spread, (*size, 3)) @ rng.uniform(-0.3, 1, (3, 3)) + rng.uniform(60, 190, 3)).astype(
        np.float32
    )


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_matched_colors_have_the_contents_moments_by_the_symmetric_map(one, other):
    style, content = colored(one, (23, 17)), colored(other, (11, 29))
    assume(np.linalg.eigvalsh(moments(style)[1]).min() > LEAST_VARIANCE)
    found = match_colors(style, content)
    for mine, its in zip(moments(found), moments(content), strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-3, atol=0.05)
    (mean, S), (target, C) = moments(style), moments(content)
    matrix = sqrtm(C).real @ np.linalg.inv(sqrtm(S).real)
    np.testing.assert_allclose(found, (style - mean) @ matrix.T + target, rtol=1e-3, atol=0.05)


def test_matched_to_itself_a_picture_stays():
    style = colored(3, (20, 30))
    np.testing.assert_allclose(match_colors(style, style), style, atol=1e-3)


@given(st.integers(0, 10_000), st.floats(1, 60), st.floats(1, 60))
def test_of_gray_pictures_mean_and_deviation_are_matched(seed, wide, narrow):
    rng = np.random.default_rng(seed)
    style, content = (gray(rng.normal(120, spread, (12, 13, 3))) for spread in (wide, narrow))
    found = match_colors(style, content)
    assert np.ptp(found, axis=2).max() < 1e-3, "it is not gray any more"
    expected = (style - style.mean()) * (content.std() / style.std()) + content.mean()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=0.05)


def test_colors_that_are_not_there_are_not_matched():
    content = colored(5, (30, 30))
    mean, covariance = moments(content)
    uniform = match_colors(np.full((9, 9, 3), 77, np.float32), content)
    np.testing.assert_allclose(uniform, np.broadcast_to(mean, uniform.shape), rtol=1e-5)
    rng = np.random.default_rng(6)
    drawing = gray(rng.uniform(0, 255, (20, 20, 3)))
    found = match_colors(drawing, content)
    assert np.linalg.matrix_rank(moments(found)[1], tol=1e-3) == 1, "a gray style varies in one direction"
    np.testing.assert_allclose(moments(found)[0], mean, rtol=1e-4)
    # Rounding to 8 bits alone does not grow to a coloured grain: it stays below the content's own spread.
    grainy = np.full((40, 40, 3), 128.0) + rng.uniform(-0.5, 0.5, (40, 40, 3))
    assert moments(match_colors(grainy, content))[1].trace() < 0.1 * covariance.trace()
    onto_gray = match_colors(content, drawing)
    assert np.ptp(onto_gray, axis=2).max() < 0.05, "a gray content lends no colours"
    assert onto_gray.std() == pytest.approx(drawing.std(), rel=1e-3)


def test_gray_is_pillows_luma():
    picture = np.random.default_rng(1).integers(0, 256, (20, 20, 3), np.uint8)
    assert np.abs(gray(picture)[..., 1] - np.asarray(Image.fromarray(picture).convert("L"), float)).max() <= 1


@pytest.mark.parametrize("colors", CHOICES)
def test_the_finished_picture_has_the_colors_that_are_asked_for(colors):
    rng = np.random.default_rng(2)
    image, content = rng.uniform(-20, 275, (9, 8, 3)), rng.integers(0, 256, (9, 8, 3)).astype(np.float32)
    own = np.clip(image, 0, 255).round().astype(np.uint8)
    lent = np.clip(preserve_colors(own, content), 0, 255).round().astype(np.uint8)
    np.testing.assert_array_equal(finished(image, content, colors), lent if colors in ("content", "luminance") else own)


@pytest.mark.engine
def test_what_the_network_sees():
    content, styles = pictures((16, 18), 2)
    given_ = engine.Pictures(content, styles, content)
    seen = {colors: engine.recolored(settings(styles=2, colors=colors), given_) for colors in CHOICES}
    for colors in ("style", "content"):
        assert seen[colors].content is content
        assert all(one is other for one, other in zip(seen[colors].styles, styles, strict=True))
    assert seen["matched"].content is content
    for style in seen["matched"].styles:
        for mine, its in zip(moments(style), moments(content), strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-3, atol=0.05)
    luma = content @ LUMA
    np.testing.assert_allclose(seen["luminance"].content, np.stack([luma] * 3, axis=-1), rtol=1e-5)
    for style in seen["luminance"].styles:
        np.testing.assert_allclose((style.mean(), style.std()), (luma.mean(), luma.std()), rtol=1e-4)


@pytest.mark.engine
def test_the_gradient_of_luma_is_that_of_finite_differences(small_weights):
    content, styles = pictures((16, 18), 1)
    run = settings(colors="luminance", content_weight_blend=0.4)
    seen = engine.recolored(run, engine.Pictures(content, styles, None))
    network = VGG19(small_weights, "avg")
    problem = loop.Problem.of(run, losses.measure_targets(network, run, seen.content, seen.styles))
    image = network.preprocess(gray(pictures((16, 18), 2)[1][1][:16, :18])).numpy()
    loss = losses.of_luma(losses.AutodiffGradient(network))

    def total(shift):
        values, _ = loss(network.preprocess(network.postprocess(image) + shift), *problem[:3])
        return float(np.sum(problem.weights.numpy().astype(float) * values.numpy()))

    gradient = loss(network.preprocess(network.postprocess(image)), *problem[:3])[1].numpy()
    assert np.ptp(gradient, axis=2).max() == 0, "channels would part"
    direction = np.random.default_rng(4).normal(0, 1, (16, 18, 1)).astype(np.float32)
    step = 0.02
    expected = (total(step * direction) - total(-step * direction)) / (2 * step)
    assert float(np.sum(gradient * direction)) == pytest.approx(expected, rel=0.02)


@pytest.mark.engine
@pytest.mark.parametrize("values", [{}, {"optimizer": "lbfgs", "initial_noiseblend": 0.5}], ids=str)
def test_only_luma_is_optimised_and_the_chroma_is_the_contents(inputs, small_weights, monkeypatch, values):
    ended = []
    result = engine.Engine.result
    monkeypatch.setattr(engine.Engine, "result", lambda *given: ended.append(result(*given)) or ended[-1])
    content = read_image(inputs.content)
    run = Settings(colors="luminance", iterations=6, learning_rate=3, **values)
    image, history = stylize(content, [inputs.styles[0]], run, small_weights)
    assert history.best_iteration > 0
    assert np.ptp(ended[0], axis=2).max() < 0.01, "it is not gray any more"
    np.testing.assert_array_equal(image, finished(ended[0], content.astype(np.float32), "content"))


def compute(session, inputs, pool, run):
    record = transfer.transfer_once(Run(run, inputs, Outputs.in_folder(pool / run.run_id)), session)
    return record, [(pool / run.run_id / name).read_bytes() for name in ("image.png", "losses.csv")]


@pytest.mark.engine
@pytest.mark.parametrize("values", [{}, {"learning_rate": 1e30}], ids=["ok", "diverged"])
def test_a_run_in_the_contents_colors_is_made_from_its_twin(inputs, tmp_path, monkeypatch, caplog, values):
    """Nothing is computed, and the bytes are those of computing; unless the twin is damaged."""
    twin = Settings(content=FILE, styles=(FILE,), weights=FILE, iterations=4, width=21, **values)
    run = dataclasses.replace(twin, colors="content")
    assert run.run_id != twin.run_id
    with Session("cpu", print_iterations=1) as session:
        _, computed = compute(session, inputs, tmp_path / "alone", run)
        record, (image, _) = compute(session, inputs, tmp_path / "pool", twin)
    assert computed[0] != image
    folder = tmp_path / "pool" / run.run_id
    folder.mkdir()
    (folder / "run.state.npz").write_text("of a run that was killed")
    with monkeypatch.context() as patch:
        patch.setattr(Session, "device", None)
        patch.setattr("styletransfer.optim.loop.Stepper._step", None)
        with caplog.at_level("INFO"):
            made, found = compute(Session("cpu"), inputs, tmp_path / "pool", run)
    assert found == computed
    assert f"made from the picture of {twin.run_id}" in caplog.text
    assert {path.name for path in folder.iterdir()} - {".run.json.lock"} == set(RUN_FILES.values())
    assert made == Record.read(folder / "run.json")
    assert (made.run_id, made.identity, made.status) == (run.run_id, run.canonical(), record.status)
    assert (made.best, made.computed_on, made.seconds) == (record.best, record.computed_on, record.seconds)
    assert made.outputs == {name: f"{checks.checksum(folder / name)}" for name in ("image.png", "losses.csv")}
    assert made.start >= record.end
    (folder / "image.png").unlink()
    (tmp_path / "pool" / twin.run_id / "image.png").write_bytes(image[:-1])
    with Session("cpu", print_iterations=1) as session:
        again, found = compute(session, inputs, tmp_path / "pool", run)
    assert found == computed
    assert again.seconds != record.seconds


@pytest.mark.engine
def test_a_twin_of_other_files_is_none(inputs, tmp_path):
    twin = Settings(content=FILE, styles=(FILE,), weights=FILE, iterations=2)
    with Session("cpu") as session:
        compute(session, inputs, tmp_path, twin)
        write_image(inputs.styles[0], read_image(inputs.styles[0])[::-1].copy())
        record, _ = compute(session, inputs, tmp_path, dataclasses.replace(twin, colors="content"))
    assert record.inputs["styles"] == [checks.checksum(inputs.styles[0])]


@pytest.mark.engine
def test_without_a_style_there_are_no_colors_to_match(inputs, small_weights):
    content, style = inputs.content, inputs.styles[0]
    one, other = (
        stylize(content, style, Settings(iterations=2, style_weight=0, colors=colors), small_weights)[0]
        for colors in ("style", "matched")
    )
    np.testing.assert_array_equal(one, other)
    assert "colors" in Settings(style_weight=0, colors="matched").unused()
    for colors in CHOICES:
        assert "colors" not in Settings(colors=colors).unused()
    assert "colors" not in Settings(style_weight=0, colors="content").unused()


def test_the_old_option_is_an_alias(inputs, tmp_path, capsys):
    (tmp_path / "w.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    given_ = ["transfer", "--content", inputs.content, "--styles", inputs.styles[0], "--network", tmp_path / "w.h5"]
    words = [*map(str, given_), "--output", "o.png"]
    found = [
        command.settings_of(cli.parser("transfer").parse_args([*words, *more])).colors
        for more in ([], ["--preserve-colors"], ["--colors", "content"], ["--colors", "matched"])
    ]
    assert found == ["style", "content", "content", "matched"]
    with pytest.raises(SystemExit):
        cli.parser("transfer").parse_args([*words, "--preserve-colors", "--colors", "matched"])
    assert "not allowed with argument" in capsys.readouterr().err


def test_a_finished_picture_is_given_the_colors_of_another(tmp_path, capsys):
    result, photo = (np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8) for seed in (1, 2))
    write_image(tmp_path / "result.png", result)
    write_image(tmp_path / "photo.png", np.repeat(np.repeat(photo, 2, axis=0), 2, axis=1))
    names = {name: str(tmp_path / f"{name}.png") for name in ("result", "photo", "view")}
    words = ["--input", names["result"], "--colors-of", names["photo"], "--output", names["view"]]
    assert cli.run(["picture", *words]) == 0, capsys.readouterr().err
    view = read_image(names["view"]).astype(float)
    inside = (view > 0).all(axis=2) & (view < 255).all(axis=2)
    assert inside.any()
    np.testing.assert_allclose((view @ LUMA)[inside], (result @ LUMA)[inside], atol=1)
