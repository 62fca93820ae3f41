#!/usr/bin/env python
"""Convert VGG-19 weights to the engine's own format; a command around `styletransfer.vgg.formats.convert`."""

from __future__ import annotations

import argparse
import sys

from styletransfer import errors
from styletransfer.vgg import formats, sources


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    command = argparse.ArgumentParser(
        description="Convert VGG-19 weights (Keras HDF5, MatConvNet MAT-file, source vgg16) to safetensors: float32, "
        "kernels height x width x in x out, with channel order, mean pixel, origin and licence in the metadata."
    )
    command.add_argument(
        "--input", required=True, metavar="FILE", help="a file of weights; its content tells the format"
    )
    command.add_argument("--output", required=True, metavar="FILE", help="where to write, such as vgg19.safetensors")
    command.add_argument(
        "--source", metavar="NAME", help=f"insist that the input is this file: {', '.join(sources.SOURCES)}"
    )
    command.add_argument(
        "--checksum", metavar="SUM", help="md5:... or sha256:... to expect instead of the source's; at your own risk"
    )
    return command


@errors.command
def main() -> None:
    """Convert what the command line names."""
    options = parser().parse_args()
    formats.convert(options.input, options.output, options.source, options.checksum)


if __name__ == "__main__":
    sys.exit(main())
