"""A pane without a browser: it follows a session's comms at a real hub."""

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from ipyweb import connection
from ipyweb.comms import Comms, Joiner, Message, frames
from ipyweb.protocol import WIDGET_VIEW

from ..conftest import HANGS, wait_until

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a script; what runs still at the end is ended."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        environ = {**os.environ, "IPYWEB_REPORT": "0"}
        command = [sys.executable, "-c", code]
        process = subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environ)
        started.append(process)
        return process

    yield begin
    for each in started:
        each.kill()
        each.communicate()


def line(script: "subprocess.Popen[str]") -> str:
    """The next line that a script prints; one that says nothing more fails the test, with what it said of errors."""
    assert script.stdout is not None
    silence = threading.Timer(HANGS, script.kill)
    silence.start()
    said = script.stdout.readline()
    silence.cancel()
    assert said, f"the script prints nothing more:\n{script.communicate()[1]}"
    return said.strip()


def line_that_is(script: "subprocess.Popen[str]", wanted: str) -> None:
    """Wait for one of the lines that a script prints, whatever comes before."""
    while line(script) != wanted:
        pass


class Pane:
    """What a pane knows of one session's comms.

    Attributes:
        comms: as they are by now.
        heard: all that was said.
    """

    def __init__(self, hub: connection.Connection, session: str) -> None:
        self.comms = Comms()
        self.heard: list[Message] = []
        self._joiner = Joiner()
        self._numbers = itertools.count(1)
        token = hub.token_for("pane")
        headers = {"Authorization": f"Bearer {token}"}
        self._manager = connect("ws" + hub.url.removeprefix("http") + "/ws/comms/pane", additional_headers=headers)
        self._socket = self._manager.__enter__()
        self._say(Message({"type": "follow", "protocol": 1, "session": session}))

    def close(self) -> None:
        self._manager.__exit__(None, None, None)

    def _say(self, message: Message) -> None:
        for frame in frames(message):
            self._socket.send(frame)

    def update(self, model: str, **state: Any) -> str:
        """Do something to a widget.

        Returns:
            The message's id.
        """
        return self.say(model, {"method": "update", "state": state, "buffer_paths": []})

    def say(self, model: str, data: dict[str, Any], *buffers: bytes, type: str = "comm_msg", **fields: Any) -> str:  # noqa: A002
        number = f"pane:{next(self._numbers)}"
        self._say(Message({"type": type, "comm_id": model, "data": data, "msg_id": number, **fields}, buffers))
        return number

    def watch(self, model: str | None) -> None:
        """Look at a widget, or at none."""
        self._say(Message({"type": "watch", "comm_id": model}))

    def until(self, condition: Callable[[], Any]) -> Any:
        """Listen until a condition is true; its value."""
        while not (value := condition()):
            message = self._joiner.take(self._socket.recv(timeout=180))
            if message is None:
                continue
            self.heard.append(message)
            if message.header["type"] == "reset":
                self.comms = Comms()
            self.comms.take(message)
        return value

    def model(self, name: str) -> str:
        """The id of the only model of a kind, once it is there."""
        found: str = self.until(lambda: next(iter(self.models(name)), None))
        return found

    def models(self, name: str) -> list[str]:
        ids = [message.header["comm_id"] for message in self.comms.opens()]
        return [each for each in ids if self.value(each, "_model_name") == name]

    def models_with(self, key: str) -> list[str]:
        """The ids of those that have something in their state."""
        ids = [message.header["comm_id"] for message in self.comms.opens()]
        return [each for each in ids if self.value(each, key) is not None]

    def value(self, model: str, key: str) -> Any:
        state = self.comms.state(model)
        return None if state is None else state.get(key)

    def until_is(self, model: str, key: str, value: Any) -> None:
        self.until(lambda: self.value(model, key) == value)

    def until_handled(self, number: str) -> None:
        """Until the session has done what a message says."""
        self.until(lambda: any(each.header.get("parent") == number for each in self.of("status")))

    def of(self, kind: str) -> list[Message]:
        return [each for each in self.heard if each.header["type"] == kind]


def widgets(hub: connection.Connection) -> list[dict[str, Any]]:
    """The outputs that show widgets."""
    found = connection.request(hub, "GET", "api/outputs").json()["outputs"]
    return [each for each in found if WIDGET_VIEW in each["mimetypes"]]


@pytest.fixture
def follow(hub: connection.Connection) -> Iterator[Callable[..., Pane]]:
    """Follow the session of the newest widget, once there are so many."""
    panes: list[Pane] = []

    def begin(count: int = 1) -> Pane:
        found = wait_until(lambda: len(shown := widgets(hub)) >= count and shown, f"{count} widgets")
        panes.append(Pane(hub, found[-1]["session"]))
        return panes[-1]

    yield begin
    for pane in panes:
        pane.close()
