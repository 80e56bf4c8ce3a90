"""Altair charts arrive as their specification."""

import json
from collections.abc import Callable

from .conftest import Run

CHART = "import altair as alt\nc = alt.Chart(alt.Data(values=[{'a': 1, 'b': None}])).mark_bar().encode(x='a:Q')\n"


def test_a_chart_arrives_as_its_specification(script: Callable[[str], Run]) -> None:
    run = script(f"import ipyweb, json\n{CHART}ipyweb.display(c); print(json.dumps(c.to_dict()))")
    (shown,) = run.shown
    (mime,) = [mime for mime in shown.data if "vegalite" in mime]
    assert json.loads(shown.data[mime]) == json.loads(run.out)


def test_in_ipython_the_last_expression_is_shown(cells: Callable[..., Run]) -> None:
    for order in (["%load_ext ipyweb", CHART, "c"], [CHART, "%load_ext ipyweb", "c"]):
        (shown,) = cells(*order).shown
        assert any("vegalite" in mime for mime in shown.data)
        assert "text/html" not in shown.data


def test_a_renderer_of_the_users_own_stays(cells: Callable[..., Run]) -> None:
    (shown,) = cells(CHART + "alt.renderers.enable('json')", "%load_ext ipyweb", "c").shown
    assert "application/json" in shown.data


def test_unloading_gives_the_renderer_back(cells: Callable[..., Run]) -> None:
    run = cells(CHART, "%load_ext ipyweb", "%unload_ext ipyweb", "print('renderer', alt.renderers.active)")
    assert "renderer default" in run.out


def test_a_chart_arrives_where_anywidget_is_not_installed(script: Callable[[str], Run]) -> None:
    run = script(f"import sys; sys.modules['anywidget'] = None\nimport ipyweb\n{CHART}ipyweb.display(c)")
    assert "switched over" not in run.err
    (shown,) = run.shown
    assert any("vegalite" in mime for mime in shown.data)
