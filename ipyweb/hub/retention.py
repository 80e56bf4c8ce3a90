"""What is kept, and what goes: by bytes, by age, by number of versions. Pinned outputs stay.

Order: the trash goes first, then the oldest outputs by their last change. Work is done in small transactions of
`STEP` outputs, so that messages never wait for long.
"""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from . import search
from .blobs import SCHEMAS
from .schema import PAGE
from .store import timestamp

if TYPE_CHECKING:
    from .sqlite import SqliteStore

STEP = 50
TOMBSTONES = 20_000
_TRASH = "removed IS NOT NULL ORDER BY removed"
_OLDEST = "removed IS NULL AND NOT pinned ORDER BY updated"
_TARGET = 0.95  # prune below the limit, so that not every message prunes


class Limits(NamedTuple):
    """What is kept: bytes on disk and of private outputs, age and trash in days, versions of one output."""

    max_bytes: int = 2**30
    private_bytes: int = 2**28
    max_age: float = 90.0
    trash_days: float = 7.0
    max_versions: int = 100


def used(store: "SqliteStore") -> int:
    """Bytes that outputs take: pages of the database in use, and files."""
    return used_by(store, "main") + used_by(store, "private")


def used_by(store: "SqliteStore", schema: str) -> int:
    """Bytes taken in one schema."""
    (pages,) = store.db.execute(f"PRAGMA {schema}.page_count").fetchone()
    (free,) = store.db.execute(f"PRAGMA {schema}.freelist_count").fetchone()
    return int(pages - free) * PAGE + (store.blobs.file_bytes if schema == "main" else 0)


def purge(store: "SqliteStore", schema: str, output_id: int) -> int:
    """Delete an output for good, inside the running transaction; returns its tombstone's event."""
    rows = store.db.execute(f"DELETE FROM {schema}.versions WHERE output = ? RETURNING data", (output_id,)).fetchall()
    store.db.execute(f"DELETE FROM {schema}.outputs WHERE id = ?", (output_id,))
    search.forget(store, schema, output_id)
    for (data,) in rows:
        _release(store, schema, data)
    event = store.output_purged(output_id)
    store.db.execute("INSERT OR REPLACE INTO main.tombstones(id, event) VALUES(?, ?)", (output_id, event))
    return event


def drop_versions(store: "SqliteStore", schema: str, output_id: int) -> None:
    """Keep at most `Limits.max_versions` of an output: the first and the newest stay, the oldest between them go."""
    (kept,) = store.db.execute(f"SELECT versions FROM {schema}.outputs WHERE id = ?", (output_id,)).fetchone()
    surplus = kept - store.limits.max_versions
    if surplus <= 0:
        return
    first = 1 if store.limits.max_versions > 1 else 0
    rows = store.db.execute(
        f"DELETE FROM {schema}.versions WHERE output = ?1 AND version IN (SELECT version FROM {schema}.versions "
        "WHERE output = ?1 ORDER BY version LIMIT ?2 OFFSET ?3) RETURNING data",
        (output_id, surplus, first),
    ).fetchall()
    store.db.execute(f"UPDATE {schema}.outputs SET versions = versions - ? WHERE id = ?", (len(rows), output_id))
    for (data,) in rows:
        _release(store, schema, data)


def tidy(store: "SqliteStore") -> bool:
    """One small step of pruning, inside a transaction; returns whether there is more to do."""
    if store.refusal is not None:
        return False
    return sum([_expire(store), *(_shrink(store, schema, STEP) for schema in SCHEMAS)]) > 0


def make_room(store: "SqliteStore") -> None:
    """When the database is full: prune by bytes if that is due, else give up the trash.

    Outputs are not deleted only because somebody else filled the disk.
    """
    if not sum(_shrink(store, schema, 10 * STEP) for schema in SCHEMAS):
        _purge_some(store, "main", _TRASH, STEP, target=0)


def forget(store: "SqliteStore") -> None:
    """Delete what only served readers that are long gone: old tombstones, ended sessions without outputs, strays."""
    if store.refusal is not None:
        return
    store.db.execute(
        "DELETE FROM main.tombstones WHERE event <= "
        "(SELECT event FROM main.tombstones ORDER BY event DESC LIMIT 1 OFFSET ?)",
        (TOMBSTONES,),
    )
    since = timestamp(store.clock() - timedelta(days=store.limits.trash_days))
    for schema in SCHEMAS:
        store.blobs.sweep(schema)
        store.db.execute(
            f"DELETE FROM {schema}.sessions WHERE ended < ? AND id NOT IN (SELECT session FROM outputs)", (since,)
        )
    store.db.execute("PRAGMA main.incremental_vacuum(256)").fetchall()


def _expire(store: "SqliteStore") -> int:
    """Purge one step of what is too old, or was in the trash for long enough."""
    now = store.clock()
    removed = timestamp(now - timedelta(days=store.limits.trash_days))
    updated = timestamp(now - timedelta(days=store.limits.max_age))
    found = [
        (schema, output_id)
        for schema in SCHEMAS
        for (output_id,) in store.db.execute(
            f"SELECT id FROM {schema}.outputs WHERE removed < ? OR (NOT pinned AND updated < ?) LIMIT ?",
            (removed, updated, STEP),
        )
    ]
    for schema, output_id in found:
        purge(store, schema, output_id)
    return len(found)


def _shrink(store: "SqliteStore", schema: str, most: int) -> int:
    """Purge at most `most` outputs if a schema is over its bytes; trash first, then the oldest."""
    limit = store.limits.max_bytes if schema == "main" else store.limits.private_bytes
    if used_by(store, schema) <= limit:
        return 0
    purged = _purge_some(store, schema, _TRASH, most, int(limit * _TARGET))
    return purged + _purge_some(store, schema, _OLDEST, most - purged, int(limit * _TARGET))


def _purge_some(store: "SqliteStore", schema: str, which: str, most: int, target: int) -> int:
    ids = store.db.execute(f"SELECT id FROM {schema}.outputs WHERE {which} LIMIT ?", (most,)).fetchall()
    for done, (output_id,) in enumerate(ids):
        if used_by(store, schema) <= target:
            return done
        purge(store, schema, output_id)
    return len(ids)


def _release(store: "SqliteStore", schema: str, data: str) -> None:
    store.blobs.release(schema, [each["sha256"] for each in json.loads(data).values()])
