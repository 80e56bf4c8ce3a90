"""Stored bytes over HTTP, whole or in ranges (RFC 9110, section 14), in chunks and without waiting for the disk."""

import re
from typing import BinaryIO

from .base import Handler
from .store import Data

CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_TEXTUAL = re.compile(r"text/.*|application/javascript|image/svg\+xml|.*\bjson")
BYTES_CSP = "sandbox; default-src 'none'; frame-ancestors 'none'"


class BytesHandler(Handler):
    """Answers with stored bytes."""

    async def send_bytes(self, data: Data, content_type: str) -> None:
        """Answer with bytes, or the range of them that was asked for."""
        try:
            await self._send(data, content_type)
        finally:
            if not isinstance(data.content, bytes):
                data.content.close()

    async def _send(self, data: Data, content_type: str) -> None:
        start, end = self._range(data.size)
        self.set_header("Content-Type", content_type)
        self.set_header("Content-Security-Policy", BYTES_CSP)
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Content-Length", str(end - start))
        if self.request.method == "HEAD":
            return
        if isinstance(data.content, bytes):
            self.finish(data.content[start:end])
        else:
            await self._send_file(data.content, start, end)

    async def _send_file(self, file: BinaryIO, start: int, end: int) -> None:
        await self.hub.in_background(file.seek, start)
        while start < end:
            chunk = await self.hub.in_background(file.read, min(CHUNK, end - start))
            if not chunk:
                raise OSError(f"a blob file is {end - start} bytes too short")
            start += len(chunk)
            self.write(chunk)
            await self.flush()

    def _range(self, size: int) -> tuple[int, int]:
        match = _RANGE.fullmatch(self.request.headers.get("Range", ""))
        if match is None or match.group() == "bytes=-":
            return 0, size
        first, last = match.groups()
        start = int(first) if first else max(0, size - int(last))
        end = min(int(last) + 1, size) if first and last else size
        if start >= end:
            self.set_header("Content-Range", f"bytes */{size}")
            self.refuse(416, f"expected a range within {size} bytes, got {match.group()}")
        self.set_status(206)
        self.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        return start, end


def content_type_of(mimetype: str) -> str:
    """The Content-Type of a MIME type, with its charset; octets where it could not stand in a header."""
    if not _CONTENT_TYPE.fullmatch(mimetype):
        return "application/octet-stream"
    return f"{mimetype}; charset=utf-8" if _TEXTUAL.fullmatch(mimetype) else mimetype
