"""Show a study at work on the terminal: `styletransfer watch`."""

import argparse
import sys

from styletransfer.cli import watch
from styletransfer.errors import command


@command
def main() -> None:
    """Read the arguments as the subcommand does."""
    parser = argparse.ArgumentParser(description=__doc__)
    watch.add_commands(parser.add_subparsers())
    options = parser.parse_args(["watch", *sys.argv[1:]])
    options.run(options)


if __name__ == "__main__":
    sys.exit(main())
