"""Search: the words of every output in one table, and what is asked of them.

Each output has one row of folded text, cut to `MOST` characters. A query scans them all: for 10,000 outputs of 2 kB
that takes 20 to 40 ms, for 100,000 some 300, whatever is looked for, and writing a row takes 0.1 ms. An FTS5 trigram
index, measured beside it, answers in 1 ms what is rare, but costs 0.8 ms more per output written and four times the
text's bytes, and knows no words of two letters; without positions it costs half of that, but what is common has to be
read all the same. PostgreSQL has such an index where its server knows pg_trgm.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..protocol import is_companion
from . import messages
from .blobs import Blobs
from .database import Database, Query
from .publish import is_json
from .store import Filter, NotFound, OutputRow

if TYPE_CHECKING:
    from .sql import SqlStore

MOST = 3000
"""Characters kept of one output."""

SAMPLE = 100
"""Texts that tell which words are rare."""

_READ = 128 * 1024
_WORDS = re.compile(rb'"(?:text|title|name|label|description)"\s*:\s*"((?:[^"\\]|\\.){1,200})"')
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_SPACES = re.compile(r"[\s\0]+")

KINDS: tuple[tuple[str, str], ...] = (
    ("plotly", r"application/vnd\.plotly\.v1\+json"),
    ("vega", r"application/vnd\.vega(lite)?\..*"),
    ("widget", r"application/vnd\.jupyter\.widget-view\+json"),
    ("image", r"image/.*"),
    ("video", r"video/.*"),
    ("audio", r"audio/.*"),
    ("html", r"text/html"),
    ("markdown", r"text/markdown"),
    ("latex", r"text/latex"),
    ("pdf", r"application/pdf"),
    ("javascript", r"application/javascript|text/javascript"),
    ("json", r"application/(.*[+.])?json"),
    ("text", r"text/.*"),
    ("other", r".*"),
)
"""Kinds of outputs by a regular expression of the MIME type that is shown; ``figure`` is a matplotlib figure."""

KIND_NAMES = ("figure", *(name for name, _ in KINDS))


def kind_of(mimetypes: Iterable[str], *, figure: bool) -> str:
    """The kind of an output.

    Args:
        mimetypes: its MIME types, the one that is shown first.
        figure: whether it shows a matplotlib figure.
    """
    if figure:
        return "figure"
    return _kind_of_type(next((each for each in mimetypes if not is_companion(each)), ""))


@lru_cache(512)
def _kind_of_type(mimetype: str) -> str:
    return next(name for name, pattern in KINDS if re.fullmatch(pattern, mimetype))


def index(store: "SqlStore", schema: str, output_id: int) -> None:
    """Write the words of an output anew, inside the running transaction."""
    columns = "session, title, note, source, figure, data"
    found = store.db.execute(f"SELECT {columns} FROM {schema}.outputs WHERE id = ?", (output_id,)).fetchone()
    session, title, note, source, figure, data = found
    references: dict[str, Any] = json.loads(data)
    said = json.loads(figure) if figure else {}
    parts = [title, note, said.get("description"), *_of_source(json.loads(source)), *_of_data(store.blobs, references)]
    text = _SPACES.sub(" ", "\n".join(filter(None, parts)))[:MOST].casefold()
    kind = kind_of(references, figure=bool(figure))
    store.db.execute(
        f"INSERT INTO {schema}.texts(output, session, kind, text) VALUES(?, ?, ?, ?) ON CONFLICT(output) "
        "DO UPDATE SET session = excluded.session, kind = excluded.kind, text = excluded.text",
        (output_id, session, kind, text),
    )


def forget(store: "SqlStore", schema: str, output_id: int) -> None:
    """Delete the words of an output."""
    store.db.execute(f"DELETE FROM {schema}.texts WHERE output = ?", (output_id,))


def catch_up(store: "SqlStore", most: int) -> bool:
    """Index outputs of a store that was written before there was search, the newest first.

    Args:
        most: how many at most.

    Returns:
        Whether there may be more.
    """
    main = store.db.main
    found = store.db.execute(
        f"SELECT id FROM {main}.outputs WHERE id NOT IN (SELECT output FROM {main}.texts) ORDER BY id DESC LIMIT ?",
        (most,),
    ).fetchall()
    for (output_id,) in found:
        index(store, main, output_id)
    return len(found) == most


def hits(db: Database, which: Filter) -> set[int]:
    """The outputs whose words, kind and session are as a filter has them, whatever else it asks."""
    clauses: list[tuple[str, list[Any]]] = []
    if which.kinds:
        clauses.append((f"kind IN ({', '.join('?' * len(which.kinds))})", list(which.kinds)))
    if which.session is not None:
        clauses.append(("session = ?", [which.session]))
    if which.project is not None:
        clauses.append(("session IN (SELECT id FROM sessions WHERE project = ?)", [which.project]))
    if which.q:
        clauses.append(db.says(_query(db, which.q)))
    values = [value for _, given in clauses for value in given]
    statement = f"SELECT output FROM texts WHERE {' AND '.join(clause for clause, _ in clauses)}"
    return {output_id for (output_id,) in db.execute(statement, values)}


def terms(q: str) -> list[str]:
    """What is looked for: words, or what stands between quotes; the longest first, which leaves out most."""
    found = (quoted or word for quoted, word in re.findall(r'"([^"]+)"|([^\s"]+)', q.casefold()))
    return sorted({_SPACES.sub(" ", each) for each in found}, key=lambda each: (-len(each), each))


def _query(db: Database, q: str) -> Query:
    names = [
        (row[0], "\n".join(filter(None, row[1:])).casefold())
        for row in db.execute("SELECT id, title, name, host FROM sessions")
    ]
    newest = [text for (text,) in db.execute(f"SELECT text FROM {db.main}.texts ORDER BY output DESC LIMIT {SAMPLE}")]
    rarest_first = sorted(terms(q), key=lambda term: sum(term in text for text in newest))
    return tuple((term, frozenset(each for each, name in names if term in name)) for term in rarest_first)


def _of_source(source: Mapping[str, Any]) -> list[str | None]:
    return [source.get("code"), source.get("file"), *source.get("task", {}).values()]


def _of_data(blobs: Blobs, references: Mapping[str, Any]) -> Iterator[str]:
    shown = [mimetype for mimetype in references if not is_companion(mimetype)]
    yield " ".join(shown)
    for mimetype in shown:
        read = next((read for pattern, read in _READERS if re.fullmatch(pattern, mimetype)), None)
        if read is None and is_json(mimetype):
            read = _json_words
        if read is not None:
            with contextlib.suppress(NotFound):  # the file is gone; the output is there all the same
                yield read(_ends(blobs, references[mimetype]["sha256"]))


def _ends(blobs: Blobs, sha256: str) -> bytes:
    """Where the words of large data are: its beginning and its end (a Plotly figure's layout, say)."""
    size, content = blobs.open(sha256)
    if isinstance(content, bytes):
        return content if size <= 2 * _READ else content[:_READ] + content[-_READ:]
    with content as file:
        first = file.read(_READ)
        file.seek(max(_READ, size - _READ))
        return first + file.read(_READ)


def _plain(data: bytes) -> str:
    return data[: 4 * MOST].decode("utf-8", "replace")


def _html(data: bytes) -> str:
    return _TAGS.sub(" ", data[: 16 * MOST].decode("utf-8", "replace"))


def _json_words(data: bytes) -> str:
    return "\n".join(dict.fromkeys(_unquoted(found) for found in _WORDS.findall(data)))[:MOST]


def _unquoted(text: bytes) -> str:
    try:
        return messages.text(json.loads(b'"' + text + b'"'))
    except ValueError:
        return text.decode("utf-8", "replace")


_READERS: tuple[tuple[str, Callable[[bytes], str]], ...] = (
    (r"text/(plain|markdown|latex)", _plain),
    (r"text/html", _html),
)


def matching(db: Database, where: str, values: list[Any]) -> list[int]:
    """The ids of the outputs that a condition holds for, ascending."""
    return [found for (found,) in db.execute(f"SELECT id FROM outputs WHERE {where} ORDER BY id", values)]


def rows_with(db: Database, ids: Sequence[int]) -> list[OutputRow]:
    """The rows of some outputs, ascending by id."""
    columns = ", ".join(OutputRow._fields)
    statement = f"SELECT {columns} FROM outputs WHERE id IN {db.ids} ORDER BY id"
    return [OutputRow._make(row) for row in db.execute(statement, (json.dumps(ids),))]
