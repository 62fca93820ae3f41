"""Paint one of the sample style pictures."""

import argparse
import sys
from pathlib import Path

from styletransfer.errors import command
from styletransfer.images import generated
from styletransfer.images.io import write_image


@command
def main() -> None:
    """Paint, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--painting", required=True, help=f"one of {', '.join(generated.PAINTINGS)}")
    parser.add_argument("--width", type=int, default=generated.SIZE[0], help="pixels")
    parser.add_argument("--height", type=int, default=generated.SIZE[1], help="pixels")
    parser.add_argument("--output", type=Path, required=True, help="the PNG to write")
    options = parser.parse_args()
    pixels = generated.paint(options.painting, options.width, options.height)
    # Of another size it is not what the recipe stands for.
    usual = (options.width, options.height) == generated.SIZE
    write_image(options.output, pixels, generated.recipe(options.painting) if usual else None)
    print(f"{options.output}: {generated.PAINTINGS[options.painting].title}")


if __name__ == "__main__":
    sys.exit(main())
