"""What goes wrong with widgets hurts nobody else: the program goes on, Ctrl-C ends it, the next message is heard."""

import os
import signal
import subprocess
from collections.abc import Callable

import pytest

from ipyweb import connection

from ..conftest import wait_until
from .conftest import Pane, Start, line, line_that_is, widgets
from .test_scripts import SLIDER

Follow = Callable[..., Pane]
WAITING = f"{SLIDER}ipyweb.wait()"
CLICK = {"method": "custom", "content": {"event": "click"}}


def end(script: "subprocess.Popen[str]") -> str:
    """Press Ctrl-C, which ends the program well; returns what it said."""
    script.send_signal(signal.SIGINT)
    _, said = script.communicate(timeout=180)
    assert script.returncode == 0, said
    return said


def answers(script: "subprocess.Popen[str]", pane: Pane, value: int) -> None:
    """The slider still does."""
    pane.until_handled(pane.update(pane.model("IntSliderModel"), value=value))
    assert line(script) == str(value)


def test_of_thousands_of_widgets_each_answers(start: Start, follow: Follow) -> None:
    script = start(
        "import ipyweb; ipyweb.install()\nimport ipywidgets as w\nsliders = [w.IntSlider(n) for n in range(3400)]\n"
        "sliders[-1].observe(lambda change: print(change.new, flush=True), 'value')\n"
        "ipyweb.display(w.VBox(sliders))\nprint(sliders[-1].model_id, flush=True)\nipyweb.wait()"
    )
    model = line(script)
    pane = follow()
    pane.until(lambda: pane.value(model, "value") == 100)
    pane.until_handled(pane.update(model, value=7))
    assert line(script) == "7"
    assert "all that a hub takes" not in end(script)


def test_what_is_said_to_a_comm_that_is_not_there_is_dropped(start: Start, follow: Follow) -> None:
    script = start(WAITING.replace("ipyweb.wait()", "slider.observe(lambda _: label.close(), 'value')\nipyweb.wait()"))
    pane = follow()
    slider = pane.model("IntSliderModel")
    pane.update(slider, value=5)
    closed = pane.until(lambda: [each.header["comm_id"] for each in pane.of("comm_close")])
    assert line(script) == "5"
    for comm in ("nobody", *closed):
        for kind in ("comm_msg", "comm_close"):
            pane.say(comm, {"method": "update", "state": {"value": 9}, "buffer_paths": []}, type=kind)
    pane.say("made up", {"state": {}}, type="comm_open", target_name="no target")
    pane.until_handled(pane.update(slider, value=7))
    assert line(script) == "7"
    end(script)


def test_a_pane_reaches_no_comm_of_another_session(start: Start, follow: Follow) -> None:
    first = start(WAITING)
    pane = follow()
    second = start(WAITING)
    other = follow(2)
    foreign = other.model("IntSliderModel")
    assert foreign != pane.model("IntSliderModel")
    for kind in ("comm_msg", "comm_close"):
        pane.say(foreign, {"method": "update", "state": {"value": 9}, "buffer_paths": []}, type=kind)
    answers(first, pane, 4)
    answers(second, other, 5)
    assert other.value(foreign, "value") == 5


@pytest.mark.parametrize("path", [["nowhere", "deep"], ["value", 3], ["value", "x", 1]], ids=str)
def test_a_buffer_that_belongs_nowhere_is_an_error_of_its_message_only(
    start: Start,
    follow: Follow,
    path: list[object],
) -> None:
    script = start(WAITING)
    pane = follow()
    slider = pane.model("IntSliderModel")
    pane.until_handled(pane.say(slider, {"method": "update", "state": {"value": 5}, "buffer_paths": [path]}, b"x"))
    later = follow()
    answers(script, later, 7)
    assert later.value(slider, "value") == 7


def test_buffers_without_paths_end_the_line_of_that_pane_only(start: Start, follow: Follow) -> None:
    script = start(WAITING)
    pane, other = follow(), follow()
    slider = pane.model("IntSliderModel")
    pane.say(slider, {"method": "update", "state": {"value": 5}, "buffer_paths": []}, b"x")
    answers(script, other, 7)


def test_a_session_that_is_killed_in_a_drag_is_said_to_be_gone(start: Start, follow: Follow) -> None:
    script = start(WAITING)
    pane, other = follow(), follow()
    slider = pane.model("IntSliderModel")
    for value in range(50):
        pane.update(slider, value=value)
    script.kill()
    for value in range(50):
        pane.update(slider, value=value)
    for each in (pane, other):
        each.until(lambda each=each: [said.header["live"] for said in each.of("live")][-2:] == [True, False])
    assert connection.find() is not None


def test_a_hub_that_is_killed_in_a_drag_is_followed_by_one_that_goes_on(
    start: Start,
    follow: Follow,
    hub: connection.Connection,
) -> None:
    script = start(WAITING)
    pane = follow()
    slider = pane.model("IntSliderModel")
    for value in range(20):
        pane.update(slider, value=value)
    os.kill(hub.pid, signal.SIGKILL)
    wait_until(lambda: connection.find() is None, "the hub's end")
    again = Pane(connection.start(), widgets(connection.start())[0]["session"])
    again.until_is(slider, "max", 100)
    again.until_handled(again.update(slider, value=77))
    line_that_is(script, "77")
    again.close()
    end(script)


def test_two_panes_that_drag_one_slider_agree_in_the_end(start: Start, follow: Follow) -> None:
    script = start(WAITING)
    panes = follow(), follow()
    slider = panes[0].model("IntSliderModel")
    panes[1].model("IntSliderModel")
    numbers = [[each.update(slider, value=(n * 7 + k) % 100) for k, each in enumerate(panes)] for n in range(100)]
    for pane, number in zip(panes, numbers[-1], strict=True):
        pane.until_handled(number)
    for pane in panes:
        pane.until_handled(pane.update(slider, value=50))  # what was said of the other's drag comes before
    later = follow()
    later.model("IntSliderModel")
    assert {each.value(slider, "value") for each in (*panes, later)} == {50}
    end(script)


def test_what_is_done_while_a_callback_takes_its_time_becomes_one(start: Start, follow: Follow) -> None:
    script = start(
        f"{SLIDER}button = w.Button()\nbutton.on_click(lambda _: (print('in it', flush=True), input()))\n"
        "ipyweb.display(button)\nipyweb.wait()"
    )
    pane = follow(2)
    slider, button = pane.model("IntSliderModel"), pane.model("ButtonModel")
    click = pane.say(button, CLICK)
    assert line(script) == "in it"
    numbers = [pane.update(slider, value=value) for value in range(10, 60)]
    pane.until(lambda: len(pane.of("status")) >= 49)  # each but the last, whose place a newer one took
    assert script.stdin is not None
    print(file=script.stdin, flush=True)
    pane.until_handled(click)
    pane.until_handled(numbers[-1])
    assert line(script) == "59"
    assert "Traceback" not in end(script)


def test_ctrl_c_ends_a_callback_and_the_program(start: Start, follow: Follow) -> None:
    script = start(
        "import ipyweb, time, ipywidgets as w\nbutton = w.Button()\n"
        "button.on_click(lambda _: (print('in it', flush=True), time.sleep(3600)))\n"
        "ipyweb.display(button)\nipyweb.wait()"
    )
    pane = follow()
    pane.say(pane.model("ButtonModel"), CLICK)
    assert line(script) == "in it"
    end(script)


def test_a_callback_may_show_figures(start: Start, follow: Follow, hub: connection.Connection) -> None:
    script = start(
        "import ipyweb; ipyweb.install()\nimport ipywidgets as w, matplotlib.pyplot as plt\nbutton = w.Button()\n"
        "def clicked(_):\n    plt.plot([1, 2]); plt.show(); print('shown', flush=True)\n"
        "button.on_click(clicked)\nipyweb.display(button)\nipyweb.wait()"
    )
    pane = follow()
    pane.until_handled(pane.say(pane.model("ButtonModel"), CLICK))
    assert line(script) == "shown"
    wait_until(lambda: connection.request(hub, "GET", "api/outputs").json()["total"] == 2, "the figure")
    end(script)
