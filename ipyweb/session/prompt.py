"""The plain ``python`` prompt: values of expressions, and what a command plotted, appear in the pane."""

import builtins
import logging
import sys
from collections.abc import Callable
from typing import Any

log = logging.getLogger("ipyweb")


class Prompt:
    """A `sys.ps1` that calls back each time the interpreter prompts, as the end of the command before.

    Args:
        before: the prompt that is shown.
        callback: called each time.
    """

    def __init__(self, before: object, callback: Callable[[], None]) -> None:
        self.before = before
        self._callback = callback

    def __str__(self) -> str:
        self._callback()
        return str(self.before)


def follow_prompt() -> Callable[[], None]:
    """Show in the pane what is typed at the prompt.

    Returns:
        A function that takes it back.
    """
    from .pyplot import end_of_cell

    had_prompt = hasattr(sys, "ps1")
    prompt = Prompt(getattr(sys, "ps1", ">>> "), end_of_cell)
    before = sys.displayhook

    def displayhook(value: object) -> None:
        before(value)
        if value is not None:
            _show(value)

    sys.ps1, sys.displayhook = prompt, displayhook

    def undo() -> None:
        if sys.displayhook is displayhook:
            sys.displayhook = before
        if getattr(sys, "ps1", None) is prompt:
            if had_prompt:
                sys.ps1 = prompt.before
            else:
                del sys.ps1

    return undo


def _show(value: Any) -> None:
    """Send the value of an expression, where it has more to it than text."""
    if type(value).__module__ == builtins.__name__:
        return
    try:
        from .display import format_for_pane
        from .session import current

        made = format_for_pane(value)
        if set(made.data) - {"text/plain"} or current().config.text_results:
            current().publish(made.data, made.metadata, result=True, problems=made.problems)
    except Exception:
        log.debug("a value could not be sent", exc_info=True)
