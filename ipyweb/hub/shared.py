"""The store of several hubs: one PostgreSQL database, which all of them write, and each tells its own panes of.

Who writes holds one advisory lock from before it reads the counters until it has committed, so events are numbered
without gaps in the order of commits, and a reader that goes by its cursor misses none. A notification only wakes the
others: what changed, they read by cursor, as the writer does itself. Reading takes no lock.

A session belongs to the hub that it connected to last. Each hub has a number, and holds an advisory lock by that number
for as long as it has its connection: so the others see that it is gone, and that its sessions are without a socket.
"""

import contextlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from . import postgres, queries
from .messages import Command, Display, Hello
from .postgres import CHANNEL, LOCKS, Connection
from .retention import Limits
from .sql import SqlStore
from .store import Applied, Batch, Changes, Job, MovedAway, NotKept, Outcome, Unavailable, Unreachable
from .transactions import KnownSession

log = logging.getLogger("ipyweb.hub.store")
WRITER = 0
"""The advisory lock of whoever writes; a hub's own number is never 0."""

GRACE_SECONDS = 5.0
"""How long a hub is without its lock before it counts as gone: it may only have lost its connection."""

RETRY_SECONDS = 1.0
"""Pause between attempts to connect."""

LISTEN_SECONDS = 1.0
"""How often a listener looks whether it is to stop."""

MOST_ROWS = 2000
"""Changes told at once; panes read more than that from the store."""

_PRIVATE = (
    "private outputs are kept in memory only, which hubs that share a store cannot do; "
    "use a hub of its own for them (IPYWEB_STORE=memory, with its own IPYWEB_RUNTIME_DIR and IPYWEB_DATA_DIR)"
)
_REFUSALS = {
    "53": "the database has no room, or no connections left; whoever runs it has to make some",
    "55": "another program holds the database locked; end it, or wait",
    "57": "the database was interrupted",
    "58": "the disk of the database fails; ask who runs it",
    "25": "the database cannot be written, such as a standby server",
    "42501": "the database does not let us write",
}
"""By the first digits of SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""


def _proof(secret: str) -> bytes:
    """What the database has of a root secret."""
    return hmac.digest(secret.encode(), b"ipyweb store", "sha256")


def _renewed(secret: str, nonce: bytes) -> str:
    """The root secret that follows on another one."""
    return hmac.digest(secret.encode(), b"ipyweb renewal" + nonce, "sha256").hex()


class SharedStore(SqlStore):
    """See `Store`, and `SqlStore` for what it is made of.

    Attributes:
        number: of this hub among those of the database, as long as it has this connection.
    """

    db: Connection
    shared = True

    def __init__(
        self, connection: Connection, limits: Limits, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.number = 0
        self._mine: set[str] = set()  # sessions that belong to this hub
        self._opened: set[str] = set()  # those of them that came in this transaction
        self._locked = self._looking = False
        self._seen = 0  # the event up to which nobody else has changed a session that we remember
        self._heir_of: int | None = None
        self._lost: Unreachable | None = None
        self._retry_at = 0.0
        self._absent: dict[int, float] = {}
        self._listener: Listener | None = None
        super().__init__(connection, None, limits, clock=clock)
        self.durable = True
        self._seen = self.event
        self._arrive()

    def close(self) -> None:
        if self._listener is not None:
            self._listener.stop()
        super().close()

    def claim(self, hub: str, secret: str) -> bool:
        """Note whose store this is, if it is nobody's yet; whether it is that hub's. The secret itself is not stored.

        Args:
            hub: the hub's id, which all hubs of a store share.
            secret: their root secret.
        """
        self.require_writing()
        proof = _proof(self.newest_secret(secret))
        found = self.db.execute("SELECT hub, proof FROM owner").fetchone()
        if found is None:
            self.db.execute("INSERT INTO owner(hub, proof) VALUES(?, ?)", (hub, proof))
            return True
        return found[0] == hub and hmac.compare_digest(found[1], proof)

    def renew_secret(self, secret: str) -> str:
        """A new root secret, which the other hubs make of the one that they have and of what is stored here.

        Whoever can read the database but had no root secret learns none by that.
        """
        self.require_writing()
        current = self.newest_secret(secret)
        nonce = secrets.token_bytes(32)
        self.db.execute("INSERT INTO renewals(proof, nonce) VALUES(?, ?)", (_proof(current), nonce))
        renewed = _renewed(current, nonce)
        self.db.execute("UPDATE owner SET proof = ?", (_proof(renewed),))
        return renewed

    def newest_secret(self, secret: str) -> str:
        nonces = dict(self.db.execute("SELECT proof, nonce FROM renewals").fetchall())
        while (nonce := nonces.pop(_proof(secret), None)) is not None:
            secret = _renewed(secret, nonce)
        return secret

    # -- transactions -------------------------------------------------------------------------------------------------

    def run(self, jobs: Sequence[Job]) -> Batch:
        if self.db.is_lost and not self._returned():
            assert self._lost is not None
            return self._without_database(jobs, self._lost)
        return super().run(jobs)

    def transaction(self, jobs: Sequence[Job], refusal: Unavailable | None) -> Batch:
        self._locked = self._looking = False
        self._opened.clear()
        return super().transaction(jobs, refusal)

    def refused(self, jobs: Sequence[Job], refusal: Unavailable, error: Exception) -> Batch:
        if not self.db.is_lost:
            with contextlib.suppress(psycopg.OperationalError):
                return self.transaction(jobs, refusal)
        self._lost = Unreachable(str(refusal))
        return self._without_database(jobs, self._lost)

    def refusal_of(self, error: Exception) -> Unavailable | None:
        words = " ".join(str(error).split())
        if self.db.is_lost:
            return Unreachable(f"the database cannot be reached ({words})")
        state = getattr(error, "sqlstate", None) or ""
        reason = _REFUSALS.get(state) or _REFUSALS.get(state[:2])
        return None if reason is None else Unavailable(f"{reason} ({words})")

    def _without_database(self, jobs: Sequence[Job], refusal: Unreachable) -> Batch:
        return Batch([Outcome(None, refusal) for _ in jobs], Changes(self.event, []), str(refusal))

    def _returned(self) -> bool:
        """Try to connect again, if that was not tried just before."""
        if time.monotonic() < self._retry_at:
            return False
        try:
            self.db.reopen()
            self._arrive()
        except psycopg.Error as error:
            self._lost = Unreachable(f"the database cannot be reached ({' '.join(str(error).split())})")
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return False
        log.warning("the database is there again")
        return True

    def _arrive(self) -> None:
        """Take a number and hold its lock; what belonged to us as another number is ours as this one."""
        before, (self.number,) = self.number, self.db.execute("SELECT nextval('hubs')").fetchone()
        self.db.execute("SELECT pg_advisory_lock(?, ?)", (LOCKS, self.number))
        self._heir_of = self._heir_of or before or None
        if self._listener is not None:
            self._listener.number = self.number

    def may_write(self) -> bool:
        if self.refusal is None and not self._locked:
            self._lock()
        return self.refusal is None

    def _lock(self) -> None:
        """Wait until nobody else writes, and take notice of what the others have written."""
        self.db.execute("SELECT pg_advisory_xact_lock(?, ?)", (LOCKS, WRITER))
        self._locked = True
        event, self.next_id = self.meta("event", 0), self.meta("next_id", 1)
        self._stored = event, self.next_id
        for name in self.known.keys() - self._mine:
            del self.known[name]
        if self._heir_of is not None:
            self._inherit(self._heir_of)
        if event != self._seen or self._heir_of is not None:
            self._compare()
        self._seen = event
        self.event = max(event, self.event)

    def _inherit(self, before: int) -> None:
        statement = "UPDATE sessions SET hub = ? WHERE hub = ? AND id = ANY(?)"
        self.db.execute(statement, (self.number, before, list(self._mine)))

    def _compare(self) -> None:
        """Take over what others changed of our sessions, and let go of those that are theirs now."""
        since = -1 if self._heir_of is not None else self._seen
        statement = "SELECT id, hub FROM sessions WHERE event > ? AND id = ANY(?)"
        changed = dict(self.db.execute(statement, (since, list(self._mine))).fetchall())
        for name, hub in changed.items():
            remembered = self.known.pop(name, None)
            if hub != self.number:
                self._mine.discard(name)
                continue
            session = self.get_session(name)
            if remembered is not None:
                session.expected, session.awaits_git = remembered.expected, remembered.awaits_git
            if not session.row.connected and session.row.ended is None:  # others took us for gone
                self.set_session(name, connected=1)

    def write_numbers(self) -> None:
        if self._locked and self.event != self._stored[0]:
            self.db.execute(f"SELECT pg_notify('{CHANNEL}', ?)", (str(self.number),))
        super().write_numbers()
        if self.blobs.growth:
            self.set_meta(bytes=self.used_by(self.db.main))

    def changes_after(self, before: int) -> Changes:
        """Everybody's changes, read by cursor."""
        if self._looking and not self._locked:
            self.event = self._stored_event()
        if self.event == before:
            return Changes(before, [])
        rows = queries.changes(self.db, self.event, before, MOST_ROWS + 1).rows
        return Changes(self.event, rows) if len(rows) <= MOST_ROWS else Changes(self.event, [], since=self.event)

    def _stored_event(self) -> int:
        event = max(self.event, self.meta("event", 0))
        self._stored = event, self.next_id
        return event

    def roll_back(self, before: tuple[int, int]) -> None:
        super().roll_back(before)
        self._mine -= self._opened

    def committed(self) -> None:
        super().committed()
        if self._locked:
            self._seen, self._heir_of = self.event, None
        self._lost = None

    # -- what the others do -------------------------------------------------------------------------------------------

    def watch(self, wake: Callable[[], None]) -> None:
        self._listener = Listener(self.db.address, self.number, wake)

    def look(self) -> None:
        self._looking = True

    def disconnect_lost(self) -> list[str]:
        """The sessions whose hub is gone, or that nobody has."""
        alive = self.db.execute(
            "SELECT CAST(objid AS BIGINT) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 "
            "AND CAST(classid AS BIGINT) = ? "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (LOCKS,),
        )
        statement = "SELECT id, hub, connected FROM sessions WHERE ended IS NULL AND hub IS NOT NULL AND hub <> ALL(?)"
        left = self.db.execute(statement, ([number for (number,) in alive],)).fetchall()
        now = time.monotonic()
        self._absent = {hub: self._absent.get(hub, now) for _, hub, _ in left}
        gone = [row for row in left if now - self._absent[row[1]] >= GRACE_SECONDS]
        for name, hub, connected in gone:
            if connected and self.may_write():
                self._disconnect(name, hub)
        return [name for name, _, _ in gone]

    def is_elsewhere(self, session: str) -> bool:
        found = self.db.execute("SELECT connected, hub FROM sessions WHERE id = ?", (session,)).fetchone()
        return found is not None and bool(found[0]) and found[1] != self.number

    def _disconnect(self, name: str, hub: int) -> None:
        """Note that a session has no socket, unless it has connected to another hub meanwhile."""
        found = self.db.execute("SELECT 1 FROM sessions WHERE id = ? AND hub = ?", (name, hub)).fetchone()
        if found is not None:
            self.set_session(name, connected=0)

    # -- sessions -----------------------------------------------------------------------------------------------------

    def open_session(self, hello: Hello) -> int:
        self.require_writing()
        found = self.known.get(hello.id)
        if found is None or not found.row.private:
            self.known.pop(hello.id, None)  # another hub may have taken messages of it meanwhile
        acked = super().open_session(hello)
        self.db.execute("UPDATE sessions SET hub = ? WHERE id = ?", (self.number, hello.id))
        self._mine.add(hello.id)
        self._opened.add(hello.id)
        return acked

    def save_session(self, session: KnownSession) -> None:
        if session.row.private:
            session.stored = True  # as far as it ever is: nothing of it may be told to a disk
        else:
            super().save_session(session)

    def close_session(self, session: str) -> None:
        if self.may_write() and session in self._mine:
            super().close_session(session)

    def end_session(self, session: str) -> None:
        self.require_writing()
        super().end_session(session)
        if session not in self.known:
            self._mine.discard(session)

    def apply(self, session: str, command: Command) -> Applied:
        self.may_write()
        if session not in self._mine:
            raise MovedAway("this session has connected to another hub")
        return super().apply(session, command)

    def display(self, session: KnownSession, display: Display, seq: int | None) -> Applied:
        if session.row.private:
            raise NotKept(_PRIVATE)
        return super().display(session, display, seq)

    def put_blob(self, sha256: str, content: bytes | Path, size: int, session: str | None) -> None:
        if session is not None and self.is_private(session):
            raise NotKept(_PRIVATE)
        super().put_blob(sha256, content, size, session)

    def catch_up(self, most: int) -> bool:
        """There has always been search in this store."""
        return False

    # -- room ---------------------------------------------------------------------------------------------------------

    def index(self) -> bool:
        """One hub does that for all: the others neither wait for it nor for each other."""
        statement = "SELECT pg_try_advisory_xact_lock(?, ?)"
        return self.refusal is None and self.db.execute(statement, (LOCKS, WRITER)).fetchone()[0] and super().index()

    def used_by(self, schema: str) -> int:
        """Bytes of data; what else PostgreSQL takes, and how much disk there is, is its own to know."""
        return self.meta("bytes", 0) + self.blobs.growth


class Listener:
    """Waits on a connection and a thread of its own for word that another hub has changed something.

    Args:
        address: of the database.
        number: of our own hub, whose word is no news.
        wake: called on that thread.
    """

    def __init__(self, address: str, number: int, wake: Callable[[], None]) -> None:
        self.number = number
        self._address = address
        self._wake = wake
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="ipyweb-listener", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end, soon."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with contextlib.closing(postgres.connect(self._address)) as connection:
                    self._listen(connection)
            except psycopg.Error as error:
                log.debug("nobody tells of other hubs: %s", error)
                self._stopped.wait(RETRY_SECONDS)

    def _listen(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        connection.execute(f"LISTEN {CHANNEL}".encode())
        self._wake()  # of what was said before
        while not self._stopped.is_set():
            for notification in connection.notifies(timeout=LISTEN_SECONDS):
                if notification.payload != str(self.number):
                    self._wake()
