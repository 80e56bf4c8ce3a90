"""The built pane, read into memory at start: the environment may be deleted while the hub runs."""

import gzip
import mimetypes
import re
from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final, NamedTuple

INDEX, FRAME, REPORT = "index.html", "frame.html", "report.html"
_FRAME_CSP = (
    "sandbox allow-scripts allow-downloads allow-forms allow-modals allow-pointer-lock; default-src 'none'; "
    "script-src 'unsafe-inline' 'unsafe-eval' blob: data:{0}; style-src 'unsafe-inline' blob: data:{0}; "
    "img-src data: blob:{0}; media-src data: blob:{0}; font-src data: blob:{0}; worker-src blob:; "
    "frame-src data: blob:; connect-src data: blob:{0}; object-src 'none'; base-uri 'none'; form-action 'none'"
)


def frame_csp(hosts: Iterable[str] = ()) -> str:
    """The policy of the frame document: an opaque origin, no address of ours, and no network.

    Args:
        hosts: what the user allows to the output after all, each a name that `network.is_public` admits; over https.
    """
    return _FRAME_CSP.format("".join(f" https://{host}" for host in hosts))


FRAME_CSP: Final = frame_csp()
"""Of the frame document of all outputs to which nothing was allowed."""

_UNBUILT = b"""<!doctype html><meta charset="utf-8"><title>ipyweb</title>
<h1>The pane is not built</h1>
<p>This is a checkout without the browser part. <code>npm ci &amp;&amp; npm run build</code> in <code>js/</code>
makes it; an installed wheel has it.
"""
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".html": "text/html"}
_TEXTUAL = ("text/", "application/json", "image/svg+xml")


class Asset(NamedTuple):
    """One file: its bytes, the same gzipped if the build made that, and its Content-Type."""

    content: bytes
    gzipped: bytes | None
    content_type: str


class Static:
    """All files of the built pane by their path."""

    def __init__(self, files: dict[str, Asset]) -> None:
        self._files = files

    @property
    def index(self) -> Asset:
        """The shell."""
        return self._files.get(INDEX) or Asset(_UNBUILT, None, "text/html; charset=utf-8")

    @property
    def frame(self) -> Asset:
        """The document in which outputs are drawn."""
        return self._files.get(FRAME) or Asset(_UNBUILT, None, "text/html; charset=utf-8")

    @property
    def report(self) -> bytes:
        """The template of reports."""
        return self._files[REPORT].content

    def has_library(self, name: str) -> bool:
        """Whether the pane was built with a library of that name; ``frame`` is the frame's own document."""
        return self._library(name) is not None

    def library(self, name: str) -> bytes:
        """A library of the pane as a classic script, or the frame's document, gzipped."""
        found = self._library(name)
        assert found is not None
        return found.gzipped or gzip.compress(found.content)

    def _library(self, name: str) -> Asset | None:
        if name == "frame":
            return self._files.get(FRAME)
        found = (path for path in self._files if re.fullmatch(rf"assets/{re.escape(name)}-[0-9a-f]+\.js", path))
        return self._files.get(next(found, ""))

    def asset(self, path: str) -> Asset | None:
        """A file below ``assets/``."""
        return self._files.get(f"assets/{path}")


def load() -> Static:
    """Read ``ipyweb/static``."""
    root = resources.files("ipyweb") / "static"
    contents = dict(_walk(root, "")) if root.is_dir() else {}
    contents[REPORT] = (resources.files("ipyweb") / "hub" / REPORT).read_bytes()
    return Static(
        {
            path: Asset(content, contents.get(f"{path}.gz"), content_type(path))
            for path, content in contents.items()
            if not path.endswith(".gz")
        }
    )


def content_type(path: str) -> str:
    """The Content-Type of a file, by its name."""
    suffix = path[path.rfind(".") :]
    kind = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith(_TEXTUAL) else kind


def shell_csp(host: str) -> str:
    """The policy of the shell.

    Args:
        host: a Host header that was checked before.
    """
    _, colon, port = host.rpartition(":")
    frames = f"http://*.localhost:{port}" if colon and port.isdigit() else "http://*.localhost"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
        f"img-src 'self' blob: data:; font-src 'self'; connect-src 'self' ws://{host} wss://{host}; "
        f"frame-src 'self' {frames}; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types svelte-trusted-html"
    )


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        found.extend(_walk(entry, f"{path}/") if entry.is_dir() else [(path, entry.read_bytes())])
    return found
