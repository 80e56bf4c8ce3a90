"""Plotly figures arrive as their JSON, by display, by last expression, and by their own show."""

import json
from collections.abc import Callable

import pytest

from .conftest import Run, Shown

MIME = "application/vnd.plotly.v1+json"
FIGURE = "import plotly.graph_objects as go\nf = go.Figure(go.Bar(y=[1, float('nan'), 3]), layout_title_text='Sales')\n"


def spec(shown: Shown) -> dict[str, object]:
    found: dict[str, object] = json.loads(shown.data[MIME])
    return found


def test_a_figure_arrives_as_its_json(script: Callable[[str], Run]) -> None:
    run = script(f"import ipyweb\n{FIGURE}ipyweb.display(f); print(f.to_json())")
    (shown,) = run.shown
    assert spec(shown) == json.loads(run.out)
    assert set(shown.data) == {MIME, "text/plain", "application/vnd.ipyweb.asset; name=plotly"}
    assert shown.data["text/plain"] == b"Plotly figure Sales (bar)"


def test_its_own_show_goes_to_the_pane_and_returns(script: Callable[[str], Run]) -> None:
    run = script(f"import ipyweb; ipyweb.display('first')\n{FIGURE}f.show(); print('returned')")
    assert "returned" in run.out
    assert spec(run.shown[1])["data"]


def test_in_ipython_the_last_expression_is_shown(cells: Callable[..., Run]) -> None:
    for order in (["%load_ext ipyweb", FIGURE, "f"], [FIGURE, "%load_ext ipyweb", "f"]):
        run = cells(*order)
        assert [each.header["type"] for each in run.shown] == ["execute_result"]
        assert spec(run.shown[0])["layout"]


def test_a_renderer_that_the_user_chooses_later_wins(cells: Callable[..., Run]) -> None:
    run = cells("%load_ext ipyweb", FIGURE, "import plotly.io as pio; pio.renderers.default = ''", "f.show()")
    assert run.shown == []


CHOICES = "import plotly.io as pio; pio.renderers.default = 'json'", "import os; os.environ['PLOTLY_RENDERER'] = 'json'"


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("load", ["import ipyweb; ipyweb.install()", "import ipyweb; ipyweb.display('x')"])
def test_a_renderer_that_the_user_chose_before_wins(script: Callable[[str], Run], choice: str, load: str) -> None:
    ask = "import plotly.io as pio; print(pio.renderers.default); from IPython.display import display; display(f)"
    run = script(f"{choice}\n{load}\n{FIGURE}\n{ask}")
    assert run.out.split() == ["json"]
    assert "application/json" in run.shown[-1].data
    assert MIME not in run.shown[-1].data


def test_in_ipython_too_it_wins_and_ours_can_be_chosen(cells: Callable[..., Run]) -> None:
    ours = "pio.renderers.default = 'ipyweb'"
    run = cells(CHOICES[0], "%load_ext ipyweb", FIGURE, "f", ours, "f.show()", "%unload_ext ipyweb", CHOICES[0])
    assert ["application/json" in each.data for each in run.shown] == [True, False]
    assert MIME in run.shown[1].data


def test_unloading_gives_the_renderer_back(cells: Callable[..., Run]) -> None:
    run = cells(
        "import plotly.io as pio; before = pio.renderers.default",
        "%load_ext ipyweb",
        "%unload_ext ipyweb",
        "print('same', pio.renderers.default == before, 'ipyweb' in pio.renderers)",
    )
    assert "same True False" in run.out
