"""What a run reads: its pictures at the sizes it wants; and whether pictures and weights are those that it names."""

from __future__ import annotations

from typing import Any

from styletransfer.errors import InputError
from styletransfer.files import checks
from styletransfer.images.io import check_source, read_image
from styletransfer.optim.stylize import Pictures, fit_stages
from styletransfer.runs.layout import Inputs
from styletransfer.settings import Settings


def read_pictures(settings: Settings, inputs: Inputs) -> list[Pictures]:
    """The pictures of each stage of a run. Raises `InputError` for one that cannot be read, or is of a wrong size."""
    initial = None if settings.initial is None or inputs.initial is None else read_image(inputs.initial)
    names = [str(inputs.content), *(f"style {path}" for path in inputs.styles)]
    return fit_stages(settings, read_image(inputs.content), list(map(read_image, inputs.styles)), initial, names)


def made_of(settings: Settings, inputs: Inputs) -> tuple[Any, ...]:
    """What decides the pictures of a run: the files as they are now, and the sizes that it wants."""
    initial = [] if settings.initial is None or inputs.initial is None else [inputs.initial]
    files = [(path, path.stat()) for path in (inputs.content, *inputs.styles, *initial)]
    seen = [(path, found.st_ino, found.st_size, found.st_mtime_ns) for path, found in files]
    return seen, len(initial), settings.width, settings.stages, settings.style_scales, settings.initial is None


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


def checksums_of(inputs: Inputs) -> dict[str, Any]:
    """Of the pictures that a run reads."""
    checksums: dict[str, Any] = {
        "content": checks.checksum(inputs.content),
        "styles": [checks.checksum(path) for path in inputs.styles],
    }
    if inputs.initial is not None:
        checksums["initial"] = checks.checksum(inputs.initial)
    return checksums
