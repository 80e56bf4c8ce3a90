"""Taking in what `export` gave away: archives become outputs again, with new ids, and nothing is taken in twice."""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ..protocol import is_companion
from . import messages, runs, search
from .messages import BadMessage, Blob, Hello, dumps
from .store import timestamp

if TYPE_CHECKING:
    from .sql import SqlStore

MOST_OUTPUTS = 1000
"""Outputs taken in at once."""


class Version(NamedTuple):
    """One version of an imported output; its bytes were uploaded before."""

    version: int
    created: str
    data: dict[str, Blob]
    figure: str | None


class Imported(NamedTuple):
    """One imported output."""

    session: str
    display_id: str
    title: str | None
    note: str | None
    pinned: bool
    created: str
    updated: str
    seconds: float | None
    source: dict[str, Any]
    metadata: str
    problems: list[str]
    versions: list[Version]


class Archive(NamedTuple):
    """A checked archive, or a part of one: sessions with when they ended and which run they were."""

    sessions: dict[str, tuple[Hello, str, int | None]]
    outputs: list[Imported]


def checked(body: Mapping[str, Any]) -> Archive:
    """Check an archive.

    Raises:
        BadMessage: it is none.
    """
    if body.get("ipyweb") != 1:
        raise BadMessage(f"expected an archive of ipyweb's format 1, got {str(body.get('ipyweb'))[:40]!r}")
    outputs = body.get("outputs")
    sessions = body.get("sessions")
    if not isinstance(outputs, list) or not isinstance(sessions, list) or len(outputs) > MOST_OUTPUTS:
        raise BadMessage(f'expected "sessions" and at most {MOST_OUTPUTS} "outputs"')
    known = {hello.id: (hello, ended, run) for hello, ended, run in map(_session, sessions)}
    found = [_output(each) for each in outputs]
    for output in found:
        if output.session not in known:
            raise BadMessage(f"expected the session {output.session} of an output, found none")
    return Archive(known, found)


def take_in(store: "SqlStore", archive: Archive) -> dict[str, Any]:
    """Store what an archive holds, inside the running transaction.

    Returns:
        The new ids, in ``imported``, and how many outputs were there already, in ``known``.

    Raises:
        MissingBlob: bytes were not uploaded; nothing was stored.
    """
    store.require_writing()
    new = [each for each in archive.outputs if _find(store, each) is None]
    for output in new:
        for version in output.versions:
            for blob in version.data.values():
                store.blobs.check(blob)
    ids = []
    for output in new:
        if _find(store, output) is None:  # else the archive has it twice
            ids.append(_insert(store, output, *archive.sessions[output.session]))
    return {"imported": ids, "known": len(archive.outputs) - len(ids)}


def _find(store: "SqlStore", output: Imported) -> int | None:
    statement = "SELECT id FROM outputs WHERE session = ? AND display_id = ?"
    found = store.db.execute(statement, (output.session, output.display_id)).fetchone()
    return None if found is None else int(found[0])


def _insert(store: "SqlStore", output: Imported, hello: Hello, ended: str, run: int | None) -> int:
    session = store.find_session(hello.id)
    if session is None:
        session = store.introduce(hello)
        session.row = session.row._replace(ended=ended, run=run)
        store.save_session(session)
    schema = store.schema_of(session.row.private)
    output_id, store.next_id = store.next_id, store.next_id + 1
    old = timestamp(store.clock() - timedelta(days=store.limits.max_age))
    rows = [(each, *_stored(store, schema, each)) for each in output.versions]
    newest, data, size = rows[-1]
    values = {
        "id": output_id,
        "session": hello.id,
        "display_id": output.display_id,
        "project": session.row.project,
        "title": output.title,
        "created": output.created,
        "updated": output.updated,
        "version": newest.version,
        "size": size,
        "pinned": int(output.pinned or output.updated < old),  # or it would be pruned at once
        "note": output.note,
        "private": session.row.private,
        "event": store.output_changed(output_id),
        "source": dumps(output.source),
        "metadata": output.metadata,
        "problems": dumps(output.problems),
        "data": data,
        "versions": len(rows),
        "figure": newest.figure,
        "seconds": output.seconds,
        **runs.enter(store, session, output.source, output_id),
    }
    store.db.execute(
        f"INSERT INTO {schema}.outputs({', '.join(values)}) VALUES({', '.join('?' * len(values))})",
        tuple(values.values()),
    )
    store.db.executemany(
        f"INSERT INTO {schema}.versions(output, version, session, created, size, data, figure) "
        "VALUES(?, ?, ?, ?, ?, ?, ?)",
        [(output_id, row.version, hello.id, row.created, size, data, row.figure) for row, data, size in rows],
    )
    search.index(store, schema, output_id)
    runs.settle(store, schema, output_id)
    if not session.row.connected:
        store.known.pop(hello.id, None)
    return output_id


def _stored(store: "SqlStore", schema: str, version: Version) -> tuple[str, int]:
    found = {mimetype: store.blobs.reference(schema, blob) for mimetype, blob in version.data.items()}
    data = {mimetype: {"sha256": sha256, "size": size} for mimetype, (sha256, size) in found.items()}
    shown = [size for mimetype, (_, size) in found.items() if not is_companion(mimetype)]
    return dumps(data), sum(shown)


def _session(value: Any) -> tuple[Hello, str, int | None]:
    given = value if isinstance(value, dict) else {}
    hello = messages.hello({"key": secrets.token_hex(32), "session": {**given, "private": False}})
    ended = given.get("ended")
    run = messages.integer(given.get("run"))
    return hello, messages.time(ended) if ended else hello.started, run if run is None or run > 0 else None


def _output(value: Any) -> Imported:
    if not isinstance(value, dict):
        raise BadMessage(f"expected an output to be an object, got {type(value).__name__}")
    problems = [messages.line(each, 500) or "" for each in _list(value.get("problems"))[: messages.MAX_PROBLEMS]]
    versions = sorted((_version(each) for each in _list(value.get("versions"))), key=lambda each: each.version)
    if not versions or len({each.version for each in versions}) < len(versions):
        raise BadMessage("expected each output to have versions with numbers of their own")
    given = value.get("source")
    source: dict[str, Any] = given if isinstance(given, dict) else {}
    kept = {name: source[name] for name in ("argv", "cwd") if name in source}
    return Imported(
        session=messages.session_id(value.get("session")),
        display_id=messages.display_id(value.get("display_id")),
        title=messages.line(value.get("title")),
        note=messages.line(value.get("note")),
        pinned=value.get("pinned") is True,
        created=messages.time(value.get("created")),
        updated=messages.time(value.get("updated")),
        seconds=messages.seconds(value.get("seconds")),
        source={**messages.source(source), **json.loads(dumps(kept))},
        metadata=messages.metadata(value.get("metadata"), problems),
        problems=problems,
        versions=versions,
    )


def _version(value: Any) -> Version:
    given = value if isinstance(value, dict) else {}
    data = given.get("data")
    if not isinstance(data, dict) or len(data) > messages.MAX_MIMETYPES:
        raise BadMessage('expected "data" of a version to be an object by MIME type')
    blobs = {
        messages.mimetype(mime): Blob(messages.sha256(each.get("sha256") if isinstance(each, dict) else None))
        for mime, each in data.items()
    }
    return Version(
        messages.sequence({"seq": given.get("version")}), messages.time(given.get("created")), blobs, _figure(given)
    )


def _figure(given: Mapping[str, Any]) -> str | None:
    """A figure, with what was said of it when it was drawn."""
    shown = given.get("figure")
    if not isinstance(shown, dict):
        return None
    said = messages.drawn(1, {"figure": shown.get("id"), "content": {**shown, "data": {}}}, ()).said
    return dumps({**json.loads(messages.figure(shown) or "{}"), **said})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
