"""Runs: the outputs of one execution of a script, stacked on those that the same call sites made in the runs before.

A call site is a file and the code that stands there, so that it stays the same when lines move, and the how-manieth
display of that code it is within the run. What a call site shows in all runs is a *stack*.

Whether an output changed is decided by a *fingerprint* of the representation that is shown. Of text it leaves out what
differs in every process although nothing changed: addresses, and ids made at random.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..protocol import by_richness, is_companion
from .database import Database
from .messages import dumps
from .publish import is_json
from .search import rows_with
from .store import Comparison, NotFound, OutputRow, RunRow, Status

if TYPE_CHECKING:
    from .sql import SqlStore
    from .transactions import KnownSession

MOST_TEXT = 2**20
"""Bytes of text above which a fingerprint is that of the bytes as they are."""

_RANDOM = re.compile(
    rb"0x[0-9a-fA-F]{6,16}|[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32}|\bT_[0-9a-f]{5}"
)
_FIRST_ID = re.compile(rb'\bid="([\w-]{8,64})"')
"""The id of what holds a fragment of HTML, which nobody sees; great_tables makes it of ten letters at random."""

_RUN = (
    "SELECT s.id, s.project, s.script, s.run, s.argv, s.started, s.ended, s.connected, count(o.id), "
    "count(CASE WHEN json_type(o.run, '$.changed') = 'true' THEN 1 END), "
    "count(CASE WHEN json_type(o.run, '$.previous') = 'null' THEN 1 END) "
    "FROM sessions s LEFT JOIN outputs o ON o.session = s.id AND o.removed IS NULL "
    "WHERE s.run IS NOT NULL AND {} GROUP BY s.id ORDER BY s.started DESC, s.id LIMIT ?"
)


def enter(store: "SqlStore", session: "KnownSession", source: Mapping[str, Any], output_id: int) -> dict[str, Any]:
    """Where a new output stands in its run, as values of its row; empty when its session is no run."""
    script = session.row.script
    if script is None:
        return {}
    if session.row.run is None:
        session.row = session.row._replace(run=_next_number(store.db, session.row.project, script))
        store.save_session(session)
    if session.sites is None:
        statement = "SELECT site, count(*) FROM outputs WHERE session = ? AND site IS NOT NULL GROUP BY site"
        session.sites = dict(store.db.execute(statement, (session.row.id,)).fetchall())
    site = _digest(source.get("file"), source.get("code") or source.get("line"))
    ordinal = session.sites[site] = session.sites.get(site, 0) + 1
    stack = _digest(session.row.project, script, site, ordinal)
    before = store.db.execute(
        "SELECT id FROM outputs WHERE stack = ? AND session <> ? ORDER BY id DESC LIMIT 1", (stack, session.row.id)
    ).fetchone()
    run = {
        "number": session.row.run,
        "script": script,
        "stack": stack,
        "previous": before[0] if before else None,
        "changed": None,
    }
    return {"site": site, "stack": stack, "run": dumps(run)}


def settle(store: "SqlStore", schema: str, output_id: int) -> None:
    """Note what an output shows by now, and whether it differs from the run before, inside the transaction."""
    found = store.db.execute(
        "SELECT o.stack, o.run, o.fingerprint, v.data, v.figure "
        f"FROM {schema}.outputs o JOIN {schema}.versions v ON v.output = o.id AND v.version = o.version WHERE o.id = ?",
        (output_id,),
    ).fetchone()
    if found is None or found[0] is None:
        return
    stack, text, old, data, figure = found
    fingerprint = _fingerprint(store, json.loads(data), json.loads(figure) if figure else None)
    if fingerprint == old:
        return
    run = json.loads(text)
    before = _fingerprint_of(store.db, run["previous"])
    _write(store, output_id, schema, {**run, "changed": _differ(before, fingerprint)}, fingerprint)
    statement = "SELECT id, run, private, fingerprint FROM outputs WHERE stack = ? AND id > ? ORDER BY id LIMIT 1"
    for later, text, private, its in store.db.execute(statement, (stack, output_id)).fetchall():
        run, place = json.loads(text), store.schema_of(private)
        changed = _differ(fingerprint, its)
        if run["previous"] == output_id and run["changed"] != changed:
            store.output_changed_in(place, later)
            _write(store, later, place, {**run, "changed": changed}, its)


def runs(db: Database, project: str | None, script: str | None, limit: int) -> list[RunRow]:
    """See `Store.runs`."""
    wanted = {"s.project = ?": project, "s.script = ?": script}
    used = {text: value for text, value in wanted.items() if value is not None}
    return [
        RunRow._make(row) for row in db.execute(_RUN.format(" AND ".join(("1 = 1", *used))), (*used.values(), limit))
    ]


def run(db: Database, session: str) -> RunRow:
    """See `Store.run`."""
    found = db.execute(_RUN.format("s.id = ?"), (session, 1)).fetchone()
    if found is None:
        raise NotFound(f"there is no run {session}; api/runs lists them")
    return RunRow._make(found)


def before(db: Database, row: RunRow) -> RunRow | None:
    """The run of the same script that came before one."""
    earlier = "s.project = ? AND s.script = ? AND s.run < ?"
    statement = _RUN.format(earlier).replace("ORDER BY s.started", "ORDER BY s.run")
    found = db.execute(statement, (row.project, row.script, row.number, 1)).fetchone()
    return None if found is None else RunRow._make(found)


def compare(db: Database, one: str | None, other: str) -> list[Comparison]:
    """See `Store.compare`."""
    left = _stacks(db, one) if one is not None else {}
    right = _stacks(db, other)
    order = [*right, *(stack for stack in left if stack not in right)]
    return [_compared(stack, left.get(stack), right.get(stack)) for stack in order]


def outputs(db: Database, session: str) -> list[OutputRow]:
    """The outputs of a run that are not in the trash."""
    statement = "SELECT id FROM outputs WHERE session = ? AND stack IS NOT NULL AND removed IS NULL"
    return rows_with(db, [found for (found,) in db.execute(statement, (session,))])


def _stacks(db: Database, session: str) -> dict[str, tuple[int, str | None]]:
    statement = "SELECT stack, id, fingerprint FROM outputs WHERE session = ? AND stack IS NOT NULL AND removed IS NULL"
    rows = db.execute(f"{statement} ORDER BY id", (session,))
    return {stack: (output_id, fingerprint) for stack, output_id, fingerprint in rows}


def _compared(stack: str, left: tuple[int, str | None] | None, right: tuple[int, str | None] | None) -> Comparison:
    if left is None or right is None:
        return Comparison(stack, left and left[0], right and right[0], "new" if left is None else "gone")
    statuses: dict[bool | None, Status] = {None: "unknown", True: "changed", False: "same"}
    return Comparison(stack, left[0], right[0], statuses[_differ(left[1], right[1])])


def _differ(one: str | None, other: str | None) -> bool | None:
    return None if one is None or other is None else one != other


def _next_number(db: Database, project: str, script: str) -> int:
    statement = "SELECT coalesce(max(run), 0) + 1 FROM sessions WHERE project = ? AND script = ?"
    (number,) = db.execute(statement, (project, script)).fetchone()
    return int(number)


def _fingerprint_of(db: Database, output_id: int | None) -> str | None:
    found = db.execute("SELECT fingerprint FROM outputs WHERE id = ?", (output_id,)).fetchone()
    return found[0] if found else None


def _write(store: "SqlStore", output_id: int, schema: str, run: Mapping[str, Any], fingerprint: str | None) -> None:
    statement = f"UPDATE {schema}.outputs SET run = ?, fingerprint = ? WHERE id = ?"
    store.db.execute(statement, (dumps(run), fingerprint, output_id))


def _fingerprint(store: "SqlStore", data: Mapping[str, Any], figure: Mapping[str, Any] | None) -> str | None:
    """What a version shows; ``None`` while a figure is not drawn."""
    if figure is not None:
        picture = data.get("image/png")
        return picture["sha256"][:32] if picture else _digest("failed") if figure.get("failed") else None
    shown = next((each for each in by_richness(data) if not is_companion(each)), None)
    if shown is None:
        return _digest()
    reference = data[shown]
    if not (shown.startswith("text/") or is_json(shown) or shown == "image/svg+xml") or reference["size"] > MOST_TEXT:
        return str(reference["sha256"][:32])
    try:
        content = store.blobs.read(reference["sha256"])
    except NotFound:
        return str(reference["sha256"][:32])
    if shown == "text/html" and (first := _FIRST_ID.search(content, 0, 1024)):
        content = content.replace(first.group(1), b"")
    return hashlib.sha256(_RANDOM.sub(b"", content)).hexdigest()[:32]


def _digest(*parts: object) -> str:
    return hashlib.sha256(dumps(parts).encode()).hexdigest()[:16]
