"""What an output needs besides itself: a library's files from the user's own package, and "load" messages shown before.

Each output is drawn in a frame of its own that has no network, so these go with it, as companions (see `protocol`).
Integrations say here where their library's files lie, and which messages of it only load something.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from ..protocol import asset_type, is_known, prelude_type

Undo = Callable[[], None]
Find = Callable[[str], Path | None]

LONGEST_NAME = 200
"""Characters of a URL that fit into a MIME type."""

MOST_PRELUDES = 24

_TEXTS = ("text/html", "application/javascript")
_REST_OF_URL = rb"[\w./@~^%+:?=-]*"
_PAGE = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype|html)\b", re.IGNORECASE | re.DOTALL)


class _Files(NamedTuple):
    """Where the files lie that begin with one URL."""

    prefix: bytes
    find: Find


class _Load(NamedTuple):
    """How a load message is known, and the outputs that need it."""

    message: re.Pattern[bytes]
    needed_by: re.Pattern[bytes]


class _FrontEnd(NamedTuple):
    """The scripts that a front-end module of widgets takes as given, by their names."""

    module: str
    scripts: Callable[[bytes], Mapping[str, Path]]


class _Prelude(NamedTuple):
    mime: str
    content: bytes
    needed_by: re.Pattern[bytes]


class Companions:
    """What this process's outputs need. Safe to use from several threads: its lists are replaced, never changed."""

    def __init__(self) -> None:
        self._files: tuple[_Files, ...] = ()
        self._libraries: tuple[tuple[str, str, Path], ...] = ()
        self._loads: tuple[_Load, ...] = ()
        self._preludes: tuple[_Prelude, ...] = ()
        self._own: tuple[_Prelude, ...] = ()
        self._front_ends: tuple[_FrontEnd, ...] = ()

    # -- what integrations say

    def add_files(self, url: str, find: Find | Path) -> Undo:
        """Take what begins with `url` from the user's own package.

        Args:
            url: a whole URL, or the beginning of many.
            find: the file, or a function from the rest of a URL (without its query) to the file, if there is one.
        """
        added = _Files(url.encode(), find if callable(find) else lambda rest: find)
        self._files += (added,)
        return lambda: setattr(self, "_files", tuple(each for each in self._files if each is not added))

    def add_library(self, mime: str, name: str, path: Path) -> Undo:
        """Let the pane draw a MIME type by a library of the user's own package.

        Args:
            name: of the library in the pane.
            path: of its script.
        """
        added = (mime, name, path)
        self._libraries += (added,)
        return lambda: setattr(self, "_libraries", tuple(each for each in self._libraries if each is not added))

    def add_load(self, message: str, needed_by: str) -> Undo:
        """Keep messages that only load something, instead of showing them.

        Args:
            message: regular expression that is found in such a message, or matches one of its MIME types.
            needed_by: regular expression that is found in the outputs before which they go.
        """
        added = _Load(re.compile(message.encode()), re.compile(needed_by.encode()))
        self._loads += (added,)

        def undo() -> None:
            self._loads = tuple(each for each in self._loads if each is not added)
            self._preludes = tuple(each for each in self._preludes if each.needed_by != added.needed_by)

        return undo

    def add_prelude(self, html: str, needed_by: str) -> Undo:
        """Put HTML of our own before some outputs.

        Args:
            needed_by: regular expression that is found in the outputs before which it goes.
        """
        added = _Prelude("text/html", html.encode(), re.compile(needed_by.encode()))
        self._own += (added,)
        return lambda: setattr(self, "_own", tuple(each for each in self._own if each is not added))

    def add_front_end(self, module: str, scripts: Callable[[bytes], Mapping[str, Path]]) -> Undo:
        """Run scripts of the user's own packages before a front-end module of widgets, and bring it the files it names.

        Args:
            module: its name.
            scripts: the files by names, in their order, that what is said to a widget of it needs.
        """
        added = _FrontEnd(module, scripts)
        self._front_ends += (added,)
        return lambda: setattr(self, "_front_ends", tuple(each for each in self._front_ends if each is not added))

    # -- what a session asks

    def scripts(self, module: str, said: str) -> dict[str, bytes]:
        """The scripts, by name, that a front-end module needs for something that is said to a widget of it."""
        found = [each.scripts(said.encode()) for each in self._front_ends if each.module == module]
        return {f"script:{name}": _read(path) for scripts in found for name, path in scripts.items()}

    def files(self, module: str, said: str) -> dict[str, bytes]:
        """The files, by URL, that are named in what is said to a widget; none where no integration knows its module."""
        return dict(self._files_in(said.encode())) if any(each.module == module for each in self._front_ends) else {}

    def keep(self, data: Mapping[str, Any]) -> bool:
        """Keep a load message for the outputs that need it.

        Returns:
            Whether it is one; then it is not shown.
        """
        load = next((each for each in self._loads if _is_load(each, data)), None)
        if load is None:
            return False
        mime = next((mime for mime in reversed(_TEXTS) if data.get(mime)), None)
        if mime is not None:
            made = _Prelude(mime, _bytes(data[mime]), load.needed_by)
            self._preludes = (*(each for each in self._preludes if each != made), made)[-MOST_PRELUDES:]
        return True

    def of(self, parts: Mapping[str, bytes]) -> dict[str, bytes]:
        """The companions of a bundle, by their MIME types. A whole page loads by itself what it needs."""
        made = {asset_type(name): _read(path) for mime, name, path in self._libraries if mime in parts}
        texts = [parts[mime] for mime in _TEXTS if mime in parts]
        fragments = [text for text in texts if not _PAGE.match(text)]
        preludes = [each for each in (*self._preludes, *self._own) if any(map(each.needed_by.search, fragments))]
        if not all(map(is_known, parts)):
            made |= _renderers(parts)
        made |= {prelude_type(n, each.mime): each.content for n, each in enumerate(preludes)}
        for text in (*texts, *(each.content for each in preludes)):
            made |= {asset_type(url): content for url, content in self._files_in(text)}
        return made

    def _files_in(self, text: bytes) -> Iterator[tuple[str, bytes]]:
        """The files that a text names, by URL."""
        for prefix, find in self._files:
            if prefix not in text:
                continue
            for match in set(re.findall(re.escape(prefix) + _REST_OF_URL, text)):
                url = match.rstrip(b".").decode()
                path = find(unquote(url[len(prefix) :].partition("?")[0]))
                if path is not None and path.is_file() and len(url) <= LONGEST_NAME:
                    yield url, _read(path)


def within(directory: Path) -> Find:
    """Finds the files of a directory by their relative path."""

    def find(rest: str) -> Path | None:
        path = (directory / rest).resolve()
        return path if path.is_relative_to(directory.resolve()) else None

    return find


def _renderers(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    from .renderers import of

    return of(parts)


def _is_load(load: _Load, data: Mapping[str, Any]) -> bool:
    if any(load.message.fullmatch(mime.encode()) for mime in data):
        return True
    return any(load.message.search(_bytes(data[mime])) for mime in _TEXTS if data.get(mime))


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@lru_cache(maxsize=128)
def _read(path: Path) -> bytes:
    return path.read_bytes()


companions = Companions()
"""Those of this process: a library is loaded once in it, whatever becomes of sessions and forks."""
