"""Messages and frames: what travels on the WebSockets between session, hub and pane.

A message is one JSON object, its *header*, with a ``"type"``, and any number of raw *buffers*.
A *frame* is one encoded message:

- without buffers, a text frame: the JSON object;
- with buffers, a binary frame: the length of the JSON as an unsigned 32-bit big-endian integer, the JSON in UTF-8,
  then the buffers one after another. The JSON names their lengths in bytes as ``"buffers": [n0, n1, …]``.

The data of a MIME bundle never travels as JSON values. It is serialized once, in the session, to the bytes that are
stored and served: text as UTF-8, JSON types as JSON text, images raw. In a message ``content["data"]`` maps each MIME
type to a `data reference`: ``{"buffer": i}`` for the message's own buffer, or ``{"blob": sha256, "size": n}`` for bytes
that went to the hub over HTTP before.

Beside what is shown, a bundle may carry *companions*: what its text needs to be drawn in a frame of its own that has no
network. They are data like all others (stored once per content, referred to by hash), under three MIME types that no
list of MIME types names and that are never shown themselves:

- ``application/vnd.ipyweb.asset; name=URL``: bytes that stand for whatever that URL names (BokehJS of the user's own
  package, say); the frame puts an address of its own in the URL's place. A name without a colon is one of the pane's
  own libraries (``plotly``), which the bytes then replace.
- ``application/vnd.ipyweb.prelude; n=0; type=text/html``: a "load" message that the session showed before; it goes in
  front of the text, in the order of ``n``. Its type is ``text/html`` or ``application/javascript``.
- ``application/vnd.ipyweb.renderer; type=MIME``: a JavaScript module that draws the bundle's data of that MIME type.

This module does no I/O and keeps no state. ``js/src/protocol.ts`` is its mirror, and ``tests/frames/`` holds frames
that both must read alike.
"""

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from .errors import FrameError

PROTOCOL = 1
"""Version of the protocol spoken here."""

PREVIOUS = 1
"""Oldest version that a hub of this version still understands."""

MAX_FRAME = 2**20
"""Largest frame in bytes. Proxies cut larger ones (jupyter-server-proxy at 10 MiB, many clients at 1 MiB)."""

BLOB_THRESHOLD = 256 * 1024
"""Data of more bytes than this travels as a blob over HTTP instead of inside a frame."""

JSON_LINES = "application/x-ndjson"
"""Type of a list with one JSON value in each line."""

NUMBERED = frozenset(
    {
        "display_data",
        "execute_result",
        "update_display_data",
        "clear_output",
        "drawn",
        "comm_open",
        "comm_msg",
        "comm_close",
        "session",
        "bye",
    }
)
"""Types of the messages that a session numbers, keeps until they are acknowledged, and replays after a break."""

RICHNESS = (
    r"application/vnd\.jupyter\.widget-view\+json",
    r"application/vnd\.plotly\.v1\+json",
    r"application/vnd\.vegalite\.v[56](\.\d+)*[.+]json",
    r"application/vnd\.vega\.v[56](\.\d+)*[.+]json",
    r"application/geo\+json",
    r"text/html",
    r"text/markdown",
    r"text/latex",
    r"image/svg\+xml",
    r"image/png",
    r"image/webp",
    r"image/avif",
    r"image/jpeg",
    r"image/gif",
    r"image/bmp",
    r"application/pdf",
    r"application/javascript",
    r"application/json",
    r"(?!text/plain|application/vnd\.ipyweb\.).*",
    r"(?!application/vnd\.ipyweb\.).*",
    r".*",
)
"""MIME types as regular expressions, the richest first. A bundle is shown as the richest of its types."""

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
"""MIME type of a widget: which model to show (ipywidgets, "Jupyter Widgets and Jupyter Widget State")."""

COMPANION = "application/vnd.ipyweb."
"""How the MIME types of companions begin."""

DISPLAYS = frozenset({"display_data", "execute_result", "update_display_data"})
"""Types of the messages that carry a MIME bundle."""

Header = dict[str, Any]
Frame = str | bytes


class Message(NamedTuple):
    """A decoded frame: its JSON object, and its buffers as views into the frame."""

    header: Header
    buffers: list[memoryview]

    @property
    def type(self) -> str:
        return str(self.header["type"])


def encode(header: Header, buffers: Sequence[bytes | memoryview] = ()) -> Frame:
    """Encode one message.

    Args:
        header: the JSON object, with a ``"type"``. Its ``"buffers"``, if any, is replaced, and so are lone surrogates,
            by question marks: UTF-8 cannot express them.
        buffers: the raw parts.

    Returns:
        A ``str`` (text frame) without buffers, ``bytes`` (binary frame) with them.

    Raises:
        FrameError: the header is not JSON (NaN and infinities included).
    """
    if buffers:
        header = {**header, "buffers": [len(b) for b in buffers]}
    try:
        text = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"expected a JSON header, got one that JSON cannot express: {error}") from error
    head = text.encode("utf-8", "replace")  # lone surrogates stand in file names that are not UTF-8
    return b"".join((len(head).to_bytes(4, "big"), head, *buffers)) if buffers else head.decode()


def decode(frame: Frame | memoryview) -> Message:
    """Decode one frame.

    Raises:
        FrameError: the frame is malformed.
    """
    if isinstance(frame, str):
        return Message(_header(frame), [])
    view = memoryview(frame)
    start, header = _binary_header(view)
    return Message(header, list(_buffers(view[start:], header.get("buffers"))))


def read_header(frame: Frame | memoryview) -> Header:
    """Decode only the JSON of a frame, without looking at its buffers.

    Raises:
        FrameError: the frame is malformed.
    """
    return _header(frame) if isinstance(frame, str) else _binary_header(memoryview(frame))[1]


def by_richness(mimetypes: Iterable[str]) -> list[str]:
    """Sort MIME types, the richest first; those that nobody here knows come before plain text."""
    return sorted(mimetypes, key=_rank)


def is_companion(mime: str) -> bool:
    """Whether a MIME type is that of a companion, which goes with a bundle and is never shown itself."""
    return mime.startswith(COMPANION)


def asset_type(name: str) -> str:
    """The MIME type of the bytes that stand for a URL, or replace a library of the pane."""
    return f"{COMPANION}asset; name={name}"


def prelude_type(n: int, type: str) -> str:  # noqa: A002
    """The MIME type of the `n`-th "load" message that goes in front of a text."""
    return f"{COMPANION}prelude; n={n}; type={type}"


def renderer_type(mime: str) -> str:
    """The MIME type of the JavaScript module that draws another MIME type."""
    return f"{COMPANION}renderer; type={mime}"


def is_known(mime: str) -> bool:
    """Whether the pane has a renderer for a MIME type, or it needs none."""
    return _rank(mime) < len(RICHNESS) - 3 or mime == "text/plain" or is_companion(mime)


@lru_cache(512)
def _rank(mime: str) -> int:
    return next(rank for rank, pattern in enumerate(RICHNESS) if re.fullmatch(pattern, mime, re.DOTALL))


def _binary_header(view: memoryview) -> tuple[int, Header]:
    if len(view) < 4:
        raise FrameError(f"expected a binary frame of at least 4 bytes, got {len(view)}")
    end = 4 + int.from_bytes(view[:4], "big")
    if end > len(view):
        raise FrameError(f"expected a header of {end - 4} bytes, got a frame of {len(view)}")
    try:
        return end, _header(str(view[4:end], "utf-8"))
    except UnicodeDecodeError as error:
        raise FrameError(f"expected a header in UTF-8: {error}") from error


def _header(text: str) -> Header:
    try:
        header = json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"expected a JSON object: {error}") from error
    if not isinstance(header, dict) or not isinstance(header.get("type"), str):
        raise FrameError('expected a JSON object with a string "type"')
    return header


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _buffers(view: memoryview, lengths: object) -> Iterable[memoryview]:
    if not isinstance(lengths, list) or not all(type(n) is int and n >= 0 for n in lengths):
        raise FrameError('expected "buffers" to be a list of lengths in bytes')
    if sum(lengths) != len(view):
        raise FrameError(f"expected {sum(lengths)} bytes of buffers, got {len(view)}")
    start = 0
    for length in lengths:
        yield view[start : start + length]
        start += length
