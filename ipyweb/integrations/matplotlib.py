"""matplotlib: figures become PNG, and in IPython each cell shows the figures it made, by matplotlib-inline."""

import os
import sys
from collections.abc import Callable
from typing import Any

Undo = Callable[[], None]
_FIGURE = "matplotlib.figure.Figure"


def format_figures(shell: Any) -> Undo:
    """Give `Figure` a PNG representation, named by string, so that matplotlib is not imported for it.

    matplotlib-inline drops every formatter of `Figure` whenever the backend changes, and puts in its own for the
    formats that the user chose; ours comes back after each cell where there is none.
    """
    formatters = shell.display_formatter.formatters
    formatter = formatters["image/png"]

    def put_in(*_: object) -> None:
        if not any(_FIGURE in each for each in formatters.values()):
            formatter.for_type(_FIGURE, _png)

    def undo() -> None:
        shell.events.unregister("post_run_cell", put_in)
        if _FIGURE in formatter and formatter.lookup_by_type(_FIGURE) is _png:
            formatter.pop(_FIGURE)

    put_in()
    shell.events.register("post_run_cell", put_in)
    return undo


def _png(figure: Any) -> bytes | tuple[bytes, dict[str, Any]] | None:
    from IPython.core.pylabtools import print_figure

    png: bytes | None = print_figure(figure, fmt="png")
    return png


def install(shell: Any, cells: bool) -> Undo:
    """Show each cell's figures at its end, unless the user chose a backend."""
    if not cells or _user_chose():
        return lambda: None
    import matplotlib
    from IPython.core.pylabtools import activate_matplotlib
    from matplotlib_inline.backend_inline import configure_inline_support, flush_figures
    from matplotlib_inline.config import InlineBackend

    before = dict.__getitem__(matplotlib.rcParams, "backend")
    interactive = matplotlib.is_interactive()
    backend = "module://matplotlib_inline.backend_inline"
    configured = any(isinstance(each, InlineBackend) for each in shell.configurables)
    # what `%matplotlib inline` does, without its talk about event loops
    activate_matplotlib(backend)
    configure_inline_support(shell, backend)

    def undo() -> None:
        if flush_figures in shell.events.callbacks["post_execute"]:
            shell.events.unregister("post_execute", flush_figures)
        if "inline" in str(dict.__getitem__(matplotlib.rcParams, "backend")):
            dict.__setitem__(matplotlib.rcParams, "backend", before)
            matplotlib.interactive(interactive)
        if not configured:
            shell.configurables[:] = [each for each in shell.configurables if not isinstance(each, InlineBackend)]

    return undo


def _user_chose() -> bool:
    """Whether a backend was named: by the environment, ``matplotlib.use``, a matplotlibrc, or ``%matplotlib``."""
    if os.environ.get("MPLBACKEND"):
        return True
    rc: Any = sys.modules["matplotlib"].rcParams
    return isinstance(dict.__getitem__(rc, "backend"), str)  # until somebody names one, it is a marker object
