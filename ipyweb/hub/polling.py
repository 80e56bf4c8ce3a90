"""Sockets of panes over plain HTTP, for those behind proxies that let no WebSocket pass: long polling (RFC 6202).

All sockets of a page share one *line*, since a browser has six connections to a host and would have none left once a
few of them wait. What goes over it in either direction is a sequence of records::

    channel (32 bits), kind (8 bits), length (32 bits), payload

Numbers are big-endian. A page opens a channel under a number of its own with the address of the socket that it stands
for (``o``), and is answered by an empty ``o``, or by the end. Then come frames, text (``t``) or binary (``b``), and the
end (``c``, with a JSON object of ``code`` and ``reason``). Both sides count records from 0 and keep what they have sent
until the other has said that it is there: a request that a proxy cut is simply made again, and nothing comes twice.
"""

import asyncio
import logging
import secrets
import struct
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..protocol import MAX_FRAME, Frame
from .base import ADMIN, Handler
from .messages import BadMessage, dumps
from .sharing import Grant
from .sockets import TOO_BIG, CommPaneSocket, PaneSocket, ReachSocket, Socket

if TYPE_CHECKING:
    from .context import Context

log = logging.getLogger("ipyweb.hub.http")
MOST_LINES: Final = 1000
MOST_CHANNELS: Final = 100
"""Of one line."""

MOST_WAITING: Final = 1000
"""Records that are no frames and wait for a page to ask; one that says more and never asks is not heard."""

LONGEST_WAIT: Final = 20.0
"""Seconds for which a request waits for records, at most."""

SILENCE: Final = 60.0
"""Seconds without a request after which a line is over."""

ENOUGH: Final = MAX_FRAME
"""Bytes of records after which an answer takes no more of them."""

OPEN, TEXT, BINARY, CLOSE = b"o", b"t", b"b", b"c"
REFUSED: Final = 1008
SOCKETS: Final[dict[str, type[Socket]]] = {
    "ws/pane": PaneSocket,
    "ws/comms/pane": CommPaneSocket,
    "ws/reach": ReachSocket,
}
"""What a channel may stand for, and so who may open one."""

_HEAD = struct.Struct(">IcI")


def record(channel: int, kind: bytes, payload: bytes = b"") -> bytes:
    """One record."""
    return _HEAD.pack(channel, kind, len(payload)) + payload


def records(body: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Channel, kind and payload of each record.

    Raises:
        BadMessage: they do not end with the body.
    """
    at = 0
    while at < len(body):
        if len(body) - at < _HEAD.size:
            raise BadMessage("expected whole records")
        channel, kind, length = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        if len(body) - at < length:
            raise BadMessage("expected whole records")
        yield channel, kind, body[at : at + length]
        at += length


class Channel:
    """One socket of a line.

    Attributes:
        ready: whether its peer may have frames.
        is_open: whether it has not ended.
    """

    def __init__(self, line: "Line", number: int, socket: type[Socket]) -> None:
        self._line = line
        self._number = number
        self.ready = False
        self.is_open = True
        line.say(number, OPEN)
        self.peer = socket.make_peer(line.hub, line.grant, self._wake, self.close)

    def _wake(self) -> None:
        self.ready = True
        self._line.wake()

    def close(self, code: int, reason: str) -> None:
        """End it, and say why."""
        if self.is_open:
            log.info("channel closed with %d: %s", code, reason)
            self._line.say(self._number, CLOSE, dumps({"code": code, "reason": reason}).encode())
            self.leave()

    def leave(self) -> None:
        """End it."""
        if not self.is_open:
            return
        self.is_open = False
        self._line.forget(self._number)
        # not now: it may be the peer itself that closes, in the middle of something
        asyncio.get_running_loop().call_soon(lambda: self.peer.disconnected())

    def take(self, kind: bytes, payload: bytes) -> None:
        """A frame, or the end, has come."""
        if kind == CLOSE:
            self.leave()
        elif len(payload) > MAX_FRAME:
            self.close(TOO_BIG, f"expected frames of up to {MAX_FRAME} bytes, got one of {len(payload)}")
        elif kind in (TEXT, BINARY):
            self.peer.receive(_text(payload) if kind == TEXT else payload)
        else:
            raise BadMessage(f"expected a frame or the end of a channel, got {kind!r}")

    async def next_record(self) -> bytes | None:
        """The next frame; ``None`` until it is ready again."""
        self.ready = False
        frame = await self.peer.next_frame()
        if frame is None or not self.is_open:
            return None
        self.ready = True
        return record(self._number, TEXT if isinstance(frame, str) else BINARY, _bytes(frame))


class Line:
    """All sockets of one page.

    Args:
        hub: the hub.
        grant: of the page.

    Attributes:
        id: its name in addresses.
    """

    def __init__(self, hub: "Context", grant: Grant) -> None:
        self.id = secrets.token_urlsafe(16)
        self.hub = hub
        self.grant = grant
        self._channels: dict[int, Channel] = {}
        self._waiting: deque[bytes] = deque()
        self._sent: list[bytes] = []
        self._count = self._heard = self._asked = 0
        self._awake = asyncio.Event()
        self._giving, self._hearing = asyncio.Lock(), asyncio.Lock()
        self._seen = time.monotonic()
        self._last: tuple[int, str] | None = None
        hub.lines[self.id] = self
        hub.sockets.add(self)
        self._look()

    # -- what channels and the hub say --------------------------------------------------------------------------------

    def say(self, channel: int, kind: bytes, payload: bytes = b"") -> None:
        """Queue a record that is no frame."""
        self._waiting.append(record(channel, kind, payload))
        self.wake()

    def wake(self) -> None:
        """There may be records."""
        self._awake.set()

    def forget(self, channel: int) -> None:
        """A channel has ended."""
        self._channels.pop(channel, None)

    def close_with(self, code: int, reason: str) -> None:
        """End all channels, and say why to whoever waits."""
        for channel in list(self._channels.values()):
            channel.close(code, reason)
        self.end()

    def close_when_written(self, code: int, reason: str) -> None:
        """The same once there is nothing more to say."""
        self._last = code, reason
        self.wake()
        if not self._giving.locked():  # nobody waits
            self.close_with(code, reason)

    def end(self) -> None:
        """Be gone."""
        for channel in list(self._channels.values()):
            channel.leave()
        self.hub.lines.pop(self.id, None)
        self.hub.sockets.discard(self)
        self.hub.touch()
        self.wake()

    @property
    def is_over(self) -> bool:
        """Whether it is gone."""
        return self not in self.hub.sockets

    def _look(self) -> None:
        """Be gone once the page is: it is asked now and then, and not told, as of a WebSocket."""
        if self.is_over:
            return
        left = self._seen + SILENCE - time.monotonic()
        if left <= 0 and not self._giving.locked():
            self.end()
        else:
            asyncio.get_running_loop().call_later(max(1.0, left), self._look)

    # -- what the page says and hears ---------------------------------------------------------------------------------

    async def hear(self, first: int, body: bytes) -> None:
        """Take records.

        Args:
            first: how many were sent before them; those that have come already are not taken again.
            body: the records.

        Raises:
            BadMessage: they make no sense, others are missing before them, or the page does not ask for answers.
        """
        self._seen = time.monotonic()
        async with self._hearing:
            if first > self._heard:
                raise BadMessage(f"expected record {self._heard}, got {first}")
            for number, (channel, kind, payload) in enumerate(records(body), first):
                if number < self._heard:
                    continue
                if len(self._waiting) >= MOST_WAITING:
                    raise BadMessage(f"{MOST_WAITING} answers wait; ask for them first")
                self._heard += 1
                self._take(channel, kind, payload)
                if self.hub.state.is_full:
                    await self.hub.state.room()

    def _take(self, number: int, kind: bytes, payload: bytes) -> None:
        channel = self._channels.get(number)
        if channel is not None:
            channel.take(kind, payload)
        elif kind == OPEN:
            self._open(number, _text(payload))
        # else: it has ended here, which the page has not heard yet

    def _open(self, number: int, address: str) -> None:
        socket = SOCKETS.get(address)
        if socket is None or not socket.admits(self.grant, looks=True):
            self.say(number, CLOSE, dumps({"code": REFUSED, "reason": "it may not be opened"}).encode())
        elif len(self._channels) >= MOST_CHANNELS:
            reason = f"this page has {MOST_CHANNELS} channels already"
            self.say(number, CLOSE, dumps({"code": REFUSED, "reason": reason}).encode())
        else:
            channel = Channel(self, number, socket)
            if channel.is_open:
                self._channels[number] = channel

    async def give(self, after: int, seconds: float) -> bytes:
        """The records that come next, once there are some.

        Args:
            after: how many the page has.
            seconds: how long to wait for one.

        Returns:
            Nothing when none came, or another request asks by now.

        Raises:
            BadMessage: it lacks some that are not kept any more, or has some that were never sent.
        """
        self._asked += 1
        asked = self._asked
        self.wake()  # whoever waits gives way
        async with self._giving:
            self._forget_sent(after)
            patience = min(seconds, self.grant.left) if self.grant.expires else seconds
            await self._wait(asked, time.monotonic() + patience)
            self._seen = time.monotonic()
            return b"".join(self._sent) if asked == self._asked else b""

    def _forget_sent(self, after: int) -> None:
        kept = self._count - after
        if not 0 <= kept <= len(self._sent):
            raise BadMessage(f"expected a number of records up to {self._count}, got {after}")
        self._sent = self._sent[len(self._sent) - kept :]

    async def _wait(self, asked: int, until: float) -> None:
        """Gather until there is something, it is too late, or another request asks."""
        while asked == self._asked and not self._sent:
            self._awake.clear()
            await self._gather()
            if self._sent or self.is_over or asked != self._asked:
                return
            try:
                await asyncio.wait_for(self._awake.wait(), until - time.monotonic())
            except TimeoutError:
                return

    async def _gather(self) -> None:
        """Take from each channel in turn until there is enough, or nothing more."""
        self._take_waiting()
        while ready := [channel for channel in self._channels.values() if channel.ready]:
            for channel in ready:
                found = await channel.next_record()
                self._take_waiting()
                if found is not None:
                    self._send(found)
                if sum(map(len, self._sent)) >= ENOUGH:
                    return
        if self._last is not None:
            self.close_with(*self._last)
            self._take_waiting()

    def _take_waiting(self) -> None:
        while self._waiting:
            self._send(self._waiting.popleft())

    def _send(self, found: bytes) -> None:
        self._sent.append(found)
        self._count += 1


class _Polling(Handler):
    """What opens and carries lines changes nothing by itself; each channel asks who may."""

    scopes = ADMIN | {"pane"}
    looked_at = narrow = True

    def _admits(self, grant: Grant) -> bool:
        return self.admits(grant, looks=True)


class Lines(_Polling):
    """``/poll``: a new line."""

    async def post(self) -> None:
        assert self.grant is not None
        if len(self.hub.lines) >= MOST_LINES:
            self.refuse(503, f"this hub has {MOST_LINES} panes without WebSockets already; close some")
        self.send_json({"line": Line(self.hub, self.grant).id})


class LineHandler(_Polling):
    """``/poll/LINE``: its records."""

    async def get(self, name: str) -> None:
        wanted = self.integer_argument("seconds")
        seconds = LONGEST_WAIT if wanted is None else min(float(wanted), LONGEST_WAIT)
        found = await self._line(name).give(self.integer_argument("after") or 0, seconds)
        self.set_header("Content-Type", "application/octet-stream")
        self.finish(found)

    async def post(self, name: str) -> None:
        await self._line(name).hear(self.integer_argument("first") or 0, bytes(self._body))
        self.send_json({})

    async def delete(self, name: str) -> None:
        self._line(name).end()
        self.send_json({})

    def _line(self, name: str) -> Line:
        line = self.hub.lines.get(name)
        if line is None or line.grant != self.grant:
            self.refuse(404, "this line is over; open another one")
        return line


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise BadMessage("expected UTF-8") from error


def _bytes(frame: Frame) -> bytes:
    return frame.encode() if isinstance(frame, str) else bytes(frame)
