"""Altair: charts become their Vega-Lite specification, drawn by the pane, instead of HTML that asks a CDN.

The renderer is also an entry point of the group ``altair.vegalite.v6.renderer``: ``alt.renderers.enable("ipyweb")``.
"""

from collections.abc import Callable
from typing import Any

_WIDGET = "altair.jupyter.jupyter_chart.JupyterChart"
MIME = "application/vnd.vegalite.v6.json"


def render(spec: dict[str, Any], **metadata: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An Altair renderer: the MIME bundle of a specification, and its metadata."""
    mark = spec.get("mark")
    kind = mark.get("type") if isinstance(mark, dict) else mark or "chart"
    return {MIME: spec, "text/plain": f"Altair {kind}"}, {MIME: metadata} if metadata else {}


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Choose our renderer, unless the user chose one."""
    import altair

    before: str = altair.renderers.active
    if before not in ("default", "html"):
        return lambda: None
    altair.renderers.register("ipyweb", render)
    altair.renderers.enable("ipyweb")
    bundles = shell.display_formatter.mimebundle_formatter
    bundles.for_type(_WIDGET, lambda widget, include=None, exclude=None: widget.chart._repr_mimebundle_())

    def undo() -> None:
        bundles.pop(_WIDGET, None)
        if altair.renderers.active == "ipyweb":
            altair.renderers.enable(before)
        altair.renderers.register("ipyweb", None)

    return undo
