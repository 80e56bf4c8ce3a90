"""A tab of a browser as its package has it, driven over WebDriver: Playwright drives only builds of its own."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from ..conftest import wait_until

KEYS = {
    "ArrowLeft": "\ue012",
    "ArrowRight": "\ue014",
    "Control": "\ue009",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Shift": "\ue008",
}
"""What WebDriver writes for keys without a character (https://www.w3.org/TR/webdriver2/#keyboard-actions)."""
SIZE = 1100, 720
"""Width and height of a page, in CSS pixels."""
MIDDLE = "(({left, top, width, height}) => [left + width / 2, top + height / 2].map(Math.round).join())"
"""JavaScript that makes the middle of a box of the box."""


class Tab(ABC):
    """One tab, and what a test asks it.

    Attributes:
        home: where the browser's files go; what is downloaded, into ``Downloads``.
        expects_problems: whether problems are what the test wants.
    """

    home: Path
    expects_problems = False

    @property
    @abstractmethod
    def problems(self) -> list[str]:
        """Errors in the console, and uncaught ones."""

    @abstractmethod
    def open(self, url: str) -> None:
        """Load a page."""

    @abstractmethod
    def ask(self, script: str) -> Any:
        """The value of an expression in the page; of a promise, what it comes to."""

    @abstractmethod
    def ask_frames(self, script: str) -> list[Any]:
        """The values of an expression in each frame of the page."""

    @abstractmethod
    def _perform(self, *sources: dict[str, Any]) -> None:
        """Let input devices act, as WebDriver describes them."""

    def press(self, *chords: str) -> None:
        """Press keys, one after the other; ``Control+k`` holds one meanwhile."""
        strokes = [stroke for chord in chords for stroke in _strokes(chord)]
        self._perform({"type": "key", "id": "keyboard", "actions": strokes})

    def click(self, selector: str) -> None:
        """Click in the middle of an element."""
        middle = self.ask(f"{MIDDLE}(document.querySelector({json.dumps(selector)}).getBoundingClientRect())")
        x, y = map(int, middle.split(","))
        move = {"type": "pointerMove", "x": x, "y": y}
        actions = [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._perform({"type": "pointer", "id": "mouse", "actions": actions})

    def reads(self, selector: str, words: str) -> None:
        """Wait until an element has these words in it."""
        self.wait(f"document.querySelector({json.dumps(selector)})?.innerText.includes({json.dumps(words)})")

    def downloaded(self, name: str) -> bytes:
        """The content of a file that the page gives, once it is there."""
        path = self.home / "Downloads" / name
        wait_until(lambda: path.is_file() and path.stat().st_size, name)
        return path.read_bytes()

    def wait(self, script: str) -> Any:
        """The first true value of an expression in the page."""
        return wait_until(lambda: self.ask(script), script)


class Engine(NamedTuple):
    """A browser engine.

    Attributes:
        packages: what has it, as ``apt-get install`` takes it.
        installed: whether it is there.
        browser: starts it; gives what opens a tab that shares nothing with another.
    """

    packages: str
    installed: Callable[[], bool]
    browser: Callable[[], AbstractContextManager[Callable[[], AbstractContextManager[Tab]]]]


def _strokes(chord: str) -> list[dict[str, str]]:
    keys = [KEYS.get(key, key) for key in re.split(r"(?<=\w)\+", chord)]
    return [{"type": "keyDown", "value": key} for key in keys] + [{"type": "keyUp", "value": key} for key in keys[::-1]]
