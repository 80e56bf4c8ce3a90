"""ipympl's next picture is drawn while the browser is still busy with the last one.

Its front end asks for a picture once it has heard that the figure changed and is done with the picture before, so that
one waits while the other works. What somebody looks at is drawn as soon as the user's thread has time for it, and sent
when it is asked for.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from . import chain, replace


@dataclass
class _Ahead:
    """Of one canvas.

    Attributes:
        changed: whether the figure may differ from what was drawn last.
        due: whether a drawing is to be made when there is time.
        renderer: that has a drawing which nobody has asked for yet.
    """

    changed: bool = False
    due: bool = False
    renderer: Any = None


def install(canvas_class: Any) -> Callable[[], None]:
    """Let canvases draw ahead.

    Args:
        canvas_class: a subclass of `matplotlib.backends.backend_webagg_core.FigureCanvasWebAggCore`, whose attribute
            `_png_is_old` says whether the renderer has what was not sent.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from ..session.wire import wire

    canvases: WeakKeyDictionary[Any, _Ahead] = WeakKeyDictionary()

    def draw_idle(self: Any) -> None:
        ahead = canvases.setdefault(self, _Ahead())
        ahead.changed = True
        self.send_event("draw")
        if not ahead.due and wire().is_watched(self.model_id):
            ahead.due = True
            wire().pump.call_later(0, lambda: draw_ahead(self, ahead))

    def draw_ahead(canvas: Any, ahead: _Ahead) -> None:
        ahead.due = False
        if ahead.changed and ahead.renderer is None:
            ahead.changed = False
            with contextlib.suppress(Exception):  # it is drawn again when it is asked for, and says so then
                FigureCanvasAgg.draw(canvas)
                canvas._png_is_old = True
                ahead.renderer = canvas.get_renderer()

    def handle_draw(self: Any, event: object) -> None:
        ahead = canvases.setdefault(self, _Ahead())
        drawn, ahead.renderer = ahead.renderer, None
        if drawn is None or not self._png_is_old or drawn is not self.get_renderer():  # sent since, or of another size
            ahead.changed = False
            self.draw()
            return
        self.manager.refresh_all()
        if ahead.changed:
            self.draw_idle()  # the front end does not hear of changes while it waits for a picture

    return chain(replace(canvas_class, "draw_idle", draw_idle), replace(canvas_class, "handle_draw", handle_draw))
