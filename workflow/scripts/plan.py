"""Print what a study would run, and how long it would take; or check a config without Snakemake."""

import argparse
import os
import sys
from pathlib import Path

from styletransfer.errors import command
from styletransfer.files import yaml_reader
from styletransfer.results.plan import plan
from styletransfer.study.config import definition
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand

SCHEMA = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"


@command
def main() -> None:
    """Expand the study and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--study", help="the study's definition, JSON")
    source.add_argument("--configfile", type=Path, help="a config file; unlike Snakemake, nothing in it is executed")
    parser.add_argument("--pool", type=Path, default=Path("results/runs"), help="the folder of all runs")
    parser.add_argument("--at-once", type=int, help="how many runs at once; default: one for each `threads` cores")
    options = parser.parse_args()
    if options.configfile is None:
        config = yaml_reader.parse_json(options.study, "--study")
    else:
        config = load_config(yaml_reader.read(options.configfile), yaml_reader.read(SCHEMA))
    expanded = expand(config)
    definition(config)  # refuses what is too long for a command line
    cores = len(os.sched_getaffinity(0)) // config.get("threads", 1)
    print(plan(config, expanded, options.pool, options.at_once or max(1, cores)))


if __name__ == "__main__":
    sys.exit(main())
