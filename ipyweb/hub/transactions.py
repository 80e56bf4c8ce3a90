"""Transactions on the store's one connection: many jobs, one commit, one global event counter.

What a job refuses (a `StoreError`) it refuses before it writes, so its neighbours are not touched. When the database
itself refuses (disk full, quota, locked), everything is rolled back and the same jobs run again with writing switched
off, so that reads answer, sessions keep their messages, and no message is taken before an earlier one of its session.
"""

import logging
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from . import queries
from .blobs import Blobs
from .schema import Damaged, is_damage, primary_code
from .store import Batch, Changes, Job, Outcome, SessionRow, StoreError, Tombstone, Unavailable

if TYPE_CHECKING:
    from .store import Store

log = logging.getLogger("ipyweb.hub.store")
PATIENCE_MILLISECONDS = 5000
LOCKED_MILLISECONDS = 100
_REFUSALS = {
    sqlite3.SQLITE_FULL: "the disk or the quota of outputs is full; remove outputs (`ipyweb clear`) or free disk space",
    sqlite3.SQLITE_IOERR: "the disk refuses writes; free disk space or look at its health",
    sqlite3.SQLITE_BUSY: "another process holds the database locked; end it, or wait",
    sqlite3.SQLITE_READONLY: "the database cannot be written",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened for writing",
}


class KnownSession:
    """What the store remembers of a session between messages.

    Attributes:
        row: its record.
        key: SHA-256 of its secret.
        stored: whether its row is surely in the database.
        acked: highest seq applied; `committed` is the same, but committed.
        awaits_git: whether git has not told yet if there were changes when an output was displayed.
        sites: how many outputs each call site has made; ``None`` until the database was asked.
        expected: the only seq that may come next; ``None`` right after it was opened, when a gap is the session's loss.
    """

    def __init__(self, row: SessionRow, key: bytes, *, stored: bool) -> None:
        self.row = row
        self.key = key
        self.stored = stored
        self.committed = self.acked = row.acked
        self.awaits_git = False
        self.sites: dict[str, int] | None = None
        self.expected: int | None = None

    @property
    def schema(self) -> str:
        return "private" if self.row.private else "main"


class Transactions:
    """The connection, what changed since the last commit, and the counters.

    Attributes:
        event: the newest event id.
        next_id: the next output's id.
        refusal: why nothing can be written at present, else ``None``.
    """

    def __init__(
        self, connection: sqlite3.Connection, blobs: Blobs, read_only: Unavailable | None, event: int, next_id: int
    ) -> None:
        self.db = connection
        self.blobs = blobs
        self.refusal: Unavailable | None = None
        self._read_only = read_only
        self._patience = 0
        self.known: dict[str, KnownSession] = {}
        self._outputs: dict[int, None] = {}
        self._sessions: dict[str, None] = {}
        self._acks: dict[str, None] = {}
        self._purged: list[Tombstone] = []
        self.event = max(event, self.meta("event", 0))
        self.next_id = max(next_id, self.meta("next_id", 1))

    def run(self, jobs: Sequence[Job]) -> Batch:
        """Run jobs in one transaction.

        Raises:
            Damaged: the database contradicts itself.
        """
        try:
            return self._transaction(jobs, self._read_only)
        except sqlite3.Error as error:
            refusal = self._refusal(error)
            if refusal is None:
                return self._one_by_one(jobs, error)
            if primary_code(error) == sqlite3.SQLITE_BUSY:
                self._be_patient(LOCKED_MILLISECONDS)
                return self._transaction(jobs, refusal)
        except Exception as error:
            return self._one_by_one(jobs, error)
        try:
            return self._with_room(jobs)
        except sqlite3.Error as error:
            refusal = self._refusal(error) or refusal
        return self._transaction(jobs, refusal)

    def _with_room(self, jobs: Sequence[Job]) -> Batch:
        self.free_disk()
        batch = self._transaction([lambda _: self.make_room(), *jobs], self._read_only)
        return batch._replace(outcomes=batch.outcomes[1:])

    def _transaction(self, jobs: Sequence[Job], refusal: Unavailable | None) -> Batch:
        self.refusal = refusal
        before = self.event, self.next_id
        self.db.execute("BEGIN")
        try:
            outcomes = [self._attempt(job) for job in jobs]
            changes = self._changes(before[0])
            self._write_meta(before)
            self.db.execute("COMMIT")
        except BaseException:
            self._roll_back(before)
            raise
        self._committed()
        if refusal is None:
            self._be_patient(PATIENCE_MILLISECONDS)
        return Batch(outcomes, changes, None if refusal is None else str(refusal))

    def _be_patient(self, milliseconds: int) -> None:
        """How long to wait for a lock: not again and again for as long while one is held, as reads wait too."""
        if milliseconds != self._patience:
            self.db.execute(f"PRAGMA busy_timeout = {milliseconds}").fetchone()
            self._patience = milliseconds

    def _attempt(self, job: Job) -> Outcome:
        try:
            return Outcome(job(cast("Store", self)))
        except StoreError as error:
            return Outcome(None, error)

    def _one_by_one(self, jobs: Sequence[Job], error: Exception) -> Batch:
        if len(jobs) == 1:
            log.error("a job failed in the store", exc_info=error)
            return Batch([Outcome(None, error)], Changes(self.event, []))
        batches = [self.run([job]) for job in jobs]
        rows = [row for batch in batches for row in batch.changes.rows]
        return Batch([outcome for batch in batches for outcome in batch.outcomes], Changes(self.event, rows))

    def _refusal(self, error: sqlite3.Error) -> Unavailable | None:
        if is_damage(error):
            raise Damaged(str(error)) from error
        reason = _REFUSALS.get(primary_code(error))
        return None if reason is None else Unavailable(f"{reason} ({error})")

    def _changes(self, before: int) -> Changes:
        for name in self._acks:
            session = self.known.get(name)
            if session is None:  # it ended in this transaction, and was saved whole
                continue
            self.db.execute(f"UPDATE {session.schema}.sessions SET acked = ? WHERE id = ?", (session.acked, name))
        if self.event == before:
            return Changes(self.event, [])
        rows = queries.rows_of(self.db, list(self._outputs), list(self._sessions))
        return Changes(self.event, sorted([*rows, *self._purged], key=lambda row: row.event))

    def _write_meta(self, before: tuple[int, int]) -> None:
        if (self.event, self.next_id) == before:
            return
        self.db.executemany(
            "INSERT INTO main.meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            [("event", self.event), ("next_id", self.next_id)],
        )

    def meta(self, key: str, default: int) -> int:
        row = self.db.execute("SELECT value FROM main.meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else int(row[0])

    def _roll_back(self, before: tuple[int, int]) -> None:
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self.event, self.next_id = before
        self.blobs.rolled_back()
        for session in self.known.values():
            session.acked, session.stored, session.sites = session.committed, False, None
        self._forget_changes()

    def _committed(self) -> None:
        for session in self.known.values():
            session.committed = session.acked
        self.blobs.committed()
        self._forget_changes()

    def _forget_changes(self) -> None:
        self._outputs.clear()
        self._sessions.clear()
        self._acks.clear()
        self._purged.clear()

    def require_writing(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def free_disk(self) -> None:
        """Give back disk space that is only held in reserve. Runs outside of transactions."""

    def make_room(self) -> None:
        """Give up what may be given up when the database is full. Runs inside a transaction."""

    def next_event(self) -> int:
        self.event += 1
        return self.event

    def output_changed(self, output_id: int) -> int:
        """Note a change of an output, and return its event, which the caller writes into the row."""
        self._outputs[output_id] = None
        return self.next_event()

    def session_changed(self, session: str) -> int:
        """Note a change of a session, and return its event, which the caller writes into the row."""
        self._sessions[session] = None
        return self.next_event()

    def output_purged(self, output_id: int) -> int:
        """Note that an output is gone for good, and return its tombstone's event."""
        self._outputs.pop(output_id, None)
        self._purged.append(Tombstone(output_id, self.next_event()))
        return self.event

    def seq_applied(self, session: KnownSession, seq: int) -> None:
        """Note that a message was taken; written to the session's row once per transaction."""
        session.acked = seq
        self._acks[session.row.id] = None
