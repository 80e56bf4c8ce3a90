"""Windows of a browser that a program would open: while they are taken over, what they would show goes to the pane.

Libraries without a notebook write a page to a file, or serve it once on this machine, and give the address to
`webbrowser`. Pages that need nothing else become outputs. Of others on this machine one line says that they were not
opened. Addresses elsewhere are none of ours.
"""

import functools
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from .session import Session
    from .source import Source

KINDS = {
    ".html": "text/html",
    ".htm": "text/html",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".pdf": "application/pdf",
}
"""MIME types of the files that are shown, by suffix."""

PATIENCE = 10.0
"""Seconds for which a page on this machine is waited for."""

_HERE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})
_SCRIPT = re.compile(r"(<script\b[^>]*>).*?</script>", re.DOTALL | re.IGNORECASE)
_NEEDS = re.compile(
    r"""<(?:script|link|img|iframe)\b[^>]*?\s(?:src|href)\s*=\s*["']?(?!["'#]|[a-z][a-z0-9+.-]*:|//)""", re.IGNORECASE
)


def take_over() -> Callable[[], None]:
    """Let `webbrowser` open no pages of this machine.

    Returns:
        A function that takes it back.
    """
    import webbrowser

    from ..integrations import chain, replace

    if not hasattr(webbrowser, "BaseBrowser"):  # a module of the script's own
        return lambda: None
    open_before, get_before = webbrowser.open, webbrowser.get

    @functools.wraps(open_before)
    def open_page(url: str, new: int = 0, autoraise: bool = True) -> bool:
        return show(url) or open_before(url, new, autoraise)

    @functools.wraps(get_before)
    def get(using: str | None = None) -> Any:
        return _Browser(get_before(using))

    return chain(replace(webbrowser, "open", open_page), replace(webbrowser, "get", get))


class _Browser:
    """A browser that opens pages from elsewhere only.

    Args:
        browser: of `webbrowser`.
    """

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    def __getattr__(self, name: str) -> Any:
        return getattr(self._browser, name)

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        return show(url) or bool(self._browser.open(url, new, autoraise))

    def open_new(self, url: str) -> bool:
        return self.open(url, 1)

    def open_new_tab(self, url: str) -> bool:
        return self.open(url, 2)


def show(url: str) -> bool:
    """Show a page of this machine, or say that it was not opened. Returns at once.

    Args:
        url: an address, or the path of a file.

    Returns:
        Whether it is of this machine.
    """
    parts = urlsplit(str(url))
    if parts.scheme in ("http", "https"):
        if parts.hostname not in _HERE:
            return False
        source = _session().source()
        # Not a daemon: the program ends once its page is here. Its server may answer only after we have returned.
        threading.Thread(target=_show_served, args=(str(url), source), name="ipyweb-page").start()
        return True
    path = _path_of(unquote(parts.path)) if parts.scheme == "file" else Path(str(url))
    if not path.is_file():
        return False
    show_file(path)
    return True


def _path_of(path: str) -> Path:
    """The file of an address; on Windows its drive comes after a slash."""
    return Path(path.lstrip("/") if os.name == "nt" else path)


def show_file(path: Path) -> None:
    """Show a file, or say that it was not opened."""
    kind = KINDS.get(path.suffix.lower())
    try:
        data: Any = None if kind is None else path.read_bytes()
    except OSError:
        data = None
    if data is not None and kind in ("text/html", "image/svg+xml"):
        data = data.decode("utf-8", "replace")
    if data is None or (kind == "text/html" and not stands_alone(data)):
        _say_not_opened(str(path))
    else:
        _session().publish({str(kind): data, "text/plain": path.name})


def stands_alone(page: str) -> bool:
    """Whether a page asks its own place for nothing."""
    return _NEEDS.search(_SCRIPT.sub(r"\1", page)) is None


def _show_served(url: str, source: "Source") -> None:
    page = _fetch(url)
    if page is None or not stands_alone(page):
        _say_not_opened(url)
    else:
        _session().publish({"text/html": page, "text/plain": url}, source=source)


def _fetch(url: str) -> str | None:
    """The page at an address, if it is one."""
    from urllib.request import ProxyHandler, build_opener

    try:
        with build_opener(ProxyHandler({})).open(url, timeout=PATIENCE) as answer:
            if answer.headers.get_content_type() != "text/html":
                return None
            page: str = answer.read().decode(answer.headers.get_content_charset("utf-8"), "replace")
            return page
    except (OSError, ValueError, LookupError):
        return None


def _session() -> "Session":
    from .session import current

    return current()


def _say_not_opened(where: str) -> None:
    _session().say(f"ipyweb: not opened, since programs open no windows here: {where}")
