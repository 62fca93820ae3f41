#!/bin/sh
# Called by Snakemake with the number of a job; see ../cluster/status.sh.
known() { qstat -j "$1" > /dev/null 2>&1; }
. "$(dirname "$0")/../cluster/status.sh"
