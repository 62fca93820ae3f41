"""The pictures of a config, as runs know them: by checksum or recipe, and their sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from styletransfer.errors import InputError
from styletransfer.files import checks
from styletransfer.images import generated
from styletransfer.images.io import image_size
from styletransfer.images.resize import check_size, limited
from styletransfer.images.samples import sample_file
from styletransfer.settings import Artifact, Settings
from styletransfer.study.config import unknown_key
from styletransfer.vgg.weights import SMALLEST_SIDE


def check_sizes(config: Mapping[str, Any], runs: Iterable[Settings]) -> None:
    """Raise `InputError` for a width or scale at which a run would look at too small or too large a picture."""
    sizes: dict[Artifact, tuple[int, int]] = {}
    for run in runs:
        for picture in (run.content, *run.styles):
            if picture not in sizes:
                sizes[picture] = _size(config, picture.name)
        width = run.width or sizes[run.content][0]
        what = f"the result ({run.content.name}, width {width})"
        check_size(what, sizes[run.content], width, SMALLEST_SIDE)
        for style, scale in zip(run.styles, run.style_scales, strict=True):
            what = f"style {style.name} (scale {scale:g} of width {width})"
            check_size(what, sizes[style], round(scale * width))


def _size(config: Mapping[str, Any], name: str) -> tuple[int, int]:
    """Width and height of a picture of the config as runs get it. Raises `InputError` if its header is none."""
    ((kind, source),) = config["images"][name].items()
    if kind == "painting":
        return generated.SIZE
    path = sample_file(source) if kind == "sample" else Path(source)
    try:
        return limited(*image_size(path))
    except InputError as error:
        raise InputError(f"images.{name}: {error}") from error


def picture_names(config: Mapping[str, Any]) -> list[str]:
    """The pictures that a study's pairs use, each once."""
    names = [
        name
        for pair in config["pairs"]
        for name in (pair["content"], *pair["styles"], *filter(None, [pair.get("initial")]))
    ]
    return list(dict.fromkeys(names))


def artifact(config: Mapping[str, Any], name: str) -> Artifact:
    """A picture of the config as part of a run's identity: the checksum of its file, or the recipe of a painting."""
    if name not in config["images"]:
        raise InputError(f"pairs name the picture {unknown_key(name, config['images'])}")
    ((kind, source),) = config["images"][name].items()
    if kind == "painting":
        return Artifact(name, generated.recipe(source))
    path = sample_file(source) if kind == "sample" else Path(source)
    if kind == "path":
        checks.check_input(source, f"images.{name}.path")
    return Artifact(name, f"sha256:{checks.checksum(path)}")
