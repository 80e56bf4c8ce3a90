"""What the store asks of a database, and its tables: the one seam between SQLite and PostgreSQL.

Statements are written once, in the SQL that both know, with ``?`` for values. JSON is text; ``json_extract`` and
``json_type`` look into it as SQLite's functions of these names do (https://sqlite.org/json1.html), and PostgreSQL is
given its own of the same names. What else differs is an attribute or a method of `Database`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, Protocol

SCHEMA = 8
"""Version of the tables made here."""

_TEXTS = """CREATE TABLE IF NOT EXISTS {schema}texts(
    output {integer} PRIMARY KEY, session {text} NOT NULL, kind {text} NOT NULL, text {text} NOT NULL
)"""
_GRAMS = """CREATE TABLE IF NOT EXISTS {schema}grams(n {integer} PRIMARY KEY, bits {bytes} NOT NULL);
CREATE TABLE IF NOT EXISTS {schema}grams_due(output {integer} PRIMARY KEY)"""

CHANGES: dict[int, tuple[str, ...]] = {
    1: tuple(f"ALTER TABLE {{schema}}{table} ADD COLUMN figure {{text}}" for table in ("outputs", "versions")),
    2: (_TEXTS,),
    3: ("ALTER TABLE {schema}outputs ADD COLUMN seconds {real}",),
    4: (
        *(
            f"ALTER TABLE {{schema}}outputs ADD COLUMN {name} {{text}}"
            for name in ("site", "stack", "fingerprint", "run")
        ),
        "ALTER TABLE {schema}sessions ADD COLUMN script {text}",
        "ALTER TABLE {schema}sessions ADD COLUMN run {integer}",
    ),
    5: (
        "ALTER TABLE {schema}sessions ADD COLUMN place {text}",
        "ALTER TABLE {schema}sessions ADD COLUMN lost {integer}",
    ),
    6: (_GRAMS, "INSERT INTO {schema}grams_due SELECT output FROM {schema}texts"),
    7: (),  # an index
}
"""What brings the tables of a version up to the next, before the tables that are missing are made."""

TABLES = (
    """
CREATE TABLE IF NOT EXISTS {schema}meta(key {text} PRIMARY KEY, value {integer} NOT NULL){without_rowid};
CREATE TABLE IF NOT EXISTS {schema}sessions(
    id {text} PRIMARY KEY, project {text} NOT NULL, title {text} NOT NULL, name {text}, kind {text} NOT NULL,
    host {text} NOT NULL, pid {integer} NOT NULL, python {text} NOT NULL, argv {text} NOT NULL, cwd {text} NOT NULL,
    started {text} NOT NULL, ended {text}, connected {integer} NOT NULL, private {integer} NOT NULL,
    acked {integer} NOT NULL, event {integer} NOT NULL, key {bytes} NOT NULL, script {text}, run {integer},
    place {text}, lost {integer}
){without_rowid};
CREATE INDEX IF NOT EXISTS {schema}sessions_event ON sessions(event);
CREATE INDEX IF NOT EXISTS {schema}sessions_script ON sessions(script, project) WHERE script IS NOT NULL;
CREATE TABLE IF NOT EXISTS {schema}outputs(
    id {integer} PRIMARY KEY, session {text} NOT NULL, display_id {text} NOT NULL, project {text} NOT NULL,
    title {text}, created {text} NOT NULL, updated {text} NOT NULL, version {integer} NOT NULL, size {integer} NOT NULL,
    pinned {integer} NOT NULL DEFAULT 0, note {text}, removed {text}, private {integer} NOT NULL,
    event {integer} NOT NULL, source {text} NOT NULL, metadata {text} NOT NULL, problems {text} NOT NULL,
    data {text} NOT NULL, versions {integer} NOT NULL DEFAULT 1, figure {text}, seconds {real}, site {text},
    stack {text}, fingerprint {text}, run {text}, UNIQUE(session, display_id)
);
CREATE INDEX IF NOT EXISTS {schema}outputs_event ON outputs(event);
CREATE INDEX IF NOT EXISTS {schema}outputs_updated ON outputs(updated);
CREATE INDEX IF NOT EXISTS {schema}outputs_stack ON outputs(stack) WHERE stack IS NOT NULL;
CREATE INDEX IF NOT EXISTS {schema}outputs_display_id ON outputs(display_id);
CREATE INDEX IF NOT EXISTS {schema}outputs_removed ON outputs(removed) WHERE removed IS NOT NULL;
CREATE TABLE IF NOT EXISTS {schema}versions(
    output {integer} NOT NULL, version {integer} NOT NULL, session {text} NOT NULL, seq {integer},
    created {text} NOT NULL, size {integer} NOT NULL, data {text} NOT NULL, figure {text}, PRIMARY KEY(output, version)
){without_rowid};
CREATE INDEX IF NOT EXISTS {schema}versions_figure ON versions(json_extract(figure, '$.id')) WHERE figure IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS {schema}versions_seq ON versions(session, seq) WHERE seq IS NOT NULL;
CREATE TABLE IF NOT EXISTS {schema}data(
    n {number}, sha256 {bytes} NOT NULL UNIQUE, size {integer} NOT NULL, refs {integer} NOT NULL,
    touched {integer} NOT NULL, file {integer} NOT NULL
);
CREATE INDEX IF NOT EXISTS {schema}data_unused ON data(touched) WHERE refs <= 0;
CREATE TABLE IF NOT EXISTS {schema}bytes(n {integer} PRIMARY KEY, bytes {bytes} NOT NULL);
CREATE TABLE IF NOT EXISTS {schema}tombstones(id {integer} PRIMARY KEY, event {integer} NOT NULL);
CREATE INDEX IF NOT EXISTS {schema}tombstones_event ON tombstones(event);
"""
    + f"{_TEXTS};\nCREATE INDEX IF NOT EXISTS {{schema}}texts_kind ON texts(kind);\n{_GRAMS};\n"
)
"""The tables of one schema; between braces stands what each database calls it."""


class NewerSchema(Exception):
    """The database was written by a later version of ipyweb."""


class Damaged(Exception):
    """The file is no database, or its contents contradict themselves."""


class Term(NamedTuple):
    """A word that a search looks for, or several that stand together. What it means, outputs need not say.

    Attributes:
        text: what they say otherwise.
        sessions: those in whose names it stands.
        kinds: those that it names.
        days: the time that it names: from the first timestamp on, and before the second.
    """

    text: str
    sessions: frozenset[str] = frozenset()
    kinds: tuple[str, ...] = ()
    days: tuple[str, str] | None = None

    @property
    def plain(self) -> bool:
        """Whether outputs have to say it."""
        return not (self.sessions or self.kinds or self.days)


Query = tuple[Term, ...]
"""What a search looks for: all of these."""


class Cursor(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """The next row, ``None`` at the end."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """One connection.

    Attributes:
        main: the schema of what is kept; tables are named unqualified to read from all schemas at once.
        schemas: all of them; ``private``, where there is one, is never written to a disk.
        ids: after ``IN``, the numbers of a JSON array that is given as a value.
        array: makes a column's numbers one text, such a JSON array; nothing of no rows, it may be. The column is to be
            filled in.
        Error: base of what `execute` raises.
    """

    main: str
    schemas: tuple[str, ...]
    ids: str
    array: str

    @property
    def Error(self) -> type[Exception]:  # noqa: N802
        """See above; named as in PEP 249."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, sql: str, values: Any = ..., /) -> Cursor:
        """Run one statement."""

    def executemany(self, sql: str, values: Iterable[Any], /) -> object:
        """Run one statement for each of some rows of values."""

    def says(self, query: Query) -> tuple[str, list[Any]]:
        """A condition on ``texts``, with its values: that a row says all terms, or is what they mean."""

    def close(self) -> None:
        """Close it; what was committed is safe."""


def meant(term: Term, among: str, listed: Callable[[list[str]], Any]) -> tuple[str, list[Any]]:
    """A condition on ``texts``, with its values: that a row is what a term means.

    Args:
        term: the term, which means something.
        among: what stands after a column for its value to be one of a list that is given as a value.
        listed: makes such a list.
    """
    ways: dict[str, Sequence[Any]] = {
        f"session {among}": [listed(list(term.sessions))] if term.sessions else [],
        f"kind IN ({', '.join('?' * len(term.kinds))})": term.kinds,
        "EXISTS (SELECT 1 FROM outputs WHERE id = output AND updated >= ? AND updated < ?)": term.days or (),
    }
    used = {condition: values for condition, values in ways.items() if values}
    return " OR ".join(used), list(chain(*used.values()))


def changes_since(version: int, names: Mapping[str, str]) -> list[str]:
    """The statements that bring tables of a version up to `SCHEMA`."""
    return [change.format(**names) for each in range(version, SCHEMA) for change in CHANGES[each]]
