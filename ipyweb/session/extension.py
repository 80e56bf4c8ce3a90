"""``%load_ext ipyweb``: puts the doors into a running IPython, and takes them out again."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from .. import config as settings
from .. import integrations
from .doors import stand_at
from .script import served
from .session import Cell, Kind, current, say

_undos: dict[int, list[Callable[[], None]]] = {}


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Show in the pane whatever this IPython shows."""
    attach(shell, "ipython", terminal=True)


def attach(shell: InteractiveShell, kind: Kind, terminal: bool) -> None:
    """Show in the pane whatever a shell shows.

    Args:
        shell: any IPython shell.
        kind: what runs here.
        terminal: whether somebody sits at it, who sees what it printed before, and figures at the end of each cell.
    """
    if id(shell) in _undos:
        return
    config = settings.IPyWeb.instance(config=settings.merged_config(shell.config))
    current(kind, config)
    _undos[id(shell)] = [
        _add(served, shell),
        _add(shell.configurables, config),
        _on(shell, "pre_run_cell", _begin_cell(shell)),
        _add_magic(shell),
        _say_above_prompt(shell),
        _draw_no_more,
        stand_at(shell, current, terminal),
        integrations.install(shell, cells=terminal) if config.integrations else lambda: None,
    ]


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Put everything back as it was before `load_ipython_extension`."""
    for undo in reversed(_undos.pop(id(shell), [])):
        undo()


def _begin_cell(shell: InteractiveShell) -> Callable[[Any], None]:
    def begin_cell(info: Any) -> None:
        current().cell = Cell(shell.displayhook.prompt_count, info.raw_cell)

    return begin_cell


def _on(shell: InteractiveShell, event: str, function: Callable[..., None]) -> Callable[[], None]:
    shell.events.register(event, function)
    return lambda: shell.events.unregister(event, function)


def _add(items: list[Any], item: Any) -> Callable[[], None]:
    items.append(item)
    return lambda: items.remove(item)


def _say_above_prompt(shell: InteractiveShell) -> Callable[[], None]:
    """Print what the session says, on whatever thread, above the line that somebody is typing, not into it."""
    session = current()

    def say_above_prompt(line: str) -> None:
        prompt = getattr(getattr(shell, "pt_app", None), "app", None)
        if prompt is None or not prompt.is_running:
            say(line)
            return
        from prompt_toolkit.application import run_in_terminal

        prompt.loop.call_soon_threadsafe(partial(run_in_terminal, partial(say, line)), context=prompt.context)

    session.say = say_above_prompt
    return lambda: setattr(session, "say", say)


def _draw_no_more() -> None:
    module = sys.modules.get(f"{__package__}.inline")
    if module is not None:
        module.off()


def _add_magic(shell: InteractiveShell) -> Callable[[], None]:
    magics = shell.magics_manager.magics["line"]
    magics["ipyweb"] = _ipyweb

    def remove() -> None:
        magics.pop("ipyweb", None)

    return remove


def _ipyweb(line: str) -> None:
    from .magics import ipyweb

    ipyweb(line)
