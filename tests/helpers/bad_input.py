"""Every kind of bad input, and a part of the message that answers it: one list for the tests and for docs/bad_input.md.

python tests/helpers/bad_input.py    # writes the page
"""

from __future__ import annotations

import json
import os
import struct
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import yaml
from PIL import Image, TiffImagePlugin, TiffTags

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.studies import ROOT, tiny_study

PAGE = ROOT / "docs/bad_input.md"
File = bytes | Callable[[Path], Any]


@dataclass(frozen=True)
class Case:
    """config: the text of a config file; or options: those of neural_style.py. message: what stderr must hold."""

    group: str
    what: str
    message: str
    config: bytes | None = None
    options: tuple[str, ...] = ()
    files: Mapping[str, File] = field(default_factory=dict)

    def lay_out(self, folder: Path) -> None:
        """Put the files of the case, and two sound pictures, into a folder."""
        for name, pixels in (("a.png", (60, 80, 3)), ("b.png", (64, 64, 3))):
            Image.fromarray(np.random.default_rng(1).integers(0, 256, pixels, np.uint8)).save(folder / name)
        for name, content in self.files.items():
            if callable(content):
                content(folder / name)
            else:
                (folder / name).write_bytes(content)
        if self.config is not None:
            (folder / "study.yaml").write_bytes(self.config)

    def arguments(self) -> list[str]:
        """The options of neural_style.py; the last of equal ones counts."""
        usual = ["--content", "a.png", "--styles", "b.png", "--network", "network", "--output", "out/result.png"]
        return [*usual, "--device", "cpu", "--iterations", "1", "--width", "32", *self.options]


BASE: dict[str, Any] = tiny_study(
    images={"a": {"path": "a.png"}, "b": {"path": "b.png"}},
    pairs=[{"content": "a", "styles": ["b"]}],
    defaults={"width": 64},
    vary={"style_weight": [1, 2]},
)
# A design that takes its runs from `runs`.
LIST: dict[str, Any] = {"design": "list", "vary": None}
LBFGS: dict[str, Any] = {"defaults": {"width": 64, "optimizer": "lbfgs"}}
TWO_STYLES: dict[str, Any] = {"pairs": [{"content": "a", "styles": ["a", "b"]}]}
CASES: list[Case] = []


def config(group: str, what: str, message: str, changes: Mapping[str, Any], files: Mapping[str, File] = {}) -> None:
    """A config that is sound but for some keys; None takes a key away."""
    document = {name: value for name, value in {**BASE, **changes}.items() if value is not None}
    CASES.append(Case(group, what, message, yaml.safe_dump(document, sort_keys=False).encode(), files=files))


def text(group: str, what: str, message: str, content: str | bytes, files: Mapping[str, File] = {}) -> None:
    """A config file by its text."""
    content = content.encode() if isinstance(content, str) else content
    CASES.append(Case(group, what, message, content, files=files))


def by_hand(group: str, what: str, message: str, *options: str, files: Mapping[str, File] = {}) -> None:
    """Options of neural_style.py."""
    CASES.append(Case(group, what, message, options=options, files=files))


def picture(what: str, message: str, content: File) -> None:
    """A picture file that no config may name."""
    images = {"a": {"path": "bad.png"}, "b": {"path": "b.png"}}
    config("Pictures", what, message, {"images": images}, {"bad.png": content})


def network(what: str, message: str, content: File) -> None:
    """A file that no run takes for weights."""
    by_hand("Weights", what, message, "--network", "bad.h5", files={"bad.h5": content})


def png(width: int, height: int) -> bytes:
    """A PNG whose header promises more than is there."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def saved(width: int, height: int) -> Callable[[Path], None]:
    return lambda path: Image.new("RGB", (width, height)).save(path, "PNG")


def tiff(tag: int, value: bytes) -> Callable[[Path], None]:
    """A TIFF with one more tag."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[tag], tags.tagtype[tag] = value, TiffTags.BYTE
    return lambda path: Image.new("RGB", (64, 48)).save(path, "TIFF", tiffinfo=tags)


def hdr(path: Path) -> None:
    Image.fromarray(np.linspace(0, 4, 3000, dtype=np.float32).reshape(50, 60)).save(path, "TIFF")


def hdr_colors(path: Path) -> None:
    """A TIFF of floating-point numbers: its header says so, and what its pixels would be."""
    values = {256: 20, 257: 20, 258: 32, 259: 1, 262: 2, 273: 8, 277: 3, 278: 20, 279: 4800, 339: 3}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
    path.write_bytes(struct.pack("<2sHIH", b"II", 42, 8, len(values)) + entries + bytes(4 + 4800))


def cut(form: str) -> Callable[[Path], None]:
    """The first nine tenths of a picture."""

    def write(path: Path) -> None:
        Image.fromarray(whole).save(path, form)
        os.truncate(path, path.stat().st_size * 9 // 10)

    return write


def flipped(path: Path) -> None:
    """A PNG with one bit of its pixels changed."""
    Image.fromarray(whole).save(path, "PNG")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def tensors(**changed: Any) -> bytes:
    """The beginning of a network in the engine's own format."""
    arrays = {
        "conv1_1/kernel": np.zeros((3, 3, 3, 64), np.float32),
        "conv1_1/bias": np.zeros(64, np.float32),
        "conv1_2/kernel": np.zeros((3, 3, 64, 64), np.float32),
        "conv1_2/bias": np.zeros(64, np.float32),
    }
    arrays |= {name.replace("__", "/"): array for name, array in changed.items()}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    document = json.dumps({"channel_order": "RGB", "mean": [1, 2, 3], "source": {"name": "x"}})
    return safetensors.numpy.save(arrays, metadata={"vgg19": document})


def hdf5(path: Path, claim: int) -> None:
    """A file of a few kilobytes, one dataset of which claims to have so many numbers."""
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("block1_conv1/kernel", (claim,), "f4", chunks=(1024,))


def foreign(path: Path) -> None:
    """Weights that would be read out of another file of the user's."""
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("block1_conv1/kernel", (3,), "f4", external=[("/etc/passwd", 0, 12)])


# --- Keys and values ---

KEYS = "Keys"
config(KEYS, "an unknown key", "stdy: there is no such key. Did you mean study?", {"stdy": 1})
config(KEYS, "an unknown parameter", "Did you mean style_weight?", {"vary": {"style_wieght": [1]}})
config(
    KEYS,
    "one under `defaults`",
    "defaults.widht: there is no such key. Did you mean width?",
    {"defaults": {"widht": 9}},
)
config(KEYS, "one in a list of runs", "Did you mean seed?", {**LIST, "runs": [{"sed": 1}]})
config(KEYS, "one under `limits`", "Did you mean tv_weight?", {"contact_sheet": {"limits": {"tv_wieght": [0, 1]}}})
config(KEYS, "a key that is missing", "'pairs' is a required property", {"pairs": None})
config(KEYS, "pairs without `images`", "pairs name the picture a, but there are no images", {"images": None})
config(KEYS, "a path alone", "images.a is 'x.jpg': write {path: x.jpg}, {sample: ...} or", {"images": {"a": "x.jpg"}})
config(KEYS, "an unknown kind of picture", "images.a.url: there is no such key", {"images": {"a": {"url": "x"}}})
config(KEYS, "two kinds of one picture", "images.a:", {"images": {"a": {"path": "a.png", "sample": "coffee"}}})
config(KEYS, "an unknown sample", "images.a.sample: 'cofee' is not one of", {"images": {"a": {"sample": "cofee"}}})
config(KEYS, "a picture that is not there", "pairs name the picture c: there is no such key. Known: a, b",
       {"pairs": [{"content": "c", "styles": ["b"]}]})  # fmt: skip

EMPTY = "Empty and twice"
config(EMPTY, "a parameter without values", "vary.style_weight is empty", {"vary": {"style_weight": []}})
config(EMPTY, "a parameter without a value", "iterations has no value", {"defaults": {"iterations": None}})
config(EMPTY, "no pair", "pairs: [] should be non-empty", {"pairs": []})
FOLDERS = "Folders of pictures"
CONTENTS: dict[str, Any] = {"contents": "*.png", "styles": "b"}
config(
    FOLDERS,
    "no such folder",
    "pairs.0.contents.0 is 'photos': there is no such file",
    {"pairs": {**CONTENTS, "contents": "photos"}},
)
config(
    FOLDERS,
    "a pattern that fits nothing",
    "is '*.jpg': there is no picture. Put some there",
    {"pairs": {**CONTENTS, "contents": "*.jpg"}},
)
config(
    FOLDERS,
    "a folder without pictures",
    "is 'empty': there is no picture",
    {"pairs": {**CONTENTS, "contents": "empty"}},
    {"empty": lambda path: path.mkdir()},
)
config(
    FOLDERS,
    "files that are no pictures",
    "among its files are others than pictures: notes.txt",
    {"pairs": {**CONTENTS, "contents": "*.*"}},
    {"notes.txt": b"x"},
)
config(
    FOLDERS,
    "two files of one name",
    "'c.jpg' would be called c, as is 'c.bmp'",
    {"pairs": {**CONTENTS, "contents": "c.*"}},
    {"c.jpg": b"x", "c.bmp": b"x"},
)
config(
    FOLDERS,
    "a file that is no picture",
    "images.c: picture 'c.png' is not recognised as a picture",
    {"pairs": {**CONTENTS, "contents": "c.png"}},
    {"c.png": b"no picture at all"},
)
config(
    FOLDERS,
    "`content` and `contents`",
    "pairs.0: give it content, the name of a picture; or contents",
    {"pairs": {**CONTENTS, "content": "a"}},
)
config(
    FOLDERS,
    "`initial` for many contents",
    "pairs.0.initial is one picture, and contents are many",
    {"pairs": {**CONTENTS, "initial": "a"}},
)
config(EMPTY, "no picture", "images: {} should be non-empty", {"images": {}})
config(EMPTY, "no style", "pairs.0.styles: [] should be non-empty", {"pairs": [{"content": "a", "styles": []}]})
config(EMPTY, "a list without runs", "runs is empty: list at least one run", LIST)
config(EMPTY, "a pair twice", "pairs.1 is a x b, as is pairs.0: keep one", {"pairs": [*BASE["pairs"], *BASE["pairs"]]})
text(
    EMPTY,
    "a YAML key twice",
    "the mapping at line 1 has the key 'study' twice",
    "study: a\nweights: vgg16\nstudy: b\n",
)
text(EMPTY, "a JSON key twice", "has the key 'study' twice", '{"study": "a", "study": "b"}')

NUMBERS = "Numbers"
for name, value, message in (
    ("style_weight", -1, "style_weight is -1: it must be at least 0"),
    ("learning_rate", 0, "learning_rate is 0: it must be above 0"),
    ("iterations", 0, "iterations is 0: it must be at least 1"),
    ("iterations", 1.5, "iterations is 1.5: it must be a whole number"),
    ("content_weight_blend", 2, "content_weight_blend is 2: it must be at least 0 and at most 1"),
    ("beta1", 1, "beta1 is 1: it must be at least 0"),
    ("width", 0, "width is 0: it must be at least 1"),
    ("width", 20_000, "width is 20000: it must be at least 1 and at most 16,384"),
    ("seed", 10**30, "vary.seed.0 is a whole number beyond"),
    ("tv_weight", float("nan"), "vary.tv_weight.0 is nan: it must be a finite number"),
    ("tv_weight", float("inf"), "vary.tv_weight.0 is inf: it must be a finite number"),
    ("learning_rate", "1,5", "learning_rate is '1,5', not a number. Write it with a point: 1.5"),
    ("learning_rate", "fast", "learning_rate is 'fast', not a number"),
    ("learning_rate", True, "learning_rate is True, not a number"),
    ("pooling", "median", "pooling is 'median': choose one of max, avg"),
):
    shown = "a number beyond 64 bits" if value == 10**30 else repr(value)
    config(NUMBERS, f"`{name}` {shown}", message, {"vary": {name: [value]}})
config(NUMBERS, "NaN in a key of the machine", "state_seconds is nan", {"state_seconds": float("nan")})
config(
    NUMBERS,
    "infinity in a spec",
    "vary.tv_weight.linspace.1 is inf",
    {"vary": {"tv_weight": {"linspace": [0, float("inf"), 3]}}},
)
config(
    NUMBERS,
    "infinity in a limit",
    "contact_sheet.limits.seed.1 is inf",
    {"contact_sheet": {"limits": {"seed": [0, float("inf")]}}},
)
config(
    NUMBERS,
    "limits the wrong way round",
    "[5, 1]: write the lower value first",
    {"contact_sheet": {"limits": {"seed": [5, 1]}}},
)
config(
    NUMBERS,
    "a column too few",
    "contact_sheet.columns: 1 is less than the minimum of 2",
    {"contact_sheet": {"columns": 1}},
)
config(NUMBERS, "no threads", "threads: 0 is less than the minimum of 1", {"threads": 0})
config(NUMBERS, "a billion threads", "threads: 1000000000 is greater than the maximum", {"threads": 10**9})
config(
    NUMBERS,
    "all blend weights 0",
    "at least one style needs a weight above 0",
    {"defaults": {"style_blend_weights": 0}},
)
config(
    NUMBERS,
    "two scales for one style",
    "style_scales has 2 values for 1 styles",
    {"defaults": {"style_scales": [1, 2]}},
)
config(NUMBERS, "17 styles", "is too long", {"pairs": [{"content": "a", "styles": ["b"] * 17}]})
config(NUMBERS, "a device of another kind", "device: 'tpu' is not one of ['auto', 'gpu', 'cpu']", {"device": "tpu"})
hundred = {"linspace": [1, 2, 100]}
large = {"design": "grid", "vary": dict.fromkeys(("style_weight", "tv_weight", "learning_rate"), hundred)}
config(NUMBERS, "too large a grid", "this grid has 1,000,000 runs", large)
for spec, message in (
    ({"linspace": [0, 1]}, "it takes a list of three numbers"),
    ({"linspace": [0, 1, 0]}, "it stands for no values, or for too many"),
    ({"linspace": [0, 1, 1e9]}, "it stands for no values, or for too many"),
    ({"logspace": [0, 1, 3]}, "first and last value must be above 0"),
    ({"arange": [0, 1, 0]}, "it stands for no values, or for too many"),
    ({"cubes": [0, 1, 3]}, "is not a spec. Use one of linspace, logspace, arange"),
    ({"linspace": [0, 1, 3], "slice": 90}, "write it as in Python and in quotes"),
):
    config(NUMBERS, f"the spec `{json.dumps(spec)}`", message, {"vary": {"tv_weight": spec}})
for spec, message in (
    ({"range": [5, 1]}, "it takes two numbers, the lowest value and the highest"),
    ({"range": [-1, 5]}, "tv_weight is -1: it must be at least 0"),
    ({"log_range": [0, 5]}, "the lowest value must be above 0, or write range"),
    ([{"range": [1, 5]}, 9], "is for design sobol or lhs, alone and not in a list"),
):
    drawn = {"design": "sobol", "runs_total": 8, "vary": {"tv_weight": spec}}
    config(NUMBERS, f"`{json.dumps(spec)}` with `design: sobol`", message, drawn)
config(NUMBERS, "a range in a star", "is for design sobol or lhs", {"vary": {"tv_weight": {"range": [1, 5]}}})
few = {"design": "lhs", "runs_total": 9, "vary": {"pooling": ["max", "avg"]}}
config(NUMBERS, "more runs than there are values for", "no more than about 2 different runs: lower runs_total", few)

LAYERS = "Layers"
for value, message in (
    ("conv1_1", "style_layers names 'conv1_1', which is no layer after a ReLU of VGG-19: name layers from relu1_1"),
    (["relu1_1", "relu1_1=2"], "style_layers names relu1_1 twice: keep one of them"),
    ({"relu1_1": -1}, "style_layers: the weight of relu1_1 is -1: it must be a number, at least 0"),
    ({"relu1_1": 0}, "at least one layer needs a weight above 0"),
):
    config(LAYERS, f"the layers `{json.dumps(value)}`", message, {"defaults": {"style_layers": value}})
by_hand(LAYERS, "a sixth block", "content_layers names 'relu6_1'", "--content-layers", "relu1_1", "relu6_1=0.5")

UNUSED = "Asked for, and not used"
config(UNUSED, "`runs`, and another design", "runs is given, but design is star", {"runs": [{"seed": 1}]})
config(UNUSED, "`vary`, and a list", "vary is given, but design is list", {"design": "list", "runs": [{"seed": 1}]})
config(
    UNUSED,
    "limits of what is not varied",
    "contact_sheet.limits names seed, which the study does not vary. Name one of style_weight",
    {"contact_sheet": {"limits": {"seed": [0, 5]}}, "vary": {"style_weight": [1, 2]}},
)
config(
    UNUSED,
    "a contact sheet of what is not varied",
    "contact_sheet.grid names seed, which the study does not vary",
    {"contact_sheet": {"grid": ["style_weight", "seed"]}},
)
config(UNUSED, "`runs_total`, and a star", "runs_total is given, but design is star", {"runs_total": 9})
config(UNUSED, "a design without `runs_total`", "design is sobol, but runs_total is not given", {"design": "sobol"})
config(UNUSED, "a grid of nothing", "design is grid, but vary is empty", {"design": "grid", "vary": {}})
for what, message, changes in (
    ("`beta1` varied for L-BFGS", "vary.beta1 makes no difference to any run: optimizer is lbfgs",
     {**LBFGS, "vary": {"beta1": [0.8, 0.9]}}),
    ("`eps` of all runs, which are L-BFGS's", "defaults.eps makes no difference to any run: optimizer is lbfgs",
     {"defaults": {"width": 64, "optimizer": "lbfgs", "eps": 1}}),
    ("scales where the style counts nothing", "vary.style_scales makes no difference to any run: style_weight is 0",
     {"defaults": {"width": 64, "style_weight": 0}, "vary": {"style_scales": [1, 2]}}),
    ("seeds where no noise is drawn", "vary.seed makes no difference to any run: initial_noiseblend is 0",
     {"defaults": {"width": 64, "initial_noiseblend": 0}, "vary": {"seed": [1, 2]}}),
    ("a picture to start from, and noise alone", "pairs.0.initial makes no difference to any run",
     {"pairs": [{"content": "a", "styles": ["b"], "initial": "b"}], "defaults": {"initial_noiseblend": 1}}),
    ("shares that are equal", "vary.style_blend_weights: 0.2, 0.5 stand for the same",
     {**TWO_STYLES, "vary": {"style_blend_weights": [0.2, 0.5]}}),
    ("shares of three styles for two", "style_blend_weights has 3 values for 2 styles",
     {**TWO_STYLES, "vary": {"style_blend_weights": [[1, 2, 3]]}}),
):  # fmt: skip
    config(UNUSED, what, message, changes)

SIZES = "Sizes"
config(
    SIZES,
    "a style scale that makes 0 pixels",
    "style b (scale 0.001 of width 64) would have 0 x 1 pixels",
    {"defaults": {"width": 64, "style_scales": 0.001}},
)
config(
    SIZES,
    "a width too small for the poolings",
    "would have 12 x 9 pixels: each side needs at least 16",
    {"defaults": {"width": 12}},
)
config(
    SIZES,
    "a picture too thin for them",
    "would have 64 x 1 pixels: each side needs at least 16",
    {"images": {**BASE["images"], "a": {"path": "thin.png"}}},
    {"thin.png": saved(500, 1)},
)
config(
    SIZES,
    "a style of 6 gigapixels",
    "are allowed. Choose a smaller width or style_scales",
    {"defaults": {"width": 2000, "style_scales": 40}},
)
config(
    SIZES,
    "a scale of 1000",
    "style_scales is 1000: it must be above 0 and at most 100",
    {"vary": {"style_scales": [1000]}},
)

NAMES = "Names and paths"
for name in ("../up", "a b", "$(touch x)", "a\n", "", "-a", "é", "a" * 81):
    config(
        NAMES,
        f"a study called `{json.dumps(name)}`" if len(name) < 80 else "a study's name of 81 letters",
        "is not a name that can be used",
        {"study": name},
    )
config(
    NAMES,
    "a picture called `a/b`",
    "images: 'a/b' is not a name that can be used",
    {"images": {**BASE["images"], "a/b": {"path": "a.png"}}},
)
config(
    NAMES,
    "a date as name",
    "study is datetime.date(2024, 1, 2), a date: give text (in quotes) or a number",
    {"study": __import__("datetime").date(2024, 1, 2)},
)
config(NAMES, "a number as name", "study: 7 is not of type 'string'. Write it in quotes.", {"study": 7})
config(
    NAMES, "a number as key", "images has the key 1, not text: write it in quotes", {"images": {1: {"path": "a.png"}}}
)
for what, path, message in (
    ("a picture that is missing", "none.png", "images.a.path is 'none.png': there is no such file as"),
    ("a folder for a picture", ".", "images.a.path is '.': it is a folder. Name a file in it"),
    ("a device for a picture", "/dev/zero", "images.a.path is '/dev/zero': it is not a plain file but a device"),
    ("an address for a picture", "https://example.org/a.jpg", "it is an address, and files are not fetched from there"),
    ("a path with a variable", "$HOME/a.jpg", "Variables are not expanded: write the path out"),
    ("a pattern for a picture", "*.png", "Patterns are not expanded: name one file"),
    ("a path of Windows", "C:\\a.jpg", "it is a path of Windows"),
    ("a name in other letters", "A.PNG", "Did you mean a.png?"),
    ("an empty path", "", "images.a.path is '': it is a folder"),
    ("a path of 300 letters", "a" * 300, "it cannot be read (File name too long)"),
    ("a path with NUL", "a\0b", "images.a.path has a character that no file name or text can hold"),
):
    config(NAMES, what, message, {"images": {**BASE["images"], "a": {"path": path}}})
for what, content, message in (
    ("a CSV file of runs with a column twice", b"seed,seed\n1,2\n", "the column seed is there twice"),
    ("one with an unknown column", b"sed\n1\n", "Did you mean seed?"),
    ("one with a cell too many", b"seed\n1,2\n", "line 2 has 2 cells, and the header 1"),
    ("one with a cell too few", b"seed,tv_weight\n1\n", "line 2 has 1 cells, and the header 2"),
    ("one with a column without a name", b",seed\n0,7\n", "column 1 has values, but no name"),
    ("one with semicolons and commas", b"seed;tv_weight,width\n1;2,3\n", "has several separators"),
    (
        "one with `1,5` in quotes",
        b'seed,tv_weight\n1,"1,5"\n',
        "tv_weight is '1,5', not a number. Write it with a point",
    ),
    ("one with `1,000` between semicolons", b"seed;tv_weight\n1;1,000\n", "1,000 may be a fraction, or thousands"),
    ("a workbook", b"PK\x03\x04", "it is a workbook of a spreadsheet: save it as CSV UTF-8"),
    ("one in Latin-1", b"seed\n\xe9\n", "save it as CSV UTF-8"),
    ("one without rows", b"seed\n", "runs is empty"),
    ("one that is no text", b"\x89PNG\r\n\x1a\n\0", "cannot be read as a CSV file"),
):
    config(NAMES, what, message, {**LIST, "runs": "runs.csv"}, {"runs.csv": content})
config(
    NAMES,
    "a CSV file that is missing",
    "runs is 'none.csv': there is no such file",
    {**LIST, "runs": "none.csv"},
)

# --- Files of a config ---

YAML = "YAML"
laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{this}: &{this} [{', '.join([f'*{before}'] * 9)}]\n" for before, this in zip("abcdefgh", "bcdefghi", strict=True)
)
text(YAML, "a billion laughs", "stands for more than 1,000,000 values: write less, without aliases", laughs)
text(YAML, "a list that holds itself", "is nested more than 20 deep: write it flat", "a: &a [*a, *a]\n")
text(YAML, "a hundred brackets", "is nested more than 20 deep", f"a: {'[' * 100}{']' * 100}\n")
text(
    YAML,
    "`!!python/object`",
    "could not determine a constructor for the tag",
    'study: !!python/object/apply:os.system ["touch owned"]\n',
)
text(YAML, "`!!python/name`", "could not determine a constructor for the tag", "study: !!python/name:os.system\n")
text(YAML, "`!!set`", "study is {'a'}, a set: give text (in quotes) or a number", "study: !!set {a}\n")
text(YAML, "`!!binary`", "study is b'hi', a bytes: give text", "study: !!binary aGk=\n")
text(YAML, "a YTE template", "is a YTE template, a program in a file of values", "__use_yte__: true\nstudy: a\n")
text(YAML, "a list", "holds a list: it must hold keys with values", "- study\n")
text(YAML, "a word", "holds a str: it must hold keys with values", "study\n")
text(YAML, "nothing", "holds nothing: it must hold keys with values", "")
text(YAML, "a tab for indentation", "is not YAML of plain values: while scanning", "study: a\nimages:\n\ta: b\n")
text(YAML, "half a JSON file", "is not YAML of plain values", '{"study": "a",')
text(YAML, "Latin-1", "save it as UTF-8", "study: é\n".encode("latin-1"))
text(YAML, "zero bytes", "is not YAML of plain values", b"study: \0\n")
text(YAML, "a number of 5000 digits", "that cannot be read", f"seed: {'9' * 5000}\n")
text(YAML, "`010`, which YAML takes for 8", "line 2: YAML reads 010 as 8. Write 8", "study: a\nthreads: 010\n")
text(YAML, "`1:30`, which YAML takes for 90", "line 1: YAML reads 1:30 as 90", "max_runs: 1:30\n")
text(YAML, "11 MB", "more than the 10,000,000 allowed", b"#" * 11_000_000)

# --- Pictures ---

whole = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
picture("an empty file", "images.a: picture 'bad.png' is empty (0 bytes)", b"")
picture("text named .png", "images.a: picture 'bad.png' is not recognised as a picture", b"no picture")
for what, message, content in (
    ("a web page named .png", "is a web page: save the picture that it shows", b"<!DOCTYPE html><html></html>"),
    ("SVG", "is SVG, a drawing and no pixels: render it", b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org'/>"),
    ("PostScript, which would run a program", "is a PDF or PostScript document: render it", b"%!PS-Adobe-3.0 EPSF\n"),
    ("a photograph of an iPhone", "is HEIC, the format of iPhones: export it", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
    ("JPEG XL", "is JPEG XL: open it where it comes from", b"\xff\x0a\xfa\x1f\x01"),
    ("JPEG 2000", "is JPEG 2000: open it where it comes from", b"\0\0\0\x0cjP  \r\n\x87\n"),
    ("RAW of Canon", "is a camera's RAW file, which each program develops", b"\0\0\0\x18ftypcrx \0\0\0\1"),
    ("RAW of Fujifilm", "is a camera's RAW file, which each program develops", b"FUJIFILMCCD-RAW 0201"),
    ("RAW as DNG, whose first picture is a preview", "is a camera's RAW file", tiff(50706, b"\1\4\0\0")),
    ("a TIFF of a rare kind", "is a TIFF of a rare kind, or a camera's RAW file", b"II*\0\x08\0\0\0\0\0"),
    ("Photoshop", "is a Photoshop document: flatten it", b"8BPS\0\1" + bytes(20)),
    ("GIMP", "is a GIMP document: export it as PNG", b"gimp xcf v011"),
    ("OpenEXR", "is an HDR picture: map its tones to 8 bits", b"v/1\1\2\0\0\0"),
    ("a TIFF of floating-point colours", "is an HDR picture, a TIFF of floating-point numbers: map", hdr_colors),
    ("grey of 0 to 4, as HDR has it", "grey values from 0 to 4, not 0..1, 0..255", hdr),
    ("a video", "is a video: save one of its frames as PNG", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"),
    ("a Git LFS pointer", "is a Git LFS pointer: fetch the file", b"version https://git-lfs.github.com/spec/v1\n"),
    ("a PNG that is cut off", "is damaged or incomplete: it ends within IDAT", cut("PNG")),
    ("a PNG with a wrong checksum", "is damaged or incomplete: the checksum of IDAT is wrong", flipped),
    ("a JPEG that is cut off", "cannot be decoded (image file is truncated", cut("JPEG")),
    ("a WebP that is cut off", "images.a: picture 'bad.png'", cut("WEBP")),
    ("a TIFF that is cut off", "images.a: picture 'bad.png'", cut("TIFF")),
):
    picture(what, message, content)
picture("a beginning of 20 bytes", "images.a: picture 'bad.png'", png(9, 9)[:20])
picture("a bomb of 2.5 gigapixels", "picture 'bad.png' has 50000 x 50000 pixels", png(50_000, 50_000))
picture("0 pixels", "images.a: picture 'bad.png'", png(0, 9))
picture("a pipe", "images.a.path is 'bad.png': it is not a plain file but a device, pipe or socket", os.mkfifo)
by_hand(
    "Pictures",
    "one that is cut off after its header",
    "cannot be decoded",
    "--content",
    "bad.png",
    files={"bad.png": png(40, 40)},
)
by_hand(
    "Pictures",
    "text named .jpg, as style",
    "picture 'bad.jpg' is not recognised",
    "--styles",
    "bad.jpg",
    files={"bad.jpg": b"x"},
)
by_hand("Pictures", "a missing start", "--initial is 'none.png': there is no such file", "--initial", "none.png")

# --- Weights ---

for what, path, message in (
    ("an unknown source", "kears", "Did you mean the source keras?"),
    ("a folder", ".", "weights is '.': it is a folder"),
    ("a web page", "page.h5", "it begins with b'<!DOCTYPE html>' (a web page?)"),
    ("PyTorch's", "vgg19.pth", "as files of PyTorch (.pth, .pt) and Keras 3 (.keras) do. They are not read"),
    ("timm's safetensors", "timm.safetensors", "not written by `styletransfer convert`"),
    ("a picture", "a.png", "neither Keras HDF5, MatConvNet MAT-file, safetensors nor the source vgg16"),
):
    foreign_files = {"page.h5": b"<!DOCTYPE html>", "vgg19.pth": b"PK\x03\x04archive/data.pkl"}
    foreign_files["timm.safetensors"] = safetensors.numpy.save(
        {"features.0.weight": np.zeros((64, 3, 3, 3), np.float32)}, {"format": "pt"}
    )
    config("Weights", what, message, {"weights": path}, foreign_files)
network("an empty file", "(an empty file)", b"")
network("a Git LFS pointer", "(a Git LFS pointer)", b"version https://git-lfs.github.com/spec/v1\n")
network("a pickle", "as files of PyTorch (.pth, .pt) and Keras 3 (.keras) do", b"\x80\x04\x95" + b"cos\nsystem\n")
network("another ONNX file", "the only ONNX file that is read", b"\x08\x08\x12\x07pytorch")
network("a header of 2**60 bytes", "damaged, incomplete", (2**60).to_bytes(8, "little") + b"{}")
network("HDF5 that is cut off", "damaged, incomplete", b"\x89HDF\r\n\x1a\n" + bytes(100))
network("HDF5 that claims 2**50 numbers", "claims 1,125,899,906,842,624 numbers", lambda path: hdf5(path, 2**50))
network("HDF5 that points at another file", "stands in another file", foreign)
network(
    "another network",
    "kernel of conv1_1: expected 3 x 3 x 3 x 64, found 7 x 7 x 3 x 64",
    tensors(conv1_1__kernel=np.zeros((7, 7, 3, 64), np.float32)),
)
network("a missing layer", "kernel of conv2_1: expected 3 x 3 x 64 x 128, found none. Is this a VGG-19?", tensors())
network("a missing bias", "bias of conv1_2: expected 64, found none", tensors(conv1_2__bias=None))
network(
    "a transposed kernel",
    "kernel of conv1_1: expected 3 x 3 x 3 x 64, found 64 x 3 x 3 x 3",
    tensors(conv1_1__kernel=np.zeros((64, 3, 3, 3), np.float32)),
)
network(
    "NaN",
    "kernel of conv1_1: expected finite numbers, found 1728",
    tensors(conv1_1__kernel=np.full((3, 3, 3, 64), np.nan, np.float32)),
)
network("whole numbers", "expected floating-point numbers, found int32", tensors(conv1_1__bias=np.zeros(64, np.int32)))

# --- By hand ---

HAND = "neural_style.py"
by_hand(HAND, "an unknown option", "unrecognized arguments: --stlye-weight", "--stlye-weight", "3")
by_hand(HAND, "`--learning-rate 0`", "learning_rate is 0.0: it must be above 0", "--learning-rate", "0")
by_hand(HAND, "`--tv-weight nan`", "tv_weight is nan: it must be finite", "--tv-weight", "nan")
by_hand(HAND, "`--style-weight=-1`", "style_weight is -1.0: it must be at least 0", "--style-weight=-1")
by_hand(HAND, "`--iterations many`", "argument --iterations: invalid int value: 'many'", "--iterations", "many")
by_hand(HAND, "`--width 8`", "would have 8 x 6 pixels: each side needs at least 16", "--width", "8")
by_hand(HAND, "`--style-scales 0.001`", "would have 0 x 1 pixels", "--style-scales", "0.001")
by_hand(
    HAND,
    "a picture to start from, and noise alone",
    "--initial is given, but initial_noiseblend is 1",
    *("--initial", "a.png", "--initial-noiseblend", "1"),
)
by_hand(HAND, "a missing picture", "--content is 'none.png': there is no such file as", "--content", "none.png")
by_hand(HAND, "a folder for a picture", "--styles is '.': it is a folder", "--styles", ".")
by_hand(HAND, "missing weights", "--network is 'none.h5': there is no such file as", "--network", "none.h5")
by_hand(HAND, "an output of no known format", "its name must end in one of", "--output", "out.xyz")
by_hand(
    HAND,
    "an output that is there",
    "b.png: exists already. Choose another name, or use --overwrite",
    "--output",
    "b.png",
    "--styles",
    "a.png",
)
by_hand(
    HAND,
    "an output that the run reads",
    "'a.png' is to be written, but is read by this run",
    "--output",
    "a.png",
    "--overwrite",
)
by_hand(HAND, "two outputs of one name", "is to be written, but twice", "--losses", "out/result.png")
by_hand(HAND, "a folder for an output", "is to be written, but is a folder", "--losses", ".", "--overwrite")
by_hand(HAND, "an output below a file", "is not a folder that this user may write to", "--output", "a.png/x.png")
by_hand(
    HAND,
    "a pattern without a place",
    "needs one place for the iteration",
    "--checkpoint-output",
    "x.png",
    "--checkpoint-iterations",
    "1",
)
by_hand(
    HAND,
    "a pattern of a billion digits",
    "needs one place for the iteration",
    "--checkpoint-output",
    "{:01000000000}.png",
    "--checkpoint-iterations",
    "1",
)
by_hand(HAND, "`--print-iterations 0`", "--print-iterations is 0: it must be at least 1", "--print-iterations", "0")
by_hand(HAND, "`--device-wait nan`", "--device-wait is nan: it must be a number of seconds", "--device-wait", "nan")

# --- Accepted: what it becomes, and the test that holds it to that ---

ACCEPTED = (
    ("grey, 1 bit, palette, 16 bits, floating point", "three channels of 8 bits", "test_images.py::test_modes"),
    ("transparency", "laid over white", "test_images.py::test_palette_with_transparency"),
    (
        "a key colour, at any depth",
        "only what has it to the last bit is transparent",
        "test_png.py::test_a_key_color_is_compared_at_the_depth_of_the_file",
    ),
    (
        "broken metadata of a PNG: EXIF, profile, texts, frames",
        "as if they were not there",
        "test_png.py::test_broken_metadata_are_as_if_they_were_not_there",
    ),
    (
        "broken metadata of a TIFF, or such that lie beyond its end",
        "as if they were not there",
        "test_tiff.py::test_metadata_that_lie_beyond_the_file_or_anywhere_change_no_pixel",
    ),
    (
        "megabytes of text in a PNG",
        "not looked at",
        "test_png.py::test_huge_metadata_are_no_reason_to_refuse_a_picture",
    ),
    ("CMYK", "RGB, by its ICC profile if it has one", "test_images.py::test_cmyk_and_animation"),
    ("an animation, several pages", "the first picture", "test_images.py::test_cmyk_and_animation"),
    ("EXIF orientation", "upright", "test_images.py::test_exif_orientation"),
    ("`1e3`, `1.0e3`, `'1000'`, `1_000`", "1000", "test_study.py::test_a_number_has_one_reading_through_every_door"),
    (
        "a CSV file with semicolons, tabs, `sep=;`, decimal commas, blanks, empty rows, UTF-16, a byte order mark",
        "its rows",
        "test_study.py::test_csv_files_as_spreadsheets_and_people_write_them",
    ),
    ("`styles: mosaic`", "a list of one", "test_study.py::test_one_thing_is_a_list_of_one_and_nothing_is_an_empty_one"),
    ("`~/a.jpg`", "a file in the home folder", "test_study.py::test_the_home_folder_may_be_written_as_a_tilde"),
    ("a value twice in a parameter", "one run", "test_study.py::test_a_star_has_a_row_for_every_distinct_value"),
    (
        "paths with spaces, quotes, line breaks, `$()`, backticks, `{}`, `%`, a leading dash, Unicode; such a folder",
        "what they name: nothing in them is executed",
        "test_hostile_input.py::test_hostile_names_through_the_whole_workflow",
    ),
)

HEAD = """# Bad input

Every row is a test: this page is written from their list, by `python tests/helpers/bad_input.py`. The answer is one
message with what was wrong and what to do, an exit code other than 0, no traceback, and nothing is written but
Snakemake's own `.snakemake`. `styletransfer plan --configfile study.yaml` and a dry run of Snakemake
find all that a config, the headers of its pictures and the first bytes of its weights tell, before any run begins;
`styletransfer plan` also finds a picture that is cut off. What only reading all of a picture or of the weights can tell
stops the runs that need it; Snakemake then shows the job's log. Damage amid the pixels of a JPEG is not found: it has
no checksums, and decoders go on.

Snakemake reads a config file before this workflow can, so it has its own, shorter words for broken YAML, and a
traceback for a file that is not there or not UTF-8, nests brackets by the thousand, or has a number of thousands of
digits. `styletransfer plan` has one message for each. Snakemake takes every word behind `--configfile` for a file as
well, so a target comes first: `snakemake partial --configfile my-study.yaml`. See also [SECURITY.md](../SECURITY.md).
"""


def page() -> str:
    """docs/bad_input.md."""
    parts = [HEAD]
    for group in dict.fromkeys(case.group for case in CASES):
        rows = [f"| {_cell(case.what)} | {_cell(_code(case.message))} |" for case in CASES if case.group == group]
        parts.append("\n".join([f"## {group}\n", "| given | the message says |", "|---|---|", *rows]) + "\n")
    rows = [f"| {what} | {becomes} | `{test}` |" for what, becomes, test in ACCEPTED]
    parts.append("\n".join(["## Accepted\n", "| given | becomes | test |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _code(words: str) -> str:
    return f"`{words}`"


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
