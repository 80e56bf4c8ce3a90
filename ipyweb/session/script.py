"""ipyweb in a plain script: a light shell, its doors, and the libraries' switches, from the first display on."""


from IPython.core.interactiveshell import InteractiveShell

from .. import integrations
from .forking import whole
from .session import current
from .shell import LightShell, get_shell

_lock = whole
_used = False
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

                stand_at(shell, current, terminal=False)
            if current().config.integrations:
                integrations.install(shell)
    return shell
