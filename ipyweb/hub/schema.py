"""The database: its tables, and how a connection to it is opened.

Two schemas with the same tables live on one connection: ``main``, on disk or in memory, and ``private``, an attached
database in memory for the outputs of private sessions. Temporary views named like the tables show both as one, so that
an unqualified name reads everything, and ``main.outputs`` or ``private.outputs`` says where to write. Ids and events
are shared. ``PRAGMA user_version`` is the version of the tables.
"""

import sqlite3
from pathlib import Path

SCHEMA = 5
"""Version of the tables made here."""

_CHANGES: dict[int, tuple[str, ...]] = {
    1: ("ALTER TABLE {0}.outputs ADD COLUMN figure TEXT", "ALTER TABLE {0}.versions ADD COLUMN figure TEXT"),
    2: (),  # the words for searching: a table of its own
    3: ("ALTER TABLE {0}.outputs ADD COLUMN seconds REAL",),
    4: (
        *(f"ALTER TABLE {{0}}.outputs ADD COLUMN {name} TEXT" for name in ("site", "stack", "fingerprint", "run")),
        "ALTER TABLE {0}.sessions ADD COLUMN script TEXT",
        "ALTER TABLE {0}.sessions ADD COLUMN run INTEGER",
    ),
}
"""What brings the tables of a version up to the next, before the tables that are missing are made."""

PAGE = 4096
APPLICATION_ID = 0x69707977  # "ipyw", so that file(1) and we can tell whose database it is

_TABLES = """
CREATE TABLE IF NOT EXISTS {0}.meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS {0}.sessions(
    id TEXT PRIMARY KEY, project TEXT NOT NULL, title TEXT NOT NULL, name TEXT, kind TEXT NOT NULL, host TEXT NOT NULL,
    pid INTEGER NOT NULL, python TEXT NOT NULL, argv TEXT NOT NULL, cwd TEXT NOT NULL, started TEXT NOT NULL,
    ended TEXT, connected INTEGER NOT NULL, private INTEGER NOT NULL, acked INTEGER NOT NULL, event INTEGER NOT NULL,
    key BLOB NOT NULL, script TEXT, run INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS {0}.sessions_event ON sessions(event);
CREATE INDEX IF NOT EXISTS {0}.sessions_script ON sessions(script, project) WHERE script IS NOT NULL;
CREATE TABLE IF NOT EXISTS {0}.outputs(
    id INTEGER PRIMARY KEY, session TEXT NOT NULL, display_id TEXT NOT NULL, project TEXT NOT NULL, title TEXT,
    created TEXT NOT NULL, updated TEXT NOT NULL, version INTEGER NOT NULL, size INTEGER NOT NULL,
    pinned INTEGER NOT NULL DEFAULT 0, note TEXT, removed TEXT, private INTEGER NOT NULL, event INTEGER NOT NULL,
    source TEXT NOT NULL, metadata TEXT NOT NULL, problems TEXT NOT NULL, data TEXT NOT NULL,
    versions INTEGER NOT NULL DEFAULT 1, figure TEXT, seconds REAL, site TEXT, stack TEXT, fingerprint TEXT, run TEXT,
    UNIQUE(session, display_id)
);
CREATE INDEX IF NOT EXISTS {0}.outputs_event ON outputs(event);
CREATE INDEX IF NOT EXISTS {0}.outputs_stack ON outputs(stack) WHERE stack IS NOT NULL;
CREATE INDEX IF NOT EXISTS {0}.outputs_removed ON outputs(removed) WHERE removed IS NOT NULL;
CREATE TABLE IF NOT EXISTS {0}.versions(
    output INTEGER NOT NULL, version INTEGER NOT NULL, session TEXT NOT NULL, seq INTEGER, created TEXT NOT NULL,
    size INTEGER NOT NULL, data TEXT NOT NULL, figure TEXT, PRIMARY KEY(output, version)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS {0}.versions_figure ON versions(json_extract(figure, '$.id')) WHERE figure IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS {0}.versions_seq ON versions(session, seq) WHERE seq IS NOT NULL;
CREATE TABLE IF NOT EXISTS {0}.data(
    n INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, refs INTEGER NOT NULL,
    touched INTEGER NOT NULL, file INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS {0}.data_unused ON data(touched) WHERE refs <= 0;
CREATE TABLE IF NOT EXISTS {0}.bytes(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS {0}.tombstones(id INTEGER PRIMARY KEY, event INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS {0}.tombstones_event ON tombstones(event);
CREATE TABLE IF NOT EXISTS {0}.texts(
    output INTEGER PRIMARY KEY, session TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS {0}.texts_kind ON texts(kind);
"""

_LATER = {
    "outputs": ((2, "figure"), (4, "seconds"), (5, "site"), (5, "stack"), (5, "fingerprint"), (5, "run")),
    "versions": ((2, "figure"),),
    "sessions": ((5, "script"), (5, "run")),
}
"""Columns that came later, in their order, with the version that they came with."""

# A session that became private has its row in both: the private one counts.
_VIEWS = """
CREATE TEMP VIEW outputs AS SELECT *{outputs} FROM main.outputs UNION ALL SELECT * FROM private.outputs;
CREATE TEMP VIEW versions AS SELECT *{versions} FROM main.versions UNION ALL SELECT * FROM private.versions;
CREATE TEMP VIEW texts AS {texts} SELECT * FROM private.texts;
CREATE TEMP VIEW data AS
    SELECT *, 'main' AS place FROM main.data UNION ALL SELECT *, 'private' AS place FROM private.data;
CREATE TEMP VIEW tombstones AS SELECT * FROM main.tombstones UNION ALL SELECT * FROM private.tombstones;
CREATE TEMP VIEW sessions AS SELECT * FROM private.sessions
    UNION ALL SELECT *{sessions} FROM main.sessions WHERE id NOT IN (SELECT id FROM private.sessions);
"""


class NewerSchema(Exception):
    """The database was written by a later version of ipyweb."""


class Damaged(Exception):
    """The file is no database, or its contents contradict themselves."""


def connect(path: Path | None, *, check: bool = True, read_only: bool = False) -> sqlite3.Connection:
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
    connection = sqlite3.connect(target, uri=True, isolation_level=None, timeout=5, cached_statements=256)
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
    connection.executescript(_VIEWS.format(texts=texts, **missing))


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
    changes = [change.format(schema) for each in range(version or SCHEMA, SCHEMA) for change in _CHANGES[each]]
    connection.executescript(
        f"BEGIN; {''.join(f'{change};' for change in changes)} {_TABLES.format(schema)}"
        f"PRAGMA {schema}.application_id = {APPLICATION_ID}; PRAGMA {schema}.user_version = {SCHEMA}; COMMIT;"
    )
