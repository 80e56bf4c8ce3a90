"""Each library is switched, be it imported before ipyweb or after, in scripts and in IPython, and switched back."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from ipyweb.protocol import WIDGET_VIEW

from . import conftest
from .conftest import Run, Shown

PLOTLY = "application/vnd.plotly.v1+json"
VEGA = "application/vnd.vegalite.v6.json"
HTML, SVG, PNG, LATEX = "text/html", "image/svg+xml", "image/png", "text/latex"
IMPORTS = """
import altair as alt, bokeh.plotting as bp, folium, graphviz, great_tables as gt, holoviews as hv, ipywidgets as w
import itables.widget, lets_plot as lp, mpld3, pandas as pd, panel as pn, plotly.graph_objects as go
import plotnine as p9, polars as pl, pydeck, pygal, sympy, PIL.ImageShow, PIL.Image, tqdm.notebook, ipyvizzu
import IPython.display, hvplot, matplotlib.figure, xarray as xr, sklearn.linear_model
frame = pd.DataFrame({'a': [1, 2]}); figure = matplotlib.figure.Figure(); figure.subplots().plot([1, 2])
"""
LOADED = f"{IMPORTS}\nhv.extension('bokeh')\n"
OF_MPLD3 = "application/vnd.ipyweb.prelude; n=0; type=text/html"
ROWS = {
    "altair": ("alt.Chart(frame).mark_bar()", VEGA, b"mark"),
    "altair widget": ("alt.JupyterChart(alt.Chart(frame).mark_bar())", WIDGET_VIEW, b"model_id"),
    "altair widget as a picture": ("alt.JupyterChart(alt.Chart(frame).mark_line())", VEGA, b"mark"),
    "bokeh": ("bp.figure()", HTML, b"cdn.bokeh.org"),
    "folium": ("folium.Map()", HTML, b"<!DOCTYPE html>"),
    "graphviz": ("graphviz.Digraph(body=['ab'])", SVG if shutil.which("dot") else HTML, b"ab"),
    "great_tables": ("gt.GT(frame)", HTML, b"gt_table"),
    "holoviews": ("hv.Curve([1, 2])", HTML, b"cdn.bokeh.org"),
    "hvplot": ("hvplot.hvPlot(frame).line()", HTML, b"cdn.bokeh.org"),
    "IPython": ("IPython.display.Code('1', language='python')", HTML, b"data-theme=dark"),
    "ipyvizzu": ("ipyvizzu.Chart(display='manual')", HTML, b'id="vizzu"'),
    "ipywidgets": ("w.IntSlider(value=4)", WIDGET_VIEW, b"model_id"),
    "itables": ("itables.widget.ITable(frame)", WIDGET_VIEW, b"model_id"),
    "itables as a picture": ("itables.widget.ITable(frame[:1])", HTML, b"dt_for_itables"),
    "lets_plot": ("lp.ggplot() + lp.geom_point(x=0, y=0)", HTML, b"lets-plot"),
    "matplotlib": ("figure", PNG, b"PNG"),
    "mpld3": ("mpld3.display(figure)", OF_MPLD3, b"background"),
    "pandas": ("frame", HTML, b"dataframe"),
    "panel": ("pn.Column('# Title')", WIDGET_VIEW, b"model_id"),
    "panel as a page": ("pn.Row('# Title')", HTML, b"cdn.holoviz.org"),
    "pillow": ("PIL.Image.new('RGB', (2, 2))", PNG, b"PNG"),
    "plotly": ("go.Figure()", PLOTLY, b"layout"),
    "plotly widget": ("go.FigureWidget()", WIDGET_VIEW, b"model_id"),
    "plotly widget as a picture": ("go.FigureWidget({})", PLOTLY, b"layout"),
    "plotnine": ("p9.ggplot(frame, p9.aes('a', 'a')) + p9.geom_point()", PNG, b"PNG"),
    "polars": ("pl.DataFrame({'a': [1]})", HTML, b"dataframe"),
    "pydeck": ("pydeck.Deck()", HTML, b"<!DOCTYPE html>"),
    "pygal": ("pygal.Bar()", SVG, b"<svg"),
    "scikit-learn": ("sklearn.linear_model.Ridge()", HTML, b"sk-"),
    "sympy": ("sympy.Symbol('x') / 2", LATEX, b"frac"),
    "xarray": ("xr.Dataset({'a': 1})", HTML, b"xr-"),
}
SHOWS = {
    "PIL.Image.new('RGB', (2, 2)).show()": PNG,
    "gt.GT(frame).show()": HTML,
    "pn.Column('# Title').show()": WIDGET_VIEW,
    "bp.show(bp.figure())": HTML,
    "(lp.ggplot() + lp.geom_point(x=0, y=0)).show()": HTML,
    "folium.Map().show_in_browser()": HTML,
    "go.Figure().show()": PLOTLY,
    "alt.Chart(frame).mark_bar().show()": VEGA,
    "itables.show(frame)": HTML,
    "mpld3.show(figure)": HTML,
    "hvplot.show(hv.Curve([1, 2]))": WIDGET_VIEW,
    "pydeck.Deck().show()": HTML,
    "tqdm.notebook.tqdm(range(2))": WIDGET_VIEW,
    "IPython.display.display(frame)": HTML,
}
FOOTPRINT = """
def name(function):
    return f'{function.__module__}.{function.__qualname__}'
def footprint():
    import sys, comm, ipywidgets.widgets.interaction, itables.javascript, panel, plotly.io
    from bokeh.io import notebook
    from bokeh.io.state import curstate
    from bokeh.settings import settings
    from ipyweb.session.companions import companions
    from lets_plot.frontend_context._webbr_html_page_ctx import WebBrHtmlPageContext
    formatter = getattr(IPython.get_ipython(), 'display_formatter', None)
    formatters = formatter and [
        *(each for mime, each in formatter.formatters.items() if mime != 'text/plain'),
        formatter.mimebundle_formatter, formatter.ipython_display_formatter
    ]
    return {
        'formatters': [sorted([*map(str, f.type_printers), *map(str, f.deferred_printers)]) for f in formatters or ()],
        'altair': [alt.renderers.active, 'ipyweb' in alt.renderers._plugins, name(alt.JupyterChart._repr_mimebundle_),
                   alt.JupyterChart._esm],
        'bokeh': [curstate().notebook_type, settings.browser()],
        'bokeh hooks': {key: str(hook and name(hook['load'])) for key, hook in notebook._HOOKS.items()},
        'shows': [*map(name, (gt.GT.show, pydeck.Deck.show, mpld3.show, folium.Map.show_in_browser, panel.Column.show,
                              WebBrHtmlPageContext.show, panel.viewable.Viewer.show))],
        'panel': name(panel.extension._display_globals),
        'ipyvizzu': [*map(name, (ipyvizzu.Chart._display, ipyvizzu.Chart.show, ipyvizzu.Chart._repr_html_))],
        'ipywidgets': name(w.widgets.interaction.show_inline_matplotlib_plots),
        'comms': [*map(name, (comm.create_comm, comm.get_comm_manager))],
        'itables': name(itables.javascript._html_display_is_supported),
        'pillow': [type(each).__name__ for each in PIL.ImageShow._viewers],
        'plotly': [plotly.io.renderers.default, 'ipyweb' in plotly.io.renderers],
        'companions': [str(each) for each in vars(companions).values()],
        'import hooks': [type(each).__name__ for each in sys.meta_path if type(each).__module__.startswith('ipyweb')],
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
    cells = [first, then, *(expression for expression, _, _ in ROWS.values())]
    run = conftest._run(conftest.SCRIPT + conftest.IPYTHON, json.dumps(cells))
    return {each.header["content"]["source"]["code"]: each for each in run.shown}


IPYWEB = {"script": "import ipyweb; from ipyweb.session.script import use_in_script; use_in_script()"}
IPYWEB["IPython"] = "%load_ext ipyweb"


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("where", ["script", "IPython"])
def test_an_object_is_shown_whichever_was_imported_first(where: str, order: str, name: str) -> None:
    both = (LOADED, IPYWEB[where]) if order == "before" else (IPYWEB[where], LOADED)
    expression, mime, sign = ROWS[name]
    assert sign in displayed(*both, where)[expression].data[mime]


def test_their_own_shows_lead_to_the_pane_and_return(script: Callable[[str], Run]) -> None:
    run = script("\n".join([IPYWEB["script"], LOADED, *SHOWS, "print('returned')"]))
    assert "returned" in run.out
    shown = [each for each in run.shown if each.header["type"] == "display_data"]
    assert [next(iter(each.data)) for each in shown] == list(SHOWS.values())


@cache
def untouched(where: str) -> dict[str, Any]:
    """The libraries without us."""
    return footprints(where, [IMPORTS + FOOTPRINT])[0]


def footprints(where: str, *steps: list[str]) -> list[dict[str, Any]]:
    """What the libraries are like after each of some steps of a program, which are lines or cells."""
    code = [each for step in steps for each in (*step, "prints = [*globals().get('prints', ()), footprint()]")]
    code.append("import json; print(json.dumps(prints))")
    if where == "script":
        run = conftest._run("\n".join([conftest.SCRIPT, *code, "report()"]))
    else:
        run = conftest._run(conftest.SCRIPT + conftest.IPYTHON, json.dumps(code))
    found: list[dict[str, Any]] = json.loads(run.out.splitlines()[-1])
    return found


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("where", ["script", "IPython"])
def test_uninstalling_leaves_every_library_as_it_was(where: str, order: str) -> None:
    install = "import ipyweb; ipyweb.install()"
    both = [IMPORTS, install] if order == "before" else [install, IMPORTS]
    during, after = footprints(where, [*both, FOOTPRINT], ["ipyweb.uninstall()"])
    without = untouched(where)
    assert [name for name in without if after[name] != without[name]] == []
    assert [name for name in without if during[name] == without[name]] == []
