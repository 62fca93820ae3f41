"""How much of the style a picture has reached and how much of the content it keeps, by what no loss looks at.

Layers that no loss uses, other statistics, two anchors for each number; so runs with any settings compare. All of it in
NumPy; only the features are the network's.
"""

import numpy as np

from styletransfer.images.resize import resize, resize_to_width, to_uint8

SIZE = 256  # the longer side of what is measured, so that widths compare
SCALES = (0.71, 1, 1.41)  # of the style: "that style, at its best size"
STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
CONTENT_LAYERS = ("relu2_2", "relu3_3", "relu4_3")
ACROSS = 24  # positions that are compared, along the longer side


class Ruler:
    """Two numbers for pictures made of one content and one style. Pictures are (H, W, 3) uint8 RGB."""

    def __init__(self, network, content, style):
        self._network = network
        features = self._features(content)
        self._content = {layer: self_similarity(features[layer]) for layer in CONTENT_LAYERS}
        height, width = content.shape[:2]
        other = self._features(to_uint8(resize(style, width, height)))
        self._farthest = {layer: self._lost(other, layer) for layer in CONTENT_LAYERS}
        own = statistics(features)
        self._styles = []
        for scale in SCALES:
            found = self._features(style, scale)
            whole = statistics(found)
            left = statistics({layer: F[:, : F.shape[1] // 2] for layer, F in found.items()})
            right = statistics({layer: F[:, F.shape[1] // 2 :] for layer, F in found.items()})
            nearest = {layer: distance(left[layer], right[layer]) for layer in STYLE_LAYERS}
            self._styles.append((whole, nearest, {layer: distance(own[layer], whole[layer]) for layer in STYLE_LAYERS}))

    def style_reached(self, picture):
        """0: as far from the style as the content is; 1: as near as one half of the style is to the other."""
        found = statistics(self._features(picture))
        return max(
            np.mean([(far[k] - distance(found[k], whole[k])) / (far[k] - near[k]) for k in STYLE_LAYERS])
            for whole, near, far in self._styles
        )

    def content_kept(self, picture):
        """1: the content picture; 0: the style in its place. Colour and brushwork hardly count (Kolkin et al. 2019)."""
        features = self._features(picture)
        return 1 - np.mean([self._lost(features, layer) / self._farthest[layer] for layer in CONTENT_LAYERS])

    def _lost(self, features, layer):
        return np.abs(self_similarity(features[layer]) - self._content[layer]).mean()

    def _features(self, picture, scale=1.0):
        height, width = picture.shape[:2]
        scaled = resize_to_width(picture, round(scale * SIZE * width / max(height, width)))
        features = self._network.features(self._network.preprocess(scaled), STYLE_LAYERS)
        return {layer: F.numpy().astype(np.float64) for layer, F in features.items()}


def statistics(features):
    """Mean (C,) and covariance (C, C) over the positions of each layer."""
    flat = {layer: F.reshape(-1, F.shape[-1]) for layer, F in features.items()}
    return {layer: (F.mean(0), np.cov(F.T, bias=True)) for layer, F in flat.items()}


def distance(one, other):
    """The 2-Wasserstein distance of two Gaussians."""
    (m1, S1), (m2, S2) = one, other
    values, vectors = np.linalg.eigh(S1)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    shared = np.sqrt(np.linalg.eigvalsh(root @ S2 @ root).clip(0)).sum()
    return np.sqrt(max(0.0, ((m1 - m2) ** 2).sum() + np.trace(S1) + np.trace(S2) - 2 * shared))


def self_similarity(F):
    """Cosine distances between all pairs of positions of an (h, w, C) layer, rows summing to 1."""
    step = max(1, round(max(F.shape[:2]) / ACROSS))
    height, width = (side // step for side in F.shape[:2])
    cells = F[: height * step, : width * step].reshape(height, step, width, step, -1).mean((1, 3))
    unit = cells.reshape(height * width, -1)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    return distances / distances.sum(1, keepdims=True)
