"""``ipyweb get``."""

import sys
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import quote, urlencode

from traitlets import Bool, Unicode

from ..browser import is_terminal
from ..connection import request
from ..lengths import length
from ..project import project_of
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
    usage = "ID|last [--format FORMAT] [--width W] [--height H] [--dpi D] [--style FILE] [--transparent] [-o FILE]"
    arguments = (1, 1)
    description = """
        Write an output's data to a file or to stdout: its richest representation, unless a format is given or follows
        from the file's name. `last` is the newest output of this project; a hub is started if there is none.

        A matplotlib figure is drawn anew: in any format (csv is its data), size and style, also when its script has
        ended, with its background or without. Lengths are pixels, or have a unit: in, cm or mm.
    """
    examples = """
        ipyweb get 17 -o residuals.png
        ipyweb get last --format text
        ipyweb get 17 --format pdf --width 85mm --style paper.mplstyle -o figure.pdf
        ipyweb get last --format json | jq .data
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
        "transparent": ({"Get": {"transparent": True}}, "Leave out the backgrounds of a figure and of its axes."),
    }

    def start(self) -> None:
        """Write it.

        Raises:
            UsageError: there can be no such output, or there is no such format.
            OutputNotFound: there is no such output.
            Failure: the output has no such representation, or it would spoil a terminal.
        """
        which, wanted, size = check_id(self.extra_args[0]), self._wanted(), self._size()
        connection = started()
        record = record_of(connection, which, None if self.all else project_of())
        mime = _choose(record, wanted, bool(size))
        query = f"?{urlencode({'mime': mime, **size}, quote_via=quote)}" if mime else ""
        answer = request(connection, "GET", f"api/outputs/{record['id']}/data{query}", timeout=150.0)
        if size and answer.headers.get("x-ipyweb-rendered") != "keeper":
            reason = answer.headers.get("x-ipyweb-reason", "its keeper is gone")
            raise Failure(f"output {record['id']} cannot be drawn anew: {reason}; without a size it is as stored")
        self._write(answer.body, answer.headers.get("content-type", ""))

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
        text = any(fnmatch(content_type.partition(";")[0].strip(), pattern) for pattern in _TEXT)
        on_terminal = is_terminal(sys.stdout)
        if on_terminal and not text:
            raise Failure(f"{content_type} would spoil the terminal; write it to a file with -o FILE")
        sys.stdout.flush()
        sys.stdout.buffer.write(data + b"\n" if on_terminal and not data.endswith(b"\n") else data)
        sys.stdout.buffer.flush()


def _choose(record: Record, wanted: tuple[str, ...], sized: bool) -> str:
    """The first of the output's MIME types that is wanted; empty, for the richest, when none is asked for."""
    output, mimetypes = record["id"], record["mimetypes"]
    if record.get("figure"):
        drawn = [mime for name in _DRAWN for mime in FORMATS[name]]
        mimetypes = [*mimetypes, *drawn]
        wanted = wanted or (("image/png",) if sized else ())
    elif sized:
        raise Failure(f"output {output} shows no matplotlib figure, so that it has only the size it has")
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
