"""graphviz: a graph is drawn by Graphviz's own program, and where that is missing it is shown by its source.

Where programs open no windows, ``view`` shows the file that it has drawn in the pane.
"""

import shutil
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from ..session.install import opens_windows
from . import chain, replace

_GRAPH = "graphviz.graphs.BaseGraph"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Show the source of what cannot be drawn; why not is among the output's problems. Take its viewers' windows."""
    import graphviz
    from graphviz.rendering import Render

    html = shell.display_formatter.formatters["text/html"]
    html.for_type(_GRAPH, _source)
    view, view_by_path = Render._view, graphviz.view

    def view_drawn(self: Any, filepath: Any, **options: Any) -> None:
        _view(filepath, lambda: view(self, filepath, **options))

    def view_file(filepath: Any, *args: Any, **options: Any) -> None:
        _view(filepath, lambda: view_by_path(filepath, *args, **options))

    return chain(
        lambda: html.pop(_GRAPH, None), replace(Render, "_view", view_drawn), replace(graphviz, "view", view_file)
    )


def _view(filepath: Any, open_window: Callable[[], None]) -> None:
    if opens_windows():
        open_window()
        return
    from ..session.windows import show_file

    show_file(Path(filepath))


def _source(graph: Any) -> str | None:
    from graphviz import DOT_BINARY

    return None if shutil.which(DOT_BINARY) else f"<pre>{escape(graph.source)}</pre>"
