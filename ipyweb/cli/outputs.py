"""Reading output records from the hub, as several subcommands do."""

import json
from pathlib import PurePath
from typing import Any
from urllib.parse import urlencode

from ..connection import Connection, request
from ..errors import OutputNotFound
from ..protocol import JSON_LINES
from .app import Failure, UsageError
from .text import plain

PAGE = 1000
"""Records per request; the hub gives no more."""

Record = dict[str, Any]


def records(connection: Connection, project: str | None) -> list[Record]:
    """All outputs of a project, oldest first.

    Args:
        connection: a hub that was challenged.
        project: an absolute path; ``None`` for all projects.
    """
    return [json.loads(line) for line in lines(connection, project)]


def lines(connection: Connection, project: str | None) -> list[str]:
    """The records of `records`, each as the JSON text that the hub has written."""
    found: list[str] = []
    while True:
        after = json.loads(found[-1])["id"] if found else 0
        path = _path(project, after=after, limit=PAGE)
        page = request(connection, "GET", path, headers={"Accept": JSON_LINES}).body.decode().split("\n")[:-1]
        found += page
        if len(page) < PAGE:
            return found


def runs(connection: Connection, project: str | None) -> list[Record]:
    """The newest runs of scripts, the newest first.

    Args:
        connection: a hub that was challenged.
        project: an absolute path; ``None`` for all projects.
    """
    query = urlencode({"limit": PAGE, **({"project": project} if project else {})})
    found: list[Record] = request(connection, "GET", f"api/runs?{query}").json()["runs"]
    return found


def caption(record: Record) -> str:
    """The title of an output, else the last line of the code that displayed it."""
    code = ((record["source"] or {}).get("code") or "").strip().splitlines()
    return record["title"] or (code[-1] if code else "")


def line_of(record: Record) -> str:
    """An output in one line: its id, what it is called, where it was made, and how to get it."""
    title = repr(plain(record["title"])) if record["title"] else ""
    version = f"version {record['version']}" if record["version"] > 1 else ""
    words = (str(record["id"]), title, (record["mimetypes"] or ["empty"])[0], version)
    parts = (" ".join(filter(None, words)), plain(place_of(record)), f"ipyweb get {record['id']}")
    return " · ".join(filter(None, parts))


def place_of(record: Record) -> str:
    """The file and line that displayed an output, such as ``train.py:12``, as far as known."""
    source = record["source"] or {}
    file = PurePath(source.get("file") or "").name
    return f"{file}:{source['line']}" if file and source.get("line") else file


def check_id(word: str) -> str:
    """`word`, if it can name an output.

    Raises:
        UsageError: it is neither a number nor ``last``.
    """
    if word != "last" and not (word.isascii() and word.isdecimal()):
        raise UsageError(f"expected the id of an output or 'last', got {word!r}; `ipyweb list` shows the ids")
    return word


def record_of(connection: Connection, which: str, project: str | None) -> Record:
    """One output.

    Args:
        connection: a hub that was challenged.
        which: its id, or ``last``.
        project: where ``last`` looks; ``None`` for all projects.

    Raises:
        OutputNotFound: there is no such output; the message says which there are.
        Failure: there is no output at all.
    """
    if which == "last":
        return _newest(connection, project)
    try:
        record: Record = request(connection, "GET", f"api/outputs/{which}").json()
    except OutputNotFound as error:
        raise OutputNotFound(f"there is no output {which}; {_existing(connection)}", 404) from error
    if "purged" in record:
        raise OutputNotFound(f"output {which} was removed for good; {_existing(connection)}", 404)
    return record


def _newest(connection: Connection, project: str | None) -> Record:
    newest = _outputs(connection, project, limit=1)
    if not newest:
        where = f"in {project}; --all looks at every project" if project else "yet"
        raise Failure(f"there are no outputs {where}")
    return newest[-1]


def _existing(connection: Connection) -> str:
    newest = [str(record["id"]) for record in _outputs(connection, None, limit=20)]
    if not newest:
        return "there are no outputs yet"
    more = "… " if len(newest) == 20 else ""
    return f"there are {more}{' '.join(newest)}"


def _outputs(connection: Connection, project: str | None, **query: int) -> list[Record]:
    found: list[Record] = request(connection, "GET", _path(project, **query)).json()["outputs"]
    return found


def _path(project: str | None, **query: int) -> str:
    chosen = {"project": project} if project else {}
    return f"api/outputs?{urlencode({**chosen, **query})}"
