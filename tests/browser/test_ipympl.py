"""ipympl's figures in a browser: drawn, dragged and animated by a script that waits, and at rest out of sight."""

import os
import signal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ipyweb import connection

from ..conftest import wait_until
from ..widgets.conftest import Start, line, line_that_is
from .conftest import OpenPane, Pane
from .test_widgets import condition, look, the_widget

BEGIN = """
import ipyweb, matplotlib
matplotlib.use("ipympl")
import matplotlib.pyplot as plt
figure = plt.figure(figsize=(4, 3))
figure.canvas.header_visible = figure.canvas.footer_visible = False
"""
SLIDER = """
from matplotlib.widgets import Slider
slider = Slider(figure.add_axes([0.2, 0.4, 0.6, 0.2]), "", 0, 10, valinit=0, valstep=1)
slider.on_changed(lambda value: print(int(value), flush=True))
figure.canvas.mpl_connect("key_press_event", lambda event: print(event.key, flush=True))
ipyweb.display(figure.canvas)
"""
ANIMATED = """
from matplotlib.animation import FuncAnimation
axes = figure.subplots()
drawn, = axes.plot([0, 1], [0, 1])
def step(frame):
    drawn.set_ydata([0, frame % 2])
    with open("drawn", "a") as file:
        file.write(".")
animation = FuncAnimation(figure, step, interval=20, cache_frame_data=False)
ipyweb.display(figure.canvas)
ipyweb.display("another")
"""


def test_a_slider_of_matplotlibs_own_is_dragged_and_keys_are_heard(
    waiting: Start,
    hub: connection.Connection,
    open_pane: OpenPane,
) -> None:
    script = waiting(BEGIN + SLIDER)
    pane = look(open_pane, hub, the_widget(hub))
    canvas = pane.frame.locator("canvas").last
    box = canvas.bounding_box()
    assert box is not None
    mouse, middle = pane.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + 0.25 * box["width"], middle)
    mouse.down()
    mouse.move(box["x"] + 0.5 * box["width"], middle, steps=5)
    line_that_is(script, "5")  # ipympl may send the last of the moves after the button's release, which counts no more
    mouse.up()
    canvas.press("a")
    assert line(script) == "a"


def test_an_animation_plays_while_it_is_seen_and_rests_out_of_sight(
    waiting: Start,
    hub: connection.Connection,
    open_pane: OpenPane,
    tmp_path: Path,
) -> None:
    drawn = tmp_path / "drawn"

    def count() -> int:
        return drawn.stat().st_size if drawn.exists() else 0

    def rests() -> bool:
        before = count()
        pane.page.wait_for_timeout(500)
        return count() == before

    def plays_on() -> None:
        before = count()
        wait_until(lambda: count() > before + 20, "20 more frames")

    waiting(BEGIN + ANIMATED)
    pane = look(open_pane, hub, the_widget(hub))
    plays_on()
    pane.press("ArrowRight")
    expect(pane.page.get_by_test_id("stage")).to_contain_text("another")
    wait_until(rests, "the animation to rest")
    pane.press("ArrowLeft")
    plays_on()


def picture(pane: Pane) -> str:
    """What the figure shows by now."""
    shown: str = pane.frame.locator("canvas").first.evaluate("canvas => canvas.toDataURL()")
    return shown


def kill_the_hub(hub: connection.Connection) -> None:
    """Kill it, and start another in its place."""
    os.kill(hub.pid, signal.SIGKILL)
    wait_until(lambda: connection.find() is None, "the hub's end")
    connection.start()


OLDER_BOX = "import ipywidgets\nbox = ipywidgets.VBox()\n"


@pytest.mark.parametrize("boxed", [False, True], ids=["alone", "in an older box"])
def test_an_animation_plays_on_after_a_hub_that_was_killed(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane, boxed: bool
) -> None:
    in_box = (ANIMATED + "box.children = [figure.canvas]\n").replace("display(figure.canvas)", "display(box)")
    waiting(OLDER_BOX + BEGIN + in_box if boxed else BEGIN + ANIMATED)
    pane = look(open_pane, hub, the_widget(hub))

    def plays() -> None:
        for _ in range(3):
            before = picture(pane)
            wait_until(lambda before=before: picture(pane) != before, "another picture")

    plays()
    pane.expect_problems()  # the pane's connections break
    kill_the_hub(hub)
    expect(condition(pane)).to_have_text("not connected")
    expect(condition(pane)).to_be_hidden()
    plays()


def test_a_figure_is_dragged_on_after_a_hub_that_was_killed_in_a_drag(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    script = waiting(BEGIN + SLIDER)
    pane = look(open_pane, hub, the_widget(hub))

    def drag(start: float, end: float) -> None:
        box = pane.frame.locator("canvas").last.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        pane.page.mouse.move(box["x"] + start * box["width"], middle)
        pane.page.mouse.down()
        pane.page.mouse.move(box["x"] + end * box["width"], middle, steps=5)

    drag(0.25, 0.5)
    line_that_is(script, "5")
    pane.expect_problems()  # the pane's connections break
    kill_the_hub(hub)
    pane.page.mouse.up()
    expect(condition(pane)).to_have_text("not connected")
    expect(condition(pane)).to_be_hidden()
    before = picture(pane)
    drag(0.5, 0.68)
    line_that_is(script, "8")
    wait_until(lambda: picture(pane) != before, "the slider in its new place")
