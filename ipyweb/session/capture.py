"""`capture`: a block whose figures are shown and closed at its end."""

from types import TracebackType
from typing import Any

from ..figures.owner import figure_of
from . import pyplot
from .output import Output


class capture:  # noqa: N801 - used like a function, as contextlib's
    """Show the figures that pyplot makes inside a block, and close them at its end, also when it raises.

    ::

        with ipyweb.capture() as shown:
            plt.plot(...)
        shown.outputs[0].save("plot.png")

    Figures from outside are left alone.

    Attributes:
        outputs: what was shown, in order.
    """

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self._outside: list[Any] = []

    def __enter__(self) -> "capture":
        self._outside = [manager.canvas.figure for manager in pyplot.managers()]
        pyplot.listeners.append(self._note)
        return self

    def push(self, fig: Any = None) -> Output:
        """Show a figure at once, or update its output.

        Args:
            fig: a figure; pyplot's current one when left out.

        Raises:
            ValueError: there is no figure.
        """
        figure = pyplot.current_figure() if fig is None else figure_of(fig)
        if figure is None:
            raise ValueError("expected a figure, or a current figure of pyplot; there is neither")
        output = pyplot.push(figure)
        if all(each.display_id != output.display_id for each in self.outputs):
            self.outputs.append(output)
        return output

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            for manager in pyplot.managers():
                if self._is_inside(manager.canvas.figure):
                    pyplot.push(manager.canvas.figure)
                    pyplot.close(manager)
        finally:
            pyplot.listeners.remove(self._note)

    def _note(self, figure: Any, output: Output) -> None:
        if self._is_inside(figure):
            self.outputs.append(output)

    def _is_inside(self, figure: Any) -> bool:
        return not any(figure is each for each in self._outside)
