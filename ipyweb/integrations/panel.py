"""Panel: each object becomes one page, drawn by BokehJS and Panel's own files. Its callbacks in Python do not run."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..session.companions import companions, within
from . import chain, publish, replace, with_margin

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
    for name in (_VIEWABLE, _VIEWER, _TEMPLATE):
        html.for_type(name, _html)
        bundles.for_type(name, _nothing_else)

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
    page = io.StringIO()
    viewable.save(page, resources="cdn", embed=panel.config.embed, progress=False)
    return with_margin(page.getvalue())


def _nothing() -> None:
    """What asks the browser about itself, and has nobody who listens."""


def _nothing_else(viewable: object, include: object = None, exclude: object = None) -> dict[str, Any]:
    return {}


def _show(viewable: Any, *args: object, **options: object) -> None:
    publish({"text/html": _html(viewable), "text/plain": repr(viewable)})
