"""The comms of sessions that are there, each with its state as it is now, and the panes that follow them.

Only in memory: a session tells everything anew when it comes back, and what is left of it at its end goes to the store
(`Room.keep`). No sockets and no tornado.
"""

import base64
import hashlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..comms import MAX_EARLY, Comms, Message, Outbox, State, is_custom
from ..errors import FrameError
from ..protocol import asset_type
from .messages import dumps

log = logging.getLogger("ipyweb.hub")
MAX_COMMS = 50_000
"""Of one session; an ordinary widget has three, with its layout and its style."""

MAX_BYTES = 256 * 2**20
"""Bytes of all states, long texts and modules of one session."""

MAX_WAITING = 32 * 2**20
"""Bytes that wait for a slow pane, beyond all that there is, before it gets everything anew instead."""

WIDGETS = "application/vnd.ipyweb.widgets"
"""Companion of a widget's output: the last state of its models, as ``ipywidgets.embed`` has it."""


class Follower:
    """A pane's queue of what a session's comms say.

    Args:
        wake: called when there is something to take.
        has: the long texts that it has already, by SHA-256.

    Attributes:
        watched: the model that somebody looks at there, by the id of its comm.
    """

    def __init__(self, wake: Callable[[], None], has: Iterable[str] = ()) -> None:
        self._wake = wake
        self._outbox = Outbox()
        self._has = set(has)
        self._most = MAX_WAITING
        self.watched: str | None = None

    def tell(self, message: Message) -> None:
        """Queue a message; a long text only once."""
        if message.header["type"] == "text":
            name = str(message.header["sha256"])
            if name in self._has:
                return
            self._has.add(name)
        self._outbox.add(message)
        self._wake()

    def begin_anew(self, everything: Iterable[Message]) -> None:
        """Queue what makes all that waits needless, but long texts, of which each is sent once."""
        waiting = []
        while (message := self._outbox.take()) is not None:
            waiting += [message] if message.header["type"] == "text" else []
        for message in waiting:
            self._outbox.add(message)
        for message in everything:
            self.tell(message)
        self._most = MAX_WAITING + self._outbox.bytes

    @property
    def is_slow(self) -> bool:
        """Whether too much waits."""
        return self._outbox.bytes > self._most

    def take(self) -> Message | None:
        """The next message; ``None`` when nothing waits."""
        return self._outbox.take()


class Room:
    """One session's comms.

    Attributes:
        live: whether the session is there.
        say: passes a message on to the session; set while it is there.
        is_full: whether the session has much to hear already.
    """

    def __init__(self) -> None:
        self.say: Callable[[Message], None] | None = None
        self.is_full: Callable[[], bool] = lambda: False
        self._comms = Comms()
        self._early: deque[Message] | None = deque(maxlen=MAX_EARLY)
        self._texts: dict[str, bytes] = {}
        self._modules: dict[str, Message] = {}
        self._assets: dict[str, Message] = {}
        self._followers: set[Follower] = set()
        self._coming: list[Follower] = []
        self._old = False
        self._noticed: set[str] = set()
        self._watched: list[str] = []

    @property
    def live(self) -> bool:
        return self.say is not None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is lost with it."""
        return not self.live and not self._followers and not self._coming and not len(self._comms)

    # -- the session --------------------------------------------------------------------------------------------------

    def enter(self, say: Callable[[Message], None], is_full: Callable[[], bool] = lambda: False) -> None:
        """The session is there."""
        self.say, self.is_full, self._watched = say, is_full, []
        self._tell(Message({"type": "live", "live": True}))
        self._say_watched()

    def leave(self) -> None:
        """The session is gone, perhaps not for long."""
        self.say = None
        self._let_in()
        self._tell(Message({"type": "live", "live": False}))

    def end(self) -> None:
        """The session is over."""
        self.say = None
        self._let_in()
        self._tell(Message({"type": "ended"}))

    def take(self, message: Message) -> str | None:
        """Note what the session says, and tell its followers.

        Returns:
            Why it was left out, if it was.

        Raises:
            FrameError: its parts do not fit together.
        """
        read = _READERS.get(message.header["type"])
        if read is None:
            return f"unknown type {str(message.header['type'])[:60]!r}"
        refused = read(self, message)
        if refused is None and message.header["type"] not in _UNTOLD:
            self._tell(message)
        return refused

    def _reset(self, message: Message) -> None:
        self._comms = Comms()
        self._texts.clear()
        self._modules.clear()
        self._assets.clear()
        self._old = False

    def _text(self, message: Message) -> str | None:
        text = b"".join(map(bytes, message.buffers))
        name = str(message.header.get("sha256"))
        if hashlib.sha256(text).hexdigest() != name:
            raise FrameError("expected a text with its SHA-256")
        if self._comms.bytes + self._text_bytes + len(text) > MAX_BYTES:
            return _too_much
        self._texts[name] = text
        return None

    def _module(self, message: Message) -> str | None:
        self._modules[str(message.header.get("name"))] = message
        return None

    def _asset(self, message: Message) -> str | None:
        self._assets[str(message.header.get("name"))] = message
        return None

    def _comm(self, message: Message) -> str | None:
        header = message.header
        if not isinstance(header.get("comm_id"), str) or not isinstance(header.get("data"), dict):
            raise FrameError("expected a comm_id and data")
        refused = self._note(message)
        if refused is not None:
            return refused
        if self._early is not None and is_custom(message) and not self._comms.is_drawn_by(message):
            self._early.append(message)
        return None

    def _note(self, message: Message) -> str | None:
        """Note what a message changes, unless it is too much; in words why."""
        header = message.header
        if header["type"] == "comm_open" and len(self._comms) >= MAX_COMMS:
            return f"this session has {MAX_COMMS} widgets and parts of widgets open, which is all that a hub takes"
        if not self._comms.take(message, MAX_BYTES - self._text_bytes):
            return _too_much
        return None

    def _state(self, message: Message) -> str | None:
        """A state that was old: what was said before it is in it."""
        refused = self._comm(message)
        comm = message.header["comm_id"]
        if self._early is not None:
            kept = (each for each in self._early if each.header["comm_id"] != comm)
            self._early = deque(kept, maxlen=MAX_EARLY)
        return refused

    def _set_old(self, message: Message) -> str | None:
        self._old = True
        return None

    def _set_fresh(self, message: Message) -> str | None:
        self._old = False
        self._let_in()
        return None

    def _pass(self, message: Message) -> str | None:
        return None

    @property
    def _text_bytes(self) -> int:
        return sum(map(len, self._texts.values()))

    # -- panes --------------------------------------------------------------------------------------------------------

    def follow(self, wake: Callable[[], None], has: Iterable[str] = ()) -> Follower:
        """A pane follows from now on, and gets all that there is first, but the long texts that it has."""
        follower = Follower(wake, has)
        self._let_in_fresh(follower)
        return follower

    def _let_in_fresh(self, follower: Follower) -> None:
        """Tell all to one, once the session has said what is old."""
        self._coming.append(follower)
        if not self._old or self.say is None:
            self._let_in()
        elif len(self._coming) == 1:
            self.say(Message({"type": "refresh"}))

    def _let_in(self) -> None:
        """Tell all to those who wait for it."""
        coming, self._coming = self._coming, []
        for follower in coming:
            self._followers.add(follower)
            follower.begin_anew(self._everything())
            early, self._early = self._early, None
            for message in early or ():
                follower.tell(message)
        self._say_watched()

    def unfollow(self, follower: Follower) -> None:
        """A pane is gone."""
        self._followers.discard(follower)
        self._coming = [each for each in self._coming if each is not follower]
        self._say_watched()

    def watch(self, follower: Follower, comm: str | None) -> None:
        """Somebody looks at a model in a pane, or at none any more."""
        follower.watched = comm
        self._say_watched()

    def _say_watched(self) -> None:
        watched = sorted({each.watched for each in self._followers if each.watched is not None})
        if self.say is not None and watched != self._watched:
            self._watched = watched
            self.say(Message({"type": "watched", "comms": watched}))

    def ask(self, message: Message) -> bool:
        """Pass on what a pane says; whether there is somebody who hears it, such a comm, and space for it.

        Raises:
            FrameError: its parts do not fit together.
        """
        opens = message.header["type"] == "comm_open"
        if self.say is None or opens == (message.header["comm_id"] in self._comms) or self.is_full():
            return False
        refused = self._note(message)
        if refused is None:
            self.say(message)
        elif refused not in self._noticed:
            self._noticed.add(refused)
            self.say(Message({"type": "notice", "message": refused}))
        return refused is None

    def _tell(self, message: Message) -> None:
        for follower in list(self._followers):
            if follower.is_slow:
                self._followers.discard(follower)
                self._let_in_fresh(follower)
            else:
                follower.tell(message)

    def _everything(self) -> Iterator[Message]:
        yield Message({"type": "reset"})
        for name, text in self._texts.items():
            yield Message({"type": "text", "sha256": name}, [text])
        yield from self._assets.values()
        yield from self._modules.values()
        yield from self._comms.opens()
        yield Message({"type": "live", "live": self.live})

    # -- the end ------------------------------------------------------------------------------------------------------

    def keep(self, model: str) -> dict[str, bytes]:
        """What is to be kept of a model that an output shows: companions by MIME type, none when it is not there."""
        found = self._comms.reachable(model)
        if not found:
            return {}
        models = {comm: _embedded(message, self._comms.told(comm)) for comm, message in found.items()}
        texts = {name for message in found.values() for name in message.header["texts"].values()}
        named = [name for each in models.values() for name in (each["model_module"], each["view_module"])]
        modules = {name: self._modules[name].header for name in self._with_needs(named)}
        scripts = {name: each["scripts"] for name, each in modules.items() if each.get("scripts")}
        state = {"version_major": 2, "version_minor": 0, "state": models, "scripts": scripts}
        companions = {WIDGETS: dumps(state).encode()}
        companions |= {asset_type(f"text:{name}"): self._texts[name] for name in texts if name in self._texts}
        sources = {f"module:{name}": each.get("sha256") for name, each in modules.items()}
        if scripts:
            sources |= {name: self._assets[name].header.get("sha256") for name in self._named_in(companions[WIDGETS])}
        found_texts = {asset_type(name): self._texts.get(str(sha256)) for name, sha256 in sources.items()}
        return companions | {mime: text for mime, text in found_texts.items() if text is not None}

    def _with_needs(self, names: Iterable[Any]) -> set[str]:
        """Those modules of these that are known, and all that they depend on."""
        found: set[str] = set()
        waiting = [name for name in names if isinstance(name, str)]
        while waiting:
            name = waiting.pop()
            if name in self._modules and name not in found:
                found.add(name)
                waiting += self._modules[name].header.get("needs") or ()
        return found

    def _named_in(self, text: bytes) -> list[str]:
        """The assets that a text names."""
        return [name for name in self._assets if name.encode() in text]


_too_much = f"the widgets of this session hold more than {MAX_BYTES // 2**20} MiB, which is all that a hub takes"
_Reader = Callable[[Room, Message], str | None]
_UNTOLD = frozenset({"comm_state", "old", "fresh"})
"""What is said for those who come late."""

_READERS: dict[str, _Reader] = {
    "reset": Room._reset,
    "text": Room._text,
    "module": Room._module,
    "asset": Room._asset,
    "comm_open": Room._comm,
    "comm_msg": Room._comm,
    "comm_close": Room._comm,
    "comm_state": Room._state,
    "old": Room._set_old,
    "fresh": Room._set_fresh,
    "status": Room._pass,
}


def _embedded(message: Message, told: list[Message]) -> dict[str, Any]:
    """A model as ``ipywidgets.embed`` writes it, with ``texts`` besides, and the messages that have drawn it."""
    data = message.header["data"]
    state = State()
    state.take(message)
    return {
        "model_name": state.get("_model_name"),
        "model_module": state.get("_model_module"),
        "model_module_version": state.get("_model_module_version"),
        "view_module": state.get("_view_module"),
        "state": data["state"],
        "texts": message.header["texts"],
        "buffers": [
            {"path": path, "encoding": "base64", "data": base64.b64encode(buffer).decode()}
            for path, buffer in zip(data["buffer_paths"], message.buffers, strict=True)
        ],
        "messages": [
            {"data": each.header["data"], "buffers": [base64.b64encode(buffer).decode() for buffer in each.buffers]}
            for each in told
        ],
    }


class Rooms:
    """The rooms of all sessions that have comms, by session."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def of(self, session: str) -> Room:
        """A session's room, made now if there is none."""
        return self._rooms.setdefault(session, Room())

    def find(self, session: str) -> Room | None:
        """A session's room, if it has one."""
        return self._rooms.get(session)

    def tidy(self, session: str) -> None:
        """Forget a room that nobody needs."""
        room = self._rooms.get(session)
        if room is not None and room.is_empty:
            del self._rooms[session]

    def end(self, session: str) -> Room | None:
        """A session is over: its room, which is forgotten."""
        room = self._rooms.pop(session, None)
        if room is not None:
            room.end()
        return room
