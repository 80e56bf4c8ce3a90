"""Altair: charts become their Vega-Lite specification, drawn by the pane, instead of HTML that asks a CDN.

The renderer is also an entry point of the group ``altair.vegalite.v6.renderer``: ``alt.renderers.enable("ipyweb")``.
"""

from collections.abc import Callable
from typing import Any

from . import chain, replace

_WIDGET = "altair.jupyter.jupyter_chart.JupyterChart"
MIME = "application/vnd.vegalite.v6.json"


def render(spec: dict[str, Any], **metadata: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An Altair renderer: the MIME bundle of a specification, and its metadata."""
    mark = spec.get("mark")
    kind = mark.get("type") if isinstance(mark, dict) else mark or "chart"
    return {MIME: spec, "text/plain": f"Altair {kind}"}, {MIME: metadata} if metadata else {}


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Choose our renderer, unless the user chose one, and show the charts of widgets."""
    import altair

    bundles = shell.display_formatter.mimebundle_formatter
    bundles.for_type(_WIDGET, lambda widget, include=None, exclude=None: widget.chart._repr_mimebundle_())
    undos = [lambda: bundles.pop(_WIDGET, None), _choose(altair.renderers)]
    if hasattr(altair.JupyterChart, "_repr_mimebundle_"):  # without anywidget, it is only a name
        undos.append(replace(altair.JupyterChart, "_repr_mimebundle_", _still))  # what the renderer `jupyter` asks
    return chain(*undos)


def _choose(renderers: Any) -> Callable[[], None]:
    before: str = renderers.active
    if before not in ("default", "html"):
        return lambda: None
    renderers.register("ipyweb", render)
    renderers.enable("ipyweb")

    def undo() -> None:
        if renderers.active == "ipyweb":
            renderers.enable(before)
        renderers.register("ipyweb", None)

    return undo


def _still(widget: Any, **options: object) -> tuple[dict[str, Any], dict[str, Any]]:
    return render(widget.chart.to_dict())
