"""folium: the map's own page instead of a frame within the frame, so that what it misses can be said.

Leaflet and the tiles come from the internet: no wheel ships them.
"""

from collections.abc import Callable
from typing import Any

from . import chain, publish, replace

_MAP = "folium.folium.Map"
_FIGURE = "branca.element.Figure"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Give maps a page, and let ``show_in_browser`` show it in the pane."""
    import folium

    html = shell.display_formatter.formatters["text/html"]
    png = shell.display_formatter.formatters["image/png"]
    html.for_type(_MAP, _html)
    html.for_type(_FIGURE, _html)
    png.for_type(_MAP, lambda drawn: None)  # would start a browser of its own

    def undo() -> None:
        html.pop(_MAP, None)
        html.pop(_FIGURE, None)
        png.pop(_MAP, None)

    return chain(undo, replace(folium.Map, "show_in_browser", _show))


def _html(drawn: Any) -> str:
    page: str = drawn.get_root().render()
    return page


def _show(drawn: Any) -> None:
    publish({"text/html": _html(drawn), "text/plain": repr(drawn)})
