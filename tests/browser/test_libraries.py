"""Every library's own objects, by their own ways to be shown, in a browser that has no network.

The scripts in ``libraries/`` run as a user's own would, each once. A row names one of their outputs, and what there is
to see in it.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Route, expect

from ipyweb import connection

from ..conftest import stop_hub, stop_keeper
from .conftest import Pane

SCRIPTS = Path(__file__).with_name("libraries")
GREEN = (0, 128, 0)

Check = Callable[[Pane], object]


def green(pane: Pane, least: float = 0.01) -> None:
    """It has the green that the script painted it with."""
    for _ in range(100):
        if pane.share(GREEN) >= least:
            return
        pane.page.wait_for_timeout(50)
    assert pane.share(GREEN) >= least


def painted_green(pane: Pane) -> None:
    """It has a little of that green."""
    green(pane, 0.003)


def has(selector: str, words: str | re.Pattern[str] = "") -> Check:
    """The document inside the frame has an element, with some words in it."""
    return lambda pane: expect(pane.frame.locator(selector).filter(has_text=words).first).to_be_attached()


def says(words: str) -> Check:
    """The document inside the frame has these words."""
    return has("body", words)


def plain(words: str) -> Check:
    """It is shown as text."""
    return lambda pane: expect(pane.page.locator("[data-testid=stage] pre")).to_contain_text(words)


def painted(pane: Pane) -> None:
    """It is a picture with more than one colour."""
    assert len(set(pane.picture().get_flattened_data())) > 20


def misses(host: str) -> Check:
    """It needs the internet, and the pane says which part of it."""

    def check(pane: Pane) -> None:
        expect(pane.page.locator("[data-testid=stage] .note")).to_contain_text(host)
        pane.problems.clear()  # the browser says the same in its console

    return check


def holds(condition: str) -> Check:
    """A JavaScript expression becomes true inside the frame."""
    return lambda pane: pane.frame.wait_for_function(condition)


def each(*checks: Check) -> Check:
    """All of them."""

    def check(pane: Pane) -> None:
        for one in checks:
            one(pane)

    return check


def coloured(selector: str) -> Check:
    """A word has another colour than the text around it."""

    def check(pane: Pane) -> None:
        word, text = (
            pane.frame.locator(each).first.evaluate("el => getComputedStyle(el).color") for each in (selector, "body")
        )
        assert word != text

    return check


def complains(words: str) -> Check:
    """The browser's console says so, sooner or later."""

    def check(pane: Pane) -> None:
        for _ in range(400):
            if any(words in each for each in pane.problems):
                return
            pane.page.wait_for_timeout(50)
        raise AssertionError(f"expected {words!r} in the console, got {pane.problems}")

    return check


def slides(pane: Pane) -> None:
    """Its slider changes what is drawn, without Python."""
    titles = "Bokeh.documents[0].roots().flatMap(each => [...each.references()]).map(each => each.title?.text)"
    holds(f"{titles}.includes('Frame 1')")(pane)
    pane.frame.locator(".noUi-handle").first.focus()
    pane.page.keyboard.press("ArrowRight")
    holds(f"{titles}.includes('Frame 2')")(pane)


def graph(pane: Pane) -> None:
    """A drawing where Graphviz is installed; else its source, and why it is not drawn."""
    if shutil.which("dot"):
        has("svg ellipse")(pane)
    else:
        has("pre", "a -> b")(pane)
        expect(pane.page.locator("footer .problem")).to_contain_text("dot")


PLAYS = holds(
    "document.querySelector('video')?.currentTime > 0 || document.querySelector('.animation input')?.value > 0"
)
ENDED = has(".condition", "session ended: last state")
DRAWN_BY_BOKEH = has(".bk-Canvas")

ROWS: dict[str, dict[str, Check]] = {
    "bokeh_shows": {
        "bokeh figure": each(DRAWN_BY_BOKEH, green),
        "bokeh show": each(DRAWN_BY_BOKEH, green),
        "bokeh show after its load message": each(DRAWN_BY_BOKEH, green),
        "bokeh widgets": each(has(".bk-Slider", "Speed"), has("button", "Go")),
        "bokeh table": has(".slick-row", "3"),
        "bokeh show with a handle": each(green, holds("Bokeh.documents[0].roots()[0].title.text === 'Pushed'")),
        "bokeh application": green,
    },
    "holoviews_shows": {
        "holoviews curve": each(DRAWN_BY_BOKEH, green),
        "holoviews layout": each(
            DRAWN_BY_BOKEH, lambda pane: expect(pane.frame.locator(".bk-Canvas")).to_have_count(2)
        ),
        "holoviews map": slides,
        "holoviews dynamic map": each(DRAWN_BY_BOKEH, says("n")),
        "hvplot bars": each(DRAWN_BY_BOKEH, green),
        "hvplot show": DRAWN_BY_BOKEH,
        "pandas by holoviews": DRAWN_BY_BOKEH,
        "pandas by hvplot": DRAWN_BY_BOKEH,
        "panel column": each(
            has("h1", "Title"), has(".bk-panel-models-widgets-IntSlider, .noUi-target"), has("td", "9")
        ),
        "panel show": says("42"),
        "panel column as a widget": has(".bk-panel-models-widgets-IntSlider, .noUi-target"),
        "holoviews by matplotlib": green,
        "holoviews by plotly": has(".main-svg"),
    },
    "lets_plot_shows": {
        "lets-plot plot": green,
        "lets-plot show": green,
        "lets-plot grid": green,
        "lets-plot after its load message": green,
        "lets-plot after a load message that links": green,
        "lets-plot without JavaScript": green,
        "lets-plot show in a browser": green,
    },
    "itables_shows": {
        "itables widget": has(".dt-info", "Showing 1 to 10 of 30"),
        "itables show": has(".dt-info", "Showing 1 to 10 of 30"),
        "itables frame": has(".dt-info", "Showing 1 to 10 of 30"),
        "itables series": has(".dt-info", "Showing 1 to 10 of 30"),
        "itables frame that links": has(".dt-info", "Showing 1 to 10 of 30"),
    },
    "tables_show": {
        "pandas frame": has("td", "1815"),
        "pandas series": plain("Grace"),
        "pandas style": has("td", "1906"),
        "pandas large style": has("td", "39999"),
        "numpy array": plain("[3, 4, 5]"),
        "pyarrow table": plain("name: "),
        "polars frame": has("td", "1815"),
        "polars series": has("td", "Ada"),
        "polars lazy frame": says("naive plan"),
        "polars plot": has("canvas, svg"),
        "polars style": has("td", "Ada"),
        "geopandas frame": has("td", "POINT (12.5 41.9)"),
        "shapely geometry": each(has("svg path"), painted),
        "great_tables table": has("th", "Grace"),
        "great_tables show": has("td", "Grace"),
        "great_tables show in a browser": has("td", "Grace"),
        "great_tables interactive table": each(has("td", "Grace"), says("scripts from the internet")),
        "xarray dataset": has(".xr-var-name", "t"),
        "pandas by plotly": has(".main-svg"),
    },
    "models_show": {
        "scikit-learn estimator": says("LogisticRegression"),
        "statsmodels summary": says("OLS Regression Results"),
        "arviz data": says("posterior"),
        "networkx graph": plain("networkx.classes.graph.Graph"),
        "graphviz graph": graph,
    },
    "pictures_show": {
        "matplotlib figure": green,
        "matplotlib colormap": each(says("viridis"), painted),
        "seaborn palette": each(has("svg"), painted_green),
        "seaborn plot": green,
        "plotnine plot": green,
        "pillow image": green,
        "pillow show": green,
        "pillow image of floats": plain("mode=F"),
        "pygal chart": each(has("svg rect"), painted),
        "mpld3 figure": each(has("svg.mpld3-figure"), green),
        "mpld3 show": each(has("svg.mpld3-figure"), green),
        "sympy expression": has(".katex", "3"),
        "sympy matrix": has(".katex", "x"),
        "sympy expression after init_printing": has(".katex", "3"),
    },
    "figures_show": {
        "matplotlib show": green,
        "networkx drawing": green,
        "seaborn plot show": green,
        "plotnine show": green,
        "matplotlib animation shown": each(green, PLAYS),
        "matplotlib animation": each(green, PLAYS),
        "matplotlib bars": green,
        "matplotlib axes": green,
        "matplotlib array of axes": green,
        "pandas plot": green,
        "seaborn facets": green,
        "seaborn pairs": green,
        "scikit-learn display": green,
        "arviz array of axes": green,
    },
    "plotly_shows": {
        "plotly figure": each(has(".main-svg"), green),
        "plotly show": each(has(".main-svg"), green),
        "plotly express show": has(".main-svg"),
        "plotly figure widget": each(has(".main-svg"), green),
        "altair chart": green,
        "altair show": green,
        "altair chart as a picture": green,
        "altair chart as a drawing": green,
        "altair chart by its MIME type": green,
        "altair chart as a page": green,
        "altair chart as a page that links": misses("cdn.jsdelivr.net"),
        "altair chart as a widget": green,
        "altair charts together": green,
        "altair widget": green,
    },
    "online_shows": {
        "folium map": misses("cdn.jsdelivr.net"),
        "folium show in a browser": misses("cdn.jsdelivr.net"),
        "pydeck deck": each(green, misses("api.tiles.mapbox.com")),
        "pydeck show": each(green, misses("api.tiles.mapbox.com")),
        "ipyvizzu chart": misses("cdn.jsdelivr.net"),
        "ipyvizzu chart by hand": misses("cdn.jsdelivr.net"),
    },
    "ipython_shows": {
        "IPython image": green,
        "IPython jpeg": green,
        "IPython gif": green,
        "IPython image at a URL": misses("example.org"),
        "IPython svg": green,
        "IPython html": has("b", "bold"),
        "IPython markdown": has("h1", "Title"),
        "IPython latex": has(".katex .mfrac"),
        "IPython math": has(".katex .mfrac"),
        "IPython code": each(has(".highlight", "hello"), coloured(".highlight span:has-text('hello')")),
        "IPython progress bar": has("progress[value='5']"),
        "IPython pretty": plain("pretty words"),
        "IPython iframe": misses("example.org"),
        "IPython video from YouTube": misses("www.youtube.com"),
        "IPython file link": has("a", "sound.wav"),
        "IPython file links": has("a", "sound.wav"),
        "IPython audio": holds("Math.abs(document.querySelector('audio').duration - 0.1) < 0.01"),
        "IPython video": has("video"),
        "IPython video in a file": has("[src^='data:video/mp4']"),
        "IPython json": has(".json", "waves"),
        "IPython geojson": has(".json", "Point"),
        "IPython javascript": says("drawn"),
        "IPython handle": has("i", "second"),
        "IPython display handle": has("i", "by handle"),
        "IPython display object": plain("DisplayObject"),
        "IPython text object": plain("TextDisplayObject"),
        "rich table": says("Ada"),
    },
    "widgets_show": {
        "ipywidgets slider": each(ENDED, has("label", "Speed"), has(".widget-readout", "4")),
        "ipywidgets box": each(ENDED, has("b", "Title"), has("option", "a"), has("button", "Go")),
        "ipywidgets interactive": each(ENDED, has("label", "x")),
        "ipywidgets output": each(ENDED, has(".jupyter-widgets-output-area")),
        "anywidget widget": each(ENDED, says("7")),
        "anywidget record": each(ENDED, says("8")),
        "bqplot figure": each(ENDED, has("svg.svg-figure path.line")),
        "ipyleaflet map": each(ENDED, has(".leaflet-container"), misses("tile.openstreetmap.org")),
        "ipydatagrid grid": each(ENDED, has("canvas")),
        "jscatter plot": each(ENDED, has("canvas")),
        "lonboard map": each(ENDED, complains("Failed to initialize model"), misses("cdn.jsdelivr.net")),
        "ipympl canvas": each(ENDED, green),
        "ipympl figure": green,
        "tqdm bar": each(ENDED, says("Epochs"), says("3/3"), has(".progress-bar")),
    },
}


class Look:
    """Where the outputs of the scripts are, and one tab for each script.

    Attributes:
        hub: all scripts' hub.
        asked: addresses outside of the hub that a tab asked for.
        panes: by script.
        outputs: records by row, for each script that ran.
    """

    def __init__(self, hub: connection.Connection, directory: Path, browser: Browser) -> None:
        self.hub = hub
        self.directory = directory
        self.asked: list[str] = []
        self.panes: dict[str, Pane] = {}
        self.outputs: dict[str, dict[str, dict[str, Any]]] = {}
        self._browser = browser

    def at(self, script: str, row: str) -> Pane:
        """Show what a row is about."""
        if script not in self.panes:
            self.outputs[script] = self._run(script)
            self.panes[script] = self._open(self.directory / script)
            self.panes[script].ready(max(each["id"] for each in self.outputs[script].values()))
        self.panes[script].problems.clear()  # of the row before; what this one says while it loads counts
        return self.panes[script].go(self.outputs[script][row]["id"])

    def _run(self, script: str) -> dict[str, dict[str, Any]]:
        cwd = self.directory / script
        cwd.mkdir(exist_ok=True)
        before = {each["id"] for each in self._records()}  # figures of earlier scripts may get drawings
        command = [sys.executable, SCRIPTS / f"{script}.py"]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert "could not be switched over" not in done.stderr, done.stderr
        shown = [each for each in self._records() if each["id"] not in before]
        return {re.sub(".*# → ", "", each["source"]["code"] or ""): each for each in shown}

    def _records(self) -> list[dict[str, Any]]:
        outputs: list[dict[str, Any]] = connection.request(self.hub, "GET", "api/outputs?limit=1000").json()["outputs"]
        return outputs

    def _open(self, project: Path) -> Pane:
        context = self._browser.new_context(viewport={"width": 1100, "height": 720}, color_scheme="light")
        context.route("**/*", self._only_the_hub)
        # what others say while they are drawn for the filmstrip is not what a row says
        context.add_init_script("if (self === top) localStorage.setItem('ipyweb.filmstrip', 'hidden')")
        page = context.new_page()
        page.set_default_timeout(60_000)
        token = self.hub.token_for("pane")
        return Pane(page, self.hub.url).open(f"token={token}&project={quote(str(project), safe='')}")

    def _only_the_hub(self, route: Route) -> None:
        if re.match(rf"http://(127\.0\.0\.1|[0-9a-f]+\.localhost):{self.hub.port}/", route.request.url):
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()


@pytest.fixture(scope="module")
def look(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    """A hub for all scripts, and a browser without a network."""
    directory = tmp_path_factory.mktemp("libraries")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYWEB_RUNTIME_DIR", "IPYWEB_DATA_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
            (directory / name).mkdir(mode=0o700)
            patch.setenv(name, str(directory / name))
        patch.setenv("IPYWEB_BROWSER", "none")
        yield Look(connection.start(), directory, chromium)
        for environment in (directory / "IPYWEB_RUNTIME_DIR").glob("keepers/*/"):
            stop_keeper(environment.name)
        stop_hub()


@pytest.fixture(autouse=True)
def library_environment(look: Look, private_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts' own directories instead of the test's."""
    for name in ("IPYWEB_RUNTIME_DIR", "IPYWEB_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(look.directory / name))


@pytest.mark.parametrize(("script", "row"), [(script, row) for script, rows in ROWS.items() for row in rows])
def test_it_is_there(look: Look, script: str, row: str) -> None:
    pane = look.at(script, row)
    ROWS[script][row](pane)
    assert pane.problems == []
    assert look.asked == []


@pytest.mark.parametrize("script", ROWS)
def test_a_script_shows_nothing_else(look: Look, script: str) -> None:
    look.at(script, next(iter(ROWS[script])))
    assert set(look.outputs[script]) - {'ipyweb.display("begin")'} == set(ROWS[script])
