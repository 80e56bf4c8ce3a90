"""A MIME bundle published over HTTP, from any language: the JSON of Jupyter messaging becomes a display.

As in Jupyter, text is a string, JSON types are JSON values or their text, and binary types are base64.
"""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..protocol import by_richness
from .messages import MAX_MIMETYPES, BadMessage, Display, Hello, display_id, dumps, line, metadata, mimetype, source
from .store import timestamp

_TEXT = ("text/", "image/svg+xml", "application/javascript", "application/xml", "application/x-latex")


def published(body: Mapping[str, Any]) -> tuple[Hello, Display]:
    """What a request asks to publish, and the session it is filed under.

    Raises:
        BadMessage: a field is missing or wrong.
    """
    data = body.get("data")
    if not isinstance(data, dict) or len(data) > MAX_MIMETYPES:
        raise BadMessage('expected "data", an object with a representation by MIME type')
    problems: list[str] = []
    encoded_metadata = metadata(body.get("metadata"), problems)
    now = timestamp(datetime.now(UTC))
    display = Display(
        seq=0,
        time=now,
        display_id=display_id(body.get("display_id") or secrets.token_hex(16)),
        title=line(body.get("title")),
        data={name: encode(name, data[name]) for name in by_richness(map(mimetype, data))},
        metadata=encoded_metadata,
        source=source(body.get("source")),
        problems=problems,
    )
    return _session(line(body.get("project"), 4096) or "", line(body.get("session")) or "http", now), display


def encode(name: str, value: Any) -> bytes:
    """The bytes of one representation.

    Raises:
        BadMessage: it is not what its MIME type needs.
    """
    if is_json(name):
        return (value if isinstance(value, str) and _is_json_text(value) else dumps(value)).encode("utf-8", "replace")
    if not isinstance(value, str):
        raise BadMessage(f"expected a string for {name}, got {type(value).__name__}")
    if name.startswith(_TEXT):
        return value.encode("utf-8", "replace")
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadMessage(f"expected base64 for {name}: {error}") from error


def is_json(name: str) -> bool:
    """Whether a MIME type is JSON; that of a companion may name another type, or a file."""
    return name == "application/json" or name.partition(";")[0].endswith(("+json", ".json"))


def _is_json_text(value: str) -> bool:
    try:
        return isinstance(json.loads(value), dict | list)
    except (ValueError, RecursionError):
        return False


def _session(project: str, label: str, now: str) -> Hello:
    """The session that a label names within a project; nobody can resume it over a socket."""
    return Hello(
        id=hashlib.sha256(f"http\n{project}\n{label}".encode("utf-8", "replace")).hexdigest()[:32],
        key=secrets.token_hex(32),
        project=project,
        title=label,
        name=label,
        kind="http",
        host="",
        pid=0,
        python="",
        argv="[]",
        cwd="",
        started=now,
        private=False,
    )
