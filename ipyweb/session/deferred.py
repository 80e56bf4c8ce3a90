"""`draw`: a function goes to the figure keeper, and makes its figures there."""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from .figures import reference
from .output import Output
from .session import current

_functions: "WeakKeyDictionary[Callable[..., Any], bytes]" = WeakKeyDictionary()


def draw_elsewhere(function: Callable[..., Any], data: Sequence[Any], display_id: str | None) -> Output:
    """See `drawing.draw`.

    Raises:
        TypeError: the function or the data cannot be pickled.
    """
    import matplotlib  # noqa: F401 - the keeper is that of this matplotlib
    from matplotlib.figure import Figure

    from ..figures.recipe import Recipe
    from ..figures.snapshot import NotPicklable, take

    name = getattr(function, "__name__", type(function).__name__)
    try:
        snapshot = take(Figure(), Recipe(_pickled(function), data, name))
    except NotPicklable as error:
        raise TypeError(f"expected {name} and its data to be picklable: {error}") from error
    session = current()
    known = display_id is not None and display_id in session.drawn
    text = {"text/plain": f"<figure of {name}>"}
    shown = session.publish(text, display_id=display_id, update=known, figure=reference(snapshot))
    session.drawn.add(shown.display_id)
    session.handover.add(snapshot, shown.display_id)
    return Output(session, shown.display_id, ["image/png", "text/plain"], None, shown.receipt)


def _pickled(function: Callable[..., Any]) -> bytes:
    """Pickled once, however often it is called."""
    try:
        known = _functions.get(function)
    except TypeError:  # it cannot be referred to weakly
        known = None
    if known is None:
        import cloudpickle

        try:
            known = bytes(cloudpickle.dumps(function))
        except Exception as error:
            raise TypeError(f"expected a function that can be pickled: {error}") from error
        try:
            _functions[function] = known
        except TypeError:
            return known
    return known
