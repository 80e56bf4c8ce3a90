"""HoloViews and hvPlot: what can be drawn without widgets is handed to its plotting library; the rest goes by Panel.

A HoloMap brings all its frames, and its sliders work without Python.
"""

import io
from collections.abc import Callable
from typing import Any

from ..session.companions import companions
from ..session.formatting import format_object
from . import chain, with_margin

_DIMENSIONED = "holoviews.core.dimension.Dimensioned"
_LOGO = r'<div class="logo-block">'
_NO_OUTPUT = r"\A\b\B"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Give HoloViews' objects the representation of the figure that they become."""
    formatter = shell.display_formatter
    displays, bundles = formatter.ipython_display_formatter, formatter.mimebundle_formatter
    displays.for_type(_DIMENSIONED, _display_figure)
    bundles.for_type(_DIMENSIONED, lambda element, include=None, exclude=None: _bundle(formatter, element))
    others = [formatter.formatters[mime] for mime in ("text/html", "image/png", "image/svg+xml")]
    for each in others:
        each.for_type(_DIMENSIONED, _not_again)

    def undo() -> None:
        for each in (displays, bundles, *others):
            each.pop(_DIMENSIONED, None)

    return chain(undo, companions.add_load(_LOGO, needed_by=_NO_OUTPUT))


def _display_figure(element: Any) -> None:
    """Let a matplotlib figure be shown as any other.

    Raises:
        NotImplementedError: it becomes something else.
    """
    if _backend() != "matplotlib" or _has_frames(element):
        raise NotImplementedError("its MIME bundle is taken instead")
    import holoviews
    from IPython.display import display

    display(holoviews.render(element, backend="matplotlib"))


def _bundle(formatter: Any, element: Any) -> dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]:
    import holoviews

    if _has_frames(element):
        return {"text/html": _page(element), "text/plain": repr(element)}
    figure = holoviews.render(element, backend=_backend())
    if isinstance(figure, dict):  # Plotly's
        import plotly.graph_objects

        figure = plotly.graph_objects.Figure(figure)
    made = format_object(formatter, figure)  # all types: `formatter.format` leaves out what a terminal does not print
    return {**made.data, "text/plain": repr(element)}, made.metadata


def _page(element: Any) -> str:
    import panel

    page = io.StringIO()
    panel.panel(element).save(page, resources="cdn", embed=True, progress=False)
    return with_margin(page.getvalue())


def _backend() -> str:
    """The plotting library that is chosen, loaded as hvPlot and ``hv.render`` do when nobody did."""
    import holoviews

    backend: str = holoviews.Store.current_backend
    if backend not in holoviews.Store.renderers:
        holoviews.extension(backend)
    return backend


def _has_frames(element: Any) -> bool:
    import holoviews

    return bool(element.traverse(lambda each: each, [holoviews.HoloMap]))


def _not_again(element: object) -> None:
    """Its bundle has it, in the form that the user's own plotting library gives it."""
