"""ipympl's figures without a kernel: events and timers in the script's own thread, as long as somebody looks."""

import base64
import io
import time
from collections.abc import Callable

import pytest
from PIL import Image

from ipyweb import connection
from ipyweb.hub.comms import WIDGETS

from ..conftest import HANGS, wait_until
from .conftest import Pane, Start, line, widgets

FIGURE = """
import ipyweb, ipywidgets as w, matplotlib, threading
matplotlib.use("ipympl")
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
label = w.Label("0")
ipyweb.display(w.VBox([figure.canvas, label]))
def say(words):
    assert threading.current_thread() is threading.main_thread()
    label.value = words
"""
TIMER = """
timer = figure.canvas.new_timer(interval=10)
timer.add_callback(lambda: say(str(int(label.value) + 1)))
timer.start()
ipyweb.wait()
"""
ANIMATION = """
from matplotlib.animation import FuncAnimation
line, = axes.plot([0, 1], [0, 1])
def step(frame):
    line.set_ydata([0, frame]); say(str(frame))
animation = FuncAnimation(figure, step, frames=range(1, 6), interval=10, repeat=False)
ipyweb.wait()
"""
PICK = """
line, = axes.plot([0, 1], [0, 1], picker=10)
figure.canvas.mpl_connect("pick_event", lambda event: say(f"picked {event.artist is line}"))
figure.canvas.mpl_connect("key_press_event", lambda event: say(f"pressed {event.key}"))
"""
PICTURES = """
import io, numpy
from PIL import Image
canvas = figure.canvas
for colour in "white", "none":
    figure.set_facecolor(colour)
    axes.set_facecolor(colour)
    canvas.draw()
    canvas._png_is_old = True
    picture = Image.open(io.BytesIO(canvas.get_diff_image())).convert("RGBA")
    print(numpy.array_equal(picture, canvas.buffer_rgba()), canvas.get_diff_image(), flush=True)
"""
COUNTED = """
figure.canvas.mpl_connect("draw_event", lambda event: say(str(int(label.value) + 1)))
figure.canvas.mpl_connect("key_press_event", lambda event: figure.canvas.draw_idle())
ipyweb.wait()
"""
RESTLESS = """
plt.ion()
figure.stale_callback = lambda figure, stale: figure.canvas.draw_idle()
figure.canvas.mpl_connect("draw_event", lambda event: figure.canvas.draw_idle())
"""
SAVES = """
import io, matplotlib.colors
colours = []
def saves(event):
    figure.set_facecolor("red")
    figure.canvas.draw_idle()
    figure.canvas.mpl_disconnect(pressed)
def saved(event):
    if event.key == "s":
        figure.savefig(io.BytesIO(), facecolor="blue")
        say("saved")
pressed = figure.canvas.mpl_connect("key_press_event", saves)
figure.canvas.mpl_connect("key_press_event", saved)
figure.canvas.mpl_connect("draw_event", lambda event: say("drawn"))
ipyweb.wait()
"""
DRAGGED = """
figure.set_facecolor("red")
figure.canvas.draw_idle()
label.value = "red"
"""
Follow = Callable[..., Pane]


def tell(pane: Pane, **content: object) -> None:
    """Say what ipympl's front end does."""
    pane.until_handled(pane.say(pane.model("MPLCanvasModel"), {"method": "custom", "content": content}))


def begin(pane: Pane) -> None:
    """Draw the figure, as a front end asks for it once it is there."""
    for each in ("initialized", "refresh", "draw"):
        tell(pane, type=each, figure_id="1")


def looking(follow: Follow) -> Pane:
    """A pane that looks at the figure, which it has asked for."""
    pane = follow()
    pane.watch(pane.model("MPLCanvasModel"))
    begin(pane)
    return pane


def click(pane: Pane) -> None:
    """Press the mouse in the figure's middle, which is also that of its line."""
    at = {"x": 328, "y": 245, "button": 0, "buttons": 1, "modifiers": [], "guiEvent": {}}
    content = {"type": "button_press", **at}
    pane.say(pane.model("MPLCanvasModel"), {"method": "custom", "content": content})


def test_a_timer_runs_while_somebody_looks(start: Start, follow: Follow) -> None:
    start(FIGURE + TIMER)
    pane = follow()
    box, label = pane.model("VBoxModel"), pane.model("LabelModel")
    assert pane.value(label, "value") == "0"
    pane.watch(box)
    pane.until(lambda: int(pane.value(label, "value")) > 3)
    pane.watch(None)
    tell(pane, type="refresh")  # what was said before is heard by now
    time.sleep(0.1)
    stands = pane.value(label, "value")
    time.sleep(0.3)
    tell(pane, type="refresh")
    assert pane.value(label, "value") == stands
    pane.watch(pane.model("MPLCanvasModel"))
    pane.until(lambda: int(pane.value(label, "value")) > int(stands) + 3)


def test_an_animation_plays_to_its_end(start: Start, follow: Follow) -> None:
    start(FIGURE + ANIMATION)
    pane = looking(follow)
    pane.until_is(pane.model("LabelModel"), "value", "5")


def test_clicks_and_keys_reach_the_program(start: Start, follow: Follow) -> None:
    start(FIGURE + PICK + "ipyweb.wait()")
    pane = follow()
    begin(pane)
    click(pane)
    pane.until_is(pane.model("LabelModel"), "value", "picked True")
    tell(pane, type="key_press", key="ka", guiEvent={})
    pane.until_is(pane.model("LabelModel"), "value", "pressed a")


def test_a_program_that_waits_for_clicks_gets_them(start: Start, follow: Follow) -> None:
    script = start(FIGURE + "print(len(plt.ginput(1, timeout=180)), flush=True)")
    pane = follow()
    begin(pane)
    click(pane)
    assert line(script) == "1"


def test_pictures_are_what_was_drawn(start: Start) -> None:
    script = start(FIGURE + PICTURES)
    assert [line(script), line(script)] == ["True None"] * 2


def press(pane: Pane) -> None:
    """Press a key, upon which the program asks for a drawing."""
    tell(pane, type="key_press", key="ka", guiEvent={})


def pictures(pane: Pane) -> int:
    return sum('"binary"' in str(each.header.get("data")) for each in pane.heard)


def notes(pane: Pane) -> int:
    """How often the program said that there is something to draw."""
    return sum("draw" in str(each.header.get("data")) for each in pane.heard)


def test_the_next_picture_is_drawn_before_it_is_asked_for(start: Start, follow: Follow) -> None:
    start(FIGURE + COUNTED)
    pane = looking(follow)
    label = pane.model("LabelModel")
    before, sent = int(pane.value(label, "value")), pictures(pane)
    press(pane)
    pane.until_is(label, "value", str(before + 1))
    assert pictures(pane) == sent
    tell(pane, type="draw")
    assert pictures(pane) == sent + 1
    assert pane.value(label, "value") == str(before + 1)


def test_a_change_after_the_picture_that_is_drawn_ahead_is_told_again(start: Start, follow: Follow) -> None:
    start(FIGURE + COUNTED)
    pane = looking(follow)
    label = pane.model("LabelModel")
    before = int(pane.value(label, "value"))
    press(pane)
    pane.until_is(label, "value", str(before + 1))
    press(pane)
    told, sent = notes(pane), pictures(pane)
    tell(pane, type="draw")
    pane.until(lambda: notes(pane) > told)
    pane.until_is(label, "value", str(before + 2))
    tell(pane, type="draw")
    assert pictures(pane) == sent + 2


def test_nothing_is_drawn_ahead_of_what_nobody_looks_at(start: Start, follow: Follow) -> None:
    start(FIGURE + COUNTED)
    pane = follow()
    label = pane.model("LabelModel")
    begin(pane)
    before = pane.value(label, "value")
    press(pane)
    time.sleep(0.3)
    press(pane)
    assert pane.value(label, "value") == before


def test_a_figure_that_changes_while_it_is_drawn_is_not_drawn_for_ever(start: Start, follow: Follow) -> None:
    start(FIGURE + RESTLESS + COUNTED)
    pane = looking(follow)
    press(pane)
    told = -1
    for _ in range(10):  # a front end asks as long as it is told that there is something to draw
        time.sleep(0.1)
        tell(pane, type="ack")
        if told == notes(pane):
            return
        told = notes(pane)
        tell(pane, type="draw")
    pytest.fail("it is told again and again")


def test_what_is_saved_between_drawing_and_asking_does_not_come_into_the_picture(start: Start, follow: Follow) -> None:
    start(FIGURE + SAVES)
    pane = looking(follow)
    label = pane.model("LabelModel")
    press(pane)
    pane.until_is(label, "value", "drawn")
    tell(pane, type="key_press", key="ks", guiEvent={})
    pane.until_is(label, "value", "saved")
    tell(pane, type="draw")
    assert corner(pane) == (255, 0, 0)


def test_after_the_end_it_is_as_it_was_last(start: Start, hub: connection.Connection) -> None:
    assert start(FIGURE + DRAGGED).wait(HANGS) == 0
    output = wait_until(lambda: next((each for each in widgets(hub) if WIDGETS in each["data"]), None), "its state")
    kept = connection.request(hub, "GET", f"api/outputs/{output['id']}/data?mime={WIDGETS}").json()["state"]
    urls = [model["state"]["_data_url"] for model in kept.values() if "_data_url" in model["state"]]
    assert [at_corner(each) for each in urls] == [(255, 0, 0)]


def corner(pane: Pane) -> tuple[int, ...]:
    """The colour in the corner of the last picture that was sent."""
    last = [each.buffers[0] for each in pane.heard if each.buffers][-1]
    return colour(bytes(last))


def at_corner(url: str) -> tuple[int, ...]:
    """The same of an address that is a picture."""
    return colour(base64.b64decode(url.partition(",")[2]))


def colour(png: bytes) -> tuple[int, ...]:
    found = Image.open(io.BytesIO(png)).convert("RGB").getpixel((2, 2))
    assert isinstance(found, tuple)
    return found
