"""``ipyweb get``."""

import base64
import json
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from traitlets import Bool, Unicode

from ..browser import is_terminal
from ..connection import Connection, request
from ..lengths import length
from ..project import project_of
from ..protocol import WIDGET_VIEW
from .app import Command, Failure, UsageError, started
from .outputs import Record, check_id, record_of

FORMATS = {
    "png": ("image/png",),
    "jpeg": ("image/jpeg",),
    "gif": ("image/gif",),
    "webp": ("image/webp",),
    "svg": ("image/svg+xml",),
    "pdf": ("application/pdf",),
    "html": ("text/html",),
    "markdown": ("text/markdown",),
    "latex": ("text/latex",),
    "text": ("text/plain",),
    "csv": ("text/csv",),
    "tiff": ("image/tiff",),
    "eps": ("application/eps",),
    "json": ("application/json", "application/*+json", "application/*.json"),
    "geojson": ("application/geo+json",),
    "plotly": ("application/vnd.plotly.v1+json",),
    "vega": ("application/vnd.vega.v*",),
    "vegalite": ("application/vnd.vegalite.v*",),
    "javascript": ("application/javascript",),
}
"""MIME types that a format stands for, with wildcards; the first that the output has is taken."""

_DRAWN = ("png", "jpeg", "webp", "tiff", "svg", "pdf", "eps", "csv")
"""Formats in which a matplotlib figure is drawn, whether they are stored or not."""


_ALSO = {"jpg": "jpeg", "htm": "html", "md": "markdown", "tex": "latex", "txt": "text", "js": "javascript"}
_INCH = 96.0
"""Pixels of an inch in what browsers lay out (CSS Values and Units, level 4, 6.2)."""

_TEXT = (
    "text/*",
    "image/svg+xml",
    "application/javascript",
    "application/json",
    "application/*+json",
    "application/*.json",
)


class Get(Command):
    """Write one output's data."""

    name = "get"
    usage = "ID|last [--format F] [--width W] [--height H] [--dpi D] [--style FILE] [--json] [-o FILE]"
    arguments = (1, 1)
    description = """
        Write an output's data to a file or to stdout: its richest representation, unless a format is given or follows
        from the file's name. `last` is the newest output of this project; a hub is started if there is none.

        A matplotlib figure is drawn anew: in any format (csv is its data), size and style, also when its script has
        ended, with its background or without. Lengths are pixels, or have a unit: in, cm or mm.

        Plotly figures, Vega charts and documents become pictures too (png; plots svg as well): by kaleido or vl-convert
        where they are installed, else by headless Chromium, without network.

        --json prints the output's record, as `list --json` has it, and in it `text`, what the output says in words, and
        `content`, what would have been written: its `mimetype` and `bytes`, and `text`, `json` or `base64`; with -o
        FILE its `path` instead.
    """
    examples = """
        ipyweb get 17 -o residuals.png
        ipyweb get last --format text
        ipyweb get 17 --format pdf --width 85mm --style paper.mplstyle -o figure.pdf
        ipyweb get last --format json | jq .data
        ipyweb get last --json --format png -o plot.png | jq -r .text
    """

    format = Unicode("", help=f"One of {', '.join(FORMATS)}.").tag(config=True)
    mime = Unicode("", help="The exact MIME type, for those without a format.").tag(config=True)
    output = Unicode("", help="Write to this file, whole or not at all; - is stdout.").tag(config=True, metavar="FILE")
    width = Unicode("", help="Width of a figure, such as 800, 8in or 85mm.").tag(config=True, metavar="W")
    height = Unicode("", help="Height of a figure; in proportion to its width when left out.").tag(
        config=True, metavar="H"
    )
    dpi = Unicode("", help="Pixels per inch of a figure; its own when left out.").tag(config=True, metavar="D")
    style = Unicode("", help="Style sheet of matplotlib to lay over a figure.").tag(config=True, metavar="FILE")
    transparent = Bool(False, help="Leave out the backgrounds of a figure and of its axes.").tag(config=True)
    json = Bool(False, help="Print one JSON object: the record, its words, and the data.").tag(config=True)
    all = Bool(False, help="`last` looks at every project.").tag(config=True)
    aliases = {  # noqa: RUF012
        **Command.aliases,
        "format": "Get.format",
        "mime": "Get.mime",
        ("o", "output"): "Get.output",
        "width": "Get.width",
        "height": "Get.height",
        "dpi": "Get.dpi",
        "style": "Get.style",
    }
    flags = {  # noqa: RUF012
        "all": ({"Get": {"all": True}}, "`last` looks at every project."),
        "json": ({"Get": {"json": True}}, "Print one JSON object: the record, its words, and the data."),
        "transparent": ({"Get": {"transparent": True}}, "Leave out the backgrounds of a figure and of its axes."),
    }

    def start(self) -> None:
        """Write it.

        Raises:
            UsageError: there can be no such output, or there is no such format.
            OutputNotFound: there is no such output.
            Failure: the output has no such representation, and it cannot be made, or it would spoil a terminal.
        """
        which, wanted, size = check_id(self.extra_args[0]), self._wanted(), self._size()
        connection = started()
        record = record_of(connection, which, None if self.all else project_of())
        picture = _to_be_made(record, wanted, bool(size))
        made = _made if picture else _stored
        data, content_type = made(connection, record, picture or _choose(record, wanted, bool(size)), size)
        if self.json:
            print(json.dumps(self._told(connection, record, data, content_type)))
        else:
            self._write(data, content_type)

    def _told(self, connection: Connection, record: Record, data: bytes, content_type: str) -> dict[str, Any]:
        """The record with its words and its data."""
        from .reading import text_of

        record = record_of(connection, str(record["id"]), None)  # what was drawn meanwhile is in it
        return {**record, "text": text_of(connection, record), "content": self._content(data, content_type)}

    def _content(self, data: bytes, content_type: str) -> dict[str, Any]:
        mimetype = content_type.partition(";")[0].strip()
        about = {"mimetype": mimetype, "bytes": len(data)}
        if self.output not in ("", "-"):
            path = Path(self.output)
            write_file(path, data)
            return {**about, "path": str(path.absolute())}
        if not _is_text(mimetype):
            return {**about, "base64": base64.b64encode(data).decode()}
        text = data.decode("utf-8", "replace")
        if "json" in mimetype:
            try:
                return {**about, "json": json.loads(text)}
            except (ValueError, RecursionError):
                pass  # it says that it is JSON
        return {**about, "text": text}

    def _wanted(self) -> tuple[str, ...]:
        if self.format and self.mime:
            raise UsageError("expected --format or --mime, got both")
        if self.mime:
            return (self.mime,)
        name = self.format.lower() or Path(self.output).suffix.removeprefix(".").lower()
        name = _ALSO.get(name, name)
        if self.format and name not in FORMATS:
            raise UsageError(f"there is no format {self.format!r}; there are {', '.join(FORMATS)}; or use --mime")
        return FORMATS.get(name, ())

    def _size(self) -> dict[str, str]:
        """What a figure is drawn with."""
        given = {"width": self.width, "height": self.height, "dpi": self.dpi, "transparent": "1" * self.transparent}
        try:
            for name in ("width", "height"):
                if given[name]:
                    length(given[name])
            if self.dpi and not 1 <= float(self.dpi) <= 10_000:
                raise ValueError(f"expected a --dpi between 1 and 10000, got {self.dpi!r}")
            if self.style:
                given["style"] = Path(self.style).read_text(encoding="utf-8")
        except ValueError as error:
            raise UsageError(str(error)) from error
        except OSError as error:
            raise Failure(f"the style sheet {self.style} cannot be read: {error.strerror}") from error
        return {name: value for name, value in given.items() if value}

    def _write(self, data: bytes, content_type: str) -> None:
        if self.output not in ("", "-"):
            write_file(Path(self.output), data)
            return
        on_terminal = is_terminal(sys.stdout)
        if on_terminal and not _is_text(content_type.partition(";")[0].strip()):
            raise Failure(f"{content_type} would spoil the terminal; write it to a file with -o FILE")
        sys.stdout.flush()
        sys.stdout.buffer.write(data + b"\n" if on_terminal and not data.endswith(b"\n") else data)
        sys.stdout.buffer.flush()


def _is_text(mimetype: str) -> bool:
    return any(fnmatch(mimetype, pattern) for pattern in _TEXT)


def _to_be_made(record: Record, wanted: tuple[str, ...], sized: bool) -> str:
    """The MIME type of the picture that has to be made of an output which has none; empty when that is not so."""
    from .pictures import FORMATS as MADE
    from .pictures import kind_of

    mime = wanted[0] if wanted else "image/png" if sized else ""
    there = mime in record["mimetypes"] and not sized
    return "" if record["figure"] or mime not in MADE or there or kind_of(record) is None else mime


def _made(connection: Connection, record: Record, mime: str, size: dict[str, str]) -> tuple[bytes, str]:
    from .pictures import draw

    for name in ("style", "transparent"):
        if name in size:
            raise Failure(f"--{name} is for matplotlib figures, and output {record['id']} shows none")
    dpi = float(size.get("dpi", _INCH))
    return draw(connection, record, mime, _pixels(size, "width", dpi), _pixels(size, "height", dpi), dpi / _INCH), mime


def _pixels(size: dict[str, str], name: str, dpi: float) -> float | None:
    if name not in size:
        return None
    number, unit = length(size[name])
    return number * dpi if unit == "in" else number


def _stored(connection: Connection, record: Record, mime: str, size: dict[str, str]) -> tuple[bytes, str]:
    """What the hub has, or has drawn by a figure's keeper."""
    query = f"?{urlencode({'mime': mime, **size}, quote_via=quote)}" if mime else ""
    answer = request(connection, "GET", f"api/outputs/{record['id']}/data{query}", timeout=150.0)
    if size and answer.headers.get("x-ipyweb-rendered") != "keeper":
        reason = answer.headers.get("x-ipyweb-reason", "its keeper is gone")
        raise Failure(f"output {record['id']} cannot be drawn anew: {reason}; without a size it is as stored")
    return answer.body, answer.headers.get("content-type", "")


def _choose(record: Record, wanted: tuple[str, ...], sized: bool) -> str:
    """The first of the output's MIME types that is wanted; empty, for the richest, when none is asked for."""
    output, mimetypes = record["id"], record["mimetypes"]
    if record.get("figure"):
        drawn = [mime for name in _DRAWN for mime in FORMATS[name]]
        mimetypes = [*mimetypes, *drawn]
        is_picture = sized or not (record["figure"].get("failed") or "text/html" in mimetypes)
        wanted = wanted or (("image/png",) if is_picture else ())
    elif sized:
        raise Failure(f"output {output} shows no matplotlib figure, so that it has only the size it has")
    elif WIDGET_VIEW in mimetypes and not wanted:  # which only says where the widget was
        wanted = tuple(mime for mime in mimetypes if mime != WIDGET_VIEW)
    found = (mime for pattern in wanted for mime in mimetypes if fnmatch(mime, pattern))
    mime = next(found, "")
    if wanted and not mime:
        raise Failure(f"output {output} has no {wanted[0]}; it has {', '.join(mimetypes)}")
    return mime


def write_file(path: Path, data: bytes) -> None:
    """Write `data` so that nobody sees half of it; devices and pipes are written to as they are."""
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.ipyweb")
    try:
        temporary.write_bytes(data)
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
