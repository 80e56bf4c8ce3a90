"""The shell that gives ``IPython.display`` its meaning in a plain script.

Without a shell, ``IPython.display.display`` is ``print``. The stock ``InteractiveShell.instance()`` is no way out: it
replaces ``sys.modules["__main__"]`` (which breaks pickling of the script's classes), opens a history file and looks for
virtual environments. `LightShell` leaves all that alone.
"""

import builtins
import sys
import traceback
from collections.abc import Callable
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from traitlets.config import Config

from ..forking import whole
from ..integrations import after_import

_lock = whole
_TERMINAL = "IPython.terminal.interactiveshell"
_undos: list[Callable[[], None]] = []


class LightShell(InteractiveShell):
    """An `InteractiveShell` that changes nothing of the program it lives in and writes no files."""

    def init_ipython_dir(self, ipython_dir: Any) -> None: ...

    def init_profile_dir(self, profile_dir: Any) -> None:
        self.profile_dir = ProfileDir()  # without a location, it makes no directories

    def init_environment(self) -> None: ...

    def init_virtualenv(self) -> None: ...

    def save_sys_module_state(self) -> None: ...

    def restore_sys_module_state(self) -> None: ...

    def init_sys_modules(self) -> None: ...

    def init_io(self) -> None: ...

    def init_prompts(self) -> None: ...

    def init_pdb(self) -> None: ...

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show an error as a script does: plain, on stderr."""
        traceback.print_exception(*(exc_tuple or sys.exc_info()))


def get_shell() -> InteractiveShell:
    """The running shell, or the light one, made now."""
    with _lock:
        if InteractiveShell.initialized():
            shell: InteractiveShell = InteractiveShell.instance()
            return shell
        config = Config()
        config.HistoryManager.enabled = False
        light = LightShell.instance(config=config)
        if _TERMINAL in sys.modules:
            _free_terminal(_TERMINAL)
        else:
            _undos.append(after_import([_TERMINAL], _free_terminal))
        # holoviews and panel look for this name, once, when they are imported
        if not hasattr(builtins, "get_ipython"):
            builtins.get_ipython = light.get_ipython  # type: ignore[attr-defined]
        return light


def _free_terminal(module: str) -> None:
    """Let a script start IPython's terminal, which would be told that there is a shell of another kind."""
    sys.modules[module].TerminalInteractiveShell._instance = None


def remove_light_shell() -> None:
    """Take the light shell away, so that a script is as if it had never been there."""
    with _lock:
        shell: Any = InteractiveShell._instance
        if isinstance(shell, LightShell):
            if getattr(builtins, "get_ipython", None) == shell.get_ipython:
                del builtins.get_ipython  # type: ignore[attr-defined]
            while _undos:
                _undos.pop()()
            LightShell.clear_instance()
