"""Where this process stands among those that were launched with it: its rank, its job, or which worker it is.

Launchers say so in environment variables; multiprocessing and joblib name their processes.
"""

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple, TypedDict


class Place(TypedDict, total=False):
    """What is known of it.

    Attributes:
        system: what launched it, for people.
        rank: its number among its kind, from 0; absent where there is only one.
        ranks: how many there are.
        job: id of the job of a batch system, with its step.
        worker: its name among the workers of a cluster or a pool.
    """

    system: str
    rank: int
    ranks: int
    job: str
    worker: str


class _Launcher(NamedTuple):
    """The variables in which a launcher tells the rank and how many there are, and those that must be there besides."""

    system: str
    rank: str
    ranks: str
    needs: tuple[str, ...] = ()


LAUNCHERS = (
    _Launcher("torchrun", "RANK", "WORLD_SIZE", ("WORLD_SIZE",)),
    _Launcher("Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    _Launcher("Slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", ("SLURM_STEP_NUM_TASKS",)),
    _Launcher("MPI", "PMIX_RANK", "PMIX_SIZE"),
    _Launcher("MPI", "PMI_RANK", "PMI_SIZE"),
    _Launcher("MPI", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
)
"""The innermost first: an ``mpirun`` within a Slurm step starts its ranks from one task. Of Slurm's variables,
``SLURM_PROCID`` is there in a batch script too, which is no rank."""

_SPECIAL_STEPS = 0xFFFFFFF0
"""Slurm's numbers for what is no step of the user's (batch script, extern, interactive) are above it."""


def find_place(environ: Mapping[str, str]) -> Place | None:
    """The place of this process; ``None`` where it is a process like any other.

    Args:
        environ: as ``os.environ``.
    """
    place: Place = {**_rank(environ), **_job(environ), **_pool()}
    return place or None


def label(place: Place | None) -> str:
    """What tells it apart from its like at a glance, such as ``rank 3 of 64``."""
    if place is None:
        return ""
    parts = []
    if "rank" in place:
        parts.append(f"rank {place['rank']}" + (f" of {place['ranks']}" if "ranks" in place else ""))
    if "worker" in place:
        parts.append(place["worker"])
    return " · ".join(parts)


def is_first(place: Place | None) -> bool:
    """Whether it is the one that speaks for all of its ranks."""
    return place is None or not place.get("rank")


def _rank(environ: Mapping[str, str]) -> Place:
    for each in LAUNCHERS:
        rank, ranks = _number(environ.get(each.rank)), _number(environ.get(each.ranks))
        if rank is None or not all(map(environ.get, each.needs)):
            continue
        if ranks is None:
            return {"system": each.system, "rank": rank}
        return {"system": each.system, "rank": rank, "ranks": ranks} if ranks > 1 else {}
    return {}


def _job(environ: Mapping[str, str]) -> Place:
    job, step = environ.get("SLURM_JOB_ID"), _number(environ.get("SLURM_STEP_ID"))
    array, task = environ.get("SLURM_ARRAY_JOB_ID"), environ.get("SLURM_ARRAY_TASK_ID")
    if not job:
        return {}
    name = f"{array}_{task}" if array and task else job
    return {"job": name if step is None or step > _SPECIAL_STEPS else f"{name}.{step}"}


def _pool() -> Place:
    """The name that multiprocessing, or joblib's loky, gave to this process."""
    processes = sys.modules.get("multiprocessing.process")
    parent = getattr(processes, "parent_process", None)  # not there yet while another thread imports the module
    if processes is None or parent is None or parent() is None:
        return {}
    return {"worker": str(processes.current_process().name)}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def own_place() -> Place | None:
    """The place of this process, now."""
    return find_place(os.environ)
