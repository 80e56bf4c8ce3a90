"""ipympl: what its figures do by themselves is done on the user's thread, as long as somebody looks.

Its timers count on the event loop of a kernel, and there is none. `plt.pause` and `plt.ginput` wait in a loop that
gives a canvas the time to hear what was done to it; in a kernel it hears nothing meanwhile. Its pictures are written by
our own writer of PNG files, in a third of the time.
"""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from . import are_carried, chain, replace

_MODULE = "ipympl.backend_nbagg"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Let canvases have timers that run at a prompt and while the program waits, unless a kernel has its own."""
    if not are_carried(shell):
        return lambda: None

    from ..session import present
    from . import ipympl_ahead
    from .matplotlib_animation import animations_of

    canvas = sys.modules[_MODULE].Canvas
    for figure in _figures(canvas):
        for animation in animations_of(figure):  # made before anything was shown, and so before this
            source = animation.event_source
            animation.event_source = _timer(figure.canvas.model_id, source.interval, source.callbacks)
    return chain(
        replace(canvas, "new_timer", lambda self, *args, **keys: _timer(self.model_id, *args, **keys)),
        replace(canvas, "flush_events", lambda self: _hear()),
        replace(canvas, "get_diff_image", _picture),
        ipympl_ahead.install(canvas),
        present.add(f"{_MODULE}.Canvas", _present),
    )


def _figures(canvas: type) -> list[Any]:
    from matplotlib._pylab_helpers import Gcf

    found = [manager.canvas for manager in Gcf.get_all_fig_managers()]
    return [each.figure for each in found if isinstance(each, canvas)]


def _picture(canvas: Any) -> bytes | None:
    """The whole as it is now, if it was drawn since the last one: what differs takes longer to find than to send.

    Args:
        canvas: a `matplotlib.backends.backend_webagg_core.FigureCanvasWebAggCore`, whose attributes are kept up.
    """
    if not canvas._png_is_old:
        return None

    import numpy

    pixels = numpy.asarray(canvas.get_renderer().buffer_rgba())
    canvas.set_image_mode("full")
    canvas._last_buff = pixels.view(numpy.uint32)[..., 0].copy()
    canvas._force_full = canvas._png_is_old = False
    return _encoded(pixels, canvas.figure.dpi)


def _encoded(pixels: Any, dpi: float) -> bytes:
    from ..figures import png

    height, width, _ = pixels.shape
    return png.encode(width, height, pixels.data, dpi)


def _present(canvas: Any) -> dict[str, Any]:
    """The picture that a front end without a session shows; ipympl renews it until the first front end comes."""
    import base64

    import numpy
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if canvas.figure.stale or getattr(canvas, "renderer", None) is None:
        FigureCanvasAgg.draw(canvas)
        canvas._png_is_old = True
    picture = _encoded(numpy.asarray(canvas.get_renderer().buffer_rgba()), canvas.figure.dpi)
    return {"_data_url": "data:image/png;base64," + base64.b64encode(picture).decode()}


def _hear() -> None:
    """Do what was done in panes meanwhile."""
    from ..session.wire import wire

    if threading.current_thread() is threading.main_thread():
        wire().pump.deliver()


def _timer(comm: str, *args: Any, **keys: Any) -> Any:
    """A timer that runs while somebody looks at a canvas.

    Args:
        comm: of the canvas.
        args, keys: as for `matplotlib.backend_bases.TimerBase`.
    """
    from matplotlib.backend_bases import TimerBase

    from ..session.wire import wire

    class Timer(TimerBase):
        _turn: object | None = None
        _begun = 0
        _due = 0.0

        def _timer_start(self) -> None:
            self._turn, self._begun, self._due = object(), self.interval, time.monotonic()
            self._call_again()

        def _timer_stop(self) -> None:
            self._turn = None

        def _timer_set_interval(self) -> None:
            if self._turn is not None and self.interval != self._begun:  # animations set it at each step
                self._timer_start()

        def _call_again(self) -> None:
            now, turn = time.monotonic(), self._turn
            self._due = max(now, self._due + self.interval / 1000)
            wire().pump.call_later(self._due - now, lambda: self._tick(turn))

        def _tick(self, turn: object) -> None:
            if turn is self._turn and wire().is_watched(comm):
                self._on_timer()  # type: ignore[attr-defined]  # which may end it, or begin it anew
                if turn is self._turn and self.single_shot:
                    self._timer_stop()
            if turn is self._turn:
                self._call_again()

    return Timer(*args, **keys)
