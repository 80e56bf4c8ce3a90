"""comm: the widgets of this process are carried to the pane, whatever they are built on."""

from collections.abc import Callable
from typing import Any

from . import are_carried


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Carry all comms, unless a kernel does."""
    if not are_carried(shell):
        return lambda: None

    from ..session.comms import install as carry

    return carry()
