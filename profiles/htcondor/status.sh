#!/bin/sh
# Called by Snakemake with the number of a job; see ../cluster/status.sh.
known() { condor_q "$1" -format "%d" JobStatus 2> /dev/null | grep -q .; }
. "$(dirname "$0")/../cluster/status.sh"
