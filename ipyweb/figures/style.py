"""Lays a style sheet of matplotlib over a figure that is there already.

matplotlib looks at most rcParams when an artist is made. So what a sheet says is applied to the artists that were made
with the former values: only parameters that the sheet names change anything.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_BYTES = 64 * 1024
Params = Mapping[str, Any]


def parse(text: str) -> dict[str, Any]:
    """The parameters of a style sheet.

    Raises:
        ValueError: it is none.
    """
    import matplotlib

    if len(text) > MAX_BYTES:
        raise ValueError(f"expected a style sheet of at most {MAX_BYTES} characters, got {len(text)}")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "style.mplstyle"
        path.write_text(text, encoding="utf-8")
        found: Any = matplotlib.rc_params_from_file(path, use_default_template=False)
    params: dict[str, Any] = dict(found)
    if not params:
        raise ValueError("expected a style sheet such as `font.size: 8`, got one that says nothing matplotlib knows")
    return params


@contextlib.contextmanager
def restyled(figure: "Figure", text: str) -> Iterator[None]:
    """Apply a style sheet to a figure, and while it is entered to the rcParams of this thread, which draws it.

    Raises:
        ValueError: it is no style sheet.
    """
    import matplotlib

    from .layer import layered

    params = parse(text)
    rc: Any = matplotlib.rcParams
    old_cycle = _colours(rc)
    with layered(params):
        _apply(figure, params, old_cycle)
        yield


def _apply(figure: "Figure", params: Params, old_cycle: list[str]) -> None:
    _fonts(figure, params)
    _call(params, "figure.facecolor", figure.set_facecolor)
    _sizes(params, "figure.titlesize", [getattr(figure, "_suptitle", None)])
    for axes in figure.axes:
        _axes(axes, params, dict(zip(old_cycle, _colours(params), strict=False)))


def _axes(axes: Any, params: Params, colours: Mapping[str, Any]) -> None:
    _call(params, "axes.facecolor", axes.set_facecolor)
    for spine in axes.spines.values():
        _call(params, "axes.edgecolor", spine.set_edgecolor)
        _call(params, "axes.linewidth", spine.set_linewidth)
    for side in ("top", "right", "bottom", "left"):
        if side in axes.spines:
            _call(params, f"axes.spines.{side}", axes.spines[side].set_visible)
    titles = [axes.title, axes._left_title, axes._right_title]
    _sizes(params, "axes.titlesize", titles)
    labels = [axis.label for axis in axes._axis_map.values()]
    _sizes(params, "axes.labelsize", labels)
    for label in labels:
        _call(params, "axes.labelcolor", label.set_color)
    for name in axes._axis_map:
        _ticks(axes, name, params)
    if "axes.grid" in params:
        axes.grid(params["axes.grid"])
    for line in axes.get_lines():
        _call(params, "lines.linewidth", line.set_linewidth)
        _call(params, "lines.markersize", line.set_markersize)
    _recolour(axes, colours)
    legend = axes.get_legend()
    if legend is not None:
        _sizes(params, "legend.fontsize", legend.get_texts())
        _call(params, "legend.frameon", legend.set_frame_on)


_TICKS = {
    "{}tick.labelsize": ("both", "labelsize"),
    "{}tick.labelcolor": ("both", "labelcolor"),
    "{}tick.color": ("both", "color"),
    "{}tick.direction": ("both", "direction"),
    "{}tick.major.size": ("major", "length"),
    "{}tick.minor.size": ("minor", "length"),
    "{}tick.major.width": ("major", "width"),
    "{}tick.minor.width": ("minor", "width"),
    "{}tick.major.pad": ("major", "pad"),
}
"""Which option of ``Axes.tick_params`` each parameter is, and for which ticks."""


def _ticks(axes: Any, name: str, params: Params) -> None:
    for pattern, (which, option) in _TICKS.items():
        key = pattern.format(name)
        if key in params and params[key] != "inherit":
            axes.tick_params(axis=name, which=which, **{option: params[key]})
        elif option == "labelsize" and "font.size" in params:
            axes.tick_params(axis=name, which=which, labelsize="medium")


def _recolour(axes: Any, colours: Mapping[str, Any]) -> None:
    """Colours of the former cycle become those of the new one, place by place."""
    from matplotlib.colors import to_hex

    for line in axes.get_lines():
        line.set_color(colours.get(to_hex(line.get_color()), line.get_color()))
    for patch in axes.patches:
        patch.set_facecolor(colours.get(to_hex(patch.get_facecolor()), patch.get_facecolor()))


def _colours(params: Params) -> list[str]:
    from matplotlib.colors import to_hex

    cycle = params.get("axes.prop_cycle")
    return [] if cycle is None else [to_hex(each) for each in cycle.by_key().get("color", [])]


def _fonts(figure: "Figure", params: Params) -> None:
    from matplotlib.text import Text

    if "font.size" in params:  # sizes that the sheet does not name go with it
        _sizes({"": "large"}, "", [each for axes in figure.axes for each in (axes.title,)])
        _sizes({"": "medium"}, "", [axis.label for axes in figure.axes for axis in axes._axis_map.values()])
        for axes in figure.axes:
            legend = axes.get_legend()
            _sizes({"": "medium"}, "", legend.get_texts() if legend is not None else [])
    for text in figure.findobj(Text):
        _call(params, "font.family", text.set_fontfamily)
        _call(params, "text.color", text.set_color)


def _sizes(params: Params, name: str, texts: Iterable[Any]) -> None:
    for text in texts:
        if text is not None:
            _call(params, name, text.set_fontsize)


def _call(params: Params, name: str, setter: Callable[[Any], object]) -> None:
    if name in params and params[name] not in ("auto", "inherit"):
        setter(params[name])
