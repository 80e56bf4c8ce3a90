"""Search: the words of every output in one table, and what is asked of them.

Each output has one row of folded text, cut to `MOST` characters. An index leaves out most of those that do not say what
is looked for (see `grams`); the others are read, the newest first, until there is a page of them and more than are
counted. So what is rare is found by the index, and what is common among the newest.

Reading all of 100,000 texts takes half a second. An FTS5 trigram index, measured instead of ours, costs 0.8 ms per
output written and four times the text's bytes, knows no words of two letters, and has to read what is common all the
same.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache, reduce
from itertools import islice
from operator import or_
from typing import TYPE_CHECKING, Any

from ..protocol import is_companion
from . import grams, messages
from .blobs import Blobs
from .database import Database, Query, Term
from .publish import is_json
from .store import Filter, NotFound, OutputRow, timestamp

if TYPE_CHECKING:
    from .sql import SqlStore

MOST = 3000
"""Characters kept of one output."""

SAMPLE = 100
"""Texts that tell which words are rare."""

_CHUNKS = 256, 4096
"""How many texts are read at once: at first, and at most."""

_READ = 128 * 1024
_WORDS = re.compile(rb'"(?:text|title|name|label|description)"\s*:\s*"((?:[^"\\]|\\.){1,200})"')
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_DATE = re.compile(r"(?:19|20)\d\d-(?:\d{1,2}(?:-\d{0,2})?)?")
_AGO = {"today": 0, "yesterday": 1}
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

_CALLED = {"vega": ("vega", "vega-lite")}
"""What people call kinds, where it is not their name alone."""


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
    grams.note(store.db, schema, output_id)


def forget(store: "SqlStore", schema: str, output_id: int) -> None:
    """Delete the words of an output."""
    store.db.execute(f"DELETE FROM {schema}.texts WHERE output = ?", (output_id,))
    grams.note(store.db, schema, output_id)


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


def candidates(db: Database, which: Filter, query: Query) -> tuple[int, Query]:
    """The outputs whose kind and session are as a filter has them, and which may say what is looked for, as bits.

    Returns:
        These, and the terms for which they have to be read: not those of which each of them is what they mean.
    """
    every = -1
    plain = [term.text for term in query if term.plain]
    if plain:
        every &= grams.may_say(db, plain)
    if which.kinds:
        every &= _of_kinds(db, which.kinds)
    if which.session is not None:
        every &= _of_sessions(db, [which.session])
    if which.project is not None:
        of_project = db.execute("SELECT id FROM sessions WHERE project = ?", (which.project,))
        every &= _of_sessions(db, [session for (session,) in of_project])
    (sessions,) = db.execute("SELECT count(*) FROM sessions").fetchone()
    told = [each for each in query if not each.plain and len(each.sessions) <= sessions / 2]  # more leave out little
    meant = {term: _meant(db, term) for term in told}
    for term, outputs in meant.items():
        if every & ~outputs:
            every &= grams.may_say(db, [term.text]) | outputs
    if every == -1:
        every = _of_rows(db, "texts", "output", "1 = 1", ())
    return every, tuple(term for term in query if term not in meant or every & ~meant[term])


def saying(db: Database, query: Query, ids: Iterator[int]) -> Iterator[int]:
    """Those of some outputs that do say what is looked for, in the same order; read as they are asked for."""
    if not query:
        yield from ids
        return
    condition, values = db.says(query)
    statement = f"SELECT output FROM texts WHERE output IN {db.ids} AND {condition}"
    size, most = _CHUNKS
    while chunk := list(islice(ids, size)):
        found = {output_id for (output_id,) in db.execute(statement, (json.dumps(chunk), *values))}
        yield from (output_id for output_id in chunk if output_id in found)
        size = min(2 * size, most)


def _meant(db: Database, term: Term) -> int:
    """The outputs that are what a term means, as bits."""
    found = _of_sessions(db, sorted(term.sessions)) | _of_kinds(db, term.kinds)
    return found | (_of_rows(db, "outputs", "id", "updated >= ? AND updated < ?", term.days) if term.days else 0)


def trash(db: Database) -> int:
    """The outputs that are in the trash, as bits."""
    return _of_rows(db, "outputs", "id", "removed IS NOT NULL", ())


def _of_sessions(db: Database, sessions: Sequence[str]) -> int:
    size = _CHUNKS[0]
    chunks = [sessions[start : start + size] for start in range(0, len(sessions), size)]
    found = (_of_rows(db, "outputs", "id", f"session IN ({_marks(chunk)})", chunk) for chunk in chunks)
    return reduce(or_, found, 0)


def _of_kinds(db: Database, kinds: Sequence[str]) -> int:
    return _of_rows(db, "texts", "output", f"kind IN ({_marks(kinds)})", kinds) if kinds else 0


def _of_rows(db: Database, table: str, column: str, where: str, values: Sequence[Any]) -> int:
    """The outputs of rows for which a condition holds, as bits; through a view, SQLite would read all of each row."""
    statement = f"SELECT {db.array.format(column)} FROM {{}}.{table} WHERE {where}"
    lists = (db.execute(statement.format(schema), values).fetchone()[0] for schema in db.schemas)
    return reduce(or_, (grams.of_ids(json.loads(each or "[]")) for each in lists))


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def terms(q: str) -> list[str]:
    """What is looked for: words, or what stands between quotes; the longest first, which leaves out most."""
    found = (quoted or word for quoted, word in re.findall(r'"([^"]+)"|([^\s"]+)', q.casefold()))
    return sorted({_SPACES.sub(" ", each) for each in found}, key=lambda each: (-len(each), each))


def query_of(db: Database, q: str) -> Query:
    """What to look for, the rarest first."""
    names = [
        (row[0], "\n".join(filter(None, row[1:])).casefold())
        for row in db.execute("SELECT id, title, name, host FROM sessions")
    ]
    newest = [text for (text,) in db.execute(f"SELECT text FROM {db.main}.texts ORDER BY output DESC LIMIT {SAMPLE}")]
    rarest_first = sorted(terms(q), key=lambda term: sum(term in text for text in newest))
    return tuple(
        Term(
            term,
            frozenset(each for each, name in names if term in name),
            tuple(kind for kind in KIND_NAMES if any(name.startswith(term) for name in _CALLED.get(kind, (kind,)))),
            days(term),
        )
        for term in rarest_first
    )


def days(term: str) -> tuple[str, str] | None:
    """The time that a term names: from the first timestamp on, and before the second; see `dates`."""
    named = dates(term, date.today())
    return (_begin(named[0]), _begin(named[-1] + timedelta(days=1))) if named else None


def dates(term: str, today: date) -> list[date]:
    """The days that a term names: ``today``, ``yesterday``, or those that begin so in ISO 8601, the year told."""
    if term in _AGO:
        return [today - timedelta(days=_AGO[term])]
    if not _DATE.fullmatch(term):
        return []
    year = (date(int(term[:4]), 1, 1) + timedelta(days=n) for n in range(366))
    return [day for day in year if day.isoformat().startswith(term)]


def _begin(day: date) -> str:
    """Its first moment in the hub's time zone."""
    return timestamp(datetime.combine(day, datetime.min.time()).astimezone())


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
