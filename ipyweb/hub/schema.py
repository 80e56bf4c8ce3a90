"""SQLite: how a connection is opened, and what it does in its own way.

Two schemas with the same tables live on one connection: ``main``, on disk or in memory, and ``private``, an attached
database in memory for the outputs of private sessions. Temporary views named like the tables show both as one, so that
an unqualified name reads everything, and ``main.outputs`` or ``private.outputs`` says where to write. Ids and events
are shared. ``PRAGMA user_version`` is the version of the tables.
"""

import json
import operator
import sqlite3
from pathlib import Path
from typing import Any

from .database import SCHEMA, TABLES, Damaged, NewerSchema, Query, changes_since, meant

PAGE = 4096
APPLICATION_ID = 0x69707977  # "ipyw", so that file(1) and we can tell whose database it is
_NAMES = {
    "text": "TEXT",
    "integer": "INTEGER",
    "real": "REAL",
    "bytes": "BLOB",
    "number": "INTEGER PRIMARY KEY",
    "without_rowid": " WITHOUT ROWID",
}
_LATER = {
    "outputs": ((2, "figure"), (4, "seconds"), (5, "site"), (5, "stack"), (5, "fingerprint"), (5, "run")),
    "versions": ((2, "figure"),),
    "sessions": ((5, "script"), (5, "run"), (6, "place"), (6, "lost")),
}
"""Columns that came later, in their order, with the version that they came with."""

# A session that became private has its row in both: the private one counts.
_VIEWS = """
CREATE TEMP VIEW outputs AS SELECT *{outputs} FROM main.outputs UNION ALL SELECT * FROM private.outputs;
CREATE TEMP VIEW versions AS SELECT *{versions} FROM main.versions UNION ALL SELECT * FROM private.versions;
CREATE TEMP VIEW texts AS {texts} SELECT * FROM private.texts;
CREATE TEMP VIEW grams AS {grams};
CREATE TEMP VIEW grams_due AS {due} SELECT output FROM private.texts;
CREATE TEMP VIEW data AS
    SELECT *, 'main' AS place FROM main.data UNION ALL SELECT *, 'private' AS place FROM private.data;
CREATE TEMP VIEW tombstones AS SELECT * FROM main.tombstones UNION ALL SELECT * FROM private.tombstones;
CREATE TEMP VIEW sessions AS SELECT * FROM private.sessions
    UNION ALL SELECT *{sessions} FROM main.sessions WHERE id NOT IN (SELECT id FROM private.sessions);
"""


class Connection(sqlite3.Connection):
    """See `database.Database`."""

    main = "main"
    schemas: tuple[str, ...] = ("main", "private")
    ids = "(SELECT value FROM json_each(?))"
    array = "json_group_array({})"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # SQLite's own ``instr`` takes three times as long, and one function for each term as long as that again.
        self.create_function("contains", 2, operator.contains, deterministic=True)
        self.create_function("contains_all", -1, _contains_all, deterministic=True)

    def says(self, query: Query) -> tuple[str, list[Any]]:
        plain = [term.text for term in query if term.plain]
        conditions: list[str] = ["1 = 1"]
        values: list[Any] = []
        if plain:
            function = "contains" if len(plain) == 1 else "contains_all"
            conditions.append(f"{function}(text{', ?' * len(plain)})")
            values += plain
        for term in query:
            if not term.plain:
                condition, given = meant(term, f"IN {self.ids}", json.dumps)
                conditions.append(f"({condition} OR contains(text, ?))")
                values += [*given, term.text]
        return " AND ".join(conditions), values


def _contains_all(text: str, *terms: str) -> bool:
    return all(map(text.__contains__, terms))


def connect(path: Path | None, *, check: bool = True, read_only: bool = False) -> Connection:
    """Open the database, and make its tables where there are none.

    Args:
        path: the file; ``None`` keeps everything in memory.
        check: whether to look through the file for damage first.
        read_only: leave the file as it is; its tables may have any version.

    Raises:
        NewerSchema: the tables are of a later version than `SCHEMA`. Nothing was changed.
        Damaged: see there.
        sqlite3.Error: it cannot be opened or written.
    """
    target = ":memory:" if path is None else f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    connection = sqlite3.connect(
        target, uri=True, isolation_level=None, timeout=5, cached_statements=256, factory=Connection
    )
    try:
        _prepare(connection, check and path is not None, read_only)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error) and is_damage(error):
            raise Damaged(str(error)) from error
        raise
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file itself is broken."""
    return primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without its extension, 0 when there is none (https://sqlite.org/rescode.html)."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _prepare(connection: sqlite3.Connection, check: bool, read_only: bool) -> None:
    (version,) = connection.execute("PRAGMA main.user_version").fetchone()
    if version > SCHEMA and not read_only:
        raise NewerSchema(f"its tables have version {version}, this ipyweb knows {SCHEMA}")
    if check and connection.execute("PRAGMA main.quick_check(1)").fetchone() != ("ok",):
        raise Damaged("quick_check found contradictions")
    connection.execute("PRAGMA temp_store = MEMORY")  # sorting private rows must not touch the disk
    connection.execute("ATTACH ':memory:' AS private")
    if not read_only:
        for name, value in _SETTINGS.items():
            connection.execute(f"PRAGMA main.{name} = {value}")
        _make_tables(connection, "main", version)
    _make_tables(connection, "private", 0)
    before = version if read_only else SCHEMA
    missing = {
        table: "".join(f", NULL AS {name}" for since, name in columns if before < since)
        for table, columns in _LATER.items()
    }
    texts = "" if before < 3 else "SELECT * FROM main.texts UNION ALL"
    due = texts.replace("*", "output") if before < 7 else "SELECT output FROM main.grams_due UNION ALL"
    grams = "SELECT * FROM private.grams" if before < 7 else "SELECT * FROM main.grams"
    connection.executescript(_VIEWS.format(texts=texts, due=due, grams=grams, **missing))


_SETTINGS = {
    "auto_vacuum": "INCREMENTAL",
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    "wal_autocheckpoint": 1000,
    "journal_size_limit": 8 * 2**20,
    "cache_size": -8 * 1024,
    "secure_delete": "FAST",
}


def _make_tables(connection: sqlite3.Connection, schema: str, version: int) -> None:
    if version == SCHEMA:
        return
    names = {**_NAMES, "schema": f"{schema}."}
    changes = changes_since(version or SCHEMA, names)
    connection.executescript(
        f"BEGIN; {''.join(f'{change};' for change in changes)} {TABLES.format(**names)}"
        f"PRAGMA {schema}.application_id = {APPLICATION_ID}; PRAGMA {schema}.user_version = {SCHEMA}; COMMIT;"
    )
