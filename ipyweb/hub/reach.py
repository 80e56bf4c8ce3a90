"""Panes that reach into figures: each speaks to a copy of its own, which the figure's keeper holds (`KeeperLink`).

A pane says first which version of which output it means, and how large it is to be drawn::

    {"type": "reach", "protocol": 1, "output": 17, "version": 2, "width": 800, "height": 600, "dpi": 100}

It hears ``reached``, and from then on speaks in the words of matplotlib's WebAgg; what it says is checked against a
table. It hears ``frame`` (what changed, as an image of type ``mime``, with the ``size`` of the whole and where the part
is ``at``; a large one comes in pieces, up to the ``last``), WebAgg's small messages, ``kept`` once a view is the
output's next version, ``refused`` if it cannot be, and ``gone`` with a reason when there is nothing to reach into any
more. Sizes and places are pixels of the screen.

A pane that is slow gets no stale pictures: the copy draws no more than it acknowledges. Of small messages, it gets the
newest of each kind.
"""

import asyncio
import json
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import FrameError, KeeperUnavailable
from ..protocol import PREVIOUS, PROTOCOL, Frame, Header, Message, encode, read_header
from . import messages
from .hub import HubState
from .links import MALFORMED, TOO_MANY, WRONG_PROTOCOL, Peer
from .messages import BadMessage
from .store import Outcome, OutputRow, Store, StoreError, Unavailable

if TYPE_CHECKING:
    from .keepers import KeeperLink, Keepers

log = logging.getLogger("ipyweb.hub")
RATE, BURST = 500.0, 2000.0
"""Messages per second that a pane may say, and how many at once."""

MAX_LENGTH, MAX_PIXELS = 16_000, 41e6
"""Pixels of the longer side of a picture, and of all of it: as many as a pane asks for."""

Check = Callable[[Any], bool]


def _number(least: float, most: float) -> Check:
    return lambda value: type(value) in (int, float) and least <= value <= most


def _whole(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _modifiers(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 4 and _MODIFIERS.issuperset(map(str, value))


_MODIFIERS = frozenset({"ctrl", "alt", "shift", "meta"})
_KEY = re.compile(r"(?:(?:ctrl|alt|shift)\+)?k.{1,24}", re.DOTALL)
_PLACE = {"x": _number(-1e5, 1e5), "y": _number(-1e5, 1e5)}
_MOUSE = {
    **_PLACE,
    "button": _whole(-1, 4),
    "buttons": _whole(0, 31),
    "step": _number(-100, 100),
    "modifiers": _modifiers,
}
_KEYS: dict[str, Check] = {"key": lambda value: isinstance(value, str) and _KEY.fullmatch(value) is not None}
_SIZE = {"width": _number(50, MAX_LENGTH), "height": _number(50, MAX_LENGTH), "dpi": _number(1, 10_000)}
_TOOLS = frozenset({"home", "back", "forward", "pan", "zoom"})

EVENTS: dict[str, dict[str, Check]] = {
    **dict.fromkeys(("button_press", "button_release", "dblclick", "motion_notify", "scroll"), _MOUSE),
    **dict.fromkeys(("figure_enter", "figure_leave"), _MOUSE),
    **dict.fromkeys(("key_press", "key_release"), _KEYS),
    "toolbar_button": {"name": lambda value: isinstance(value, str) and value in _TOOLS},
    "resize": _SIZE,
    "move": _PLACE,
    **{name: {} for name in ("ack", "draw", "refresh", "keep")},
}
"""What a pane may say to a copy: by type, the fields and what they may be."""


def event(header: Mapping[str, Any]) -> dict[str, Any]:
    """What a pane says to its copy, with the known fields only.

    Raises:
        BadMessage: it is nothing that a pane may say.
    """
    kind = header["type"]
    if kind not in EVENTS:
        raise BadMessage(f"expected one of {', '.join(EVENTS)}, got {str(kind)[:60]!r}")
    known = {name: header.get(name) for name in EVENTS[kind]}
    for name, check in EVENTS[kind].items():
        if not check(known[name]):
            raise BadMessage(f"{kind}: {name} cannot be {str(known[name])[:60]!r}")
    if kind == "resize":
        size(header)
    return {"type": kind, **known}


def size(header: Mapping[str, Any]) -> dict[str, Any]:
    """How large a copy is to be drawn.

    Raises:
        BadMessage: this is no size, or more pixels than a picture may have.
    """
    for name, check in _SIZE.items():
        if not check(header.get(name)):
            raise BadMessage(f"{name} cannot be {str(header.get(name))[:60]!r}")
    if header["width"] * header["height"] > MAX_PIXELS:
        raise BadMessage(f"{header['width']} x {header['height']} are more pixels than a picture may have")
    return {name: header[name] for name in _SIZE}


class Reacher(Peer):
    """The socket of a pane that reaches into a figure.

    Args:
        keepers: the figure keepers.
        keeps: whether it may keep what it sees as a new version of the output.
        check: raises `NotFound` for an output that is not there for this pane.
    """

    def __init__(
        self,
        hub: HubState,
        keepers: "Keepers",
        keeps: bool,
        check: Callable[[Store, int], None],
        wake: Callable[[], None],
        close: Callable[[int, str], None],
    ) -> None:
        super().__init__(hub, wake, close)
        self._keepers = keepers
        self._keeps = keeps
        self._check = check
        self._beginning: asyncio.Task[None] | None = None
        self._link: KeeperLink | None = None
        self._number = 0
        self._output = 0
        self._said: dict[str, Header] = {}
        self._frames: deque[Frame] = deque()
        self._over = False
        self._credit, self._when = BURST, time.monotonic()
        self._heard: dict[str, Callable[[Message], None]] = {
            "reached": self._reached,
            "said": self._note,
            "frame": self._pass_on,
            "kept": self._kept,
            "left": lambda message: self.gone(str(message.header.get("reason"))),
        }

    async def next_frame(self) -> Frame | None:
        if self._told:
            return self._told.popleft()
        if self._said:
            return messages.dumps(self._said.pop(next(iter(self._said))))
        return self._frames.popleft() if self._frames else None

    # -- the pane -----------------------------------------------------------------------------------------------------

    def receive(self, frame: Frame) -> None:
        try:
            if not self._may_speak():
                self.close(TOO_MANY, f"more than {RATE:g} messages in a second")
                return
            header = read_header(frame)
            if self._beginning is None:
                self._begin(header)
            else:
                self._say(event(header))
        except (FrameError, BadMessage) as error:
            self.close(MALFORMED, str(error))

    def disconnected(self) -> None:
        self._leave()
        if self._beginning is not None:
            self._beginning.cancel()

    def _may_speak(self) -> bool:
        now = time.monotonic()
        self._credit = min(BURST, self._credit + RATE * (now - self._when)) - 1
        self._when = now
        return self._credit >= 0

    def _begin(self, header: Header) -> None:
        if header["type"] != "reach":
            raise BadMessage(f"expected reach first, got {header['type'][:60]!r}")
        spoken = messages.integer(header.get("protocol"))
        if spoken is None or not PREVIOUS <= spoken <= PROTOCOL:
            self.close(WRONG_PROTOCOL, f"protocol {spoken}, this hub speaks {PREVIOUS} to {PROTOCOL}")
            return
        output, version = (messages.integer(header.get(name)) for name in ("output", "version"))
        if output is None or version is None:
            raise BadMessage("expected the numbers of an output and its version")
        self._output = output
        self._beginning = asyncio.ensure_future(self._open(version, size(header)))

    async def _open(self, version: int, wanted: dict[str, Any]) -> None:
        """Ask the figure's keeper for a copy; it is started if need be."""
        try:
            figure, row = await self.hub.jobs.call(lambda store: self._figure(store, version))
            link = await self._keepers.link(str(figure["keeper"]))
        except (StoreError, KeeperUnavailable) as error:
            self.gone(str(error))
            return
        of = {"session": row.session, "private": bool(row.private)}
        self._link, self._number = link, link.reach(self, {"figure": figure["id"], "wanted": wanted, **of})

    def _figure(self, store: Store, version: int) -> tuple[dict[str, Any], OutputRow]:
        self._check(store, self._output)
        text = store.figure_of(self._output, version)
        if text is None:
            raise KeeperUnavailable(f"output {self._output} shows no figure in version {version}")
        return json.loads(text), store.output(self._output)

    def _say(self, event: dict[str, Any]) -> None:
        if self._link is None:  # it is not there yet, or not any more
            return
        if event["type"] == "keep" and not self._keeps:
            self.tell({"type": "refused", "reason": "this pane may look, but keep nothing"})
            return
        self._link.tell({"type": "event", "n": self._number, "event": event})

    # -- the copy -----------------------------------------------------------------------------------------------------

    def hear(self, message: Message) -> None:
        """Take what the copy says."""
        if not self._over and (heard := self._heard.get(message.type)) is not None:
            heard(message)

    def gone(self, reason: str) -> None:
        """There is no copy, or none any more."""
        if self._over:
            return
        self._leave()
        self._frames.clear()
        self._said.clear()
        self.tell({"type": "gone", "reason": reason})

    def _leave(self) -> None:
        link, self._link, self._over = self._link, None, True
        if link is not None:
            link.leave(self._number)

    def _reached(self, message: Message) -> None:
        self.tell({"type": "reached", "keeps": self._keeps})

    def _note(self, message: Message) -> None:
        for each in message.header["messages"]:
            self._said[str(each["type"])] = each
        self.wake()

    def _pass_on(self, message: Message) -> None:
        header = {name: value for name, value in message.header.items() if name not in ("n", "buffers")}
        self._frames.append(encode(header, message.buffers))
        self.wake()

    def _kept(self, message: Message) -> None:
        """A view became a figure: show it as the output's next version."""
        if "error" in message.header:
            self.tell({"type": "refused", "reason": str(message.header["error"])[:1000]})
            return
        figure = messages.figure(message.header.get("figure"))
        assert figure is not None
        self.hub.jobs.submit(lambda store: store.keep_view(self._output, figure), self._stored)

    def _stored(self, outcome: Outcome) -> None:
        if outcome.error is None:
            self.tell({"type": "kept", "version": outcome.value.version})
            return
        if not isinstance(outcome.error, StoreError):
            log.error("a view of output %d could not be kept", self._output, exc_info=outcome.error)
        words = outcome.error if isinstance(outcome.error, StoreError) else Unavailable("the store failed; try again")
        self.tell({"type": "refused", "reason": str(words)})
