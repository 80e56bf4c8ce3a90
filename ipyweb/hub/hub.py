"""The hub's state and routing: which sessions and frontends there are, what reaches whom, when a session is over.

No sockets and no tornado. A peer (`links.SessionLink`, `links.Frontend`) takes frames by `receive` and offers them by
`next_frame`, one at a time, whenever `wake` was called. So nothing is queued for a slow peer: acknowledgements add up
into one frame, and a frontend gets the newest state of what changed since its cursor.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterable, Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..errors import FrameError
from ..protocol import Message
from . import messages, records
from .audience import Audience
from .auth import Keys
from .comms import Rooms
from .recent import Entry, Recent, changed_frame
from .sharing import Only, told
from .store import (
    Batch,
    Job,
    NotKept,
    Outcome,
    Row,
    SessionRow,
    Store,
    StoreError,
    Tombstone,
    TooLarge,
    Unavailable,
    Unreachable,
)
from .waiting import Waiting

if TYPE_CHECKING:
    from .links import Frontend, Peer, SessionLink

T = TypeVar("T")
log = logging.getLogger("ipyweb.hub")
ENDED_AFTER = 30.0
"""Seconds without its socket after which a session counts as ended."""

MAX_PENDING = 8 * 2**20
"""Bytes that wait for the store before session sockets are not read any further."""

MAX_SESSIONS = MAX_FRONTENDS = 2048
MOST_GONE = 100
"""Earlier outputs with a display id of which a pane that sees the newest is told that they are gone."""

CHUNK_ROWS = 200
CHUNK_CHARACTERS = 400_000
GOING_AWAY, RESTARTED, TRY_LATER, TOKEN_ENDED = 1001, 1012, 1013, 4401


class Jobs(Protocol):
    """Where jobs for the store go; `writer.StoreThread` is one."""

    pending: int

    def submit(self, job: Job, done: Callable[[Outcome], None], size: int = 0) -> None:
        """Queue a job; `done` hears of its outcome on the event loop."""

    async def call(self, job: Callable[[Store], T]) -> T:
        """Run a job and return its value, or raise what it raised."""


class HubState:
    """Everything that is live in one hub.

    Args:
        jobs: the store's thread.
        keys: for the addresses in records.
        event: the store's newest event.
        notices: what every pane should know.

    Attributes:
        links: connected sessions by id.
        frontends: connected panes.
        rooms: the comms of sessions.
        waiting: requests that wait for a change.
        comm_peers: who speaks of the comms of a session, by its id.
        opened: whether a pane ever connected, or a browser was about to open one.
        idle_since: when the last peer left, by the monotonic clock; ``None`` while there is one.
    """

    def __init__(self, jobs: Jobs, keys: Keys, event: int, notices: Iterable[str] = ()) -> None:
        self.jobs = jobs
        self.keys = keys
        self.notices = list(notices)
        self.links: dict[str, SessionLink] = {}
        self.frontends = Audience(lambda: self.event)
        self.rooms = Rooms()
        self.waiting = Waiting()
        self.opened = False
        self.idle_since: float | None = time.monotonic()
        self._recent = Recent(event)
        self.comm_peers: dict[str, set[Peer]] = {}
        self._refusal: str | None = None
        self._is_away = False
        self._room = asyncio.Event()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def event(self) -> int:
        """The newest event that was committed."""
        return self._recent.event

    # -- what the store tells -----------------------------------------------------------------------------------------

    def take_batch(self, batch: Batch) -> None:
        """Pass on what a transaction changed."""
        if batch.changes.event > self.event:
            entries = [Entry(row, records.record(row, self.keys)) for row in batch.changes.rows]
            self._recent.add(entries, batch.changes.event, batch.changes.since)
            self.frontends.wake()
            self.waiting.tell(batch.changes.rows)
            self._follow_elsewhere(batch.changes.rows)
        self._tell_refusal(batch)
        if not self.is_full:
            self._room.set()

    def take_new_store(self, store: Store) -> None:
        """Begin again with another store, after the old one was found damaged."""
        self._recent = Recent(store.event)
        self.notices = list(store.notices)
        for notice in self.notices:
            self.notify(notice)
        for link in list(self.links.values()):
            link.close(RESTARTED, "the store was begun anew; introduce yourself again")

    def renew(self, keys: Keys) -> None:
        """Go on with other keys; records that are kept as text have addresses of the old ones."""
        self.keys, self._recent = keys, Recent(self.event)

    def _follow_elsewhere(self, rows: Iterable[Row]) -> None:
        """Notice what has become of sessions at other hubs of the same store."""
        for row in rows:
            if not isinstance(row, SessionRow) or row.id in self.links:
                continue
            if row.ended is not None:
                self._end_room(row.id)
            elif row.connected and (row.id in self._timers or row.id in self.comm_peers):
                self.ask_where(row.id)

    def ask_where(self, session: str) -> None:
        """Let go of a session that is connected to another hub; whoever speaks of its comms is to go there."""

        def told(outcome: Outcome) -> None:
            if outcome.value is not True or session in self.links:
                return
            self._stop_timer(session)
            for peer in list(self.comm_peers.get(session, ())):
                peer.close(TRY_LATER, "this session is connected to another hub of the same store; try there")

        self.jobs.submit(lambda store: store.is_elsewhere(session), told)

    def _tell_refusal(self, batch: Batch) -> None:
        if batch.refusal is not None and self._refusal is None:
            refused = [outcome.error for outcome in batch.outcomes if isinstance(outcome.error, Unavailable)]
            if not refused:
                return
            self._is_away = isinstance(refused[0], Unreachable)
            self._refusal = f"Outputs are not stored at present: {batch.refusal}. Programs hold them back."
            log.error("%s", self._refusal)
            self.notices.append(self._refusal)
            self.notify(self._refusal)
        elif batch.refusal is None and self._refusal is not None and (batch.changes.rows or self._is_away):
            self.notices.remove(self._refusal)
            self._refusal = None
            self.notify("Outputs are stored again.")

    def notify(self, text: str) -> None:
        """Show a line in every pane."""
        for frontend in self.frontends:
            if frontend.only is None:
                frontend.tell({"type": "notice", "message": text})

    async def changes(self, since: int) -> tuple[str, int] | None:
        """One frame of what changed after an event, and the event it brings a pane up to; ``None`` if nothing did."""
        if since >= self.event:
            return None
        entries = self._recent.since(since)
        reached = self.event
        if entries is None:
            found = await self.jobs.call(lambda store: store.changes(since, CHUNK_ROWS))
            entries = [Entry(row, records.record(row, self.keys)) for row in found.rows]
            reached = found.event
        return changed_frame(entries, reached, CHUNK_CHARACTERS)

    async def changes_of(self, only: Only, since: int) -> tuple[str, int] | None:
        """As `changes`, for a pane that sees one output; the frame is empty where nothing of that has changed."""
        if since >= self.event:
            return None
        entries, reached = self._recent.since(since), self.event
        if entries is not None and not any(_concerns(only, entry) for entry in entries):
            return "", reached
        records = await self.jobs.call(lambda store: _records_of(store, only, self.keys))
        return f'{{"type":"changed","event":{reached},"outputs":{records},"sessions":[]}}', reached

    # -- sessions -----------------------------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether session sockets should not be read at present."""
        return self.jobs.pending >= MAX_PENDING

    async def room(self) -> None:
        """Wait until the store has caught up."""
        while self.is_full:
            self._room.clear()
            await self._room.wait()

    def connect(self, session: str, link: "SessionLink") -> None:
        """Note that a session's socket is there; an older one of the same session is closed."""
        self._stop_timer(session)
        older = self.links.pop(session, None)
        self.links[session] = link
        if older is not None:
            older.close(GOING_AWAY, "this session connected anew")
        self.idle_since = None

    def disconnect(self, session: str, link: "SessionLink", *, ended: bool) -> None:
        """Note that a session's socket is gone, and end the session later unless it comes back."""
        if self.links.get(session) is not link:
            return
        del self.links[session]
        self._note_idle()
        if ended:
            self._end(session)
        else:
            self.jobs.submit(lambda store: store.close_session(session), _log_failure)
            self.end_later(session)
            self.ask_where(session)  # it may have left for another hub before it closed this socket

    def end_later(self, session: str, after: float | None = None) -> None:
        """End a session unless it connects within `after` seconds (`ENDED_AFTER` if not given)."""
        self._stop_timer(session)
        delay = ENDED_AFTER if after is None else after
        self._timers[session] = asyncio.get_running_loop().call_later(delay, self._end, session)

    def end_lost(self, sessions: Iterable[str]) -> None:
        """End sessions whose hub is gone, unless they come back, here or elsewhere."""
        for session in sessions:
            if session not in self._timers and session not in self.links:
                self.end_later(session)

    def _end(self, session: str) -> None:
        self._timers.pop(session, None)
        if session in self.links:
            return
        self._end_room(session)
        self.jobs.submit(lambda store: store.end_session(session), _log_failure)

    def _end_room(self, session: str) -> None:
        if (room := self.rooms.end(session)) is not None:
            self.jobs.submit(lambda store: store.keep_widgets(session, room.keep), _log_failure)

    def _stop_timer(self, session: str) -> None:
        if (timer := self._timers.pop(session, None)) is not None:
            timer.cancel()

    async def take_spool(self, batches: AsyncIterable[list[Message]]) -> bool:
        """Take in the messages that a session left behind: its hello, then numbered ones, a batch at a time.

        Returns:
            Whether all were taken; otherwise there is no room at present.

        Raises:
            FrameError: these are no messages of a session, or it is somebody else's.
        """
        session = ""
        try:
            async for batch in batches:
                session = session or await self._introduce_spooled(batch.pop(0))
                await asyncio.gather(*(self._take_spooled(session, message) for message in batch))
        except Unavailable:
            return False
        except (messages.BadMessage, StoreError) as error:
            raise FrameError(f"not a spool file: {error}") from error
        if not session:
            raise FrameError("not a spool file: it is empty")
        if session not in self.links:
            await self.jobs.call(lambda store: store.close_session(session))
            self.end_later(session, 0)
        return True

    async def _introduce_spooled(self, message: Message) -> str:
        hello = messages.hello(message.header)
        await self.jobs.call(lambda store: store.open_session(hello))
        return hello.id

    async def _take_spooled(self, session: str, message: Message) -> None:
        seq = messages.sequence(message.header)
        try:
            command = messages.command(message.header, message.buffers)
        except messages.BadMessage as error:
            log.warning("message %d of session %s in a spool file was left out: %s", seq, session, error)
            command = messages.Command(seq)
        await self.jobs.call(lambda store: _apply_or_count(store, session, command))

    # -- frontends ----------------------------------------------------------------------------------------------------

    def add_frontend(self, frontend: "Frontend") -> None:
        """Note that a pane is there."""
        self.frontends.look(frontend)
        self.opened, self.idle_since = True, None
        for notice in self.notices if frontend.only is None else ():
            frontend.tell({"type": "notice", "message": notice})

    def remove_frontend(self, frontend: "Frontend") -> None:
        """Note that a pane is gone."""
        self.frontends.leave(frontend)
        self._note_idle()

    def stop(self, *, handover: bool = False) -> None:
        """Tell every pane that the hub stops, and forget the timers."""
        for frontend in self.frontends:
            frontend.tell({"type": "stopping", "handover": handover})
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _note_idle(self) -> None:
        if not self.links and not self.frontends:
            self.idle_since = time.monotonic()


def _concerns(only: Only, entry: Entry) -> bool:
    return not entry.is_session and only.concerns(int(entry.key[1]), entry.display_id)


def _records_of(store: Store, only: Only, keys: Keys) -> str:
    """The output that there is, and that others are not there (any more)."""
    found = list(islice(only.candidates(store), MOST_GONE))
    there = [row for row in found[:1] if row.removed is None]
    gone = [Tombstone(row.id, row.event) for row in found if row not in there]
    if only.output and not found:
        gone = [Tombstone(only.output, store.event)]
    return records.array(
        [*(records.record(each, keys) for each in gone), *(records.output(told(row), keys) for row in there)]
    )


def _apply_or_count(store: Store, session: str, command: messages.Command) -> None:
    """Apply a command; one that no later try would mend is only counted."""
    try:
        store.apply(session, command)
    except (TooLarge, NotKept) as error:
        log.warning("message %d of session %s in a spool file was left out: %s", command.seq, session, error)
        store.apply(session, messages.Command(command.seq))


def _log_failure(outcome: Outcome) -> None:
    if outcome.error is not None:
        log.warning("a session's state could not be noted: %s", outcome.error)
