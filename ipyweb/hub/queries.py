"""What is read from the database. Each function is one or two statements, over both schemas at once."""

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import chain
from typing import Any

from ..protocol import by_richness
from . import search
from .blobs import Blobs
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
_COUNTS = "SELECT session, count(*) FROM outputs WHERE removed IS NULL GROUP BY session"
_CHUNK = 500
MAX_UNDRAWN = 5000
"""Figures without a picture that a keeper is told of at once."""


def outputs(
    db: sqlite3.Connection, event: int, which: Filter, after: int | None, before: int | None, limit: int
) -> Page:
    """See `Store.outputs`."""
    where, values = _where(db, which)
    if which.q or which.kinds:  # one scan for both the number and the rows
        found = search.matching(db, where, values)
        return Page(event, len(found), search.rows_with(db, _slice(found, after, before, limit)))
    (total,) = db.execute(f"SELECT count(*) FROM outputs WHERE {where}", values).fetchone()
    border, order = ("id > ?", "ASC") if after is not None else ("id < ?", "DESC")
    edge = after if after is not None else before if before is not None else 2**63 - 1
    rows = db.execute(
        f"SELECT {OUTPUT} FROM outputs WHERE {border} AND {where} ORDER BY id {order} LIMIT ?", (edge, *values, limit)
    )
    return Page(event, total, sorted(map(OutputRow._make, rows)))


def _where(db: sqlite3.Connection, which: Filter) -> tuple[str, list[Any]]:
    wanted = {
        "session = ?": which.session,
        "project = ?": which.project,
        "stack = ?": which.stack,
        "updated >= ?": which.since,
        "updated < ?": which.until,
    }
    used = [(text, [value]) for text, value in wanted.items() if value is not None]
    used += search.conditions(db, which)
    removed = {None: "1", True: "removed IS NOT NULL", False: "removed IS NULL"}[which.removed]
    return " AND ".join((removed, *(text for text, _ in used))), [value for _, values in used for value in values]


def _slice(ids: list[int], after: int | None, before: int | None, limit: int) -> list[int]:
    if after is not None:
        first = bisect_right(ids, after)
        return ids[first : first + limit]
    end = len(ids) if before is None else bisect_left(ids, before)
    return ids[max(0, end - limit) : end]


def output(db: sqlite3.Connection, output_id: int) -> OutputRow:
    """See `Store.output`."""
    row = db.execute(f"SELECT {OUTPUT} FROM outputs WHERE id = ?", (output_id,)).fetchone()
    if row is None:
        raise NotFound(_nearest(db, output_id))
    return OutputRow._make(row)


def _nearest(db: sqlite3.Connection, output_id: int) -> str:
    around = db.execute(
        "SELECT max(id) FROM outputs WHERE removed IS NULL AND id < ? "
        "UNION SELECT min(id) FROM outputs WHERE removed IS NULL AND id > ?",
        (output_id, output_id),
    )
    known = sorted(found for (found,) in around if found is not None)
    if not known:
        return f"there is no output {output_id}; there are none yet"
    return f"there is no output {output_id}; the nearest are {' and '.join(map(str, known))}"


def versions(db: sqlite3.Connection, output_id: int) -> list[VersionRow]:
    """See `Store.versions`."""
    output(db, output_id)
    statement = "SELECT version, created, size, data, figure FROM versions WHERE output = ? ORDER BY version"
    return [VersionRow._make(row) for row in db.execute(statement, (output_id,))]


def data(db: sqlite3.Connection, blobs: Blobs, output_id: int, mimetype: str | None, version: int | None) -> Data:
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


def shown(db: sqlite3.Connection, output_id: int, version: int | None) -> OutputRow | VersionRow:
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


def sessions(db: sqlite3.Connection, event: int, project: str | None) -> Changes:
    """See `Store.sessions`."""
    where, values = ("project = ?", [project]) if project is not None else ("1", [])
    rows = db.execute(f"SELECT {SESSION} FROM sessions WHERE {where} ORDER BY event", values).fetchall()
    counts = dict(db.execute(_COUNTS).fetchall())
    return Changes(event, [SessionRow._make((*row, counts.get(row[0], 0))) for row in rows])


def changes(db: sqlite3.Connection, event: int, since: int, limit: int) -> Changes:
    """See `Store.changes`."""
    found = sorted(
        chain(
            _changed(db, OutputRow, OUTPUT, "outputs", since, limit),
            _counted(db, _changed(db, SessionRow, f"{SESSION}, 0", "sessions", since, limit)),
            _changed(db, Tombstone, "id, event", "tombstones", since, limit),
        ),
        key=lambda row: row.event,
    )
    rows = found[:limit]
    return Changes(rows[-1].event if len(found) > limit or len(rows) == limit else event, rows)


def rows_of(db: sqlite3.Connection, outputs: Sequence[int], sessions: Sequence[str]) -> list[Row]:
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


def undrawn(db: sqlite3.Connection, keeper: str) -> list[tuple[str, bool]]:
    """See `Store.undrawn`."""
    found = db.execute(
        "SELECT json_extract(v.figure, '$.id'), s.connected FROM outputs o "
        "JOIN versions v ON v.output = o.id AND v.version = o.version JOIN sessions s ON s.id = o.session "
        "WHERE o.figure IS NOT NULL AND o.removed IS NULL AND json_extract(v.figure, '$.keeper') = ? "
        "AND json_extract(v.figure, '$.failed') IS NULL AND json_type(v.data, '$.\"image/png\"') IS NULL "
        "ORDER BY o.id LIMIT ?",
        (keeper, MAX_UNDRAWN),
    )
    return [(figure, bool(connected)) for figure, connected in found]


def figures(db: sqlite3.Connection, event: int, used: int) -> Figures:
    """See `Store.figures`."""
    outputs, trash, private = db.execute(
        "SELECT count(*) - count(removed), count(removed), coalesce(sum(private), 0) FROM outputs"
    ).fetchone()
    (sessions,) = db.execute("SELECT count(*) FROM sessions").fetchone()
    (trash_bytes,) = db.execute(
        "SELECT coalesce(sum(size), 0) FROM versions WHERE output IN (SELECT id FROM outputs WHERE removed IS NOT NULL)"
    ).fetchone()
    return Figures(event, outputs, sessions, trash, private, used, trash_bytes)


def _changed(db: sqlite3.Connection, kind: Any, columns: str, table: str, since: int, limit: int) -> list[Any]:
    statement = f"SELECT {columns} FROM {table} WHERE event > ? ORDER BY event LIMIT ?"
    return [kind._make(row) for row in db.execute(statement, (since, limit))]


def _counted(db: sqlite3.Connection, rows: list[SessionRow]) -> list[SessionRow]:
    statement = "SELECT count(*) FROM outputs WHERE session = ? AND removed IS NULL"
    return [row._replace(outputs=db.execute(statement, (row.id,)).fetchone()[0]) for row in rows]
