"""Draws a figure in a format and at a size. The figure is altered by it: give it a copy.

Runs in the keeper's easels, and in the user's process where there is no keeper. pyplot takes no part.
"""

import contextlib
import io
import math
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..forking import in_each_fork
from ..lengths import Length
from . import png
from .snapshot import NOT_DRAWN, load

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .snapshot import Snapshot

FORMATS = {
    "image/png": "png",
    "image/svg+xml": "svg",
    "application/pdf": "pdf",
    "image/jpeg": "jpeg",
    "image/webp": "webp",
    "image/tiff": "tiff",
    "application/postscript": "ps",
    "application/eps": "eps",
}
"""matplotlib's name of each format that figures are drawn in, by MIME type."""

RASTER = frozenset({"image/png", "image/jpeg", "image/webp", "image/tiff"})
MAX_PIXELS = 100_000_000
"""Pixels that one drawing may have; 400 MB while it is drawn."""

HEAVY = 5_000
"""Vertices from which an artist becomes an image inside an SVG that is only kept for later."""

LEAST = 0.4
"""Share of a figure that its subplots keep, however small it gets."""

GAP = 0.08
"""Inches between the labels of such a figure and its edge."""

TICKS, TICKED = 8, 8
"""How many ticks are made ahead for each axis, and of how many axes."""

_lock = threading.RLock()
"""Held by the thread that draws: fonts, rcParams and the list of filters of warnings are the whole process's."""

_begun: float | None = None
"""When that thread began, by the monotonic clock."""


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """Wait until nobody else draws."""
    global _begun
    lock = _lock
    while not lock.acquire(timeout=1.0):
        lock = _lock  # see `take_over`
    before, _begun = _begun, time.monotonic()
    try:
        yield
    finally:
        if lock is _lock:
            _begun = before
        lock.release()


def take_over(seconds: float) -> None:
    """Wait until nobody draws, but not for a drawing that has taken longer than this: it may never end.

    Args:
        seconds: that one drawing may take.
    """
    while True:
        lock, begun = _lock, _begun
        left = seconds if begun is None else begun + seconds - time.monotonic()
        if lock.acquire(timeout=max(left, 0.0)):
            lock.release()
            return
        if lock is _lock and begun is not None and begun == _begun:
            _renew()


def _renew() -> None:
    """Begin with nobody who draws: at our own lock, and at the one that matplotlib has for all figures."""
    global _lock, _begun
    _lock, _begun = threading.RLock(), None
    kind: Any = getattr(sys.modules.get("matplotlib.figure"), "Figure", None)
    if hasattr(kind, "_render_lock"):
        kind._render_lock = threading.RLock()


in_each_fork(_renew)


class Spec(NamedTuple):
    """What to draw.

    Attributes:
        mime: one of `FORMATS`.
        width, height: as numbers with ``px`` or ``in``; the figure's own when both are missing, and in its proportion
            when one is.
        dpi: pixels per inch; the figure's own when missing.
        style: the text of a style sheet of matplotlib to lay over the figure.
        transparent: whether the backgrounds of the figure and of its axes are left out.
        margins: whether a figure that gets smaller keeps the margins it has as made, so that labels still fit; those
            with a layout engine see to it themselves.
        light: whether artists of very many vertices may become images inside a vector format.
    """

    mime: str = "image/png"
    width: Length | None = None
    height: Length | None = None
    dpi: float | None = None
    style: str | None = None
    transparent: bool = False
    margins: bool = False
    light: bool = False

    @classmethod
    def of(cls, wanted: Mapping[str, Any]) -> "Spec":
        """A spec from JSON.

        Raises:
            ValueError: it cannot be drawn.
        """
        mime = str(wanted.get("mime") or "image/png")
        if mime not in FORMATS:
            raise ValueError(f"expected one of {', '.join(FORMATS)}; got {mime}")
        dpi = wanted.get("dpi")
        if dpi is not None and not 1 <= float(dpi) <= 10_000:
            raise ValueError(f"expected a dpi between 1 and 10000, got {dpi}")
        width, height = (_length(wanted.get(name), name) for name in ("width", "height"))
        style = wanted.get("style")
        return cls(
            mime,
            width,
            height,
            None if dpi is None else float(dpi),
            style and str(style),
            bool(wanted.get("transparent")),
            bool(wanted.get("margins")),
        )


def _length(value: Any, name: str) -> Length | None:
    if value is None:
        return None
    number, unit = float(value[0]), str(value[1])
    if unit not in ("px", "in") or not (math.isfinite(number) and number > 0):
        raise ValueError(f"expected {name} to be a positive length in px or in, got {value}")
    return number, unit


OWN = Spec()
"""A PNG at the figure's own size and dpi."""


def draw(figure: "Figure", spec: Spec = OWN, params: Mapping[str, Any] | None = None) -> bytes:
    """The figure's drawing, as ``savefig`` makes it.

    Args:
        params: rcParams to draw with, those of the figure's own process. Only for a process that draws nothing else
            meanwhile, since rcParams are the whole process's.

    Raises:
        ValueError: the drawing would be too large.
        Exception: whatever drawing raises.
    """
    with _turn(), drawing_params(params), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph is missing, a layout does not fit: the picture shows it
        dpi = resize(figure, spec)
        with _in_style(figure, spec.style):
            return _drawn(figure, spec, dpi, in_keeper=params is not None)


def _in_style(figure: "Figure", style: str | None) -> contextlib.AbstractContextManager[None]:
    if not style:
        return contextlib.nullcontext()
    from .style import restyled

    return restyled(figure, style)


def _drawn(figure: "Figure", spec: Spec, dpi: float, in_keeper: bool) -> bytes:
    if spec.light:
        _lighten(figure)
    if in_keeper and spec.mime == "image/png" and spec.width and spec.height:
        return _for_screen(figure, dpi, spec.transparent)
    options = _options(spec.mime, in_keeper)
    return _saved(figure, format=FORMATS[spec.mime], dpi=dpi, transparent=spec.transparent, **options)


class _Pixels(io.BytesIO):
    """A file that keeps the renderer's own memory, in place of a copy."""

    written: memoryview | bytes = b""

    def write(self, data: Any) -> int:
        self.written = memoryview(data).cast("B")
        return len(self.written)


def _for_screen(figure: "Figure", dpi: float, transparent: bool) -> bytes:
    """A PNG for a pane that waits for it."""
    file = _Pixels()
    figure.savefig(file, bbox_inches=None, format="raw", dpi=dpi, transparent=transparent)
    pixels = file.written
    width, height = (int(inches * dpi) for inches in figure.get_size_inches())
    if len(pixels) != 4 * width * height:  # rounded in another way
        return _saved(figure, format="png", dpi=dpi, transparent=transparent)
    return png.encode(width, height, pixels, dpi)


def _saved(figure: "Figure", **options: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, bbox_inches=None, **options)
    return stream.getvalue()


def draw_copy(snapshot: "Snapshot", spec: Spec = OWN) -> bytes:
    """A drawing of a snapshot in this process, from a figure of its own.

    Raises:
        Exception: whatever loading or drawing raises.
    """
    with _turn():
        return draw(load(snapshot).figure, spec)


def _options(mime: str, in_keeper: bool) -> dict[str, Any]:
    if mime == "image/png" and in_keeper:  # quicker, and some bytes larger
        return {"pil_kwargs": {"compress_level": 1}}
    return {"metadata": {"Date": None}} if mime == "image/svg+xml" else {}


def inches(figure: "Figure", spec: Spec) -> tuple[float, float, float]:
    """Width, height and dpi of a drawing."""
    dpi = spec.dpi or float(figure.dpi)
    own_width, own_height = (float(each) for each in figure.get_size_inches())
    width, height = (None if each is None else _inches(each, dpi) for each in (spec.width, spec.height))
    if width is None:
        width = own_width if height is None else height * own_width / own_height
    return width, width * own_height / own_width if height is None else height, dpi


def _inches(length: Length, dpi: float) -> float:
    return length[0] if length[1] == "in" else length[0] / dpi


def resize(figure: "Figure", spec: Spec) -> float:
    """Give a figure the size that a drawing of it has; its dpi is returned, not set.

    Raises:
        ValueError: the drawing would be too large.
    """
    width, height, dpi = inches(figure, spec)
    if width * height * dpi * dpi > MAX_PIXELS and spec.mime in RASTER:
        wide, high = round(width * dpi), round(height * dpi)
        raise ValueError(f"{wide} x {high} pixels are more than a drawing may have ({MAX_PIXELS:,})")
    if spec.margins and figure.get_layout_engine() is None:
        _keep_margins(figure, width, height)
    if spec.width is not None or spec.height is not None:
        # matplotlib cuts the fraction of a pixel off, and 800 / 72 * 72 may be a little less than 800
        nudge = 1e-4 / dpi if spec.mime in RASTER else 0.0
        figure.set_size_inches(width + nudge, height + nudge, forward=False)
    return dpi


class _Margins(NamedTuple):
    """Around the subplots, as shares of the figure."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def of(cls, figure: "Figure") -> "_Margins":
        shares = figure.subplotpars
        return cls(shares.left, shares.bottom, 1 - shares.right, 1 - shares.top)

    def give(self, figure: "Figure") -> None:
        figure.subplots_adjust(self.left, self.bottom, 1 - self.right, 1 - self.top)

    def wider(self, across: float, along: float) -> "_Margins":
        """So many times as wide and as high, but for what the subplots have to keep."""
        across, along = (
            max(1.0, min(times, (1 - LEAST) / max(first + last, 1e-9)))
            for times, first, last in ((across, self.left, self.right), (along, self.bottom, self.top))
        )
        return _Margins(self.left * across, self.bottom * along, self.right * across, self.top * along)


def _keep_margins(figure: "Figure", width: float, height: float) -> None:
    """Keep the inches around the subplots of a figure that gets smaller, as far as labels need them."""
    own_width, own_height = figure.get_size_inches()
    if width >= own_width and height >= own_height:
        return
    least = _Margins.of(figure)
    most = least.wider(own_width / width, own_height / height)
    figure.set_size_inches(width, height, forward=False)
    most.give(figure)
    with contextlib.suppress(Exception):  # what cannot be measured has to do with the margins as made
        unused = _unused(figure)
        _Margins(*(max(a, b - c) for a, b, c in zip(least, most, unused, strict=True))).give(figure)


def _unused(figure: "Figure") -> _Margins:
    """What the labels leave of the margins, but for a little."""
    layout, everything = (_spare(figure, for_layout) for for_layout in (True, False))
    # A long title stands over the middle of its axes: it moves by half of what a margin gets narrower.
    return _Margins(*(max(0.0, min(a, 2 * b)) for a, b in zip(layout, everything, strict=True)))


def _spare(figure: "Figure", for_layout: bool) -> _Margins:
    """What is between the edges and what is drawn; ``for_layout``: however long titles and labels of axes are."""
    from matplotlib.transforms import Bbox

    axes = [each.get_tightbbox(for_layout_only=for_layout) for each in figure.axes if each.get_visible()]
    others = [each.get_window_extent() for each in (*figure.legends, *figure.texts)]
    box = Bbox.union([each for each in (*axes, *others) if each is not None])
    width, height = figure.bbox.size
    gap = GAP * figure.dpi
    left, bottom, right, top = box.x0, box.y0, width - box.x1, height - box.y1
    return _Margins((left - gap) / width, (bottom - gap) / height, (right - gap) / width, (top - gap) / height)


@contextlib.contextmanager
def drawing_params(params: Mapping[str, Any] | None) -> Iterator[None]:
    """While it is entered, figures are drawn with these rcParams, and with matplotlib's defaults for the others.

    Args:
        params: ``None`` leaves those of this process, for all its threads.
    """
    import matplotlib

    rc: Any = matplotlib.rcParams
    if params is None and dict.get(rc, "savefig.bbox") is None:
        yield
        return
    if params is None:
        from .layer import layered

        with layered({"savefig.bbox": None}):
            yield
        return
    with matplotlib.rc_context():
        default: Any = matplotlib.rcParamsDefault
        dict.update(rc, {name: value for name, value in dict.items(default) if name not in NOT_DRAWN})
        for name, value in params.items():
            with contextlib.suppress(Exception):  # a parameter of another version
                rc[name] = value
        rc["savefig.bbox"] = None  # the size asked for, not what happens to be filled
        yield


def make_ticks(figure: "Figure", params: Mapping[str, Any] | None) -> None:
    """Make now the ticks that a drawing of a fresh figure makes first, which is a quarter of its time."""
    with drawing_params(params), contextlib.suppress(Exception):  # the drawing says what is wrong
        for axes in figure.axes[:TICKED]:
            axes.xaxis.get_major_ticks(TICKS)
            axes.yaxis.get_major_ticks(TICKS)


def is_heavy(figure: "Figure") -> bool:
    """Whether a vector format of the figure would be very large."""
    return any(True for _ in _heavy(figure))


def _lighten(figure: "Figure") -> None:
    for artist in _heavy(figure):
        artist.set_rasterized(True)


def _heavy(figure: "Figure") -> Iterator[Any]:
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D

    for artist in figure.findobj(lambda each: isinstance(each, (Collection, Line2D))):
        if _vertices(artist) > HEAVY:
            yield artist


def _vertices(artist: Any) -> int:
    with contextlib.suppress(Exception):
        if hasattr(artist, "get_xdata"):
            return len(artist.get_xdata())
        array = artist.get_array()
        return max(len(artist.get_offsets()), 0 if array is None else array.size)
    return 0
