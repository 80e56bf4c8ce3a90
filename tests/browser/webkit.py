"""WebKitGTK in a virtual display, over WebDriver."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ..conftest import HANGS
from .tab import SIZE, Engine, Tab

DRIVER, DISPLAY = "WebKitWebDriver", "Xvfb"
TOOLBAR = 38
"""Height of what MiniBrowser has above the page, in CSS pixels."""
ENVIRON = {"GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"}
"""So that it keeps to the virtual display, and does without a desktop."""
LISTEN = """
window.problems = [];
const tell = (text) => problems.push(String(text));
console.error = (...said) => tell(said.join(" "));
addEventListener("error", ({ message }) => tell(message));
addEventListener("unhandledrejection", ({ reason }) => tell(reason));
addEventListener("securitypolicyviolation", ({ blockedURI }) => tell(`refused ${blockedURI}`));
"""
"""Its driver tells nothing of the console."""


class _Remote:
    """A session of the driver's."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._session = ""
        made = self.call("POST", "session", capabilities={"alwaysMatch": {}})
        self._session = f"session/{made['sessionId']}/"

    def call(self, method: str, command: str, **params: Any) -> Any:
        """Let it do something; what it answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=HANGS)
        body = json.dumps(params) if method == "POST" else None
        connection.request(method, f"/{self._session}{command}", body)
        with connection.getresponse() as response:
            value = json.load(response)["value"]
            assert response.status == 200, value
        return value


class _Tab(Tab):
    def __init__(self, remote: _Remote, home: Path) -> None:
        self.home = home
        self._remote = remote
        self.resize(*SIZE)

    @property
    def problems(self) -> list[str]:
        return list(self.ask("problems"))

    def open(self, url: str) -> None:
        for each in ("about:blank", url):  # for another fragment alone the pane begins anew, but later
            self._remote.call("POST", "url", url=each)
        self._execute(LISTEN)

    def ask(self, script: str) -> Any:
        return self._execute(f"return ({script})")

    def ask_frames(self, script: str) -> list[Any]:
        frames = self._remote.call("POST", "elements", using="css selector", value="iframe")
        return [self._ask_frame(frame, script) for frame in frames]

    def _ask_frame(self, frame: dict[str, str], script: str) -> Any:
        self._remote.call("POST", "frame", id=frame)
        try:
            return self.ask(script)
        finally:
            self._remote.call("POST", "frame", id=None)

    def resize(self, width: int, height: int) -> None:
        self._remote.call("POST", "window/rect", width=width, height=height + TOOLBAR)

    def _perform(self, *sources: dict[str, Any]) -> None:
        self._remote.call("POST", "actions", actions=sources)

    def _execute(self, script: str) -> Any:
        return self._remote.call("POST", "execute/sync", script=script, args=[])


@contextmanager
def _tab(port: int, home: Path) -> Iterator[Tab]:
    """The tab of a browser of its own: the driver opens one for each session."""
    remote = _Remote(port)
    try:
        yield _Tab(remote, home)
    finally:
        remote.call("DELETE", "")


@contextmanager
def _browser() -> Iterator[Callable[[], AbstractContextManager[Tab]]]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, _display() as display:
        environ = {**os.environ, **ENVIRON, "HOME": home, "XDG_CONFIG_HOME": home, "DISPLAY": display}
        (Path(home) / "user-dirs.dirs").write_text('XDG_DOWNLOAD_DIR="$HOME/Downloads"\n')
        (Path(home) / "Downloads").mkdir()
        port = _free_port()
        with _running([DRIVER, f"--port={port}"], env=environ) as process:
            _wait(process, port)
            yield partial(_tab, port, Path(home))


@contextmanager
def _display() -> Iterator[str]:
    reader, writer = os.pipe()
    screen = "{}x{}x24".format(*(2 * length for length in SIZE))
    command = [DISPLAY, "-displayfd", str(writer), "-screen", "0", screen, "-nolisten", "tcp"]
    with open(reader) as said, _running(command, pass_fds=[writer]):
        os.close(writer)
        yield f":{said.readline().strip()}"


@contextmanager
def _running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(HANGS)


def _free_port() -> int:
    """A port that nobody listens on; the driver takes only one that it is told."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the driver listens, which it does not say."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"{DRIVER} ended before it listened")


WEBKIT = Engine("webkit2gtk-driver xvfb", lambda: all(map(shutil.which, (DRIVER, DISPLAY))), _browser)
