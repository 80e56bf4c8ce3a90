"""A project to stand in, and outputs in the history."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ipyweb import connection

from ..conftest import wait_until

Publish = Callable[..., int]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The working directory of the test: the root of a git work tree."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    monkeypatch.chdir(root)
    return str(root)


@pytest.fixture
def publish(hub: connection.Connection, project: str) -> Publish:
    """A function that puts one output into the history and returns its id."""

    def publish(data: dict[str, object] | None = None, **fields: object) -> int:
        body = {"data": data or {"text/plain": "hello"}, "project": project, **fields}
        return int(connection.request(hub, "POST", "api/outputs", body).json()["id"])

    return publish


@pytest.fixture
def answer(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., tuple[int, str, str]]:
    """A function that runs the command and returns its exit status, stdout and stderr."""
    from ipyweb.cli.app import main

    def answer(*words: str) -> tuple[int, str, str]:
        capsysbinary.readouterr()
        status = main(words)
        seen = capsysbinary.readouterr()
        return status, seen.out.decode(), seen.err.decode()

    return answer


@pytest.fixture
def ids(answer: Callable[..., tuple[int, str, str]]) -> Callable[..., list[int]]:
    """A function that lists the ids that ``list --json`` shows."""

    def ids(*words: str) -> list[int]:
        return [record["id"] for record in json.loads(answer("list", "--json", *words)[1])]

    return ids


def somebody_waits() -> None:
    """Wait until a request waits at the hub."""
    running = connection.find()
    assert running is not None
    wait_until(lambda: connection.request(running, "GET", "api/state").json()["waiting"], "somebody who waits")
