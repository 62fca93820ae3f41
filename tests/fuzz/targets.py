"""What reads files from outside, as functions of bytes: nothing but `InputError` may come out of them.

The same functions are fuzzed by hypothesis in CI (`tests/unit/test_fuzz.py`) and by atheris (`fuzz.py`) for longer.
"""

import contextlib
import io
import json
import os
import resource
import signal
import traceback
from pathlib import Path

import h5py
import numpy as np
import safetensors.numpy
import scipy.io
from PIL import Image, ImageCms

from helpers import engine, records
from styletransfer import settings
from styletransfer.errors import InputError
from styletransfer.files import yaml_reader
from styletransfer.images.io import image_size, read_image
from styletransfer.results import tables
from styletransfer.results.estimates import Estimates
from styletransfer.results.overview import summary
from styletransfer.results.plan import check_sizes
from styletransfer.runs import checkpoint
from styletransfer.runs.record import find_record
from styletransfer.study import plan
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand
from styletransfer.vgg import formats, sources

ROOT = Path(__file__).parents[2]
SCHEMA = yaml_reader.read(ROOT / "workflow/schemas/config.schema.yaml")
CONFIG = {
    "study": "a",
    "weights": "keras",
    "images": {"p": {"painting": "glass"}, "q": {"path": "q.png"}},
    "pairs": [{"content": "p", "styles": ["p", "p"], "initial": "p"}],
    "defaults": {"width": 64, "style_scales": [0.5, 1], "pooling": "avg"},
    "vary": {"style_weight": [1, {"linspace": [0, 9, 4], "slice": "1::2"}], "tv_weight": {"logspace": [1, 9, 3]}},
    "contact_sheet": {"columns": 3, "limits": {"style_weight": [0, 5]}},
    "max_runs": 100,
    "state_seconds": 1.5,
}


def config(path: Path) -> None:
    """A config from its file to runs, their names, their plan and the words of a command line."""
    with contextlib.suppress(InputError):
        of_config(yaml_reader.read(path))


def of_config(document) -> None:
    with contextlib.suppress(InputError):
        loaded = load_config(document)
        expanded = expand(loaded)
        check_sizes(expanded)
        summary(expanded, Path("/nonexistent"), Estimates(expanded, "cpu"))
        for found in expanded.runs.values():
            assert settings.from_canonical(json.loads(settings.to_json(found.canonical()))) == found


def image(path: Path) -> None:
    with contextlib.suppress(InputError):
        image_size(path)
    with contextlib.suppress(InputError):
        pixels = read_image(path)
        assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3


def network(path: Path) -> None:
    """In a process of its own, as the engine reads files of other programs: there a crash is an answer."""
    if path.read_bytes()[8:9] == b"{":
        _network(path)
        return
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "not an InputError: see above"
        assert not os.WIFSIGNALED(status) or os.WTERMSIG(status) not in (signal.SIGKILL, signal.SIGXCPU)
        CRASHES.append(path.read_bytes()) if os.WIFSIGNALED(status) else None
        return
    try:
        for fault in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL):
            signal.signal(fault, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        resource.setrlimit(resource.RLIMIT_AS, (formats.TRIAL_BYTES, formats.TRIAL_BYTES))
        _network(path)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


CRASHES: list[bytes] = []


def _network(path: Path) -> None:
    check, formats._check_in_subprocess = formats._check_in_subprocess, lambda _: None
    try:
        with contextlib.suppress(InputError):
            formats.load(path)
        with contextlib.suppress(InputError):
            sources.source_identity(path)
    finally:
        formats._check_in_subprocess = check


def record(path: Path) -> None:
    """A run's own record, which the workflow reads back: damaged, it is another program's file."""
    find_record(path, [path], verify=True)
    with contextlib.suppress(InputError):
        tables._record(path, engine.settings(), plan.Study("tiny", {}, None, {}, ()))


def study_plan(path: Path) -> None:
    """A plan, which every job reads."""
    with contextlib.suppress(InputError):
        plan.read(path)


IDENTITY = {"settings": "a", "device": "cpu"}


def state(path: Path) -> None:
    """What a killed run goes on from."""
    with contextlib.suppress(InputError):
        assert checkpoint.read(path, IDENTITY).iteration == 3, "damage went unnoticed"


TARGETS = {"config": config, "image": image, "weights": network, "record": record, "plan": study_plan, "state": state}


def damaged(whole: bytes, data: bytes) -> bytes:
    """A file with bytes replaced and its end cut off, as the data have it: three bytes of place, one of value each."""
    found = bytearray(whole)
    for first in range(1, len(data) - 3, 4):
        place = int.from_bytes(data[first : first + 3], "little")
        found[place % len(found)] = data[first + 3]
    return bytes(found[: len(found) * (256 - data[0]) // 256]) if data and data[0] > 200 else bytes(found)


def seeds(kind: str, folder: Path) -> list[bytes]:
    """Small files that are right, for damage to begin with."""
    made = {"config": _configs, "image": _images, "weights": _networks, "record": _records, "plan": _plans}
    return {**made, "state": _states}[kind](folder)


def _configs(folder: Path) -> list[bytes]:
    import yaml

    files = [path.read_bytes() for path in (ROOT / "config").glob("*.yaml")]
    return [*files, yaml.safe_dump(CONFIG).encode(), json.dumps(CONFIG).encode(), b"a: &a [1]\nb: {<<: {c: *a}}\n"]


def _images(folder: Path) -> list[bytes]:
    noise = np.random.default_rng(0)
    color = Image.fromarray(noise.integers(0, 256, (9, 7, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    wanted = [
        *((color.convert(mode), "PNG", {}) for mode in ("RGB", "L", "1", "P", "RGBA", "LA", "I;16")),
        (color, "PNG", {"exif": exif, "icc_profile": profile}),
        *((color.convert(mode), "JPEG", {"exif": exif}) for mode in ("RGB", "L", "CMYK")),
        *((color.convert(mode), "TIFF", {}) for mode in ("RGB", "F", "I;16", "CMYK", "RGBA")),
        *((color, "TIFF", {"compression": name}) for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")),
        (color, "WEBP", {"lossless": True, "exif": exif}),
        (color, "WEBP", {}),
        (color, "GIF", {"save_all": True, "append_images": [color.rotate(90)]}),
        (color, "BMP", {}),
        (color, "PPM", {}),
        (color, "AVIF", {}),
    ]
    found = []
    for picture, form, options in wanted:
        buffer = io.BytesIO()
        picture.save(buffer, form, **options)
        found.append(buffer.getvalue())
    return found


def _networks(folder: Path) -> list[bytes]:
    kernel, bias = np.ones((3, 3, 3, 64), np.float32), np.zeros(64, np.float32)
    path = folder / "seed"
    with h5py.File(path, "w", libver="earliest") as file:
        file["block1_conv1/block1_conv1_W_1:0"], file["block1_conv1/block1_conv1_b_1:0"] = kernel, bias
    found = [path.read_bytes()]
    with h5py.File(path, "w", libver="latest") as file:
        group = file.create_group("block1/layers/conv2d/vars")
        group.create_dataset("0", data=kernel, chunks=(3, 3, 3, 8), compression="gzip")
        group["1"] = bias
    found.append(path.read_bytes())
    cell = np.empty((1, 1), object)
    cell[0, 0] = {"name": "conv1_1", "weights": np.array([kernel[..., :2], bias[:2]], object)}
    content = {"layers": cell, "meta": {"normalization": {"averageImage": np.array([1.0, 2, 3])}}}
    for compressed in (False, True):
        buffer = io.BytesIO()
        scipy.io.savemat(buffer, content, do_compression=compressed)
        found.append(buffer.getvalue())
    document = {"channel_order": "RGB", "mean": [1, 2, 3], "source": {"name": "a"}}
    tensors = {"conv1_1/kernel": kernel[..., :1], "conv1_1/bias": bias[:1]}
    return [*found, safetensors.numpy.save(tensors, metadata={formats.METADATA_KEY: json.dumps(document)})]


def _records(folder: Path) -> list[bytes]:
    records.record().write(folder / "record")
    return [(folder / "record").read_bytes()]


def _plans(folder: Path) -> list[bytes]:
    images = {"p": {"painting": "glass"}}
    return [expand(load_config({**CONFIG, "images": images, "weights": "vgg16"})).text.encode()]


def _states(folder: Path) -> list[bytes]:
    arrays = {"iteration": np.array(3), "image": np.ones((3, 4, 3), np.float32)}
    checkpoint.write(folder / "state", IDENTITY, checkpoint.State(arrays, {"trace": [1.5]}))
    return [(folder / "state").read_bytes()]
