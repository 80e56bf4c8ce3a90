"""Files and directories that only their owner can use."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ipyweb.errors import ConnectionFileError
from ipyweb.private import exclusive, private_directory, read_private, write_private


def test_a_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConnectionFileError):
        private_directory(tmp_path / "link")


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_private_files_and_directories_are_ours_alone_under_any_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        directory = private_directory(tmp_path / "private")
        write_private(directory / "file", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "file").stat().st_mode) == 0o600
    assert read_private(directory / "file") == b"x"


def test_one_at_a_time_holds_a_lock_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lines = ["from pathlib import Path", "from ipyweb.private import exclusive"]
    other = "\n".join([*lines, f"with exclusive(Path({str(path)!r})) as ours: print(ours)"])

    def ask() -> str:
        return subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=True).stdout.strip()

    with exclusive(path) as ours:
        assert ours
        assert ask() == "False"
        with exclusive(path) as twice:
            assert not twice
    assert ask() == "True"


def test_a_forked_child_does_not_keep_a_lock(tmp_path: Path) -> None:
    waiting, ending = os.pipe()
    with exclusive(tmp_path / "lock"):
        forked = os.fork()
        if not forked:
            os.read(waiting, 1)
            os._exit(0)
    with exclusive(tmp_path / "lock") as ours:
        assert ours
    os.write(ending, b"x")
    os.waitpid(forked, 0)
    os.close(waiting)
    os.close(ending)


def test_a_file_replaced_while_it_is_opened_is_read_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_private(path, b"before")
    opened = os.open

    def replaced_meanwhile(*args: Any) -> int:
        descriptor = opened(*args)
        monkeypatch.undo()
        write_private(path, b"after")
        return descriptor

    monkeypatch.setattr(os, "open", replaced_meanwhile)
    assert read_private(path) == b"after"


def test_a_file_removed_while_it_is_opened_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_private(path, b"before")
    opened = os.open

    def removed_meanwhile(*args: Any) -> int:
        descriptor = opened(*args)
        path.unlink(missing_ok=True)
        return descriptor

    monkeypatch.setattr(os, "open", removed_meanwhile)
    with pytest.raises(FileNotFoundError):
        read_private(path)
