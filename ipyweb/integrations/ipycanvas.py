"""ipycanvas: what is drawn on a canvas goes to panes as it is drawn; no state has it.

So what was drawn before ipyweb carried the messages is not there, and that is said.
"""

import logging
from collections.abc import Callable
from typing import Any

from . import are_carried


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Let the next drawing say on which canvas it is."""
    if not are_carried(shell):
        return lambda: None

    from ipycanvas import canvas

    manager: Any = getattr(canvas, "_CANVAS_MANAGER", None)
    if getattr(manager, "_current_canvas", None) is not None:
        manager._current_canvas = None
        logging.getLogger("ipyweb").warning(
            "ipyweb: what was drawn on a canvas before anything was displayed is not there; "
            "call ipyweb.install() before drawing"
        )
    return lambda: None
