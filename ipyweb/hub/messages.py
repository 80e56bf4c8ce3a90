"""What a session says, checked: a decoded frame becomes one `Command` for the store.

No I/O and no state. What can be made good (a title too long, metadata too large) is made good and said in the output's
problems; what cannot raises `BadMessage` and is answered with a nack, so that a session never stops on one message.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_TITLE = 1000
MAX_CODE = 4096
MAX_DESCRIPTION = 4096
MAX_METADATA = 128 * 1024
MAX_PROBLEMS = 20
MAX_MIMETYPES = 64
MAX_VERSIONS = 64
_SESSION = re.compile(r"[0-9a-f]{32}")
_KEEPER = re.compile(r"[0-9a-f]{16}")
_KEY = re.compile(r"[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MIMETYPE = re.compile(r"[!-~]+/[!-~](?:[ -~]*[!-~])?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)")


class BadMessage(ValueError):
    """A message that cannot be taken; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Data that went to the hub over HTTP before."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Hello:
    """Who a session is. `key` is the secret that nobody else can resume it with; `place` is JSON text."""

    id: str
    key: str
    project: str
    title: str
    name: str | None
    kind: str
    host: str
    pid: int
    python: str
    argv: str
    cwd: str
    started: str
    private: bool
    script: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """One numbered message. As it is, it asks for nothing but to be counted."""

    seq: int


@dataclass(frozen=True, slots=True)
class Display(Command):
    """A MIME bundle for the output that `display_id` names. `time` is the session's, ISO 8601."""

    time: str
    display_id: str
    title: str | None
    data: Mapping[str, memoryview | bytes | Blob]
    metadata: str
    source: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)
    update: bool = False
    figure: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Drawn(Command):
    """What was drawn of a figure, for the version that shows it.

    Attributes:
        figure: the figure's id.
        said: what the output's record says of it from now on: its description, how long its drawing took.
    """

    figure: str
    data: Mapping[str, memoryview | bytes | Blob]
    said: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Clear(Command):
    """Outputs to remove; `None` means all of the session's that are not pinned."""

    display_ids: list[str] | None


@dataclass(frozen=True, slots=True)
class SessionChange(Command):
    """New values of the session's own record."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bye(Command):
    """The session ended by itself. `git` is the state of its project, where git told it only after displays."""

    git: Mapping[str, Any] | None = None


def hello(header: Mapping[str, Any]) -> Hello:
    """Check the first message of a session.

    Raises:
        BadMessage: a field is missing or wrong.
    """
    session = _mapping(header.get("session"), "session")
    return Hello(
        id=session_id(session.get("id")),
        key=session_key(header.get("key")),
        project=line(session.get("project"), 4096) or "",
        title=line(session.get("title")) or "",
        name=line(session.get("name")),
        kind=line(session.get("kind"), 32) or "script",
        host=line(session.get("host"), 255) or "",
        pid=integer(session.get("pid")) or 0,
        python=line(session.get("python"), 64) or "",
        argv=dumps([line(each, 4096) or "" for each in _list(session.get("argv"))[:256]]),
        cwd=line(session.get("cwd"), 4096) or "",
        started=time(session.get("started")),
        private=bool(session.get("private")),
        script=line(session.get("script"), 4096) or None,
        place=place(session.get("place")),
    )


def sequence(header: Mapping[str, Any]) -> int:
    """The number of a message.

    Raises:
        BadMessage: it has none, so that it cannot even be answered.
    """
    seq = integer(header.get("seq"))
    if seq is None or not 0 < seq < 2**53:
        raise BadMessage(f"expected a positive integer as seq, got {str(header.get('seq'))[:40]!r}")
    return seq


def command(header: Mapping[str, Any], buffers: Sequence[memoryview]) -> Command:
    """Check one numbered message.

    Raises:
        BadMessage: it cannot be taken.
    """
    kind = header.get("type")
    read = _READERS.get(str(kind))
    if read is None:
        raise BadMessage(f"unknown message type {str(kind)[:60]!r}; it was left out")
    return read(sequence(header), header, buffers)


def _display(seq: int, header: Mapping[str, Any], buffers: Sequence[memoryview]) -> Display:
    content = _content(header)
    problems = [line(each, 500) or "" for each in _list(content.get("problems"))[:MAX_PROBLEMS]]
    transient = content.get("transient")
    return Display(
        seq=seq,
        time=time(header.get("time")),
        display_id=display_id(transient.get("display_id") if isinstance(transient, dict) else None),
        title=line(content.get("title")),
        data=_data(content.get("data"), buffers),
        metadata=metadata(content.get("metadata"), problems),
        source=source(content.get("source")),
        problems=problems,
        update=header.get("type") == "update_display_data",
        figure=figure(content.get("figure")),
        seconds=seconds(content.get("seconds")),
    )


def drawn(seq: int, header: Mapping[str, Any], buffers: Sequence[memoryview]) -> Drawn:
    """Check what was drawn of a figure.

    Raises:
        BadMessage: it cannot be taken.
    """
    content = _content(header)
    description, took = content.get("description"), seconds(content.get("seconds"))
    said: dict[str, Any] = {}
    if description is not None:
        said["description"] = text(description, MAX_DESCRIPTION)
    if took is not None:
        said["seconds"] = took
    if content.get("failed"):
        said["failed"] = True
    if "size" in content:
        said |= _shape(content)
    if content.get("drawn"):
        said["drawn"] = line(content["drawn"], 32)
    problems = [line(each, 500) or "" for each in _list(content.get("problems"))[:MAX_PROBLEMS]]
    return Drawn(seq, figure_id(header.get("figure")), _data(content.get("data"), buffers), said, problems)


def session_id(value: Any) -> str:
    """A session's id.

    Raises:
        BadMessage: it is none.
    """
    return _match(_SESSION, value, "session id of 32 hexadecimal digits")


def session_key(value: Any) -> str:
    """A session's key.

    Raises:
        BadMessage: it is none.
    """
    return _match(_KEY, value, "key of 64 hexadecimal digits")


def figure_id(value: Any) -> str:
    """A figure's id.

    Raises:
        BadMessage: it is none.
    """
    return _match(_SESSION, value, "figure id of 32 hexadecimal digits")


def keeper_id(value: Any) -> str:
    """An environment id of a figure keeper.

    Raises:
        BadMessage: it is none.
    """
    return _match(_KEEPER, value, "keeper of 16 hexadecimal digits")


def figure(value: Any) -> str | None:
    """Which figure a display shows, as JSON text; ``None`` when it shows none.

    Raises:
        BadMessage: it is no figure.
    """
    if value is None:
        return None
    given = _mapping(value, "content.figure")
    return dumps({"id": figure_id(given.get("id")), "keeper": keeper_id(given.get("keeper")), **_shape(given)})


def _shape(given: Mapping[str, Any]) -> dict[str, Any]:
    """A figure's size in pixels, its dpi, and whether matplotlib chose its size."""
    dpi = given.get("dpi")
    return {
        "size": [integer(each) or 0 for each in _list(given.get("size"))][:2],
        "dpi": float(dpi) if isinstance(dpi, (int, float)) else 100.0,
        "default_size": bool(given.get("default_size")),
    }


def _clear(seq: int, header: Mapping[str, Any], buffers: Sequence[memoryview]) -> Clear:
    display_ids = _content(header).get("display_ids")
    return Clear(seq, None if display_ids is None else [display_id(each) for each in _list(display_ids)])


def _session(seq: int, header: Mapping[str, Any], buffers: Sequence[memoryview]) -> SessionChange:
    content = _content(header)
    texts = {name: line(content[name]) for name in ("name", "title") if name in content}
    private = {"private": bool(content["private"])} if "private" in content else {}
    return SessionChange(seq, {**texts, **private})


def _bye(seq: int, header: Mapping[str, Any], buffers: Sequence[memoryview]) -> Bye:
    content = header.get("content")
    return Bye(seq, _git(content.get("git")) if isinstance(content, dict) else None)


def _nothing(seq: int, header: Mapping[str, Any], buffers: Sequence[memoryview]) -> Command:
    return Command(seq)


_Reader = Callable[[int, Mapping[str, Any], Sequence[memoryview]], Command]
_READERS: dict[str, _Reader] = {
    "display_data": _display,
    "execute_result": _display,
    "update_display_data": _display,
    "drawn": drawn,
    "clear_output": _clear,
    "session": _session,
    "bye": _bye,
    "comm_open": _nothing,
    "comm_msg": _nothing,
    "comm_close": _nothing,
}


def _data(data: Any, buffers: Sequence[memoryview]) -> dict[str, memoryview | bytes | Blob]:
    references = _mapping(data, "content.data")
    if len(references) > MAX_MIMETYPES:
        raise BadMessage(f"expected at most {MAX_MIMETYPES} MIME types, got {len(references)}")
    return {mimetype(name): _reference(each, buffers) for name, each in references.items()}


def _reference(reference: Any, buffers: Sequence[memoryview]) -> memoryview | Blob:
    if isinstance(reference, dict) and "blob" in reference:
        return Blob(sha256(reference["blob"]))
    index = integer(reference.get("buffer")) if isinstance(reference, dict) else None
    if index is None or not 0 <= index < len(buffers):
        raise BadMessage(f"expected a blob, or a buffer of {len(buffers)}, got {str(reference)[:80]}")
    return buffers[index]


# -- single values ----------------------------------------------------------------------------------------------------


def sha256(value: Any) -> str:
    """A SHA-256 in lower-case hexadecimal.

    Raises:
        BadMessage: it is none.
    """
    return _match(_SHA256, value, "SHA-256 of 64 hexadecimal digits")


def mimetype(value: Any) -> str:
    """A MIME type, in printable ASCII.

    Raises:
        BadMessage: it is none.
    """
    if not isinstance(value, str) or len(value) > 255 or not _MIMETYPE.fullmatch(value):
        raise BadMessage(f"expected a MIME type such as text/plain, got {str(value)[:80]!r}")
    return value


def display_id(value: Any) -> str:
    """A display id: any text of 1 to 1024 characters without control characters.

    Raises:
        BadMessage: it is none.
    """
    if not isinstance(value, str) or not 0 < len(value) <= 1024 or _CONTROL.search(value):
        raise BadMessage(f"expected a display id of 1 to 1024 printable characters, got {str(value)[:80]!r}")
    return value


def line(value: Any, limit: int = MAX_TITLE) -> str | None:
    """One line of text, without control characters and lone surrogates, cut to `limit` characters."""
    if value is None:
        return None
    return _CONTROL.sub(" ", str(value))[:limit]


def text(value: Any, limit: int = MAX_TITLE) -> str:
    """Text that any encoder takes, cut to `limit` characters."""
    return str(value)[:limit].encode("utf-8", "replace").decode()


def integer(value: Any) -> int | None:
    """The value when it is an integer that fits the database; a bool is none."""
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def source(value: Any) -> dict[str, Any]:
    """Where an output comes from: file, line, cell and code, git's commit and libraries' versions as far as known.

    And a cluster's task, if one made it.
    """
    given = value if isinstance(value, dict) else {}
    code = given.get("code")
    task = _task(given.get("task"))
    return {
        "file": line(given.get("file"), 4096),
        "line": integer(given.get("line")),
        "cell": _cell(given.get("cell")),
        "code": None if code is None else text(code, MAX_CODE),
        "git": _git(given.get("git")),
        "versions": _versions(given.get("versions")),
        **({"task": task} if task else {}),
    }


def place(value: Any) -> str | None:
    """Where a session stands among those launched with it, as JSON text; ``None`` where it is like any other."""
    given = value if isinstance(value, dict) else {}
    found: dict[str, Any] = {name: line(given[name], 255) for name in ("system", "job", "worker") if given.get(name)}
    numbers = {name: integer(given.get(name)) for name in ("rank", "ranks")}
    found |= {name: number for name, number in numbers.items() if number is not None and number >= 0}
    return dumps(found) if found else None


def metadata(value: Any, problems: list[str]) -> str:
    """MIME metadata as JSON text; what is too large is left out and said in `problems`."""
    encoded = dumps(value) if isinstance(value, dict) else "{}"
    if len(encoded) <= MAX_METADATA:
        return encoded
    problems.append(f"metadata of {len(encoded)} bytes was left out, the limit is {MAX_METADATA}")
    return "{}"


def dumps(value: Any) -> str:
    """Compact JSON in ASCII."""
    return json.dumps(value, separators=(",", ":"))


def _git(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    dirty = value.get("dirty")
    commit, branch = line(value.get("commit"), 64), line(value.get("branch"), 255)
    return {"commit": commit, "branch": branch, "dirty": dirty if isinstance(dirty, bool) else None}


def _task(value: Any) -> dict[str, str]:
    given = value if isinstance(value, dict) else {}
    return {name: str(line(given[name], 255)) for name in ("name", "id", "worker") if given.get(name)}


def _versions(value: Any) -> dict[str, str]:
    given = list(value.items())[:MAX_VERSIONS] if isinstance(value, dict) else []
    return {str(line(name, 64)): str(line(version, 64)) for name, version in given}


def seconds(value: Any) -> float | None:
    """A length of time in seconds; ``None`` where it is none."""
    number = type(value) in (int, float) and 0 <= value < 1e9
    return round(float(value), 4) if number else None


def _cell(value: Any) -> int | str | None:
    return integer(value) if not isinstance(value, str) else line(value, 64)


def time(value: Any) -> str:
    """A time, ISO 8601.

    Raises:
        BadMessage: it is none.
    """
    if not isinstance(value, str) or len(value) > 40 or not _TIME.fullmatch(value):
        raise BadMessage(f"expected a time such as 2026-11-20T11:01:38.123456Z, got {str(value)[:60]!r}")
    return value


def _content(header: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(header.get("content"), "content")


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadMessage(f"expected {name} to be an object, got {type(value).__name__}")
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _match(pattern: re.Pattern[str], value: Any, what: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise BadMessage(f"expected a {what}, got {type(value).__name__} of {len(str(value))} characters")
    return value
