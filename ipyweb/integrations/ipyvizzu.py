"""ipyvizzu: a chart is one output, drawn anew with each of its steps; its script comes from the internet.

By itself it shows each step as JavaScript that counts on being in one page with the others, and reports to an analytics
service.
"""

from collections.abc import Callable
from typing import Any

from . import chain, publish, replace


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Make one output of each chart."""
    from ipyvizzu import Chart

    def initializing(chart: Any) -> None:
        if not chart._initialized:
            chart._analytics = False
            chart._initialized = True
            chart._display_ipyvizzujs()
            chart._display_chart()

    return chain(
        replace(Chart, "_display", _display),
        replace(Chart, "initializing", initializing),
        replace(Chart, "show", _show),
        replace(Chart, "_repr_html_", _html),
    )


def _display(chart: Any, javascript: str) -> None:
    chart.initializing()
    chart._calls.append(javascript)
    if chart._display_target.value != "manual" and len(chart._calls) > 2:
        _show(chart)


def _show(chart: Any) -> None:
    data = {"text/html": _html(chart), "text/plain": f"ipyvizzu chart {chart._chart_id}"}
    publish(data, display_id=f"ipyvizzu-{chart._chart_id}", update=chart._showed)
    chart._showed = True


def _html(chart: Any) -> str:
    chart.initializing()
    first, *rest = chart._calls
    steps = "\n".join(rest)
    return f'<div id="vizzu"></div><script>{first}\nconst element = document.getElementById("vizzu");\n{steps}</script>'
