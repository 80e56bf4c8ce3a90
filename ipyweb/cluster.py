"""What a process can know of the cluster that it runs on: whether it is a batch job, and what its machines share."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_JOB = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "SGE_TASK_ID", "COBALT_JOBID", "FLUX_JOB_ID", "_CONDOR_JOB_AD")
_LOGIN = ("SLURM_SUBMIT_HOST", "PBS_O_HOST", "LSB_SUB_HOST", "SGE_O_HOST")

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset(
    {"nfs", "nfs4", "lustre", "gpfs", "cifs", "smb3", "smbfs", "afs", "ceph", "beegfs", "9p", "glusterfs"}
)
"""File systems on which SQLite's shared memory does not work between nodes, or locks cannot be trusted."""


def in_job(environ: Mapping[str, str]) -> bool:
    """Whether this is a batch job, whose processes end with it."""
    return any(environ.get(name) for name in _JOB)


def login_node(environ: Mapping[str, str]) -> str:
    """The machine that the job was submitted from; empty when nobody tells."""
    return next(filter(None, map(environ.get, _LOGIN)), "") if in_job(environ) else ""


def is_network(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The kind of network file system that `path` lies on, ``None`` for a local one or where nobody can tell.

    Args:
        path: need not exist.
        mounts: in the format of ``/proc/self/mountinfo`` (proc(5)).
    """
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    target = os.path.realpath(path)
    kind = max(_covering(lines, target), default=(0, ""))[1]
    return kind if kind in NETWORK or kind.startswith("fuse.") else None


def _covering(lines: Iterable[str], target: str) -> Iterable[tuple[int, str]]:
    """Length of mount point and kind of every mount that `target` lies below."""
    for line in lines:
        front, _, back = line.partition(" - ")
        fields = front.split()
        if len(fields) < 5 or not back:
            continue
        point = fields[4].encode("latin-1", "surrogateescape").decode("unicode_escape", "replace")
        if target == point or target.startswith(point.rstrip("/") + "/"):
            yield len(point), back.split()[0]
