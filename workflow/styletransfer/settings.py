"""What a run is: its settings, their limits, and the identity that follows from them.

Two runs with the same settings give the same picture, so a run is named by a hash of its settings and nothing else:
labels, resources and the place in a study stay out. Reading files and computing are left to the floors above.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from styletransfer import parameters
from styletransfer import stages as coarse_to_fine
from styletransfer.errors import InputError
from styletransfer.parameters import parameter, rounded

# Raised when equal settings begin to give other pixels; every run is then computed again. An option added later keeps
# the number as long as its default leaves the pixels alone: only values that differ from the defaults are hashed.
NUMERICS = 1

HASH_DIGITS = 12


@dataclass(frozen=True)
class Artifact:
    """A file that a run is made of: a picture or the network's weights. The checksum tells what it holds.

    Instead of a digest the checksum may be the recipe of a file that is generated, such as `strokes@1`.
    """

    name: str
    checksum: str

    @property
    def digest(self) -> str:
        """16 hex digits for file names: equal only for equal artifacts."""
        return hashlib.sha256(f"{self.name}\n{self.checksum}".encode()).hexdigest()[:16]


WIDTHS = {"minimum": 1, "maximum": 16384, "integer": True}
# The content layer that has what `content_weight_blend` leaves.
REST_LAYER = "relu5_2"
# Of settings that name no pictures and weights, since they come as arrays: see `optim.stylize`.
IN_MEMORY = Artifact("in memory", "")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that decides the pixels of one run, under the reference program's names and with its defaults.

    Values are checked and brought to one form on creation: equal runs compare equal however they were written.
    Raises `InputError` that names the key, the value and what is allowed. Without content, styles and weights they are
    settings for pictures in memory, which have no `run_id`: as many styles as the values of each style tell.
    """

    content: Artifact = IN_MEMORY
    styles: tuple[Artifact, ...] = (IN_MEMORY,)
    weights: Artifact = IN_MEMORY

    width: int | None = parameter(None, "width of the result in pixels; default: the content picture's", **WIDTHS)
    iterations: int = parameter(
        1000,
        "number of optimisation steps, each with one evaluation of the loss; L-BFGS from the content picture wants "
        "about 40, Adam from noise hundreds",
        minimum=1,
        maximum=10_000_000,
        integer=True,
    )
    stages: int | tuple[int, ...] = parameter(
        1,
        "number of sizes that the picture is made at in turn, coarse to fine, each 1.41 times as wide as the one "
        "before; or the width of each. They share the iterations equally, and the last one takes the remainder",
        minimum=1,
        maximum=coarse_to_fine.MOST,
        integer=True,
        widths=WIDTHS,
    )
    content_weight: float = parameter(5.0, "weight of the content loss; higher: more of the photograph", minimum=0)
    content_layers: str = parameter(
        "relu4_2", "layers of the content loss, each with a weight; only their ratio counts", layers=True
    )
    content_weight_blend: float = parameter(
        1.0, "share of content_layers in the content loss; the rest is relu5_2's", minimum=0, maximum=1
    )
    style_weight: float = parameter(500.0, "weight of the style loss; higher: more of the artwork", minimum=0)
    style_scales: tuple[float, ...] = parameter(
        (1.0,),
        "width of each style picture relative to the result's; higher: larger strokes",
        above=0,
        maximum=100,
        per_style=True,
    )
    style_blend_weights: tuple[float, ...] = parameter(
        (1.0,), "share of each style, normalised to sum 1", minimum=0, per_style=True
    )
    style_layers: str = parameter(
        "relu1_1+relu2_1+relu3_1+relu4_1+relu5_1",
        "layers of the style loss, each with a weight; only their ratio counts",
        layers=True,
    )
    style_layer_weight_exp: float = parameter(
        1.0,
        "ratio of the weights of successive style layers, beside those of style_layers",
        minimum=0,
        maximum=1_000_000,
    )
    tv_weight: float = parameter(100.0, "weight of the total variation loss; higher: smoother", minimum=0)
    optimizer: str = parameter(
        "adam", "how the loss is minimised: Adam, or L-BFGS, which needs fewer evaluations", choices=("adam", "lbfgs")
    )
    learning_rate: float = parameter(
        10.0, "Adam's learning rate, in grey levels; for L-BFGS the length of the first step", above=0
    )
    beta1: float = parameter(0.9, "Adam's decay of the mean gradient", minimum=0, maximum=0.999999999)
    beta2: float = parameter(0.999, "Adam's decay of the mean squared gradient", minimum=0, maximum=0.999999999)
    eps: float = parameter(1e-8, "Adam's epsilon", above=0)
    initial: Artifact | None = None
    initial_noiseblend: float | None = parameter(
        None,
        "share of noise in the initial image. 0: start from the picture, recognisable after a few steps; 1: from "
        "noise; default: 1 without an initial picture, else 0",
        minimum=0,
        maximum=1,
    )
    pooling: str = parameter("max", "how VGG-19 pools", choices=("max", "avg"))
    colors: str = parameter(
        "style",
        "whose colours the result has. style: those that the transfer gives it; content: afterwards the content's "
        "chroma on the result's luma; matched: the styles are first given the mean and covariance of the content's "
        "colours; luminance: only luma is transferred, the chroma is the content's",
        choices=("style", "content", "matched", "luminance"),
    )
    seed: int = parameter(0, "seed of the noise", minimum=0, maximum=2**63 - 1, integer=True)
    precision: str = parameter(
        "float32",
        "number format of activations and kernels; tensorfloat32: float32, with fewer digits multiplied on GPUs; "
        "auto: bfloat16 where the device computes in it; bfloat16 is refused on a CPU that does not",
        choices=("float32", "tensorfloat32", "bfloat16", "auto"),
    )
    kernel_layout: str = parameter(
        "correct", "`reference` transposes kernels as the 2018 study did", choices=("correct", "reference")
    )

    def __post_init__(self) -> None:
        if not self.styles:
            raise InputError("styles is empty: name at least one style picture")
        if self.styles == (IN_MEMORY,):
            given = [getattr(self, name) for name, field in PARAMETERS.items() if field.metadata.get("per_style")]
            count = max(len(value) if isinstance(value, list | tuple) else 1 for value in given)
            object.__setattr__(self, "styles", (IN_MEMORY,) * max(1, count))
        for name in PARAMETERS:
            object.__setattr__(self, name, check(name, getattr(self, name), len(self.styles)))
        self._resolve_start()
        self._resolve_stages()

    def _resolve_start(self) -> None:
        """Write the start as one of: pure noise, or a picture with a share of noise."""
        noise = self.initial_noiseblend
        if noise is None:
            noise = 1.0 if self.initial is None else 0.0
        initial = None if noise == 1.0 else self.initial or self.content
        object.__setattr__(self, "initial", initial)
        object.__setattr__(self, "initial_noiseblend", noise)
        if noise == 0.0:  # nothing is drawn, so runs with different seeds are one run
            object.__setattr__(self, "seed", 0)

    def _resolve_stages(self) -> None:
        """Write widths that a number stands for as that number."""
        if isinstance(self.stages, tuple):
            width = self.stages[-1]
            if self.width not in (None, width):
                widths = " ".join(map(str, self.stages))
                raise InputError(
                    f"stages is {widths}, and width is {self.width}: the last stage is the result, so let stages end "
                    "with the width, or leave width out"
                )
            object.__setattr__(self, "width", width)
            number = len(self.stages)
            if list(self.stages) == coarse_to_fine.widths(number, width):
                object.__setattr__(self, "stages", number)
        if self.iterations < (number := coarse_to_fine.count(self.stages)):
            raise InputError(
                f"iterations is {self.iterations}, for {number} stages that share them: each stage needs at least one"
            )

    @functools.cached_property
    def run_id(self) -> str:
        """The run's name: readable words, then the first digits of the hash of `canonical()`."""
        digest = hashlib.sha256(to_json(self.canonical()).encode()).hexdigest()[:HASH_DIGITS]
        return f"{self._slug()}-{digest}"

    def canonical(self) -> dict[str, Any]:
        """What is hashed: the artifacts, the numerics version, and every value that is not the default.

        Raises `InputError` for settings that name no content, styles and weights.
        """
        if IN_MEMORY in (self.content, *self.styles, self.weights):
            raise InputError(
                "these settings are for pictures in memory, and no run: name content, styles and weights, each as "
                "Artifact(name, checksum)"
            )
        usual = _defaults(len(self.styles))
        different = {name: value for name, value in self.values().items() if value != usual[name]}
        return {"numerics": NUMERICS, **self._artifacts(), **different}

    def values(self) -> dict[str, Any]:
        """Every parameter with its value, as plain Python types."""
        values = {name: getattr(self, name) for name in PARAMETERS}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def unused(self) -> dict[str, str]:
        """What makes no difference to this run, whatever its value: parameters, or `initial`, each with the reason."""
        without_style = ("style_scales", "style_blend_weights", "style_layers", "style_layer_weight_exp")
        without_network = ("pooling", "kernel_layout")
        nothing = self.content_weight == self.style_weight == self.tv_weight == 0
        without_steps = ("iterations", "optimizer", "learning_rate", "beta1", "beta2", "eps")
        reasons = (
            (self.optimizer == "lbfgs", "optimizer is lbfgs", ("beta1", "beta2", "eps")),
            (len(self.styles) == 1, "there is one style", ("style_blend_weights",)),
            ("+" not in self.style_layers, "there is one style layer", ("style_layer_weight_exp",)),
            (self.content_layers == REST_LAYER, f"{REST_LAYER} is all there is", ("content_weight_blend",)),
            (self.content_weight_blend == 0, "content_weight_blend is 0", ("content_layers",)),
            (self.style_weight == 0, "style_weight is 0", without_style),
            (self.style_weight == 0 and self.colors == "matched", "style_weight is 0", ("colors",)),
            (self.content_weight == 0, "content_weight is 0", ("content_layers", "content_weight_blend")),
            (self.content_weight == self.style_weight == 0, "content_weight and style_weight are 0", without_network),
            (nothing, "all weights are 0, so that nothing is minimised", without_steps),
            (self.initial_noiseblend == 0, "initial_noiseblend is 0, so that no noise is drawn", ("seed",)),
            (self.initial_noiseblend == 1, "initial_noiseblend is 1, which starts from noise alone", ("initial",)),
        )
        return {name: reason for holds, reason, names in reasons if holds for name in names}

    def _artifacts(self) -> dict[str, Any]:
        artifacts: dict[str, Any] = {
            "content": dict(vars(self.content)),
            "styles": [dict(vars(style)) for style in self.styles],
            "weights": dict(vars(self.weights)),
        }
        if self.initial is not None:
            artifacts["initial"] = dict(vars(self.initial))
        return artifacts

    def _slug(self) -> str:
        pictures = f"{self.content.name[:20]}-{'+'.join(style.name for style in self.styles)[:30]}"
        width = "" if self.width is None else f"-{self.width}px"
        scale = max(self.style_scales)
        values = (
            f"lr{self.learning_rate:.4g}-ss{scale:.4g}-cb{self.content_weight_blend:.4g}"
            f"-sw{self.style_weight:.4g}-tv{self.tv_weight:.4g}-le{self.style_layer_weight_exp:.4g}"
        )
        return re.sub(r"[^A-Za-z0-9.+_-]", "_", f"{pictures}{width}-{values}").lstrip(".-")


# The parameters by name, in the order of their definition. Artifacts are not parameters.
PARAMETERS: dict[str, dataclasses.Field] = {f.name: f for f in dataclasses.fields(Settings) if f.metadata}


def default_of(name: str, styles: int = 1) -> Any:
    """The default of a parameter, as a plain Python value for a run with that many styles."""
    default = PARAMETERS[name].default
    if name == "initial_noiseblend":
        return 1.0
    if name == "style_scales":
        return [1.0] * styles
    if name == "style_blend_weights":
        return [rounded(1 / styles)] * styles
    return default


@functools.cache
def _defaults(styles: int) -> dict[str, Any]:
    return {name: default_of(name, styles) for name in PARAMETERS}


def is_default(name: str, value: Any, styles: int = 1) -> bool:
    """Whether a value of a parameter is what a run has that does not name it."""
    checked = check(name, value, styles)
    return (list(checked) if isinstance(checked, tuple) else checked) in (default_of(name, styles), None)


def check(name: str, value: Any, styles: int = 1) -> Any:
    """Return `value` in the one form that parameter `name` has, or raise `InputError` if it is out of its limits."""
    if value is None:
        if PARAMETERS[name].default is None:
            return None
        raise InputError(f"{name} has no value: give a value or leave the key out for its default")
    # Most values are those of most other runs of a study.
    return (_checked_once if type(value) in (str, int, float) else _checked)(name, value, styles)


def _checked(name: str, value: Any, styles: int) -> Any:
    return parameters.checked(name, value, PARAMETERS[name].metadata, styles)


_checked_once = functools.lru_cache(maxsize=None, typed=True)(_checked)


def allowed(name: str) -> str:
    """What values parameter `name` takes, in words."""
    return parameters.allowed(PARAMETERS[name].metadata)


def to_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, ASCII, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def from_canonical(canonical: Mapping[str, Any]) -> Settings:
    """The settings that `Settings.canonical()` was made from.

    Raises `InputError` for another numerics version, missing artifacts, or unknown or bad values.
    """
    if not isinstance(canonical, Mapping):
        raise InputError(f"settings are {type(canonical).__name__}, not a mapping: take `identity` of a run.json")
    fields = dict(canonical)
    numerics = fields.pop("numerics", None)
    if numerics is None:
        raise InputError("settings name no numerics version: take them from `identity` in the run.json of a run")
    if numerics != NUMERICS:
        raise InputError(
            f"settings are of numerics version {numerics!r}, this engine's is {NUMERICS}: use the engine that made them"
        )
    unknown = sorted(set(fields) - set(PARAMETERS) - {"content", "styles", "weights", "initial"})
    if unknown:
        raise InputError(f"unknown settings: {', '.join(unknown)}. This engine knows {', '.join(PARAMETERS)}")
    try:
        artifacts: dict[str, Any] = {key: _artifact(fields.pop(key)) for key in ("content", "weights")}
        artifacts["styles"] = tuple(map(_artifact, fields.pop("styles")))
        if "initial" in fields:
            artifacts["initial"] = _artifact(fields.pop("initial"))
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"settings name no complete content, styles and weights: {error}") from error
    return Settings(**artifacts, **fields)


def _artifact(fields: Mapping[str, Any]) -> Artifact:
    if not all(isinstance(value, str) for value in fields.values()):
        raise TypeError(f"{fields!r} is not text")
    return Artifact(**fields)
