"""Widgets of scripts: alive inside `ipyweb.wait`, and with their last state after it."""

import hashlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipyweb import connection
from ipyweb.hub.comms import WIDGETS

from ..conftest import wait_until
from .conftest import Pane, Start, line, widgets

SLIDER = """
import sys, ipyweb, ipywidgets as w
slider, label = w.IntSlider(3, description="Speed"), w.Label()
def moved(change):
    label.value = f"{change.old} to {change.new}"
    print(change.new, flush=True)
slider.observe(moved, "value")
ipyweb.display(w.VBox([slider, label]))
"""
Follow = Callable[..., Pane]


def test_what_is_done_in_a_pane_reaches_the_script_and_comes_back(start: Start, follow: Follow) -> None:
    script = start(f"{SLIDER}ipyweb.wait()")
    pane, other = follow(), follow()
    slider, label = pane.model("IntSliderModel"), pane.model("LabelModel")
    other.model("IntSliderModel")
    pane.until_handled(pane.update(slider, value=7))
    assert line(script) == "7"
    pane.until_is(label, "value", "3 to 7")
    other.until_is(slider, "value", 7)
    other.until_is(label, "value", "3 to 7")
    script.send_signal(signal.SIGINT)
    assert script.wait(30) == 0


def test_who_comes_later_gets_the_state_of_then(start: Start, follow: Follow) -> None:
    start(f"{SLIDER}ipyweb.wait()")
    pane = follow()
    slider = pane.model("IntSliderModel")
    pane.until_handled(pane.update(slider, value=9))
    later = follow()
    assert later.value(later.model("IntSliderModel"), "value") == 9


def test_a_new_hub_gets_everything_anew(start: Start, follow: Follow, hub: connection.Connection) -> None:
    script = start(f"{SLIDER}ipyweb.wait()")
    pane = follow()
    slider = pane.model("IntSliderModel")
    pane.until_handled(pane.update(slider, value=9))
    assert line(script) == "9"
    os.kill(hub.pid, signal.SIGKILL)
    wait_until(lambda: connection.find() is None, "the hub's end")
    session = widgets(connection.start())[0]["session"]
    again = Pane(connection.start(), session)
    again.until_is(slider, "value", 9)
    again.until_handled(again.update(slider, value=4))
    assert line(script) == "4"
    again.close()


def test_an_error_of_a_callback_is_printed_and_the_next_is_called(start: Start, follow: Follow) -> None:
    script = start(
        "import ipyweb, ipywidgets as w\nbutton = w.Button()\nclicks = []\n"
        "def clicked(button):\n    clicks.append(1)\n    print(len(clicks), flush=True)\n    1 / 0\n"
        "button.on_click(clicked)\nipyweb.display(button)\nipyweb.wait()"
    )
    pane = follow()
    button = pane.model("ButtonModel")
    for number in (1, 2):
        pane.until_handled(pane.say(button, {"method": "custom", "content": {"event": "click"}}))
        assert line(script) == str(number)
    script.send_signal(signal.SIGINT)
    assert script.communicate(timeout=180)[1].count("ZeroDivisionError") == 2


def last_values(hub: connection.Connection) -> dict[str, Any]:
    """The values of the only widget output's models by their names, once its last state is kept."""

    def kept() -> Any:
        found = widgets(hub)
        return found and WIDGETS in found[0]["data"] and found

    (output,) = wait_until(kept, "the last state")
    assert "text/html" in output["mimetypes"]
    state = connection.request(hub, "GET", f"api/outputs/{output['id']}/data?mime={WIDGETS}").json()["state"]
    return {model["model_name"]: model["state"].get("value") for model in state.values()}


def test_without_waiting_the_last_state_is_kept(start: Start, hub: connection.Connection) -> None:
    assert start(f"{SLIDER}slider.value = 8").wait(60) == 0
    values = last_values(hub)
    assert (values["IntSliderModel"], values["LabelModel"]) == (8, "3 to 8")


def test_the_last_state_of_a_widget_that_was_gone_before_the_hub_was_reached_is_kept(
    start: Start, hub: connection.Connection
) -> None:
    late = (
        "import threading\nfrom ipyweb import websocket\ndial, gone = websocket.open_websocket, threading.Event()\n"
        "def dial_late(hub, path):\n"
        "    assert path != '/ws/comms/session' or gone.wait(60)\n"
        "    return dial(hub, path)\n"
        "websocket.open_websocket = dial_late\n"
    )
    assert start(f"{late}{SLIDER}slider.value = 8\nslider.close()\nlabel.close()\ngone.set()").wait(60) == 0
    assert last_values(hub)["IntSliderModel"] == 8


def test_an_output_captures_what_is_printed_and_shown_in_it(start: Start, follow: Follow) -> None:
    start(
        "import ipyweb, ipywidgets as w\nfrom IPython.display import HTML, display\nout = w.Output()\n"
        "ipyweb.display(out)\nwith out:\n    print('one'); print('two')\n    display(HTML('<b>shown</b>'))\n    1 / 0\n"
        "ipyweb.wait()"
    )
    pane = follow()
    output = pane.model("OutputModel")
    pane.until(lambda: "ZeroDivisionError" in json.dumps(pane.value(output, "outputs")))
    printed, shown, error = pane.value(output, "outputs")
    assert printed == {"output_type": "stream", "name": "stdout", "text": "one\ntwo\n"}
    assert shown["data"]["text/html"] == "<b>shown</b>"
    assert error["output_type"] == "stream"
    assert len(widgets(connection.start())) == 1


def test_interact_shows_anew_in_its_place(start: Start, follow: Follow) -> None:
    start(
        "import ipyweb; ipyweb.install()\nimport matplotlib.pyplot as plt\nfrom ipywidgets import interact\n"
        "@interact(x=(0, 10))\ndef f(x=1):\n    print('x is', x); plt.figure(figsize=(1, 1)); plt.plot([0, x])\n"
        "ipyweb.wait()"
    )
    pane = follow()
    slider, output = pane.model("IntSliderModel"), pane.model("OutputModel")

    def said() -> Any:
        outputs = pane.value(output, "outputs") or []
        return [each.get("text") or sorted(each["data"]) for each in outputs]

    pane.until(lambda: len(said()) == 2)
    assert said() == ["x is 1\n", ["image/png", "text/plain"]]
    pane.until_handled(pane.update(slider, value=5))
    pane.until(lambda: said()[:1] == ["x is 5\n"] and len(said()) == 2)


def test_binary_traits_travel_as_binary(start: Start, follow: Follow) -> None:
    script = start(
        "import ipyweb, anywidget, traitlets as t\n"
        "class Blob(anywidget.AnyWidget):\n    _esm = 'export default {}' + ' ' * 20000\n"
        "    data = t.Any(b'').tag(sync=True)\n"
        "blob = Blob(data=b'ab')\nblob.observe(lambda change: print(bytes(change.new), flush=True), 'data')\n"
        "ipyweb.display(blob)\nipyweb.wait()"
    )
    pane = follow()
    model = pane.model("AnyModel")
    opened = next(each for each in pane.of("comm_open") if each.header["comm_id"] == model)
    assert opened.header["data"]["buffer_paths"] == [["data"]]
    assert [bytes(each) for each in opened.buffers] == [b"ab"]
    assert "_esm" in opened.header["texts"]
    names = [each.header["sha256"] for each in pane.of("text")]
    assert opened.header["texts"]["_esm"] in names
    (module,) = pane.of("module")
    assert module.header["name"] == "anywidget"
    assert module.header["sha256"] in names
    data = {"method": "update", "state": {}, "buffer_paths": [["data"]]}
    pane.until_handled(pane.say(model, data, b"\x00\xff"))
    assert line(script) == str(b"\x00\xff")


def test_a_module_that_is_not_there_is_said(start: Start, follow: Follow) -> None:
    start(
        "import ipyweb, ipywidgets as w, traitlets as t\n"
        "class Odd(w.DOMWidget):\n    _model_module = t.Unicode('odd-widget').tag(sync=True)\n"
        "    _model_name = t.Unicode('OddModel').tag(sync=True)\n"
        "    _view_name = t.Unicode('OddView').tag(sync=True)\n"
        "ipyweb.display(Odd())\nipyweb.wait()"
    )
    pane = follow()
    pane.model("OddModel")
    (module,) = pane.of("module")
    assert module.header["sha256"] is None
    assert "odd-widget" in module.header["reason"]


def test_widgets_made_before_are_carried_with_their_ids(start: Start, follow: Follow) -> None:
    script = start(
        "import ipywidgets as w\nslider = w.IntSlider(3)\nprint(slider.model_id, flush=True)\n"
        "import ipyweb; ipyweb.display(slider); ipyweb.wait()"
    )
    assert follow().model("IntSliderModel") == line(script)


def test_widgets_that_are_not_shown_reach_nobody(start: Start, hub: connection.Connection) -> None:
    assert start("import ipyweb, ipywidgets as w; ipyweb.display(1); w.IntSlider()").wait(60) == 0
    assert widgets(hub) == []


def test_a_module_that_depends_on_another_comes_with_it(
    start: Start, follow: Follow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"acme-bars": 'define(["acme-axes", "exports"], () => 1)', "acme-axes": "define([], 2)"}.items():
        (tmp_path / "nbextensions" / name).mkdir(parents=True)
        (tmp_path / "nbextensions" / name / "index.js").write_text(text)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    script = start(
        "import ipyweb, ipywidgets as w, traitlets as t\n"
        "class Bars(w.DOMWidget):\n    _model_module = t.Unicode('acme-bars').tag(sync=True)\n"
        "    _view_name = t.Unicode('Bars').tag(sync=True)\n"
        "ipyweb.display(Bars())\nipyweb.wait()"
    )
    pane = follow()
    pane.model("DOMWidgetModel")
    modules = {each.header["name"]: each.header for each in pane.of("module")}
    assert modules["acme-bars"]["needs"] == ["acme-axes"]
    assert modules["acme-axes"]["sha256"] is not None
    script.send_signal(signal.SIGINT)

    def kept() -> Any:
        return [mime for mime in widgets(connection.start())[0]["data"] if "module:" in mime]

    assert len(wait_until(kept, "what is kept")) == 2


def test_a_module_that_a_notebook_defines_is_the_one_that_its_widgets_get(start: Start, follow: Follow) -> None:
    script = start(
        "import ipyweb, ipywidgets as w, traitlets as t\nfrom IPython.display import Javascript\n"
        "class Bars(w.DOMWidget):\n    _view_module = t.Unicode('bars').tag(sync=True)\n"
        "    _view_name = t.Unicode('Bars').tag(sync=True)\n"
        'define = \'require.undef("bars"); define("bars", [], function () { return %d })\'\n'
        "ipyweb.display(Bars())\nfor n in range(3): ipyweb.display(Javascript(define % n))\n"
        "ipyweb.display(Javascript('element.append(\"bars\")'))\nipyweb.wait()"
    )
    pane = follow()
    pane.model("DOMWidgetModel")
    newest = hashlib.sha256(b'require.undef("bars"); define("bars", [], function () { return 2 })').hexdigest()
    pane.until(lambda: [each for each in pane.of("module") if each.header["sha256"] == newest])
    assert script.poll() is None


CHANGED = {
    "plotly": (
        "import plotly.graph_objects as go\nshown = go.FigureWidget(go.Bar(y=[1, 2]))\n"
        "def change():\n    shown.data[0].y = [5, 6]\n    shown.layout.title = 'changed'\n",
        "_widget_data",
        "[5, 6]",
    ),
    "bokeh": (
        "from bokeh.plotting import figure\nfrom jupyter_bokeh import BokehModel\nplot = figure(title='before')\n"
        "shown = BokehModel(plot)\ndef change():\n    plot.title.text = 'changed'\n",
        "render_bundle",
        "changed",
    ),
}


@pytest.mark.parametrize("library", CHANGED)
@pytest.mark.parametrize("then", ["ipyweb.wait()", "import time; time.sleep(600)"], ids=["waiting", "busy"])
def test_who_comes_after_a_library_has_changed_what_is_shown_gets_it_so(
    start: Start, follow: Follow, library: str, then: str
) -> None:
    code, key, sign = CHANGED[library]
    script = start(
        f"import ipyweb\n{code}ipyweb.display(shown)\nipyweb.wait(0.1)\ninput()\nchange()\n"
        f"print('changed', flush=True)\n{then}"
    )
    pane = follow()
    model = pane.until(lambda: next((each for each in pane.models_with(key)), None))
    assert sign not in json.dumps(pane.value(model, key))
    assert script.stdin is not None
    print(file=script.stdin, flush=True)
    assert line(script) == "changed"
    late = follow()
    assert late.until(lambda: late.models_with(key)) == [model]
    assert sign in json.dumps(late.value(model, key))


def test_who_waits_at_a_new_hub_gets_what_a_library_has_changed_meanwhile(
    start: Start, follow: Follow, hub: connection.Connection
) -> None:
    code, key, sign = CHANGED["bokeh"]
    script = start(f"import ipyweb\n{code}ipyweb.display(shown)\nipyweb.wait(0.1)\ninput()\nchange()\nipyweb.wait()")
    pane = follow()
    model = pane.until(lambda: next(iter(pane.models_with(key)), None))
    assert script.stdin is not None
    print(file=script.stdin, flush=True)
    pane.until(lambda: [each for each in pane.of("comm_msg") if each.header["comm_id"] == model])
    session = widgets(hub)[0]["session"]
    os.kill(hub.pid, signal.SIGKILL)
    wait_until(lambda: connection.find() is None, "the hub's end")
    early = Pane(connection.start(), session)
    assert early.until(lambda: early.models_with(key)) == [model]
    early.close()
    assert sign in json.dumps(early.value(model, key))


def test_what_a_library_has_changed_is_in_the_last_state(start: Start, hub: connection.Connection) -> None:
    code, key, sign = CHANGED["plotly"]
    assert start(f"import ipyweb\n{code}ipyweb.display(shown)\nchange()").wait(60) == 0
    output = wait_until(
        lambda: next((each for each in widgets(hub) if WIDGETS in each["data"]), None), "its last state"
    )
    kept = connection.request(hub, "GET", f"api/outputs/{output['id']}/data?mime={WIDGETS}").json()["state"]
    assert [sign in json.dumps(model["state"][key]) for model in kept.values() if key in model["state"]] == [True]
