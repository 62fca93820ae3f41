"""The files that a config names, as runs know them: pictures by checksum or recipe, and the weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from styletransfer.errors import InputError
from styletransfer.files import checks
from styletransfer.images.samples import recipe, sample
from styletransfer.settings import Artifact
from styletransfer.study.config import unknown_key
from styletransfer.study.plan import Source, Study
from styletransfer.vgg import sources

Earlier = Callable[[], Study | None]


def picture_names(config: Mapping[str, Any]) -> list[str]:
    """The pictures that a study's pairs use, each once."""
    names = [
        name
        for pair in config["pairs"]
        for name in (pair["content"], *pair["styles"], *(pair[key] for key in ("initial",) if key in pair))
    ]
    return list(dict.fromkeys(names))


def picture(config: Mapping[str, Any], name: str, earlier: Earlier = lambda: None) -> Source:
    """A picture of the config: known by the checksum of its file, or by the recipe of a painting.

    Args:
        config: with its defaults.
        name: one of its `images`.
        earlier: gives the study as it was planned before, which knows a file of the user's that is gone.

    Raises:
        InputError: for a name or a file that is not there.

    """
    if not config["images"]:
        raise InputError(f"pairs name the picture {name}, but there are no images: say which file it is under images")
    if name not in config["images"]:
        raise InputError(f"pairs name the picture {unknown_key(name, config['images'])}")
    ((kind, source),) = config["images"][name].items()
    if kind == "painting":
        checksum = recipe(source)
    elif kind == "sample":
        checksum = f"sha256:{sample(source).sha256}"  # of its file, which is checked where it is read
    elif checks.is_gone(source) and (known := earlier()) and _is_of(known.pictures.get(name), source):
        return known.pictures[name]
    else:
        checks.check_input(source, f"images.{name}.path")
        checksum = f"sha256:{checks.checksum(source)}"
    artifact = Artifact(name, checksum)
    return Source(artifact, kind, source, f"{config['pathvars']['resources']}/pictures/{name}-{artifact.digest}.png")


def weights(config: Mapping[str, Any], earlier: Earlier = lambda: None) -> Source:
    """The weights of the config: a published file by its name, or a file of the user's by what it holds.

    Args:
        config: with its defaults.
        earlier: gives the study as it was planned before, which knows a file of the user's that is gone.

    """
    source = config["weights"]
    published = source in sources.SOURCES
    if not published and checks.is_gone(source) and (known := earlier()) and _is_of(known.weights, source):
        return known.weights
    if not published:
        sources.check_file(source, "weights")
    artifact = Artifact(**sources.source_identity(source))
    name = source if published else f"local-{artifact.digest}"
    file = f"{config['pathvars']['resources']}/weights/{name}.safetensors"
    return Source(artifact, "source" if published else "path", source, file)


def _is_of(planned: Source | None, source: str) -> bool:
    return planned is not None and (planned.kind, planned.source) == ("path", source)
