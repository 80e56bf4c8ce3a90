"""Rich output for Python outside Jupyter: MIME bundles from IPython terminals and scripts, in a browser pane.

``%load_ext ipyweb`` in IPython, ``ipyweb.display(obj)`` in a script. Importing this package loads nothing else;
each public name loads its module when it is first used.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers know this name; importing it from typing would load 25 modules
if TYPE_CHECKING:
    from .session.capture import capture
    from .session.display import clear, display, flush, update_display
    from .session.drawing import draw, render
    from .session.extension import load_ipython_extension, unload_ipython_extension
    from .session.functions import functions
    from .session.install import install, uninstall
    from .session.output import Output, get
    from .session.pane import open, url  # noqa: A004 - the public name
    from .session.wire import wait

_MODULES = {
    "display": "session.display",
    "update_display": "session.display",
    "clear": "session.display",
    "flush": "session.display",
    "capture": "session.capture",
    "install": "session.install",
    "uninstall": "session.install",
    "draw": "session.drawing",
    "render": "session.drawing",
    "Output": "session.output",
    "get": "session.output",
    "url": "session.pane",
    "open": "session.pane",
    "functions": "session.functions",
    "wait": "session.wire",
    "load_ipython_extension": "session.extension",
    "unload_ipython_extension": "session.extension",
}

_MODULES_BY_USE = ("dask", "ray")
"""Modules that need a library of the same name, and are loaded when they are first used."""

__all__ = [
    "Output",
    "__version__",
    "capture",
    "clear",
    "display",
    "draw",
    "flush",
    "functions",
    "get",
    "install",
    "load_ipython_extension",
    "open",
    "render",
    "uninstall",
    "unload_ipython_extension",
    "update_display",
    "url",
    "wait",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _MODULES_BY_USE:
        return import_module(f"{__name__}.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(sorted(_MODULES))}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_MODULES_BY_USE})
