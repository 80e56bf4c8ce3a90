"""What every test gets: directories of its own, no browser, and nothing of the developer's own settings."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from ipyweb import connection

from .hatchery import Hatchery

HANGS = 180.0
"""Seconds after which something is taken to hang. Nothing here is fast or slow; it comes or it does not."""

LONGEST = (
    "integrations/test_libraries.py",
    "browser/test_libraries.py",
    "faults/test_processes.py",
    "browser/test_engines.py",
    "browser/test_peers.py",
    "figures/test_showing.py",
    "faults/test_end_of_script.py",
    "faults/test_figures.py",
    "browser/test_isolation.py",
    "browser/test_widgets.py",
)
"""Files that take longest: they come first, so that no worker is left alone with one at the end."""

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_OURS = (
    "IPYWEB_HUB",
    "IPYWEB_TOKEN_FILE",
    "IPYWEB_HUB_CERT",
    "IPYWEB_SESSION",
    "IPYWEB_STORE",
    "IPYWEB_RANKS",
    "IPYWEB_REPORT",
    "BROWSER",
    "VSCODE_PROXY_URI",
    "JUPYTERHUB_PUBLIC_URL",
    "JUPYTERHUB_HOST",
    "JUPYTERHUB_SERVICE_PREFIX",
)


def pytest_configure() -> None:
    """Hear Ctrl-C also where a shell has started the tests in the background, as scripts of theirs inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get("/".join(item.path.parts[-2:]), len(LONGEST)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say what failed when it fails: of a run that is ended from outside, nothing else remains."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        sys.__stdout__.write(f"\n{report.nodeid} ({report.when}):\n{report.longreprtext}\n")
        sys.__stdout__.flush()


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


@pytest.fixture(scope="session")
def hatchery() -> Iterator[Hatchery]:
    """Where hubs come from."""
    made = Hatchery()
    yield made
    made.close()


@pytest.fixture
def hub(private_environment: None, hatchery: Hatchery) -> Iterator[connection.Connection]:
    """A hub of this test's own, in its own process; the test may stop it."""
    hatchery.hatch()
    yield connection.start()
    stop_hub()


def stop_hub() -> None:
    """Stop the hub of these directories, if it runs, and wait until it is gone."""
    running = connection.find()
    if running is None:
        return
    connection.request(running, "POST", "api/stop", {})
    deadline = time.monotonic() + HANGS
    while is_running(running.pid):
        assert time.monotonic() < deadline, f"hub {running.pid} does not stop"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process is there and not just waits to be reaped."""
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
