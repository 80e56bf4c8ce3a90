"""PostgreSQL: how a connection is opened, and what it does in its own way.

Everything lies in the schema ``ipyweb`` of one database. Where to connect is libpq's to know: an address without a
password, and for the rest its own files and environment (``~/.pgpass``, ``PGPASSFILE``, ``PGSERVICE``, ``PGSSLMODE``;
https://www.postgresql.org/docs/current/libpq-envars.html).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from .database import SCHEMA, TABLES, Cursor, NewerSchema, Query, changes_since, meant

LOCKS = 0x69707977  # "ipyw": the class of our advisory locks
CHANNEL = "ipyweb"
_NAMES = {
    "schema": "",
    "text": 'TEXT COLLATE "C"',  # times and words are compared by their bytes, as SQLite does
    "integer": "BIGINT",
    "real": "DOUBLE PRECISION",
    "bytes": "BYTEA",
    "number": "BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY",
    "without_rowid": "",
}
_DEFAULTS = {
    "application_name": "ipyweb",
    "connect_timeout": "5",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""What an address may say otherwise: a hub must not wait for a server that has vanished."""

_SETTINGS = {
    "search_path": "ipyweb",
    "client_min_messages": "warning",
    "lock_timeout": "20s",
    "statement_timeout": "120s",
    "idle_in_transaction_session_timeout": "60s",  # whoever is stuck must not hold up the others
}
_BEFORE = """
CREATE OR REPLACE FUNCTION json_extract(value text, path text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT jsonb_path_query_first(value::jsonb, path::jsonpath) #>> '{}' $$;
CREATE OR REPLACE FUNCTION json_type(value text, path text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT CASE jsonb_typeof(found) WHEN 'boolean' THEN found #>> '{}' ELSE jsonb_typeof(found) END
          FROM jsonb_path_query_first(value::jsonb, path::jsonpath) AS found $$;
"""
_AFTER = """
CREATE SEQUENCE IF NOT EXISTS hubs AS integer CYCLE;
CREATE TABLE IF NOT EXISTS owner(hub TEXT NOT NULL, proof BYTEA NOT NULL);
CREATE TABLE IF NOT EXISTS renewals(proof BYTEA PRIMARY KEY, nonce BYTEA NOT NULL);
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS hub BIGINT;
ALTER TABLE bytes ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE texts ALTER COLUMN text SET STORAGE MAIN;
ALTER TABLE texts SET (toast_tuple_target = 8160);
ALTER TABLE grams ALTER COLUMN bits SET STORAGE PLAIN;
DROP INDEX IF EXISTS texts_trigrams, texts_session, texts_kind, outputs_updated;
CREATE INDEX IF NOT EXISTS texts_kind_output ON texts(kind, output);
CREATE INDEX IF NOT EXISTS outputs_updated_id ON outputs(updated, id);
CREATE INDEX IF NOT EXISTS outputs_session_id ON outputs(session, id);
CREATE INDEX IF NOT EXISTS sessions_open ON sessions(hub) WHERE ended IS NULL;
"""
_OPEN = frozenset({TransactionStatus.ACTIVE, TransactionStatus.INTRANS, TransactionStatus.INERROR})


class Connection:
    """See `database.Database`. It can be opened again after it was lost.

    Args:
        address: a ``postgresql://`` address.

    Raises:
        NewerSchema: the tables are of a later version than `SCHEMA`. Nothing was changed.
        psycopg.Error: it cannot be reached, or not be written.
    """

    main = "ipyweb"
    schemas: tuple[str, ...] = ("ipyweb",)
    ids = "(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(?))"
    array = "CAST(to_json(array_agg({})) AS text)"
    Error: type[Exception] = psycopg.Error

    def __init__(self, address: str) -> None:
        self.address = address
        self._connection = connect(address)
        try:
            with self._connection.transaction():
                _make_tables(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def reopen(self) -> None:
        """Connect anew. Raises `psycopg.Error`."""
        self._connection.close()
        self._connection = connect(self.address)

    @property
    def is_lost(self) -> bool:
        """Whether the server is gone, or has let go of us."""
        return self._connection.closed

    @property
    def in_transaction(self) -> bool:
        return self._connection.info.transaction_status in _OPEN

    def execute(self, sql: str, values: Iterable[Any] = (), /) -> Cursor:
        return self._connection.execute(_translated(sql), tuple(values), binary=True)

    def executemany(self, sql: str, values: Iterable[Any], /) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_translated(sql), values)

    def says(self, query: Query) -> tuple[str, list[Any]]:
        conditions: list[str] = ["1 = 1"]
        values: list[Any] = []
        for term in query:
            condition, given = meant(term, "= ANY(?)", list)
            conditions.append(f"({condition} OR strpos(text, ?) > 0)" if condition else "strpos(text, ?) > 0")
            values += [*given, term.text]
        return " AND ".join(conditions), values

    def close(self) -> None:
        self._connection.close()


def connect(address: str) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection with our settings. Raises `psycopg.Error`."""
    given = conninfo_to_dict(address)
    defaults = {name: value for name, value in _DEFAULTS.items() if name not in given}
    connection = psycopg.connect(address, autocommit=True, **defaults)  # type: ignore[arg-type]
    connection.prepared_max = 300
    try:
        for name, value in _SETTINGS.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        # What is acknowledged is stored: only stricter settings of the server are left as they are.
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: "psycopg.Connection[Any]") -> None:
    """Make what is missing; one hub at a time."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LOCKS,))
    # CREATE SCHEMA IF NOT EXISTS asks for the right to make one even where it is there
    if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'ipyweb'").fetchone() is None:
        connection.execute("CREATE SCHEMA ipyweb")
    version = _version(connection)
    if version > SCHEMA:
        raise NewerSchema(f"its tables have version {version}, this ipyweb knows {SCHEMA}")
    if version < SCHEMA:
        changes = changes_since(version or SCHEMA, _NAMES)
        for statements in (_BEFORE, *changes, TABLES.format(**_NAMES), _AFTER):
            connection.execute(statements.encode())  # bytes, so that mypy knows that they come from nobody else
        connection.execute(
            "INSERT INTO meta(key, value) VALUES('schema', %s) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            (SCHEMA,),
        )


def _version(connection: "psycopg.Connection[Any]") -> int:
    if connection.execute("SELECT to_regclass('ipyweb.meta')").fetchone() == (None,):
        return 0
    found = connection.execute("SELECT value FROM ipyweb.meta WHERE key = 'schema'").fetchone()
    return int(found[0]) if found else 0


@lru_cache(1024)
def _translated(sql: str) -> bytes:
    """A statement with psycopg's marks for values."""
    return sql.replace("%", "%%").replace("?", "%s").encode()
