"""Where the store can lie: kinds of file systems, free space, and the store's own limits on them."""

import os
import stat
import tempfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from ..cluster import is_network as is_network
from ..errors import ConnectionFileError
from ..private import private_directory

MIB = 2**20
DEFAULT_BYTES = 1024 * MIB
DEFAULT_SHARE = 0.05
BALLAST = 4 * MIB
RESERVE = 32 * MIB
"""Bytes of a disk that the database leaves free for its own log; half of what there is on a small one."""


def default_max_bytes(directory: Path) -> int:
    """1 GiB, or 5 % of the disk (as its file system, which may apply a quota, tells it) if that is less."""
    disk = os.statvfs(directory)
    return min(DEFAULT_BYTES, int(disk.f_blocks * disk.f_frsize * DEFAULT_SHARE))


def free_bytes(directory: Path) -> int:
    """Bytes that we may still write."""
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize


def page_quota(used_pages: int, page: int, max_bytes: int, free: int) -> int:
    """Pages that the database may have: a little above what retention keeps, and below what the disk has room for.

    A truly full disk cannot even be pruned, so SQLite has to hit its own limit first.
    """
    wanted = int(max_bytes * 1.1) + 4 * MIB
    room = used_pages * page + free - reserve(free)
    return max(64, min(wanted, room) // page)


def reserve(free: int) -> int:
    """Bytes to leave free of `free`."""
    return min(RESERVE, free // 2)


def node_local(directory: Path, candidates: Iterable[Path] | None = None) -> Path | None:
    """A private directory on this node's own disk that stands for `directory`; ``None`` if there is none."""
    name = sha256(str(directory).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    for candidate in candidates or (Path("/var/tmp"), Path(tempfile.gettempdir())):
        try:
            owned = private_directory(candidate / f"ipyweb-{os.geteuid()}")
            if is_network(owned) is None:
                return private_directory(owned / name)
        except (OSError, ConnectionFileError):
            continue
    return None


def make_ballast(path: Path) -> None:
    """Keep some bytes in reserve, to be given up when the disk is full; not on a small or nearly full disk."""
    if path.exists() or free_bytes(path.parent) < 16 * BALLAST:
        return
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(bytes(BALLAST))


def is_private_file(path: Path) -> bool:
    """Whether a path is a plain file of our own that nobody else can write."""
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
