"""The two kinds of peers: a connected session, and a frontend. What they say, and what they are told."""

import json
import logging
from collections import deque
from collections.abc import Callable

from .. import __version__
from ..errors import FrameError
from ..protocol import PREVIOUS, PROTOCOL, Frame, Header, Message, decode, read_header
from . import messages
from .hub import GOING_AWAY, MAX_FRONTENDS, MAX_SESSIONS, HubState
from .messages import BadMessage, Bye, Command, Display, Drawn, Hello
from .sharing import Only
from .store import (
    Applied,
    MissingBlob,
    MovedAway,
    NotKept,
    Outcome,
    Store,
    StoreError,
    TooLarge,
    Unavailable,
    Unreachable,
    WrongKey,
)

log = logging.getLogger("ipyweb.hub")
MALFORMED, WRONG_KEY, WRONG_PROTOCOL, TOO_MANY, FAILED = 4400, 4403, 4406, 4429, 1011
ACKS_PER_FRAME = 5000
LEAST_BYTES = 4096
"""What a session's message counts for at least among those that wait for the store: each is a row, however short it is,
and all others wait behind it."""

_NACKS: dict[type[Exception], str] = {
    Unavailable: "storage_full",
    Unreachable: "storage_full",
    NotKept: "not_kept",
    MissingBlob: "missing_blob",
    TooLarge: "too_large",
    BadMessage: "bad_message",
}


class Peer:
    """One socket, as the hub sees it.

    Args:
        hub: the hub's state.
        wake: called when `next_frame` may have something.
        close: called with a code and a reason to close the socket.
    """

    def __init__(self, hub: HubState, wake: Callable[[], None], close: Callable[[int, str], None]) -> None:
        self.hub = hub
        self.wake = wake
        self.close = close
        self._told: deque[str] = deque()

    def tell(self, header: Header) -> None:
        """Send one small frame."""
        self._told.append(messages.dumps(header))
        self.wake()

    async def next_frame(self) -> Frame | None:
        """The next frame to write; ``None`` until `wake` is called."""
        return self._told.popleft() if self._told else None

    def receive(self, frame: Frame) -> None:
        """Take one frame. Closes the socket when it makes no sense."""
        raise NotImplementedError

    def disconnected(self) -> None:
        """The socket is gone."""
        raise NotImplementedError


class SessionLink(Peer):
    """The socket of one session.

    Args:
        left: called when the session is gone, if it showed figures: with their environment, whether it had to draw some
            itself, and whether there are others.

    Attributes:
        session: its id, once it was welcomed.
    """

    def __init__(
        self,
        hub: HubState,
        left: Callable[[str, bool, bool], None],
        wake: Callable[[], None],
        close: Callable[[int, str], None],
    ) -> None:
        super().__init__(hub, wake, close)
        self.session: str | None = None
        self._left = left
        self._figure: str | None = None
        self._shown = self._drawn = 0
        self._introduced = self._gone = self._ended = False
        self._acked = 0
        self._acks: list[tuple[int, int, int]] = []
        self._ack_due = False

    async def next_frame(self) -> Frame | None:
        if self._told or not self._ack_due:
            return await super().next_frame()
        outputs, self._acks = self._acks[:ACKS_PER_FRAME], self._acks[ACKS_PER_FRAME:]
        self._ack_due = bool(self._acks)
        acked = self._acks[0][0] - 1 if self._acks else self._acked
        return messages.dumps({"type": "ack", "acked": acked, "outputs": outputs})

    def receive(self, frame: Frame) -> None:
        try:
            message = decode(frame)
            if self.session is not None:
                self._take(self.session, message, len(frame))
            elif not self._introduced:
                self._introduce(message.header)
            else:
                raise BadMessage("expected nothing between hello and welcome")
        except (FrameError, BadMessage) as error:
            self.close(MALFORMED, str(error))

    def disconnected(self) -> None:
        self._gone = True
        if self.session is not None:
            self.hub.disconnect(self.session, self, ended=self._ended)
        if self._figure is not None:
            self._left(json.loads(self._figure)["keeper"], self._drawn > 0, self._shown > self._drawn)

    def _introduce(self, header: Header) -> None:
        if header["type"] != "hello":
            raise BadMessage(f"expected hello first, got {header['type'][:60]!r}")
        spoken = messages.integer(header.get("protocol"))
        if spoken is None or not PREVIOUS <= spoken <= PROTOCOL:
            older = spoken is None or spoken < PREVIOUS
            who = "the program that displays" if older else "the hub (`ipyweb stop`, then display again)"
            self.close(WRONG_PROTOCOL, f"protocol {spoken}, this hub speaks {PREVIOUS} to {PROTOCOL}: upgrade {who}")
            return
        if len(self.hub.links) >= MAX_SESSIONS:
            self.close(TOO_MANY, f"this hub has {MAX_SESSIONS} sessions already; end some")
            return
        hello = messages.hello(header)
        self._introduced = True
        self.hub.jobs.submit(lambda store: store.open_session(hello), lambda outcome: self._opened(hello, outcome))

    def _opened(self, hello: Hello, outcome: Outcome) -> None:
        if isinstance(outcome.error, WrongKey):
            self.close(WRONG_KEY, "this session belongs to another process")
        elif outcome.error is not None:
            self.close(FAILED, "the store failed; try again")
        else:
            self._welcome(hello.id, outcome.value)

    def _welcome(self, session: str, acked: int) -> None:
        self.session = session
        self.hub.connect(session, self)
        self.tell(
            {
                "type": "welcome",
                "protocol": PROTOCOL,
                "hub": self.hub.keys.hub,
                "version": __version__,
                "acked": acked,
            }
        )
        if self._gone:
            self.disconnected()

    def _take(self, session: str, message: Message, size: int) -> None:
        seq = messages.sequence(message.header)
        command, problem = _read(seq, message)
        self._note_figures(command)
        self.hub.jobs.submit(
            lambda store: _apply(store, session, command, problem),
            lambda outcome: self._applied(command, outcome),
            max(size, LEAST_BYTES),
        )

    def _note_figures(self, command: Command) -> None:
        match command:
            case Display(figure=str(figure)):
                self._figure = figure
                self._shown += 1
            case Drawn(said={"drawn": "process"}):
                self._drawn += 1

    def _applied(self, command: Command, outcome: Outcome) -> None:
        applied, problem = outcome.value or (None, outcome.error)
        if applied is not None:
            self._ack(command, applied)
        if problem is not None:
            self._nack(command.seq, problem)

    def _ack(self, command: Command, applied: Applied) -> None:
        # Not further than this message, even if more was taken before: a session forgets what is acknowledged, and has
        # to hear of the outputs of what it repeats first.
        self._acked = max(self._acked, min(command.seq, applied.acked))
        if applied.output is not None and applied.version is not None:
            self._acks.append((command.seq, applied.output, applied.version))
        self._ended |= isinstance(command, Bye)
        self._ack_due = True
        self.wake()

    def _nack(self, seq: int, error: Exception) -> None:
        if isinstance(error, MovedAway):
            self.close(GOING_AWAY, str(error))
            return
        reason = _NACKS.get(type(error))
        if reason is None:
            log.error("message %d of session %s failed", seq, self.session, exc_info=error)
            self.close(FAILED, "the store failed; try again")
            return
        self.tell({"type": "nack", "seq": seq, "reason": reason, "message": str(error)})


def _read(seq: int, message: Message) -> tuple[Command, Exception | None]:
    """The command of a message; one that makes no sense is only counted, so that the session goes on."""
    try:
        return messages.command(message.header, message.buffers), None
    except BadMessage as error:
        return Command(seq), error


def _apply(store: Store, session: str, command: Command, problem: Exception | None) -> tuple[Applied, Exception | None]:
    """Apply a command; one that no later try would mend is counted too."""
    try:
        return store.apply(session, command), problem
    except (TooLarge, NotKept) as error:
        return store.apply(session, Command(command.seq)), error


class Frontend(Peer):
    """The socket of one pane.

    Args:
        only: the one output that there is for it; ``None`` for all.

    Attributes:
        cursor: the event up to which it knows everything; ``None`` before it subscribed.
        only: see above.
    """

    def __init__(
        self, hub: HubState, only: Only | None, wake: Callable[[], None], close: Callable[[int, str], None]
    ) -> None:
        super().__init__(hub, wake, close)
        self.only = only
        self.cursor: int | None = None

    def connected(self) -> None:
        """The socket is there."""
        if len(self.hub.frontends) >= MAX_FRONTENDS:
            self.close(TOO_MANY, f"this hub has {MAX_FRONTENDS} panes already; close some")
        else:
            self.hub.add_frontend(self)

    async def next_frame(self) -> Frame | None:
        if self._told or self.cursor is None:
            return await super().next_frame()
        try:
            if self.only is None:
                changed = await self.hub.changes(self.cursor)
            else:
                changed = await self.hub.changes_of(self.only, self.cursor)
        except StoreError as error:
            self.close(FAILED, f"the store failed ({error}); connect again")
            return None
        if changed is None:
            return None
        text, self.cursor = changed
        return text or None

    def receive(self, frame: Frame) -> None:
        try:
            header = read_header(frame)
            match header["type"]:
                case "subscribe":
                    self._subscribe(header)
                case "look":
                    self.hub.frontends.look(self)
        except (FrameError, BadMessage) as error:
            self.close(MALFORMED, str(error))

    def disconnected(self) -> None:
        self.hub.remove_frontend(self)

    def _subscribe(self, header: Header) -> None:
        since = messages.integer(header.get("since"))
        if since is None or since < 0:
            raise BadMessage(f"expected subscribe with an event id as since, got {str(header.get('since'))[:40]!r}")
        if since > self.hub.event:  # it may have been told by another hub, whose news have not come here yet
            self.hub.jobs.submit(lambda store: store.look(), lambda outcome: self._begin_at(since))
        else:
            self._begin_at(since)

    def _begin_at(self, since: int) -> None:
        if since > self.hub.event:
            # Another store than the one its list came from: it has to fetch the list again.
            self.tell({"type": "changed", "event": self.hub.event, "outputs": [], "sessions": [], "reset": True})
            since = self.hub.event
        self.cursor = since
        self.wake()
