"""The same iteration as a textbook writes it in PyTorch. Run by the Python of an environment that has it, nothing else.

python pytorch_step.py ARRAYS LAYOUT THREADS: says `ready`; then takes a step for every line that it reads, and says so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

DEPTHS = (2, 2, 4, 4, 2)
STYLE = ("1_1", "2_1", "3_1", "4_1", "5_1")
LAYOUTS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


def textbook_step(arrays: dict[str, np.ndarray], layout: str) -> Callable[[], float]:
    """One iteration, ready to be called: autograd and Adam; float32.

    Args:
        arrays: `content` and `style`, (H, W, 3) less the mean pixel in the network's order of channels; and of each
            convolution such as `1_2` its `kernel_1_2`, (3, 3, C, D), and `bias_1_2`.
        layout: of `LAYOUTS`.
    """
    order = LAYOUTS[layout]

    def picture(name: str) -> torch.Tensor:
        return torch.tensor(arrays[name].transpose(2, 0, 1)[np.newaxis]).contiguous(memory_format=order)

    names = [f"{block}_{number}" for block, depth in enumerate(DEPTHS, start=1) for number in range(1, depth + 1)]
    kernels = {
        name: torch.tensor(arrays[f"kernel_{name}"].transpose(3, 2, 0, 1)).contiguous(memory_format=order)
        for name in names
    }
    biases = {name: torch.tensor(arrays[f"bias_{name}"]) for name in names}

    def features(x: torch.Tensor) -> dict[str, torch.Tensor]:
        found = {}
        for name in names:
            if name.endswith("_1") and name != "1_1":
                x = functional.max_pool2d(x, 2, ceil_mode=True)
            x = found[name] = functional.relu(functional.conv2d(x, kernels[name], biases[name], padding=1))
        return found

    def gram(x: torch.Tensor) -> torch.Tensor:
        flat = x.flatten(2)[0]
        return flat @ flat.T / flat.numel()

    content = picture("content")
    with torch.no_grad():
        P, S = features(content), features(picture("style"))
        grams = {layer: gram(S[layer]) for layer in STYLE}
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(content.shape, generator=generator).mul(0.256).contiguous(memory_format=order)
    image.requires_grad_(True)
    adam = torch.optim.Adam([image], lr=10.0, eps=1e-8)
    mse = functional.mse_loss

    def step() -> float:
        adam.zero_grad()
        X = features(image)
        loss = 0.2 * mse(X["4_2"], P["4_2"]) + 0.8 * mse(X["5_2"], P["5_2"])
        loss = loss + 10.0 * sum(mse(gram(X[layer]), grams[layer]) for layer in STYLE) / len(STYLE)
        below, right = mse(image[:, :, 1:], image[:, :, :-1]), mse(image[..., 1:], image[..., :-1])
        loss = loss + 100.0 * (below + right)
        loss.backward()
        adam.step()
        return loss.item()

    return step


def main() -> None:
    """Steps on demand."""
    path, layout, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    with np.load(path, allow_pickle=False) as arrays:
        step = textbook_step(dict(arrays), layout)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(step(), flush=True)


if __name__ == "__main__":
    main()
