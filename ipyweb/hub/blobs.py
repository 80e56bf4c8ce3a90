"""Stored bytes, addressed by their SHA-256 and counted by reference.

Up to `INLINE` bytes lie in the database, more in files ``blobs/ab/<sha256>`` beside it, so that neither thousands of
small files nor a bloated database appear. Bytes of private sessions always lie in the ``private`` schema, in memory.
Bytes without references are deleted, but not within `GRACE` seconds of an upload or a question for them.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from .database import Database
from .messages import Blob
from .store import MissingBlob, NotFound

INLINE = 64 * 1024
GRACE = 3600


class Blobs:
    """The bytes of one store. All methods run inside the store's transaction.

    Attributes:
        directory: where files go; ``None`` keeps everything in the database.
        growth: bytes that have come in the running transaction, less those that have gone.
    """

    def __init__(self, connection: Database, directory: Path | None) -> None:
        self.directory = directory
        self._db = connection
        self._obsolete: set[str] = set()  # files to delete once the transaction is committed
        self._file_bytes: int | None = None
        self.growth = 0

    @property
    def file_bytes(self) -> int:
        """Bytes in files."""
        if self._file_bytes is None:
            (self._file_bytes,) = self._db.execute("SELECT coalesce(sum(size), 0) FROM data WHERE file <> 0").fetchone()
        assert self._file_bytes is not None
        return self._file_bytes

    def reference(self, schema: str, content: bytes | memoryview | Blob) -> tuple[str, int]:
        """Count one more use of bytes, storing them if they are new.

        Returns:
            Their SHA-256 and size.

        Raises:
            MissingBlob: they were not uploaded.
        """
        if isinstance(content, Blob):
            return content.sha256, self._reference_stored(schema, content.sha256)
        digest = hashlib.sha256(content).digest()
        self.store(schema, digest, content, refs=1)
        return digest.hex(), len(content)

    def check(self, content: bytes | memoryview | Blob) -> None:
        """Make sure that bytes referred to are there.

        Raises:
            MissingBlob: they were not uploaded.
        """
        if isinstance(content, Blob) and self._find(content.sha256) is None:
            raise MissingBlob(f"upload blob {content.sha256} first")

    def store(self, schema: str, digest: bytes, content: bytes | memoryview, *, refs: int = 0) -> None:
        """Keep bytes, unless they are there. Without `refs` they count as just uploaded."""
        touched = 0 if refs else int(time.time())
        in_file = len(content) > INLINE and schema == self._db.main and self.directory is not None
        n, fresh = self._count(schema, digest, len(content), refs, touched, in_file)
        if not fresh:
            return
        if in_file:
            self._write(digest.hex(), content)
        else:
            self._db.execute(f"INSERT INTO {schema}.bytes(n, bytes) VALUES(?, ?)", (n, content))

    def adopt(self, sha256: str, path: Path, size: int) -> None:
        """Take over a file that holds verified bytes."""
        if size <= INLINE:
            self.store(self._db.main, bytes.fromhex(sha256), path.read_bytes())
            path.unlink()
        else:
            self._count(self._db.main, bytes.fromhex(sha256), size, 0, int(time.time()), True)
            os.replace(path, self._place(sha256))

    def touch(self, sha256: str, schemas: Iterable[str]) -> bool:
        """Whether bytes are there; if so they stay for `GRACE` more seconds."""
        found = False
        for schema in schemas:
            statement = f"UPDATE {schema}.data SET touched = ? WHERE sha256 = ?"
            found |= self._db.execute(statement, (int(time.time()), bytes.fromhex(sha256))).rowcount > 0
        return found

    def release(self, schema: str, sha256s: Iterable[str]) -> None:
        """Count one use less of each, and delete what is not used any more."""
        for sha256 in sha256s:
            digest = bytes.fromhex(sha256)
            self._db.execute(f"UPDATE {schema}.data SET refs = refs - 1 WHERE sha256 = ?", (digest,))
        self.sweep(schema)

    def sweep(self, schema: str) -> None:
        """Delete what nothing refers to."""
        before = self.file_bytes
        statement = f"DELETE FROM {schema}.data WHERE refs <= 0 AND touched < ? RETURNING n, sha256, size, file"
        for n, digest, size, file in self._db.execute(statement, (int(time.time()) - GRACE,)).fetchall():
            self._db.execute(f"DELETE FROM {schema}.bytes WHERE n = ?", (n,))
            self.growth -= size
            if file:
                self._obsolete.add(digest.hex())
                self._file_bytes = before = before - size

    def open(self, sha256: str) -> tuple[int, bytes | BinaryIO]:
        """Size and content; a file comes open, so that a later deletion does no harm.

        Raises:
            NotFound: they are not stored.
        """
        found = self._find(sha256)
        if found is None:
            raise NotFound(f"no data with SHA-256 {sha256} is stored")
        schema, n, size, file = found
        if not file:
            (content,) = self._db.execute(f"SELECT bytes FROM {schema}.bytes WHERE n = ?", (n,)).fetchone()
            return size, content
        try:
            return size, self._place(sha256).open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"the file of blob {sha256} is gone from {self.directory}") from error

    def committed(self) -> None:
        """Delete the files that the committed transaction made obsolete."""
        for sha256 in self._obsolete:
            self._place(sha256).unlink(missing_ok=True)
        self._obsolete.clear()
        self.growth = 0

    def rolled_back(self) -> None:
        """Forget what the transaction meant to do."""
        self._obsolete.clear()
        self._file_bytes = None
        self.growth = 0

    def delete_strays(self) -> None:
        """Delete files that no row knows: left by a crash between file and commit, or half uploaded."""
        if self.directory is None:
            return
        known = {digest.hex() for (digest,) in self._db.execute("SELECT sha256 FROM main.data WHERE file <> 0")}
        for path in self.directory.glob("*/*"):
            if path.name not in known:
                path.unlink(missing_ok=True)

    def incoming(self) -> Path:
        """A new name for a file to upload into, on the same file system as its later place."""
        assert self.directory is not None
        folder = self.directory / "incoming"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / secrets.token_hex(16)

    def _reference_stored(self, schema: str, sha256: str) -> int:
        digest = bytes.fromhex(sha256)
        row = self._db.execute(
            f"UPDATE {schema}.data SET refs = refs + 1 WHERE sha256 = ? RETURNING size", (digest,)
        ).fetchone()
        if row is not None:
            return int(row[0])
        size, content = self.open_for(sha256)  # it is there, but on the other side of the privacy border
        self.store(schema, digest, content, refs=1)
        return size

    def open_for(self, sha256: str) -> tuple[int, bytes]:
        """Size and all of the content.

        Raises:
            MissingBlob: they were not uploaded.
        """
        try:
            content = self.read(sha256)
        except NotFound as error:
            raise MissingBlob(f"upload blob {sha256} first") from error
        return len(content), content

    def read(self, sha256: str) -> bytes:
        """All of the content.

        Raises:
            NotFound: they are not stored.
        """
        _, content = self.open(sha256)
        if isinstance(content, bytes):
            return content
        with content:
            return content.read()

    def _count(self, schema: str, digest: bytes, size: int, refs: int, touched: int, file: bool) -> tuple[int, bool]:
        """Add a row or references to it; returns its number and whether it is new."""
        row = self._db.execute(
            f"UPDATE {schema}.data SET refs = refs + ?, touched = CASE WHEN touched < ? THEN ? ELSE touched END "
            "WHERE sha256 = ? RETURNING n",
            (refs, touched, touched, digest),
        ).fetchone()
        if row is not None:
            return int(row[0]), False
        self.growth += size
        if file:
            self._file_bytes = self.file_bytes + size
            self._obsolete.discard(digest.hex())
        (n,) = self._db.execute(
            f"INSERT INTO {schema}.data(sha256, size, refs, touched, file) VALUES(?, ?, ?, ?, ?) RETURNING n",
            (digest, size, refs, touched, int(file)),
        ).fetchone()
        return n, True

    def _find(self, sha256: str) -> tuple[str, int, int, int] | None:
        for schema in self._db.schemas:
            statement = f"SELECT n, size, file FROM {schema}.data WHERE sha256 = ?"
            if (found := self._db.execute(statement, (bytes.fromhex(sha256),)).fetchone()) is not None:
                return (schema, *found)
        return None

    def _place(self, sha256: str) -> Path:
        assert self.directory is not None
        folder = self.directory / sha256[:2]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / sha256

    def _write(self, sha256: str, content: bytes | memoryview) -> None:
        temporary = self.incoming()
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        os.replace(temporary, self._place(sha256))
