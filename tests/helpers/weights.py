"""Weights of made-up values, and a writer of MatConvNet's format."""

import numpy as np
import scipy.io

# Channels of VGG-19 as configuration E of the paper has them: convolutions per block, channels of each.
BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))


def names_and_shapes():
    inputs = 3
    for block, (count, outputs) in enumerate(BLOCKS, start=1):
        for number in range(1, count + 1):
            yield f"conv{block}_{number}", (3, 3, inputs, outputs)
            inputs = outputs


def random_layers(shapes):
    """{layer: (kernel, bias)}; the values tell height, width, in and out apart."""
    generator = np.random.default_rng(19)
    return {
        name: (generator.random(shape, np.float32) - 0.5, generator.random(shape[-1], np.float32))
        for name, shape in shapes
    }


def cell(*items):
    array = np.empty((1, len(items)), object)
    array[0, :] = items
    return array


def write_matconvnet(path, layers, average, *, old=False, separate=False, bias_row=False):
    """MatConvNet's simplenn layout: a cell of structs, with layers of other kinds between the convolutions."""
    written = []
    for name, (kernel, bias) in layers.items():
        vector = bias.reshape(1, -1) if bias_row else bias.reshape(-1, 1)
        arrays = {"filters": kernel, "biases": vector} if separate else {"weights": cell(kernel, vector)}
        written += [
            {"type": "conv", "name": name, "stride": 1.0, **arrays},
            {"type": "relu", "name": f"relu{name[4:]}"},
        ]
    written += [{"type": "conv", "name": "fc8", "weights": cell(np.zeros((1, 1, 4, 5)), np.zeros((5, 1)))}]
    written += [{"type": "softmax", "name": "prob"}]
    normalization = {"normalization": {"averageImage": average, "imageSize": np.array([[224.0, 224, 3]])}}
    content = {"layers": cell(*written), **(normalization if old else {"meta": normalization})}
    scipy.io.savemat(path, content, do_compression=False)
    return path
