"""Panel: objects are shown alive, as a widget of ``jupyter_bokeh``, and as a page for where nothing is alive any more.

Both are drawn by BokehJS and Panel's own files. Without ``jupyter_bokeh`` there is the page only.
"""

import io
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..session.companions import companions, within
from . import chain, publish, replace, view_of, with_margin

CDN = "https://cdn.holoviz.org/panel/"
_VIEWABLE = "panel.viewable.Viewable"
_VIEWER = "panel.viewable.Viewer"
_TEMPLATE = "panel.template.base.BaseTemplate"
_LOAD = r"application/vnd\.(holoviews|bokehjs)_load\.v0\+json|\A<script type=.esms-options"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Give Panel's objects a page, and let ``show`` show it instead of starting a server."""
    import panel

    html = shell.display_formatter.formatters["text/html"]
    bundles = shell.display_formatter.mimebundle_formatter
    for name, bundle in {_VIEWABLE: _alive, _VIEWER: _alive, _TEMPLATE: _nothing_else}.items():
        html.for_type(name, _html)
        bundles.for_type(name, bundle)

    def undo() -> None:
        for name in (_VIEWABLE, _VIEWER, _TEMPLATE):
            html.pop(name, None)
            bundles.pop(name, None)

    dist = Path(panel.__file__).parent / "dist"
    return chain(
        undo,
        replace(panel.extension, "_display_globals", staticmethod(_nothing)),
        replace(panel.viewable.ServableMixin, "show", _show),
        replace(panel.viewable.Viewer, "show", _show),
        companions.add_files(f"{CDN}{panel.__version__}/dist/", within(dist)),
        companions.add_load(_LOAD, needed_by="Bokeh|PyViz"),
    )


def _html(viewable: Any) -> str:
    import panel

    viewable = viewable._create_view() if hasattr(viewable, "_create_view") else viewable
    models = getattr(viewable, "_models", {})  # a template has none
    before, page = set(models), io.StringIO()
    viewable.save(page, resources="cdn", embed=panel.config.embed, progress=False)
    for ref in set(models) - before:  # or they would be updated with those that are alive
        viewable._cleanup(models[ref][0])
    return with_margin(page.getvalue())


def _nothing() -> None:
    """What asks the browser about itself, and has nobody who listens."""


def _alive(viewable: Any, include: object = None, exclude: object = None) -> dict[str, Any]:
    import panel

    return view_of(panel.ipywidget(viewable)) if find_spec("jupyter_bokeh") else {}


def _nothing_else(viewable: object, include: object = None, exclude: object = None) -> dict[str, Any]:
    return {}


def _show(viewable: Any, *args: object, **options: object) -> None:
    publish({**_alive(viewable), "text/html": _html(viewable), "text/plain": repr(viewable)})
