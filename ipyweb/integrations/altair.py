"""Altair: charts become their Vega-Lite specification, drawn by the pane, instead of HTML that asks a CDN.

The renderer is also an entry point of the group ``altair.vegalite.v6.renderer``: ``alt.renderers.enable("ipyweb")``.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from ..session.install import opens_windows
from . import are_carried, chain, replace, view_of

_WIDGET = "altair.jupyter.jupyter_chart.JupyterChart"
MIME = "application/vnd.vegalite.v6.json"
_EMBED = re.compile(r'^import (\w+) from "https://esm\.sh/vega-embed@[^"]*";?$', re.MULTILINE)
_DEBOUNCE = re.compile(r'^import (\w+) from "https://esm\.sh/lodash-es@[^"]*/debounce";?$', re.MULTILINE)
_OUR_EMBED = 'const { embed: \\1 } = await ipywebLibrary("vega");'
_OUR_DEBOUNCE = """\
const \\1 = (call, wait, { maxWait } = {}) => {
  let timer, latest;
  return (...values) => {
    latest = values;
    if (timer !== undefined && maxWait !== undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => { timer = undefined; call(...latest); }, wait);
  };
};"""


def render(spec: dict[str, Any], **metadata: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An Altair renderer: the MIME bundle of a specification, and its metadata."""
    mark = spec.get("mark")
    kind = mark.get("type") if isinstance(mark, dict) else mark or "chart"
    return {MIME: spec, "text/plain": f"Altair {kind}"}, {MIME: metadata} if metadata else {}


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Choose our renderer, unless the user chose one, and give widgets the pane's Vega and a still chart."""
    import altair

    bundles = shell.display_formatter.mimebundle_formatter
    widget = altair.JupyterChart
    bundles.for_type(widget, _alive_and_still)  # by the type itself: see `when_imported`
    undos = [lambda: bundles.pop(_WIDGET, None), _take_window(altair), _choose(altair.renderers)]
    if hasattr(widget, "_repr_mimebundle_"):  # without anywidget, it is only a name
        undos.append(replace(widget, "_repr_mimebundle_", _alive_and_still))  # what the renderer `jupyter` asks
        undos += [_bring_vega(widget)] if are_carried(shell) else []
    return chain(*undos)


def _take_window(altair: Any) -> Callable[[], None]:
    """Let the renderer ``browser`` show in the pane where programs open no windows."""
    renderers, chart = altair.renderers, altair.TopLevelMixin
    open_window, show = renderers._plugins["browser"], chart.show

    def render_window(spec: dict[str, Any], **options: Any) -> Any:
        if opens_windows():
            return open_window(spec, **options)
        return render(spec, **{name: value for name, value in options.items() if name not in _OF_WINDOWS})

    def show_chart(self: Any) -> None:
        if opens_windows() or renderers.active != "browser":
            show(self)
            return
        from IPython.display import display

        display(self)

    def use(renderer: Any) -> None:
        renderers.register("browser", renderer)
        if renderers.active == "browser":
            renderers.enable("browser", **renderers.options)

    use(render_window)
    return chain(lambda: use(open_window), replace(chart, "show", show_chart))


_OF_WINDOWS = frozenset({"offline", "using", "port"})
"""Options of the renderer ``browser`` that say how its window is opened."""


def _bring_vega(widget: Any) -> Callable[[], None]:
    from ipywidgets.widgets import widget as base

    for each in list(base._instances.values()):
        if isinstance(each, widget):
            each._esm = without_cdn(each._esm)
    enable = widget.enable_offline

    def enable_offline(cls: Any, offline: bool = True) -> None:
        enable(offline)
        cls._esm = without_cdn(cls._esm)

    return chain(
        replace(widget, "_esm", without_cdn(widget._esm)),
        replace(widget, "enable_offline", classmethod(enable_offline)),
    )


@cache
def without_cdn(module: str) -> str:
    """The front end of a ``JupyterChart`` with the pane's Vega in place of the modules that it imports from a CDN.

    That of ``JupyterChart.enable_offline()`` imports nothing, and stays as it is.
    """
    return _DEBOUNCE.sub(_OUR_DEBOUNCE, _EMBED.sub(_OUR_EMBED, module))


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


def _alive_and_still(widget: Any, include: object = None, exclude: object = None, **options: object) -> Any:
    if widget.chart is None:
        return {**view_of(widget), "text/plain": repr(widget)}, {}
    data, metadata = render(widget.chart.to_dict())
    return {**view_of(widget), **data}, metadata
