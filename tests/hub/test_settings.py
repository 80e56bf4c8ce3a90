"""What the pane hears of the user's config file."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from traitlets.config import Config

from .conftest import Live

DEFAULTS = {
    "keys": {},
    "theme": "auto",
    "filter": "off",
    "filmstrip": "left",
    "editor": "vscode://file/{file}:{line}",
    "stylesheet": None,
    "problems": [],
}


@pytest.fixture
def write() -> Callable[[str], Path]:
    """A function that writes the config file, and returns its directory."""
    directory = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    directory.mkdir()

    def write(text: str) -> Path:
        (directory / "ipyweb_config.py").write_text(text)
        return directory

    return write


def test_without_a_file_the_defaults_hold(live: Live) -> None:
    assert live.get("/api/settings") == DEFAULTS
    assert live.request("GET", "/api/settings", scope="pane").status == 200


def test_the_file_is_read_again_when_it_was_written(live: Live, write: Callable[[str], Path]) -> None:
    directory = write("c.Pane.theme = 'dark'\nc.Pane.keys = {'next': 'l', 'pin': ['p', 'Shift+p']}\n")
    assert live.get("/api/settings") == {**DEFAULTS, "theme": "dark", "keys": {"next": ["l"], "pin": ["p", "Shift+p"]}}
    (directory / "pane.css").write_text("body { color: red }")
    write("c.Pane.stylesheet = 'pane.css'\nc.Pane.filmstrip = 'bottom'\n")
    assert live.get("/api/settings") == {**DEFAULTS, "stylesheet": "body { color: red }", "filmstrip": "bottom"}


def test_what_is_wrong_is_told_and_the_defaults_hold(live: Live, write: Callable[[str], Path]) -> None:
    for text, told in {
        "1 / 0": "cannot be loaded: ZeroDivisionError",
        "c.Pane.theme = 'pink'": "theme",
        "c.Pane.keys = {'next': 3}": "expected a list of keys for 'next', got 3",
        "c.Pane.stylesheet = 'nowhere.css'": "nowhere.css cannot be read",
    }.items():
        write(text)
        found = live.get("/api/settings")
        (problem,) = found.pop("problems")
        assert told in problem
        assert {**found, "problems": []} == DEFAULTS


def test_a_style_sheet_that_is_too_large_is_left_out(live: Live, write: Callable[[str], Path]) -> None:
    (write("c.Pane.stylesheet = 'pane.css'") / "pane.css").write_bytes(b" " * 300_000)
    found = live.get("/api/settings")
    assert found["stylesheet"] is None
    assert "at most 262144 bytes" in found["problems"][0]


def test_what_the_hub_was_started_with_counts(start: Callable[..., Live]) -> None:
    live = start(config=Config({"Pane": {"theme": "light"}}))
    assert live.get("/api/settings")["theme"] == "light"
