#!/usr/bin/env python
"""Fetch a published file of VGG-19 weights and check it; a command around `styletransfer.vgg.sources.fetch`."""

from __future__ import annotations

import argparse
import logging
import sys

from styletransfer import errors
from styletransfer.vgg import sources as vgg_sources


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    sources = "\n".join(f"  {name:18} {source.description}" for name, source in vgg_sources.SOURCES.items())
    command = argparse.ArgumentParser(
        description="Fetch a published file of VGG-19 weights and check it.",
        epilog=f"sources:\n{sources}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--source", required=True, metavar="NAME", help="which weights, see below")
    command.add_argument("--output", required=True, metavar="FILE", help="where to put the file")
    command.add_argument(
        "--url", action="append", default=[], metavar="URL", help="fetch from here instead; several are tried in turn"
    )
    command.add_argument(
        "--checksum", metavar="SUM", help="md5:... or sha256:... to expect instead of the source's; at your own risk"
    )
    command.add_argument("--size", type=int, metavar="BYTES", help="size to expect instead of the source's")
    command.add_argument("--allow-http", action="store_true", help="allow addresses and redirects without encryption")
    return command


@errors.command
def main() -> None:
    """Fetch what the command line asks for."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = parser().parse_args()
    schemes = ("https", "http") if options.allow_http else ("https",)
    vgg_sources.fetch(
        options.source,
        options.output,
        urls=options.url,
        checksum=options.checksum,
        size=options.size,
        schemes=schemes,
    )


if __name__ == "__main__":
    sys.exit(main())
