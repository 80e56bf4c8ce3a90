"""Plotly: figures become their JSON, drawn by the pane; ``fig.show()`` goes the same way.

Plotly's own MIME renderers want nbformat, and its default in a terminal starts a web server and waits for a browser. An
``ExternalRenderer`` needs neither (plotly.py ``plotly/io/_base_renderers.py``).

A renderer that the user has chosen, by ``PLOTLY_RENDERER`` or in the program, stays; but a browser's window is the pane
where programs open none.
"""

import contextlib
import os
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..session import present
from ..session.companions import companions
from ..session.install import opens_windows
from ..session.shell import LightShell
from . import chain, replace, view_of

MIME = "application/vnd.plotly.v1+json"
_FIGURE = "plotly.basedatatypes.BaseFigure"
_WIDGET = "plotly.basewidget.BaseFigureWidget"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Make a renderer of ours Plotly's default, unless the user chose one, and give figures a MIME bundle."""
    import plotly
    import plotly.io as pio
    from plotly.io.base_renderers import BrowserRenderer, ExternalRenderer

    class IpywebRenderer(ExternalRenderer):  # type: ignore[misc]
        def render(self, fig_dict: dict[str, Any]) -> None:
            shell.display_pub.publish(_bundle(fig_dict))

    open_window = BrowserRenderer.render

    def render(renderer: Any, fig_dict: dict[str, Any]) -> None:
        if opens_windows():
            open_window(renderer, fig_dict)
        else:
            shell.display_pub.publish(_bundle(fig_dict))

    before = _default_without(shell, pio.renderers.default)
    pio.renderers["ipyweb"] = IpywebRenderer()
    if not _is_chosen(before):
        pio.renderers.default = "ipyweb"
    displays = shell.display_formatter.ipython_display_formatter
    bundles = shell.display_formatter.mimebundle_formatter
    displays.for_type(_FIGURE, _not_by_itself)
    bundles.for_type(_FIGURE, _figure)
    html = shell.display_formatter.formatters["text/html"]
    html.for_type(_FIGURE, lambda figure: None)  # a second copy, whose script would come from a CDN

    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    drop_script = companions.add_library(MIME, "plotly", script) if script.is_file() else lambda: None

    drop_present = present.add(_WIDGET, _present)

    def undo() -> None:
        drop_present()
        drop_script()
        html.pop(_FIGURE, None)
        if pio.renderers.default == "ipyweb":
            pio.renderers.default = before
        with contextlib.suppress(AttributeError):  # plotly 7.1 raises it after it has removed the renderer
            del pio.renderers["ipyweb"]
        displays.pop(_FIGURE, None)
        bundles.pop(_FIGURE, None)

    return chain(undo, replace(BrowserRenderer, "render", render))


_BY_ITSELF = frozenset(
    {"", "browser", "vscode", "plotly_mimetype", "plotly_mimetype+notebook", "nteract", "colab", "kaggle", "azure"}
    | {"cocalc", "databricks"}
)
"""What Plotly chooses itself, by where it runs (``plotly/io/_renderers.py``)."""


def _is_chosen(default: str) -> bool:
    """Whether a renderer is the user's choice; a window of a browser is none that we could tell from Plotly's own."""
    return default not in ("browser", "ipyweb") and (
        default not in _BY_ITSELF or bool(os.environ.get("PLOTLY_RENDERER"))
    )


def _default_without(shell: Any, default: str) -> str:
    """Plotly's own choice of a renderer; in a script it has taken our shell for a notebook."""
    if not isinstance(shell, LightShell) or default != "plotly_mimetype+notebook":
        return default
    try:
        webbrowser.get()
    except webbrowser.Error:
        return ""
    return "browser"


def _figure(figure: Any) -> dict[str, Any]:
    import plotly.io as pio

    if _is_chosen(pio.renderers.default):
        chosen: dict[str, Any] = figure._repr_mimebundle_()
        return chosen or _bundle(figure.to_dict())
    if not hasattr(figure, "model_id"):
        return _bundle(figure.to_dict())
    figure._repr_mimebundle_()  # takes over into the widget's state what was changed since it was made
    return {**view_of(figure), **_bundle(figure.to_dict())}


def _present(figure: Any) -> dict[str, Any]:
    """What was changed in a figure is in the figure alone, and was told to those who were there."""
    from plotly.serializers import custom_serializers

    state = {"_widget_data": figure._data, "_widget_layout": figure._layout_obj._props}
    return {key: custom_serializers["to_json"](value, figure) for key, value in state.items()}


def _bundle(fig_dict: dict[str, Any]) -> dict[str, Any]:
    from plotly.io._json import to_json_plotly

    title = fig_dict.get("layout", {}).get("title")
    name = title.get("text") if isinstance(title, dict) else title
    kinds = ", ".join(dict.fromkeys(str(trace.get("type", "scatter")) for trace in fig_dict.get("data", ())))
    text = " ".join(f"Plotly figure {name or ''} ({kinds})".split())
    return {MIME: to_json_plotly(fig_dict).encode(), "text/plain": text}


def _not_by_itself(figure: object) -> None:
    raise NotImplementedError("its MIME bundle is taken instead")
