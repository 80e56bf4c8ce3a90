"""great_tables: ``show`` shows the table in the pane instead of serving it to a browser.

What draws an interactive table comes from the internet, so it is shown as it stands.
"""

from collections.abc import Callable
from typing import Any

from . import chain, publish, replace

_TABLE = "great_tables.gt.GT"
_NOTICE = "<p><small>This table is interactive only with scripts from the internet; this is how it begins.</small></p>"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Replace ``GT.show``, and draw interactive tables as others."""
    from great_tables import GT

    html = shell.display_formatter.formatters["text/html"]
    html.for_type(_TABLE, _html)
    return chain(lambda: html.pop(_TABLE, None), replace(GT, "show", _show))


def _html(table: Any) -> str:
    interactive = getattr(table._options, "ihtml_active", None)  # great_tables ≥ 1.1
    if interactive is None or not interactive.value:
        page: str = table._repr_html_()
        return page
    return f"{table.opt_interactive(active=False)._repr_html_()}{_NOTICE}"


def _show(table: Any, target: str = "auto") -> None:
    publish({"text/html": _html(table), "text/plain": "great_tables table"})
