"""How much of the style a picture has reached and how much of the content it keeps, by what no loss looks at.

Losses compare only where layers, scales, weights and sizes agree. These numbers compare over all settings: they look at
layers that no loss uses by default, by other statistics, at one size, and lie between two anchors each.

The network gives the features; all else is NumPy, in double precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from styletransfer.images.color import LUMA
from styletransfer.images.resize import resize, resize_to_width

if TYPE_CHECKING:
    from styletransfer.vgg.network import VGG19

# Raised when equal pictures begin to give other numbers; all runs are then measured again.
VERSION = 1
# The longer side of what is measured, in pixels: so widths compare.
SIZE = 256
# A style counts at its best size, relative to the picture's: `style_scales` asks for another size, not for less style.
SCALES = (0.5, 0.71, 1.0, 1.41, 2.0)
STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
CONTENT_LAYERS = ("relu2_2", "relu3_3", "relu4_3")
# Positions that are compared with each other, along the longer side.
ACROSS = 24
TINY = 1e-12


class Reading(NamedTuple):
    """What is measured of a picture. A number is NaN where its anchors do not tell style from content.

    Args:
        style_reached: 0 as far from the style as the content is; 1 as near as one half of the style is to the other.
            A little above 1 is possible. Of several styles the mean, by their shares.
        style_size: at which of `SCALES` the first style is reached best.
        content_kept: 1 for the content, 0 for the style in its place.
        ssim: structural similarity to the content, of the lumas: 1 for the content.
        sharpness: strength of the finest detail of the luma, relative to the content's.
    """

    style_reached: float
    style_size: float
    content_kept: float
    ssim: float
    sharpness: float


class Gaussian(NamedTuple):
    """Mean (C,), and covariance (C, C), of the features at all positions of a layer."""

    mean: np.ndarray
    covariance: np.ndarray


Features = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Scale:
    """A style at one size: its statistics, the root of each covariance, and how far its halves are from each other."""

    scale: float
    whole: Mapping[str, Gaussian]
    roots: Mapping[str, np.ndarray]
    halves: Mapping[str, float]

    def distance(self, layer: str, other: Gaussian) -> float:
        """Of a picture's statistics of a layer from the style's."""
        return wasserstein(self.whole[layer], other, self.roots[layer])


def measure_style(network: VGG19, style: np.ndarray) -> list[Scale]:
    """What pictures are held against: a style at each of `SCALES`.

    Args:
        network: in float32.
        style: (H, W, 3) uint8 RGB.
    """
    return [_at_scale(network, style, scale) for scale in SCALES]


def _at_scale(network: VGG19, style: np.ndarray, scale: float) -> Scale:
    found = features(network, at_size(style, scale))
    whole = statistics(found)
    left = statistics({layer: F[:, : (F.shape[1] + 1) // 2] for layer, F in found.items()})
    right = statistics({layer: F[:, F.shape[1] // 2 :] for layer, F in found.items()})
    roots = {layer: square_root(gaussian.covariance) for layer, gaussian in whole.items()}
    return Scale(scale, whole, roots, {layer: wasserstein(left[layer], right[layer]) for layer in STYLE_LAYERS})


class Ruler:
    """Measures pictures that are made of one content and some styles.

    Args:
        network: float32; one and the same for all that is compared.
        content: (H, W, 3) uint8 RGB.
        styles: likewise; the first takes the content's place for the lower end of `content_kept`.
        measured: of each style, by `measure_style`.
        shares: of each style, with sum 1; by default equal.

    Source:
        Self-similarity: Kolkin, Salavon & Shakhnarovich 2019, arXiv:1904.12785.
    """

    def __init__(
        self,
        network: VGG19,
        content: np.ndarray,
        styles: Sequence[np.ndarray],
        measured: Sequence[list[Scale]] | None = None,
        shares: Sequence[float] | None = None,
    ) -> None:
        self._network = network
        self._styles = [measure_style(network, style) for style in styles] if measured is None else list(measured)
        self._shares = np.full(len(styles), 1 / len(styles)) if shares is None else np.asarray(shares)
        shown = at_size(content)
        self._shape = shown.shape[:2]
        found = features(network, shown)
        own = statistics(found)
        self._farthest = [
            [{layer: scale.distance(layer, own[layer]) for layer in STYLE_LAYERS} for scale in scales]
            for scales in self._styles
        ]
        self._content = {layer: self_similarity(found[layer]) for layer in CONTENT_LAYERS}
        instead = features(network, self._fitted(styles[0]))
        self._unlike = {layer: self._change(instead, layer) for layer in CONTENT_LAYERS}
        self._luma = shown @ LUMA

    def measure(self, picture: np.ndarray) -> Reading:
        """All numbers of a picture, (H, W, 3) uint8 RGB, of any size but the content's shape."""
        from skimage.metrics import structural_similarity

        shown = self._fitted(picture)
        found = features(self._network, shown)
        reached = self._reached(statistics(found))
        kept = [1 - _ratio(self._change(found, layer), self._unlike[layer]) for layer in CONTENT_LAYERS]
        own = shown @ LUMA
        return Reading(
            float(self._shares @ [best for best, _ in reached]),
            reached[0][1],
            float(np.mean(kept)),
            float(structural_similarity(own, self._luma, data_range=255)),
            float(_ratio(finest_detail(own), finest_detail(self._luma))),
        )

    def _fitted(self, picture: np.ndarray) -> np.ndarray:
        height, width = self._shape
        return resize(picture, width, height)

    def _reached(self, own: Mapping[str, Gaussian]) -> list[tuple[float, float]]:
        """Of each style how much is reached, and at which size."""
        found = []
        for scales, farthest in zip(self._styles, self._farthest, strict=True):
            reached = [_mean_reached(scale, far, own) for scale, far in zip(scales, farthest, strict=True)]
            best = int(np.argmax(np.nan_to_num(reached, nan=-np.inf)))
            found.append((reached[best], scales[best].scale))
        return found

    def _change(self, found: Features, layer: str) -> float:
        own, content = self_similarity(found[layer]), self._content[layer]
        return float(np.abs(own - content).mean())


def _mean_reached(scale: Scale, far: Mapping[str, float], own: Mapping[str, Gaussian]) -> float:
    """Over the layers."""
    nearer = {layer: far[layer] - scale.distance(layer, own[layer]) for layer in STYLE_LAYERS}
    return float(np.mean([_ratio(nearer[layer], far[layer] - scale.halves[layer]) for layer in STYLE_LAYERS]))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > TINY else np.nan


def features(network: VGG19, picture: np.ndarray) -> Features:
    """(h, w, C) float64 by layer of a picture, (H, W, 3) in 0..255."""
    found = network.features(network.preprocess(picture), STYLE_LAYERS)
    return {layer: F.numpy().astype(np.float64) for layer, F in found.items()}


def at_size(picture: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """(h, w, 3) of a picture, uint8, whose longer side is brought to `SIZE` times `scale`."""
    height, width = picture.shape[:2]
    return resize_to_width(picture, max(1, round(scale * SIZE * width / max(height, width))))


def statistics(found: Features) -> dict[str, Gaussian]:
    """Of each layer over its positions."""
    flat = {layer: F.reshape(-1, F.shape[-1]) for layer, F in found.items()}
    return {layer: Gaussian(F.mean(0), np.cov(F.T, bias=True)) for layer, F in flat.items()}


def square_root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def wasserstein(one: Gaussian, other: Gaussian, root: np.ndarray | None = None) -> float:
    """The 2-Wasserstein distance of two Gaussians. root: of the first one's covariance, if it is known.

    d^2 = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1^1/2 S2 S1^1/2)^1/2).

    Source:
        Olkin & Pukelsheim 1982, doi:10.1016/0024-3795(82)90112-4.
    """
    root = square_root(one.covariance) if root is None else root
    shared = np.sqrt(np.linalg.eigvalsh(root @ other.covariance @ root).clip(0)).sum()
    apart = np.trace(one.covariance) + np.trace(other.covariance) - 2 * shared
    return float(np.sqrt(max(0.0, ((one.mean - other.mean) ** 2).sum() + apart)))


def self_similarity(F: np.ndarray) -> np.ndarray:
    """Cosine distances between all pairs of positions of an (h, w, C) layer, each row with sum 1."""
    step = max(1, round(max(F.shape[:2]) / ACROSS))
    down, across = (min(step, side) for side in F.shape[:2])
    height, width = F.shape[0] // down, F.shape[1] // across
    cells = F[: height * down, : width * across].reshape(height, down, width, across, -1).mean((1, 3))
    cells = cells.reshape(height * width, -1)
    unit = cells / np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), TINY)
    distances = 1 - unit @ unit.T
    return distances / np.maximum(distances.sum(1, keepdims=True), TINY)


def finest_detail(Y: np.ndarray) -> float:
    """The standard deviation of what a blur by one pixel takes away from a luma, (h, w)."""
    from scipy.ndimage import gaussian_filter

    return float(np.std(Y - gaussian_filter(Y, 1.0)))
