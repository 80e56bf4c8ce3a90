"""itables: DataTables comes from the user's own package, whichever way the tables ask for it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..session.companions import companions
from . import chain, replace, view_of, when_imported

CDN = "https://www.unpkg.com/dt_for_itables"
_MODULE = "itables.widget"
_WIDGET = f"{_MODULE}.ITable"
_NEED = "_itables_|dt_for_itables"
_DARK = "<style>:root:root.dark { --dt-html-background: var(--stage) }</style>"
_LOAD = r"window\._itables_\w+ = injectModule|\A\s*<script type=.module.>\s*(import|const) \{ set_or_remove_dark_class"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Let tables bring DataTables with them, and ``show`` know that HTML can be shown."""
    from itables import javascript

    html = Path(javascript.__file__).parent / "html"
    bundles = shell.display_formatter.mimebundle_formatter

    def register(module: str) -> None:
        table = sys.modules[module].ITable
        bundles.for_type(table, _alive_and_still)

    undo = chain(
        lambda: bundles.pop(_WIDGET, None),
        when_imported(_MODULE, register),
        replace(javascript, "_html_display_is_supported", lambda: True),
        companions.add_files(CDN, lambda rest: html / rest.rpartition("/")[2]),
        companions.add_load(_LOAD, needed_by=_NEED),
        companions.add_prelude(_DARK, needed_by=_NEED),
    )
    companions.keep({"text/html": (html / "init_datatables.html").read_text()})  # tables follow a dark page
    return undo


def _alive_and_still(widget: Any, include: object = None, exclude: object = None) -> dict[str, Any]:
    """A widget, and its table for where nothing is alive any more: what is selected there does not come back."""
    from itables import to_html_datatable

    return {**view_of(widget), "text/html": to_html_datatable(widget.df, connected=True), "text/plain": repr(widget)}
