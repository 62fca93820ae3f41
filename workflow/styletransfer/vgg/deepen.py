"""How a VGG-16 becomes a VGG-19: identity layers, and activations of a given size."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from styletransfer.vgg.weights import KERNEL_SIZE, Network

# How VGG-16 becomes a VGG-19: layer -> (layer of VGG-16, or None for an identity; the rms of its activations after
# ReLU; the rms it is rescaled to). The deep layers of VGG-16 are fainter than the shallow ones, by a factor of 80; with
# equal weights their losses would not count. The first rms was measured once, by a forward pass with SAME max pooling
# over skimage.data.astronaut(), resized to 224 x 224 by Pillow's LANCZOS, and is a constant, so that the network never
# depends on the machine that grows it. The second was chosen such that the 2018 study's defaults give, from white
# noise, a picture with clear content and clear style.
GROWTH: dict[str, tuple[str | None, float, float]] = {
    "conv1_1": ("conv1_1", 59.91, 60),
    "conv1_2": ("conv1_2", 268.7, 150),
    "conv2_1": ("conv2_1", 409.8, 200),
    "conv2_2": ("conv2_2", 612.4, 250),
    "conv3_1": ("conv3_1", 749.1, 300),
    "conv3_2": ("conv3_2", 758.6, 300),
    "conv3_3": ("conv3_3", 699.6, 300),
    "conv3_4": (None, 699.6, 300),
    "conv4_1": ("conv4_1", 536.3, 300),
    "conv4_2": ("conv4_2", 334.4, 250),
    "conv4_3": ("conv4_3", 134.9, 200),
    "conv4_4": (None, 134.9, 150),
    "conv5_1": ("conv5_1", 103.8, 60),
    "conv5_2": ("conv5_2", 47.27, 30),
    "conv5_3": ("conv5_3", 9.787, 30),
    "conv5_4": (None, 9.787, 30),
}


def deepen(vgg16: Network, growth: Mapping[str, tuple[str | None, float, float]] = GROWTH) -> Network:
    """Insert identity layers, and bring the activations of every layer to a given size.

    After a ReLU a convolution with a Dirac kernel changes nothing (Chen et al. 2015, arXiv:1511.05641). ReLU and
    pooling are positively homogeneous: kernels times s_l / s_(l-1) and biases times s_l multiply the activations of
    layer l by s_l and change nothing else.

    Args:
        vgg16: the network to start from.
        growth: layer -> origin and sizes, as in `GROWTH`.
    """
    kernels: dict[str, np.ndarray] = {}
    biases: dict[str, np.ndarray] = {}
    scale = 1.0
    channels = 3
    for name, (origin, rms, target) in growth.items():
        previous, scale = scale, target / rms
        kernel = vgg16.kernels[origin] if origin else dirac(channels)
        bias = vgg16.biases[origin] if origin else np.zeros(channels, np.float32)
        kernels[name] = (kernel.astype(np.float64) * (scale / previous)).astype(np.float32)
        biases[name] = (bias.astype(np.float64) * scale).astype(np.float32)
        channels = kernel.shape[-1]
    return Network(kernels, biases, vgg16.channel_order, vgg16.mean)


def dirac(channels: int) -> np.ndarray:
    """(3, 3, channels, channels) kernel that leaves its input as it is."""
    kernel = np.zeros((KERNEL_SIZE, KERNEL_SIZE, channels, channels), np.float32)
    kernel[KERNEL_SIZE // 2, KERNEL_SIZE // 2] = np.eye(channels)
    return kernel
