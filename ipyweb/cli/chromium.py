"""A page in headless Chromium, by the Chrome DevTools Protocol over a pipe (https://chromedevtools.github.io/devtools-protocol/).

It has no network, no port that anybody else could reach, and a profile that goes with it; it ends when its pipe closes,
whatever becomes of us. Runs in a process of its own (see `exporters`), as it sets up the pipe between fork and exec.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_APPLICATIONS = ("Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome")
_OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",  # addresses are not looked up; nothing listens here
    "--proxy-bypass-list=<-loopback>",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--no-default-browser-check",
    "--no-first-run",
    "--password-store=basic",
    "--use-mock-keychain",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
)
_COMMANDS, _ANSWERS = 3, 4  # the descriptors on which Chromium expects its pipe


class ChromiumFailed(Exception):
    """Chromium did not start, ended, or refused; the text says what it said."""


def find() -> str | None:
    """Path of a Chromium, or of a browser that is made of it."""
    paths = (shutil.which(name) for name in _NAMES)
    applications = (path for name in _APPLICATIONS if (path := Path("/Applications", name)).exists())
    return next(filter(None, paths), None) or next(map(str, applications), None)


class Page:
    """A page, driven by commands of the protocol."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._buffer = b""
        self._number = 0
        self._session: dict[str, str] = {}

    def open(self, url: str, width: int, height: int, scale: float) -> None:
        """Show an address in a window of some size in CSS pixels; `scale` is pixels of the screen per CSS pixel."""
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.tell("Emulation.setDeviceMetricsOverride", **metrics)
        self.tell("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript, awaited."""
        done = self.tell("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            thrown = done["exceptionDetails"]
            raise ChromiumFailed(str(thrown.get("exception", {}).get("description") or thrown.get("text")))
        return done["result"].get("value")

    def tell(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command, and wait for its answer."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": params, **self._session}
        text = memoryview(json.dumps(command).encode() + b"\0")
        try:
            while text:
                text = text[os.write(self._commands, text) :]
        except BrokenPipeError as error:
            raise ChromiumFailed("it ended") from error
        while (answer := self._next()).get("id") != self._number:
            pass
        if "error" in answer:
            raise ChromiumFailed(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            chunk = os.read(self._answers, 2**20)
            if not chunk:
                raise ChromiumFailed("it ended")
            self._buffer += chunk
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


@contextmanager
def page(profile: Path) -> Iterator[Page]:
    """An empty page of a Chromium of its own.

    Args:
        profile: an empty directory for what it writes.

    Raises:
        ChromiumFailed: there is none, or it does not start.
    """
    from fcntl import F_DUPFD_CLOEXEC, fcntl  # not on Windows, where a pipe is handed over in another way

    path = find()
    if path is None:
        raise ChromiumFailed("there is no Chromium")
    # As root it refuses to start with its own sandbox; that of the frame is there all the same.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    theirs_in, commands = os.pipe()
    answers, theirs_out = os.pipe()

    def connect() -> None:  # safe after the fork, as this process has one thread
        high = [fcntl(each, F_DUPFD_CLOEXEC, 10) for each in (theirs_in, theirs_out)]  # else one might take 3 or 4
        for descriptor, expected in zip(high, (_COMMANDS, _ANSWERS), strict=True):
            os.dup2(descriptor, expected)

    said = profile / "stderr"
    with said.open("wb") as stderr:
        process = subprocess.Popen(
            [path, *_OPTIONS, *sandbox, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            close_fds=False,
            preexec_fn=connect,
        )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Page(commands, answers)
    except ChromiumFailed as error:
        raise ChromiumFailed(_explained(error, process, said)) from error
    finally:
        process.kill()
        process.wait()
        os.close(commands)
        os.close(answers)


def _explained(error: Exception, process: "subprocess.Popen[bytes]", said: Path) -> str:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1.0)  # a pipe is closed a moment before its process has ended
        lines = said.read_text(errors="replace").splitlines()
        why = [line for line in lines if "FATAL" in line or "No usable sandbox" in line] or lines[-1:]
        return f"{error} with status {process.returncode}: {' '.join(why)}"
    return str(error)
