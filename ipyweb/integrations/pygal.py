"""pygal: charts are SVG; their PNG would want a library that most people do not have, and say so on every display."""

from collections.abc import Callable
from typing import Any

_CHART = "pygal.graph.public.PublicApi"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Leave the PNG out."""
    png = shell.display_formatter.formatters["image/png"]
    png.for_type(_CHART, lambda chart: None)

    def undo() -> None:
        png.pop(_CHART, None)

    return undo
