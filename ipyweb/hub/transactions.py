"""Transactions on the store's one connection: many jobs, one commit, one global event counter.

What a job refuses (a `StoreError`) it refuses before it writes, so its neighbours are not touched. When the database
itself refuses (disk full, quota, locked), everything is rolled back and the same jobs run again with writing switched
off, so that reads answer, sessions keep their messages, and no message is taken before an earlier one of its session.
"""

import contextlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from . import queries
from .blobs import Blobs
from .database import Database
from .store import Batch, Changes, Job, Left, Outcome, SessionRow, StoreError, Tombstone, Unavailable

if TYPE_CHECKING:
    from .store import Store

log = logging.getLogger("ipyweb.hub.store")


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


class Transactions:
    """The connection, what changed since the last commit, and the counters.

    Attributes:
        event: the newest event id.
        next_id: the next output's id.
        refusal: why nothing can be written at present, else ``None``.
    """

    def __init__(
        self, connection: Database, blobs: Blobs, read_only: Unavailable | None, event: int, next_id: int
    ) -> None:
        self.db = connection
        self.blobs = blobs
        self.refusal: Unavailable | None = None
        self._read_only = read_only
        self.known: dict[str, KnownSession] = {}
        self._outputs: dict[int, None] = {}
        self._sessions: dict[str, None] = {}
        self._acks: dict[str, None] = {}
        self._purged: list[Tombstone] = []
        self._left: list[Left] = []
        self.event = max(event, self.meta("event", 0))
        self.next_id = max(next_id, self.meta("next_id", 1))
        self._stored = self.event, self.next_id

    def run(self, jobs: Sequence[Job]) -> Batch:
        """Run jobs in one transaction.

        Raises:
            Damaged: the database contradicts itself.
        """
        try:
            return self.transaction(jobs, self._read_only)
        except self.db.Error as error:
            refusal = self.refusal_of(error)
            if refusal is None:
                return self._one_by_one(jobs, error)
            return self.refused(jobs, refusal, error)
        except Exception as error:
            return self._one_by_one(jobs, error)

    def refused(self, jobs: Sequence[Job], refusal: Unavailable, error: Exception) -> Batch:
        """What becomes of jobs after the database refused: they are tried again with room made, then without writing.

        Args:
            jobs: nothing of what they did is left.
            refusal: what `error` means.
            error: what the database raised.
        """
        try:
            return self._with_room(jobs)
        except self.db.Error as again:
            refusal = self.refusal_of(again) or refusal
        return self.transaction(jobs, refusal)

    def _with_room(self, jobs: Sequence[Job]) -> Batch:
        self.free_disk()
        batch = self.transaction([lambda _: self.make_room(), *jobs], self._read_only)
        return batch._replace(outcomes=batch.outcomes[1:])

    def transaction(self, jobs: Sequence[Job], refusal: Unavailable | None) -> Batch:
        """Run jobs once, without writing if there is a refusal. Raises what the database raises."""
        self.refusal = refusal
        before = self.event, self.next_id
        self.db.execute("BEGIN")
        try:
            outcomes = [self._attempt(job) for job in jobs]
            self._write_acks()
            changes = self.changes_after(before[0])
            self.write_numbers()
            left = tuple(self._left)
            self.db.execute("COMMIT")
        except BaseException:
            self.roll_back(before)
            raise
        self.committed()
        return Batch(outcomes, changes, None if refusal is None else str(refusal), left)

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
        since = max((each.changes.since for each in batches if each.changes.since is not None), default=None)
        outcomes = [outcome for batch in batches for outcome in batch.outcomes]
        left = [each for batch in batches for each in batch.left]
        return Batch(outcomes, Changes(self.event, rows, since), left=left)

    def refusal_of(self, error: Exception) -> Unavailable | None:
        """Why nothing can be written at present, if an error of the database says that.

        Raises:
            Damaged: it says that the database is broken.
        """
        raise NotImplementedError

    def _write_acks(self) -> None:
        for name in self._acks:
            session = self.known.get(name)
            if session is None:  # it ended in this transaction, and was saved whole
                continue
            schema = self.schema_of(session.row.private)
            self.db.execute(f"UPDATE {schema}.sessions SET acked = ? WHERE id = ?", (session.acked, name))

    def changes_after(self, before: int) -> Changes:
        """What changed since an event that was the newest when the transaction began."""
        if self.event == before:
            return Changes(self.event, [])
        rows = queries.rows_of(self.db, list(self._outputs), list(self._sessions))
        return Changes(self.event, sorted([*rows, *self._purged], key=lambda row: row.event))

    def write_numbers(self) -> None:
        """Store the counters, if they went on."""
        if (self.event, self.next_id) != self._stored:
            self.set_meta(event=self.event, next_id=self.next_id)
            self._stored = self.event, self.next_id

    def set_meta(self, **values: int) -> None:
        """Store numbers by their names."""
        self.db.executemany(
            f"INSERT INTO {self.db.main}.meta(key, value) VALUES(?, ?) "
            "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            list(values.items()),
        )

    def meta(self, key: str, default: int) -> int:
        """A stored number."""
        row = self.db.execute(f"SELECT value FROM {self.db.main}.meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else int(row[0])

    def schema_of(self, private: object) -> str:
        """Where what is private, or is not, is written."""
        return self.db.schemas[-1] if private else self.db.main

    def roll_back(self, before: tuple[int, int]) -> None:
        """Forget what the running transaction did. `before` has the counters as they were."""
        with contextlib.suppress(self.db.Error):  # the connection itself may be gone
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
        self.event, self.next_id = self._stored = before
        self.blobs.rolled_back()
        for session in self.known.values():
            session.acked, session.stored, session.sites = session.committed, False, None
        self._forget_changes()

    def committed(self) -> None:
        """What the transaction did is there for good."""
        for session in self.known.values():
            session.committed = session.acked
        self.blobs.committed()
        self._forget_changes()

    def _forget_changes(self) -> None:
        self._outputs.clear()
        self._sessions.clear()
        self._acks.clear()
        self._purged.clear()
        self._left.clear()

    def may_write(self) -> bool:
        """Whether anything can be written at present. Whatever writes asks this first."""
        return self.refusal is None

    def require_writing(self) -> None:
        """Whatever has to write asks this first. Raises `Unavailable`."""
        if not self.may_write():
            assert self.refusal is not None
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

    def figure_left(self, keeper: str, figure: str) -> None:
        """Note that no output shows a figure any more; its keeper is told once that is there for good."""
        self._left.append(Left(keeper, figure))

    def seq_applied(self, session: KnownSession, seq: int) -> None:
        """Note that a message was taken; written to the session's row once per transaction."""
        session.acked = seq
        self._acks[session.row.id] = None
