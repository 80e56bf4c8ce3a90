"""What every test gets: directories of its own, no browser, and nothing of the developer's own settings."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipyweb import connection

HANGS = 60.0
"""Seconds after which something is taken to hang. Nothing here is fast or slow; it comes or it does not."""

_OURS = ("IPYWEB_HUB", "IPYWEB_TOKEN_FILE", "IPYWEB_SESSION", "IPYWEB_STORE", "IPYWEB_REPORT", "BROWSER")


@pytest.fixture(autouse=True)
def private_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point everything that reads or writes files at directories of this test's own, and end its hub and keepers."""
    for name in _OURS:
        monkeypatch.delenv(name, raising=False)
    for name in ("IPYWEB_RUNTIME_DIR", "IPYWEB_DATA_DIR", "IPYTHONDIR", "XDG_CONFIG_HOME"):
        directory = tmp_path / f".{name.lower()}"
        directory.mkdir(mode=0o700)
        monkeypatch.setenv(name, str(directory))
    monkeypatch.setenv("IPYWEB_BROWSER", "none")
    yield
    if (tmp_path / ".ipyweb_runtime_dir" / "hub.json").exists():  # a script of the test has started one
        for name, directory in (("IPYWEB_RUNTIME_DIR", "runtime"), ("IPYWEB_DATA_DIR", "data")):
            monkeypatch.setenv(name, str(tmp_path / f".ipyweb_{directory}_dir"))
        monkeypatch.delenv("IPYWEB_HUB", raising=False)
        with contextlib.suppress(Exception):  # it is none, or is gone by now
            stop_hub()
    for directory in (tmp_path / ".ipyweb_runtime_dir").glob("keepers/*/"):
        stop_keeper(directory.name)


def stop_keeper(environment: str) -> None:
    """End the figure keeper of an environment, if it runs."""
    from ipyweb.errors import KeeperUnavailable
    from ipyweb.figures import channel

    with contextlib.suppress(KeeperUnavailable, OSError):
        channel.send(channel.dial(environment), {"type": "stop"})


@pytest.fixture
def pictures_at_once(private_environment: None) -> None:
    """Let figures be drawn where they are shown, so that messages carry their pictures."""
    directory = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    directory.mkdir(exist_ok=True)
    with (directory / "ipyweb_config.py").open("a") as file:
        file.write("c.IPyWeb.figure_keeper = False\n")


@pytest.fixture
def hub(private_environment: None) -> Iterator[connection.Connection]:
    """A hub of this test's own, in its own process; the test may stop it."""
    started = connection.start()
    yield started
    stop_hub()


def stop_hub() -> None:
    """Stop the hub of these directories, if it runs, and wait until it is gone."""
    running = connection.find()
    if running is None:
        return
    connection.request(running, "POST", "api/stop", {})
    deadline = time.monotonic() + 20
    while _alive(running.pid):
        assert time.monotonic() < deadline, f"hub {running.pid} does not stop"
        time.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of a condition."""
    deadline = time.monotonic() + HANGS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {HANGS:g} s for {what}"
        time.sleep(0.02)
    return value
