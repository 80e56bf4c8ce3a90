"""The WebSockets: of sessions, keepers and panes, of comms, and of panes that reach into figures.

They only move frames between a socket and its peer in `links`, `keepers`, `comm_links` or `reach`. There is one write
in flight per socket; a peer that takes none for `WRITE_SECONDS` is closed with 1013 and may come back.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..protocol import MAX_FRAME, Frame
from .base import ADMIN, PRODUCERS, Guard
from .comm_links import CommFollower, CommSource
from .hub import TOKEN_ENDED, TRY_LATER
from .keepers import KeeperLink
from .links import Frontend, Peer, SessionLink
from .reach import Reacher
from .sharing import Grant

if TYPE_CHECKING:
    from .context import Context

log = logging.getLogger("ipyweb.hub.http")
Wake = Callable[[], None]
Close = Callable[[int, str], None]
PROTOCOL_NAME = "ipyweb"
TOKEN_PREFIX = "ipyweb.token."
WRITE_SECONDS = 20.0
LOOK_SECONDS = 30.0
"""Seconds between looks whether the token of an open socket is over."""

PING_SECONDS = 20.0
"""Seconds between pings, and for their answers."""

TOO_BIG = 1009
MAX_REASON = 123  # bytes of a close reason (RFC 6455, 5.5)


class Socket(Guard, WebSocketHandler):
    """A WebSocket with a peer behind it."""

    peer: Peer

    def initialize(self, context: "Context") -> None:
        super().initialize(context)
        self._awake = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._is_open = False
        self._refused = False
        self._last: tuple[int, str] | None = None

    @classmethod
    def make_peer(cls, hub: "Context", grant: Grant, wake: Wake, close: Close) -> Peer:
        """What receives the frames.

        Args:
            hub: the hub.
            grant: of whoever opened it.
            wake: called when there may be frames to write.
            close: called with a code and a reason to close it.
        """
        raise NotImplementedError

    def token(self) -> str | None:
        """As for HTTP, or from the list of sub-protocols, where a browser puts it."""
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        tokens = [name.strip()[len(TOKEN_PREFIX) :] for name in offered if name.strip().startswith(TOKEN_PREFIX)]
        return super().token() if not tokens else tokens[0] if len(tokens) == 1 else None

    def check_origin(self, origin: str) -> bool:
        return origin in self._origins()

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return PROTOCOL_NAME if PROTOCOL_NAME in subprotocols else None

    def get_compression_options(self) -> dict[str, Any] | None:
        return None

    def open(self, *args: str, **kwargs: str) -> None:
        self.set_nodelay(True)
        self._is_open = True
        self.hub.sockets.add(self)
        self._end_in_time()
        assert self.grant is not None
        self.peer = self.make_peer(self.hub, self.grant, self._awake.set, self.close_with)
        self._pump = asyncio.ensure_future(self._write_frames())

    def _end_in_time(self) -> None:
        """Close once the token is over; looked at now and then, since clocks are set and machines sleep."""
        assert self.grant is not None
        if self.grant.is_over:
            self.close_with(TOKEN_ENDED, "this link has expired")
        elif self.grant.expires and self._is_open:
            asyncio.get_running_loop().call_later(min(self.grant.left, LOOK_SECONDS), self._end_in_time)

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        if self._refused:  # whoever was told to go may take some seconds for it
            return None
        if len(message) > MAX_FRAME:
            self.close_with(TOO_BIG, f"expected frames of up to {MAX_FRAME} bytes, got one of {len(message)}")
            return None
        self.peer.receive(message)
        return self.hub.state.room() if self.hub.state.is_full else None

    def on_close(self) -> None:
        self._is_open = False
        self.hub.sockets.discard(self)
        self._awake.set()
        self.peer.disconnected()
        self.hub.touch()

    def close_with(self, code: int, reason: str) -> None:
        """Close with a reason that fits a close frame."""
        log.info("%s closed with %d: %s", type(self).__name__, code, reason)
        self._refused = True
        self.close(code, reason.encode()[:MAX_REASON].decode("utf-8", "ignore"))

    def close_when_written(self, code: int, reason: str) -> None:
        """Close once the peer has nothing more to say."""
        self._last = code, reason
        self._awake.set()

    async def _write_frames(self) -> None:
        while self._is_open:
            await self._awake.wait()
            self._awake.clear()
            while self._is_open and (frame := await self.peer.next_frame()) is not None:
                if not await self._write(frame):
                    return
            if self._last is not None:
                self.close_with(*self._last)
                return

    async def _write(self, frame: Frame) -> bool:
        """Write one frame; whether the socket is still good."""
        try:
            future = asyncio.ensure_future(self.write_message(frame, binary=not isinstance(frame, str)))
        except WebSocketClosedError:
            return False
        # wait(), not wait_for(): cancelling tornado's write future makes it log an error.
        done, _ = await asyncio.wait({future}, timeout=WRITE_SECONDS)
        if done:
            return future.exception() is None
        future.add_done_callback(_consume)
        self.close_with(TRY_LATER, "too slow: frames were not read; connect again")
        if self.ws_connection is not None:
            self.ws_connection._abort()  # the close frame would wait behind the one that is stuck
        return False


class SessionSocket(Socket):
    """``/ws/session``.

    While the store is behind, its answer to a ping stands behind all that it has sent, and says nothing of whether it
    is there. That the system's own acknowledgements tell.
    """

    scopes = PRODUCERS

    @property
    def ping_timeout(self) -> float:
        return 0

    def open(self, *args: str, **kwargs: str) -> None:
        super().open(*args, **kwargs)
        stream = None if self.ws_connection is None else self.ws_connection.stream
        if hasattr(socket, "TCP_USER_TIMEOUT") and stream is not None and stream.socket.family != socket.AF_UNIX:
            milliseconds = int(2000 * PING_SECONDS)
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    @classmethod
    def make_peer(cls, hub: "Context", grant: Grant, wake: Wake, close: Close) -> Peer:
        left = partial(hub.keepers.session_left, hub.state)
        return SessionLink(hub.state, left, wake, close)


class KeeperSocket(Socket):
    """``/ws/keeper``."""

    scopes = PRODUCERS

    @classmethod
    def make_peer(cls, hub: "Context", grant: Grant, wake: Wake, close: Close) -> Peer:
        return KeeperLink(hub.state, hub.keepers, wake, close)


class CommSessionSocket(Socket):
    """``/ws/comms/session``."""

    scopes = PRODUCERS

    @classmethod
    def make_peer(cls, hub: "Context", grant: Grant, wake: Wake, close: Close) -> Peer:
        return CommSource(hub.state, wake, close)


class CommPaneSocket(Socket):
    """``/ws/comms/pane``."""

    scopes = ADMIN | {"pane"}
    looked_at = True

    @classmethod
    def make_peer(cls, hub: "Context", grant: Grant, wake: Wake, close: Close) -> Peer:
        return CommFollower(hub.state, grant.scope in cls.scopes, wake, close)


class ReachSocket(Socket):
    """``/ws/reach``."""

    scopes = ADMIN | {"pane"}
    looked_at = narrow = True

    @classmethod
    def make_peer(cls, hub: "Context", grant: Grant, wake: Wake, close: Close) -> Peer:
        keeps = grant.scope in cls.scopes
        return Reacher(hub.state, hub.keepers, keeps, grant.check, wake, close)


class PaneSocket(Socket):
    """``/ws/pane``."""

    scopes = ADMIN | {"pane"}
    looked_at = narrow = True

    @classmethod
    def make_peer(cls, hub: "Context", grant: Grant, wake: Wake, close: Close) -> Peer:
        peer = Frontend(hub.state, grant.only, wake, close)
        peer.connected()
        return peer


def _consume(future: "asyncio.Future[None]") -> None:
    """Look at a late exception, so that asyncio does not report it as forgotten."""
    if not future.cancelled():
        future.exception()
