"""The two ends of comms as the hub sees them: a session, and a pane that follows one."""

from collections import deque
from collections.abc import Callable

from ..comms import MAX_MESSAGE, Joiner, Message, frames, size
from ..errors import FrameError
from ..protocol import PREVIOUS, PROTOCOL, Frame
from . import messages
from .comms import Follower, Room
from .hub import HubState
from .links import FAILED, MALFORMED, WRONG_KEY, WRONG_PROTOCOL, Peer
from .messages import BadMessage
from .store import Outcome

MOST_TEXTS, SHA256_DIGITS = 1000, 64
LONGEST_ID = 300
"""Characters; a frame may have 256 for its own messages, and its pane puts a mark before them."""

FROM_PANE = {
    "comm_open": ("comm_id", "msg_id", "target_name"),
    "comm_msg": ("comm_id", "msg_id"),
    "comm_close": ("comm_id", "msg_id"),
}
"""What a pane may say, and the names in it."""


class CommPeer(Peer):
    """One socket that carries comms."""

    def __init__(self, hub: HubState, wake: Callable[[], None], close: Callable[[int, str], None]) -> None:
        super().__init__(hub, wake, close)
        self.session: str | None = None
        self._joiner = Joiner()
        self._rest: deque[Frame] = deque()

    def take(self) -> Message | None:
        """The next message for this peer; ``None`` when nothing waits."""
        raise NotImplementedError

    def hear(self, message: Message) -> None:
        """Take a message; the first one introduces the peer."""
        raise NotImplementedError

    async def next_frame(self) -> Frame | None:
        if self._told:
            return self._told.popleft()
        while not self._rest:
            message = self.take()
            if message is None:
                return None
            self._rest.extend(frames(message))
        return self._rest.popleft()

    def receive(self, frame: Frame) -> None:
        try:
            message = self._joiner.take(frame)
            if message is not None:
                self.hear(message)
        except (FrameError, BadMessage) as error:
            self.close(MALFORMED, str(error))

    def introduction(self, message: Message, first: str) -> str:
        """The session that the first message names.

        Raises:
            BadMessage: it is another message.
        """
        header = message.header
        if header["type"] != first:
            raise BadMessage(f"expected {first} first, got {str(header['type'])[:60]!r}")
        spoken = messages.integer(header.get("protocol"))
        if spoken is None or not PREVIOUS <= spoken <= PROTOCOL:
            self.close(WRONG_PROTOCOL, f"protocol {spoken}, this hub speaks {PREVIOUS} to {PROTOCOL}")
        session = messages.session_id(header.get("session"))
        self.hub.comm_peers.setdefault(session, set()).add(self)
        return session

    def disconnected(self) -> None:
        peers = self.hub.comm_peers.get(str(self.session), set())
        peers.discard(self)
        if not peers:
            self.hub.comm_peers.pop(str(self.session), None)


class CommSource(CommPeer):
    """The socket on which a session speaks for its comms."""

    def __init__(self, hub: HubState, wake: Callable[[], None], close: Callable[[int, str], None]) -> None:
        super().__init__(hub, wake, close)
        self._waiting: deque[Message] = deque()
        self._waiting_bytes = 0
        self._room: Room | None = None
        self._said: set[str] = set()
        self._gone = False

    def take(self) -> Message | None:
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self._waiting_bytes -= size(message)
        return message

    def hear(self, message: Message) -> None:
        if message.header["type"] == "settle":
            self.tell({"type": "settled"})
        elif self._room is not None:
            self._take(self._room, message)
        elif self.session is not None:
            raise BadMessage("expected nothing between hello and welcome")
        else:
            self._introduce(message)

    def _take(self, room: Room, message: Message) -> None:
        refused = room.take(message)
        if refused is not None and refused not in self._said:
            self._said.add(refused)
            self.tell({"type": "notice", "message": refused})

    def _introduce(self, message: Message) -> None:
        self.session = session = self.introduction(message, "hello")
        key = messages.session_key(message.header.get("key"))
        self.hub.jobs.submit(lambda store: store.knows(session, key), lambda outcome: self._known(session, outcome))

    def _known(self, session: str, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.close(FAILED, "the store failed; try again")
        elif not outcome.value:
            self.close(WRONG_KEY, "expected the key of a session that is here")
        elif not self._gone:
            self._room = self.hub.rooms.of(session)
            self._room.enter(self._pass_on, lambda: self._waiting_bytes > MAX_MESSAGE)
            self.tell({"type": "welcome", "protocol": PROTOCOL})
            self.hub.ask_where(session)

    def _pass_on(self, message: Message) -> None:
        self._waiting.append(message)
        self._waiting_bytes += size(message)
        self.wake()

    def disconnected(self) -> None:
        super().disconnected()
        self._gone = True
        if self._room is not None and self._room.say == self._pass_on:
            self._room.leave()
            self.hub.rooms.tidy(str(self.session))


class CommFollower(CommPeer):
    """The socket on which a pane follows the comms of one session.

    Args:
        speaks: whether it may say something too; otherwise that reaches nobody, and counts as handled at once.
    """

    def __init__(
        self, hub: HubState, speaks: bool, wake: Callable[[], None], close: Callable[[int, str], None]
    ) -> None:
        super().__init__(hub, wake, close)
        self._speaks = speaks
        self._follower: Follower | None = None
        self._room: Room | None = None

    def take(self) -> Message | None:
        return None if self._follower is None else self._follower.take()

    def hear(self, message: Message) -> None:
        if self._room is None:
            self.session = self.introduction(message, "follow")
            self._room = self.hub.rooms.of(self.session)
            self.tell({"type": "welcome", "protocol": PROTOCOL, "live": self._room.live})
            self._follower = self._room.follow(self.wake, _texts(message.header.get("has")))
            if not self._room.live:
                self.hub.ask_where(self.session)
            return
        if message.header["type"] == "watch":
            self._watch(message.header.get("comm_id"))
            return
        asked = _asked(message)
        if not (self._speaks and self._room.ask(asked)):
            self.tell({"type": "status", "parent": asked.header["msg_id"], "execution_state": "idle"})

    def _watch(self, comm: object) -> None:
        if comm is not None and not (isinstance(comm, str) and len(comm) <= LONGEST_ID):
            raise BadMessage(f"expected a comm_id of at most {LONGEST_ID} characters, or null")
        if self._room is not None and self._follower is not None:
            self._room.watch(self._follower, comm)

    def disconnected(self) -> None:
        super().disconnected()
        if self._room is not None and self._follower is not None:
            self._room.unfollow(self._follower)
            self.hub.rooms.tidy(str(self.session))


def _texts(has: object) -> list[str]:
    """The long texts that a pane says it has."""
    given = has if isinstance(has, list) else []
    return [each for each in given[:MOST_TEXTS] if isinstance(each, str) and len(each) == SHA256_DIGITS]


def _asked(message: Message) -> Message:
    """What a pane says, with the fields that belong to it.

    Raises:
        BadMessage: it is not what panes say.
    """
    header = message.header
    names = FROM_PANE.get(header["type"])
    if names is None:
        raise BadMessage(f"expected comm_open, comm_msg or comm_close, got {str(header['type'])[:60]!r}")
    if not all(isinstance(header.get(name), str) and len(header[name]) <= LONGEST_ID for name in names):
        raise BadMessage(f"expected {', '.join(names)} of at most {LONGEST_ID} characters")
    if not isinstance(header.get("data"), dict) or not isinstance(header.get("metadata", {}), dict):
        raise BadMessage("expected data and metadata to be objects")
    known = ("type", *names, "data", "metadata")
    return Message({name: header[name] for name in known if name in header}, message.buffers)
