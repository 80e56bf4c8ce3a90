"""rcParams of one thread, laid over those of the process for a while.

matplotlib's rcParams are the whole process's, and ``rc_context`` changes them for every thread: figures that others
make meanwhile would take them over.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import matplotlib

_layers: dict[int, Mapping[str, Any]] = {}
"""What is laid over the process's rcParams, by thread."""


class _Layered(matplotlib.RcParams):
    """The process's rcParams while some thread has a layer of its own."""

    def __getitem__(self, key: Any) -> Any:
        layer = _layers.get(threading.get_ident())
        if layer is not None and key in layer and self is matplotlib.rcParams:
            return layer[key]
        return super().__getitem__(key)


@contextlib.contextmanager
def layered(params: Mapping[str, Any]) -> Iterator[None]:
    """While it is entered, this thread finds these rcParams, and others find what they found before.

    One at a time, but for one inside the other on the same thread.

    Args:
        params: as rcParams hold them.
    """
    rc: Any = matplotlib.rcParams
    thread = threading.get_ident()
    kind, outer = type(rc), _layers.get(thread)
    _layers[thread] = {**(outer or {}), **params}
    rc.__class__ = _Layered
    try:
        yield
    finally:
        rc.__class__ = kind
        if outer is None:
            del _layers[thread]
        else:
            _layers[thread] = outer
