"""Programs whose workers, ranks and children display, as users write them, and what arrived of that."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipyweb import connection

from ..conftest import HANGS

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(hub: connection.Connection, tmp_path: Path) -> Run:
    """Run a script to its end, which has to be a good one, below a command such as ``mpirun``."""

    def run_script(source: str, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "train.py"
        script.write_text(source)
        done = subprocess.run(
            [*command, sys.executable, str(script)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **environ},
            timeout=5 * HANGS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run_script


def get(path: str) -> Any:
    """An answer of the running hub's, as JSON."""
    running = connection.find()
    assert running is not None
    return connection.request(running, "GET", path).json()


def outputs() -> list[dict[str, Any]]:
    """Every output that is stored, in the order of ids."""
    found: list[dict[str, Any]] = get("api/outputs?limit=1000")["outputs"]
    return found


def sessions() -> dict[str, dict[str, Any]]:
    """The sessions by their ids."""
    return {each["id"]: each for each in get("api/sessions")["sessions"]}


def text_of(record: dict[str, Any], version: int | None = None) -> str:
    """What an output says."""
    running = connection.find()
    assert running is not None
    suffix = "" if version is None else f"&version={version}"
    path = f"api/outputs/{record['id']}/data?mime=text/plain{suffix}"
    return connection.request(running, "GET", path).body.decode()
