"""One picture in memory: `stylize`, and the pieces of which commands, benchmarks and tests make their runs as well.

TensorFlow is loaded only by what is called: whoever computes for a study leases a device first.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from styletransfer.devices import precision, tf_setup
from styletransfer.errors import InputError
from styletransfer.images import color
from styletransfer.images.io import read_image
from styletransfer.images.resize import check_size, resize, resize_to_width
from styletransfer.optim import terms
from styletransfer.optim.history import History
from styletransfer.settings import IN_MEMORY, Settings
from styletransfer.stages import widths
from styletransfer.vgg.weights import SMALLEST_SIDE, Weights

if TYPE_CHECKING:
    from styletransfer.optim.loop import Optimization, Stepper
    from styletransfer.optim.losses import Targets
    from styletransfer.optim.pyramid import Pyramid
    from styletransfer.vgg.network import VGG19

# What a user may give for a picture: the path of a file, a Pillow image, or (H, W, 3) uint8 RGB.
Picture = str | os.PathLike[str] | Image.Image | np.ndarray

NOISE_SCALE = 0.256


class Backend(NamedTuple):
    """How the loss and its gradient are computed: `analytic` or by `autodiff`, and whether XLA compiles it."""

    gradient: str
    compiled: bool


# Their results are equal but for rounding.
BACKENDS = {
    "analytic": Backend("analytic", False),
    "autodiff": Backend("autodiff", False),
    "analytic-xla": Backend("analytic", True),
    "autodiff-xla": Backend("autodiff", True),
}
BACKEND_CHOICES = ("auto", *BACKENDS)
# Steps that a GPU takes per call: at 128 pixels it would wait for Python otherwise. A CPU has nothing to gain.
STEPS_PER_CALL = {"cpu": 1, "gpu": 10}


@dataclass(frozen=True)
class Iterate:
    """What a callback gets after each evaluation: the number of steps so far, and the losses by name."""

    iteration: int
    losses: Mapping[str, float]
    _paint: Callable[[], np.ndarray] = dataclasses.field(repr=False)

    @property
    def image(self) -> np.ndarray:
        """The picture after these steps, (H, W, 3) uint8 RGB; the one before if its loss is not finite.

        Of a run of several stages it has the size of its stage.
        """
        return self._paint()


def stylize(
    content: Picture,
    styles: Picture | list[Picture] | tuple[Picture, ...],
    settings: Settings,
    weights: Weights,
    callback: Callable[[Iterate], object] | None = None,
    *,
    initial: Picture | None = None,
) -> tuple[np.ndarray, History]:
    """Paint a content picture in the style of others, as a run with these settings does, without any file.

    It computes on what TensorFlow finds: the first GPU that CUDA_VISIBLE_DEVICES shows, else the CPU.

    Args:
        content: the picture to paint: the path of a file, a Pillow image, or (H, W, 3) uint8 RGB; of any size.
        styles: a picture or several, likewise. Each is resized to its `style_scales` times the result's width.
        settings: such as `Settings(width=256, iterations=30)`; pictures and weights that it names are not looked at.
        weights: the network's, from `load_weights`.
        callback: called with an `Iterate` after each evaluation of the loss: `iterations` + 1 times.
        initial: where to start, in place of the content. Settings must not ask for pure noise, as their default does.

    Returns:
        The picture with the lowest total loss, (H, W, 3) uint8 RGB; and the history of all evaluations:
        `history.losses(k)` are those of the picture after k steps, `history.best_iteration` is the returned picture's.
        If the loss diverges, the picture is the last with a finite loss, and `history.diverged` says so.

    Raises:
        InputError: for a picture, a number of styles or a setting that cannot be used.

    Source:
        Gatys, Ecker & Bethge 2015, arXiv:1508.06576.

    Example:
        from PIL import Image
        from styletransfer import Settings, load_weights, stylize

        settings = Settings(width=256, iterations=40, optimizer="lbfgs", tv_weight=1, initial_noiseblend=0)
        image, history = stylize("photo.png", ["art.png"], settings, load_weights("vgg16"))
        Image.fromarray(image).save("result.png")
    """
    given = styles if isinstance(styles, list | tuple) else [styles]
    settings = _for_styles(settings, len(given))
    if initial is not None and settings.initial is None:
        raise InputError("initial is given, but the settings start from pure noise: set initial_noiseblend=0 as well")
    start = None if initial is None else _pixels(initial, "initial")
    names = [f"style {number}" for number in range(1, len(given) + 1)]
    pictures = fit_stages(settings, _pixels(content, "content"), list(map(_pixels, given, names)), start)
    if "tensorflow" not in sys.modules:
        tf_setup.load_tensorflow(None)
    # With a callback a picture must be that of its iteration.
    engine = build(weights, settings, resolve(settings, steps_per_call=1 if callback else None))
    seen = [recolored(settings, of_stage) for of_stage in pictures]
    optimization = engine.pyramid(settings, seen, lambda stage: engine.targets(settings, seen[stage]))
    history = History(settings)

    def painted() -> np.ndarray:
        content = pictures[optimization.stage].content
        return color.finished(engine.network.postprocess(optimization.last), content, settings.colors)

    for evaluation in optimization.run():
        history.add(evaluation)
        if callback is not None:
            callback(Iterate(evaluation.iteration, history.losses(evaluation.iteration), painted))
    return color.finished(engine.result(optimization, history), pictures[-1].content, settings.colors), history


def _for_styles(settings: Settings, count: int) -> Settings:
    """The same for that many styles, if the settings name none."""
    if count and settings.styles == (IN_MEMORY,):
        return dataclasses.replace(settings, styles=(IN_MEMORY,) * count)
    if count != len(settings.styles):
        raise InputError(f"{count} style pictures are given, and the settings are for {len(settings.styles)}")
    return settings


def _pixels(picture: Picture, name: str) -> np.ndarray:
    """A picture as (H, W, 3) uint8 RGB."""
    if isinstance(picture, str | os.PathLike):
        return read_image(Path(picture))
    pixels = np.asarray(picture.convert("RGB") if isinstance(picture, Image.Image) else picture)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise InputError(
            f"{name} is an array of {pixels.dtype} of shape {pixels.shape}: it must be (H, W, 3) uint8 RGB"
        )
    return pixels


class Pictures(NamedTuple):
    """(H, W, 3) RGB in 0..255, each at the size that the run wants. initial: None for pure noise."""

    content: np.ndarray
    styles: list[np.ndarray]
    initial: np.ndarray | None


def fit(
    settings: Settings,
    content: np.ndarray,
    styles: Iterable[np.ndarray],
    initial: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    width: int | None = None,
) -> Pictures:
    """Pictures at the sizes that a run wants.

    Args:
        settings: the width, and the scale of each style.
        content: (H, W, 3) uint8 RGB, like the others.
        styles: one for each that the settings name.
        initial: where the run starts; None for the content, if it does not start from noise.
        names: of content and styles, for messages.
        width: of the stage; default: that of the result.

    Raises:
        InputError: for a picture that would be too small for the network, or too large.
    """
    names = names or ["content", *(f"style {number}" for number in range(1, len(settings.styles) + 1))]
    width = width or settings.width or content.shape[1]
    fitted = _scaled(content, width, f"the result ({names[0]}, width {width})", SMALLEST_SIDE)
    scaled = [
        _scaled(style, round(scale * width), f"{name} (scale {scale:g} of width {width})")
        for style, scale, name in zip(styles, settings.style_scales, names[1:], strict=True)
    ]
    if settings.initial is None or initial is None:
        return Pictures(fitted, scaled, None if settings.initial is None else fitted)
    return Pictures(fitted, scaled, resize(initial, width, fitted.shape[0]))


def fit_stages(
    settings: Settings,
    content: np.ndarray,
    styles: Sequence[np.ndarray],
    initial: np.ndarray | None = None,
    names: Sequence[str] | None = None,
) -> list[Pictures]:
    """Pictures at the sizes that each stage of a run wants. Arguments and errors are those of `fit`."""
    width = settings.width or content.shape[1]
    return [fit(settings, content, styles, initial, names, of_stage) for of_stage in widths(settings.stages, width)]


def recolored(settings: Settings, pictures: Pictures) -> Pictures:
    """The pictures in the colours that the network sees, as `colors` says. Gray is only what the losses look at."""
    content, styles, initial = pictures
    if settings.colors == "luminance":
        content, styles = color.gray(content), [color.gray(style) for style in styles]
    if settings.colors in ("matched", "luminance"):
        styles = [color.match_colors(style, content) for style in styles]
    return Pictures(content, styles, initial)


def _scaled(pixels: np.ndarray, width: int, what: str, smallest: int = 1) -> np.ndarray:
    height, old_width = pixels.shape[:2]
    check_size(what, (old_width, height), width, smallest)
    return resize_to_width(pixels, width)


class Computation(NamedTuple):
    """How a run is computed: what `auto` is on a device of that kind (`cpu` or `gpu`)."""

    kind: str
    precision: str
    backend: str
    steps_per_call: int


def resolve(settings: Settings, backend: str = "auto", steps_per_call: int | None = None) -> Computation:
    """How the device that TensorFlow sees computes a run. TensorFlow may then use TensorFloat-32 or not, as it says.

    Args:
        settings: the precision.
        backend: one of `BACKEND_CHOICES`.
        steps_per_call: steps that the device takes without Python; by default those of `STEPS_PER_CALL`.

    Raises:
        InputError: for a precision that the device does not compute in.
    """
    import tensorflow as tf

    kind = tf_setup.device_kind()
    used = precision.resolve(settings.precision, kind)
    tf.config.experimental.enable_tensor_float_32_execution(used == "tensorfloat32")
    backend = precision.DEFAULT_BACKEND[kind, used] if backend == "auto" else backend
    return Computation(kind, used, backend, steps_per_call or STEPS_PER_CALL[kind])


class Engine(NamedTuple):
    """The network, and what takes steps with it: for all runs of equal `traits` and `Computation`."""

    network: VGG19
    stepper: Stepper

    def targets(self, settings: Settings, pictures: Pictures) -> Targets:
        """What the result of a run is compared with."""
        from styletransfer.optim import losses

        return losses.measure_targets(self.network, settings, pictures.content, pictures.styles)

    def begin(self, settings: Settings, targets: Targets, pictures: Pictures) -> Optimization:
        """The optimisation of a run of one stage, at its start."""
        from styletransfer.optim import loop

        self.network.kernels.forget()
        return loop.Optimization(self.stepper, targets, settings, self._start(settings, pictures))

    def pyramid(self, settings: Settings, pictures: Sequence[Pictures], targets: Callable[[int], Targets]) -> Pyramid:
        """The optimisation of a run, at its start. pictures, targets: of each stage."""
        from styletransfer.optim import pyramid

        def measured(stage: int) -> Targets:
            found = targets(stage)
            self.network.kernels.forget()  # steps have their own
            return found

        sizes = [fitted.content.shape for fitted in pictures]
        return pyramid.Pyramid(self.stepper, measured, settings, self._start(settings, pictures[0]), sizes)

    def _start(self, settings: Settings, pictures: Pictures) -> np.ndarray:
        initial = None if pictures.initial is None else self.network.preprocess(pictures.initial).numpy()
        start = starting_image(settings, initial, pictures.content.shape)
        if settings.colors == "luminance":
            start = self.network.preprocess(color.gray(self.network.postprocess(start))).numpy()
        return start

    def result(self, optimization: Pyramid, history: History) -> np.ndarray:
        """The best picture, or the last of a run that diverged: (H, W, 3) float32 RGB, not yet clipped to 0..255."""
        return self.network.postprocess(optimization.result(history.diverged))


def traits(settings: Settings) -> tuple[str, str, bool, str]:
    """What of a run's settings is part of its engine."""
    deepest = max(terms.layers(settings))
    return settings.pooling, settings.kernel_layout, settings.colors == "luminance", deepest


def build(weights: Weights, settings: Settings, how: Computation) -> Engine:
    """The engine for runs like this one.

    Args:
        weights: the network's.
        settings: their `traits`.
        how: what `resolve` says.
    """
    from styletransfer.optim import banded, loop, losses
    from styletransfer.vgg.network import VGG19

    gradient, compiled = BACKENDS[how.backend]
    pooling, layout, is_gray, deepest = traits(settings)
    network = VGG19(weights, pooling, layout, how.precision, compiled, deepest.removeprefix("relu"))
    loss = banded.BandedGradient(network) if gradient == "analytic" else losses.AutodiffGradient(network)
    return Engine(network, loop.Stepper(losses.of_luma(loss) if is_gray else loss, compiled, how.steps_per_call))


def starting_image(settings: Settings, initial: np.ndarray | None, shape: tuple[int, int, int]) -> np.ndarray:
    """The image before the first step: noise of standard deviation 0.256, blended with an initial image if any.

    Args:
        settings: the share of noise, and its seed.
        initial: (H, W, 3) less the mean pixel, or None for pure noise.
        shape: (H, W, 3), of the result.

    Returns:
        (H, W, 3) float32, less the mean pixel.
    """
    noise_share = np.float32(settings.initial_noiseblend)
    if initial is not None and noise_share == 0:
        return np.asarray(initial, np.float32)
    noise = NOISE_SCALE * np.random.default_rng(settings.seed).standard_normal(shape, dtype=np.float32)
    if initial is None:
        return noise.astype(np.float32)
    return ((1 - noise_share) * np.asarray(initial, np.float32) + noise_share * noise).astype(np.float32)
