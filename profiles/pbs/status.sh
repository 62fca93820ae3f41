#!/bin/sh
# Called by Snakemake with the number of a job; see ../cluster/status.sh.
# A finished job may be in the list for a while, as C, F or X.
known() { qstat -f "$1" 2> /dev/null | grep -q "job_state = [^CFX]"; }
. "$(dirname "$0")/../cluster/status.sh"
