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
    "Alt": "\ue00a",
    "ArrowLeft": "\ue012",
    "ArrowRight": "\ue014",
    "Control": "\ue009",
    "Delete": "\ue017",
    "End": "\ue010",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Home": "\ue011",
    "PageDown": "\ue00f",
    "PageUp": "\ue00e",
    "Shift": "\ue008",
}
"""What WebDriver writes for keys without a character (https://www.w3.org/TR/webdriver2/#keyboard-actions)."""
SIZE = 1100, 720
"""Width and height of a page, in CSS pixels."""
MIDDLE = """((selector, words) => {
    const said = (element) => element.innerText.trim() === words;
    const element = [...document.querySelectorAll(selector)].find((each) => !words || said(each));
    element?.scrollIntoView({ block: "nearest", inline: "nearest" });
    const { left, top, width, height } = element?.getBoundingClientRect() ?? {};
    const middle = [left + width / 2, top + height / 2].map(Math.round);
    return element?.contains(document.elementFromPoint(...middle)) && middle.join();
})"""
"""JavaScript that tells the middle of the first element that a selector finds and that has the words, once it can be
hit there."""
FILL = """((selector, value) => {
    const field = document.querySelector(selector);
    field.value = [...(field.options ?? [])].find(({ text }) => text === value)?.value ?? value;
    for (const event of ["input", "change"]) field.dispatchEvent(new Event(event, { bubbles: true }));
})"""
CLICK = "pointerDown", "pointerUp"
PAUSE = {"type": "pause"}


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
    def resize(self, width: int, height: int) -> None:
        """Make the page that large, in CSS pixels."""

    @abstractmethod
    def _perform(self, *sources: dict[str, Any]) -> None:
        """Let input devices act, as WebDriver describes them."""

    def press(self, *chords: str) -> None:
        """Press keys, one after the other; ``Control+k`` holds one meanwhile."""
        strokes = [stroke for chord in chords for stroke in _strokes(chord)]
        self._perform({"type": "key", "id": "keyboard", "actions": strokes})

    def click(self, selector: str, words: str = "", *, held: str | None = None) -> None:
        """Click in the middle of an element, that with these words and no more if there are any, with a key held."""
        x, y = self._middle(selector, words)
        mouse = [{"type": "pointerMove", "x": x, "y": y}, *({"type": each, "button": 0} for each in CLICK)]
        down, up = _strokes(held) if held else (PAUSE, PAUSE)
        keys = {"type": "key", "id": "keyboard", "actions": [down, PAUSE, PAUSE, PAUSE, up]}
        self._perform(keys, {"type": "pointer", "id": "mouse", "actions": [PAUSE, *mouse, PAUSE]})

    def drag(self, selector: str, right: int, down: int) -> None:
        """Take hold of an element in its middle, and move it by CSS pixels."""
        x, y = self._middle(selector)
        take, leave = CLICK
        way = [{"type": "pointerMove", "x": x + right * step // 2, "y": y + down * step // 2} for step in range(3)]
        actions = [way[0], {"type": take, "button": 0}, *way[1:], {"type": leave, "button": 0}]
        self._perform({"type": "pointer", "id": "mouse", "actions": actions})

    def wheel(self, selector: str, down: int) -> None:
        """Turn the mouse's wheel over an element, by CSS pixels."""
        x, y = self._middle(selector)
        scroll = {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": down}
        self._perform({"type": "wheel", "id": "wheel", "actions": [scroll]})

    def fill(self, selector: str, value: str) -> None:
        """Give a field a value as if it were typed or chosen; of a choice, the words of what is chosen do too."""
        self.wait(f"document.querySelector({json.dumps(selector)}) !== null")
        self.ask(f"{FILL}({json.dumps(selector)}, {json.dumps(value)})")

    def _middle(self, selector: str, words: str = "") -> tuple[int, int]:
        x, y = map(int, self.wait(f"{MIDDLE}({json.dumps(selector)}, {json.dumps(words)})").split(","))
        return x, y

    def reads(self, selector: str, words: str) -> None:
        """Wait until an element has these words in it."""
        self.wait(f"document.querySelector({json.dumps(selector)})?.innerText.includes({json.dumps(words)})")

    def downloaded(self, name: str) -> bytes:
        """The content of the file that the page gives, once it is there; its name may have wildcards. The file goes."""
        directory = self.home / "Downloads"
        path: Path = wait_until(
            lambda: next((each for each in directory.glob(name) if each.stat().st_size), None), name
        )
        content = path.read_bytes()
        path.unlink()
        return content

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
