"""Widgets in a browser that has no network: alive while their session is, and as they were last after it."""

import io
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, expect

from ipyweb import connection
from ipyweb.hub.comms import WIDGETS
from ipyweb.protocol import WIDGET_VIEW

from ..conftest import wait_until
from ..widgets.conftest import Start, line, line_that_is
from .conftest import OpenPane, Pane

SLIDER = """
import ipyweb, ipywidgets as w
slider, label = w.IntSlider(3, description="Speed"), w.Label("still")
def moved(change):
    label.value = f"{change.old} to {change.new}"
    print(change.new, flush=True)
slider.observe(moved, "value")
ipyweb.display(w.VBox([slider, label]))
"""
BUSY = """
import pathlib, time
while not pathlib.Path("go").exists(): time.sleep(0.01)
"""
BUTTON = """
import time, ipyweb, ipywidgets as w
from IPython.display import Math
button, out = w.Button(description="Go"), w.Output()
def clicked(_):
    with out:
        print("printed")
        ipyweb.display(w.HTML("<b>shown</b>"), Math("x"))
    time.sleep(1.5)
button.on_click(clicked)
ipyweb.display(w.VBox([button, out]))
"""
LINKED = """
import ipyweb, ipywidgets as w
a, b = w.IntSlider(1, description="a"), w.IntSlider(1, description="b")
link = w.jslink((a, "value"), (b, "value"))
ipyweb.display(w.VBox([a, b]))
"""
COUNTER = """
import anywidget, ipyweb, traitlets
class Counter(anywidget.AnyWidget):
    _esm = '''export default { render({ model, el }) {
      const button = document.createElement("button");
      const show = () => { button.textContent = `count ${model.get("value")}` };
      button.onclick = () => { model.set("value", model.get("value") + 1); model.save_changes() };
      model.on("change:value", show); show(); el.append(button);
    } }'''
    _css = "button { color: rgb(1, 2, 3) }"
    value = traitlets.Int(7).tag(sync=True)
counter = Counter()
counter.observe(lambda change: print(change.new, flush=True), "value")
ipyweb.display(counter)
"""
LINES = """
import bqplot.pyplot as bq, ipyweb, numpy as np
bq.figure(title="Lines")
bq.plot(np.arange(3.0), np.array([1.0, 4.0, 9.0]), colors=["green"])
ipyweb.display(bq.current_figure())
"""
EVERY = """
import ipyweb, ipywidgets as w
given = {
    "SelectionSlider": {"options": ["a", "b"]}, "SelectionRangeSlider": {"options": ["a", "b"]},
    "interactive": {"_interactive__interact_f": lambda: None},
    "GridspecLayout": {"n_rows": 1, "n_columns": 1},
    "Video": {"value": b"x"}, "Audio": {"value": b"x"},
}
kinds = [each for each in vars(w).values() if isinstance(each, type) and issubclass(each, w.DOMWidget)]
shown = [kind(**given.get(kind.__name__, {})) for kind in kinds if kind is not w.DOMWidget]
ipyweb.display(w.VBox(shown))
print("kinds", len(shown), flush=True)
"""
FOREIGN = """
import ipyweb, ipywidgets as w, traitlets
class Bars(w.DOMWidget):
    _model_name = _view_name = traitlets.Unicode("Bars").tag(sync=True)
    _model_module = _view_module = traitlets.Unicode("acme-bars").tag(sync=True)
    _model_module_version = _view_module_version = traitlets.Unicode("1.0.0").tag(sync=True)
ipyweb.display(w.VBox([w.Label("beside it"), Bars()]))
"""


def end(script: "subprocess.Popen[str]") -> None:
    """Press Ctrl-C, and wait until the script is done."""
    script.send_signal(signal.SIGINT)
    assert script.wait(60) == 0


def the_widget(hub: connection.Connection) -> dict[str, Any]:
    """The newest widget, once there is one."""

    def newest() -> dict[str, Any] | None:
        found = connection.request(hub, "GET", "api/outputs").json()["outputs"]
        return next((each for each in reversed(found) if WIDGET_VIEW in each["mimetypes"]), None)

    found: dict[str, Any] = wait_until(newest, "a widget")
    return found


def look(open_pane: OpenPane, hub: connection.Connection, output: dict[str, Any]) -> Pane:
    """A pane that shows an output."""
    project = quote(output["project"], safe="")
    return open_pane(f"token={hub.token_for('pane')}&project={project}&o={output['id']}").ready(output["id"])


def condition(pane: Pane) -> Locator:
    """What is said about the widget shown."""
    return pane.frame.locator(".condition")


def step(pane: Pane, key: str = "ArrowRight", number: int = 0) -> None:
    """Move a slider by a key."""
    pane.frame.locator(".noUi-handle").nth(number).press(key)


def test_a_slider_moved_reaches_the_script_and_what_that_does_comes_back(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    script = waiting(SLIDER)
    pane = look(open_pane, hub, the_widget(hub))
    expect(condition(pane)).to_be_hidden()
    step(pane)
    assert line(script) == "4"
    expect(pane.frame.locator(".widget-label", has_text="3 to 4")).to_be_visible()
    expect(pane.frame.locator(".widget-readout")).to_have_text("4")


def test_every_kind_of_ipywidgets_is_drawn(waiting: Start, hub: connection.Connection, open_pane: OpenPane) -> None:
    script = waiting(EVERY)
    assert script.stdout is not None
    count = next(int(each.split()[1]) for each in script.stdout if each.startswith("kinds"))
    pane = look(open_pane, hub, the_widget(hub))
    expect(condition(pane)).to_be_hidden()
    expect(pane.frame.locator(".place > * > .widget-vbox > *")).to_have_count(count)
    expect(pane.frame.locator(".jupyter-widgets-error-widget, pre.error")).to_have_count(0)


def test_two_panes_agree(waiting: Start, hub: connection.Connection, open_pane: OpenPane) -> None:
    waiting(SLIDER)
    panes = [look(open_pane, hub, the_widget(hub)) for _ in range(2)]
    for value, pane in enumerate(panes, start=4):
        step(pane)
        for each in panes:
            expect(each.frame.locator(".widget-readout")).to_have_text(str(value))
            expect(each.frame.locator(".widget-label", has_text=f"to {value}")).to_be_visible()


def test_two_panes_agree_that_moved_a_slider_while_the_script_was_busy(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane, tmp_path: Path
) -> None:
    waiting(SLIDER + BUSY)
    panes = [look(open_pane, hub, the_widget(hub)) for _ in range(2)]
    for pane, key in zip(panes, ("ArrowRight", "End"), strict=True):
        step(pane, key)
        expect(pane.frame.locator("#output.busy")).to_have_count(1)
    (tmp_path / "go").touch()
    for pane in panes:
        expect(pane.frame.locator(".widget-readout")).to_have_text("100")
    step(panes[1], "Home")
    expect(panes[0].frame.locator(".widget-readout")).to_have_text("0")


def test_a_pane_that_is_loaded_anew_finds_the_widget_as_it_is_by_then(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    script = waiting(SLIDER)
    output = the_widget(hub)
    pane = look(open_pane, hub, output)
    step(pane)
    assert line(script) == "4"
    pane.page.reload()
    pane.ready(output["id"])
    expect(pane.frame.locator(".widget-readout")).to_have_text("4")
    step(pane)
    assert line(script) == "5"


def test_who_may_only_look_sees_it_move_and_cannot_touch_it(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    waiting(SLIDER)
    output = the_widget(hub)
    pane = look(open_pane, hub, output)
    share = connection.request(hub, "POST", "api/shares", {"seconds": 3600, "scope": "viewer"}).json()["token"]
    project = quote(output["project"], safe="")
    looking = open_pane(f"token={share}&project={project}&o={output['id']}").ready(output["id"])
    expect(looking.frame.locator(".place[inert] .widget-readout")).to_have_text("3")
    expect(condition(looking)).to_be_hidden()
    step(pane)
    expect(looking.frame.locator(".widget-readout")).to_have_text("4")
    expect(pane.frame.locator(".place[inert]")).to_have_count(0)


def test_after_the_script_there_is_its_last_state_that_nobody_can_touch(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    script = waiting(SLIDER)
    output = the_widget(hub)
    pane = look(open_pane, hub, output)
    step(pane)
    assert line(script) == "4"
    end(script)
    expect(condition(pane)).to_have_text("session ended: last state")
    expect(pane.frame.locator(".place[inert] .widget-readout")).to_have_text("4")
    wait_until(lambda: len(the_widget(hub)["data"]) > 3, "the last state")
    later = look(open_pane, hub, output)
    expect(condition(later)).to_have_text("session ended: last state")
    expect(later.frame.locator(".place[inert] .widget-readout")).to_have_text("4")
    expect(later.frame.locator(".widget-label", has_text="3 to 4")).to_be_visible()


def test_a_widget_comes_back_with_its_hub(waiting: Start, hub: connection.Connection, open_pane: OpenPane) -> None:
    script = waiting(SLIDER)
    output = the_widget(hub)
    pane = look(open_pane, hub, output)
    pane.expect_problems()  # the pane's connections break
    connection.request(hub, "POST", "api/stop", {})
    expect(condition(pane)).to_have_text("not connected")
    wait_until(lambda: connection.find() is None, "the hub's end")
    connection.start()
    expect(condition(pane)).to_be_hidden(timeout=60_000)
    step(pane)
    assert line(script) == "4"
    expect(pane.frame.locator(".widget-label", has_text="3 to 4")).to_be_visible()


def test_links_between_widgets_work_without_the_script(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    waiting(LINKED)
    pane = look(open_pane, hub, the_widget(hub))
    step(pane, number=1)
    expect(pane.frame.locator(".widget-readout").first).to_have_text("2")


def test_a_callback_that_takes_its_time_is_seen_and_what_it_shows_is_captured(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    waiting(BUTTON)
    pane = look(open_pane, hub, the_widget(hub))
    pane.frame.locator("button", has_text="Go").click()
    expect(pane.frame.locator("#output.busy")).to_have_count(1)
    expect(pane.frame.locator("#output.busy")).to_have_count(0)
    expect(pane.frame.locator(".output pre", has_text="printed")).to_be_visible()
    expect(pane.frame.locator(".output b", has_text="shown")).to_be_visible()
    expect(pane.frame.locator(".output .katex")).to_be_visible()


def test_an_anywidget_lives_and_stays_as_it_was(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    script = waiting(COUNTER)
    output = the_widget(hub)
    pane = look(open_pane, hub, output)
    button = pane.frame.locator("button", has_text="count 7")
    expect(button).to_have_css("color", "rgb(1, 2, 3)")
    button.click()
    assert line(script) == "8"
    end(script)
    expect(condition(pane)).to_have_text("session ended: last state")
    wait_until(lambda: len(the_widget(hub)["data"]) > 3, "the last state")
    later = look(open_pane, hub, output)
    expect(later.frame.locator(".place[inert] button")).to_have_text("count 8")


def test_bqplot_draws(waiting: Start, hub: connection.Connection, open_pane: OpenPane) -> None:
    script = waiting(LINES)
    output = the_widget(hub)
    drawn = "svg.svg-figure path.line[d*=',']"
    expect(look(open_pane, hub, output).frame.locator(drawn)).to_have_count(1)
    end(script)
    wait_until(lambda: len(the_widget(hub)["data"]) > 3, "the last state")
    later = look(open_pane, hub, output)
    expect(condition(later)).to_have_text("session ended: last state")
    expect(later.frame.locator(drawn)).to_have_count(1)


def test_a_module_that_is_not_there_is_named_where_the_widget_would_be(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    waiting(FOREIGN)
    pane = look(open_pane, hub, the_widget(hub))
    expect(pane.frame.locator("pre.error")).to_contain_text("acme-bars")
    expect(pane.frame.locator("pre.error")).to_contain_text("pip install")
    expect(pane.frame.locator(".widget-label", has_text="beside it")).to_be_visible()


SELECTABLE = (
    "import bqplot as bq\nscales = {'x': bq.LinearScale(), 'y': bq.LinearScale()}\n"
    "dots = bq.Scatter(x=[0.0, 1.0, 2.0], y=[0.0, 1.0, 2.0], scales=scales, interactions={'click': 'select'})\n"
    "shown = bq.Figure(marks=[dots], axes=[bq.Axis(scale=scales['x'])])\n"
)
SCATTER = (
    "import jscatter, pandas\nframe = pandas.DataFrame({'x': [0, 1, 2], 'y': [0, 1, 2]})\n"
    "plot = jscatter.Scatter(data=frame, x='x', y='y', size=40, height=300)\nshown = plot.show()\n"
)


def dots(pane: Pane) -> Locator:
    """A canvas with dots, of which one is in its middle, once it is drawn and drawn no more.

    It is there before its dots are, and until then its library loses what comes.
    """
    canvas = pane.frame.locator("canvas").first
    shots = [b""]

    def is_drawn() -> bool:
        shots.append(canvas.screenshot())
        seen = Image.open(io.BytesIO(shots[-1])).convert("RGB")
        has_dot = seen.getpixel((seen.width // 2, seen.height // 2)) != seen.getpixel((4, 4))
        pane.page.wait_for_timeout(500)
        return has_dot and shots[-1] == shots[-2]

    wait_until(is_drawn, "the dot in the middle")
    return canvas


def click_dot(pane: Pane) -> None:
    """Click the dot in the middle, a frame after the mouse came there.

    A button that goes down in the very frame in which the mouse first comes drags the dots out of sight.
    """
    canvas = dots(pane)
    canvas.hover(force=True)
    canvas.evaluate("() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))")
    canvas.click(force=True)


ALIVE: dict[str, tuple[str, Callable[[Pane], object], str]] = {
    "bqplot": (
        f"{SELECTABLE}dots.observe(lambda change: print('dots', change.new.tolist(), flush=True), 'selected')",
        lambda pane: pane.frame.locator("path.dot").nth(1).click(),
        "dots [1]",
    ),
    "jscatter": (
        f"{SCATTER}plot.widget.observe(lambda change: print('points', change.new.tolist(), flush=True), 'selection')",
        click_dot,
        "points [1]",
    ),
    "ipyleaflet": (
        "import ipyleaflet\nshown = ipyleaflet.Map(center=(41.9, 12.5), zoom=5, layers=())\n"
        "shown.observe(lambda change: print('zoom', int(change.new), flush=True), 'zoom')",
        lambda pane: pane.frame.locator(".leaflet-control-zoom-in").click(),
        "zoom 6",
    ),
    "ipydatagrid": (
        "import ipydatagrid, pandas\n"
        "shown = ipydatagrid.DataGrid(pandas.DataFrame({'a': range(9)}), selection_mode='row')\n"
        "shown.observe(lambda change: print('row', change.new[0]['r1'], flush=True), 'selections')",
        lambda pane: pane.frame.locator("canvas").first.click(position={"x": 90, "y": 50}, force=True),
        "row 1",
    ),
    "itables": (
        "import itables.widget, pandas\n"
        "shown = itables.widget.ITable(pandas.DataFrame({'a': range(9)}), select=True)\n"
        "shown.observe(lambda change: print('rows', change.new, flush=True), 'selected_rows')",
        lambda pane: pane.frame.locator("tbody td").first.click(),
        "rows [0]",
    ),
    "altair": (
        "import altair, pandas\n"
        "pick = altair.selection_point(name='pick', fields=['x'])\n"
        "bars = altair.Chart(pandas.DataFrame({'x': [1, 2], 'y': [1, 4]})).mark_bar().encode(x='x:O', y='y')\n"
        "shown = altair.JupyterChart(bars.add_params(pick))\n"
        "shown.selections.observe(lambda change: print('pick', change.new.value, flush=True), ['pick'])",
        lambda pane: pane.frame.locator("path[aria-roledescription=bar]").last.click(),
        "pick [{'x': 2}]",
    ),
    "plotly": (
        "import plotly.graph_objects as go\nshown = go.FigureWidget(go.Bar(y=[1, 2, 3]))\n"
        "shown.data[0].on_click(lambda trace, points, state: print('bar', points.point_inds, flush=True))",
        lambda pane: pane.frame.locator(".nsewdrag").click(position={"x": 120, "y": 175}, force=True),
        "bar [0]",
    ),
    "bokeh": (
        "from bokeh.models import Slider\nfrom jupyter_bokeh import BokehModel\n"
        "slider = Slider(start=0, end=10, value=3, title='Speed')\nshown = w.VBox([BokehModel(slider)])\n"
        "slider.on_change('value', lambda name, old, new: print('speed', new, flush=True))",
        lambda pane: step(pane),
        "speed 4",
    ),
    "panel": (
        "import panel\nslider = panel.widgets.IntSlider(name='x', start=0, end=10, value=3)\n"
        "shown = panel.Column('# Title', slider)\n"
        "slider.param.watch(lambda event: print('x', event.new, flush=True), 'value')",
        lambda pane: step(pane),
        "x 4",
    ),
    "ipycanvas": (
        "import ipycanvas\nipyweb.install()\nshown = ipycanvas.Canvas(width=200, height=100)\n"
        "shown.on_mouse_down(lambda x, y: print('down', flush=True))",
        lambda pane: pane.frame.locator("canvas").last.click(),
        "down",
    ),
    "ipympl": (
        "import matplotlib\nmatplotlib.use('ipympl')\nimport matplotlib.pyplot as plt\n"
        "figure, axes = plt.subplots()\nshown = figure.canvas\n"
        "shown.mpl_connect('button_press_event', lambda event: print(event.inaxes is axes, flush=True))",
        lambda pane: pane.frame.locator(".jupyter-matplotlib-canvas-div canvas").last.click(),
        "True",
    ),
    "interact": (
        "ipyweb.display('begin')\nshown = w.interactive(lambda x: print('in it', x), x=(0, 10))\n"
        "shown.children[0].observe(lambda change: print('x', change.new, flush=True), 'value')",
        step,
        "x 6",
    ),
    "tqdm": (
        "from tqdm.notebook import tqdm\nout, button = w.Output(), w.Button(description='Go')\n"
        "def clicked(_):\n    with out:\n        list(tqdm(range(3), desc='Epochs'))\n    print('done', flush=True)\n"
        "button.on_click(clicked)\nshown = w.VBox([button, out])",
        lambda pane: pane.frame.locator("button").click(),
        "done",
    ),
}
"""By library: a widget of it, what is done to it in the pane, and what the script prints then."""


@pytest.mark.parametrize("library", ALIVE)
def test_what_is_done_to_it_reaches_the_script(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane, library: str
) -> None:
    code, act, printed = ALIVE[library]
    script = waiting(f"import ipyweb, ipywidgets as w\n{code}\nipyweb.display(shown)")
    pane = look(open_pane, hub, the_widget(hub))
    act(pane)
    line_that_is(script, printed)


def is_green(pane: Pane) -> None:
    wait_until(lambda: pane.share((0, 128, 0)) > 0.05, "something green")


def has(selector: str, words: str = "") -> Callable[[Pane], object]:
    """It has an element, with some words in it."""
    return lambda pane: expect(pane.frame.locator(selector).filter(has_text=words).first).to_be_visible()


FOLLOWS: dict[str, tuple[str, str, Callable[[Pane], object]]] = {
    "bqplot": (SELECTABLE, "shown.title = 'moved'", has(".mainheading", "moved")),
    "jscatter": (SCATTER, "plot.background('#008000')", is_green),
    "ipyleaflet": (
        "import ipyleaflet\nshown = ipyleaflet.Map(center=(41.9, 12.5), zoom=5, layers=())",
        "shown.add(ipyleaflet.Circle(location=shown.center, radius=10))",
        lambda pane: expect(pane.frame.locator("path.leaflet-interactive")).to_have_count(1),
    ),
    "ipydatagrid": (
        "import ipydatagrid, pandas\nshown = ipydatagrid.DataGrid(pandas.DataFrame({'a': range(9)}))",
        "shown.grid_style = {'void_color': 'rgb(0, 128, 0)'}",
        is_green,
    ),
    "itables": (
        "import itables.widget, pandas\nshown = itables.widget.ITable(pandas.DataFrame({'a': range(9)}), select=True)",
        "shown.selected_rows = [1]",
        has("tr.selected", "1"),
    ),
    "altair": (
        "import altair\n"
        "def bars(n):\n    values = [{'x': x} for x in range(n)]\n"
        "    return altair.Chart(altair.Data(values=values)).mark_bar().encode(x='x:O')\n"
        "shown = altair.JupyterChart(bars(2))",
        "shown.chart = bars(3)",
        lambda pane: expect(pane.frame.locator("path[aria-roledescription=bar]")).to_have_count(3),
    ),
    "plotly": (
        "import plotly.graph_objects as go\nshown = go.FigureWidget(go.Bar(y=[1, 2, 3]))",
        "shown.layout.title.text = 'moved'",
        has(".gtitle", "moved"),
    ),
    "bokeh": (
        "from bokeh.models import Slider\nfrom jupyter_bokeh import BokehModel\n"
        "slider = Slider(start=0, end=10, value=3, title='Speed')\nshown = BokehModel(slider)",
        "slider.value = 7",
        has(".bk-slider-title, .bk-slider-value", "7"),
    ),
    "panel": (
        "import panel\nslider = panel.widgets.IntSlider(name='x', start=0, end=10, value=3)\n"
        "shown = panel.Column(slider)",
        "slider.value = 7",
        has(".bk-slider-title, .bk-slider-value", "7"),
    ),
    "ipycanvas": (
        "import ipycanvas\nipyweb.install()\nshown = ipycanvas.Canvas(width=800, height=400)",
        "shown.fill_style = 'rgb(0, 128, 0)'; shown.fill_rect(0, 0, 800, 400)",
        is_green,
    ),
    "ipympl": (
        "import matplotlib\nmatplotlib.use('ipympl')\nimport matplotlib.pyplot as plt\n"
        "figure, axes = plt.subplots()\nshown = figure.canvas",
        "axes.set_facecolor('green'); figure.canvas.draw_idle()",
        is_green,
    ),
    "tqdm": (
        "from tqdm.notebook import tqdm\nbar = tqdm(total=3, desc='Epochs', mininterval=0, display=False)\n"
        "shown = bar.container",
        "bar.update(2)",
        has(".widget-html", "2/3"),
    ),
    "anywidget": (f"{COUNTER}shown = counter", "counter.value = 9", has("button", "count 9")),
}
"""By library: a widget of it, what the script does to it when it is seen, and what there is to see then."""


@pytest.mark.parametrize("library", FOLLOWS)
def test_what_the_script_does_to_it_is_seen(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane, tmp_path: Path, library: str
) -> None:
    code, change, seen = FOLLOWS[library]
    waiting(
        f"import pathlib, ipyweb, ipywidgets as w\n{code}\nipyweb.display(shown)\n"
        f"while not pathlib.Path('go').exists(): ipyweb.wait(0.05)\n{change}"
    )
    pane = look(open_pane, hub, the_widget(hub))
    if library == "jscatter":
        dots(pane)
    (tmp_path / "go").touch()
    seen(pane)


def test_what_an_interactive_function_prints_and_shows_follows_its_controls(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    waiting(
        "import ipyweb; ipyweb.install()\nimport ipywidgets as w, matplotlib.pyplot as plt\n"
        "def f(x):\n    print('in it', x)\n    plt.plot([0, x]); plt.show()\nw.interact(f, x=(0, 10))"
    )
    pane = look(open_pane, hub, the_widget(hub))
    printed, drawn = pane.frame.locator(".output pre"), pane.frame.locator(".output img")
    expect(printed).to_have_text("in it 5")
    before = drawn.get_attribute("src")
    step(pane)
    expect(printed).to_have_text("in it 6")
    expect(drawn).not_to_have_attribute("src", str(before))
    expect(drawn).to_have_count(1)


CARDS = """
import pathlib
import ipyweb; ipyweb.install()
class Lab:
    calls = 0
    def plot_line(self, slope: float = 1.0):
        print("slope", slope)
    def plot_flaky(self):
        Lab.calls += 1
        if Lab.calls > 1 and not pathlib.Path("mended").exists():
            raise ValueError("not mended")
        print("call", Lab.calls)
ipyweb.functions(Lab())
"""


def test_a_card_whose_function_raises_shows_that_and_is_refreshed_all_the_same(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane, tmp_path: Path
) -> None:
    waiting(CARDS)
    pane = look(open_pane, hub, the_widget(hub))
    flaky = pane.frame.locator(".widget-vbox > .widget-vbox", has_text="flaky").last
    other = pane.frame.locator(".widget-vbox > .widget-vbox", has_text="line").last
    expect(flaky.locator(".output")).to_have_text("call 1")
    every = flaky.get_by_label("Every (s)")
    every.fill("0.2")
    every.press("Enter")
    expect(flaky.locator(".output")).to_contain_text("ValueError: not mended")
    expect(other.locator(".output")).to_have_text("slope 1.0")
    (tmp_path / "mended").touch()
    expect(flaky.locator(".output")).to_have_text(re.compile(r"^call \d+\s*$"))
    step(pane)
    expect(other.locator(".output")).to_have_text("slope 1.1")


CANVAS = """
import ipyweb; ipyweb.install()
import ipycanvas
canvas = ipycanvas.Canvas(width=200, height=100)
canvas.fill_style = "rgb(0, 128, 0)"
canvas.fill_rect(0, 0, 200, 100)
ipyweb.display(canvas)
"""
GREEN_CANVAS = "canvas => canvas.getContext('2d').getImageData(100, 50, 1, 1).data.join() === '0,128,0,255'"


def test_what_was_drawn_on_a_canvas_is_in_every_pane_and_stays(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    script = waiting(CANVAS)
    output = the_widget(hub)

    def is_green(pane: Pane) -> None:
        canvas = pane.frame.locator("canvas").last
        wait_until(lambda: canvas.evaluate(GREEN_CANVAS), "a green canvas")

    for _ in range(2):
        is_green(look(open_pane, hub, output))
    end(script)
    wait_until(lambda: len(the_widget(hub)["data"]) > 3, "the last state")
    later = look(open_pane, hub, output)
    expect(condition(later)).to_have_text("session ended: last state")
    is_green(later)


def test_what_a_panel_callback_makes_is_shown_and_stays(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    script = waiting(
        "import ipyweb, panel\nslider = panel.widgets.IntSlider(name='x', start=0, end=10, value=3)\n"
        "ipyweb.display(panel.Column(slider, panel.bind(lambda x: f'# value {x}', slider)))"
    )
    output = the_widget(hub)
    pane = look(open_pane, hub, output)
    step(pane)
    expect(pane.frame.locator("h1", has_text="value 4")).to_be_visible()
    end(script)
    wait_until(lambda: WIDGETS in the_widget(hub)["data"], "the last state")
    later = look(open_pane, hub, output)
    expect(condition(later)).to_have_text("session ended: last state")
    expect(later.frame.locator("h1", has_text="value")).to_be_visible()


REPORTED = """
import altair, ipyweb, ipywidgets as w, plotly.graph_objects as go
ipyweb.display(w.VBox([w.IntSlider(4, description="Speed"), w.HTMLMath("$x^2$")]))
chart = altair.Chart(altair.Data(values=[{"x": 1}, {"x": 2}])).mark_bar().encode(x="x:O")
ipyweb.display(altair.JupyterChart(chart))
ipyweb.display(go.FigureWidget(go.Bar(y=[1, 2])))
"""


@pytest.mark.parametrize("ended", [False, True], ids=["while it runs", "after its end"])
def test_a_report_has_widgets_as_they_were_last(
    waiting: Start, hub: connection.Connection, context: BrowserContext, tmp_path: Path, ended: bool
) -> None:
    script = waiting(REPORTED)
    wait_until(lambda: the_widget(hub)["id"] == 3, "three widgets")
    if ended:
        end(script)
        wait_until(lambda: WIDGETS in the_widget(hub)["data"], "the last state")
    file = tmp_path / "report.html"
    file.write_bytes(connection.request(hub, "GET", "api/export?format=html", timeout=180).body)
    page = context.new_page()
    page.goto(file.as_uri())
    drawn = (".widget-readout:has-text('4')", ".katex"), ("path[aria-roledescription=bar]",), (".main-svg",)
    for number, selectors in enumerate(drawn):
        page.locator(".frame").nth(number).scroll_into_view_if_needed()
        inside = page.frame_locator(f".frame >> nth={number} >> iframe")
        expect(inside.locator(".condition")).to_have_text("session ended: last state")
        for selector in selectors:
            expect(inside.locator(f".place[inert] {selector}").first).to_be_attached()


def test_widgets_share_no_frame(waiting: Start, hub: connection.Connection, open_pane: OpenPane) -> None:
    script = waiting(
        "import ipyweb, ipywidgets as w\n"
        "for n in range(3):\n"
        "    s = w.IntSlider(3, description=f's{n}')\n"
        "    s.observe(lambda change, n=n: print(n, change.new, flush=True), 'value')\n"
        "    ipyweb.display(s)"
    )
    wait_until(lambda: len(connection.request(hub, "GET", "api/outputs").json()["outputs"]) == 3, "three widgets")
    outputs = connection.request(hub, "GET", "api/outputs").json()["outputs"]
    pane = look(open_pane, hub, outputs[0])
    for n, output in [*enumerate(outputs), (0, outputs[0])]:
        pane.go(output["id"])
        expect(pane.frame.locator(".widget-label")).to_have_text(f"s{n}")
        step(pane)
        assert line(script).startswith(f"{n} ")
