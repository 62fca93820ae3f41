"""`gradients.AnalyticGradient` for pictures of any size: the first blocks of the network are computed in bands of rows.

Gram matrices and content terms are sums over positions, so they are those of the whole picture, without seams. Going
forward, a band adds its share to them and leaves its rows after the last pooling; nothing else of it is kept. Going
back, it is computed again, and what its positions contribute to the gradient is added over its whole window.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from styletransfer.optim.gradients import AnalyticGradient, LayerLosses, content_grad, gram_sum, through_gram
from styletransfer.vgg.bands import SEGMENTS, Band, Segment


class BandedGradient(AnalyticGradient):
    """What `AnalyticGradient` computes, but for rounding; of up to 1024 x 1024 pixels to the bit."""

    def evaluate(
        self, x: tf.Tensor, names: Sequence[str], layer_losses: LayerLosses
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """As `AnalyticGradient` has it."""
        height, width = x.shape[1:3]
        segment = next((segment for segment in SEGMENTS if segment.names[0] == names[0]), None)
        if segment is None or height * width <= segment.largest or len(parts := segment.bands(height, width)) == 1:
            return super().evaluate(x, names, layer_losses)
        own, deeper = names[: len(segment.names)], names[len(segment.names) :]
        layers = _Layers(self, segment, x, own, bool(deeper), layer_losses)
        results = _one_by_one(parts, layers.forward)
        pooled = [_rows(found.pop("pooled")) for found in results] if deeper else []
        values, of_grams = layers.terms(results)
        after, pooled_grad = list(values.values()), None
        if deeper:
            found, pooled_grad = self.evaluate(tf.concat(pooled, axis=0)[tf.newaxis], deeper, layer_losses)
            # Only then bands are computed again: deeper layers take no memory any more.
            values, after = values | found, [pooled_grad]
        signature = tf.TensorSpec((parts[-2].window_rows, *x.shape[2:]), tf.float32)
        windows = _one_by_one(parts, functools.partial(layers.backward, of_grams, pooled_grad), after, signature)
        return values, tf.cast(_added(parts, windows, x.shape[1:])[tf.newaxis], x.dtype)


class _Layers(NamedTuple):
    """Layers of a segment, and what looks at them.

    Args:
        loss: that computes them.
        segment: that they begin.
        x: their input, (1, H, W, C).
        names: such as `1_1`.
        is_pooled: whether deeper layers follow.
        layer_losses: the losses.
    """

    loss: AnalyticGradient
    segment: Segment
    x: tf.Tensor
    names: Sequence[str]
    is_pooled: bool
    layer_losses: LayerLosses

    def forward(self, band: Band) -> dict[str, tf.Tensor]:
        """A band's share in each content term and in the sum of each Gram matrix; its rows after the last pooling."""
        activations, pooled = self.loss.forward(band.window(self.x), self.names, self.is_pooled)
        found = {"pooled": band.of_window(pooled[self.names[-1]], self.segment.scale)[0]} if self.is_pooled else {}
        for name, X in activations.items():
            layer, own = f"relu{name}", band.of_window(X, self.segment.scale_of(name))
            if (P := self.layer_losses.targets.content.get(layer)) is not None:
                found[f"content_{layer}"], _ = self._content_grad(band, layer, own, P)
            if layer in self.layer_losses.targets.style:
                found[f"style_{layer}"] = gram_sum(own)
        return found

    def terms(self, results: Sequence[Mapping[str, tf.Tensor]]) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """The terms by name, from the shares of all bands; what `LayerLosses.style_grad` says of each style layer."""
        values = {term: tf.add_n([tf.reduce_sum(found[term], axis=0) for found in results]) for term in results[0]}
        of_grams: dict[str, tf.Tensor] = {}
        for term, total in values.items():
            kind, _, layer = term.partition("_")
            if kind == "style":
                height, width = (-(-side // self.segment.scale_of(layer)) for side in self.x.shape[1:3])
                size = height * width * total.shape[-1]
                values[term], of_grams[layer] = self.layer_losses.style_grad(layer, total / float(size), size)
        return values, of_grams

    def backward(self, of_grams: Mapping[str, tf.Tensor], pooled_grad: tf.Tensor | None, band: Band) -> tf.Tensor:
        """What a band contributes to the gradient with respect to its window, (rows, W, C) float32.

        Args:
            of_grams: what `terms` returns.
            pooled_grad: the gradient after the last pooling, (1, h, w, C).
            band: whose positions count.
        """

        def losses_at(layer: str, X: tf.Tensor) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
            scale = self.segment.scale_of(layer)
            own = band.of_window(X, scale)
            grads = [through_gram(own, of_grams[layer])] if layer in of_grams else []
            if (P := self.layer_losses.targets.content.get(layer)) is not None:
                _, grad = self._content_grad(band, layer, own, P)
                grads.append(tf.cast(self.layer_losses.weight[f"content_{layer}"] * grad, own.dtype))
            return {}, [band.in_window(tf.add_n(grads), scale)] if grads else []

        activations, pooled = self.loss.forward(band.window(self.x), self.names, self.is_pooled)
        scale = self.segment.scale
        grads = [] if pooled_grad is None else [band.in_window(band.of_whole(pooled_grad, scale), scale)]
        return tf.cast(self.loss.backward(activations, pooled, grads, losses_at)[1][0], tf.float32)

    def _content_grad(self, band: Band, layer: str, own: tf.Tensor, P: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The share of a band's rows of a layer, (1, h, w, C), in its content term; and its gradient, like them."""
        share = own.shape.num_elements() / P.shape.num_elements()
        value, grad = content_grad(own, band.of_whole(P[tf.newaxis], self.segment.scale_of(layer))[0])
        return share * value, share * grad


def _one_by_one(
    parts: Sequence[Band], compute: Callable[[Band], Any], after: Sequence[tf.Tensor] = (), signature: Any = None
) -> list[Any]:
    """What is computed for each band, one after another: results of the first, of all between, and of the last.

    Those between are alike, so that they share a graph. Each result has a leading axis.

    Args:
        parts: at least two bands.
        compute: for one.
        after: what is computed before.
        signature: of the results between; by default they are like the first's.
    """
    first, *inner, last = parts
    with tf.control_dependencies(after):
        found = compute(first)
    results = [tf.nest.map_structure(lambda tensor: tensor[tf.newaxis], found)]
    if inner:
        with tf.control_dependencies(tf.nest.flatten(results)):
            between = tf.map_fn(
                lambda row: compute(inner[0]._replace(first=row)),
                tf.constant([band.first for band in inner]),
                fn_output_signature=signature or tf.nest.map_structure(tf.TensorSpec.from_tensor, found),
                parallel_iterations=1,
            )
        results.append(between)
    with tf.control_dependencies(tf.nest.flatten(results)):
        results.append(tf.nest.map_structure(lambda tensor: tensor[tf.newaxis], compute(last)))
    return results


def _rows(stacked: tf.Tensor) -> tf.Tensor:
    """(bands, rows, w, C) to (bands * rows, w, C)."""
    return tf.reshape(stacked, (-1, *stacked.shape[2:]))


def _added(parts: Sequence[Band], windows: Sequence[tf.Tensor], shape: Sequence[int]) -> tf.Tensor:
    """The sum of windows, (bands, rows, W, C), each at its place in a picture of that shape, (H, W, C)."""
    places = [band.first - band.above + np.arange(band.window_rows) for band in parts]
    rows = np.concatenate(places)[:, np.newaxis]
    return tf.tensor_scatter_nd_add(tf.zeros(shape), rows, tf.concat([_rows(window) for window in windows], axis=0))
