"""Figures outside the pane: `render` to bytes, an output's figure taken back, and `draw`, which draws elsewhere."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .output import Output

ALIASES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "tiff": "image/tiff",
    "ps": "application/postscript",
    "eps": "application/eps",
}
"""MIME types of the formats that figures are drawn in."""


def render(
    figure: "Figure",
    format: str = "png",  # noqa: A002 - the word that savefig uses
    *,
    width: str | float | None = None,
    height: str | float | None = None,
    dpi: float | None = None,
    style: str | None = None,
    transparent: bool = False,
) -> bytes:
    """Draw a figure as bytes, for a web application, say. The figure stays as it is; pyplot takes no part.

    May be called from many threads at once: each call draws a copy, one after the other.

    Args:
        figure: a matplotlib figure.
        format: ``png``, ``svg``, ``pdf``, ``jpeg``, ``webp``, ``tiff``, ``ps`` or ``eps``; or its MIME type.
        width, height: pixels, or lengths such as ``"8in"``, ``"21cm"`` or ``"85mm"``. The figure's own when both are
            left out, and in its proportion when one is.
        dpi: pixels per inch; the figure's own when left out.
        style: the text of a style sheet of matplotlib to lay over it.
        transparent: whether the backgrounds of the figure and of its axes are left out.

    Raises:
        ValueError: there is no such format, or the size makes no sense.
        NotPicklable: a size or a style was asked for of a figure of which no copy can be made.
        Exception: whatever drawing raises.
    """
    from ..errors import NotPicklable
    from ..figures.drawing import Spec, draw, draw_copy
    from ..figures.snapshot import take
    from ..lengths import length

    sizes = {name: None if each is None else length(each) for name, each in (("width", width), ("height", height))}
    looks = {"dpi": dpi, "style": style, "transparent": transparent}
    spec = Spec.of({"mime": ALIASES.get(format.lower(), format), **sizes, **looks})
    try:
        return draw_copy(take(figure), spec)
    except NotPicklable as error:
        if sizes["width"] or sizes["height"] or style:
            raise NotPicklable(
                f"this figure can be drawn as it is only, since no copy of it can be made ({error}); leave width, "
                "height and style out and set its size itself (fig.set_size_inches), or take out what cannot be pickled"
            ) from error
        return draw(figure, spec)  # which leaves it as it is, at its own size


def load_figure(record: dict[str, Any]) -> "Figure":
    """The figure that an output shows, in this process.

    Args:
        record: the output's.

    Raises:
        KeeperUnavailable: it shows none, or one of another environment, or it is not kept any more.
    """
    from ..errors import KeeperUnavailable
    from ..figures.recipe import FunctionFailed, called, is_call
    from ..figures.shelf import Shelf
    from ..figures.snapshot import add_fonts, load
    from .figures import environment

    shown = record.get("figure")
    if not shown:
        raise KeeperUnavailable(f"output {record['id']} shows no matplotlib figure that was kept")
    import matplotlib  # noqa: F401 - whose version is part of the environment

    if shown["keeper"] != environment():
        raise KeeperUnavailable(
            f"the figure of output {record['id']} was made by another Python environment than {sys.prefix}; use that"
        )
    snapshot = Shelf(shown["keeper"]).get(shown["id"])
    add_fonts(snapshot.head["fonts"])
    if not is_call(snapshot):
        return load(snapshot).figure
    try:
        with called(snapshot) as made:
            return made.figures[0]
    except FunctionFailed as error:
        raise KeeperUnavailable(f"the function that should make the figure failed: {error}") from error


def draw(function: Callable[..., Any], *data: Any, display_id: str | None = None) -> "Output":
    """Let the figure keeper call ``function(*data)`` and show the figures that it makes or returns.

    The function is sent once, and then only data. A call that was not begun when the next with the same display id
    comes is left out, so that the computation never waits for a slow plot. An error is shown as the output.

    Args:
        function: makes figures: returns one or several, or axes, or uses pyplot.
        data: its arguments, which must be picklable.
        display_id: names the output; each call with the same one makes a new version of it. A second figure has
            ``-2`` behind it, and so on.

    Returns:
        The first figure's output.

    Raises:
        TypeError: the function or the data cannot be pickled.
    """
    from .deferred import draw_elsewhere

    return draw_elsewhere(function, data, display_id)
