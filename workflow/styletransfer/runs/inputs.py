"""What a run reads: its pictures at the sizes it wants; and whether pictures and weights are those that it names."""

from __future__ import annotations

from typing import Any

import numpy as np

from styletransfer.errors import InputError
from styletransfer.files import checks
from styletransfer.images.io import check_source, read_image
from styletransfer.images.resize import check_size, resize, resize_to_width
from styletransfer.optim.stylize import Pictures
from styletransfer.runs.layout import Inputs
from styletransfer.settings import Settings
from styletransfer.vgg.weights import SMALLEST_SIDE


def read_pictures(settings: Settings, inputs: Inputs) -> Pictures:
    """The pictures of a run. Raises `InputError` for one that cannot be read, or of no size for the network."""
    pixels = read_image(inputs.content)
    width = settings.width or pixels.shape[1]
    content = _scaled(pixels, width, f"the result ({inputs.content}, width {width})", SMALLEST_SIDE)
    styles = [
        _scaled(read_image(path), round(scale * width), f"style {path} (scale {scale:g} of width {width})")
        for path, scale in zip(inputs.styles, settings.style_scales, strict=True)
    ]
    if settings.initial is None:
        return Pictures(content, styles, None)
    if inputs.initial is None:
        return Pictures(content, styles, content)
    height = content.shape[0]
    return Pictures(content, styles, resize(read_image(inputs.initial), width, height))


def check_pictures(settings: Settings, inputs: Inputs) -> None:
    """Raise `InputError` if one of the files is another's: what a file is called does not tell what it holds."""
    pairs = [(inputs.content, settings.content), *zip(inputs.styles, settings.styles, strict=True)]
    if inputs.initial is not None and settings.initial is not None:
        pairs.append((inputs.initial, settings.initial))
    for path, artifact in pairs:
        check_source(path, artifact.checksum)


def check_weights(settings: Settings, inputs: Inputs, source: dict[str, str]) -> None:
    """The same for weights that the workflow has converted."""
    wanted, original = settings.weights.checksum, source.get("original_checksum")
    if original and wanted not in (source["checksum"], original, f"sha256:{source['file_sha256']}"):
        raise InputError(
            f"{inputs.network} holds {source['name']} ({source['checksum']}), and the run is one of "
            f"{settings.weights.name} ({wanted}). Remove the file, and the workflow recreates it"
        )


def _scaled(pixels: np.ndarray, width: int, what: str, smallest: int = 1) -> np.ndarray:
    height, old_width = pixels.shape[:2]
    check_size(what, (old_width, height), width, smallest)
    return resize_to_width(pixels, width)


def checksums_of(inputs: Inputs) -> dict[str, Any]:
    """Of the pictures that a run reads."""
    checksums: dict[str, Any] = {
        "content": checks.checksum(inputs.content),
        "styles": [checks.checksum(path) for path in inputs.styles],
    }
    if inputs.initial is not None:
        checksums["initial"] = checks.checksum(inputs.initial)
    return checksums
