"""matplotlib: ``plt.show()`` and, in IPython, each cell's figures go to the pane, unless the user chose otherwise."""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

Undo = Callable[[], None]
BACKEND = "module://ipyweb.integrations.matplotlib_backend"
_FIGURE = "matplotlib.figure.Figure"
_ANIMATION = "matplotlib.animation.Animation"

_INLINE_MODULE = "module://matplotlib_inline.backend_inline"
_INLINE = frozenset({"inline", _INLINE_MODULE})
_LIVE = frozenset({"widget", "ipympl", "module://ipympl.backend_nbagg"})
"""Names of ipympl's backend, whose figures are widgets, and so appear in the pane by themselves."""


def format_figures(shell: Any) -> Undo:
    """Give `Figure` a PNG representation, named by string, so that matplotlib is not imported for it.

    matplotlib-inline drops every formatter of `Figure` whenever the backend changes, and puts in its own for the
    formats that the user chose; ours comes back after each cell where there is none.
    """
    formatters = shell.display_formatter.formatters
    formatter, html = formatters["image/png"], formatters["text/html"]

    def put_in(*_: object) -> None:
        if not any(_FIGURE in each for each in formatters.values()):
            formatter.for_type(_FIGURE, _png)

    def undo() -> None:
        shell.events.unregister("post_run_cell", put_in)
        if _FIGURE in formatter and formatter.lookup_by_type(_FIGURE) is _png:
            formatter.pop(_FIGURE)
        html.pop(_ANIMATION, None)

    put_in()
    html.for_type(_ANIMATION, _playing)
    shell.events.register("post_run_cell", put_in)
    return undo


def _png(figure: Any) -> bytes:
    from ..session import pyplot

    picture = pyplot.draw(figure)
    pyplot.mark_drawn(figure)
    return picture


def _playing(animation: Any) -> str:
    from .matplotlib_animation import html

    return html([animation])[0]


def formatted_by_others(but_inline: bool = False) -> bool:
    """Whether a shell has a formatter for figures that is not ours: the user's, or one of matplotlib-inline.

    Args:
        but_inline: what matplotlib-inline does unless told otherwise, as in every kernel, does not count.
    """
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    formatters = {} if shell is None else shell.display_formatter.formatters
    printers = [each.lookup_by_type(_FIGURE) for each in formatters.values() if _FIGURE in each]
    return any(each is not _png and not (but_inline and _is_inline(each)) for each in printers)


def _is_inline(printer: object) -> bool:
    return getattr(printer, "keywords", None) == {"fmt": "png", "base64": True, "bbox_inches": "tight"}


def install(shell: Any, cells: bool) -> Undo:
    """In IPython, make our backend pyplot's, unless the user chose one."""
    if not cells or user_chose():
        return lambda: None
    from ..session import pyplot

    return _together(_choose(BACKEND, interactive=True), pyplot.follow_cells(shell))


def take_over(notebook: bool = False) -> Undo:
    """Let ``plt.show()`` show in the pane whatever backend is chosen.

    Backends with windows become ours. Agg and the others without keep their meaning, but their figures are shown too;
    ipympl's are live.

    Args:
        notebook: whether figures belong to the cell that makes them, by matplotlib-inline, as in a kernel.
    """
    chosen = dict.__getitem__(_matplotlib().rcParams, "backend")
    kept = _LIVE | _INLINE if notebook else _LIVE
    undos = [_replace_windows(kept), _show_without_windows()]
    if not user_chose() and notebook:
        undos.append(_choose(_INLINE_MODULE, True))
    elif not user_chose() or _has_windows(chosen, kept):
        undos.append(_choose(BACKEND, hasattr(sys, "ps1") or _matplotlib().is_interactive()))
    return _together(*undos)


def user_chose() -> bool:
    """Whether a backend was named: by the environment, ``matplotlib.use``, a matplotlibrc, or ``%matplotlib``."""
    matplotlib = _matplotlib()
    backend = dict.__getitem__(matplotlib.rcParams, "backend")
    if not isinstance(backend, str):  # until somebody names one, it is a marker object
        return False
    if os.environ.get("MPLBACKEND") or not matplotlib.rcParams["backend_fallback"]:
        return True
    if dict.__getitem__(matplotlib.rcParamsOrig, "backend") != backend:
        return True
    # what matplotlib found by itself, at the first figure, stands there as if it came from a matplotlibrc
    return "backend" in matplotlib.rc_params_from_file(matplotlib.matplotlib_fname(), use_default_template=False)


def _choose(backend: str, interactive: bool) -> Undo:
    matplotlib, plt = _matplotlib(), _pyplot()
    owners = (matplotlib.rcParams, matplotlib.rcParamsDefault)
    before = [dict.__getitem__(owner, "backend") for owner in owners]
    loaded, was_interactive = plt._backend_mod, matplotlib.is_interactive()
    dict.__setitem__(matplotlib.rcParams, "backend", backend)
    if loaded is not None:
        plt.switch_backend(backend)
    matplotlib.interactive(interactive)

    def undo() -> None:
        if dict.__getitem__(matplotlib.rcParams, "backend") != backend:
            return  # the user chose another since
        for owner, value in zip(owners, before, strict=True):
            dict.__setitem__(owner, "backend", value)
        plt._backend_mod = loaded
        matplotlib.interactive(was_interactive)

    return undo


def _replace_windows(kept: frozenset[str]) -> Undo:
    """Give ours to whoever asks pyplot for a backend with windows, from now on."""
    plt = _pyplot()
    original = plt.switch_backend
    undos: list[Undo] = [_let_show(plt._backend_mod)]

    @functools.wraps(original)
    def switch_backend(newbackend: str) -> None:
        original(BACKEND if _has_windows(newbackend, kept) else newbackend)
        undos.append(_let_show(plt._backend_mod))

    plt.switch_backend = switch_backend

    def undo() -> None:
        plt.switch_backend = original
        while undos:
            undos.pop()()

    return undo


def _has_windows(backend: object, kept: frozenset[str]) -> bool:
    from matplotlib.backends.registry import BackendFilter, backend_registry

    if not isinstance(backend, str):
        return True  # matplotlib would look for one
    interactive = backend_registry.list_builtin(BackendFilter.INTERACTIVE)
    return backend.lower() in {*interactive, *_INLINE} - kept


def _let_show(loaded: Any) -> Undo:
    """Let ``plt.show()`` show also under a backend that has no windows and would only say so."""
    from matplotlib import backend_bases

    stock: Any = (backend_bases.FigureManagerBase.pyplot_show, backend_bases._Backend.show)
    show = getattr(loaded, "show", None)
    if getattr(show, "__func__", None) not in [each.__func__ for each in stock]:
        return lambda: None
    loaded.show = _show_all

    def undo() -> None:
        loaded.show = show

    return undo


def _show_without_windows() -> Undo:
    """Let ``figure.show()`` do the same."""
    from matplotlib import backend_bases

    manager: Any = backend_bases.FigureManagerBase
    original = manager.show
    manager.show = _show_one

    def undo() -> None:
        manager.show = original

    return undo


def _show_all(block: bool | None = None) -> None:
    from ..session import pyplot

    pyplot.show_all(block)


def _show_one(manager: Any) -> None:
    from ..session import pyplot

    pyplot.push(manager.canvas.figure)


def _matplotlib() -> Any:
    return sys.modules["matplotlib"]


def _pyplot() -> Any:
    return sys.modules["matplotlib.pyplot"]


def _together(*undos: Undo) -> Undo:
    def undo() -> None:
        for each in reversed(undos):
            each()

    return undo
