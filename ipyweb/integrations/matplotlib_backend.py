"""matplotlib's backend ``ipyweb``: Agg, whose figures are shown in the pane.

Chosen by ``MPLBACKEND=ipyweb``, ``%matplotlib ipyweb`` or ``matplotlib.use("ipyweb")``, and imported by matplotlib
itself. The protocol is that of matplotlib ≥ 3.6, ``FigureCanvas.manager_class`` with ``pyplot_show``.
"""

import logging
import sys
from typing import Any

from matplotlib import is_interactive
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

log = logging.getLogger("ipyweb")


MOST_WAITS = 20
"""How often a program may wait for clicks that do not come, before it is told that it would do so for ever."""


class FigureManager(FigureManagerBase):
    """pyplot's hold on one figure."""

    _title: str | None = None

    @classmethod
    def pyplot_show(cls, *, block: bool | None = None) -> None:
        """Show all figures, and return at once."""
        from ..session import pyplot

        pyplot.show_all(block)

    def show(self) -> None:
        """Show the figure, or update its output if it changed."""
        from ..session import pyplot

        pyplot.push(self.canvas.figure)

    def destroy(self) -> None:
        """Nothing: the figure's output stays, and its canvas with it, so that it can be shown again."""

    def get_window_title(self) -> str:
        """The title that a window would have."""
        return self._title or f"Figure {self.num}"

    def set_window_title(self, title: str) -> None:
        """Give it another."""
        self._title = title


class FigureCanvas(FigureCanvasAgg):
    """Agg's canvas; what is shown is drawn anew, without it."""

    manager_class = FigureManager
    _waits = 0

    @classmethod
    def new_manager(cls, figure: Any, num: int | str) -> Any:
        """A manager for a figure; in IPython its changes are shown at the end of each cell from now on."""
        shell = _running_shell()
        if shell is not None:
            from ..session import pyplot

            pyplot.follow_cells(shell)
        return super().new_manager(figure, num)

    def draw_idle(self, *args: Any, **kwargs: Any) -> None:
        """Draw, except at a prompt, where each command's end shows what changed, and where a frame is drawn already."""
        if not hasattr(sys, "ps1") and not self.is_saving():
            super().draw_idle(*args, **kwargs)

    def flush_events(self) -> None:
        """Show what changed, where a window would: when the figure was shown, or pyplot is interactive."""
        from ..session import pyplot

        if is_interactive() or pyplot.was_shown(self.figure):
            pyplot.push(self.figure)

    def start_event_loop(self, timeout: float = 0) -> None:
        """Wait as long as was asked; without a limit it would be for clicks, and none can come.

        Raises:
            RuntimeError: the program waits for them again and again.
        """
        if timeout > 0:
            super().start_event_loop(timeout)
            return
        self._waits += 1
        if self._waits > MOST_WAITS:
            raise RuntimeError("a figure waits for clicks or keys, which do not come from the pane")
        if self._waits == 1:
            log.warning("ipyweb: a figure waits for clicks, which do not come from the pane; it goes on without")


def _running_shell() -> Any:
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()
