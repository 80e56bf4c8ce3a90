"""A session whose messages are kept for the test instead of sent."""

from collections.abc import Iterator
from typing import Any

import pytest

from ipyweb.config import IPyWeb
from ipyweb.session import session as sessions
from ipyweb.session.backlog import Backlog
from ipyweb.session.session import Session


class Sent:
    """What a session handed over: headers, and data by MIME type."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog

    def entries(self) -> list[tuple[dict[str, Any], dict[str, bytes]]]:
        taken = [(entry.header, entry.parts) for entry in iter(self._backlog.take, None)]
        self._backlog.acked(10**9, [])
        return taken

    def displays(self) -> list[dict[str, bytes]]:
        return [parts for header, parts in self.entries() if parts]

    def types(self) -> list[str]:
        return [header["type"] for header, _ in self.entries()]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """This process's session for one test; its thread never starts."""
    made = Session("script", IPyWeb())
    monkeypatch.setattr(made.client, "_start", lambda: None)
    monkeypatch.setattr(sessions, "_current", made)
    yield made
    made.client.abandon()
    made.handover.close(0)


@pytest.fixture
def sent(session: Session) -> Sent:
    return Sent(session.client.backlog)
