"""Showing matplotlib figures: a snapshot in the caller's thread, the rest elsewhere.

`show_figure` takes a snapshot, sends the message that makes the output, and gives the snapshot to `Handover`, whose
thread passes it to the figure keeper. What the keeper could not take by the end of the process is drawn here.
"""

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import connection, keepers
from ..errors import IpywebError, KeeperUnavailable, NotPicklable
from ..forking import whole
from .bundle import one_line
from .captured import active
from .originals import Originals, Overdue, within

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ..figures.shelf import Shelf
    from ..figures.snapshot import Snapshot
    from .session import Session, Shown
    from .source import Source

log = logging.getLogger("ipyweb")
MIB = 2**20
HELD_BYTES = 32 * MIB
"""Bytes of snapshots held in memory; what is more goes on the shelf."""

THREAD = "ipyweb-figures"
"""Beginning of the names of threads that pass figures on."""

START_DELAY = 0.3
"""Seconds that a script may take to its end before a keeper is started for it: a short one needs none."""

PATIENCE = 0.5
"""Seconds without an acknowledgement after which the end of the process waits no longer for a warm keeper."""

RETRY = (1.0, 30.0)
"""Seconds until a keeper that could not be had is tried again: at first, and in the long run."""


def show_figure(
    session: "Session",
    figure: Any,
    *,
    display_id: str | None = None,
    update: bool = False,
    title: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    result: bool = False,
) -> "Shown":
    """Show a figure as it is now. Returns at once; drawing is done elsewhere. Never raises for a bad figure.

    Args:
        session: this process's.
        figure: a matplotlib figure, which stays as it is.
        display_id: of the output; a new one is made when left out.
        update: whether this changes an output shown before.
        title: shown with the output.
        metadata: as in Jupyter messaging.
        result: whether it is the value of a last expression.
    """
    if session.silence is not None:
        return session.not_shown(display_id)
    place: dict[str, Any] = {"display_id": display_id, "update": update, "title": title, "result": result}
    if not has_keeper(session) or active() is not None:
        return _show_picture(session, figure, metadata, place, [], svg=False)
    with whole:
        from ..figures.snapshot import take
    try:
        snapshot = take(figure)
    except Exception as error:  # almost always NotPicklable
        return _show_picture(
            session, figure, metadata, place, [f"only the figure's picture is kept: {one_line(error)}"]
        )
    shown = session.publish({"text/plain": _repr(figure)}, metadata, **place, figure=reference(snapshot))
    session.handover.add(snapshot, shown.display_id, figure)
    return shown._replace(mimetypes=["image/png", *shown.mimetypes], figure=snapshot.id)


def has_keeper(session: "Session") -> bool:
    """Whether figures are drawn by a figure keeper: not where this process alone knows how to reach the hub.

    A container ends with its program, and so would a keeper in it.
    """
    elsewhere = connection.is_mounted() or connection.given() is not None
    return session.config.figure_keeper and hasattr(os, "fork") and not elsewhere


def _show_picture(
    session: "Session",
    figure: Any,
    metadata: Mapping[str, Any] | None,
    place: dict[str, Any],
    problems: list[str],
    svg: bool = True,
) -> "Shown":
    made = _drawings_in_time(session.config.figure_timeout, figure, svg=svg)
    data = {"text/plain": made.description or _repr(figure), **made.data}
    return session.publish(data, metadata, **place, problems=[*problems, *made.problems])


def reference(snapshot: "Snapshot") -> dict[str, Any]:
    """What a message says of the figure that it shows."""
    return {"id": snapshot.id, "keeper": environment(), **snapshot.shape}


def is_plain(obj: object) -> bool:
    """Whether an object is a matplotlib figure, and nobody chose other formats for figures."""
    with whole:
        from ..figures.snapshot import is_figure
        from ..integrations.matplotlib import formatted_by_others

    return is_figure(obj) and not formatted_by_others()


def environment() -> str:
    """This process's environment id; matplotlib is there, since somebody has a figure."""
    return keepers.environment_id(str(sys.modules["matplotlib"].__version__))


def _repr(figure: Any) -> str:
    try:
        return repr(figure)
    except Exception:  # a subclass of the user's own
        return f"<{type(figure).__name__}>"


@dataclass
class _Made:
    """Drawings by MIME type, and what went wrong.

    Attributes:
        seconds: how long the PNG took.
        traceback: of a function that made no figure.
        snapshot: to be left on the shelf, so that it can be drawn again.
        shown: of a figure that a call made, what its output says of it.
    """

    data: dict[str, bytes]
    problems: list[str]
    description: str | None = None
    seconds: float | None = None
    traceback: str | None = None
    snapshot: "Snapshot | None" = None
    shown: "Snapshot | None" = None

    @classmethod
    def failed(cls, error: BaseException) -> "_Made":
        """Nothing, and why."""
        from ..figures.recipe import FunctionFailed

        traceback = str(error) if isinstance(error, FunctionFailed) else None
        said = traceback.strip().rpartition("\n")[2] if traceback else f"{type(error).__name__}: {error}"
        return cls({}, [f"the figure could not be drawn: {one_line(said)}"], traceback=traceback)


def _drawings(figure: Any, is_copy: bool = False, svg: bool = True, params: Mapping[str, Any] | None = None) -> _Made:
    """PNG and SVG of a figure, drawn here and now.

    Args:
        svg: whether an SVG is wanted.
        is_copy: whether the figure is not the user's own, and may be altered.
        params: rcParams to draw it with; for when no other thread draws.
    """
    with whole:  # imports
        from ..figures.describe import describe
        from ..figures.drawing import Spec, draw, is_heavy

    made = _Made({}, [])
    begun = time.perf_counter()
    try:
        made.data["image/png"] = draw(figure, params=params)
        made.seconds = time.perf_counter() - begun
        made.description = describe(figure)
    except (Exception, SystemExit) as error:
        log.debug("a figure could not be drawn", exc_info=True)
        made.problems += _Made.failed(error).problems
        return made
    if svg and (is_copy or not is_heavy(figure)):
        with contextlib.suppress(Exception):  # some can be drawn as pixels only
            vectors = draw(figure, Spec("image/svg+xml", light=is_copy), params)
            made.data.update({"image/svg+xml": vectors} if len(vectors) < 4 * MIB else {})
    return made


def _drawings_in_time(seconds: float, figure: Any, svg: bool = True) -> _Made:
    """`_drawings`, or that they took too long."""
    try:
        return within(seconds, lambda: _drawings(figure, svg=svg))
    except TimeoutError as error:
        return _Made.failed(error)


def _drawn_and_taken(figure: Any) -> _Made:
    """Drawings of a figure that a call made, and its snapshot."""
    from ..figures.snapshot import pack, take

    made = _drawings(figure)
    try:
        made.snapshot = made.shown = take(figure)
    except NotPicklable as error:
        made.problems.append(f"only the figure's picture is kept: {one_line(error)}")
        made.shown = pack(None, None, [float(each) for each in figure.get_size_inches()], float(figure.dpi))
    return made


@dataclass
class _Pending:
    """A snapshot that the keeper has not loaded yet.

    Attributes:
        snapshot: ``None`` while it lies on the shelf.
        sent: whether the keeper has it.
        function: of a call, the SHA-256 of its function.
        source: where it was shown.
        given_back: why nobody could load it, so that the figure itself is to be drawn.
        drawing: the thread that draws it in this process, if one does.
        done: whether that is done.
    """

    id: str
    display_id: str
    snapshot: "Snapshot | None"
    sent: bool = False
    shelved: bool = False
    function: str | None = None
    source: "Source | None" = None
    given_back: str | None = None
    drawing: int | None = None
    done: bool = False


class Handover:
    """Passes a session's snapshots to the figure keeper, on a thread of its own.

    Args:
        session: whose they are.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._changed = threading.Condition()
        self._pending: dict[str, _Pending] = {}
        self._thread: threading.Thread | None = None
        self._peer: Connection | None = None
        self._warm: bool | None = None  # not known yet
        self._hurry = False
        self._closed = False
        self._broken_until = 0.0
        self._retry = RETRY[0]
        self._answers = 0
        self._originals = Originals()

    def add(self, snapshot: "Snapshot", display_id: str, figure: Any = None) -> None:
        """Take a snapshot. One of the same output that was not passed on yet is dropped. Returns at once.

        Args:
            figure: what it was taken of.
        """
        self._draw_given_back()
        function = snapshot.head.get("function")
        source = None if function is None else self._session.source()
        with self._changed:
            for older in [each for each in self._pending.values() if each.display_id == display_id and not each.sent]:
                del self._pending[older.id]
                self._originals.let_go(older.id)
            if figure is not None:
                self._originals.hold(snapshot.id, figure)
            self._pending[snapshot.id] = _Pending(snapshot.id, display_id, snapshot, function=function, source=source)
            self._changed.notify_all()
        if self._closed:  # somebody shows a figure while the process ends
            self.close(0)
        elif self._thread is None:
            thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
            with contextlib.suppress(RuntimeError):  # the interpreter is shutting down; `close` draws
                thread.start()
                self._thread = thread

    def flush(self, timeout: float) -> bool:
        """Wait until the keeper has loaded everything, or it was drawn here.

        Args:
            timeout: seconds.

        Returns:
            Whether that is so.
        """
        deadline = time.monotonic() + timeout
        self._hurry = True
        while True:
            self._draw_given_back()
            with self._changed:
                self._changed.notify_all()
                self._changed.wait_for(lambda: not self._pending or self._given_back(), deadline - time.monotonic())
                if not self._given_back():
                    return not self._pending

    def close(self, timeout: float) -> None:
        """Pass on what a warm keeper takes at once, and draw the rest here.

        Raises:
            KeyboardInterrupt: somebody waits no longer; what was not drawn is on the shelf, and a keeper draws it.
        """
        rest: list[_Pending] = []
        try:
            self._await_warm_keeper(timeout)
            rest = self._stop()
            self._tell_keeper("drawn", rest)
            self._await_drawing(rest)
            while rest:
                self._draw_last(rest[0])
                del rest[0]
        except BaseException:
            self._put_off([*rest, *self._stop()], "nobody waited for it")
            raise

    def _await_drawing(self, rest: list[_Pending]) -> None:
        """Let another thread end with the figure that it draws."""
        own = None, threading.get_ident()
        with self._changed:
            self._changed.wait_for(
                lambda: all(each.drawing in own for each in rest), 2 * self._session.config.figure_timeout
            )

    def _stop(self) -> list[_Pending]:
        """Take no more figures; those that are left."""
        with self._changed:
            self._closed = True
            rest, self._pending = list(self._pending.values()), {}
            self._changed.notify_all()
        return rest

    def _draw_last(self, pending: _Pending) -> None:
        if pending.done:
            return
        try:
            self._draw_here(pending)
        except Exception as error:
            log.warning("ipyweb: a figure could not be drawn at the end: %r", error)
            self._put_off([pending], repr(error))

    def _put_off(self, rest: list[_Pending], reason: str) -> None:
        """Leave figures to a keeper, which draws them once this process is gone, or say that they were not drawn."""
        left = [each for each in rest if not each.given_back and self._is_left(each)]
        self._tell_keeper("left", left)
        for each in rest:
            if each not in left:
                self._fill(each.id, _Made({}, [f"the figure was not drawn: {one_line(reason)}"]), [])

    def _is_left(self, pending: _Pending) -> bool:
        return pending.shelved or (pending.snapshot is not None and self._leave(pending.snapshot))

    def _tell_keeper(self, kind: str, figures: list[_Pending]) -> None:
        from ..figures.channel import send

        if figures and self._peer is not None:
            with contextlib.suppress(OSError):
                send(self._peer, {"type": kind, "ids": [each.id for each in figures]})

    def _await_warm_keeper(self, timeout: float) -> None:
        with self._changed:
            if self._thread is not None:  # it may be about to find a warm one
                self._changed.wait_for(lambda: self._warm is not None, min(timeout, PATIENCE))
        if self._warm:
            self._await_keeper(timeout)

    def _await_keeper(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._on_the_way() and self._warm and time.monotonic() < deadline:
                answers = self._answers
                if not self._changed.wait_for(
                    lambda n=answers: self._answers != n or not self._on_the_way() or not self._warm,  # type: ignore[misc]
                    PATIENCE,
                ):
                    return

    # -- on the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closed:
            with self._changed:
                self._changed.wait_for(lambda: self._on_the_way() or self._closed)
            try:
                self._converse(self._reach())
            except KeeperUnavailable as error:
                log.warning("ipyweb: figures are drawn in this process: %s", error)
                self._give_up_for_now()
            except (OSError, EOFError, ValueError) as error:
                log.debug("the connection to the figure keeper broke: %s", error)
            except Exception:
                log.exception("ipyweb: figures are drawn in this process, since something unexpected happened")
                self._give_up_for_now()
            self._peer, self._warm = None, False
            with self._changed:
                for each in self._pending.values():
                    each.sent = False
                self._changed.notify_all()
            self._while_broken()

    def _give_up_for_now(self) -> None:
        self._broken_until = time.monotonic() + self._retry
        self._retry = min(2 * self._retry, RETRY[1])

    def _while_broken(self) -> None:
        while not self._closed and time.monotonic() < self._broken_until:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._on_the_way() or self._closed, self._broken_until - time.monotonic()
                )
                rest = [] if self._closed else self._on_the_way()
            self._spill(rest)
            for each in rest:
                if not self._closed:
                    self._draw_here(each)

    def _spill(self, rest: list[_Pending]) -> None:
        """Put on the shelf what is too much for memory."""
        held = 0
        for each in rest:
            held += each.snapshot.bytes if each.snapshot is not None else 0
            if held > HELD_BYTES and each.snapshot is not None and not self._session.private:
                with contextlib.suppress(OSError, IpywebError):
                    self._shelf().put(each.snapshot)
                    each.snapshot, each.shelved = None, True

    def _reach(self) -> "Connection":
        """The keeper, started if it does not run."""
        with whole:  # imports
            from ..figures.channel import dial
        name = environment()
        with contextlib.suppress(KeeperUnavailable):
            return dial(name)
        with self._changed:
            self._warm = False
            self._changed.notify_all()
        if self._session.kind == "script":
            with self._changed:
                self._changed.wait_for(lambda: self._hurry or self._closed or self._is_much(), START_DELAY)
        if self._closed:
            raise EOFError
        write_record(self._session)
        keepers.start(name)
        return dial(name)

    def _is_much(self) -> bool:
        return sum(each.snapshot.bytes for each in self._pending.values() if each.snapshot is not None) > HELD_BYTES

    def _converse(self, peer: "Connection") -> None:
        from ..figures.channel import Repeated, hang_up

        self._peer, self._repeated = peer, Repeated()
        receiver = threading.Thread(target=self._listen, args=(peer,), name=f"{THREAD}-in", daemon=True)
        receiver.start()
        try:
            while not self._closed and self._peer is peer:
                pending = self._next(peer)
                if pending is not None:
                    self._send(peer, pending)
        finally:
            hang_up(peer)

    def _next(self, peer: "Connection") -> _Pending | None:
        with self._changed:
            waiting = (each for each in self._on_the_way() if not each.sent and not self._must_wait(each))
            found = next(waiting, None)
            if found is None:
                self._changed.wait(1.0)
            return found

    def _must_wait(self, call: _Pending) -> bool:
        """Whether an earlier call for the same output is not over; until then a later one may take this one's place."""
        if call.function is None:
            return False
        return any(each.sent and each.display_id == call.display_id for each in self._pending.values())

    def _send(self, peer: "Connection", pending: _Pending) -> None:
        from ..figures.channel import send

        header = {
            "type": "put",
            "id": pending.id,
            "session": self._session.id,
            "display_id": pending.display_id,
            "private": self._session.private,
        }
        pending.sent = True
        parts = [] if pending.snapshot is None else pending.snapshot.parts()
        if pending.function is not None and parts:
            header["repeated"] = pending.function
            parts = self._repeated.shorten(pending.function, parts)
        send(peer, header, parts)

    def _listen(self, peer: "Connection") -> None:
        from ..figures.channel import receive

        with contextlib.suppress(OSError, EOFError, ValueError):
            while True:
                header, _ = receive(peer)
                self._hear(header)
        with self._changed:
            if self._peer is peer:
                self._peer, self._warm = None, False
            self._changed.notify_all()

    def _hear(self, header: dict[str, Any]) -> None:
        match header["type"]:
            case "warm" | "cold":
                with self._changed:
                    self._warm = header["type"] == "warm"
                    self._changed.notify_all()
            case "kept":
                with self._changed:
                    pending = self._pending.get(str(header["id"]))
                    if pending is not None:
                        pending.snapshot, pending.shelved = None, True
            case "loaded":
                self._retry = RETRY[0]
                self._settle(str(header["id"]))
            case "made":
                pending = self._pending.get(str(header["id"]))
                if pending is not None:
                    for number, each in enumerate(header["figures"], 2):
                        self._show_further(pending, number, {**each, "keeper": environment()})
            case "failed":
                pending = self._pending.get(str(header["id"]))
                if pending is not None:
                    pending.given_back = f"the keeper cannot load it: {header['error']}"
                    self._draw_here(pending)

    def _settle(self, figure: str) -> None:
        with self._changed:
            self._pending.pop(figure, None)
            self._originals.let_go(figure)
            self._answers += 1
            self._changed.notify_all()

    # -- drawing here -------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _given_back(self) -> list[_Pending]:
        with self._changed:
            return [each for each in self._pending.values() if each.given_back]

    def _on_the_way(self) -> list[_Pending]:
        with self._changed:
            return [each for each in self._pending.values() if not each.given_back]

    def _draw_given_back(self) -> None:
        """Draw, on a thread of the user's, the figures that could not be loaded anywhere."""
        for each in self._given_back():
            self._draw_here(each)

    def _draw_here(self, pending: _Pending) -> None:
        """Draw in this process: a copy, whose snapshot is left on the shelf for later, else the figure itself."""
        pending.drawing = threading.get_ident()
        try:
            drawn = self._drawn_in_time(pending)
            for number, made in enumerate(drawn, 1):
                self._show_drawn(pending, number, made)
            if drawn:
                pending.done = True
                self._settle(pending.id)
        finally:
            pending.drawing = None
            self._wake()

    def _drawn_in_time(self, pending: _Pending) -> list[_Made]:
        """What was drawn, or that it took too long; nothing where it has to wait for another thread."""
        seconds = self._session.config.figure_timeout
        try:
            return within(seconds, lambda: self._drawn(pending))
        except Overdue as error:
            return [_Made.failed(error)]
        except (Exception, SystemExit) as error:
            original = self._originals.get(pending.id)
            if original is None:
                return [_Made.failed(error)]
            pending.given_back = pending.given_back or f"it cannot be loaded: {type(error).__name__}: {error}"
        return [_drawings_in_time(seconds, original)] if self._may_draw_originals() else []

    def _may_draw_originals(self) -> bool:
        """Whether no thread of the user's can be at work on a figure: this is one, or somebody sits at a prompt."""
        return not threading.current_thread().name.startswith(THREAD) or self._session.kind != "script"

    def _drawn(self, pending: _Pending) -> list[_Made]:
        """Drawings of a snapshot's figure, or of the figures that a call makes."""
        from ..figures.recipe import called, is_call
        from ..figures.snapshot import load

        snapshot = pending.snapshot or self._shelf().get(pending.id)
        if is_call(snapshot):
            with called(snapshot) as found:
                return [_drawn_and_taken(figure) for figure in found.figures]
        loaded = load(snapshot)
        as_shown = loaded.params if self._may_draw_originals() else None  # the script may have changed them since
        made = _drawings(loaded.figure, is_copy=True, params=as_shown)
        made.snapshot = None if pending.shelved or pending.given_back else snapshot
        return [made]

    def _show_drawn(self, pending: _Pending, number: int, made: _Made) -> None:
        figure = pending.id if number == 1 or made.shown is None else made.shown.id
        if number > 1 and made.shown is not None:
            self._show_further(pending, number, reference(made.shown))
        if made.snapshot is not None:
            self._leave(made.snapshot._replace(id=figure))
        problems = [f"only the figure's picture is kept; {one_line(pending.given_back)}"] if pending.given_back else []
        self._fill(figure, made, problems, None if made.shown is None else made.shown.shape)

    def _show_further(self, call: _Pending, number: int, figure: Mapping[str, Any]) -> None:
        """Make the output of a figure that a call made besides its first one."""
        display_id = f"{call.display_id}-{number}"
        text = {"text/plain": f"<figure {number}>"}
        self._session.publish(text, display_id=display_id, update=True, figure=figure, source=call.source)

    def _fill(self, figure: str, made: _Made, problems: list[str], shape: Mapping[str, Any] | None = None) -> None:
        """Send what was drawn of a figure, or why it could not be.

        Args:
            figure: its id.
            shape: its size, where that was not known when it was shown.
        """
        words = made.description or made.traceback or "\n".join(made.problems)
        parts = {**made.data, **({"text/plain": words.encode("utf-8", "replace")} if words else {})}
        content = {
            "description": made.description,
            "problems": [*problems, *made.problems],
            "drawn": "process",
            "failed": not made.data,
            "seconds": made.seconds,
            **(shape or {}),
        }
        self._session.fill(figure, parts, content)

    def _leave(self, snapshot: "Snapshot") -> bool:
        """Put a snapshot on the shelf, for a keeper to draw; whether it is there."""
        if self._session.private:
            return False
        try:
            write_record(self._session)
            self._shelf().put(snapshot)
        except (OSError, IpywebError) as error:
            log.debug("a figure could not be put on the shelf: %s", error)
            return False
        return True

    def _shelf(self) -> "Shelf":
        from ..figures.shelf import Shelf

        config = self._session.config
        return Shelf(environment(), config.figure_bytes, config.figure_days)


def write_record(session: "Session") -> None:
    """Note how this environment's keeper is started, now and on the hub's demand.

    Raises:
        KeeperUnavailable: it cannot be written.
    """
    config = session.config
    command = list(config.keeper_command) or [sys.executable, "-P", "-m", "ipyweb.figures.keeper"]
    environ = {**keepers.kept_environment(os.environ), **config.keeper_environment}
    settings = {
        "memory": config.keeper_memory,
        "idle": config.keeper_idle,
        "timeout": config.figure_timeout,
        "max_bytes": config.figure_bytes,
        "max_age": config.figure_days,
    }
    keepers.write_record(environment(), command, environ, settings)
