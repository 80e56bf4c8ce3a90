"""graphviz: a graph is drawn by Graphviz's own program, and where that is missing it is shown by its source."""

import shutil
from collections.abc import Callable
from html import escape
from typing import Any

_GRAPH = "graphviz.graphs.BaseGraph"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Show the source of what cannot be drawn; why not is among the output's problems."""
    html = shell.display_formatter.formatters["text/html"]
    html.for_type(_GRAPH, _source)
    return lambda: html.pop(_GRAPH, None)


def _source(graph: Any) -> str | None:
    from graphviz import DOT_BINARY

    return None if shutil.which(DOT_BINARY) else f"<pre>{escape(graph.source)}</pre>"
