"""An output of the history in the terminal: its picture drawn, or else its text.

Both ``ipyweb show`` and ``%ipyweb inline`` draw what `picture` and `text` find.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from .connection import Connection, request
from .graphics import Area
from .plaintext import of_html
from .screen import Terminal

Record = Mapping[str, Any]

RASTER = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff")
DRAW_TIMEOUT = 150.0
"""Seconds that drawing a figure may take, as for ``ipyweb get``."""

DESIGN_CELL = (8, 16)
"""Pixels of a figure as made that a cell stands for, so that its letters are about as large as the terminal's."""

LEAST_PIXELS = 50
"""Of a figure's width and height, below which matplotlib draws nothing of use."""

_BARE_REPR = re.compile(r"<[\w.]+ object( at 0x[0-9a-fA-F]+)?>$|<PIL\.[^\n]*>$")
_ONLY_DRAWN = {"plotly", "vega", "widget", "image", "video", "audio", "pdf", "javascript"}
"""Kinds of outputs whose text is but the repr of what a browser draws."""


class Picture(NamedTuple):
    """A picture of an output: its MIME type, and the query that asks the hub for it."""

    mime: str
    query: dict[str, str]


def picture(record: Record, terminal: Terminal, room: Area, fill: bool = False) -> Picture | None:
    """The picture of an output for a terminal, if it has one.

    Args:
        record: of the output.
        terminal: where it is to be drawn.
        room: cells that it may have.
        fill: whether a figure takes all of the room, where it is smaller as made.
    """
    figure = _drawable(record)
    if figure is not None:
        return Picture("image/png", _size_of(figure, terminal, room, fill))
    mime = _raster(record)
    return None if mime is None else Picture(mime, {})


def has_picture(record: Record) -> bool:
    """Whether an output has a picture, whatever the terminal."""
    return _drawable(record) is not None or _raster(record) is not None


def _drawable(record: Record) -> Mapping[str, Any] | None:
    """What a record says of the figure that it shows, if that can be drawn."""
    figure: Mapping[str, Any] | None = record.get("figure")
    return figure if figure and not figure.get("failed") and "size" in figure else None


def _raster(record: Record) -> str | None:
    return next((each for each in record["mimetypes"] if each in RASTER), None)


def _size_of(figure: Mapping[str, Any], terminal: Terminal, room: Area, fill: bool) -> dict[str, str]:
    """Pixels and dpi of a figure: as large as made, or as there is room; its letters as large as made, or larger."""
    cell = DESIGN_CELL if terminal.protocol == "blocks" else terminal.cell
    sharp = cell[1] / DESIGN_CELL[1]
    width, height = (length * sharp for length in figure["size"])
    wide, high = room.columns * cell[0], room.rows * cell[1]
    share = min(wide / width, high / height)
    scale = max(1.0, share) if fill else 1.0
    if figure.get("default_size") and not fill:
        size = min(width, wide), min(height, high)
    else:
        size = width * min(scale, share), height * min(scale, share)
    pixels = [str(max(LEAST_PIXELS, int(length))) for length in size]
    dpi = min(10_000.0, max(1.0, figure["dpi"] * sharp * scale))
    return {"width": pixels[0], "height": pixels[1], "dpi": f"{dpi:.4g}", "margins": "1"}


def text(record: Record) -> str | None:
    """The MIME type of an output's text for people, if it has one that says something."""
    mimetypes = record["mimetypes"]
    if record.get("kind") in _ONLY_DRAWN and not has_picture(record):
        return None
    wanted = ("text/plain", "text/markdown", "text/html", "text/latex", "application/json")
    return next((each for each in wanted if each in mimetypes), None)


def read_picture(connection: Connection, record: Record, found: Picture) -> bytes:
    """The bytes of a picture.

    Raises:
        IpywebError: the hub has none, or does not answer.
    """
    return _data(connection, record, found.mime, found.query)


def read_text(connection: Connection, record: Record, mime: str) -> tuple[str, str]:
    """An output's text without markup, and its MIME type: another than that given, where its text says nothing.

    Raises:
        IpywebError: the hub has none, or does not answer.
    """
    words = _data(connection, record, mime, {}).decode("utf-8", "replace")
    others = [each for each in ("text/markdown", "text/html", "text/latex") if each in record["mimetypes"]]
    if mime == "text/plain" and others and is_bare(words):
        return read_text(connection, record, others[0])
    return mime, of_html(words) if mime == "text/html" else words


def is_bare(words: str) -> bool:
    """Whether a text is but the name of a class, such as ``<IPython.core.display.Image object>``."""
    return _BARE_REPR.match(words.strip()) is not None


def _data(connection: Connection, record: Record, mime: str, query: Mapping[str, str]) -> bytes:
    path = f"api/outputs/{record['id']}/data?{urlencode({'mime': mime, **query})}"
    return request(connection, "GET", path, timeout=DRAW_TIMEOUT).body
