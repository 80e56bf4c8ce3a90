"""The doors of an IPython shell through which everything shown passes.

``display_formatter.format`` makes the bundle, ``display_pub.publish`` and ``displayhook.write_format_data`` carry it.
Each is replaced on the shell's own objects, so that the objects stay the same ones, and ``%%capture``, which puts in a
publisher of its own, goes past us as it should.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from . import pyplot
from .collector import Collector
from .companions import companions
from .formatting import Formatted, Made, format_object, pane_data
from .output import Output
from .session import Session, Shown

log = logging.getLogger("ipyweb")
Undo = Callable[[], None]


def stand_at(shell: InteractiveShell, session: Callable[[], Session], terminal: bool) -> Undo:
    """Send everything that `shell` shows to the pane.

    Args:
        session: this process's session, at each call: a forked child has another one.
        terminal: whether the shell's terminal goes on printing what it printed before.

    Returns:
        A function that puts everything back.
    """
    doors = _Doors(shell, session, terminal)
    undos = [
        _replace(shell.display_formatter, "format", doors.format),
        _replace(shell.display_pub, "publish", doors.publish),
        _replace(shell.display_pub, "clear_output", doors.clear_output),
        _replace(shell.displayhook, "write_format_data", doors.write_format_data),
    ]

    def undo() -> None:
        for each in reversed(undos):
            each()

    return undo


def _replace(owner: Any, name: str, function: Callable[..., Any]) -> Undo:
    own = vars(owner).get(name)
    setattr(owner, name, function)

    def undo() -> None:
        if own is None:
            delattr(owner, name)
        else:
            setattr(owner, name, own)

    return undo


class _Doors:
    def __init__(self, shell: InteractiveShell, session: Callable[[], Session], terminal: bool) -> None:
        self._shell = shell
        self._session = session
        self._terminal = terminal
        self._publish: Callable[..., None] = shell.display_pub.publish
        self._clear_output: Callable[[bool], None] = shell.display_pub.clear_output
        self._write_format_data: Callable[[Any, Any], None] = shell.displayhook.write_format_data

    def format(self, obj: object, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        loud = self._shell.showtraceback if self._terminal else None
        silent = isinstance(obj, Output)
        if not self._terminal and self._session().silence is not None:
            self._session().not_shown()
            return Made(Formatted({}, {}, []), True), {}
        only = ["text/plain"] if silent else include
        if not include and not exclude and _is_figure(obj):
            return Made.of_figure(obj), {}
        made = format_object(self._shell.display_formatter, obj, only, exclude, loud)
        return Made(made, silent), made.metadata

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        *args: Any,
        transient: Mapping[str, Any] | None = None,
        update: bool = False,
        **options: Any,
    ) -> None:
        try:
            self._send(data, metadata, transient or {}, update)
        except Exception:
            log.debug("a display could not be sent", exc_info=True)
        terminal = _for_terminal(data)
        if self._terminal and (terminal or not data):
            self._publish(terminal, metadata, *args, transient=transient, update=update, **options)

    def _send(self, data: Any, metadata: Any, transient: Mapping[str, Any], update: bool) -> None:
        if not data or getattr(data, "silent", False) or companions.keep(data):
            return
        display_id, title = transient.get("display_id"), None
        collector = Collector.active()
        if collector is not None and not collector.shown:
            display_id, title = collector.display_id or display_id, collector.title
            update = update or collector.update
        display_id, update = None if display_id is None else str(display_id), update and display_id is not None
        figure = getattr(data, "figure", None)
        if figure is not None:
            shown = _show_figure(figure, display_id, title, metadata, update)
        else:
            shown = self._session().publish(
                pane_data(data),
                metadata,
                display_id=display_id,
                update=update,
                title=title,
                problems=getattr(data, "problems", ()),
                seconds=getattr(data, "seconds", None),
            )
        if collector is not None:
            collector.shown.append(shown)

    def clear_output(self, wait: bool = False) -> None:
        try:
            self._session().clear_output(wait)
        except Exception:
            log.debug("clear_output could not be sent", exc_info=True)
        if self._terminal:
            self._clear_output(wait)

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        try:
            self._send_result(format_dict, md_dict)
        except Exception:
            log.debug("a result could not be sent", exc_info=True)
        if isinstance(format_dict, Made):
            format_dict.pane, format_dict.figure = dict(format_dict), None  # IPython keeps this dict for ever
        self._write_format_data(_for_terminal(format_dict), md_dict)

    def _send_result(self, data: Any, metadata: Any) -> None:
        session = self._session()
        problems = getattr(data, "problems", ())
        if getattr(data, "figure", None) is not None:
            _show_figure(data.figure, None, None, metadata, False)
            return
        text_only = set(pane_data(data)) <= {"text/plain"} and not problems
        if getattr(data, "silent", False) or (text_only and not session.config.text_results):
            return
        seconds = getattr(data, "seconds", None)
        session.publish(pane_data(data), metadata, result=True, problems=problems, seconds=seconds)


def _is_figure(obj: object) -> bool:
    if "matplotlib.figure" not in sys.modules:
        return False
    from .figures import is_plain

    return is_plain(obj)


def _show_figure(figure: Any, display_id: str | None, title: str | None, metadata: Any, update: bool) -> Shown:
    """Show a figure from a snapshot, as `ipyweb.display` does."""
    output = pyplot.show_figure(figure, display_id, title, metadata, update)
    return Shown(output.receipt, str(output.display_id), list(output.mimetypes))


def _for_terminal(data: Any) -> Any:
    return dict(data) if isinstance(data, Made) else data
