"""Print what a study would run, and how long it would take."""

import argparse
import json
import sys
from pathlib import Path

from styletransfer import study
from styletransfer.errors import command


@command
def main() -> None:
    """Expand the study and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", required=True, help="the study's definition, JSON")
    parser.add_argument("--pool", type=Path, required=True, help="the folder of all runs")
    options = parser.parse_args()
    config = json.loads(options.study)
    print(study.plan(config, study.expand(config), options.pool))


if __name__ == "__main__":
    sys.exit(main())
