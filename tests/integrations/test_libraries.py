"""Each library is switched, be it imported before ipyweb or after, in scripts and in IPython, and switched back."""

from collections.abc import Callable
from functools import cache

import pytest

from . import conftest
from .conftest import Run, Shown

PLOTLY = "application/vnd.plotly.v1+json"
VEGA = "application/vnd.vegalite.v6.json"
HTML, SVG, PNG, LATEX = "text/html", "image/svg+xml", "image/png", "text/latex"
IMPORTS = """
import altair as alt, bokeh.plotting as bp, folium, great_tables as gt, holoviews as hv, ipywidgets as w, itables
import lets_plot as lp, mpld3, pandas as pd, panel as pn, plotly.graph_objects as go, pydeck, pygal, sympy
import PIL.ImageShow, PIL.Image, tqdm.notebook, ipyvizzu, IPython.display
frame = pd.DataFrame({'a': [1, 2]}); hv.extension('bokeh')
"""
ROWS = {
    "altair": ("alt.Chart(frame).mark_bar()", VEGA, b"mark"),
    "bokeh": ("bp.figure()", HTML, b"cdn.bokeh.org"),
    "folium": ("folium.Map()", HTML, b"<!DOCTYPE html>"),
    "great_tables": ("gt.GT(frame)", HTML, b"gt_table"),
    "holoviews": ("hv.Curve([1, 2])", HTML, b"cdn.bokeh.org"),
    "ipywidgets": ("w.IntSlider(value=4)", HTML, b"do not answer"),
    "lets_plot": ("lp.ggplot() + lp.geom_point(x=0, y=0)", HTML, b"lets-plot"),
    "panel": ("pn.Column('# Title')", HTML, b"cdn.holoviz.org"),
    "plotly": ("go.Figure()", PLOTLY, b"layout"),
    "plotly widget": ("go.FigureWidget()", PLOTLY, b"layout"),
    "pydeck": ("pydeck.Deck()", HTML, b"<!DOCTYPE html>"),
    "pygal": ("pygal.Bar()", SVG, b"<svg"),
    "sympy": ("sympy.Symbol('x') / 2", LATEX, b"frac"),
    "pandas": ("frame", HTML, b"dataframe"),
    "pillow": ("PIL.Image.new('RGB', (2, 2))", PNG, b"PNG"),
}
SHOWS = {
    "PIL.Image.new('RGB', (2, 2)).show()": PNG,
    "gt.GT(frame).show()": HTML,
    "pn.Column('# Title').show()": HTML,
    "bp.show(bp.figure())": HTML,
    "(lp.ggplot() + lp.geom_point(x=0, y=0)).show()": HTML,
    "folium.Map().show_in_browser()": HTML,
    "go.Figure().show()": PLOTLY,
    "alt.Chart(frame).mark_bar().show()": VEGA,
    "itables.show(frame)": HTML,
}
FOOTPRINT = """
def footprint():
    import itables.javascript, panel, plotly.io
    from bokeh.io import notebook
    from bokeh.io.state import curstate
    from bokeh.settings import settings
    from ipyweb.session.companions import companions
    formatter = get_ipython().display_formatter
    formatters = [*formatter.formatters.values(), formatter.mimebundle_formatter, formatter.ipython_display_formatter]
    return {
        'formatters': [({*map(str, f.type_printers)}, {*f.deferred_printers}) for f in formatters],
        'altair': (alt.renderers.active, 'ipyweb' in alt.renderers._plugins),
        'bokeh': (curstate().notebook_type, settings.browser(), {**notebook._HOOKS}),
        'shows': (gt.GT.show, pydeck.Deck.show, mpld3.show, folium.Map.show_in_browser, panel.Column.show),
        'others': (ipyvizzu.Chart._display, itables.javascript._html_display_is_supported, tqdm.notebook.display),
        'pillow': [type(each).__name__ for each in PIL.ImageShow._viewers],
        'plotly': plotly.io.renderers.default,
        'companions': (companions._files, companions._libraries, companions._loads, companions._preludes),
    }
"""


@cache
def displayed(first: str, then: str, where: str) -> dict[str, Shown]:
    """Every row, displayed by a program that begins so: what was shown, by its expression."""
    if where == "script":
        lines = [f"ipyweb.display({expression})  # {expression}" for expression, _, _ in ROWS.values()]
        run = conftest._run("\n".join([conftest.SCRIPT, first, then, "import ipyweb", *lines, "report()"]))
        shown = [each for each in run.shown if each.header["type"] == "display_data"]
        return dict(zip((row[0] for row in ROWS.values()), shown, strict=True))
    import json

    cells = [first, then, *(expression for expression, _, _ in ROWS.values())]
    run = conftest._run(conftest.SCRIPT + conftest.IPYTHON, json.dumps(cells))
    return {each.header["content"]["source"]["code"]: each for each in run.shown}


IPYWEB = {"script": "import ipyweb; from ipyweb.session.script import use_in_script; use_in_script()"}
IPYWEB["IPython"] = "%load_ext ipyweb"


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("where", ["script", "IPython"])
def test_an_object_is_shown_whichever_was_imported_first(where: str, order: str, name: str) -> None:
    both = (IMPORTS, IPYWEB[where]) if order == "before" else (IPYWEB[where], IMPORTS)
    expression, mime, sign = ROWS[name]
    assert sign in displayed(*both, where)[expression].data[mime]


def test_their_own_shows_lead_to_the_pane_and_return(script: Callable[[str], Run]) -> None:
    run = script("\n".join([IPYWEB["script"], IMPORTS, *SHOWS, "print('returned')"]))
    assert "returned" in run.out
    assert [next(iter(each.data)) for each in run.shown] == list(SHOWS.values())


def test_unloading_leaves_every_library_as_it_was(cells: Callable[..., Run]) -> None:
    run = cells(
        IMPORTS + FOOTPRINT,
        "before = footprint()",
        "%load_ext ipyweb",
        "during = footprint()",
        "%unload_ext ipyweb",
        "after = footprint()",
        "print('left behind', [name for name in before if before[name] != after[name]])",
        "print('not switched', [name for name in before if before[name] == during[name]])",
    )
    assert "left behind []" in run.out
    assert "not switched []" in run.out
