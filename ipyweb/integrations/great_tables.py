"""great_tables: ``show`` shows the table in the pane instead of serving it to a browser."""

from collections.abc import Callable
from typing import Any

from . import chain, publish, replace


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Replace ``GT.show``."""
    from great_tables import GT

    return chain(replace(GT, "show", _show))


def _show(table: Any, target: str = "auto") -> None:
    publish({"text/html": table._repr_html_(), "text/plain": "great_tables table"})
