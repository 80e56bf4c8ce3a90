"""Real ranks, by mpirun: each is a session that says which it is."""

import re

from .conftest import Run, get, outputs, sessions

MPIRUN = ("mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "4")

TRAIN = """
import os
import ipyweb
rank = os.environ["OMPI_COMM_WORLD_RANK"]
for step in range(3):
    shown = ipyweb.display({"text/plain": f"{rank}.{step}"}, raw=True, display_id="loss", title=f"Loss {rank}")
    ipyweb.flush(60)
"""


def test_every_rank_shows_and_says_which_it_is(run: Run) -> None:
    run(TRAIN, *MPIRUN)
    found = outputs()
    assert sorted(each["title"] for each in found) == [f"Loss {rank}" for rank in range(4)]
    for each in found:
        session, rank = sessions()[each["session"]], int(each["title"].rpartition(" ")[2])
        assert each["version"] == 3  # so that linked sliders go through all ranks step by step
        assert each["source"]["place"] == session["place"] == {"system": "Open MPI", "rank": rank, "ranks": 4}
        assert f"train.py · rank {rank} of 4 · " in session["title"]
        assert (session["ended"] is not None, session["lost"]) == (True, False)
    assert len(get("api/outputs?q=%22rank+2+of+4%22")["outputs"]) == 1
    (run_of_first,) = get("api/runs")["runs"]  # and not a run for each rank
    assert run_of_first["outputs"] == 1


def test_only_the_first_rank_shows_where_that_was_asked_for(run: Run) -> None:
    done = run(TRAIN, *MPIRUN, IPYWEB_RANKS="first")
    assert [each["title"] for each in outputs()] == ["Loss 0"]
    assert len(sessions()) == 1
    said = re.findall(r"ipyweb: rank (\d) of 4 shows nothing", done.stderr)
    assert sorted(said) == ["1", "2", "3"]


def test_a_step_of_slurm_says_its_job_too(run: Run) -> None:
    slurm = {"JOB_ID": "1200", "STEP_ID": "0", "PROCID": "3", "STEP_NUM_TASKS": "64"}
    source = 'import ipyweb; ipyweb.display({"text/plain": "x"}, raw=True)'
    run(source, **{f"SLURM_{name}": value for name, value in slurm.items()})
    (found,) = outputs()
    assert found["source"]["place"] == {"system": "Slurm", "rank": 3, "ranks": 64, "job": "1200.0"}
