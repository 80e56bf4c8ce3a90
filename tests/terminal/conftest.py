"""A real IPython, or Python, on a real pseudo-terminal, and what the hub got from it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from ipyweb import connection

from ..conftest import stop_hub

THINGS = """
class Rich:
    def _repr_html_(self): return "<b>rich</b>"
    def __repr__(self): return "Rich()"
class Raising:
    def _repr_html_(self): raise ValueError("no html today")
    def __repr__(self): return "Raising()"
class Printing:
    def _repr_html_(self):
        print("printed by the repr")
        return "<b>printing</b>"
    def __repr__(self): return "Printing()"
class Unprintable:
    def __repr__(self):
        raise ValueError("no text today")
class Rubbish:
    def _repr_mimebundle_(self, include=None, exclude=None): return 17
    def _repr_png_(self): return object()
    def __repr__(self): return "Rubbish()"
"""

PROMPT_BEGINS = "\x1b[?2004h"
PROMPT_ENDS = "\x1b[?2004l"
"""Bracketed paste, which prompt_toolkit switches on while it reads a line; between two prompts is what cells print."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()=>][0-9A-B]?|\r")
_NOTICE = re.compile(r"ipyweb: http://\S+\n +not opened: [^\n]*\n")
Records = list[dict[str, Any]]


def plain(text: str) -> str:
    """What a terminal shows of `text`, without colours and cursor movements."""
    return _CONTROL.sub("", text)


class Terminal:
    """IPython as a user sees it.

    Args:
        args: of IPython's command line.
    """

    def __init__(self, *args: str) -> None:
        words = ["-m", "IPython", "--no-banner", "--no-confirm-exit", *args]
        self.process = pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=180, dimensions=(50, 160))
        self.process.delaybeforesend = None
        self.process.expect_exact(PROMPT_BEGINS)

    def cell(self, code: str) -> str:
        """Run a cell.

        Args:
            code: one line or several.

        Returns:
            What it printed, without the link to the pane.
        """
        self.send(code)
        return self.printed()

    def send(self, code: str) -> None:
        """Type a cell and have it run, without waiting for its end."""
        self.process.send(f"\x1b[200~{code}\x1b[201~\x1b\r")  # pasted; then Escape and Enter, which always runs it
        self.process.expect_exact(PROMPT_ENDS)

    def printed(self) -> str:
        """Wait for the next prompt; returns what was printed before it."""
        self.process.expect_exact(PROMPT_BEGINS)
        return _NOTICE.sub("", plain(self.process.before)).strip("\n")

    def load(self) -> None:
        """Load the extension, and wait for the hub, whose link is printed as soon as there is one."""
        assert self.cell("%load_ext ipyweb") == ""
        self.cell("__import__('ipyweb').display(0).wait(180).remove()")

    def outputs(self) -> Records:
        """What the hub has, after it took all that was shown."""
        assert self.cell("__import__('ipyweb').flush(20)").endswith("True")
        return outputs()

    def exit(self) -> str:
        """Leave IPython; returns what it printed last."""
        self.process.send("\x04")
        self.process.expect_exact(PROMPT_ENDS)
        self.process.expect(pexpect.EOF)
        self.process.close()
        return plain(self.process.before)


def outputs() -> Records:
    """All outputs of the hub, ascending by id."""
    hub = connection.find()
    return [] if hub is None else connection.request(hub, "GET", "api/outputs").json()["outputs"]


def data(record: dict[str, Any], mime: str) -> bytes:
    """One representation of an output."""
    hub = connection.find()
    assert hub is not None
    return connection.request(hub, "GET", f"api/outputs/{record['id']}/data?mime={mime}").body


def sessions() -> Records:
    """All sessions of the hub."""
    hub = connection.find()
    assert hub is not None
    return connection.request(hub, "GET", "api/sessions").json()["sessions"]


def listed() -> Records:
    """What ``ipyweb list --json`` says of the project of this directory."""
    done = subprocess.run([sys.executable, "-m", "ipyweb", "list", "--json"], capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory to work in, with things to display; the hub that starts is stopped at the end."""
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "things.py").write_text(THINGS)
    monkeypatch.chdir(directory)
    for name, value in {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", "MPLBACKEND": ""}.items():
        monkeypatch.setenv(name, value)
    for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    yield directory
    stop_hub()


@pytest.fixture
def start() -> Iterator[Callable[..., Terminal]]:
    """Starts IPython; what runs still at the end is ended."""
    started: list[Terminal] = []

    def start(*args: str) -> Terminal:
        started.append(Terminal(*args))
        return started[-1]

    yield start
    for each in started:
        each.process.close(force=True)


@pytest.fixture
def ipython(start: Callable[..., Terminal]) -> Terminal:
    """IPython with ipyweb loaded and things to display; its next cell is number 4."""
    terminal = start()
    terminal.load()
    terminal.cell("from things import *; from IPython.display import *; import ipyweb")
    return terminal
