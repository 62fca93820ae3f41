"""A study on a real SGE of one node: what jobs ask for, and that no run is lost with a job."""

import os
import re
import signal

from cluster import sge
from cluster.studies import RUNS_ONLY, Study
from helpers.studies import ROOT


class SgeStudy(Study):
    cluster = sge
    profile = ROOT / "profiles/sge"

    def slurm_jobs(self):
        return []


def test_a_study_with_jobs_deleted_killed_and_interrupted(sge_cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("CLUSTER_SECONDS_BETWEEN_QUERIES", "1")
    folder = tmp_path / "a study with 'spaces'"
    folder.mkdir()
    study = SgeStudy(folder, [1, 2], iterations=100)
    quick = ("--seconds-between-status-checks", "1")
    try:
        process = study.start(*RUNS_ONLY, options=quick)
        (first, _), (_, (killed,)) = study.wait_for_engines(2).items()
        number = job_of(first)
        asked = sge.run(("qstat", "-j", number))
        assert re.search(r"^hard resource_list: +gpu=1,mem_free=\d+M,h_rt=\d+$", asked, re.MULTILINE)
        assert re.search(r"^parallel environment: +smp range: 1$", asked, re.MULTILINE)
        sge.run(("qdel", number))
        os.kill(killed, signal.SIGKILL)
        sge.wait_for(lambda: job_of(first) not in (None, number), "no second job", seconds=60)
        for (engine,) in study.wait_for_engines(2).values():
            os.kill(engine, signal.SIGSTOP)  # so that none is done before it is cancelled
        process.send_signal(signal.SIGINT)
        study.finish(process, code=1)
        sge.wait_for(lambda: not sge.run(("qstat",)), "jobs are not cancelled")
        assert not study.records()
        study.run(*RUNS_ONLY, options=quick)
        study.check()
    finally:
        study.clean_up()


def job_of(run_id):
    """The number of the job of a run, which its name tells."""
    listing = sge.run(("qstat", "-r"))
    found = re.search(rf"^ *(\d+) .*\n +Full jobname: +nst\.tiny\.transfer\.{run_id}$", listing, re.MULTILINE)
    return found and found[1]
