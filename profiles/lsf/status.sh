#!/bin/sh
# Called by Snakemake with the number of a job; see ../cluster/status.sh.
# A finished job is in the list for an hour, as DONE or EXIT.
known() { bjobs -noheader -o stat "$1" 2> /dev/null | grep -qv "DONE\|EXIT"; }
. "$(dirname "$0")/../cluster/status.sh"
