"""ipyweb in a plain script: a light shell, its doors, and the libraries' switches, from the first display on."""

from collections.abc import Callable

from IPython.core.interactiveshell import InteractiveShell

from .. import integrations
from ..forking import whole
from .session import current
from .shell import LightShell, get_shell, remove_light_shell

_lock = whole
_used = False
_undos: list[Callable[[], None]] = []
served: list[InteractiveShell] = []
"""The shells with the extension, which does the same there and takes it back in the end."""


def use_in_script() -> InteractiveShell:
    """Make ``IPython.display`` and the libraries show in the pane; in IPython, that is the extension's part.

    Returns:
        The shell whose formatters apply.
    """
    global _used
    shell = get_shell()
    with _lock:
        if not _used and shell not in served:
            _used = True
            if isinstance(shell, LightShell):
                from .doors import stand_at

                _undos.append(remove_light_shell)
                _undos.append(stand_at(shell, current, terminal=False))
            if current().config.integrations:
                _undos.append(integrations.install(shell))
    return shell


def leave_script() -> None:
    """Take back what `use_in_script` did."""
    global _used
    with _lock:
        while _undos:
            _undos.pop()()
        _used = False
