"""Kinds of file systems, and the limits that the store sets itself on them."""

import os
from pathlib import Path

import pytest

from ipyweb.hub import disk

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw
31 30 8:2 / /home/me/local rw - xfs /dev/sdb1 rw
32 22 0:41 / /scratch rw - lustre mgs:/scratch rw
33 22 0:42 / /with\\040space rw - cifs //server/share rw
34 22 0:43 / /sshfs rw - fuse.sshfs host: rw
35 22 0:44 / /gpfs rw - gpfs gpfs rw
36 22 0:45 / /homework rw - tmpfs tmpfs rw
nonsense
37 22
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/home/me/.local/share/ipyweb", "nfs4"),
        ("/home/me/local/ipyweb", None),
        ("/home", "nfs4"),
        ("/homework/x", None),
        ("/scratch/x", "lustre"),
        ("/with space/x", "cifs"),
        ("/sshfs/x", "fuse.sshfs"),
        ("/gpfs", "gpfs"),
        ("/var/lib", None),
    ],
)
def test_network_file_systems_are_told_by_the_innermost_mount(tmp_path: Path, path: str, expected: str | None) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert disk.is_network(Path(path), mounts) == expected


def test_where_nobody_can_tell_a_file_system_counts_as_local(tmp_path: Path) -> None:
    assert disk.is_network(tmp_path, tmp_path / "missing") is None


def test_a_node_local_directory_is_private_and_the_same_each_time(tmp_path: Path) -> None:
    first = disk.node_local(Path("/home/me/ipyweb"), [tmp_path])
    assert first is not None
    assert first.stat().st_mode & 0o777 == 0o700
    assert first.parent.stat().st_mode & 0o777 == 0o700
    assert disk.node_local(Path("/home/me/ipyweb"), [tmp_path]) == first
    assert disk.node_local(Path("/home/me/other"), [tmp_path]) != first


def test_a_node_local_directory_that_somebody_took_first_is_not_used(tmp_path: Path) -> None:
    taken, free = tmp_path / "taken", tmp_path / "free"
    for each in (taken, free):
        each.mkdir()
    (taken / f"ipyweb-{os.geteuid()}").mkdir(mode=0o777)
    (taken / f"ipyweb-{os.geteuid()}").chmod(0o777)
    found = disk.node_local(Path("/home/me/ipyweb"), [taken, Path("/proc/nothing"), free])
    assert found is not None
    assert free in found.parents
    assert disk.node_local(Path("/home/me/ipyweb"), [taken]) is None


def test_the_default_is_a_gibibyte_or_five_percent_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Disk:
        f_frsize = 4096
        f_blocks = f_bavail = 100 * 2**30 // 4096

    monkeypatch.setattr(os, "statvfs", lambda _: Disk)
    assert disk.default_max_bytes(tmp_path) == 2**30
    Disk.f_blocks = 2**30 // 4096
    assert disk.default_max_bytes(tmp_path) == pytest.approx(2**30 * 0.05, rel=1e-3)


def test_the_database_stops_growing_before_the_disk_is_full() -> None:
    page, gib = 4096, 2**30
    assert disk.page_quota(0, page, gib, 100 * gib) * page == pytest.approx(1.1 * gib, rel=0.01)
    assert disk.page_quota(0, page, gib, 100 * disk.MIB) * page == 68 * disk.MIB
    assert disk.page_quota(1000, page, gib, 6 * disk.MIB) * page == 1000 * page + 3 * disk.MIB
    assert disk.page_quota(1000, page, gib, 0) == 1000


def test_ballast_is_only_laid_on_a_disk_with_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ballast = tmp_path / "ballast"
    monkeypatch.setattr(disk, "free_bytes", lambda _: disk.BALLAST)
    disk.make_ballast(ballast)
    assert not ballast.exists()
    monkeypatch.setattr(disk, "free_bytes", lambda _: 100 * disk.BALLAST)
    disk.make_ballast(ballast)
    assert (ballast.stat().st_size, ballast.stat().st_mode & 0o777) == (disk.BALLAST, 0o600)
