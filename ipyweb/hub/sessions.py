"""Sessions in the store: who they are, and that nobody else resumes them."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

from .blobs import Blobs
from .database import Database
from .messages import Hello
from .store import NotFound, SessionRow, Unavailable, WrongKey, timestamp
from .transactions import KnownSession, Transactions

_COLUMNS = (*SessionRow._fields[:-1], "key")
_REPLACED = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])


class Sessions(Transactions):
    """The sessions' part of `SqlStore`."""

    def __init__(
        self,
        connection: Database,
        blobs: Blobs,
        read_only: Unavailable | None,
        event: int,
        next_id: int,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(connection, blobs, read_only, event, next_id)
        self.clock = clock

    def now(self) -> str:
        """The time as it stands in records."""
        return timestamp(self.clock())

    def open_session(self, hello: Hello) -> int:
        session = self.find_session(hello.id)
        if session is None:
            session = self.introduce(hello)
        elif not hmac.compare_digest(session.key, _key_hash(hello.key)):
            raise WrongKey(f"session {hello.id} belongs to another process")
        session.expected = None
        # A session that became private is so only in memory, which may have gone with the hub that was told.
        private = int(session.row.private or hello.private)
        session.row = session.row._replace(connected=1, ended=None, lost=0, private=private)
        if self.may_write():
            self.save_session(session)
        return session.acked

    def knows(self, session: str, key: str) -> bool:
        found = self.find_session(session)
        return found is not None and hmac.compare_digest(found.key, _key_hash(key))

    def close_session(self, session: str) -> None:
        self.set_session(session, connected=0)

    def end_session(self, session: str) -> None:
        found = self.find_session(session)
        if found is None or found.row.connected:
            return
        if found.row.ended is None:
            self.set_session(session, ended=self.now(), lost=1)
        self.known.pop(session)

    def disconnect_lost(self) -> list[str]:
        found = [name for (name,) in self.db.execute("SELECT id FROM sessions WHERE ended IS NULL")]
        for name in found:
            self.set_session(name, connected=0)
        return found

    def introduce(self, hello: Hello) -> KnownSession:
        """Remember a session that was never here; `save_session` stores it."""
        row = SessionRow(
            id=hello.id,
            project=hello.project,
            title=hello.title,
            name=hello.name,
            kind=hello.kind,
            host=hello.host,
            pid=hello.pid,
            python=hello.python,
            argv=hello.argv,
            cwd=hello.cwd,
            started=hello.started,
            ended=None,
            connected=0,
            private=int(hello.private),
            acked=0,
            event=0,
            script=hello.script,
            place=hello.place,
        )
        session = self.known[hello.id] = KnownSession(row, _key_hash(hello.key), stored=False)
        return session

    def find_session(self, session_id: str) -> KnownSession | None:
        """A session, from memory or the database."""
        if session_id in self.known:
            return self.known[session_id]
        row = self.db.execute(f"SELECT {', '.join(_COLUMNS)} FROM sessions WHERE id = ?", (session_id,)).fetchone()
        if row is None:
            return None
        session = self.known[session_id] = KnownSession(SessionRow(*row[:-1]), row[-1], stored=True)
        return session

    def get_session(self, session_id: str) -> KnownSession:
        """A session that must be there. Raises `NotFound`."""
        session = self.find_session(session_id)
        if session is None:
            raise NotFound(f"there is no session {session_id}")
        return session

    def set_session(self, session_id: str, **values: Any) -> None:
        """Change a session's record, on disk too if writing is possible."""
        session = self.find_session(session_id)
        if session is None:
            return
        session.row = session.row._replace(**values)
        if self.may_write():
            self.save_session(session)

    def save_session(self, session: KnownSession) -> None:
        """Write a session's row where it belongs, whole."""
        event = self.session_changed(session.row.id)
        session.row = session.row._replace(event=event, acked=session.acked)
        values = (*session.row[:-1], session.key)
        marks = ", ".join("?" * len(values))
        schema = self.schema_of(session.row.private)
        self.db.execute(
            f"INSERT INTO {schema}.sessions({', '.join(_COLUMNS)}) VALUES({marks}) "
            f"ON CONFLICT(id) DO UPDATE SET {_REPLACED}",
            values,
        )
        for other in self.db.schemas:  # what was private is so no longer
            if schema == self.db.main != other:
                self.db.execute(f"DELETE FROM {other}.sessions WHERE id = ?", (session.row.id,))
        session.stored = True


def _key_hash(key: str) -> bytes:
    return hashlib.sha256(bytes.fromhex(key)).digest()
