"""Programs of their own, whose displays are collected instead of sent: a library can be imported only once."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

SCRIPT = """
import base64, json, sys, tempfile
from ipyweb.session.client import Client
Client._start = lambda self: None
def report():
    from ipyweb.session.session import begun
    taken = iter(begun().client.backlog.take, None) if begun() else ()
    entries = [(e.header, {m: base64.b64encode(p).decode() for m, p in e.parts.items()}) for e in taken]
    print("\\n@@" + json.dumps(entries))
    sys.stdout.flush()
"""

IPYTHON = """
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.enabled = False
config.TerminalInteractiveShell.simple_prompt = True
shell = TerminalInteractiveShell.instance(config=config)
for cell in json.loads(sys.argv[1]):
    shell.run_cell(cell, store_history=True).raise_error()
report()
"""


class Shown(NamedTuple):
    """One message: its header, and its data by MIME type."""

    header: dict[str, Any]
    data: dict[str, bytes]


class Run(NamedTuple):
    """What a program displayed and printed."""

    shown: list[Shown]
    out: str
    err: str


def _run(code: str, *args: str) -> Run:
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, timeout=180)
    assert "@@" in done.stdout, done.stdout + done.stderr
    out, _, collected = done.stdout.rpartition("\n@@")
    shown = [
        Shown(header, {mime: base64.b64decode(part) for mime, part in parts.items()})
        for header, parts in json.loads(collected)
    ]
    return Run(shown, out, done.stderr)


@pytest.fixture(autouse=True)
def _pictures(pictures_at_once: None) -> None:
    """What is tested here is what is shown when, not how it is drawn."""


@pytest.fixture
def script() -> Callable[[str], Run]:
    """Runs a script."""
    return lambda code: _run(f"{SCRIPT}\n{code}\nreport()")


@pytest.fixture
def cells() -> Callable[..., Run]:
    """Runs cells in a terminal IPython."""
    return lambda *code: _run(SCRIPT + IPYTHON, json.dumps(code))
