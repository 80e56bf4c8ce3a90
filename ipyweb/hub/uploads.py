"""Blobs that producers upload: streamed to disk (or memory) while they are hashed, kept only if the hash is right."""

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from tornado.web import stream_request_body

from .base import PRODUCERS, Guard
from .context import Context
from .store import Unavailable

T = TypeVar("T")
BATCH = 2**20
UPLOAD_SECONDS = 3600.0
_SESSION = re.compile(r"[0-9a-f]{32}")


class Sink(Protocol):
    """Where the bytes of an upload go."""

    @property
    def content(self) -> bytes | Path:
        """All bytes, or the file that holds them."""

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def discard(self) -> None:
        """Forget everything, unless it was taken over."""


class MemorySink:
    """Collects bytes in memory."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def content(self) -> bytes:
        return bytes(self._buffer)

    def write(self, chunk: bytes) -> None:
        self._buffer += chunk

    def discard(self) -> None:
        self._buffer.clear()


class FileSink:
    """Collects bytes in a new private file."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = directory / secrets.token_hex(16)
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    @property
    def content(self) -> Path:
        return self._path

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._file.flush()

    def discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


@stream_request_body
class BlobsHandler(Guard):
    """``/api/blobs/SHA256``."""

    scopes = PRODUCERS

    def initialize(self, context: Context) -> None:
        super().initialize(context)
        self._hash = hashlib.sha256()
        self._size = 0
        self._waiting = bytearray()
        self._sink: Sink | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        super().prepare()
        if self.request.method != "PUT":
            return
        length = self.request.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,18}", length):
            self.refuse(411, "expected a Content-Length")
        if int(length) > self.hub.max_blob_bytes:
            self.refuse(413, f"{length} bytes are more than Hub.max_blob_bytes = {self.hub.max_blob_bytes}")
        self.request.connection.set_max_body_size(self.hub.max_blob_bytes)  # type: ignore[union-attr]
        self.request.connection.set_body_timeout(UPLOAD_SECONDS)  # type: ignore[union-attr]
        session = self.session
        private = await self.hub.call(lambda store: store.is_private(session))
        directory = None if private else self.hub.uploads
        if directory is None:
            self._sink = MemorySink()
        else:
            self._sink = await self._writing(FileSink, directory)

    @property
    def session(self) -> str | None:
        """The session for which the blob is."""
        name = self.request.headers.get("X-Ipyweb-Session", "")
        return name if _SESSION.fullmatch(name) else None

    async def data_received(self, chunk: bytes) -> None:
        self._waiting += chunk
        if len(self._waiting) >= BATCH:
            await self._write()

    async def head(self, sha256: str) -> None:
        session = self.session
        if not await self.hub.call(lambda store: store.has_blob(sha256, session)):
            self.set_status(404)
        self.finish()

    async def put(self, sha256: str) -> None:
        assert self._sink is not None
        await self._write()
        if self._hash.hexdigest() != sha256:
            self.refuse(400, f"expected bytes with SHA-256 {sha256}, got {self._hash.hexdigest()}")
        content, size, session = self._sink.content, self._size, self.session
        known = await self.hub.call(lambda store: store.has_blob(sha256, session))
        if not known:
            await self.hub.call(lambda store: store.put_blob(sha256, content, size, session))
        self.set_status(200 if known else 201)
        self.finish()

    def on_finish(self) -> None:
        self._discard()

    def on_connection_close(self) -> None:
        self._discard()

    def _discard(self) -> None:
        if self._sink is not None:
            self._sink.discard()

    async def _write(self) -> None:
        assert self._sink is not None
        chunk, self._waiting = bytes(self._waiting), bytearray()
        self._size += len(chunk)
        await self._writing(self._take, chunk)

    def _take(self, chunk: bytes) -> None:
        assert self._sink is not None
        self._hash.update(chunk)
        self._sink.write(chunk)

    async def _writing(self, function: Callable[..., T], *values: object) -> T:
        try:
            return await self.hub.in_background(function, *values)
        except OSError as error:
            raise Unavailable(f"the upload could not be written: {error.strerror}") from error
