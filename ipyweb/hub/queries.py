"""What is read from the database. Each function is one or two statements, over both schemas at once."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

from ..protocol import by_richness
from . import grams, search
from .blobs import Blobs
from .database import Database, Query
from .store import (
    Changes,
    Data,
    Figures,
    Filter,
    NotFound,
    OutputRow,
    Page,
    Row,
    SessionRow,
    Tombstone,
    VersionRow,
)

OUTPUT = ", ".join(OutputRow._fields)
SESSION = ", ".join(SessionRow._fields[:-1])
_OF_PROJECT = "session IN (SELECT id FROM sessions WHERE project = ?)"
_TRASH = "removed IS NOT NULL"
_CHUNK = 500
COUNTED = 500
"""Up to how many outputs those that say something are counted."""

MAX_UNDRAWN = 5000
"""Figures without a picture that a keeper is told of at once."""


def outputs(db: Database, event: int, which: Filter, after: int | None, before: int | None, limit: int) -> Page:
    """See `Store.outputs`."""
    if which.q or which.kinds:
        return _found(db, event, which, after, before, limit)
    where, values = _where(which)
    total = _total(db, which, where, values)
    border, order = ("id > ?", "ASC") if after is not None else ("id < ?", "DESC")
    edge = after if after is not None else before if before is not None else 2**63 - 1
    rows = db.execute(
        f"SELECT {OUTPUT} FROM outputs WHERE {border} AND {where} ORDER BY id {order} LIMIT ?", (edge, *values, limit)
    )
    return Page(event, total, sorted(map(OutputRow._make, rows)))


def _total(db: Database, which: Filter, where: str, values: list[Any]) -> int:
    """How many outputs a filter lets through; where indexes tell it, without a look at each of them."""
    if which._replace(session=None, project=None, removed=None) != Filter(removed=None):
        return int(db.execute(f"SELECT count(*) FROM outputs WHERE {where}", values).fetchone()[0])
    everything = trash = 0
    if not which.removed:  # there is an index by session, and none by project
        conditions = {"session = ?": which.session, _OF_PROJECT: which.project}
        used = {text: value for text, value in conditions.items() if value is not None}
        everything = _count(db, " AND ".join(("1 = 1", *used)), list(used.values()))
    if which.removed is not None:
        trash = _count(db, *_where(which._replace(removed=True)))
    return trash if which.removed else everything - trash


def _count(db: Database, where: str = "1 = 1", values: Sequence[Any] = ()) -> int:
    """How many outputs there are."""
    return sum(count for (count,) in _by_schema(db, f"SELECT count(*) FROM {{0}}.outputs WHERE {where}", values))


def _by_schema(db: Database, statement: str, values: Sequence[Any] = ()) -> list[Any]:
    """The rows of all schemas, one after the other: through a view, SQLite looks at more than an index."""
    return [row for schema in db.schemas for row in db.execute(statement.format(schema), values)]


def _found(db: Database, event: int, which: Filter, after: int | None, before: int | None, limit: int) -> Page:
    """A page of a filter with words or kinds."""
    query = search.query_of(db, which.q) if which.q else ()
    found, unsure = _candidates(db, which, query)
    total, exact = found.bit_count(), True
    if query:
        counted = list(islice(search.saying(db, unsure, grams.descending(found, None)), COUNTED + 1))
        total, exact = min(len(counted), COUNTED), len(counted) <= COUNTED
        found = grams.of_ids(counted) if exact else found
    ids = grams.descending(found, before) if after is None else grams.ascending(found, after)
    page = ids if exact else search.saying(db, unsure, ids)
    return Page(event, total, search.rows_with(db, list(islice(page, limit))), exact)


def _candidates(db: Database, which: Filter, query: Query) -> tuple[int, Query]:
    """The outputs that a filter lets through, as far as the index tells what they say; see `search.candidates`."""
    found, unsure = search.candidates(db, which, query)
    rest = which._replace(q=None, kinds=(), session=None, project=None)
    if rest == Filter():
        return found & ~search.trash(db), unsure
    if rest == Filter(removed=None):
        return found, unsure
    return found & grams.of_ids(search.matching(db, *_where(rest))), unsure


def _where(which: Filter) -> tuple[str, list[Any]]:
    wanted = {
        "session = ?": which.session,
        "project = ?": which.project,
        "stack = ?": which.stack,
        "display_id = ?": which.display_id,
        "updated >= ?": which.since,
        "updated < ?": which.until,
    }
    used = {text: value for text, value in wanted.items() if value is not None}
    removed = {None: "1 = 1", True: "removed IS NOT NULL", False: "removed IS NULL"}[which.removed]
    return " AND ".join((removed, *used)), list(used.values())


def output(db: Database, output_id: int) -> OutputRow:
    """See `Store.output`."""
    row = db.execute(f"SELECT {OUTPUT} FROM outputs WHERE id = ?", (output_id,)).fetchone()
    if row is None:
        raise NotFound(_nearest(db, output_id))
    return OutputRow._make(row)


def _nearest(db: Database, output_id: int) -> str:
    around = db.execute(
        "SELECT max(id) FROM outputs WHERE removed IS NULL AND id < ? "
        "UNION SELECT min(id) FROM outputs WHERE removed IS NULL AND id > ?",
        (output_id, output_id),
    )
    known = sorted(found for (found,) in around if found is not None)
    if not known:
        return f"there is no output {output_id}; there are none yet"
    return f"there is no output {output_id}; the nearest are {' and '.join(map(str, known))}"


def versions(db: Database, output_id: int) -> list[VersionRow]:
    """See `Store.versions`."""
    output(db, output_id)
    statement = "SELECT version, created, size, data, figure FROM versions WHERE output = ? ORDER BY version"
    return [VersionRow._make(row) for row in db.execute(statement, (output_id,))]


def data(db: Database, blobs: Blobs, output_id: int, mimetype: str | None, version: int | None) -> Data:
    """See `Store.data`."""
    row = shown(db, output_id, version)
    references = json.loads(row.data)
    if mimetype is None:
        order = list(references) if row.figure is not None else by_richness(references)
        mimetype = next(iter(order), None)
    if mimetype is None or mimetype not in references:
        known = ", ".join(sorted(references)) or "none"
        raise NotFound(f"output {output_id} has no {mimetype or 'data'}; it has {known}")
    sha256 = references[mimetype]["sha256"]
    return Data(mimetype, sha256, *blobs.open(sha256))


def shown(db: Database, output_id: int, version: int | None) -> OutputRow | VersionRow:
    """One version of an output, the newest when none is named.

    Raises:
        NotFound: there is no such output, or it has not that version any more.
    """
    newest = output(db, output_id)
    if version is None or version == newest.version:
        return newest
    kept = {row.version: row for row in versions(db, output_id)}
    if version not in kept:
        raise NotFound(f"output {output_id} has no version {version}; it has {', '.join(map(str, kept))}")
    return kept[version]


def sessions(db: Database, event: int, project: str | None) -> Changes:
    """See `Store.sessions`."""
    where, values = ("project = ?", [project]) if project is not None else ("1 = 1", [])
    rows = db.execute(f"SELECT {SESSION} FROM sessions WHERE {where} ORDER BY event", values).fetchall()
    counts: Counter[str] = Counter()  # all less those in the trash, since indexes tell both
    for session, count in _by_schema(db, "SELECT session, count(*) FROM {0}.outputs GROUP BY session"):
        counts[session] += count
    counts.subtract(session for (session,) in _by_schema(db, f"SELECT session FROM {{0}}.outputs WHERE {_TRASH}"))
    return Changes(event, [SessionRow._make((*row, counts[row[0]])) for row in rows])


def changes(db: Database, event: int, since: int, limit: int) -> Changes:
    """See `Store.changes`."""
    found = sorted(
        chain(
            _changed(db, OutputRow, OUTPUT, "outputs", (since, event), limit),
            _counted(db, _changed(db, SessionRow, f"{SESSION}, 0", "sessions", (since, event), limit)),
            _changed(db, Tombstone, "id, event", "tombstones", (since, event), limit),
        ),
        key=lambda row: row.event,
    )
    rows = found[:limit]
    return Changes(rows[-1].event if len(found) > limit or len(rows) == limit else event, rows)


def rows_of(db: Database, outputs: Sequence[int], sessions: Sequence[str]) -> list[Row]:
    """The rows of some outputs and sessions."""
    found: list[Row] = []
    for start in range(0, len(outputs), _CHUNK):
        ids = outputs[start : start + _CHUNK]
        statement = f"SELECT {OUTPUT} FROM outputs WHERE id IN ({','.join('?' * len(ids))})"
        found.extend(map(OutputRow._make, db.execute(statement, ids)))
    for start in range(0, len(sessions), _CHUNK):
        names = sessions[start : start + _CHUNK]
        statement = f"SELECT {SESSION} FROM sessions WHERE id IN ({','.join('?' * len(names))})"
        found.extend(_counted(db, [SessionRow._make((*row, 0)) for row in db.execute(statement, names)]))
    return found


_UNDRAWN = (
    "FROM outputs o "
    "JOIN versions v ON v.output = o.id AND v.version = o.version JOIN sessions s ON s.id = o.session "
    "WHERE o.figure IS NOT NULL AND o.removed IS NULL "
    "AND json_extract(v.figure, '$.failed') IS NULL AND json_type(v.data, '$.\"image/png\"') IS NULL "
)


def keepers_awaited(db: Database) -> list[str]:
    """See `Store.keepers_awaited`."""
    statement = f"SELECT DISTINCT json_extract(v.figure, '$.keeper') {_UNDRAWN} AND s.connected = 0"
    return [keeper for (keeper,) in db.execute(statement)]


def undrawn(db: Database, keeper: str) -> list[tuple[str, bool]]:
    """See `Store.undrawn`."""
    found = db.execute(
        f"SELECT json_extract(v.figure, '$.id'), s.connected {_UNDRAWN} AND json_extract(v.figure, '$.keeper') = ? "
        "ORDER BY o.id LIMIT ?",
        (keeper, MAX_UNDRAWN),
    )
    return [(figure, bool(connected)) for figure, connected in found]


def figures(db: Database, event: int, used: int) -> Figures:
    """See `Store.figures`."""
    outputs, trash = _count(db), _count(db, _TRASH)
    (kept,) = db.execute(f"SELECT count(*) FROM {db.main}.outputs").fetchone()
    (sessions,) = db.execute("SELECT count(*) FROM sessions").fetchone()
    statement = (
        "SELECT coalesce(sum(size), 0) FROM {0}.versions "
        f"WHERE output IN (SELECT id FROM {{0}}.outputs WHERE {_TRASH})"
    )
    trash_bytes = sum(int(size) for (size,) in _by_schema(db, statement))
    return Figures(event, outputs - trash, sessions, trash, outputs - kept, used, trash_bytes)


def _changed(db: Database, kind: Any, columns: str, table: str, between: tuple[int, int], limit: int) -> list[Any]:
    """Rows with events after the first one, and up to the second, which others may have passed already."""
    statement = f"SELECT {columns} FROM {table} WHERE event > ? AND event <= ? ORDER BY event LIMIT ?"
    return [kind._make(row) for row in db.execute(statement, (*between, limit))]


def _counted(db: Database, rows: list[SessionRow]) -> list[SessionRow]:
    statement = "SELECT count(*) FROM outputs WHERE session = ? AND removed IS NULL"
    return [row._replace(outputs=db.execute(statement, (row.id,)).fetchone()[0]) for row in rows]
