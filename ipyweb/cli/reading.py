"""What a program, or an agent, reads of an output: its words, and its picture in a size that it can afford."""

import io
import math
from fnmatch import fnmatch
from typing import Any, NamedTuple
from urllib.parse import urlencode

from ..connection import Connection, Response, request
from . import pictures, words
from .app import Failure
from .exporters import png_size
from .outputs import Record
from .waiting import Watch

DRAW_SECONDS = 150.0
"""How long the hub may take to have a figure drawn."""

MOST_BYTES = 64 * 2**20
"""Largest specification that is read to say what is in it."""

LARGEST = 6 * 2**20
"""Bytes of a picture that is handed over as it is, when it cannot be made smaller."""

_TELLING = ("*plotly.v1+json", "*vegalite.v*", "*vega.v*", "text/plain", "text/*", "application/*json")
"""MIME types, with wildcards, by how well they tell in words what is seen."""

_RASTER = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/avif", "image/tiff")
_HANDED_OVER = ("image/png", "image/jpeg", "image/webp", "image/gif")
"""What agents can read."""


class Picture(NamedTuple):
    """A picture, and what is to be said about it, if anything."""

    data: bytes
    mime: str = "image/png"
    note: str = ""


class Room(NamedTuple):
    """How large a picture may be: a box in pixels, whose sides are free where ``None``, and so many pixels in all."""

    width: int | None = None
    height: int | None = None
    pixels: int | None = None

    def factor(self, width: float, height: float) -> float:
        """What brings a size into this room: to the box, larger or smaller, but to fewer pixels only."""
        sides = ((self.width, width), (self.height, height))
        asked = min((wanted / own for wanted, own in sides if wanted), default=1.0)
        most = math.sqrt(self.pixels / (width * height)) if self.pixels else math.inf
        return min(asked, most)

    def size(self, width: float, height: float) -> tuple[int, int]:
        """A size brought into this room, in whole pixels."""
        factor = self.factor(width, height)
        return max(1, int(width * factor + 1e-6)), max(1, int(height * factor + 1e-6))


def data_of(connection: Connection, record: Record, mime: str = "", **options: Any) -> Response:
    """The hub's answer with the bytes of one representation, the richest unless `mime` is given.

    Raises:
        OutputNotFound: there is none.
        HubError: it cannot be drawn; the text says why.
    """
    query = urlencode({**({"mime": mime} if mime else {}), **options})
    return request(connection, "GET", f"api/outputs/{record['id']}/data?{query}", timeout=DRAW_SECONDS)


def text_of(connection: Connection, record: Record, patience: float = 10.0) -> str | None:
    """What an output says in words; ``None`` when it says nothing.

    Args:
        connection: a hub that was challenged.
        record: of the output.
        patience: seconds to wait for the description of a figure that is being drawn.
    """
    figure = record["figure"]
    if figure and "description" not in figure and not figure.get("failed"):
        watch = Watch(connection, patience)
        while (changed := watch.change(record)) is not None:
            record, figure = changed, changed["figure"] or {}
            if "description" in figure or figure.get("failed"):
                break
    if figure and figure.get("description"):
        return str(figure["description"])
    for mime in (mime for pattern in _TELLING for mime in record["mimetypes"] if fnmatch(mime, pattern)):
        if record["data"][mime]["size"] <= MOST_BYTES:
            said = words.describe(mime, data_of(connection, record, mime).body)
            if said is not None:
                return said
    return None


def picture_of(connection: Connection, record: Record, room: Room) -> Picture | None:
    """An output as a picture; ``None`` when it is only text.

    It keeps its layout in every size: a matplotlib figure is drawn at another resolution, others are scaled.

    Raises:
        Failure: no picture can be made here; the text says why.
        HubError: the figure cannot be drawn; the text says why.
    """
    if record["figure"] and not record["figure"].get("failed"):
        return _of_figure(connection, record, room)
    raster = next((mime for mime in _RASTER if mime in record["mimetypes"]), None)
    if raster is not None:
        return _fitted(data_of(connection, record, raster).body, raster, room)
    if pictures.kind_of(record) is None:
        return None
    drawn = pictures.draw(connection, record, "image/png", room.width, room.height, fit=True)
    return _fitted(drawn, "image/png", room)


def _of_figure(connection: Connection, record: Record, room: Room) -> Picture:
    figure = record["figure"]
    width, height = room.size(*figure["size"])
    dpi = max(1.0, figure["dpi"] * room.factor(*figure["size"]))
    answer = data_of(connection, record, "image/png", width=width, height=height, dpi=dpi)
    note = ""
    if answer.headers.get("x-ipyweb-rendered") != "keeper":
        note = f"as it was stored: {answer.headers.get('x-ipyweb-reason', 'its keeper is gone')}"
    fitted = _fitted(answer.body, "image/png", room)
    return fitted._replace(note="; ".join(filter(None, (note, fitted.note))))


def _fitted(data: bytes, mime: str, room: Room) -> Picture:
    """A raster image, made smaller if it has no room, or is of a type that agents cannot read."""
    own = png_size(data)
    if own is not None and room.factor(*own) >= 1:
        return Picture(data, mime)
    try:
        from PIL import Image
    except ImportError:
        return _as_it_is(data, mime, "Pillow would make it smaller (python -m pip install pillow)")
    try:
        with Image.open(io.BytesIO(data)) as image:
            fits = room.factor(*image.size) >= 1
            if fits and mime in _HANDED_OVER:
                return Picture(data, mime)
            size = image.size if fits else room.size(*image.size)
            resized = image.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
    except Exception as error:  # an image of somebody else's: anything may be wrong with it
        return _as_it_is(data, mime, f"it cannot be made smaller: {error}")
    made = io.BytesIO()
    resized.save(made, "PNG")
    return Picture(made.getvalue(), "image/png")


def _as_it_is(data: bytes, mime: str, note: str) -> Picture:
    if len(data) > LARGEST or mime not in _HANDED_OVER:
        raise Failure(f"its picture is {mime} of {len(data)} bytes; {note}")
    return Picture(data, mime, note)
