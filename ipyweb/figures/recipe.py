"""A function and its data instead of a figure: whoever needs the figure calls the function."""

import sys
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Recipe:
    """Stands for the figure that ``function(*data)`` makes.

    Args:
        function: as bytes of cloudpickle, made once for all calls.
        data: its arguments.
        title: what to say where there is no figure yet.
    """

    def __init__(self, function: bytes, data: Sequence[Any], title: str) -> None:
        self._function = function
        self._data = data
        self._title = title

    def make(self) -> "Figure":
        """The figure: what the function returns or leaves in pyplot, or its traceback, as a picture."""
        import pickle

        try:
            function: Callable[..., Any] = pickle.loads(self._function)
            found: Figure | None = _figure_of(function(*self._data))
            if found is None:
                raise ValueError(f"expected {self._title} to return or make a figure, got none")
            return found
        except Exception as error:
            lines = traceback.format_exception(error)
            return _written([lines[0], *lines[2:]])  # without the line above, which is ours
        finally:
            _forget_pyplot()


def _figure_of(made: Any) -> Any:
    from matplotlib.figure import FigureBase

    if isinstance(made, (list, tuple)) and made:
        made = made[0]
    if isinstance(made, FigureBase):
        return made.get_figure(root=True)
    figure = getattr(made, "figure", None)
    if isinstance(figure, FigureBase):
        return figure.get_figure(root=True)
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    manager = None if helpers is None else helpers.Gcf.get_active()
    return None if manager is None else manager.canvas.figure


def _forget_pyplot() -> None:
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is not None:
        helpers.Gcf.figs.clear()


def _written(lines: list[str]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure()
    text = "".join(lines)
    figure.text(0.02, 0.98, text.replace("$", r"\$"), va="top", family="monospace", size=8, color="#b00020", wrap=True)
    return figure
