"""The example notebooks of ipywidgets: every kind of widget in them, found alive in Chromium.

A notebook is run as by ``ipyweb run``, and its session stays. Of each kind of model one is looked for in what the
notebook shows, in the pane; one that is shown nowhere gets an output of its own. It is alive when its view shows what
Python made of it, and when Python has what was done to its view, as ``widget_kinds`` says for each kind.
"""

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, NamedTuple

from fetch import fetch
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Frame, Locator
from private import private_hub
from tabs import Watched, pane
from widget_kinds import KINDS, Kind

from ipyweb import connection
from ipyweb.protocol import WIDGET_VIEW

REQUIREMENT, FOLDER = "ipywidgets==7.7.5", "docs/source/examples"
WITHIN = 20.0
"""Seconds that anything may take."""

MARKED = """() => [...document.querySelectorAll("[class*=of-]")]
    .filter((each) => each.checkVisibility())
    .flatMap((each) => [...each.classList].filter((name) => name.startsWith("of-")).map((name) => name.slice(3)))"""
"""The widgets of which a frame has views that can be seen."""


class Dead(Exception):
    """Something did not follow."""


class Session:
    """A notebook that was run, and whose widgets answer."""

    def __init__(self, link: Connection) -> None:
        self._link = link
        self.status = self._answer(300)

    def ask(self, expression: str) -> Any:
        self._link.send(("eval", expression))
        return self._answer(WITHIN)

    def do(self, statements: str) -> None:
        self._link.send(("exec", statements))
        self._answer(WITHIN)

    def _answer(self, within: float) -> Any:
        if not self._link.poll(within):
            raise Dead("the session says nothing")
        try:
            value, error = self._link.recv()
        except EOFError as ended:
            raise Dead("the session has ended") from ended
        if error:
            raise Dead(error)
        return value


@contextmanager
def session(path: Path) -> Iterator[Session]:
    """Run a notebook, and keep its session."""
    here, there = Pipe()
    script = Path(__file__).with_name("widget_session.py")
    command = [sys.executable, str(script), path.name, str(there.fileno())]
    process = subprocess.Popen(command, cwd=path.parent, stdout=subprocess.DEVNULL, pass_fds=[there.fileno()])
    there.close()
    try:
        yield Session(here)
    finally:
        here.close()
        process.wait(60)


@dataclass
class Seen:
    """What became of the widgets of one kind, one of each notebook."""

    drawn: int = 0
    followed: int = 0
    reached: int = 0
    dead: list[str] = field(default_factory=list)

    def row(self, name: str) -> str:
        takes_input = name in KINDS and KINDS[name].act
        reached = self.reached if takes_input else "-"
        facts = f"drawn {self.drawn:2}  from Python {self.followed:2}  from its view {reached:>2}"
        return f"{'FAIL' if self.dead else 'ok  '} {name:28} {facts}"


class Found(NamedTuple):
    """A model of some kind, the widget in whose view it shows, and whether that can be touched."""

    kind: str
    model: str
    owner: str
    touchable: bool


class Look:
    """The pane, and a session whose widgets are looked at there."""

    def __init__(self, tab: Watched, hub: connection.Connection, session: Session) -> None:
        self._tab = tab
        self._hub = hub
        self._session = session

    def outputs(self) -> list[int]:
        """What the newest session shows that has widgets in it."""
        found = connection.request(self._hub, "GET", "api/outputs?limit=1000").json()["outputs"]
        newest = max(found, key=lambda each: int(each["id"]))["session"]
        return [each["id"] for each in found if each["session"] == newest and WIDGET_VIEW in each["mimetypes"]]

    def frame(self, output: int) -> Frame:
        """The frame of an output, when that is there."""
        self._tab.page.evaluate(f"location.hash = ''; location.hash = '#o={output}'")
        article = self._tab.page.locator(f"[data-testid=stage] [data-output-id='{output}'][data-state=ready]")
        article.wait_for()
        found = article.locator("iframe:visible").element_handle().content_frame()
        assert found is not None, "an iframe has a frame"
        return found

    def move(self, view: Locator, kind: Kind, found: Found) -> Iterator[str]:
        """Move a widget in every way; says which way after each."""
        self._session.do(f"m, w = models()['{found.model}'], models()['{found.owner}']")
        view.wait_for(state="attached")
        yield "drawn"
        if kind.before:
            self._session.do(kind.before)
        for change in kind.changes:
            self._session.do(change)
            self._agree(view, kind, change)
        yield "followed"
        if kind.act and found.touchable:
            before = self._session.ask(kind.says)
            kind.act(view)
            until(lambda: self._session.ask(kind.says) != before, f"Python still says {before!r}")
            self._agree(view, kind, "what was done to the view")
            yield "reached"

    def _agree(self, view: Locator, kind: Kind, change: str) -> None:
        said = shown = None

        def agree() -> bool:
            nonlocal said, shown
            said, shown = self._session.ask(kind.says), view.evaluate(kind.shows)
            return said == shown

        until(agree, lambda: f"after {change}, Python says {said!r}, and the view shows {shown!r}")


def until(condition: Callable[[], bool], otherwise: str | Callable[[], str]) -> None:
    """Wait for a condition.

    Raises:
        Dead: it never came true.
    """
    end = time.monotonic() + WITHIN
    while not condition():
        if time.monotonic() > end:
            raise Dead(otherwise if isinstance(otherwise, str) else otherwise())
        time.sleep(0.02)


def look_at(look: Look, session: Session, notebook: str, seen: dict[str, Seen]) -> None:
    """Find one widget of each kind of a notebook, and move it."""
    session.do("mark()")
    there = [Found(*each) for each in session.ask("kinds()")]
    there.sort(key=lambda each: "Link" not in each.kind)  # while what they link is within the bounds that the other has
    left = dict.fromkeys(each.kind for each in there)
    for output in reversed(look.outputs()):  # one notebook has the same three times, each time better
        if not left:
            break
        frame = look.frame(output)
        ids = marked(frame)
        for found in there:
            if found.kind in left and found.owner in ids and found.touchable and view_of(frame, found).is_visible():
                del left[found.kind]
                note(look, frame, found, notebook, seen)
    for kind in left:
        found = max((each for each in there if each.kind == kind), key=lambda each: each.touchable)
        frame = look.frame(session.ask(f"shown_alone('{found.owner}')"))
        note(look, frame, found, notebook, seen)


def view_of(frame: Frame, found: Found) -> Locator:
    """The first view in which a model shows."""
    return frame.locator(f".of-{found.owner}").first


def marked(frame: Frame) -> set[str]:
    """The widgets that can be seen in a frame."""
    end = time.monotonic() + 2
    while not (found := set(frame.evaluate(MARKED))) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def note(look: Look, frame: Frame, found: Found, notebook: str, seen: dict[str, Seen]) -> None:
    """Move one widget, and note how it went."""
    facts = seen[found.kind]
    try:
        if found.kind not in KINDS:
            raise Dead("nobody has said how it is moved")
        for way in look.move(view_of(frame, found), KINDS[found.kind], found):
            setattr(facts, way, getattr(facts, way) + 1)
    except (Dead, PlaywrightError) as error:
        facts.dead.append(f"{notebook}: {str(error).splitlines()[0]}")
        print(f"  dead: {found.kind}: {error}", flush=True)


def main(cache: Path, words: Sequence[str] = ()) -> int:
    """Look at all notebooks.

    Args:
        cache: folder that keeps what was fetched.
        words: parts of names; only such notebooks are looked at.

    Returns:
        Exit status, 0 when every kind of widget is alive in every notebook.
    """
    folder = fetch(REQUIREMENT, cache, [FOLDER]) / FOLDER
    paths = [each for each in sorted(folder.glob("*.ipynb")) if all(word in each.name for word in words)]
    seen: dict[str, Seen] = defaultdict(Seen)
    with private_hub() as environment:
        os.environ.update(environment)
        hub = connection.start()
        for path in paths:
            with session(path) as notebook:
                print(f"{path.name}: {'up to its error' if notebook.status else 'whole'}", flush=True)
                if notebook.ask("len(models())"):
                    notebook.do("ipyweb.display('the pane opens here').wait(60)")
                    with pane(hub, int(1000 * WITHIN)) as tab:
                        look_at(Look(tab, hub, notebook), notebook, path.stem, seen)
    print()
    for name, facts in sorted(seen.items()):
        print(facts.row(name))
        print("".join(f"     {each}\n" for each in facts.dead), end="")
    alive = sum(not facts.dead for facts in seen.values())
    print(f"{alive} of {len(seen)} kinds of widgets are alive")
    return int(alive < len(seen))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
