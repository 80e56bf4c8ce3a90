"""Real processes to break: scripts that display, hubs to kill, and what is left of them afterwards."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ipyweb import connection
from ipyweb.connection import Connection
from ipyweb.errors import IpywebError

from ..conftest import HANGS, wait_until

Record = dict[str, Any]


class Finished:
    """What a script that has ended left behind.

    Attributes:
        status: its exit status, negative for a signal.
        out, err: what it printed.
        seconds: how long it ran.
    """

    def __init__(self, status: int, out: str, err: str, seconds: float) -> None:
        self.status = status
        self.out = out
        self.err = err
        self.seconds = seconds

    def __repr__(self) -> str:
        return f"exit {self.status} after {self.seconds:.2f} s\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Scripts:
    """Starts Python scripts in processes of their own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._count = 0
        self.running: list[subprocess.Popen[str]] = []

    def start(self, source: str, *argv: str, python: str = sys.executable, **environ: str) -> subprocess.Popen[str]:
        """Start a script; its stdin, stdout and stderr are pipes."""
        self._count += 1
        path = self._directory / f"script{self._count}.py"
        path.write_text(source)
        process = subprocess.Popen(
            [python, str(path), *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._directory,
            env={**os.environ, **environ},
        )
        self.running.append(process)
        return process

    def finish(self, process: subprocess.Popen[str], timeout: float = HANGS) -> Finished:
        """Wait for the end of a script."""
        began = time.monotonic()
        out, err = process.communicate(timeout=timeout)
        return Finished(process.returncode, out, err, time.monotonic() - began)

    def run(self, source: str, *argv: str, **environ: str) -> Finished:
        """Run a script to its end, which has to be a good one."""
        done = self.finish(self.start(source, *argv, **environ))
        assert done.status == 0, done
        return done


@pytest.fixture
def scripts(tmp_path: Path) -> Iterator[Scripts]:
    """A starter of scripts; those that still run are killed at the end."""
    started = Scripts(tmp_path)
    yield started
    for process in started.running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def no_hub_is_left(private_environment: None) -> Iterator[None]:
    """Kill every hub that this test's directories have, however it came to be."""
    runtime = os.environ["IPYWEB_RUNTIME_DIR"]
    yield
    for process in hubs(runtime):
        with contextlib.suppress(psutil.NoSuchProcess):
            kill(process.pid)


def hubs(runtime: str | None = None) -> list[psutil.Process]:
    """The processes that are, or are about to be, a hub of a runtime directory; this test's by default."""
    wanted = runtime or os.environ["IPYWEB_RUNTIME_DIR"]
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "serve" in process.cmdline() and process.environ().get("IPYWEB_RUNTIME_DIR") == wanted:
                found.append(process)
    return found


def the_hub() -> Connection:
    """The running hub, waited for."""

    def found() -> Connection | None:
        with contextlib.suppress(IpywebError):
            return connection.find()
        return None

    hub: Connection = wait_until(found, "a hub")
    return hub


def get(path: str) -> Any:
    """An answer of the running hub's, as JSON."""
    return connection.request(the_hub(), "GET", path).json()


def outputs() -> list[Record]:
    """Every output that is stored, removed ones included, in the order of ids."""
    found: list[Record] = []
    while page := get(f"api/outputs?limit=1000&removed=all&after={found[-1]['id'] if found else 0}")["outputs"]:
        found += page
    return found


def titles() -> list[str]:
    """The titles of all outputs, in the order of ids."""
    return [record["title"] for record in outputs()]


def wait_for_titles(expected: list[str]) -> None:
    """Wait until as many outputs are stored; they have to be these, in this order."""
    wait_until(lambda: get("api/state")["outputs"] >= len(expected), f"{len(expected)} outputs")
    assert titles() == expected


def data_of(record: Record, mime: str) -> bytes:
    """One representation of an output."""
    return connection.request(the_hub(), "GET", f"api/outputs/{record['id']}/data?mime={mime}").body


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process; after a deadly one, wait until it is gone."""
    process = psutil.Process(pid)
    process.send_signal(number)
    if number is signal.SIGKILL:
        wait_until(lambda: _is_gone(process), f"process {pid} to die")


def _is_gone(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def kill_the_hub() -> None:
    """Kill the running hub."""
    kill(the_hub().pid)


def spool_files() -> list[Path]:
    """The spool files that wait."""
    return sorted((connection.data_dir() / "spool").glob("*.spool"))


def chance() -> random.Random:
    """Random numbers whose seed is printed, and taken from ``IPYWEB_SEED`` if that is set."""
    seed = int(os.environ.get("IPYWEB_SEED") or random.randrange(2**32))
    print(f"IPYWEB_SEED={seed}")
    return random.Random(seed)
