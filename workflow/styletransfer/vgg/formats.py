"""Any file of VGG-19 weights, and the one format the engine works with.

`load` reads any of the formats (told apart by content, never by suffix), `convert` writes the inner one: safetensors,
float32, kernels height x width x in x out, with channel order, mean pixel and origin in the metadata.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from styletransfer.errors import InputError
from styletransfer.files import atomic, checks, download
from styletransfer.vgg import readers, sources
from styletransfer.vgg.sources import METADATA_KEY
from styletransfer.vgg.weights import CHANNELS, Network, OnDemand, Weights, check


def load(path: str | Path) -> Weights:
    """Read VGG-19 weights in any of the known formats.

    Args:
        path: a file; its content tells the format.

    Raises:
        InputError: names file, layer, what was expected and what was found, for files that are absent, damaged, of
            another kind, or hold another network.
    """
    path = Path(path)
    form = sources.form_of(path)
    sha256 = sources.guarded(checks.checksum, path)
    original = ""
    if form == "safetensors":
        network, source, original = sources.guarded(lambda path: _read_safetensors(path, sha256), path)
    else:
        if form != "vgg16":  # whose checksum is known
            sources.guarded(_check_in_subprocess, path)
        network = sources.guarded(readers.READERS[form], path)
        source = sources.source_record(path, form, sha256)
    network = check(network, path)
    return Weights(**_fields(network), source=source, sha256=sha256, original=original)


def load_weights(source: str | Path) -> Weights:
    """Weights by the name of their source, such as `vgg16` or `keras`, or from a file of any known format.

    Args:
        source: a name of `sources.SOURCES`: the weights are then kept in resources/weights, and fetched and converted
            first if they are not there. Or the path of a file: .safetensors, .h5 or .mat.

    Raises:
        InputError: for a file that is absent, damaged, or holds another network; for weights that cannot be fetched.
    """
    return load(prepared(str(source)) if source in sources.SOURCES else source)


def convert(
    source_path: str | Path, output_path: str | Path, source_name: str | None = None, checksum: str | None = None
) -> None:
    """Write the weights in `source_path` to `output_path` in the inner format: the same input gives the same bytes.

    Args:
        source_path: a file of any known format.
        output_path: the safetensors file to write.
        source_name: the entry of `SOURCES` that the file must be. Without it any readable file will do.
        checksum: that its content must have, in place of the source's: another file, at the user's own risk.

    Raises:
        InputError: as `load` does, and if the file is not the one named.
    """
    from safetensors.numpy import save

    if source_name is not None:
        expected = checksum or sources.find_source(source_name).checksum
        download.verify(source_path, checksum=expected, origin=f"weights source {source_name}")
    weights = load(source_path)
    source = weights.source
    if source_name is not None and checksum is not None:
        source = {**source, **sources.source_identity(source_name, checksum)}
    tensors = {f"{name}/kernel": kernel for name, kernel in weights.kernels.items()}
    tensors |= {f"{name}/bias": bias for name, bias in weights.biases.items()}
    original = weights.original or f"sha256:{weights.sha256}"
    document = {"channel_order": weights.channel_order, "mean": weights.mean, "source": source, "original": original}
    document["sha256"] = _checksum(weights, source, original)
    with atomic.atomic_path(output_path) as temporary:
        # One entry: safetensors writes several in an order that changes from run to run.
        temporary.write_bytes(save(tensors, metadata={METADATA_KEY: json.dumps(document, sort_keys=True)}))


def prepared(source_name: str, folder: Path = Path("resources/weights")) -> Path:
    """The weights of a source in the inner format, where the workflow keeps them: fetched and converted if need be.

    Args:
        source_name: one of `sources.SOURCES`.
        folder: where they are kept.

    Returns:
        The safetensors file.

    Raises:
        InputError: as `fetch` and `convert` do.
    """
    path = folder / f"{source_name}.safetensors"
    if not path.exists():
        with tempfile.TemporaryDirectory() as temporary:
            published = Path(temporary, source_name)
            sources.fetch(source_name, published)
            convert(published, path, source_name)
    return path


def _fields(network: Network) -> dict[str, Any]:
    return {field.name: getattr(network, field.name) for field in dataclasses.fields(Network)}


def _read_safetensors(path: Path, sha256: str) -> tuple[Network, dict[str, str], str]:
    """The inner format, as `convert` writes it: network, source, and checksum of what was converted.

    sha256: of the file.
    """
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        document = json.loads(file.metadata()[METADATA_KEY])  # `form_of` has found it
        names = set(file.keys())
        biases = {name: file.get_tensor(f"{name}/bias") for name in CHANNELS if f"{name}/bias" in names}
    kernels = _OnDisk(path, sha256, [name for name in CHANNELS if f"{name}/kernel" in names])
    source = {str(key): str(value) for key, value in document["source"].items()}
    network = Network(kernels, biases, document["channel_order"], tuple(document["mean"]))
    original = str(document.get("original", ""))
    if "sha256" in document and document["sha256"] != _checksum(network, source, original):
        raise InputError(
            f"weights {path}: damaged, the checksum differs. Remove it, and the workflow converts it again"
        )
    return network, source, original


class _OnDisk(OnDemand[np.ndarray]):
    """Kernels in a file of the inner format: each is read when it is asked for, since together they take 76 MiB.

    Args:
        path: of the file.
        sha256: of its content. Another file in its place must have the same.
        names: of the layers.
    """

    def __init__(self, path: Path, sha256: str, names: Sequence[str]) -> None:
        super().__init__(names)
        self._path, self._sha256 = path, sha256
        self._version = self._version_now()

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        return sources.guarded(lambda path: self._read(path, name), self._path)

    def _read(self, path: Path, name: str) -> np.ndarray:
        from safetensors import safe_open

        if (version := self._version_now()) != self._version:
            if checks.checksum(path) != self._sha256:
                raise InputError(f"weights {path}: replaced by others while they were in use. Start again")
            self._version = version
        with safe_open(path, framework="numpy") as file:
            return file.get_tensor(f"{name}/kernel")

    def _version_now(self) -> tuple[int, ...]:
        found = self._path.stat()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _checksum(network: Network, source: Mapping[str, str], original: str) -> str:
    """SHA-256 of all that the inner format holds."""
    about = [network.channel_order, list(network.mean), dict(source), original]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for arrays in (network.kernels, network.biases):
        for name, array in sorted(arrays.items()):
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


# Beside the file itself, what a process that reads it may have: Python and its libraries, and the arrays.
TRIAL_BYTES = 4_000_000_000
TRIAL_SECONDS = 600


def _check_in_subprocess(path: Path) -> None:
    """Read a file of another program in another process first, which has so much memory and no more.

    On some damaged files SciPy and the HDF5 library crash instead of raising an error, and some claim any size. Raises
    `InputError` with what the reader says, `ValueError` if it crashes.
    """
    process = subprocess.run(
        [sys.executable, "-c", "from styletransfer.vgg import formats; formats.load_in_subprocess()", path.absolute()],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TRIAL_SECONDS,
        check=False,
    )
    if process.returncode < 0:
        raise ValueError("reading it crashes, or takes too much memory or time")
    if process.returncode:
        raise InputError(process.stderr.strip() or "no reason given")


def load_in_subprocess() -> None:
    """Read the file that the command line names within limits, and exit with 1 and the reason if it cannot be read."""
    import resource

    path = Path(sys.argv[1])
    limit = TRIAL_BYTES + 4 * path.stat().st_size
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (TRIAL_SECONDS, TRIAL_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sources.guarded(readers.READERS[sources.form_of(path)], path)
    except InputError as error:
        sys.exit(str(error))
