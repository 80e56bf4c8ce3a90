"""ipympl's next picture is drawn while the browser is still busy with the last one.

Its front end asks for a picture once it has heard that the figure changed and is done with the picture before, so that
one waits while the other works. What somebody looks at is drawn as soon as the user's thread has time for it, and sent
when it is asked for.
"""

import contextlib
from collections.abc import Callable, Iterator
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
        drawing: whether one is being made, in which artists say that they change.
        picture: a PNG file that nobody has asked for yet.
        renderer: what it was drawn with; the canvas has another one when its size is another.
    """

    changed: bool = False
    due: bool = False
    drawing: bool = False
    picture: bytes | None = None
    renderer: Any = None

    def take(self, canvas: Any) -> bytes | None:
        """The picture, unless another one was sent since, or it has another size."""
        picture, self.picture = self.picture, None
        return picture if canvas._png_is_old and canvas.get_renderer() is self.renderer else None

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """While it is entered, the figure is drawn."""
        self.changed, self.drawing = False, True
        try:
            yield
        finally:
            self.drawing = False


def install(canvas_class: Any) -> Callable[[], None]:
    """Let canvases draw ahead.

    Args:
        canvas_class: a subclass of `matplotlib.backends.backend_webagg_core.FigureCanvasWebAggCore`, whose attribute
            `_png_is_old` says whether the renderer has what was not sent, and whose pictures are never differences.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from ..session.wire import wire

    canvases: WeakKeyDictionary[Any, _Ahead] = WeakKeyDictionary()

    def draw_idle(self: Any) -> None:
        ahead = canvases.setdefault(self, _Ahead())
        if ahead.drawing:  # or one drawing would be the reason for the next
            return
        ahead.changed = True
        self.send_event("draw")
        if not ahead.due and wire().is_watched(self.model_id):
            ahead.due = True
            wire().pump.call_later(0, lambda: draw_ahead(self, ahead))

    def draw_ahead(canvas: Any, ahead: _Ahead) -> None:
        ahead.due = False
        if ahead.changed and ahead.picture is None:
            with contextlib.suppress(Exception), ahead.at_work():  # it is drawn again when it is asked for, and says so
                FigureCanvasAgg.draw(canvas)
                canvas._png_is_old = True
                ahead.picture, ahead.renderer = canvas.get_diff_image(), canvas.get_renderer()
                canvas._png_is_old = True

    def handle_draw(self: Any, event: object) -> None:
        ahead = canvases.setdefault(self, _Ahead())
        try:
            answer(self, ahead)
        except KeyboardInterrupt:  # the front end asks for nothing else before it has this
            wire().pump.call_later(0, lambda: handle_draw(self, event))
            raise

    def answer(canvas: Any, ahead: _Ahead) -> None:
        picture = ahead.take(canvas)
        if picture is None:
            with ahead.at_work():
                canvas.draw()
            return
        canvas._png_is_old = False
        canvas.send_binary(picture)
        if ahead.changed:
            canvas.draw_idle()  # the front end does not hear of changes while it waits for a picture

    return chain(replace(canvas_class, "draw_idle", draw_idle), replace(canvas_class, "handle_draw", handle_draw))
