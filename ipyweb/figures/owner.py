"""Whose figure it is: from what plotting functions return to the figure. Imports no library to know."""

import sys
from collections.abc import Sequence
from typing import Any

_OWNING = ("figure", "figure_", "fig")
"""Where seaborn's grids, scikit-learn's displays and their kin keep their figure."""

_SPEAKING = ("_repr_mimebundle_", "_repr_html_", "_repr_png_", "_repr_svg_", "_ipython_display_")


def figure_of(obj: Any) -> Any:
    """The figure of something that has one and no representation of its own: axes, lines, a seaborn grid, or several.

    Returns:
        The figure, ``obj`` itself if it is one; ``None`` when there is none.
    """
    if "matplotlib.figure" not in sys.modules:
        return None
    if is_a(obj, "matplotlib.figure", "FigureBase"):
        return obj.get_figure(root=True)
    if _is_artist(obj):
        return _whole(obj.get_figure())
    if type(obj).__module__ == "numpy" and type(obj).__name__ == "ndarray":
        return figure_of(obj.flat[0]) if obj.dtype == object and obj.size and _is_artist(obj.flat[0]) else None
    if isinstance(obj, (list, tuple)):  # what `plot`, `bar` and `errorbar` return
        return _shared(obj) if obj and _is_artist(obj[0]) else None
    if isinstance(obj, type) or any(hasattr(type(obj), name) for name in _SPEAKING):
        return None
    return next(filter(None, (_whole(getattr(obj, name, None)) for name in _OWNING)), None)


def _shared(parts: Sequence[Any]) -> Any:
    """The figure that all artists of a list have; what stands for several figures is not one of them."""
    figures = [figure_of(part) for part in parts if _is_artist(part)]
    return figures[0] if all(each is figures[0] for each in figures) else None


def _is_artist(obj: object) -> bool:
    return is_a(obj, "matplotlib.artist", "Artist")


def _whole(obj: Any) -> Any:
    return obj.get_figure(root=True) if is_a(obj, "matplotlib.figure", "FigureBase") else None


def is_a(obj: object, module: str, name: str) -> bool:
    """Whether an object is of a class, without importing the class's module to know."""
    return module in sys.modules and isinstance(obj, getattr(sys.modules[module], name))
