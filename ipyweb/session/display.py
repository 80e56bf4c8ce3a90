"""`display` and its kin: an object becomes a message."""

from collections.abc import Collection, Mapping
from typing import Any, overload

from .collector import Collector
from .formatting import Formatted, format_object
from .output import Output
from .session import Session, current
from .shell import get_shell


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
        objs: any objects.
        display_id: names the output, so that `update_display` finds it again. Made up when left out.
        title: shown with the output.
        metadata: by MIME type, laid over what the object's own representations say.
        include: MIME types to make; all when left out.
        exclude: MIME types not to make.
        raw: `objs` are MIME bundles themselves, dicts by MIME type.
        clear: first take away what this script or cell has shown.

    Returns:
        One `Output` for one object, a tuple for several.
    """
    _ready()
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
    _ready()
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


def _ready() -> None:
    """In a script, `IPython.display.display` and the libraries' own switches work from the first display on."""
    from .script import use_in_script

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
    with Collector(display_id, title, update) as collected:
        made = Formatted(obj, {}, []) if raw else _format(obj, include, exclude)  # type: ignore[arg-type]
    if not made.data and not raw and collected.shown:
        shown = collected.shown[0]  # it displayed itself
    else:
        merged = {**made.metadata, **(metadata or {})}
        shown = session.publish(
            made.data, merged, display_id=display_id, update=update, title=title, problems=made.problems
        )
    return Output(session, shown.display_id, shown.mimetypes, title, shown.receipt)


def _format(obj: object, include: Collection[str] | None, exclude: Collection[str] | None) -> Formatted:
    if isinstance(obj, Output):
        return Formatted({"text/plain": repr(obj)}, {}, [])
    return format_object(get_shell().display_formatter, obj, include, exclude)
