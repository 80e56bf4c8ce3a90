"""Outputs to take away: a report in one HTML file, a notebook, and an archive that can be imported again.

A `Writer` makes a document piece by piece, so that no more than one output is in memory at once. What somebody else
should not know by accident (code, arguments, directories, host) is left out unless it is asked for.
"""

import base64
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from pathlib import PurePath
from typing import IO, Any, NamedTuple, Protocol, cast

from .. import __version__
from ..protocol import COMPANION, WIDGET_VIEW, asset_type, is_companion
from .comms import WIDGETS
from .messages import dumps
from .publish import is_json
from .static import Static
from .store import OutputRow, SessionRow, VersionRow

PRIVATE = ("code", "argv", "cwd", "host")
"""What is left out unless it is asked for."""

ARCHIVE = 1
"""Version of the archive's format."""

MANIFEST = "manifest.json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
_TEXTUAL = re.compile(r"text/.*|image/svg\+xml|application/(x-)?(javascript|latex|xml)")
_ASSET = re.compile(re.escape(f"{COMPANION}asset; name=") + r"(.+)")
_LONG_TEXT = re.compile(re.escape(asset_type("text:")) + r"[0-9a-f]+")
_PRELUDE = re.compile(re.escape(f"{COMPANION}prelude; ") + r"n=(\d+); type=(text/html|application/javascript)")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\].*?(?:\x07|\x1b\\)")


class Item(NamedTuple):
    """One output with its session and kept versions."""

    row: OutputRow
    session: SessionRow
    versions: list[VersionRow]


Contents = Mapping[str, bytes]
"""Bytes by SHA-256."""


class Writer(Protocol):
    """Makes one document. `wanted` says which bytes `output` needs."""

    content_type: str
    suffix: str

    def begin(self, count: int, now: str) -> bytes: ...
    def wanted(self, item: Item) -> list[str]: ...
    def output(self, item: Item, contents: Contents) -> Iterator[bytes]: ...
    def end(self) -> bytes: ...


# -- what is told -----------------------------------------------------------------------------------------------------


def source_of(row: OutputRow, include: Iterable[str]) -> dict[str, Any]:
    """Where an output comes from, without what is private."""
    source: dict[str, Any] = json.loads(row.source)
    if "cwd" not in include and source.get("file"):
        source["file"] = PurePath(source["file"]).name
    if "host" not in include:  # workers are often named by their machine
        for name in source.keys() & {"task", "place"}:
            source[name] = {key: value for key, value in source[name].items() if key != "worker"}
    return {name: value for name, value in source.items() if name not in PRIVATE or name in include}


def session_of(row: SessionRow, include: Iterable[str]) -> dict[str, Any]:
    """A session, without what is private; its title names the host, and its project is a directory."""
    told = {name: getattr(row, name) for name in ("id", "project", "name", "kind", "python", "started", "ended", "run")}
    told |= {"title": row.title if "host" in include else row.title.partition(" · ")[0], "script": row.script}
    if "cwd" not in include:
        told["project"] = PurePath(row.project).name
        told["script"] = row.script and PurePath(row.script).name
    given = {"argv": json.loads(row.argv), "cwd": row.cwd, "host": row.host}
    return {**told, **{name: value for name, value in given.items() if name in include}}


def _references(data: str) -> dict[str, Any]:
    references: dict[str, Any] = json.loads(data)
    return references


def _shown(references: Mapping[str, Any]) -> str | None:
    """The richest that can be shown without a session: of a widget its last state, or else its still picture."""
    alive = () if WIDGETS in references else (WIDGET_VIEW,)
    return next((each for each in references if not is_companion(each) and each not in alive), None)


# -- notebooks --------------------------------------------------------------------------------------------------------


class Notebook:
    """A notebook of format 4.5 (https://nbformat.readthedocs.io/en/latest/format_description.html).

    Each output has a cell, those of one cell of IPython share it; load messages come in a cell before all others.
    Widgets are as they were last: their state is in the notebook's metadata, where Jupyter's front ends look for it
    (https://ipywidgets.readthedocs.io/en/stable/embedding.html).
    """

    content_type = "application/x-ipynb+json"
    suffix = "ipynb"

    def __init__(self, include: frozenset[str]) -> None:
        self._include = include
        self._cell: dict[str, Any] | None = None
        self._key: tuple[object, ...] = ()
        self._loaded: set[str] = set()
        self._widgets: dict[str, Any] = {}
        self._metadata: dict[str, Any] = {}
        self._comma = ""

    def begin(self, count: int, now: str) -> bytes:
        self._metadata = {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
            "ipyweb": {"version": __version__, "exported": now},
        }
        return b'{"nbformat":4,"nbformat_minor":5,"cells":['

    def wanted(self, item: Item) -> list[str]:
        references = _references(item.row.data)
        return [each["sha256"] for mime, each in references.items() if not _ASSET.match(mime) or _LONG_TEXT.match(mime)]

    def output(self, item: Item, contents: Contents) -> Iterator[bytes]:
        references = _references(item.row.data)
        source = source_of(item.row, self._include)
        key = (item.session.id, source["cell"]) if source.get("cell") is not None else (item.row.id,)
        if self._cell is None or key != self._key:
            yield self._flush()
            yield from self._load(item, references, contents)
            self._key = key
            if item.row.title:
                heading = {"cell_type": "markdown", "id": f"title-{item.row.id}", "metadata": {}}
                yield self._piece({**heading, "source": f"### {item.row.title}"})
            self._cell = self._code(f"output-{item.row.id}", source.get("code") or "")
        data: dict[str, Any] = {}
        for mime, reference in references.items():
            if not is_companion(mime):
                data |= _for_jupyter(mime, contents[reference["sha256"]])
        told = {"id": item.row.id, "created": item.row.created, "source": source, "note": item.row.note}
        metadata = {**json.loads(item.row.metadata), "ipyweb": told}
        self._cell["outputs"].append({"output_type": "display_data", "data": data, "metadata": metadata})
        self._widgets |= _models(references, contents)

    def end(self) -> bytes:
        if self._widgets:
            state = {"version_major": 2, "version_minor": 0, "state": self._widgets}
            self._metadata["widgets"] = {WIDGET_STATE: state}
        return self._flush() + f'],"metadata":{dumps(self._metadata)}}}'.encode()

    def _load(self, item: Item, references: Mapping[str, Any], contents: Contents) -> Iterator[bytes]:
        """The load messages that were shown before it, unless they are in the notebook already."""
        cell = self._code(f"load-{item.row.id}", "")
        for mime, reference in references.items():
            match = _PRELUDE.fullmatch(mime)
            if match and reference["sha256"] not in self._loaded:
                self._loaded.add(reference["sha256"])
                data = _for_jupyter(match.group(2), contents[reference["sha256"]])
                cell["outputs"].append({"output_type": "display_data", "data": data, "metadata": {}})
        if cell["outputs"]:
            yield self._piece(cell)

    def _code(self, name: str, source: str) -> dict[str, Any]:
        cell: dict[str, Any] = {
            "cell_type": "code",
            "id": name,
            "execution_count": None,
            "metadata": {},
            "source": source,
        }
        return {**cell, "outputs": []}

    def _flush(self) -> bytes:
        cell, self._cell = self._cell, None
        return b"" if cell is None else self._piece(cell)

    def _piece(self, cell: dict[str, Any]) -> bytes:
        comma, self._comma = self._comma, ","
        return f"{comma}{dumps(cell)}".encode()


def _models(references: Mapping[str, Any], contents: Contents) -> dict[str, Any]:
    """The models of an output's widgets by id, as ``ipywidgets.embed`` writes them."""
    if WIDGETS not in references:
        return {}
    models: dict[str, Any] = json.loads(contents[references[WIDGETS]["sha256"]])["state"]
    for model in models.values():
        model.pop("messages", None)
        for key, name in model.pop("texts", {}).items():
            reference = references.get(asset_type(f"text:{name}"))
            model["state"][key] = contents[reference["sha256"]].decode() if reference else ""
    return models


def _for_jupyter(mime: str, content: bytes) -> dict[str, Any]:
    """A representation as the notebook format has it: text, a JSON value, or base64.

    The format allows JSON values for ``+json`` only (what ends in ``.json``, as Altair's, is named so), and for
    ``application/json`` objects only.
    """
    if is_json(mime):
        try:
            value = json.loads(content)
        except ValueError:
            return {}
        if mime == "application/json":
            return {mime: value} if isinstance(value, dict) else {}
        return {f"{mime.removesuffix('.json').removesuffix('+json')}+json": value}
    if _TEXTUAL.fullmatch(mime):
        return {mime: content.decode("utf-8", "replace")}
    return {mime: base64.b64encode(content).decode()}


# -- reports ----------------------------------------------------------------------------------------------------------

_FRAMED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (re.escape(WIDGET_VIEW), "widgets", ("widgets",)),
    (r"application/vnd\.plotly\.v1\+json", "plotly", ("plotly",)),
    (r"application/vnd\.vega(lite)?\.v[56](\.\d+)*[.+]json", "vega", ("vega",)),
    (r"text/html", "html", ()),
    (r"text/markdown", "markdown", ("markdown", "katex")),
    (r"text/latex", "latex", ("katex",)),
    (r"application/pdf", "pdf", ("pdf",)),
    (r"application/javascript", "javascript", ()),
)
"""What is drawn in a frame: by MIME type the renderer of the pane, and the pane's libraries that it needs."""


class Report:
    """One HTML file that needs nothing else, and cannot reach anything: its policy allows no network."""

    content_type = "text/html; charset=utf-8"
    suffix = "html"

    def __init__(self, include: frozenset[str], static: Static, title: str) -> None:
        self._include = include
        self._static = static
        self._title = title
        self._libraries: dict[str, None] = {}
        self._stored: set[str] = set()
        self._tail = b""

    def begin(self, count: int, now: str) -> bytes:
        template = self._static.report.decode()
        about = f"{count} output{'' if count == 1 else 's'}, exported {_time(now)} by ipyweb {__version__}"
        told = {"{version}": __version__, "{title}": escape(self._title), "{about}": escape(about)}
        head, tail = template.split("{outputs}")
        for name, value in told.items():
            head = head.replace(name, value)
        self._tail = tail.encode()
        return head.encode()

    def wanted(self, item: Item) -> list[str]:
        references = _references(item.row.data)
        shown = _shown(references)
        used = [mime for mime in references if mime == shown or mime == "text/plain" or is_companion(mime)]
        return [references[mime]["sha256"] for mime in used]

    def output(self, item: Item, contents: Contents) -> Iterator[bytes]:
        row, source = item.row, source_of(item.row, self._include)
        place = f"{source['file']}:{source['line']}" if source.get("file") else None
        cell = f"cell {source['cell']}" if source.get("cell") is not None else None
        session = item.session.name or session_of(item.session, self._include)["title"]
        about = " · ".join(filter(None, [_time(row.updated), session, place, cell]))
        title = row.title or f"Output {row.id}"
        yield f'<section id="o{row.id}"><h2>{escape(title)}</h2><p class="about">{escape(about)}</p>\n'.encode()
        yield from self._body(row, title, contents)
        if row.note:
            yield f'<p class="note">{escape(row.note)}</p>'.encode()
        if source.get("code"):
            yield f"<details><summary>Code</summary><pre>{escape(source['code'])}</pre></details>".encode()
        yield b"</section>\n"

    def end(self) -> bytes:
        if self._libraries:
            self._libraries["frame"] = None
        libraries = (f'<script type="text/plain" data-library="{name}">' for name in self._libraries)
        texts = (base64.b64encode(self._static.library(name)) for name in self._libraries)
        pieces = (tag.encode() + text + b"</script>\n" for tag, text in zip(libraries, texts, strict=True))
        return b"".join(pieces) + self._tail

    def _body(self, row: OutputRow, title: str, contents: Contents) -> Iterator[bytes]:
        references = _references(row.data)
        shown = _shown(references)
        if shown is None:
            yield b"<p>Nothing was shown.</p>"
            return
        content = contents[references[shown]["sha256"]]
        framed = next((each for each in _FRAMED if re.fullmatch(each[0], shown)), None)
        if framed is not None and self._static.has_library("frame"):
            yield from self._frame(row, title, shown, framed, contents)
        elif shown.startswith(("image/", "video/")):
            words = json.loads(row.figure).get("description") if row.figure else None
            tag = "img" if shown.startswith("image/") else "video controls"
            address = f"data:{escape(shown)};base64,".encode() + base64.b64encode(content)
            yield f'<{tag} alt="{escape(words or title)}" src="'.encode() + address + b'">'
            yield b"</video>" if tag != "img" else b""
        else:
            text = content
            if "text/plain" in references and not (_TEXTUAL.fullmatch(shown) or is_json(shown)):
                text = contents[references["text/plain"]["sha256"]]
            yield f"<pre>{escape(_ANSI.sub('', text.decode('utf-8', 'replace')))}</pre>".encode()

    def _frame(
        self, row: OutputRow, title: str, shown: str, framed: tuple[str, str, tuple[str, ...]], contents: Contents
    ) -> Iterator[bytes]:
        references = _references(row.data)
        _, renderer, libraries = framed
        assets = [(match.group(1), mime) for mime in references if (match := _ASSET.fullmatch(mime))]
        own = {name: references[mime]["sha256"] for name, mime in assets if ":" not in name}
        if shown == WIDGET_VIEW:
            texts = [contents[references[mime]["sha256"]] for name, mime in assets if name.startswith("text:")]
            libraries += tuple(_libraries_of(contents[references[WIDGETS]["sha256"]], texts))
        preludes = sorted((int(m.group(1)), m.group(2), mime) for mime in references if (m := _PRELUDE.fullmatch(mime)))
        self._libraries |= dict.fromkeys(
            ["frame", *(each for each in libraries if each not in own and self._static.has_library(each))]
        )
        bundle = {
            "title": title,
            "mime": shown,
            "renderer": renderer,
            "metadata": json.loads(row.metadata).get(shown) or {},
            "blob": references[shown]["sha256"],
            "libraries": own,
            "assets": [{"name": name, "blob": references[mime]["sha256"]} for name, mime in assets if ":" in name],
            "preludes": [{"type": kind, "blob": references[mime]["sha256"]} for _, kind, mime in preludes],
        }
        if shown == WIDGET_VIEW:
            bundle["widgets"] = references[WIDGETS]["sha256"]
        yield f'<div class="frame" data-bundle="{escape(dumps(bundle))}"></div>'.encode()
        for mime, reference in references.items():
            if (mime == shown or is_companion(mime)) and reference["sha256"] not in self._stored:
                self._stored.add(reference["sha256"])
                yield f'<script type="text/plain" data-blob="{reference["sha256"]}">'.encode()
                yield base64.b64encode(contents[reference["sha256"]]) + b"</script>"


_FORMULA = re.compile(rb"[$]|\\\\[(\[]")
_WANTED = re.compile(rb"""ipywebLibrary\(\\?["'](\w+)""")


def _libraries_of(state: bytes, texts: Iterable[bytes]) -> Iterator[str]:
    """The pane's libraries that widgets may need, by their state and the long texts of it."""
    yield from (name.decode() for text in (state, *texts) for name in _WANTED.findall(text))
    yield from (name for mime, _, names in _FRAMED[1:] if re.search(mime.encode(), state) for name in names)
    yield from ("katex",) if _FORMULA.search(state) else ()


def _time(stamp: str) -> str:
    return f"{stamp[:10]} {stamp[11:16]} UTC"


# -- archives ---------------------------------------------------------------------------------------------------------


class _Archive:
    def __init__(self, include: frozenset[str]) -> None:
        self._include = include
        self._sessions: dict[str, dict[str, Any]] = {}
        self._stored: set[str] = set()

    def wanted(self, item: Item) -> list[str]:
        found = [each["sha256"] for version in item.versions for each in _references(version.data).values()]
        return [each for each in dict.fromkeys(found) if each not in self._stored]

    def _record(self, item: Item) -> dict[str, Any]:
        row = item.row
        self._sessions.setdefault(row.session, session_of(item.session, self._include))
        copied = ("id", "session", "display_id", "title", "created", "updated", "version", "note")
        return {
            **{name: getattr(row, name) for name in copied},
            "pinned": bool(row.pinned),
            "seconds": row.seconds,
            "source": source_of(row, self._include),
            "metadata": json.loads(row.metadata),
            "problems": json.loads(row.problems),
            "figure": json.loads(row.figure) if row.figure else None,
            "versions": [
                {
                    "version": each.version,
                    "created": each.created,
                    "data": _references(each.data),
                    "figure": json.loads(each.figure) if each.figure else None,
                }
                for each in item.versions
            ],
        }


class JsonArchive(_Archive):
    """An archive as one JSON object, with bytes in base64."""

    content_type = "application/json"
    suffix = "json"
    _comma = ""

    def begin(self, count: int, now: str) -> bytes:
        return f'{{"ipyweb":{ARCHIVE},"version":{dumps(__version__)},"exported":{dumps(now)},"outputs":['.encode()

    def output(self, item: Item, contents: Contents) -> Iterator[bytes]:
        blobs = {name: base64.b64encode(contents[name]).decode() for name in self.wanted(item)}
        self._stored |= blobs.keys()
        yield f"{self._comma}\n{dumps({**self._record(item), 'blobs': blobs})}".encode()
        self._comma = ","

    def end(self) -> bytes:
        return f'],\n"sessions":{dumps([*self._sessions.values()])}}}\n'.encode()


class ZipArchive(_Archive):
    """An archive as a zip file: bytes by their SHA-256 in ``blobs/``, the rest in ``manifest.json``."""

    content_type = "application/zip"
    suffix = "zip"

    def __init__(self, include: frozenset[str]) -> None:
        super().__init__(include)
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self._sink), "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._records: list[dict[str, Any]] = []
        self._head: dict[str, Any] = {}

    def begin(self, count: int, now: str) -> bytes:
        self._head = {"ipyweb": ARCHIVE, "version": __version__, "exported": now}
        return b""

    def output(self, item: Item, contents: Contents) -> Iterator[bytes]:
        for name in self.wanted(item):
            self._stored.add(name)
            self._zip.writestr(f"blobs/{name}", contents[name])
            yield self._sink.take()
        self._records.append(self._record(item))

    def end(self) -> bytes:
        manifest = {**self._head, "sessions": [*self._sessions.values()], "outputs": self._records}
        self._zip.writestr(MANIFEST, dumps(manifest))
        self._zip.close()
        return self._sink.take()


class _Sink:
    """What a zip file is written to, and taken from piece by piece."""

    def __init__(self) -> None:
        self._pieces = bytearray()

    def write(self, data: bytes) -> int:
        self._pieces += data
        return len(data)

    def flush(self) -> None: ...

    def take(self) -> bytes:
        taken, self._pieces = bytes(self._pieces), bytearray()
        return taken


WRITERS: dict[str, Callable[[frozenset[str], Static, str], Writer]] = {
    "html": Report,
    "ipynb": lambda include, static, title: Notebook(include),
    "zip": lambda include, static, title: ZipArchive(include),
    "json": lambda include, static, title: JsonArchive(include),
}
"""Makes a `Writer` from what to include, the built pane and a title, by the format's name."""
