"""Firefox as its package has it, driven over WebDriver BiDi: Playwright drives only builds of its own."""

import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

KEYS = {"ArrowLeft": "\ue012", "ArrowRight": "\ue014", "Escape": "\ue00c", "Enter": "\ue007"}
HANGS = 60.0
"""Seconds after which something is taken to hang."""


def executable() -> str | None:
    """Path of the installed Firefox, if there is one."""
    return next((path for path in map(shutil.which, ("firefox-esr", "firefox")) if path), None)


class Tab:
    """One tab, and what a test asks it.

    Attributes:
        problems: errors in the console, and uncaught ones.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.problems: list[str] = []
        self._call("session.new", capabilities={})
        self._call("session.subscribe", events=["log.entryAdded"])
        self._context = self._call("browsingContext.getTree")["contexts"][0]["context"]
        self._call("browsingContext.setViewport", context=self._context, viewport={"width": 1100, "height": 720})

    def open(self, url: str) -> None:
        """Load a page."""
        self._call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        values = [KEYS.get(key, key) for key in keys]
        strokes = [{"type": kind, "value": value} for value in values for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keyboard", "actions": strokes}]
        self._call("input.performActions", context=self._context, actions=actions)

    def ask(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self._evaluate(script, self._context)

    def ask_frame(self, script: str) -> list[Any]:
        """The values of an expression in each frame of the page."""
        (tree,) = self._call("browsingContext.getTree", root=self._context)["contexts"]
        return [self._evaluate(script, child["context"]) for child in tree["children"]]

    def wait(self, script: str) -> Any:
        """The first true value of an expression in the page."""
        deadline = time.monotonic() + HANGS
        while not (value := self.ask(script)):
            assert time.monotonic() < deadline, f"waited {HANGS:g} s for {script}; {self.problems}"
            time.sleep(0.03)
        return value

    def _evaluate(self, script: str, context: str) -> Any:
        target = {"context": context}
        return self._call("script.evaluate", expression=script, target=target, awaitPromise=True)["result"].get("value")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv(timeout=HANGS))
            if said.get("method") == "log.entryAdded" and said["params"]["level"] == "error":
                self.problems.append(str(said["params"].get("text")))
            if said.get("id") == number:
                assert said["type"] == "success", said
                return dict(said["result"])


@contextmanager
def tab() -> Iterator[Tab]:
    """A Firefox with a profile of its own, and its tab."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [str(executable()), "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        environ = {**os.environ, "HOME": profile}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environ)
        try:
            with connect(f"{_address(process)}/session", proxy=None, max_size=None) as socket:
                yield Tab(socket)
        finally:
            process.terminate()
            process.wait(HANGS)


def _address(process: subprocess.Popen[str]) -> str:
    """Where it listens, which it says on standard error; the rest of that is read and forgotten."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[1]
    raise AssertionError("Firefox ended before it listened")
