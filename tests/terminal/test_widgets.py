"""Widgets at IPython's prompt: they answer while it waits, and it stays as it was."""

import os
import time
from collections.abc import Callable

from ipyweb import connection

from ..conftest import wait_until
from ..widgets.conftest import Pane, widgets
from .conftest import PROMPT_ENDS, Terminal

SLIDER = (
    "import ipywidgets as w; s = w.IntSlider(3); seen = []; "
    "s.observe(lambda change: seen.append(__import__('threading').current_thread().name), 'value'); s"
)


def pane_of_the_widget() -> Pane:
    hub = connection.find()
    assert hub is not None
    found = wait_until(lambda: widgets(hub), "a widget")
    return Pane(hub, found[-1]["session"])


def test_a_widget_answers_at_the_prompt_in_the_main_thread(start: Callable[..., Terminal]) -> None:
    ipython = start()
    ipython.load()
    ipython.cell(SLIDER)
    pane = pane_of_the_widget()
    slider = pane.model("IntSliderModel")
    pane.until_handled(pane.update(slider, value=7))
    assert "(7, ['MainThread'])" in ipython.cell("s.value, seen")
    ipython.cell("%matplotlib inline")
    pane.until_handled(pane.update(slider, value=8))
    assert "8" in ipython.cell("s.value")
    pane.close()


def test_what_is_done_while_a_cell_runs_waits_for_its_end(start: Callable[..., Terminal]) -> None:
    ipython = start()
    ipython.load()
    ipython.cell(SLIDER)
    pane = pane_of_the_widget()
    slider = pane.model("IntSliderModel")
    ipython.send("import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)\nlen(seen)")
    number = pane.update(slider, value=7)
    time.sleep(0.3)
    assert not pane.of("status")
    open("go", "w").close()
    assert ipython.printed().endswith("0")
    pane.until_handled(number)
    pane.close()


def test_ctrl_c_reaches_a_callback_and_the_prompt_goes_on(start: Callable[..., Terminal]) -> None:
    ipython = start()
    ipython.load()
    ipython.cell(
        "import ipywidgets as w, time, pathlib; b = w.Button()\n"
        "def slow(_):\n    pathlib.Path('begun').touch(); time.sleep(3600)\nb.on_click(slow); b"
    )
    pane = pane_of_the_widget()
    button = pane.model("ButtonModel")
    number = pane.say(button, {"method": "custom", "content": {"event": "click"}})
    wait_until(lambda: os.path.exists("begun"), "the callback")
    ipython.process.send("\x03")
    pane.until_handled(number)
    ipython.process.expect_exact(PROMPT_ENDS)
    assert "KeyboardInterrupt" in ipython.printed()
    assert "2" in ipython.cell("1 + 1")
    pane.close()


def test_unloading_gives_comms_back(start: Callable[..., Terminal]) -> None:
    ipython = start()
    before = ipython.cell("import comm; print(comm.create_comm, comm.get_comm_manager)")
    ipython.load()
    assert ipython.cell("print(comm.create_comm, comm.get_comm_manager)") != before
    ipython.cell("%unload_ext ipyweb")
    assert ipython.cell("print(comm.create_comm, comm.get_comm_manager)") == before
