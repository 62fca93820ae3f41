"""Check every file of a study against its manifest. Exit code 1 if anything differs and is not removed."""

import argparse
import json
import sys
from pathlib import Path

from styletransfer.errors import command
from styletransfer.results import manifest


@command
def main() -> int:
    """A line for each difference, then one in sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path, help="results/studies/<study>/manifest.json")
    parser.add_argument("--study", help="the study's definition as the config has it now, JSON: compare it as well")
    parser.add_argument(
        "--remove", action="store_true", help="remove the files that differ: the workflow recreates them"
    )
    options = parser.parse_args()
    settings = None if options.study is None else json.loads(options.study)
    found = manifest.differences(options.manifest, settings)
    for difference in found.differences:
        print(difference)
    for name in found.absent:
        print(f"not here, not checked: {name}")
    if found.note:
        print(found.note)
    print(f"{options.manifest}: {found.files} files checked, {len(found.differences)} differences")
    if options.remove:
        for path in manifest.remove(found.corrupt_files):
            print(f"removed: {path}")
        return 0
    return 1 if found.differences else 0


if __name__ == "__main__":
    sys.exit(main())
