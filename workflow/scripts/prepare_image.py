"""Turn any picture, or a sample photograph, into the plain RGB PNG that runs read."""

import argparse
import sys
from pathlib import Path

from PIL import Image

from styletransfer import images
from styletransfer.errors import command


@command
def main() -> None:
    """Read, limit the size, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--input", type=Path, help="a picture file")
    source.add_argument("--sample", choices=sorted(images.SAMPLES), help="a free photograph from scikit-image")
    parser.add_argument("--output", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--max-side", type=int, default=4096, help="larger pictures are made smaller (pixels)")
    options = parser.parse_args()
    pixels = images.read_image(options.input or images.sample_file(options.sample))
    side = max(pixels.shape[:2])
    if side > options.max_side:
        height, width = (max(1, round(length * options.max_side / side)) for length in pixels.shape[:2])
        pixels = images.to_uint8(images.resize(pixels, width, height))
    images.write_image(options.output, pixels)
    print(f"{options.output}: {Image.fromarray(pixels).size[0]} x {pixels.shape[0]}")


if __name__ == "__main__":
    sys.exit(main())
