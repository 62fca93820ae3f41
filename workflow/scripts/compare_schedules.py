"""Draw how four GPUs were used by the 2018 study, and how leases would have used them."""

import argparse
import sys
from pathlib import Path

from styletransfer.analysis import device_usage
from styletransfer.errors import command
from styletransfer.reports.figures.device_usage import schedules
from styletransfer.reports.figures.style import save


@command
def main() -> None:
    """Schedule the same 252 runs twice, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpus", type=int, default=4, help="how many GPUs")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="files to write, .png, .svg or .pdf")
    options = parser.parse_args()
    durations = device_usage.durations_of_2018()
    named = {
        "One fixed chunk of the study for each GPU (2018)": device_usage.chunks(durations, options.gpus),
        "The next run for whichever GPU is free (leases)": device_usage.schedule(durations, options.gpus),
    }
    save(schedules(named), options.output)


if __name__ == "__main__":
    sys.exit(main())
