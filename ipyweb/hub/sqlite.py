"""The default store: one SQLite database in a directory of the hub's own, or in memory."""

import sqlite3
from collections.abc import Sequence

from . import disk
from .database import Damaged
from .schema import PAGE, Connection, is_damage, primary_code
from .sql import SqlStore
from .store import Batch, Job, Store, Unavailable

BALLAST = "ballast"
PATIENCE_MILLISECONDS = 5000
LOCKED_MILLISECONDS = 100
_REFUSALS = {
    sqlite3.SQLITE_FULL: "the disk or the quota of outputs is full; remove outputs (`ipyweb clear`) or free disk space",
    sqlite3.SQLITE_IOERR: "the disk refuses writes; free disk space or look at its health",
    sqlite3.SQLITE_BUSY: "another process holds the database locked; end it, or wait",
    sqlite3.SQLITE_READONLY: "the database cannot be written",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened for writing",
}


class SqliteStore(SqlStore):
    """See `Store`, and `SqlStore` for what it is made of."""

    db: Connection
    _patience = 0

    def refused(self, jobs: Sequence[Job], refusal: Unavailable, error: Exception) -> Batch:
        if _code(error) == sqlite3.SQLITE_BUSY:
            self._be_patient(LOCKED_MILLISECONDS)
            return self.transaction(jobs, refusal)
        return super().refused(jobs, refusal, error)

    def transaction(self, jobs: Sequence[Job], refusal: Unavailable | None) -> Batch:
        batch = super().transaction(jobs, refusal)
        if refusal is None:
            self._be_patient(PATIENCE_MILLISECONDS)
        return batch

    def _be_patient(self, milliseconds: int) -> None:
        """How long to wait for a lock: not again and again for as long while one is held, as reads wait too."""
        if milliseconds != self._patience:
            self.db.execute(f"PRAGMA busy_timeout = {milliseconds}").fetchone()
            self._patience = milliseconds

    def refusal_of(self, error: Exception) -> Unavailable | None:
        if isinstance(error, sqlite3.Error) and is_damage(error):
            raise Damaged(str(error)) from error
        reason = _REFUSALS.get(_code(error))
        return None if reason is None else Unavailable(f"{reason} ({error})")

    def used_by(self, schema: str) -> int:
        """Pages of the database in use, and files."""
        (pages,) = self.db.execute(f"PRAGMA {schema}.page_count").fetchone()
        (free,) = self.db.execute(f"PRAGMA {schema}.freelist_count").fetchone()
        return int(pages - free) * PAGE + (self.blobs.file_bytes if schema == "main" else 0)

    def give_back(self) -> None:
        self.db.execute("PRAGMA main.incremental_vacuum(256)").fetchall()

    def free_disk(self) -> None:
        if self.directory is not None:
            (self.directory / BALLAST).unlink(missing_ok=True)
            self.db.execute("PRAGMA main.wal_checkpoint(TRUNCATE)").fetchall()
            self._set_quotas()

    def guard_disk(self) -> None:
        """Set the database's own limit below that of the disk, and keep the ballast that a full disk is given."""
        if self.directory is not None:
            disk.make_ballast(self.directory / BALLAST)
        self._set_quotas()

    def _set_quotas(self) -> None:
        (pages,) = self.db.execute("PRAGMA main.page_count").fetchone()
        free = 2 * self.limits.max_bytes if self.directory is None else disk.free_bytes(self.directory)
        quotas = {
            "main": disk.page_quota(pages, PAGE, self.limits.max_bytes, free),
            "private": disk.page_quota(0, PAGE, self.limits.private_bytes, 2 * self.limits.private_bytes),
        }
        for schema, quota in quotas.items():
            self.db.execute(f"PRAGMA {schema}.max_page_count = {quota}").fetchone()
        log_pages = max(16, min(1000, disk.reserve(free) // 4 // PAGE))
        self.db.execute(f"PRAGMA main.wal_autocheckpoint = {log_pages}").fetchone()

    def bury_lost(self) -> None:
        """Leave tombstones for outputs of private sessions that went with the last hub, so that panes drop them."""
        statement = "SELECT id FROM outputs WHERE id >= ?1 UNION SELECT id FROM tombstones WHERE id >= ?1"
        first = self.meta("life", 1)
        known = {number for (number,) in self.db.execute(statement, (first,))}

        def job(_: Store) -> None:
            for number in range(first, self.next_id):
                if number not in known:
                    self.db.execute("INSERT INTO main.tombstones(id, event) VALUES(?, ?)", (number, self.next_event()))
            self.set_meta(life=self.next_id)

        self.run([job])


def _code(error: Exception) -> int:
    return primary_code(error) if isinstance(error, sqlite3.Error) else 0
