"""A keeper's line to the hub: hands over what was drawn until the hub has it, and passes the hub's requests on.

The keeper dials the hub, as sessions do; what it gets from there are sizes and formats, never anything to unpickle.
"""

import contextlib
import hashlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import connection as hubs
from ..errors import FrameError, HubError, IpywebError
from ..protocol import BLOB_THRESHOLD, PROTOCOL, Frame, decode, encode, read_header

CHUNK = 900 * 1024
"""Bytes of one part of a drawing on the socket."""

LOOK = 1.0
"""Seconds between looks for a hub."""

RETRY = (0.02, 2.0)
"""First and longest pause in seconds before a drawing is offered again to a hub that does not know its figure yet."""

GIVE_UP = 300.0
"""Seconds after which nobody seems to want a drawing; it can be made again on demand."""

log = logging.getLogger("ipyweb.keeper")
Request = Callable[[int, dict[str, Any]], None]


@dataclass
class Delivery:
    """What was drawn of a figure, on its way to the hub."""

    header: dict[str, Any]
    parts: dict[str, bytes]
    session: str
    begun: float = field(default_factory=time.monotonic)
    due: float = 0.0
    pause: float = RETRY[0]


class HubLine:
    """Carries drawings to the hub, and its requests here.

    Args:
        environment: the keeper's environment id.
        on_render: called with the number and what is wanted.
        on_cancel: called with the number of a request that nobody waits for any more.
        on_forget: called with figures that no output shows any more.
        on_undrawn: called with the figures of which the hub has no picture, and whether their session is connected.
        on_reach: called with what the hub says to copies of figures that panes reach into.
        on_lost: called when the hub is gone, and with it the panes.
    """

    def __init__(
        self,
        environment: str,
        on_render: Request,
        on_cancel: Callable[[int], None],
        on_forget: Callable[[list[str]], None],
        on_undrawn: Callable[[list[tuple[str, bool]]], None],
        on_reach: Callable[[Mapping[str, Any]], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._environment = environment
        self._on_render = on_render
        self._on_cancel = on_cancel
        self._on_forget = on_forget
        self._on_undrawn = on_undrawn
        self._on_reach = on_reach
        self._on_lost = on_lost
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._pending: dict[int, Delivery] = {}
        self._numbers = itertools.count(1)
        self._socket: Any = None
        self._hub: hubs.Connection | None = None

    def begin(self) -> None:
        """Start its threads."""
        for target in (self._converse_for_ever, self._send_for_ever):
            threading.Thread(target=target, name="hub", daemon=True).start()

    def deliver(self, figure: str, parts: Mapping[str, bytes], content: Mapping[str, Any], session: str) -> None:
        """Hand over what was drawn of a figure, at once or when the hub is there and knows the figure."""
        header = {"type": "drawn", "figure": figure, "content": dict(content)}
        with self._changed:
            self._pending[next(self._numbers)] = Delivery(header, dict(parts), session)
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many drawings the hub has not got yet."""
        return len(self._pending)

    def answer(self, number: int, data: bytes, content: Mapping[str, Any]) -> None:
        """Answer a request with a drawing, in parts that fit in frames."""
        self.say({"type": "rendered", "n": number, **content}, data)

    def refuse(self, number: int, reason: str) -> None:
        """Answer a request with a reason why it cannot be drawn."""
        self.say({"type": "rendered", "n": number, "last": True, "error": reason})

    def say(self, header: dict[str, Any], data: bytes | None = None) -> None:
        """Send a message, with data in as many frames as it needs; the one with ``last`` has what else is to say."""
        with contextlib.suppress(Exception):  # the hub went away, and with it whoever waited
            for frame in [encode(header)] if data is None else _frames(header, data):
                self._send(frame)

    def _send(self, frame: str | bytes) -> None:
        socket = self._socket
        if socket is None:
            raise OSError("there is no hub")
        with self._sending:
            socket.send(frame)

    # -- receiving ----------------------------------------------------------------------------------------------------

    def _converse_for_ever(self) -> None:
        while True:
            try:
                hub = hubs.find()
                if hub is not None:
                    self._converse(hub)
            except Exception as error:
                log.debug("the line to the hub broke: %s", error)
            with self._changed:
                self._changed.wait_for(lambda: bool(self._pending), LOOK)
            time.sleep(LOOK if self._hub is None else 0.1)
            self._hub = None

    def _converse(self, hub: hubs.Connection) -> None:
        from ..websocket import open_websocket

        with open_websocket(hub, "/ws/keeper") as socket:
            socket.send(encode({"type": "hello", "protocol": PROTOCOL, "keeper": self._environment}))
            if read_header(socket.recv(timeout=10))["type"] != "welcome":
                raise FrameError("expected welcome")
            with self._changed:
                self._socket, self._hub = socket, hub
                for delivery in self._pending.values():
                    delivery.due = 0.0
                self._changed.notify_all()
            try:
                for frame in socket:
                    self._take(decode(frame).header)
            finally:
                with self._changed:
                    self._socket = None
                self._on_lost()

    def _take(self, header: dict[str, Any]) -> None:
        match header["type"]:
            case "render":
                self._on_render(int(header["n"]), dict(header["wanted"], figure=str(header["figure"])))
            case "cancel":
                self._on_cancel(int(header["n"]))
            case "reach" | "event" | "leave":
                self._on_reach(header)
            case "forget":
                self._drop([str(figure) for figure in header["figures"]])
            case "undrawn":
                self._on_undrawn([(str(figure), bool(connected)) for figure, connected in header["figures"]])
            case "filled":
                self._settle(int(header["n"]), None)
            case "nack":
                self._settle(int(header["n"]), str(header.get("reason")))

    def _drop(self, figures: list[str]) -> None:
        """Nobody wants what was drawn of these any more."""
        with self._changed:
            for number in [each for each, delivery in self._pending.items() if delivery.header["figure"] in figures]:
                del self._pending[number]
        self._on_forget(figures)

    def _settle(self, number: int, reason: str | None) -> None:
        with self._changed:
            delivery = self._pending.get(number)
            if delivery is None:
                return
            retry = reason in ("unknown_figure", "storage_full", "missing_blob")
            if not retry or time.monotonic() - delivery.begun > GIVE_UP:
                del self._pending[number]
            else:
                delivery.due = time.monotonic() + delivery.pause
                delivery.pause = min(2 * delivery.pause, RETRY[1])
            self._changed.notify_all()

    # -- sending ------------------------------------------------------------------------------------------------------

    def _send_for_ever(self) -> None:
        while True:
            number, delivery, hub = self._next()
            try:
                self._send(encode(*self._referenced(number, delivery, hub)))
            except (OSError, IpywebError, EOFError) as error:
                log.debug("a drawing could not be handed over: %s", error)
                time.sleep(0.2)
            except Exception:
                log.exception("a drawing could not be handed over")
                time.sleep(1.0)

    def _next(self) -> tuple[int, Delivery, hubs.Connection]:
        """The next drawing that is due, while there is a hub. Sent, it is due again only if no answer comes."""
        with self._changed:
            while True:
                now = time.monotonic()
                self._forget(now)
                due = [(each.due, number) for number, each in self._pending.items()]
                if self._socket is not None and self._hub is not None and due and min(due)[0] <= now:
                    number = min(due)[1]
                    self._pending[number].due = now + 30.0
                    return number, self._pending[number], self._hub
                pause = max(0.001, min(due)[0] - now) if due and self._socket is not None else LOOK
                self._changed.wait(pause)

    def _forget(self, now: float) -> None:
        for number in [each for each, delivery in self._pending.items() if now - delivery.begun > 2 * GIVE_UP]:
            del self._pending[number]

    def _referenced(self, number: int, delivery: Delivery, hub: hubs.Connection) -> tuple[dict[str, Any], list[bytes]]:
        references: dict[str, dict[str, Any]] = {}
        buffers: list[bytes] = []
        for mime, part in delivery.parts.items():
            if len(part) <= BLOB_THRESHOLD and sum(map(len, buffers)) + len(part) < CHUNK:
                references[mime] = {"buffer": len(buffers)}
                buffers.append(part)
            else:
                references[mime] = {"blob": _upload(part, hub, delivery.session), "size": len(part)}
        content = {**delivery.header["content"], "data": references}
        return {**delivery.header, "n": number, "content": content}, buffers


def _frames(header: dict[str, Any], data: bytes) -> Iterator[Frame]:
    view, short = memoryview(data), {"type": header["type"], "n": header["n"], "last": False}
    for start in range(0, max(1, len(view)), CHUNK):
        last = start + CHUNK >= len(view)
        yield encode({**header, "last": True} if last else short, [view[start : start + CHUNK]])


def _upload(data: bytes, hub: hubs.Connection, session: str) -> str:
    name = hashlib.sha256(data).hexdigest()
    headers = {"X-Ipyweb-Session": session}
    try:
        hubs.request(hub, "HEAD", f"api/blobs/{name}", headers=headers, scope="session")
    except HubError as error:
        if error.status != 404:
            raise
        hubs.request(hub, "PUT", f"api/blobs/{name}", data, headers, timeout=60, scope="session")
    return name
