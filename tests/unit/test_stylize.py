"""One picture in memory is that of a run with the same settings, and a user in Python is told what is wrong."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import styletransfer
from styletransfer import Settings, cli, stylize
from styletransfer.cli import transfer as command
from styletransfer.errors import InputError
from styletransfer.images.io import read_image, write_image
from styletransfer.runs.layout import Outputs, Run
from styletransfer.runs.session import Session
from styletransfer.runs.transfer import transfer
from styletransfer.settings import IN_MEMORY, Artifact

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
FILE = Artifact("a", "b")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"width": 21, "style_scales": 0.7, "learning_rate": 3},
        {"optimizer": "lbfgs", "initial_noiseblend": 0.0},
        {"stages": 2},
        {"learning_rate": 1e30},
        {"colors": "content"},
        {"colors": "matched"},
        {"colors": "luminance", "width": 24},
    ],
    ids=str,
)
def test_a_picture_in_memory_is_that_of_a_run(inputs, small_weights, tmp_path, values):
    values = {"iterations": 4, **values}
    run = Run(
        Settings(content=FILE, styles=(FILE,), weights=FILE, **values), inputs, Outputs.in_folder(tmp_path / "run")
    )
    with Session("cpu", print_iterations=1) as session:
        record = transfer(run, session)
    content, style = read_image(inputs.content), Image.open(inputs.styles[0])
    image, history = stylize(content, style, Settings(**values), small_weights)
    np.testing.assert_array_equal(image, read_image(run.outputs.image))
    assert history.diverged == (record.status == "diverged")
    assert (history.best_iteration, history.losses(history.last_finite)) == (record.best_iteration, record.final)


def test_a_callback_sees_every_iterate(inputs, small_weights):
    seen = []
    image, history = stylize(
        inputs.content,
        [inputs.styles[0], inputs.styles[0]],
        Settings(iterations=3, style_blend_weights=(3, 1)),
        small_weights,
        lambda iterate: seen.append((iterate.iteration, iterate.losses["total"], iterate.image)),
    )
    assert [iteration for iteration, _, _ in seen] == [0, 1, 2, 3]
    assert [total for _, total, _ in seen] == [history.losses(k)["total"] for k in range(4)]
    np.testing.assert_array_equal(seen[history.best_iteration][2], image)
    assert (seen[0][2] != seen[1][2]).any()


@pytest.mark.parametrize(
    ("values", "parameter", "one", "other"),
    [
        ({"optimizer": "lbfgs"}, "beta1", 0.8, 0.9),
        ({"optimizer": "lbfgs"}, "beta2", 0.8, 0.9),
        ({"optimizer": "lbfgs"}, "eps", 1e-8, 1.0),
        ({}, "style_blend_weights", 0.2, 0.7),
        ({"style_weight": 0}, "style_scales", 0.5, 1.0),
        ({"style_weight": 0}, "style_layer_weight_exp", 0.5, 2.0),
        ({"style_weight": 0}, "style_layers", "relu1_1 relu2_1", "relu3_2 relu4_3=0.5"),
        ({"style_layers": "relu3_3"}, "style_layer_weight_exp", 0.5, 2.0),
        ({"content_weight": 0}, "content_layers", "relu1_1", "relu5_4"),
        ({"content_weight_blend": 0}, "content_layers", "relu1_1", "relu5_4"),
        ({"content_layers": "relu5_2"}, "content_weight_blend", 0.2, 0.7),
        ({"content_weight": 0}, "content_weight_blend", 0.2, 0.7),
        ({"content_weight": 0, "style_weight": 0}, "pooling", "max", "avg"),
        ({"content_weight": 0, "style_weight": 0}, "kernel_layout", "correct", "reference"),
        ({"initial_noiseblend": 0}, "seed", 0, 1),
        ({"content_weight": 0, "style_weight": 0, "tv_weight": 0}, "learning_rate", 1, 10),
        ({"content_weight": 0, "style_weight": 0, "tv_weight": 0}, "optimizer", "adam", "lbfgs"),
    ],
    ids=str,
)
def test_what_is_called_unused_changes_no_pixel(inputs, small_weights, values, parameter, one, other):
    """And changes some where the setting that is named as the reason is another one."""

    def picture(value, **values):
        settings = Settings(iterations=2, **{parameter: value}, **values)
        return stylize(inputs.content, [inputs.styles[0]], settings, small_weights)[0]

    assert parameter in Settings(**values).unused()
    np.testing.assert_array_equal(picture(one, **values), picture(other, **values))
    if values:
        assert parameter not in Settings().unused()
        rest = {"tv_weight": 0.1, "style_weight": 5}
        assert (picture(one, **rest) != picture(other, **rest)).any()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--optimizer", "lbfgs", "--beta1", "0.8"], ["--beta1 makes no difference: optimizer is lbfgs"]),
        (["--optimizer", "lbfgs", "--beta1", "0.9", "--learning-rate", "1"], []),
        (["--seed", "7", "--initial"], ["--seed makes no difference: initial_noiseblend is 0"]),
        (["--style-weight", "0", "--style-scales", "2"], ["--style-scales makes no difference: style_weight is 0"]),
        (["--beta1", "0.8", "--seed", "7"], []),
    ],
    ids=str,
)
def test_an_option_that_makes_no_difference_is_told(inputs, tmp_path, caplog, words, told):
    (tmp_path / "w.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    given = [
        "--content",
        inputs.content,
        "--styles",
        inputs.styles[0],
        "--network",
        tmp_path / "w.h5",
        "--output",
        "o.png",
    ]
    options = cli.parser("transfer").parse_args(["transfer", *map(str, given), *words])
    command.tell_unused(options, command.settings_of(options))
    assert len(caplog.messages) == len(told)
    assert all(message.startswith(start) for message, start in zip(caplog.messages, told, strict=True))


def test_where_to_start(inputs, small_weights):
    settings = Settings(iterations=1, learning_rate=1e-9, initial_noiseblend=0.0)
    content, other = (read_image(path) for path in (inputs.content, inputs.styles[0]))
    np.testing.assert_array_equal(stylize(content, other, settings, small_weights)[0], content)
    np.testing.assert_array_equal(stylize(content, other, settings, small_weights, initial=other)[0], other)


PIXELS = np.zeros((20, 30, 3), np.uint8)


@pytest.mark.parametrize(
    ("content", "styles", "options", "message"),
    [
        (PIXELS / 2, [PIXELS], {}, r"content is an array of float64 of shape \(20, 30, 3\): it must be"),
        (PIXELS, [PIXELS, PIXELS[0]], {}, "style 2 is an array"),
        (PIXELS, [], {}, "0 style pictures are given"),
        (PIXELS, [PIXELS] * 3, {"style_scales": (1, 2)}, "3 style pictures are given, and the settings are for 2"),
        (PIXELS, [PIXELS], {"width": 3}, r"the result \(content, width 3\) would have 3 x 2 pixels"),
        ("none.jpg", [PIXELS], {}, "none.jpg"),
    ],
)
def test_what_cannot_be_used_is_named(small_weights, content, styles, options, message):
    with pytest.raises(InputError, match=message):
        stylize(content, styles, Settings(**options), small_weights)


def test_a_start_needs_settings_that_use_it(small_weights):
    with pytest.raises(InputError, match="initial_noiseblend=0"):
        stylize(PIXELS, [PIXELS], Settings(), small_weights, initial=PIXELS)


def test_settings_of_pictures_in_memory_name_no_run():
    settings = Settings(width=256, iterations=30)
    assert settings.styles == (IN_MEMORY,)
    with pytest.raises(InputError, match="name content, styles and weights"):
        _ = settings.run_id
    with pytest.raises(InputError, match="name content, styles and weights"):
        _ = Settings(content=FILE, styles=(FILE,)).run_id


def test_importing_the_package_loads_nothing():
    """A workflow is parsed, and a study planned, without them."""
    code = "import sys, styletransfer; sys.exit(any(name in sys.modules for name in ('numpy', 'tensorflow', 'PIL')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'stylise'"):
        styletransfer.stylise  # noqa: B018


def test_the_example_of_readme_and_docstring_runs(tmp_path):
    (readme,) = re.findall(r"## From Python\n.*?```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    example = textwrap.dedent(stylize.__doc__.partition("Example:\n")[2])
    assert readme.strip() == example.strip()
    rng = np.random.default_rng(0)
    for name in ("photo.png", "art.png"):
        write_image(tmp_path / name, rng.integers(0, 256, (48, 64, 3), np.uint8))
    done = subprocess.run([sys.executable, "-c", readme], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    with Image.open(tmp_path / "result.png") as picture:
        assert picture.size == (256, 192)
