"""A keeper of this test's own, and a session to talk to it."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from ipyweb import keepers
from ipyweb.figures import channel

ROOT = str(Path(__file__).parents[2])


def record(environment: str, **settings: Any) -> None:
    """Note how the keeper is started."""
    path = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH", "")]))
    environ = {**keepers.kept_environment(os.environ), "PYTHONPATH": path}
    keepers.write_record(environment, [sys.executable, "-P", "-m", "ipyweb.figures.keeper"], environ, settings)


@pytest.fixture
def environment() -> str:
    return keepers.environment_id(matplotlib.__version__)


@pytest.fixture
def keeper(environment: str) -> Iterator[Callable[..., Connection]]:
    """Start the keeper and dial it."""
    dialled: list[Connection] = []

    def start(**settings: Any) -> Connection:
        record(environment, **settings)
        keepers.start(environment)
        dialled.append(channel.dial(environment))
        return dialled[-1]

    yield start
    for each in dialled:
        with contextlib.suppress(OSError):
            channel.send(each, {"type": "stop"})
        each.close()


def answer(peer: Connection, timeout: float = 180) -> dict[str, Any]:
    """What the keeper says next, that it is warm or keeps something apart."""
    deadline = time.monotonic() + timeout
    while peer.poll(max(0.0, deadline - time.monotonic())):
        header, _ = channel.receive(peer)
        if header["type"] not in ("warm", "cold", "kept"):
            return header
    raise AssertionError("the keeper says nothing")
