"""Enabling and disabling the extension in an IPython profile."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ipyweb.cli import profile
from ipyweb.cli.app import main


@pytest.mark.parametrize(
    "before",
    [
        None,
        b"",
        b"c = get_config()\n",
        b"c.InteractiveShell.autoindent = False",
        b"# windows\r\nc = get_config()\r\n",
        b"# latin-1: \xe9\n\n\n",
    ],
)
def test_disable_restores_every_byte(before: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "profile_default" / "ipython_config.py"
    if before is not None:
        path.parent.mkdir()
        path.write_bytes(before)
    assert profile.enable(path)
    assert b'extensions.append("ipyweb")' in path.read_bytes()
    assert profile.disable(path)
    assert (path.read_bytes() if path.exists() else None) == before


def test_lines_added_after_enabling_stay(tmp_path: Path) -> None:
    path = tmp_path / "ipython_config.py"
    profile.enable(path)
    path.write_text(path.read_text() + "c.InteractiveShell.autoindent = False\n")
    profile.disable(path)
    assert path.read_text() == "c.InteractiveShell.autoindent = False\n"


def test_enabling_twice_is_enabling_once(tmp_path: Path) -> None:
    path = tmp_path / "ipython_config.py"
    assert profile.enable(path)
    once = path.read_bytes()
    assert not profile.enable(path)
    assert path.read_bytes() == once


def test_disabling_what_is_not_enabled_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ipython_config.py"
    assert not profile.disable(path)
    path.write_text("c = get_config()\n")
    assert not profile.disable(path)
    assert path.read_text() == "c = get_config()\n"


def test_links_and_modes_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.py"
    real.write_text("c = get_config()\n")
    real.chmod(0o640)
    link = tmp_path / "ipython_config.py"
    link.symlink_to(real)
    profile.enable(link)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "ipyweb" in real.read_text()


@pytest.mark.parametrize("before", ["c.InteractiveShellApp.extensions = ['autoreload']", ""])
def test_ipython_loads_what_is_enabled(before: str) -> None:
    path = profile.config_file("mine")
    path.parent.mkdir(parents=True)
    path.write_text(before)
    assert main(["enable", "--profile", "mine"]) == 0
    shown = _ipython("--profile=mine", "-c", "print(sorted(get_ipython().extension_manager.loaded))")
    assert "'ipyweb'" in shown
    assert ("autoreload" in shown) == ("autoreload" in before)
    assert main(["disable", "--profile", "mine"]) == 0
    assert "'ipyweb'" not in _ipython("--profile=mine", "-c", "print(get_ipython().extension_manager.loaded)")


def _ipython(*args: str) -> str:
    command = [sys.executable, "-m", "IPython", *args]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout
