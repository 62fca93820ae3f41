"""What runs are made of: weights fetched and converted, pictures and samples brought into one format."""

from __future__ import annotations

import argparse
import dataclasses
import logging
from pathlib import Path
from typing import Any

from styletransfer.cli import add_command
from styletransfer.errors import InputError
from styletransfer.files import checks
from styletransfer.images import samples
from styletransfer.study import plan
from styletransfer.vgg import sources

AS_WRITTEN = argparse.RawDescriptionHelpFormatter
ORIGINAL_HELP = "with --plan, the user's own file; default: where the plan says it was"
CHANGED = f"{plan.CHANGED}: {plan.AGAIN}"


def add_commands(commands: Any) -> None:
    """The subcommands `fetch`, `convert`, `picture` and `paint`."""
    _add_fetch(commands)
    _add_convert(commands)
    _add_picture(commands)
    painting = add_command(commands, "paint", "paint one of the sample style pictures, at any size", paint)
    painting.add_argument("--painting", required=True, metavar="NAME", help=f"one of {', '.join(samples.PAINTINGS)}")
    painting.add_argument("--width", type=int, help="pixels; default: the size that studies use")
    painting.add_argument("--height", type=int, help="pixels; default: the size that studies use")
    painting.add_argument("--output", type=Path, required=True, help="the PNG to write")


def _add_fetch(commands: Any) -> None:
    listed = "\n".join(f"  {name:18} {source.description}" for name, source in sources.SOURCES.items())
    text = "fetch a published file of VGG-19 weights and check it"
    fetching = add_command(commands, "fetch", text, fetch, epilog=f"sources:\n{listed}", formatter_class=AS_WRITTEN)
    fetching.add_argument("--source", required=True, metavar="NAME", help="which weights, see below")
    fetching.add_argument("--output", required=True, metavar="FILE", help="where to put the file")
    fetching.add_argument(
        "--url", action="append", default=[], metavar="URL", help="fetch from here instead; several are tried in turn"
    )
    fetching.add_argument(
        "--checksum", metavar="SUM", help="md5:... or sha256:... to expect instead of the source's; at your own risk"
    )
    fetching.add_argument("--size", type=int, metavar="BYTES", help="size to expect instead of the source's")
    fetching.add_argument("--allow-http", action="store_true", help="allow addresses and redirects without encryption")


def _add_convert(commands: Any) -> None:
    text = "convert VGG-19 weights (Keras HDF5, MatConvNet MAT-file, source vgg16) to safetensors"
    more = "Kernels are float32, height x width x in x out; channel order, mean pixel, origin and licence are metadata."
    converting = add_command(commands, "convert", text, convert, more)
    source = converting.add_mutually_exclusive_group(required=True)
    source.add_argument("--input", metavar="FILE", help="a file of weights; its content tells the format")
    source.add_argument("--plan", type=Path, help="the weights of a planned study, which must be as they were then")
    converting.add_argument("original", nargs="?", type=Path, help=ORIGINAL_HELP)
    converting.add_argument("--output", required=True, metavar="FILE", help="where to write, such as vgg19.safetensors")
    converting.add_argument(
        "--source", metavar="NAME", help=f"insist that the input is this file: {', '.join(sources.SOURCES)}"
    )
    converting.add_argument(
        "--checksum", metavar="SUM", help="md5:... or sha256:... to expect instead of the source's; at your own risk"
    )


def _add_picture(commands: Any) -> None:
    listed = "\n".join(f"  {name:10} {it.attribution}; {it.licence}" for name, it in samples.SAMPLES.items())
    text = "turn any picture, or a sample photograph, into a plain 8-bit RGB PNG without metadata"
    listed = f"samples, out of the package scikit-image:\n{listed}"
    preparing = add_command(commands, "picture", text, prepare_picture, epilog=listed, formatter_class=AS_WRITTEN)
    source = preparing.add_mutually_exclusive_group(required=True)
    source.add_argument("--input", metavar="FILE", help="a picture: PNG, JPEG, TIFF, WebP, AVIF, GIF, BMP or PNM")
    source.add_argument("--sample", metavar="NAME", help="a free photograph, see below")
    source.add_argument(
        "--plan", type=Path, help="the picture of a planned study whose file is --output, unchanged since"
    )
    preparing.add_argument("original", nargs="?", type=Path, help=ORIGINAL_HELP)
    preparing.add_argument("--output", required=True, type=Path, metavar="FILE.png", help="the picture to write")
    preparing.add_argument(
        "--colors-of", metavar="FILE", help="give it the chroma of this picture, such as the content's to a result"
    )
    preparing.add_argument("--max-side", type=int, metavar="N", help="longer side in pixels at most (default: 4096)")


def fetch(options: argparse.Namespace) -> None:
    """Fetch what the command line asks for."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    schemes = ("https", "http") if options.allow_http else ("https",)
    sources.fetch(
        options.source,
        options.output,
        urls=options.url,
        checksum=options.checksum,
        size=options.size,
        schemes=schemes,
    )


def convert(options: argparse.Namespace) -> None:
    """Convert what the command line names."""
    from styletransfer.vgg import formats

    if options.plan is None:
        formats.convert(options.input, options.output, options.source, options.checksum)
        return
    weights = plan.read(options.plan).weights
    if weights.kind == "source":
        source = Path(weights.file).with_name("source") / weights.source
        formats.convert(source, options.output, weights.source, None)
        return
    original = str(options.original or weights.source)
    if sources.source_identity(original)["checksum"] != weights.artifact.checksum:
        raise InputError(f"weights is {weights.source!r}, {CHANGED}")
    formats.convert(original, options.output)


def prepare_picture(options: argparse.Namespace) -> None:
    """Prepare the picture that the command line names."""
    if options.output.suffix.lower() != ".png":
        raise InputError(f"--output is {str(options.output)!r}: its name must end in .png")
    if options.max_side is not None and options.max_side < 1:
        raise InputError(f"--max-side is {options.max_side}: it must be at least 1 pixel")
    if options.plan is not None:
        _prepare_planned(options)
    else:
        _write_picture(options.input or samples.sample_file(options.sample), options)


def _prepare_planned(options: argparse.Namespace) -> None:
    study = plan.read(options.plan)
    picture = next((found for found in study.pictures.values() if Path(found.file) == options.output), None)
    if picture is None:
        files = ", ".join(found.file for found in study.pictures.values())
        raise InputError(f"--output is {str(options.output)!r}: the plan's pictures are {files}")
    if picture.kind == "painting":
        _write_painting(picture.source, None, None, options.output)
    elif picture.kind == "sample":
        _write_picture(samples.sample_file(picture.source), options)
    else:
        key, original = f"images.{picture.artifact.name}.path", options.original or Path(picture.source)
        checks.check_input(original, key)
        if dataclasses.replace(picture, source=str(original)).is_changed():
            raise InputError(f"{key} is {picture.source!r}, {CHANGED}")
        _write_picture(original, options)


def _write_picture(source: str | Path, options: argparse.Namespace) -> None:
    from styletransfer.images.color import finished
    from styletransfer.images.io import read_image, write_image
    from styletransfer.images.resize import MAX_SIDE, limited, resize, to_uint8

    pixels = read_image(source)
    height, width = pixels.shape[:2]
    if (size := limited(width, height, options.max_side or MAX_SIDE)) != (width, height):
        pixels = to_uint8(resize(pixels, *size))
    origin: str | None = f"sha256:{checks.checksum(source)}"
    if options.colors_of is not None:
        content = resize(read_image(options.colors_of), pixels.shape[1], pixels.shape[0])
        pixels, origin = finished(pixels, content, "content"), None
    write_image(options.output, pixels, origin)
    print(f"{options.output}: {pixels.shape[1]} x {pixels.shape[0]} pixels")


def paint(options: argparse.Namespace) -> None:
    """Paint, write."""
    _write_painting(options.painting, options.width, options.height, options.output)


def _write_painting(name: str, width: int | None, height: int | None, output: Path) -> None:
    from styletransfer.images import generated
    from styletransfer.images.io import write_image

    size = tuple(usual if side is None else side for side, usual in zip((width, height), generated.SIZE, strict=True))
    pixels = generated.paint(name, *size)
    # Of another size it is not what the recipe stands for.
    write_image(output, pixels, samples.recipe(name) if size == generated.SIZE else None)
    print(f"{output}: {generated.PAINTINGS[name].title}")
