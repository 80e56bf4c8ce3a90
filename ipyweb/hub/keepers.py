"""The hub's side of figure keepers: what they draw fills outputs, and what panes want drawn is asked of them.

The hub names a figure and a size; it never sees a figure, and could not load one. A keeper that is not there is started
from the record in its own private directory.
"""

import asyncio
import hashlib
import itertools
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .. import __version__, keepers
from ..errors import FrameError, KeeperUnavailable
from ..protocol import PREVIOUS, PROTOCOL, Frame, Header, Message, decode
from . import messages
from .hub import HubState
from .links import MALFORMED, TOO_MANY, WRONG_PROTOCOL, Peer
from .messages import BadMessage
from .store import Left, MissingBlob, NotFound, Outcome, TooLarge, Unavailable

if TYPE_CHECKING:
    from .reach import Reacher

MAX_KEEPERS = 64
CONNECT_SECONDS = 20.0
RENDER_SECONDS = 120.0
CACHE_BYTES = 32 * 2**20
MAX_RENDERED = 512 * 2**20
MAX_REVIVALS = 8
"""How often a keeper that draws nothing is started again, since figures wait for it."""

REVIVAL_SECONDS = 0.5
"""Seconds before that happens first; each time twice as long."""

COMES_WITHIN = 5.0
"""Seconds after a session's end, or the hub's start, in which the keeper that took figures should have come."""

SOON = 600.0
"""Seconds within which two short scripts that drew for themselves make a third one likely."""

_NACKS: dict[type[Exception], str] = {
    NotFound: "unknown_figure",
    Unavailable: "storage_full",
    MissingBlob: "missing_blob",
    TooLarge: "too_large",
}


class EnvironmentGone(KeeperUnavailable):
    """The Python environment that made a figure cannot be started any more."""


class _WentAway(KeeperUnavailable):
    """The keeper ended before it answered."""


class KeeperLink(Peer):
    """The socket of one figure keeper.

    Attributes:
        environment: its environment id, once it introduced itself.
    """

    def __init__(
        self, hub: HubState, registry: "Keepers", wake: Callable[[], None], close: Callable[[int, str], None]
    ) -> None:
        super().__init__(hub, wake, close)
        self.environment: str | None = None
        self._registry = registry
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[bytes], bytearray]] = {}
        self._reachers: dict[int, Reacher] = {}

    def receive(self, frame: Frame) -> None:
        try:
            message = decode(frame)
            if self.environment is None:
                self._introduce(message.header)
            elif message.type == "drawn":
                self._fill(message, len(frame))
            elif message.type == "rendered":
                self._rendered(message)
            elif (reacher := self._reachers.get(messages.integer(message.header.get("n")) or 0)) is not None:
                reacher.hear(message)
        except (FrameError, BadMessage) as error:
            self.close(MALFORMED, str(error))

    def disconnected(self) -> None:
        environment = self.environment
        if self._registry.remove(self) and environment is not None:
            look_for_undrawn(self.hub, environment, lambda figures: self._registry.revive(environment))
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(_WentAway("the figure keeper went away; try again"))
        self._waiting.clear()
        for reacher in list(self._reachers.values()):
            reacher.gone("the figure keeper went away")

    def reach(self, reacher: "Reacher", content: Mapping[str, Any]) -> int:
        """Ask for a copy of a figure that a pane reaches into; its number."""
        number = next(self._numbers)
        self._reachers[number] = reacher
        self.tell({"type": "reach", "n": number, **content})
        return number

    def leave(self, number: int) -> None:
        """End a copy."""
        if self._reachers.pop(number, None) is not None:
            self.tell({"type": "leave", "n": number})

    async def render(self, figure: str, wanted: Mapping[str, Any]) -> bytes:
        """A drawing.

        Raises:
            KeeperUnavailable: it cannot be drawn; the text says why.
        """
        number = next(self._numbers)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future, bytearray()
        self.tell({"type": "render", "n": number, "figure": figure, "wanted": dict(wanted)})
        try:
            async with asyncio.timeout(RENDER_SECONDS):
                return await future
        except TimeoutError as error:
            raise KeeperUnavailable(f"the figure was not drawn within {RENDER_SECONDS:g} s") from error
        finally:
            if self._waiting.pop(number, None) is not None and not (future.done() and not future.cancelled()):
                self.tell({"type": "cancel", "n": number})

    def _introduce(self, header: Header) -> None:
        spoken = messages.integer(header.get("protocol"))
        if header["type"] != "hello":
            raise BadMessage(f"expected hello first, got {header['type'][:60]!r}")
        if spoken is None or not PREVIOUS <= spoken <= PROTOCOL:
            self.close(WRONG_PROTOCOL, f"protocol {spoken}, this hub speaks {PREVIOUS} to {PROTOCOL}")
            return
        if not self._registry.add(messages.keeper_id(header.get("keeper")), self):
            self.close(TOO_MANY, f"this hub has {MAX_KEEPERS} keepers already")
            return
        self.tell({"type": "welcome", "protocol": PROTOCOL, "hub": self.hub.keys.hub, "version": __version__})
        environment = str(self.environment)
        look_for_undrawn(self.hub, environment, lambda figures: self.tell({"type": "undrawn", "figures": figures}))

    def _fill(self, message: Message, size: int) -> None:
        number = messages.integer(message.header.get("n")) or 0
        try:
            drawn = messages.drawn(0, message.header, message.buffers)
        except BadMessage as error:
            self.tell({"type": "nack", "n": number, "reason": "bad_message", "message": str(error)})
            return
        self.hub.jobs.submit(lambda store: store.fill(drawn), lambda outcome: self._filled(number, outcome), size)

    def _filled(self, number: int, outcome: Outcome) -> None:
        if outcome.error is None:
            self._registry.works(str(self.environment))
            self.tell({"type": "filled", "n": number})
        else:
            reason = _NACKS.get(type(outcome.error), "failed")
            self.tell({"type": "nack", "n": number, "reason": reason, "message": str(outcome.error)})

    def _rendered(self, message: Message) -> None:
        number = messages.integer(message.header.get("n")) or 0
        future, data = self._waiting.get(number, (None, bytearray()))
        if future is None or future.done():
            return
        for part in message.buffers:
            data += part
        if "error" in message.header or len(data) > MAX_RENDERED:
            future.set_exception(KeeperUnavailable(str(message.header.get("error", "the drawing is too large"))[:1000]))
        elif message.header.get("last"):
            future.set_result(bytes(data))


def look_for_undrawn(hub: HubState, environment: str, then: Callable[[list[tuple[str, bool]]], object]) -> None:
    """Find the figures that an earlier keeper of an environment took without drawing them, if there are any."""

    def found(outcome: Outcome) -> None:
        if outcome.value:
            then(outcome.value)

    hub.jobs.submit(lambda store: store.undrawn(environment), found)


class Keepers:
    """All figure keepers of one hub, and the drawings they made last.

    Args:
        start: starts the keeper of an environment, off the event loop; see `keepers.start`.
    """

    def __init__(self, start: Callable[[str], None] = keepers.start) -> None:
        self._start = start
        self._links: dict[str, KeeperLink] = {}
        self._arrived = asyncio.Event()
        self._starting: dict[str, asyncio.Task[None]] = {}
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._cached = 0
        self._revivals: dict[str, int] = {}
        self._missed = "", 0.0

    def add(self, environment: str, link: KeeperLink) -> bool:
        """Note that a keeper is there; whether there is room for it."""
        older = self._links.get(environment)
        if older is None and len(self._links) >= MAX_KEEPERS:
            return False
        self._links[environment] = link
        link.environment = environment
        if older is not None:
            older.close(1001, "another keeper of this environment came")
        self._arrived.set()
        return True

    def remove(self, link: KeeperLink) -> bool:
        """Note that a keeper is gone; whether none took its place."""
        if link.environment is None or self._links.get(link.environment) is not link:
            return False
        del self._links[link.environment]
        return True

    def session_left(self, hub: HubState, environment: str, drew: bool, waits: bool) -> None:
        """Note that a session is gone that has shown figures.

        Args:
            environment: of the figures.
            drew: whether it had to draw some itself.
            waits: whether others may wait for a keeper, which may have died before it came here.
        """
        if drew:
            self._expect(environment)
        if waits:
            asyncio.get_running_loop().call_later(COMES_WITHIN, self._see_to, hub, environment)

    def _see_to(self, hub: HubState, environment: str) -> None:
        if environment not in self._links:
            look_for_undrawn(hub, environment, lambda figures: self.revive(environment))

    def see_to_all(self, hub: HubState) -> None:
        """Bring keepers, soon, for figures that no session of this hub has left: of an earlier hub, or spooled."""
        asyncio.get_running_loop().call_later(COMES_WITHIN, self._look_for_all, hub)

    def _look_for_all(self, hub: HubState) -> None:
        def found(outcome: Outcome) -> None:
            for environment in outcome.value or ():
                if environment not in self._links:
                    self.revive(environment)

        hub.jobs.submit(lambda store: store.keepers_awaited(), found)

    def _expect(self, environment: str) -> None:
        """Start a keeper for the next script, after two that had none in time, not long apart."""
        last, when = self._missed
        self._missed = environment, time.monotonic()
        if last == environment and time.monotonic() - when < SOON:
            self._start_in(0, environment)

    def forget(self, left: Iterable[Left]) -> None:
        """Let go of figures that no output shows any more: tell their keepers, and see to what those do not hear."""
        figures: dict[str, list[str]] = {}
        for each in left:
            figures.setdefault(each.keeper, []).append(each.figure)
        for environment, ids in figures.items():
            if (link := self._links.get(environment)) is not None:
                link.tell({"type": "forget", "figures": ids})
            asyncio.get_running_loop().run_in_executor(None, keepers.forget, environment, ids)

    def works(self, environment: str) -> None:
        """Note that a keeper has drawn something."""
        self._revivals.pop(environment, None)

    def revive(self, environment: str) -> None:
        """Start a keeper again that died before everything was drawn, or did not come, some times."""
        tries = self._revivals[environment] = self._revivals.get(environment, 0) + 1
        if tries <= MAX_REVIVALS:
            self._start_in(2**tries * REVIVAL_SECONDS, environment, self.revive)

    def _start_in(self, seconds: float, environment: str, otherwise: Callable[[str], None] = lambda _: None) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, lambda: asyncio.ensure_future(self._start_quietly(environment, otherwise)))

    async def _start_quietly(self, environment: str, otherwise: Callable[[str], None]) -> None:
        try:
            await self.link(environment)
        except KeeperUnavailable:
            otherwise(environment)

    async def render(self, figure: Mapping[str, Any], wanted: Mapping[str, Any]) -> bytes:
        """A drawing of a figure, perhaps one that was made before.

        Args:
            figure: as in an output's record.
            wanted: ``mime``, and ``width``, ``height``, ``dpi``, ``style``, ``transparent``, ``margins`` as far as
                they are asked for.

        Raises:
            EnvironmentGone: no keeper of its environment can be started.
            KeeperUnavailable: it cannot be drawn; the text says why.
        """
        key = hashlib.sha256(json.dumps([figure["id"], wanted], sort_keys=True).encode()).hexdigest()
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        try:
            data = await self._ask(figure, wanted)
        except _WentAway:  # as one that was idle does; a figure never takes its keeper along
            data = await self._ask(figure, wanted)
        self._remember(key, data)
        return data

    async def _ask(self, figure: Mapping[str, Any], wanted: Mapping[str, Any]) -> bytes:
        link = await self.link(str(figure["keeper"]))
        return await link.render(str(figure["id"]), wanted)

    def _remember(self, key: str, data: bytes) -> None:
        if len(data) > CACHE_BYTES // 4:
            return
        self._cached += len(data) - len(self._cache.pop(key, b""))
        self._cache[key] = data
        while self._cached > CACHE_BYTES:
            self._cached -= len(self._cache.popitem(last=False)[1])

    async def link(self, environment: str) -> KeeperLink:
        """The keeper's link; it is started if need be, once for all who ask.

        Raises:
            KeeperUnavailable: it cannot be started, or does not answer.
        """
        if environment not in self._links:
            task = self._starting.get(environment)
            if task is None:
                task = self._starting[environment] = asyncio.ensure_future(self._bring(environment))
                task.add_done_callback(lambda _: self._starting.pop(environment, None))
            await asyncio.shield(task)
        return self._links[environment]

    async def _bring(self, environment: str) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._start, environment)
        except KeeperUnavailable as error:
            raise EnvironmentGone(str(error)) from error
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                while environment not in self._links:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError as error:
            raise KeeperUnavailable("the figure keeper was started, but does not answer") from error
