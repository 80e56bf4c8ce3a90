"""Rows of the store as the JSON that HTTP, panes and ``list --json`` show."""

import json
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from ..protocol import is_companion
from .auth import Keys
from .messages import dumps
from .search import kind_of
from .store import OutputRow, Row, RunRow, SessionRow, Tombstone, VersionRow


def output(row: OutputRow, keys: Keys) -> str:
    """An output's record."""
    data = _data(row.data, keys)
    kind = kind_of(data, figure=row.figure is not None)
    # Put together as text: source, metadata and problems are JSON already, and lists have thousands of records.
    return (
        f'{{"id":{row.id},"display_id":{quoted(row.display_id)},"session":{quoted(row.session)},'
        f'"project":{quoted(row.project)},"title":{_text(row.title)},"kind":"{kind}","mimetypes":{dumps(_shown(data))},'
        f'"created":{quoted(row.created)},"updated":{quoted(row.updated)},"version":{row.version},"size":{row.size},'
        f'"source":{row.source},"pinned":{_bool(row.pinned)},"note":{_text(row.note)},"removed":{_text(row.removed)},'
        f'"private":{_bool(row.private)},"event":{row.event},"metadata":{row.metadata},"problems":{row.problems},'
        f'"figure":{row.figure or "null"},"seconds":{dumps(row.seconds)},'
        f'"run":{row.run or "null"},"data":{dumps(data)}}}'
    )


def session(row: SessionRow) -> str:
    """A session's record."""
    fields = row._asdict()
    del fields["acked"]
    flags = {name: bool(fields[name]) for name in ("connected", "private", "lost")}
    return dumps({**fields, **flags, "argv": json.loads(row.argv), "place": json.loads(row.place or "null")})


def tombstone(row: Tombstone) -> str:
    """What is left of a purged output."""
    return f'{{"id":{row.id},"purged":true,"event":{row.event}}}'


def version(row: VersionRow, keys: Keys) -> str:
    """One version of an output."""
    data = _data(row.data, keys)
    figure = None if row.figure is None else json.loads(row.figure)
    return dumps({**row._asdict(), "mimetypes": _shown(data), "data": data, "figure": figure})


def run(row: RunRow) -> dict[str, Any]:
    """A run's record."""
    return {**row._asdict(), "argv": json.loads(row.argv), "connected": bool(row.connected)}


def record(row: Row, keys: Keys) -> str:
    """The record of any row."""
    match row:
        case OutputRow():
            return output(row, keys)
        case SessionRow():
            return session(row)
        case Tombstone():
            return tombstone(row)


def array(records: Iterable[str]) -> str:
    """A JSON array of records."""
    return f"[{','.join(records)}]"


def _data(text: str, keys: Keys) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(text)
    for mimetype, reference in data.items():
        reference["url"] = keys.blob_url(mimetype, reference["sha256"])
    return data


def _shown(data: Iterable[str]) -> list[str]:
    return [mimetype for mimetype in data if not is_companion(mimetype)]


def _text(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _bool(value: int) -> str:
    return "true" if value else "false"
