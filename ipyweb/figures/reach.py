"""A copy of a figure that somebody in a pane reaches into: pans, zooms, rotates, and sees what lies under the cursor.

It runs in an easel of its own. matplotlib's WebAgg core does the work: its canvas takes the pane's events, and its
toolbar knows what they mean. The words of its protocol are kept (``backend_webagg_core``): ``motion_notify``,
``button_press``, ``key_press``, ``toolbar_button``, ``resize``, ``refresh``, ``ack`` come in; ``cursor``, ``message``,
``rubberband``, ``history_buttons``, ``navigate_mode`` go out. Ours are ``move`` (pan or turn by keys) and ``keep``.

Only the newest state is drawn: events that wait are all taken in before anything is drawn, of movements only the last,
and no more than `WINDOW` pictures are on their way that the pane has not acknowledged. A picture is the rectangle that
changed: as it is, or roughly while one hurries after the other, which is made good at rest.

Coordinates are pixels of the screen, with the origin at the top left in what comes in (as browsers have it), and at the
bottom left in what goes out (as matplotlib has it).
"""

import contextlib
import io
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy
from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_webagg_core import (
    FigureCanvasWebAggCore,
    FigureManagerWebAgg,
    NavigationToolbar2WebAgg,
)
from PIL import Image

from ..errors import NotPicklable
from . import png
from .channel import receive, send
from .copies import Event, conflate
from .drawing import Spec, drawing_params, resize
from .snapshot import Buffer, Loaded, take

WINDOW = 2
"""Pictures on their way at most."""

SERIES = 1.0
"""Seconds within which turns of a wheel, or moves by keys, count as one step of the history."""

NOTCH = 0.85
"""How much of the axes is left in view by one notch of a wheel; matplotlib's own value."""

TURN = 90.0
"""Degrees by which moving over a whole axes turns it in three dimensions."""

REST = 0.2
"""Seconds after a picture within which the next one hurries, and after which rough ones are made good."""

ROUGH = 85
"""Quality of pictures in a hurry, JPEGs, which take a third of the time of a PNG."""

OPAQUE = 255
SMALL = 100_000
"""Pixels up to which a part is sent as it is in any case."""

LONGEST = 300
"""Characters of what is said about the point under the cursor."""

SAID = frozenset({"cursor", "message", "rubberband", "history_buttons", "navigate_mode"})
"""What of WebAgg's messages the pane hears; its others are about pictures, which go another way here."""

Say = Callable[[dict[str, Any], list[Buffer]], None]
Box = tuple[int, int, int, int]
"""First row, the one after the last, first column, the one after the last."""


def serve(pipe: Connection, loaded: Loaded, wanted: Mapping[str, Any]) -> None:
    """Let a pane reach into a figure, until the pipe is closed.

    Args:
        pipe: to the keeper; events come as ``{"event": …}``.
        loaded: the figure, which is altered.
        wanted: its ``width`` and ``height`` in pixels, and its ``dpi``.

    Raises:
        EOFError: the keeper has closed the pipe.
        Exception: whatever the first drawing raises.
    """
    with drawing_params(loaded.params), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rcParams["toolbar"] = "toolbar2"
        copy = Copy(loaded.figure, wanted, lambda header, parts: send(pipe, header, parts))
        copy.settle()
        while True:
            for event in _waiting(pipe, copy.patience):
                copy.take(event)
            copy.settle()


def _waiting(pipe: Connection, patience: float | None) -> list[Event]:
    """The events that are there, none only after `patience` seconds; of movements that follow each other, the last."""
    events: list[Event] = []
    while pipe.poll(0.0 if events else patience):
        conflate(events, receive(pipe)[0]["event"])
    return events


class Picture(NamedTuple):
    """A part of a drawing: the size of the whole, the place of the part, and the part itself."""

    size: list[int]
    at: list[int]
    mime: str
    data: bytes


class _Canvas(FigureCanvasWebAggCore):
    """WebAgg's canvas, which is drawn when there is room for a picture, and whose pictures are what changed.

    Attributes:
        wants: whether it is to be drawn.
        hurries: whether a picture may be rough.
        rough: what was sent roughly, and not made good yet.
    """

    wants = False
    hurries = False
    rough: Box | None = None

    def draw_idle(self) -> None:
        self.wants = True

    def draw(self) -> None:
        """Draw, and send what changed; nothing of a drawing that was broken off."""
        FigureCanvasAgg.draw(self)
        manager: Any = self.manager
        manager.refresh_all()

    def get_diff_image(self) -> Picture | None:
        """What changed since the last one; nothing when nothing did."""
        canvas: Any = self
        now: Any = numpy.asarray(canvas.buffer_rgba()).view(numpy.uint32).squeeze(2)
        anew = self._force_full or now.shape != self._last_buff.shape
        box = (0, now.shape[0], 0, now.shape[1]) if anew else _changed(now != self._last_buff)
        canvas._last_buff, canvas._force_full = now.copy(), False
        if not self.hurries or anew:
            box, self.rough = box if anew else _around(box, self.rough), None
        return None if box is None else self._picture(now, box)

    def _picture(self, now: Any, box: Box) -> Picture:
        top, bottom, left, right = box
        part = numpy.ascontiguousarray(now[top:bottom, left:right])
        size, at = [now.shape[1], now.shape[0]], [left, top]
        if self.hurries and part.size > SMALL and part.view(numpy.uint8)[:, 3::4].min() == OPAQUE:
            self.rough = _around(box, self.rough)
            return Picture(size, at, "image/jpeg", _roughly(right - left, bottom - top, part))
        return Picture(size, at, "image/png", png.encode(right - left, bottom - top, part.tobytes(), self.figure.dpi))


def _roughly(width: int, height: int, part: Any) -> bytes:
    stream = io.BytesIO()
    Image.frombuffer("RGB", (width, height), part, "raw", "RGBX", 0, 1).save(stream, "jpeg", quality=ROUGH)
    return stream.getvalue()


def _changed(differs: Any) -> Box | None:
    """What has anything true."""
    rows, columns = (numpy.flatnonzero(differs.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _around(one: Box | None, other: Box | None) -> Box | None:
    """What has both in it."""
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), max(one[3], other[3])


class _Manager(FigureManagerWebAgg):
    _toolbar2_class: Any = NavigationToolbar2WebAgg


class Copy:
    """A figure under WebAgg's core.

    Args:
        figure: the copy.
        wanted: see `serve`.
        say: tells the keeper something.
    """

    _kinds: tuple[Any, Any] = _Canvas, _Manager

    def __init__(self, figure: Any, wanted: Mapping[str, Any], say: Say) -> None:
        self._figure = figure
        self._say = say
        self._made = _Made(figure)
        self._messages: dict[str, dict[str, Any]] = {}
        self._heard: dict[str, dict[str, Any]] = {}
        self._on_way = 0
        self._sent = 0.0
        self._series = "", 0.0
        canvas, manager = self._kinds
        self._canvas = canvas(figure)
        self._manager = manager(self._canvas, 1)
        self._fit(wanted)
        self._manager.add_web_socket(self)
        if not any(map(_is_spatial, figure.axes)):  # those are turned by dragging
            self._manager.toolbar.pan()
        self._canvas.draw_idle()
        self._handlers: dict[str, Callable[[Event], None]] = {
            "ack": self._ack,
            "draw": lambda event: self._canvas.draw_idle(),
            "keep": self._keep,
            "move": self._move,
            "refresh": self._refresh,
            "resize": self._fit,
            "scroll": self._scroll,
        }

    # -- WebAgg's socket ----------------------------------------------------------------------------------------------

    def send_json(self, message: dict[str, Any]) -> None:
        """Note what the pane is to hear; the newest of each kind."""
        if message["type"] in SAID:
            self._messages[message["type"]] = message

    def send_binary(self, picture: Picture) -> None:
        """Send a picture."""
        self._on_way += 1
        self._sent = time.monotonic()
        self._say({"op": "frame", "size": picture.size, "at": picture.at, "mime": picture.mime}, [picture.data])

    # -- events -------------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """Take in one event; one that matplotlib stumbles over is told, and goes by."""
        handle = self._handlers.get(event["type"], self._canvas.handle_event)
        try:
            handle(event)
        except Exception as error:
            self._stumble(error)

    def _stumble(self, error: Exception) -> None:
        self.send_json({"type": "message", "message": f"{type(error).__name__}: {error}"})

    @property
    def patience(self) -> float | None:
        """Seconds without events after which there is something to do; ``None`` if there is not."""
        return REST if self._canvas.rough is not None else None

    def settle(self) -> None:
        """Tell what came of events, and draw if that is wanted and there is room for a picture.

        Raises:
            Exception: whatever the first drawing raises. Of a later one that is told, and the picture stays.
        """
        self._tell()
        if self._on_way >= WINDOW:
            return
        try:
            self._draw()
        except Exception as error:  # a scale that does not go with the data, say
            if self._sent == 0.0:
                raise
            self._canvas.rough = None
            self._stumble(error)
            self._tell()

    def _tell(self) -> None:
        news = [each for name, each in self._messages.items() if self._heard.get(name) != each]
        self._heard.update(self._messages)
        self._messages.clear()
        if news:
            self._say({"op": "said", "messages": [_shortened(each) for each in news]}, [])

    def _draw(self) -> None:
        canvas = self._canvas
        canvas.hurries = time.monotonic() - self._sent < REST
        if canvas.wants:
            canvas.wants = False
            canvas.draw()
        elif canvas.rough is not None and not canvas.hurries:
            self._manager.refresh_all()

    def _ack(self, event: Event) -> None:
        self._on_way = max(0, self._on_way - 1)

    def _refresh(self, event: Event) -> None:
        self._heard.clear()
        self._canvas.handle_event(event)

    def _fit(self, event: Mapping[str, Any]) -> None:
        """Lay the figure out for another size, as its own drawing for that size is."""
        self._made.restore()
        width, height, dpi = (float(event[name]) for name in ("width", "height", "dpi"))
        self._figure._set_dpi(dpi, forward=False)
        resize(self._figure, Spec(width=(width, "px"), height=(height, "px"), dpi=dpi, margins=True))
        self._replace_history()
        self._canvas.draw_idle()

    def _replace_history(self) -> None:
        """Let no step of the history bring back where axes were at another size."""
        for views in self._stack._elements:
            for axes, (view, _) in list(views.items()):
                views[axes] = view, (axes.get_position(True).frozen(), axes.get_position().frozen())

    @property
    def _stack(self) -> Any:
        return self._manager.toolbar._nav_stack

    @contextlib.contextmanager
    def _step(self, series: str) -> Iterator[None]:
        """What is done while it is entered becomes one step of the history, with what was just done in its series."""
        before, when = self._series
        now = time.monotonic()
        self._series = series, now
        toolbar = self._manager.toolbar
        if self._stack() is None:
            toolbar.push_current()
        yield
        if (before, now - when < SERIES) == (series, True) and self._stack._pos > 0:
            self._stack.back()
        toolbar.push_current()
        self._canvas.draw_idle()

    def _scroll(self, event: Event) -> None:
        """Zoom around the cursor, whether a mode is on or not."""
        x, y = event["x"], self._figure.bbox.height - event["y"]
        under = [each for each in self._navigable() if each.get_window_extent().contains(x, y)]
        if not under:
            return
        with self._step("scroll"):
            for number, axes in enumerate(under):
                _ZOOMS[_is_spatial(axes)](axes, NOTCH ** event["step"], (x, y), under[:number])

    def _move(self, event: Event) -> None:
        """Move by so many pixels, all axes at once."""
        chosen = [each for each in self._navigable() if not hasattr(each, "_colorbar")]
        flat = [each for each in chosen if not _is_spatial(each) and each.can_pan()]
        with self._step("move"):
            for axes in flat:
                axes.start_pan(0, 0, 1)
            for axes in flat:
                axes.drag_pan(1, None, -event["x"], event["y"])
            for axes in flat:
                axes.end_pan()
            for axes in filter(_is_spatial, chosen):
                box = axes.get_window_extent()
                axes.view_init(
                    elev=axes.elev - TURN * event["y"] / box.height,
                    azim=axes.azim + TURN * event["x"] / box.width,
                    roll=axes.roll,
                )

    def _navigable(self) -> list[Any]:
        return [each for each in self._figure.axes if each.get_visible() and each.get_navigate()]

    def _keep(self, event: Event) -> None:
        """Give a snapshot of the copy as it stands, in its own size."""
        toolbar = self._manager.toolbar
        switch = {"PAN": toolbar.pan, "ZOOM": toolbar.zoom}.get(toolbar.mode.name, bool)
        width, height = self._figure.bbox.size
        dpi = self._figure.dpi
        try:
            self._made.restore()
            switch()  # axes know the mode, and would take it along
            snapshot = take(self._figure)
        except NotPicklable as error:
            self._say({"op": "kept", "error": f"this view cannot be kept: {error}"}, [])
        else:
            self._say({"op": "kept"}, snapshot.parts())
        finally:
            switch()
            self._fit({"width": width, "height": height, "dpi": dpi})


class _Made:
    """How a figure is laid out as it was made."""

    def __init__(self, figure: Any) -> None:
        self._figure = figure
        self._size = tuple(figure.get_size_inches())
        self._dpi = figure.dpi
        shares = figure.subplotpars
        names = ("left", "right", "bottom", "top", "wspace", "hspace")
        self._shares = {name: getattr(shares, name) for name in names}

    def restore(self) -> None:
        """Lay it out so again; what an engine lays out, that will lay out anew."""
        self._figure._set_dpi(self._dpi, forward=False)
        self._figure.set_size_inches(self._size, forward=False)
        now = self._figure.subplotpars
        if self._shares != {name: getattr(now, name) for name in self._shares}:
            self._figure.subplots_adjust(**self._shares)


def _is_spatial(axes: Any) -> bool:
    """Whether axes have three dimensions."""
    return hasattr(axes, "get_zlim")


def _zoom(axes: Any, factor: float, point: tuple[float, float], others: list[Any]) -> None:
    """Show `factor` times as much as before, but in a direction in which one of `others` did so for these axes too.

    What is at the point stays there. Scales need not be linear.
    """
    if not axes.can_zoom():
        return
    to_linear, from_linear = axes.transScale, axes.transScale.inverted()
    middle = to_linear.transform(axes.transData.inverted().transform(point))
    corners = to_linear.transform(list(zip(axes.get_xlim(), axes.get_ylim(), strict=True)))
    (left, bottom), (right, top) = from_linear.transform(middle + (corners - middle) * factor)
    if not any(axes.get_shared_x_axes().joined(axes, each) for each in others):
        axes.set_xlim(left, right)
    if not any(axes.get_shared_y_axes().joined(axes, each) for each in others):
        axes.set_ylim(bottom, top)


def _zoom_spatial(axes: Any, factor: float, point: tuple[float, float], others: list[Any]) -> None:
    axes._scale_axis_limits(factor, factor, factor)


_ZOOMS = {False: _zoom, True: _zoom_spatial}


def _shortened(message: dict[str, Any]) -> dict[str, Any]:
    if message["type"] != "message":
        return message
    return {**message, "message": str(message["message"])[:LONGEST]}
