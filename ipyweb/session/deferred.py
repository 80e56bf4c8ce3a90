"""`draw`: a function goes to the figure keeper, and makes its figures there."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..errors import NotPicklable
from .figures import has_keeper, reference, show_figure
from .output import Output
from .session import Session, current

if TYPE_CHECKING:
    from ..figures.snapshot import Snapshot

_functions: "WeakKeyDictionary[Callable[..., Any], bytes]" = WeakKeyDictionary()


def draw_elsewhere(function: Callable[..., Any], data: Sequence[Any], display_id: str | None) -> Output:
    """See `drawing.draw`.

    Raises:
        TypeError: the function or the data cannot be pickled.
    """
    session = current()
    if session.silence is not None:
        shown = session.not_shown(display_id)
        return Output(session, shown.display_id, shown.mimetypes, None, shown.receipt)
    import matplotlib  # noqa: F401 - the keeper is that of this matplotlib

    from ..figures.recipe import take_call

    name = getattr(function, "__name__", type(function).__name__)
    try:
        snapshot = take_call(_pickled(function), data, name)
    except NotPicklable as error:
        raise TypeError(f"expected {name} and its data to be picklable: {error}") from error
    known = display_id is not None and display_id in session.drawn
    if not has_keeper(session):
        return _draw_here(session, snapshot, display_id, known)
    text = {"text/plain": f"<figure of {name}>"}
    shown = session.publish(text, display_id=display_id, update=known, figure=reference(snapshot))
    session.drawn.add(shown.display_id)
    session.handover.add(snapshot, shown.display_id)
    return Output(session, shown.display_id, ["image/png", "text/plain"], None, shown.receipt)


def _draw_here(session: Session, call: "Snapshot", display_id: str | None, known: bool) -> Output:
    """Call the function now, in a copy, where there is no keeper to do it."""
    from ..figures.recipe import FunctionFailed, called

    try:
        with called(call) as made:
            first, *others = made.figures
            shown = show_figure(session, first, display_id=display_id, update=known)
            for number, figure in enumerate(others, 2):
                show_figure(session, figure, display_id=f"{shown.display_id}-{number}", update=True)
    except FunctionFailed as error:
        shown = session.publish({"text/plain": str(error)}, display_id=display_id, update=known)
    session.drawn.add(shown.display_id)
    return Output(session, shown.display_id, shown.mimetypes, None, shown.receipt)


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
