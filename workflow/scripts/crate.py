"""Pack a study into an RO-Crate: a .zip that archives take, with its description for programs."""

import argparse
import sys
from pathlib import Path

from styletransfer.errors import command
from styletransfer.results import ro_crate


@command
def main() -> None:
    """Check the study against its manifest, and pack it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="results/studies/<study>/manifest.json")
    parser.add_argument("--output", type=Path, required=True, help="the crate, .zip")
    options = parser.parse_args()
    ro_crate.write(options.output, options.manifest, Path(__file__).resolve().parents[2])


if __name__ == "__main__":
    sys.exit(main())
