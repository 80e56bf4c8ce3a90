"""Widgets at IPython's prompt beside the windows of Qt, whose event loop runs there too.

Qt is large, so that this is a part of the acceptance run: its name is none that pytest looks for.
"""

import os
import time
from collections.abc import Callable

import pytest

from ..conftest import wait_until
from .conftest import PROMPT_ENDS, Terminal
from .test_widgets import pane_of_the_widget, with_slider

Start = Callable[..., Terminal]

TIMER = (
    "from PySide6.QtCore import QTimer; from PySide6.QtWidgets import QApplication; "
    "app = QApplication.instance() or QApplication([]); ticks = []; timer = QTimer(interval=10); "
    "timer.timeout.connect(lambda: ticks.append(1)); timer.start()"
)


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qt draws into memory; without a name of a screen IPython would not even ask it."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("DISPLAY", ":none")


def ticks(ipython: Terminal) -> None:
    """Qt's timer goes on while the prompt waits."""
    ipython.cell("ticks.clear()")
    time.sleep(0.3)
    assert "True" in ipython.cell("len(ticks) > 1")


def test_widgets_and_qt_answer_at_the_same_prompt(start: Start) -> None:
    ipython, pane, slider = with_slider(start)
    assert "Error" not in ipython.cell("%gui qt")
    ipython.cell(TIMER)
    ticks(ipython)
    pane.until_handled(pane.update(slider, value=7))
    assert "(7, ['MainThread'])" in ipython.cell("s.value, seen")
    ticks(ipython)
    ipython.cell("%gui")
    pane.until_handled(pane.update(slider, value=8))
    assert "8" in ipython.cell("s.value")
    pane.close()


def test_a_widget_that_comes_after_qt_answers(start: Start) -> None:
    ipython = start()
    ipython.load()
    ipython.cell("%gui qt")
    ipython.cell(TIMER)
    ipython.cell("import ipywidgets as w; s = w.IntSlider(3); s")
    pane = pane_of_the_widget()
    slider = pane.model("IntSliderModel")
    pane.until_handled(pane.update(slider, value=7))
    assert "7" in ipython.cell("s.value")
    ticks(ipython)
    pane.close()


def test_a_plot_in_a_window_and_a_widget_live_at_the_same_prompt(start: Start) -> None:
    ipython, pane, slider = with_slider(start)
    ipython.cell("%gui qt")
    ipython.cell(TIMER)  # matplotlib takes no application of Qt for no screen
    assert "Error" not in ipython.cell("%matplotlib qt")
    ipython.cell("import matplotlib.pyplot as plt; figure, axes = plt.subplots(); axes.plot([1, 2]); plt.show()")
    assert "qtagg True" in ipython.cell("print(plt.get_backend(), figure.canvas.isVisible())")
    ipython.cell("drawn = []; number = figure.canvas.mpl_connect('draw_event', drawn.append)")
    ipython.cell("s.observe(lambda change: (axes.set_title(change.new), figure.canvas.draw_idle()), 'value')")
    pane.until_handled(pane.update(slider, value=7))
    time.sleep(0.3)
    assert "7 True" in ipython.cell("print(axes.get_title(), len(drawn) > 0)")
    pane.close()


def test_ctrl_c_at_an_idle_prompt_leaves_both_alive(start: Start) -> None:
    ipython, pane, slider = with_slider(start)
    ipython.cell("%gui qt")
    ipython.cell(TIMER)
    ipython.process.send("half typed")
    ipython.process.expect_exact("half typed")
    ipython.process.send("\x03")
    pane.until_handled(pane.update(slider, value=8))
    assert "(8, ['MainThread'])" in ipython.cell("s.value, seen")
    ticks(ipython)
    pane.close()


def test_ctrl_c_reaches_a_callback_and_the_prompt_goes_on(start: Start) -> None:
    ipython = start()
    ipython.load()
    ipython.cell("%gui qt")
    ipython.cell(TIMER)
    ipython.cell(
        "import ipywidgets as w, time, pathlib; b = w.Button()\n"
        "def slow(_):\n    pathlib.Path('begun').touch(); time.sleep(3600)\nb.on_click(slow); b"
    )
    pane = pane_of_the_widget()
    number = pane.say(pane.model("ButtonModel"), {"method": "custom", "content": {"event": "click"}})
    wait_until(lambda: os.path.exists("begun"), "the callback")
    ipython.process.send("\x03")
    pane.until_handled(number)
    ipython.process.expect_exact(PROMPT_ENDS)
    assert "KeyboardInterrupt" in ipython.printed()
    assert "2" in ipython.cell("1 + 1")
    ticks(ipython)
    pane.close()
