"""Comm messages between session, hub and pane: how long ones are split, and what may be joined while it waits.

The names are those of Jupyter messaging and of the widgets' own protocol (ipywidgets' ``messages.md``): ``comm_open``,
``comm_msg`` and ``comm_close`` with a ``comm_id``; in their ``data`` a ``method``, a ``state``, and ``buffer_paths``
that say where in the state each buffer belongs. Two things are added. Long texts among the state's values travel once,
as messages of their own, and are referred to by hash: ``texts`` maps keys of the state to them. And messages are
neither numbered nor stored, since whoever comes late gets each model's state as it is by then.

This module does no I/O. ``js/src/comms.ts`` is its mirror.
"""

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .errors import FrameError
from .protocol import MAX_FRAME, Frame, decode, encode

LONG_TEXT = 16 * 1024
"""Characters from which on a text of a state travels once, and by hash from then on."""

MAX_MESSAGE = 64 * 2**20
"""Bytes of the longest message."""

MAX_CLOSED, MAX_CLOSED_BYTES = 200, 32 * 2**20
"""How many comms that were closed last are remembered, since outputs may show them, and how much they may hold."""

MAX_EARLY = 1000
"""Messages to widgets' own code that wait for the first pane."""

DRAWN_BY_MESSAGES = ("ipycanvas",)  # no set, since what is looked up may be any JSON
"""Front-end modules whose models show what messages have told them, and have it in no state."""

MAX_TOLD = 5000
MAX_TOLD_BYTES = 16 * 2**20
"""Messages to one such model that are remembered, the first and the latest ones, and bytes in their buffers."""

PIECE = MAX_FRAME - 1024
UPDATES = ("update", "echo_update")  # no set either
"""Methods whose messages carry parts of a model's state, of which only the newest count."""

STATE = ("state", "buffer_paths")
"""What of a message's ``data`` is its state."""

Buffer = bytes | bytearray | memoryview


class Message(NamedTuple):
    """A header with its buffers."""

    header: dict[str, Any]
    buffers: Sequence[Buffer] = ()


class _Value(NamedTuple):
    """What one key of a state has.

    Attributes:
        plain: whether there is a value in JSON; a buffer alone has none.
        json: that value.
        text: the SHA-256 of the long text that it is instead.
        buffers: with the path to each, which begins with the key.
        bytes: about how many it has, a long text aside.
    """

    plain: bool
    json: Any
    text: str | None
    buffers: list[tuple[list[Any], Buffer]]
    bytes: int


Values = dict[str, _Value]
"""What a message says of a state, by key."""


class State:
    """A model's state, or a part of it.

    Attributes:
        bytes: about how many it has, long texts aside.
    """

    def __init__(self) -> None:
        self._values: Values = {}
        self.bytes = 0

    def take(self, message: Message) -> None:
        """Put a message's state over what is here, key by key.

        Raises:
            FrameError: its parts do not fit together.
        """
        self.put(self.values_in(message))

    def put(self, values: Values) -> None:
        """Put values over what is here."""
        self.bytes += self.growth(values)
        self._values |= values

    def growth(self, values: Values) -> int:
        """How many bytes more it has with these values."""
        old = (self._values[key].bytes for key in values.keys() & self._values.keys())
        return sum(value.bytes for value in values.values()) - sum(old)

    @staticmethod
    def values_in(message: Message) -> Values:
        """What a message says.

        Raises:
            FrameError: its parts do not fit together.
        """
        data, texts = message.header["data"], message.header.get("texts") or {}
        state, paths = data.get("state") or {}, data.get("buffer_paths") or []
        if not isinstance(state, dict) or not isinstance(texts, dict) or not _are_paths(paths, len(message.buffers)):
            raise FrameError(f"expected a state, texts, and {len(message.buffers)} buffer paths that begin with a key")
        found: dict[str, list[tuple[list[Any], Buffer]]] = {}
        for path, buffer in zip(paths, message.buffers, strict=True):
            found.setdefault(path[0], []).append((path, buffer))

        def value(key: str) -> _Value:
            json, buffers = state.get(key), found.get(key, [])
            return _Value(key in state, json, texts.get(key), buffers, _length(json) + sum(len(b) for _, b in buffers))

        return {key: value(key) for key in dict.fromkeys((*state, *texts, *found))}

    def put_in(self, header: Mapping[str, Any]) -> Message:
        """A message with this state in its ``data``."""
        held = [each for value in self._values.values() for each in value.buffers]
        data = {
            **header["data"],
            "state": {key: value.json for key, value in self._values.items() if value.plain},
            "buffer_paths": [path for path, _ in held],
        }
        return Message({**header, "data": data, "texts": self.texts}, [buffer for _, buffer in held])

    @property
    def texts(self) -> dict[str, str]:
        """The long texts in it: their SHA-256 by key."""
        return {key: value.text for key, value in self._values.items() if value.text is not None}

    def get(self, key: str) -> Any:
        """A value in JSON; ``None`` where there is none."""
        value = self._values.get(key)
        return None if value is None else value.json

    @property
    def values(self) -> list[Any]:
        """All values in JSON."""
        return [value.json for value in self._values.values()]


_LONG = frozenset({str, list, dict})


def _length(value: Any) -> int:
    """About how many bytes a value in JSON takes."""
    length, waiting = 0, [value]
    while waiting:
        match waiting.pop():
            case str(text):
                length += len(text)
            case dict(values):
                length += sum(map(len, values)) + 8 * len(values)
                waiting += values.values()
            case list(values):
                length += 8 * len(values)
                waiting += [each for each in values if type(each) in _LONG]
    return length


def _are_paths(paths: Any, count: int) -> bool:
    return (
        isinstance(paths, list)
        and len(paths) == count
        and all(isinstance(path, list) and path and isinstance(path[0], str) for path in paths)
    )


def carries_state(header: Mapping[str, Any]) -> bool:
    """Whether a message carries a part of its model's state, so that a newer one may take its place."""
    data = header.get("data")
    return header.get("type") == "comm_msg" and isinstance(data, dict) and data.get("method") in UPDATES


def size(message: Message) -> int:
    """About how many bytes a message takes."""
    return sum(map(len, message.buffers)) + _length(message.header) + 512


def is_custom(message: Message) -> bool:
    """Whether a message is for a widget's own code."""
    data = message.header.get("data")
    return message.header.get("type") == "comm_msg" and isinstance(data, dict) and data.get("method") == "custom"


class _Waiting:
    """A message that waits; an update as the state that it carries."""

    def __init__(self, message: Message) -> None:
        self.header = message.header
        self.message = message
        self.state: State | None = None
        if carries_state(message.header):
            self.state = State()
            self.state.take(message)

    def takes(self, newer: Message) -> bool:
        """Whether a newer update can be joined to this one."""
        mine, its = self.header, newer.header
        return (
            self.state is not None
            and carries_state(its)
            and mine["data"]["method"] == its["data"]["method"]
            and mine.get("parent") == its.get("parent")
            and not self._would_hide_a_value(its["data"].get("state") or {})
        )

    def _would_hide_a_value(self, newer: Mapping[str, Any]) -> bool:
        """Whether a value is taken back at once, as plotly does with the orders that it gives its front end."""
        state = self.state
        return state is not None and any(value is None and state.get(key) is not None for key, value in newer.items())

    def join(self, newer: Message) -> None:
        assert self.state is not None
        self.state.take(newer)
        self.header = newer.header  # the newest number is what its sender waits for

    def whole(self) -> Message:
        return self.message if self.state is None else self.state.put_in(self.header)

    @property
    def bytes(self) -> int:
        return size(self.message) if self.state is None else self.state.bytes + 512


class Outbox:
    """Messages that wait to be sent. Updates of a comm that follow one another become one. Safe to use from threads.

    Attributes:
        changed: notified when something is added; the lock of everything here.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._last: dict[str, _Waiting] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def bytes(self) -> int:
        """About how much waits."""
        return self._bytes

    def add(self, message: Message) -> Message | None:
        """Append a message, or join it to the one that it follows.

        Returns:
            The older message, if what it said is now said by this one.

        Raises:
            FrameError: it is an update whose parts do not fit together.
        """
        with self.changed:
            comm = str(message.header.get("comm_id", ""))
            last = self._last.get(comm)
            if last is not None and last.takes(message):
                older, before = Message(last.header), last.bytes
                last.join(message)
                self._bytes += last.bytes - before
                return older
            self._last[comm] = waiting = _Waiting(message)
            self._waiting.append(waiting)
            self._bytes += waiting.bytes
            self.changed.notify_all()
            return None

    def take(self) -> Message | None:
        """The next message; ``None`` when nothing waits."""
        with self.changed:
            if not self._waiting:
                return None
            waiting = self._waiting.popleft()
            self._bytes -= waiting.bytes
            comm = str(waiting.header.get("comm_id", ""))
            if self._last.get(comm) is waiting:
                del self._last[comm]
            return waiting.whole()

    def clear(self) -> None:
        """Forget everything."""
        with self.changed:
            self._waiting.clear()
            self._last.clear()
            self._bytes = 0


def frames(message: Message) -> Iterator[Frame]:
    """A message as one frame, or as several where it is too long for one.

    Raises:
        FrameError: it is longer than `MAX_MESSAGE`, or no JSON.
    """
    whole = encode(message.header, [bytes(each) for each in message.buffers])
    if len(whole) * (4 if isinstance(whole, str) else 1) <= PIECE:
        yield whole
        return
    view = memoryview(whole.encode() if isinstance(whole, str) else whole)
    if len(view) > MAX_MESSAGE:
        raise FrameError(f"expected a message of at most {MAX_MESSAGE} bytes, got one of {len(view)}")
    binary = not isinstance(whole, str)
    for start in range(0, len(view), PIECE):
        last = start + PIECE >= len(view)
        yield encode({"type": "piece", "last": last, "binary": binary}, [view[start : start + PIECE]])


class Joiner:
    """Puts messages together again that came in several frames."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def take(self, frame: Frame) -> Message | None:
        """The message that a frame is or completes; ``None`` when more is to come.

        Raises:
            FrameError: the frame is malformed, or the message too long.
        """
        header, buffers = decode(frame)
        if header["type"] != "piece":
            return Message(header, buffers)
        self._pieces += [bytes(each) for each in buffers]
        self._size += sum(map(len, buffers))
        if self._size > MAX_MESSAGE:
            raise FrameError(f"expected a message of at most {MAX_MESSAGE} bytes")
        if not header.get("last"):
            return None
        whole = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        joined = decode(whole if header.get("binary") else whole.decode())
        return Message(joined.header, joined.buffers)


def models_in(values: Iterable[Any]) -> Iterator[str]:
    """The ids of the models that values refer to, however deep: each is a text ``IPY_MODEL_`` followed by an id."""
    waiting = list(values)
    while waiting:
        match waiting.pop():
            case str(value) if value.startswith("IPY_MODEL_"):
                yield value.removeprefix("IPY_MODEL_")
            case dict(value):
                waiting += value.values()
            case list(value):
                waiting += value


class _Told:
    """What has been told to a model that is drawn by messages: the first, which says where to draw, and the latest."""

    def __init__(self) -> None:
        self._first: Message | None = None
        self._latest: deque[Message] = deque()
        self.bytes = 0

    def __iter__(self) -> Iterator[Message]:
        return iter([*([] if self._first is None else [self._first]), *self._latest])

    def take(self, message: Message) -> None:
        if self._first is None:
            self._first = message
            return
        self._latest.append(message)
        self.bytes += size(message)
        while len(self._latest) > MAX_TOLD or self.bytes > MAX_TOLD_BYTES:
            self.bytes -= size(self._latest.popleft())


def _held(header: Mapping[str, Any], state: State) -> int:
    return state.bytes + _length(header) + 2048


class Comms:
    """All comms that are open, each with its state as it is by now, and those that were closed last.

    Args:
        closed: how many of these are remembered at most.

    Attributes:
        bytes: about how many those hold that are open, long texts aside.
    """

    def __init__(self, closed: int = MAX_CLOSED) -> None:
        self._open: dict[str, tuple[dict[str, Any], State]] = {}
        self._closed: OrderedDict[str, tuple[dict[str, Any], State]] = OrderedDict()
        self._told: dict[str, _Told] = {}
        self._most_closed = closed
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, comm: object) -> bool:
        return comm in self._open

    def take(self, message: Message, most: float = math.inf) -> bool:
        """Note what a message changes; one for a comm that is not open changes nothing.

        Args:
            message: of a session or of a pane.
            most: how many bytes all may hold then; one that would be too much changes nothing.

        Returns:
            Whether it was not too much.

        Raises:
            FrameError: its parts do not fit together.
        """
        header = message.header
        comm = str(header.get("comm_id"))
        match header["type"]:
            case "comm_open":
                return self._opened(comm, message, most)
            case "comm_msg" if carries_state(header) and comm in self._open:
                return self._changed(self._open[comm][1], message, most)
            case "comm_state" if comm in self._open:
                return self._changed(self._open[comm][1], message, most)
            case "comm_msg" if self.is_drawn_by(message):
                told = self._told.setdefault(comm, _Told())
                self.bytes -= told.bytes
                told.take(message)
                self.bytes += told.bytes
            case "comm_close" if comm in self._open:
                self._closed[comm] = self._forget(comm)
                self._forget_closed()
        return True

    def _opened(self, comm: str, message: Message, most: float) -> bool:
        header, state = message.header, State()
        state.take(message)
        bare = {**header, "data": {key: value for key, value in header["data"].items() if key not in STATE}}
        if self.bytes + _held(bare, state) > most:
            return False
        if comm in self._open:
            self._forget(comm)
        self._open[comm] = bare, state
        self.bytes += _held(bare, state)
        return True

    def _changed(self, state: State, message: Message, most: float) -> bool:
        values = state.values_in(message)
        growth = state.growth(values)
        if growth > 0 and self.bytes + growth > most:
            return False
        state.put(values)
        self.bytes += growth
        return True

    def _forget(self, comm: str) -> tuple[dict[str, Any], State]:
        header, state = self._open.pop(comm)
        told = self._told.pop(comm, None)
        self.bytes -= _held(header, state) + (0 if told is None else told.bytes)
        return header, state

    def _forget_closed(self) -> None:
        held = sum(_held(*each) for each in self._closed.values())
        while len(self._closed) > self._most_closed or held > MAX_CLOSED_BYTES:
            _, closed = self._closed.popitem(last=False)
            held -= _held(*closed)

    def opens(self) -> Iterator[Message]:
        """Messages that open all of them anew, the oldest first, and draw again what only messages have drawn."""
        for header, state in list(self._open.values()):
            yield state.put_in(header)
        for told in list(self._told.values()):
            yield from told

    def is_drawn_by(self, message: Message) -> bool:
        """Whether a message is a part of what its model shows; none of a pane is, which have numbers."""
        state = self.state(str(message.header.get("comm_id")))
        if state is None or not is_custom(message) or "msg_id" in message.header:
            return False
        return state.get("_model_module") in DRAWN_BY_MESSAGES

    def told(self, comm: str) -> list[Message]:
        """The messages that have drawn what a model shows."""
        return list(self._told.get(comm, ()))

    def ended(self) -> Iterator[Message]:
        """Messages that open those that were closed last, and close them again."""
        found = list(self._closed.items())
        for _, (header, state) in found:
            yield state.put_in(header)
        for comm, _ in found:
            yield Message({"type": "comm_close", "comm_id": comm, "data": {}})

    def state(self, comm: str) -> State | None:
        """The state of one; ``None`` when it is not open."""
        found = self._open.get(comm)
        return None if found is None else found[1]

    @property
    def texts(self) -> set[str]:
        """The long texts that any state refers to, by SHA-256."""
        return {text for _, state in self._open.values() for text in state.texts.values()}

    def reachable(self, model: str) -> dict[str, Message]:
        """A model and all that it refers to, however far: by id a message that opens it, also of those closed."""
        found: dict[str, Message] = {}
        waiting = [model]
        while waiting:
            comm = waiting.pop()
            known = self._open.get(comm) or self._closed.get(comm)
            if comm in found or known is None:
                continue
            header, state = known
            found[comm] = state.put_in(header)
            waiting += models_in(state.values)
        return found
