"""Which rank, job or worker a process is, and that ranks which do not show cost nothing."""

import os
import subprocess
import sys
from typing import Any

import pytest

from ipyweb.config import IPyWeb
from ipyweb.session import display as displays
from ipyweb.session import session as sessions
from ipyweb.session.place import Place, find_place, label
from ipyweb.session.session import Session

from .conftest import Sent

SRUN = {"SLURM_JOB_ID": "1200", "SLURM_STEP_ID": "0", "SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "64"}


@pytest.mark.parametrize(
    ("environ", "place", "says"),
    [
        ({}, None, ""),
        (SRUN, {"system": "Slurm", "rank": 3, "ranks": 64, "job": "1200.0"}, "rank 3 of 64"),
        ({"SLURM_JOB_ID": "1200", "SLURM_PROCID": "0", "SLURM_NTASKS": "64"}, {"job": "1200"}, ""),  # a batch script
        ({**SRUN, "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}, {"job": "1200.0"}, ""),
        ({"SLURM_JOB_ID": "7", "SLURM_ARRAY_JOB_ID": "5", "SLURM_ARRAY_TASK_ID": "2"}, {"job": "5_2"}, ""),
        ({"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "4294967290"}, {"job": "7"}, ""),
        (
            {**SRUN, "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4"},
            {"system": "Open MPI", "rank": 1, "ranks": 4, "job": "1200.0"},
            "rank 1 of 4",
        ),
        ({"PMI_RANK": "2", "PMI_SIZE": "4", "MPI_LOCALRANKID": "0"}, {"system": "MPI", "rank": 2, "ranks": 4}, ...),
        ({"PMIX_RANK": "5"}, {"system": "MPI", "rank": 5}, "rank 5"),
        ({"MPI_LOCALRANKID": "1", "MPI_LOCALNRANKS": "2"}, {"system": "MPI", "rank": 1, "ranks": 2}, ...),
        ({"RANK": "6", "WORLD_SIZE": "8", **SRUN}, {"system": "torchrun", "rank": 6, "ranks": 8, "job": "1200.0"}, ...),
        ({"RANK": "6"}, None, ""),
        ({"RANK": "six", "WORLD_SIZE": "8"}, None, ""),
    ],
)
def test_launchers_say_which_rank_it_is(environ: dict[str, str], place: Place | None, says: Any) -> None:
    assert find_place(environ) == place
    assert says is ... or label(place) == says


def at(monkeypatch: pytest.MonkeyPatch, rank: int, ranks: str = "") -> Session:
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", str(rank))
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    monkeypatch.setenv("IPYWEB_RANKS", ranks)
    return Session("script", IPyWeb())


def test_a_rank_is_told_to_the_hub_and_stands_in_title_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYWEB_SESSION", "night run")
    record = at(monkeypatch, 2)._hello()["session"]
    assert record["place"] == {"system": "Open MPI", "rank": 2, "ranks": 4}
    assert "rank 2 of 4" in record["title"]
    assert record["name"] == "night run · rank 2 of 4"
    assert record["script"] is None


@pytest.mark.parametrize(
    ("rank", "setting", "variable", "shows"),
    [
        (2, "all", "", True),
        (2, "first", "", False),
        (0, "first", "", True),
        (2, "all", "first", False),
        (2, "first", "all", True),
        (2, "all", "none", True),
    ],
)
def test_one_setting_says_which_ranks_show(
    monkeypatch: pytest.MonkeyPatch, rank: int, setting: str, variable: str, shows: bool
) -> None:
    monkeypatch.setattr(IPyWeb, "ranks", setting)
    assert (at(monkeypatch, rank, variable).silence is None) is shows


def test_what_a_silent_rank_displays_costs_nothing_and_is_said_once(
    session: Session, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    session.silence, session.say = "rank 2 of 4 shows nothing", said.append

    class Costly:
        def _repr_html_(self) -> str:
            raise AssertionError("nobody wants it")

    outputs = [displays.display(Costly()), displays.update_display(Costly(), display_id="x")]
    session.publish({"text/plain": "x"})
    assert said == ["ipyweb: rank 2 of 4 shows nothing"]
    assert sent.types() == []
    assert [(output.id, output.status) for output in outputs] == [(None, "failed")] * 2
    assert repr(outputs[0]) == "<Output failed: rank 2 of 4 shows nothing>"
    monkeypatch.setattr(sessions, "_current", None)


SILENT = """
import sys
import ipyweb
ipyweb.install()
import matplotlib.pyplot as plt
from IPython.display import display
plt.plot([1, 2])
plt.show()
display({"a": 1})
print([name for name in ("websockets", "cloudpickle", "ipyweb.figures.snapshot") if name in sys.modules])
"""


def test_a_silent_rank_neither_draws_nor_connects() -> None:
    ranks = {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4", "IPYWEB_RANKS": "first"}
    done = subprocess.run(
        [sys.executable, "-c", SILENT], capture_output=True, text=True, check=True, env={**os.environ, **ranks}
    )
    assert done.stdout == "[]\n"
    assert done.stderr == "ipyweb: rank 1 of 4 shows nothing, since only rank 0 does; IPYWEB_RANKS=all lets all show\n"
