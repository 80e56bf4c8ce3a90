"""`display` and its kin: an object becomes a message."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, overload

from ..figures.owner import figure_of
from ..forking import whole
from . import pyplot
from .collector import Collector
from .output import Output
from .session import Session, current

if TYPE_CHECKING:
    from .formatting import Formatted


@overload
def display(
    obj: object,
    /,
    *,
    display_id: str | None = ...,
    title: str | None = ...,
    metadata: Mapping[str, Any] | None = ...,
    include: Collection[str] | None = ...,
    exclude: Collection[str] | None = ...,
    raw: bool = ...,
    clear: bool = ...,
) -> Output: ...
@overload
def display(
    *objs: object,
    display_id: str | None = ...,
    title: str | None = ...,
    metadata: Mapping[str, Any] | None = ...,
    include: Collection[str] | None = ...,
    exclude: Collection[str] | None = ...,
    raw: bool = ...,
    clear: bool = ...,
) -> tuple[Output, ...]: ...
def display(
    *objs: object,
    display_id: str | None = None,
    title: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    include: Collection[str] | None = None,
    exclude: Collection[str] | None = None,
    raw: bool = False,
    clear: bool = False,
) -> Output | tuple[Output, ...]:
    """Show objects in the pane, by whatever representations they have. Returns at once.

    Args:
        objs: any objects; the current figure of pyplot when there are none. Axes, and what else has a matplotlib
            figure and no representation of its own, show their figure.
        display_id: names the output, so that `update_display` finds it again. Made up when left out.
        title: shown with the output.
        metadata: by MIME type, laid over what the object's own representations say.
        include: MIME types to make; all when left out.
        exclude: MIME types not to make.
        raw: `objs` are MIME bundles themselves, dicts by MIME type.
        clear: first take away what this script or cell has shown.

    Returns:
        One `Output` for one object, a tuple for several.

    Raises:
        ValueError: there is nothing to show: neither an object nor a current figure.
    """
    objs = objs or (_current_figure(),)
    session = current()
    if clear:
        session.clear_output()
    outputs = tuple(_show(session, obj, display_id, title, metadata, include, exclude, raw) for obj in objs)
    return outputs[0] if len(outputs) == 1 else outputs


def update_display(
    obj: object,
    *,
    display_id: str,
    title: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    include: Collection[str] | None = None,
    exclude: Collection[str] | None = None,
    raw: bool = False,
) -> Output:
    """Show an object in the place of the output with this display id, as its new version. Returns at once.

    Args:
        obj: any object.
        display_id: of an output of this session; an unknown one makes a new output.
        title, metadata, include, exclude, raw: as for `display`.
    """
    return _show(current(), obj, display_id, title, metadata, include, exclude, raw, update=True)


def clear() -> list[int]:
    """Put this session's outputs into the trash, pinned ones excepted.

    Returns:
        Their ids.

    Raises:
        HubUnreachable: there is no hub.
    """
    from ..connection import request, start

    session = current()
    session.client.flush(session.config.flush_timeout)
    answer = request(start(), "POST", "api/clear", {"session": session.id})
    return [int(each) for each in answer.json()["removed"]]


def flush(timeout: float = 5) -> bool:
    """Wait until the hub has stored everything shown so far.

    Args:
        timeout: seconds.

    Returns:
        Whether it has.
    """
    return current().client.flush(timeout)


def _current_figure() -> object:
    figure = pyplot.current_figure()
    if figure is None:
        raise ValueError("expected an object to show, or a current figure of pyplot; there is neither")
    return figure


def ready() -> None:
    """In a script, `IPython.display.display` and the libraries' own switches work from the first display on."""
    current()
    with whole:  # also what later steps import: done by another thread during a fork, it would be missing in the child
        import IPython  # noqa: F401 - first: what `install` does at its import needs our own modules whole

        from . import formatting, shell  # noqa: F401
        from .script import use_in_script
        from .source import libraries

        libraries()
        use_in_script()


def _show(
    session: Session,
    obj: object,
    display_id: str | None,
    title: str | None,
    metadata: Mapping[str, Any] | None,
    include: Collection[str] | None,
    exclude: Collection[str] | None,
    raw: bool,
    update: bool = False,
) -> Output:
    if session.silence is not None:
        shown = session.not_shown(display_id)
        return Output(session, shown.display_id, shown.mimetypes, title, shown.receipt)
    if not raw:
        shown_by_pyplot = pyplot.display(obj, display_id, title, metadata, update) if not (include or exclude) else None
        if shown_by_pyplot is not None:
            return shown_by_pyplot
        obj = figure_of(obj) or obj
    ready()
    from .formatting import Formatted

    with Collector(display_id, title, update) as collected:
        made = Formatted(obj, {}, []) if raw else format_for_pane(obj, include, exclude)  # type: ignore[arg-type]
    if not made.data and not raw and collected.shown:
        shown = collected.shown[0]  # it displayed itself
    else:
        merged = {**made.metadata, **(metadata or {})}
        shown = session.publish(
            made.data,
            merged,
            display_id=display_id,
            update=update,
            title=title,
            problems=made.problems,
            seconds=made.seconds,
        )
    return Output(session, shown.display_id, shown.mimetypes, title, shown.receipt)


def format_for_pane(
    obj: object, include: Collection[str] | None = None, exclude: Collection[str] | None = None
) -> "Formatted":
    """All representations of an object, by the formatters of this process's shell, which is made if there is none.

    Args:
        obj: any object.
        include, exclude: MIME types, as for `display`.
    """
    from .formatting import Formatted, format_object
    from .shell import get_shell

    if isinstance(obj, Output):
        return Formatted({"text/plain": repr(obj)}, {}, [])
    return format_object(get_shell().display_formatter, obj, include, exclude)
