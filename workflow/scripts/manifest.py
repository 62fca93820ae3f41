"""Write the manifest of a study that is complete."""

import argparse
import json
import sys
from pathlib import Path

from styletransfer.errors import command
from styletransfer.files import atomic
from styletransfer.results import manifest
from styletransfer.study.expand import expand


@command
def main() -> None:
    """Expand the study, look at its files, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", required=True, help="the study's definition, JSON")
    parser.add_argument("--pool", type=Path, required=True, help="the folder of all runs")
    parser.add_argument("--tables", nargs="+", required=True, help="the study's tables")
    parser.add_argument("--figures", nargs="+", required=True, help="its figures and pages; a folder for all in it")
    parser.add_argument("--inputs", nargs="*", default=[], help="its pictures")
    parser.add_argument("--network", required=True, help="its weights; they may be gone")
    parser.add_argument("--output", type=Path, required=True, help="the manifest, .json")
    options = parser.parse_args()
    definition = json.loads(options.study)
    sources = manifest.Sources(options.tables, options.figures, options.inputs, options.network)
    described = manifest.describe(expand(definition), definition, options.pool, sources, options.output.parent)
    atomic.write_text(options.output, json.dumps(described, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
