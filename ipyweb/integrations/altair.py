"""Altair: charts become their Vega-Lite specification, drawn by the pane, instead of HTML that asks a CDN."""

from collections.abc import Callable
from typing import Any


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Choose Altair's ``mimetype`` renderer, unless the user chose one."""
    import altair

    before: str = altair.renderers.active
    if before not in ("default", "html"):
        return lambda: None
    altair.renderers.enable("mimetype")

    def undo() -> None:
        if altair.renderers.active == "mimetype":
            altair.renderers.enable(before)

    return undo
