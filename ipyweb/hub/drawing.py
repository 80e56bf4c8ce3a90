"""What a request wants a figure drawn as."""

import json
from typing import TYPE_CHECKING, Any

from ..lengths import length
from .store import Store

if TYPE_CHECKING:
    from .base import Handler

DRAWN = frozenset(
    {
        "image/png",
        "image/svg+xml",
        "image/jpeg",
        "image/webp",
        "image/tiff",
        "application/pdf",
        "application/postscript",
        "application/eps",
        "text/csv",
    }
)
"""MIME types in which a keeper draws a figure, or tells its data."""

MAX_STYLE = 12_000
_SIZES = ("width", "height", "dpi", "style", "transparent", "margins")
_SWITCHES = ("transparent", "margins")
_SWITCH = {"1": True, "true": True, "0": False, "false": False}


def wanted(handler: "Handler", mimetype: str | None) -> dict[str, Any] | None:
    """What a keeper is to draw; ``None`` when it is nothing that one draws.

    ``width`` and ``height`` are lengths (pixels, or with in, cm, mm), ``dpi`` is pixels per inch, ``style`` the text of
    a style sheet, ``transparent=1`` leaves the backgrounds out, and ``margins=1`` keeps the margins in a smaller size.
    """
    given = {name: value for name in _SIZES if (value := handler.get_query_argument(name, "", strip=False))}
    mimetype = mimetype or ("image/png" if given else None)
    if mimetype not in DRAWN:
        return None
    if "style" in given and handler.scope in (None, "viewer"):
        handler.refuse(400, "a link that only looks takes no style sheet, which could run LaTeX")
    if len(given.get("style", "")) > MAX_STYLE:
        handler.refuse(413, f"expected a style sheet of at most {MAX_STYLE} characters, got {len(given['style'])}")
    try:
        sizes: dict[str, Any] = {name: list(length(given[name])) for name in ("width", "height") if name in given}
        if "dpi" in given:
            sizes["dpi"] = _dpi(given["dpi"])
        sizes |= {name: True for name in _SWITCHES if _switch(name, given.get(name, "0"))}
    except ValueError as error:
        handler.refuse(400, str(error))
    if "style" in given:
        sizes["style"] = given["style"]
    return {"mime": mimetype, **sizes}


def is_sized(wanted: dict[str, Any]) -> bool:
    """Whether stored data cannot be what is wanted, but at best near it."""
    return any(name in wanted for name in _SIZES)


def stored(store: Store, output: int, version: int | None) -> set[str]:
    """The MIME types that are stored of a version itself; its output may show an earlier picture in the meantime."""
    wanted = store.output(output).version if version is None else version
    return {mime for each in store.versions(output) if each.version == wanted for mime in json.loads(each.data)}


def header_text(error: Exception) -> str:
    """A reason that fits a header."""
    return " ".join(str(error).split()).encode("ascii", "replace").decode()[:500]


def _switch(name: str, text: str) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise ValueError(f"expected {name} to be 1 or 0, got {text[:40]!r}") from None


def _dpi(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 10_000:
        raise ValueError(f"expected a dpi between 1 and 10000, got {text[:40]!r}")
    return value
