#!/bin/sh
# properties = {properties}
# A job of the profiles htcondor, lsf, pbs and sge: its exit status is kept in a file, which status.sh beside this reads.
# A login shell, as some clusters give to jobs, may have set another path than the one with the engine's command.
PATH=${{PBS_O_PATH:-${{SGE_O_PATH:-$PATH}}}}
cd "${{PBS_O_WORKDIR:-.}}"
( {exec_job} )
code=$?
echo $code > ".snakemake/cluster/${{PBS_JOBID:-${{LSB_JOBID:-${{JOB_ID:-$CONDOR_ID}}}}}}.exit"
exit $code
