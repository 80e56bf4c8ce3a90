"""Copies of figures that panes reach into, as the keeper sees them: each has an easel of its own, see `reach`.

A copy ends when its pane leaves or has done nothing for long, when its process dies, and when the hub is gone.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from multiprocessing.connection import Connection
from typing import Any

from ..errors import IpywebError
from .channel import receive, send
from .easel import DrawingFailed, Easel
from .snapshot import Buffer, Snapshot

MOST = 16
"""Copies at a time."""

IDLE = 600.0
"""Seconds without anything done after which a copy is ended."""

MOST_WAITING = 1000
"""Events that may wait for a copy that is busy."""

MOVEMENT = "motion_notify"
FRAME = "size", "at", "mime"
log = logging.getLogger("ipyweb.keeper")

Event = dict[str, Any]
Say = Callable[[dict[str, Any], bytes | None], None]
"""Tells the hub something, with a picture if there is one."""


def conflate(events: MutableSequence[Event], event: Event) -> None:
    """Add an event to those that wait; of movements that follow each other, only the last one counts."""
    if events and event["type"] == events[-1]["type"] == MOVEMENT:
        events[-1] = event
    else:
        events.append(event)


class Copy:
    """One copy of a figure.

    Args:
        number: the hub's.
        header: what the hub wants: ``figure``, ``wanted`` (see `reach.serve`), ``session`` and ``private``, which are
            those of the output that shows the figure.
        say: tells the hub something.
        keep: takes a snapshot of it as a figure of its own.
        over: called when it has ended.
    """

    def __init__(
        self,
        number: int,
        header: Mapping[str, Any],
        say: Say,
        keep: Callable[["Copy", Snapshot], dict[str, Any]],
        over: Callable[["Copy"], None],
    ) -> None:
        self.number = number
        self.figure = str(header["figure"])
        self.wanted = dict(header["wanted"])
        self.session = str(header.get("session", ""))
        self.private = bool(header.get("private"))
        self.used = time.monotonic()
        self._say = say
        self._keep = keep
        self._over = over
        self._changed = threading.Condition()
        self._events: deque[Event] = deque()
        self._easel: Easel | None = None
        self._ended = False

    def begin(self, load: Callable[[str], Easel]) -> None:
        """Load the figure, and let the pane reach into it.

        Args:
            load: gives an easel of its own with a figure.
        """
        try:
            easel = load(self.figure)
            pipe = easel.reach(self.wanted)
        except (DrawingFailed, IpywebError, OSError) as error:
            self.end(str(error))
            return
        with self._changed:
            self._easel, gone = easel, self._ended
        if gone:
            easel.end()
            return
        threading.Thread(target=self._listen, args=(pipe,), name="copy", daemon=True).start()
        self._tell({"type": "reached"})

    def take(self, event: Event) -> None:
        """Pass an event on."""
        with self._changed:
            self.used = time.monotonic()
            conflate(self._events, event)
            full = len(self._events) > MOST_WAITING
            self._changed.notify()
        if full:
            self.end("it does not answer any more")

    def end(self, reason: str | None = None) -> None:
        """End it; once.

        Args:
            reason: what the pane is told; ``None`` when it left by itself.
        """
        with self._changed:
            if self._ended:
                return
            self._ended = True
            easel = self._easel
            self._changed.notify()
        if easel is not None:
            easel.kill()
        self._over(self)
        if reason is not None:
            self._tell({"type": "left", "reason": reason})

    def memory(self) -> int:
        """Bytes that its process takes for itself."""
        easel = self._easel
        return 0 if easel is None else easel.memory()

    def _tell(self, header: dict[str, Any], picture: bytes | None = None) -> None:
        self._say({**header, "n": self.number}, picture)

    def _pass_on(self, pipe: Connection) -> None:
        """Give events to the process, as it takes them."""
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._events or self._ended)
                    if self._ended:
                        return
                    event = self._events.popleft()
                send(pipe, {"event": event})
        except OSError:
            return  # whoever listens says why

    def _listen(self, pipe: Connection) -> None:
        """Hear what the process says, until it is gone."""
        passing_on = threading.Thread(target=self._pass_on, args=(pipe,), name="events", daemon=True)
        passing_on.start()
        reason = "its process crashed, or needed too much memory"
        try:
            while True:
                header, parts = receive(pipe)
                if header["op"] == "failed":
                    reason = str(header["error"])
                    return
                self._hear(header, parts)
        except (OSError, EOFError, ValueError, KeyError) as error:
            log.debug("a copy of a figure is over: %s", error)
        finally:
            self.end(reason)
            passing_on.join()
            pipe.close()

    def _hear(self, header: dict[str, Any], parts: Sequence[Buffer]) -> None:
        match header["op"]:
            case "frame":
                self._tell({"type": "frame", **{name: header[name] for name in FRAME}}, bytes(parts[0]))
            case "said":
                self._tell({"type": "said", "messages": header["messages"]})
            case "kept" if "error" in header:
                self._tell({"type": "kept", "error": header["error"]})
            case "kept":
                self._tell({"type": "kept", "figure": self._keep(self, Snapshot.of_parts(parts))})


class Copies:
    """All copies of one keeper.

    Args:
        start: runs something that takes its time; for the same figure one after the other.
        load: see `Copy.begin`.
        keep: see `Copy`.
        say: see `Copy`.
    """

    def __init__(
        self,
        start: Callable[[str, Callable[[], None]], object],
        load: Callable[[str], Easel],
        keep: Callable[[Copy, Snapshot], dict[str, Any]],
        say: Say,
    ) -> None:
        self._start = start
        self._load = load
        self._keep = keep
        self._say = say
        self._copies: dict[int, Copy] = {}

    def __len__(self) -> int:
        return len(self._copies)

    def hear(self, header: Mapping[str, Any]) -> None:
        """Do what the hub says: ``reach``, ``event``, ``leave``."""
        number = int(header["n"])
        if header["type"] == "reach":
            self._begin(number, header)
        elif (copy := self._copies.get(number)) is not None:
            if header["type"] == "event":
                copy.take(dict(header["event"]))
            else:
                copy.end()

    def _begin(self, number: int, header: Mapping[str, Any]) -> None:
        if len(self._copies) >= MOST:
            reason = f"{MOST} figures are reached into already; leave one of them first"
            self._say({"type": "left", "n": number, "reason": reason}, None)
            return
        copy = self._copies[number] = Copy(number, header, self._say, self._keep, self._forget)
        self._start(copy.figure, lambda: copy.begin(self._load))

    def _forget(self, copy: Copy) -> None:
        self._copies.pop(copy.number, None)

    def tick(self) -> None:
        """End what nobody uses. To be called every second or so."""
        for copy in list(self._copies.values()):
            if time.monotonic() - copy.used > IDLE:
                copy.end(f"nothing was done for {IDLE / 60:g} minutes")

    def end(self) -> None:
        """End all."""
        for copy in list(self._copies.values()):
            copy.end()

    def memory(self) -> int:
        """Bytes that all of them take."""
        return sum(copy.memory() for copy in list(self._copies.values()))
