#!/usr/bin/env python
"""Turn any picture, or a sample photograph, into the plain RGB PNG that runs read; around `styletransfer.images`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from styletransfer import errors
from styletransfer.files import checks
from styletransfer.images.io import FORMATS, read_image, write_image
from styletransfer.images.resize import MAX_SIDE, limited, resize, to_uint8
from styletransfer.images.samples import SAMPLES, sample_file


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    samples = "\n".join(f"  {name:10} {it.attribution}; {it.licence}" for name, it in SAMPLES.items())
    command = argparse.ArgumentParser(
        description="Turn any picture, or a sample photograph, into a plain 8-bit RGB PNG without metadata.",
        epilog=f"samples, out of the package scikit-image:\n{samples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--input", metavar="FILE", help=f"a picture: {', '.join(FORMATS)}")
    source.add_argument("--sample", metavar="NAME", help="a free photograph, see below")
    command.add_argument("--output", required=True, type=Path, metavar="FILE.png", help="the picture to write")
    command.add_argument(
        "--max-side",
        type=int,
        default=MAX_SIDE,
        metavar="N",
        help="longer side in pixels at most (default: %(default)s)",
    )
    return command


def limit_size(pixels: np.ndarray, max_side: int) -> np.ndarray:
    """Shrink (H, W, 3) uint8 until its longer side is at most `max_side` pixels; smaller pictures stay as they are."""
    height, width = pixels.shape[:2]
    if (size := limited(width, height, max_side)) == (width, height):
        return pixels
    width, height = size
    return to_uint8(resize(pixels, width, height))


@errors.command
def main() -> None:
    """Prepare the picture that the command line names."""
    options = parser().parse_args()
    if options.output.suffix.lower() != ".png":
        raise errors.InputError(f"--output is {str(options.output)!r}: its name must end in .png")
    if options.max_side < 1:
        raise errors.InputError(f"--max-side is {options.max_side}: it must be at least 1 pixel")
    source = sample_file(options.sample) if options.input is None else options.input
    pixels = limit_size(read_image(source), options.max_side)
    write_image(options.output, pixels, f"sha256:{checks.checksum(source)}")
    print(f"{options.output}: {pixels.shape[1]} x {pixels.shape[0]} pixels")


if __name__ == "__main__":
    sys.exit(main())
