"""Rich output for Python outside Jupyter: MIME bundles from IPython terminals and scripts, in a browser pane.

``%load_ext ipyweb`` in IPython, ``ipyweb.display(obj)`` in a script. Importing this package loads nothing else;
each public name loads its module when it is first used.
"""

__version__ = "0.1.0"

_MODULES = {
    "display": "session.display",
    "update_display": "session.display",
    "clear": "session.display",
    "get": "session.display",
    "flush": "session.display",
    "Output": "session.output",
    "url": "session.pane",
    "open": "session.pane",
    "load_ipython_extension": "session.extension",
    "unload_ipython_extension": "session.extension",
}

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(sorted(_MODULES))}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
