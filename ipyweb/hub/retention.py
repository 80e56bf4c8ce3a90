"""What is kept, and what goes: by bytes, by age, by number of versions. Pinned outputs stay.

Order: the trash goes first, then the oldest outputs by their last change. Work is done in small transactions of
`STEP` outputs, so that messages never wait for long.
"""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from . import search
from .store import timestamp

if TYPE_CHECKING:
    from .sql import SqlStore

STEP = 50
TOMBSTONES = 20_000
EXPIRE_EVERY = timedelta(minutes=10)
_TRASH = "removed IS NOT NULL ORDER BY removed"
_OLDEST = "removed IS NULL AND pinned = 0 ORDER BY updated"
_TARGET = 0.95  # prune below the limit, so that not every message prunes


class Limits(NamedTuple):
    """What is kept: bytes on disk and of private outputs, age and trash in days, versions of one output."""

    max_bytes: int = 2**30
    private_bytes: int = 2**28
    max_age: float = 90.0
    trash_days: float = 7.0
    max_versions: int = 100


def purge(store: "SqlStore", schema: str, output_id: int) -> int:
    """Delete an output for good, inside the running transaction; returns its tombstone's event."""
    rows = store.db.execute(
        f"DELETE FROM {schema}.versions WHERE output = ? RETURNING data, figure", (output_id,)
    ).fetchall()
    store.db.execute(f"DELETE FROM {schema}.outputs WHERE id = ?", (output_id,))
    search.forget(store, schema, output_id)
    _release(store, schema, rows)
    event = store.output_purged(output_id)
    store.db.execute(
        f"INSERT INTO {store.db.main}.tombstones(id, event) VALUES(?, ?) "
        "ON CONFLICT(id) DO UPDATE SET event = excluded.event",
        (output_id, event),
    )
    return event


def drop_versions(store: "SqlStore", schema: str, output_id: int) -> None:
    """Keep at most `Limits.max_versions` of an output: the first and the newest stay, the oldest between them go."""
    (kept,) = store.db.execute(f"SELECT versions FROM {schema}.outputs WHERE id = ?", (output_id,)).fetchone()
    surplus = kept - store.limits.max_versions
    if surplus <= 0:
        return
    first = 1 if store.limits.max_versions > 1 else 0
    rows = store.db.execute(
        f"DELETE FROM {schema}.versions WHERE output = ? AND version IN (SELECT version FROM {schema}.versions "
        "WHERE output = ? ORDER BY version LIMIT ? OFFSET ?) RETURNING data, figure",
        (output_id, output_id, surplus, first),
    ).fetchall()
    store.db.execute(f"UPDATE {schema}.outputs SET versions = versions - ? WHERE id = ?", (len(rows), output_id))
    _release(store, schema, rows)


def tidy(store: "SqlStore") -> bool:
    """One small step of pruning, inside a transaction; returns whether there is more to do."""
    if not store.may_write():
        return False
    return sum([_expire(store), *(_shrink(store, schema, STEP) for schema in store.db.schemas)]) > 0


def make_room(store: "SqlStore") -> None:
    """When the database is full: prune by bytes if that is due, else give up the trash.

    Outputs are not deleted only because somebody else filled the disk.
    """
    if not sum(_shrink(store, schema, 10 * STEP) for schema in store.db.schemas):
        _purge_some(store, store.db.main, _TRASH, STEP, target=0)


def forget(store: "SqlStore") -> None:
    """Delete what only served readers that are long gone: old tombstones, ended sessions without outputs, strays."""
    if not store.may_write():
        return
    store.db.execute(
        f"DELETE FROM {store.db.main}.tombstones WHERE event <= "
        f"(SELECT event FROM {store.db.main}.tombstones ORDER BY event DESC LIMIT 1 OFFSET ?)",
        (TOMBSTONES,),
    )
    since = timestamp(store.clock() - timedelta(days=store.limits.trash_days))
    for schema in store.db.schemas:
        store.blobs.sweep(schema)
        store.db.execute(
            f"DELETE FROM {schema}.sessions WHERE ended < ? AND id NOT IN (SELECT session FROM outputs)", (since,)
        )
    store.give_back()


def _expire(store: "SqlStore") -> int:
    """Purge one step of what is too old, or was in the trash for long enough."""
    now = store.clock()
    if store.expired is not None and timedelta() <= now - store.expired < EXPIRE_EVERY:
        return 0  # it takes a look at every output
    removed = timestamp(now - timedelta(days=store.limits.trash_days))
    updated = timestamp(now - timedelta(days=store.limits.max_age))
    found = [
        (schema, output_id)
        for schema in store.db.schemas
        for (output_id,) in store.db.execute(
            f"SELECT id FROM {schema}.outputs WHERE removed < ? OR (pinned = 0 AND updated < ?) LIMIT ?",
            (removed, updated, STEP),
        )
    ]
    for schema, output_id in found:
        purge(store, schema, output_id)
    store.expired = None if found else now
    return len(found)


def _shrink(store: "SqlStore", schema: str, most: int) -> int:
    """Purge at most `most` outputs if a schema is over its bytes; trash first, then the oldest."""
    limit = store.limits.max_bytes if schema == store.db.main else store.limits.private_bytes
    if store.used_by(schema) <= limit:
        return 0
    purged = _purge_some(store, schema, _TRASH, most, int(limit * _TARGET))
    return purged + _purge_some(store, schema, _OLDEST, most - purged, int(limit * _TARGET))


def _purge_some(store: "SqlStore", schema: str, which: str, most: int, target: int) -> int:
    ids = store.db.execute(f"SELECT id FROM {schema}.outputs WHERE {which} LIMIT ?", (most,)).fetchall()
    for done, (output_id,) in enumerate(ids):
        if store.used_by(schema) <= target:
            return done
        purge(store, schema, output_id)
    return len(ids)


def _release(store: "SqlStore", schema: str, versions: Iterable[tuple[str, str | None]]) -> None:
    """Let go of what versions that are gone referred to: their data, and their figures if nothing else shows them."""
    for data, figure in versions:
        store.blobs.release(schema, [each["sha256"] for each in json.loads(data).values()])
        if figure is not None:
            said = json.loads(figure)
            if not store.shows(said["id"]):
                store.figure_left(said["keeper"], said["id"])
