"""How the parts of a figure are pickled, where that can be done with less than they would do themselves.

A line plot has some hundred markers, registries of callbacks and small arrays, most of them in its ticks; they make up
half of what pickling it costs. What is made here again comes out equal; anything out of the ordinary is left to its own
way of reducing itself.
"""

import copyreg
from collections.abc import Callable, Mapping
from typing import Any

OUT_OF_BAND = 64 * 1024
"""Arrays of more bytes than this lie beside the pickle."""

PROTOCOL = 5
Reducer = Callable[[Any], Any]


def reducers(kind: Any, figure_type: type | None) -> dict[type, Reducer]:
    """The dispatch table for a figure.

    Args:
        kind: the pickler's class, whose own table it extends.
        figure_type: the class of the figure, if there is one.
    """
    from matplotlib.cbook import CallbackRegistry
    from matplotlib.markers import MarkerStyle
    from numpy import ndarray
    from numpy.ma import MaskedArray

    inherited = getattr(kind, "dispatch_table", None)  # cloudpickle has one; of the C pickler this is a slot
    table: dict[type, Reducer] = {
        **(inherited if isinstance(inherited, Mapping) else copyreg.dispatch_table),
        ndarray: _array,
        MaskedArray: _masked_array,
        MarkerStyle: _marker,
        CallbackRegistry: _registry,
    }
    return table if figure_type is None else table | {figure_type: _figure}


def _figure(figure: Any) -> Any:
    """As the figure reduces itself, but without the wish to be known to pyplot where it is loaded."""
    reduced = figure.__reduce_ex__(PROTOCOL)
    if isinstance(reduced, tuple) and len(reduced) > 2 and isinstance(reduced[2], dict):
        reduced[2].pop("_restore_to_pylab", None)
    return reduced


def _array(array: Any) -> Any:
    """A small array as bytes: asking for each whether it should lie beside the pickle costs more than that."""
    return array.__reduce_ex__(PROTOCOL) if array.nbytes > OUT_OF_BAND else array.__reduce__()


def _masked_array(array: Any) -> Any:
    """numpy copies data and mask of a masked array into byte strings; as arrays they can lie beside the pickle."""
    if array.dtype.hasobject or array.dtype.names is not None:
        return array.__reduce__()
    import numpy

    mask = None if array._mask is numpy.ma.nomask else array._mask
    return make_masked_array, (array.data, mask, array._fill_value, array._hardmask)


def make_masked_array(data: Any, mask: Any, fill_value: Any, hard: bool) -> Any:
    """A masked array again."""
    import numpy

    made: Any = numpy.ma.array(data, mask=numpy.ma.nomask if mask is None else mask, copy=False, hard_mask=hard)
    made._fill_value = fill_value
    return made


_markers: dict[tuple[Any, ...], tuple[Any, ...]] = {}
"""What there is to a marker when it is made, by its class, name and fill style."""


def _marker(marker: Any) -> Any:
    """A marker of matplotlib's own by its name, unless somebody changed what follows from that."""
    state, kind = marker.__dict__, type(marker)
    try:
        name, fillstyle = state["_marker"], state["_fillstyle"]
        made = _markers.get((kind, name, fillstyle)) or _made_marker(kind, name, fillstyle)
        if made == _all_of(state):
            return kind, (name, fillstyle, state["_user_transform"], state["_user_capstyle"], state["_user_joinstyle"])
    except (AttributeError, KeyError, TypeError):  # a marker of the user's own, or another version of matplotlib
        pass
    return marker.__reduce_ex__(PROTOCOL)


def _made_marker(kind: Any, name: Any, fillstyle: Any) -> tuple[Any, ...] | None:
    if name not in kind.markers:
        return None
    made = _markers[kind, name, fillstyle] = _all_of(vars(kind(name, fillstyle)))
    return made


def _all_of(state: dict[str, Any]) -> tuple[Any, ...]:
    """What a marker derives from its name and fill style."""
    path, half, half_transform = state["_path"], state["_alt_path"], state["_alt_transform"]
    return (
        len(state),
        path._vertices.tobytes(),
        path._codes is None or path._codes.tobytes(),
        state["_transform"]._mtx.tobytes(),
        None if half is None else (half._vertices.tobytes(), half._codes is None or half._codes.tobytes()),
        None if half_transform is None else half_transform._mtx.tobytes(),
        state["_snap_threshold"],
        state["_joinstyle"],
        state["_capstyle"],
        state["_filled"],
    )


def _registry(registry: Any) -> Any:
    """Callbacks do not travel, except those that are marked for it; what is left is an empty registry."""
    state = vars(registry)
    defaults = type(registry).__init__.__defaults__ or (None,)
    if len(state) == 6 and not state["_pickled_cids"] and state["exception_handler"] is defaults[0]:
        return make_registry, (state["_signals"],)
    return registry.__reduce_ex__(PROTOCOL)


def make_registry(signals: Any) -> Any:
    """An empty registry of callbacks."""
    from matplotlib.cbook import CallbackRegistry

    return CallbackRegistry(signals=signals)
