"""pydeck: a page of its own instead of a frame within the frame; deck.gl comes from the user's own package.

The base map's tiles and styles come from the internet, and the pane says so.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..session.companions import companions
from . import chain, publish, replace

_DECK = "pydeck.bindings.deck.Deck"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Give decks a page, and let ``show`` show it."""
    import pydeck
    from pydeck.io.html import CDN_URL

    html = shell.display_formatter.formatters["text/html"]
    html.for_type(_DECK, _html)
    script = Path(pydeck.__file__).parent / "nbextension" / "static" / "index.js"
    return chain(
        lambda: html.pop(_DECK, None),
        replace(pydeck.Deck, "show", _show),
        companions.add_files(CDN_URL, script),
    )


def _html(deck: Any) -> str:
    page: str = deck.to_html(as_string=True, notebook_display=False)
    return page


def _show(deck: Any) -> None:
    publish({"text/html": _html(deck), "text/plain": "pydeck map"})
