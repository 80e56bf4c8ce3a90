"""`install` and `uninstall`: every library's own show, and the plain prompt, point at the pane, and back again."""

from __future__ import annotations

import sys

from ..integrations import TRIGGERS, after_import, is_imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Undo = Callable[[], None]

_PYPLOT = "matplotlib.pyplot"
_PARTS_OF_IPYTHON = {"IPython.display"}  # imported while IPython itself is not there as a whole
_undos: list[Undo] = []


def install() -> None:
    """Point every library's own ``show()`` at the pane, and at a prompt what is typed. A second call does nothing."""
    if _undos:
        return
    shell = _running_ipython()
    if shell is None:
        _undos.append(switch_on())
    else:
        from .extension import load_ipython_extension, unload_ipython_extension

        _undos.append(take_windows())
        load_ipython_extension(shell)
        _undos.append(lambda: unload_ipython_extension(shell))


def uninstall() -> None:
    """Take back exactly what `install` did."""
    while _undos:
        _undos.pop()()


def switch_on() -> Undo:
    """What `install` does where no IPython runs. Loads nothing that the program does not load itself.

    Returns:
        A function that takes it back.
    """
    undos: list[Undo] = [take_windows()]

    def take_over_pyplot(module: str) -> None:
        from ..integrations.matplotlib import take_over

        undos.append(take_over())

    def use_shell(module: str) -> None:
        import IPython  # noqa: F401 - calls us in turn, which must not find our own modules half imported

        from .script import leave_script, use_in_script

        use_in_script()
        undos.append(leave_script)

    if _at_prompt():
        from .prompt import follow_prompt

        undos.append(follow_prompt())
    undos.append(when_imported({_PYPLOT}, take_over_pyplot))
    undos.append(when_imported({"IPython", *TRIGGERS} - {_PYPLOT, *_PARTS_OF_IPYTHON}, use_shell))

    def undo() -> None:
        while undos:
            undos.pop()()

    return undo


_windows_taken = 0


def opens_windows() -> bool:
    """Whether what a program would open in a browser's window is left to it."""
    return _windows_taken == 0


def take_windows() -> Undo:
    """Show in the pane what this program would open in a browser's window.

    Returns:
        A function that takes it back.
    """
    global _windows_taken
    _windows_taken += 1
    undos: list[Undo] = []

    def take_over_windows(module: str) -> None:
        from .windows import take_over

        undos.append(take_over())

    undos.append(when_imported({"webbrowser"}, take_over_windows))

    def undo() -> None:
        global _windows_taken
        _windows_taken -= 1
        while undos:
            undos.pop()()

    return undo


def when_imported(modules: Iterable[str], callback: Callable[[str], None]) -> Undo:
    """Call back for modules that are imported, or once they are; their import never fails because of us."""

    def quietly(module: str) -> None:
        try:
            callback(module)
        except Exception as error:
            import logging

            logging.getLogger("ipyweb").warning("ipyweb: %s could not be switched over: %s", module, error)

    wanted = set(modules)
    there = {module for module in wanted if is_imported(module)}
    for module in there:
        quietly(module)
    return after_import(wanted - there, quietly)


def _running_ipython() -> Any:
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return None
    from .shell import LightShell

    return None if isinstance(shell, LightShell) else shell


def _at_prompt() -> bool:
    """Whether this is the plain prompt, or will be: ``python``, its startup file, ``python -i``."""
    startup_file = sys.argv[:1] == [""] and sys.stdin is not None and sys.stdin.isatty()
    return hasattr(sys, "ps1") or bool(sys.flags.interactive) or startup_file
