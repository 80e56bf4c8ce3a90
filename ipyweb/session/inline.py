"""``%ipyweb inline``: what this IPython shows is drawn in its terminal too.

A thread waits until the hub has an output, gets its picture, and draws it above the prompt. It draws between commands
only: what a command shows waits until the prompt is there again, and then is drawn once, in its newest version.
"""

import contextlib
import logging
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from .. import graphics, inline
from ..connection import request
from ..errors import IpywebError
from ..plaintext import harmless
from ..screen import Terminal, look
from .session import Session, Shown, current

if TYPE_CHECKING:
    from ..connection import Connection

log = logging.getLogger("ipyweb")

MOST = 20
"""Outputs of one command that are drawn; the others are counted."""

TICK = 0.05
"""Seconds between looks whether the prompt is there, while something waits for it."""


class Drawer:
    """Draws what a session shows, from now on.

    Args:
        session: this process's.
        shell: the IPython that somebody sits at.
        terminal: where it is drawn.
        stream: that writes to it.
    """

    def __init__(self, session: Session, shell: Any, terminal: Terminal, stream: IO[str]) -> None:
        self.terminal = terminal
        self._stream = stream
        self._session = session
        self._shell = shell
        self._app = shell.pt_app.app
        self._waiting: dict[str, Shown] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._undos = [_hear(session, self._add), _leave_pictures(shell)]
        threading.Thread(target=self._run, name="ipyweb-inline", daemon=True).start()

    def end(self) -> None:
        """Draw no more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for undo in self._undos:
            undo()

    def _add(self, shown: Shown, update: bool) -> None:
        """Something was shown, on whatever thread. What changes while nobody does anything is not drawn again."""
        if update and self._app.is_running:
            return
        with self._changed:
            self._waiting[shown.display_id] = shown
            self._changed.notify_all()

    def _run(self) -> None:
        while not self._ended:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
            if self._until(lambda: self._app.is_running):
                self._draw_all()

    def _draw_all(self) -> None:
        with self._changed:
            waiting, self._waiting = list(self._waiting.values()), {}
        for shown in waiting[:MOST]:
            self._draw(shown)
        if len(waiting) > MOST:
            self._session.say(f"ipyweb: {len(waiting) - MOST} more are not drawn here; `%ipyweb open` shows them")

    def _draw(self, shown: Shown) -> None:
        if not self._stored(shown):
            return
        try:
            hub = self._session.client.hub
            pieces = None if hub is None else self._pieces(hub, shown)
        except (IpywebError, OSError, graphics.Undrawable) as error:
            self._session.say(f"ipyweb: output {shown.receipt.output} is not drawn here: {error}")
        except Exception:
            log.debug("an output could not be drawn in the terminal", exc_info=True)
        else:
            if pieces:
                self._above_prompt(partial(graphics.send, pieces, self._stream.fileno()))

    def _stored(self, shown: Shown) -> bool:
        backlog = self._session.client.backlog
        while not self._ended and not backlog.wait_for(shown.receipt, 1.0):
            pass
        if self._ended or shown.receipt.output is None:
            return False
        self._session.settle_figures()
        return True

    def _pieces(self, hub: "Connection", shown: Shown) -> list[graphics.Piece] | None:
        record = request(hub, "GET", f"api/outputs/{shown.receipt.output}").json()
        terminal = self.terminal = self.terminal.measured(self._stream)
        room = graphics.area(terminal)
        found = inline.picture(record, terminal, room)
        if found is not None:
            return graphics.draw(inline.read_picture(hub, record, found), terminal, room)
        mime = inline.text(record)
        if mime is None:
            return None
        mime, words = inline.read_text(hub, record, mime)
        if mime == "text/plain":  # which IPython has printed
            return None
        return [harmless(words).strip("\n").replace("\n", "\r\n").encode() + b"\r\n"]

    def _above_prompt(self, write: Callable[[], None]) -> None:
        """Write between two commands, and wait until it is written."""
        from prompt_toolkit.application import run_in_terminal

        written = threading.Event()

        def write_and_tell() -> None:
            try:
                with contextlib.suppress(OSError):  # the terminal is gone, and IPython will be
                    write()
            finally:
                written.set()

        while self._until(lambda: self._app.is_running):
            try:
                run = partial(run_in_terminal, write_and_tell)
                self._app.loop.call_soon_threadsafe(run, context=self._app.context)
            except (AttributeError, RuntimeError):  # that prompt has just ended
                continue
            self._until(written.is_set)
            return

    def _until(self, condition: Callable[[], bool]) -> bool:
        """Wait for a condition; false when nothing is to be drawn any more."""
        with self._changed:
            while not self._ended and not condition():
                self._changed.wait(TICK)
            return not self._ended


def _hear(session: Session, shown: Callable[[Shown, bool], None]) -> Callable[[], None]:
    before, session.on_shown = session.on_shown, shown
    return lambda: setattr(session, "on_shown", before)


def _leave_pictures(shell: Any) -> Callable[[], None]:
    """Take from IPython the pictures that it draws itself in some terminals, or they were there twice."""
    before = dict(shell.mime_renderers)
    shell.mime_renderers = {mime: render for mime, render in before.items() if not mime.startswith("image/")}
    return lambda: setattr(shell, "mime_renderers", before)


# -- the switch -------------------------------------------------------------------------------------------------------


_drawer: Drawer | None = None


def on() -> str:
    """Draw what this IPython shows in its terminal too.

    Returns:
        How it stands.

    Raises:
        ValueError: this terminal draws nothing, or a library is missing.
    """
    global _drawer
    off()
    from IPython import get_ipython

    shell: Any = get_ipython()
    stream = sys.__stdout__
    terminal = look(stream)
    if stream is None or terminal is None or getattr(shell, "pt_app", None) is None:
        raise ValueError("expected IPython's own prompt in a terminal; without them nothing can be drawn")
    if terminal.protocol is None:
        raise ValueError(terminal.hint or "this terminal takes no pictures, and has no colours for half blocks")
    try:
        graphics.require()
    except ImportError as error:
        raise ValueError(graphics.INSTALL) from error
    _drawer = Drawer(current(), shell, terminal, stream)
    return status()


def off() -> None:
    """Draw nothing more."""
    global _drawer
    if _drawer is not None:
        _drawer.end()
    _drawer = None


def status() -> str:
    """How it stands, in one line."""
    if _drawer is None:
        return "outputs are not drawn in this terminal; `%ipyweb inline on` does"
    terminal = _drawer.terminal
    how = "half blocks" if terminal.protocol == "blocks" else f"the protocol {terminal.protocol}"
    hint = f"; {terminal.hint}" if terminal.hint else ""
    return f"outputs are drawn in this terminal too, by {how}{hint}"
