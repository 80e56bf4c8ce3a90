"""Firefox, over WebDriver BiDi."""

import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from ..conftest import HANGS
from .tab import SIZE, Engine, Tab


def executable() -> str | None:
    """Path of the installed Firefox, if there is one."""
    return next((path for path in map(shutil.which, ("firefox-esr", "firefox")) if path), None)


class _Remote:
    """The browser's end of the socket.

    Attributes:
        errors: what was said in consoles at that level since the last tab was opened.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.errors: list[str] = []
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded"])

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Let it do something; its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv(timeout=HANGS))
            if said.get("method") == "log.entryAdded" and said["params"]["level"] == "error":
                self.errors.append(str(said["params"].get("text")))
            if said.get("id") == number:
                assert said["type"] == "success", said
                return dict(said["result"])


class _Tab(Tab):
    def __init__(self, remote: _Remote, context: str, home: Path) -> None:
        self.home = home
        self._remote = remote
        self._context = context
        self.resize(*SIZE)

    @property
    def problems(self) -> list[str]:
        return self._remote.errors

    def open(self, url: str) -> None:
        self._call("browsingContext.navigate", url=url, wait="complete")

    def ask(self, script: str) -> Any:
        return self._evaluate(script, self._context)

    def ask_frames(self, script: str) -> list[Any]:
        (tree,) = self._remote.call("browsingContext.getTree", root=self._context)["contexts"]
        return [self._evaluate(script, child["context"]) for child in tree["children"]]

    def resize(self, width: int, height: int) -> None:
        self._call("browsingContext.setViewport", viewport={"width": width, "height": height})

    def _perform(self, *sources: dict[str, Any]) -> None:
        self._call("input.performActions", actions=sources)

    def _evaluate(self, script: str, context: str) -> Any:
        said = self._remote.call("script.evaluate", expression=script, target={"context": context}, awaitPromise=True)
        assert said["type"] == "success", said
        return said["result"].get("value")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._remote.call(method, context=self._context, **params)


@contextmanager
def _tab(remote: _Remote, home: Path) -> Iterator[Tab]:
    """A tab with cookies, storage and channels of its own."""
    remote.errors.clear()
    user = remote.call("browser.createUserContext")["userContext"]
    try:
        yield _Tab(remote, remote.call("browsingContext.create", type="tab", userContext=user)["context"], home)
    finally:
        remote.call("browser.removeUserContext", userContext=user)


@contextmanager
def _browser() -> Iterator[Callable[[], AbstractContextManager[Tab]]]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [str(executable()), "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        environ = {**os.environ, "HOME": profile}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environ)
        try:
            with connect(f"{_address(process)}/session", proxy=None, max_size=None) as socket:
                yield partial(_tab, _Remote(socket), Path(profile))
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


FIREFOX = Engine("firefox-esr", lambda: executable() is not None, _browser)
