"""Widgets at IPython's prompt: they answer while it waits, and it stays as it was."""

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pexpect
import pytest

from ipyweb import connection

from ..conftest import wait_until
from ..widgets.conftest import Pane, widgets
from .conftest import PROMPT_ENDS, Terminal, outputs

Spawn = Callable[[str], Any]

SLIDER = (
    "import ipywidgets as w; s = w.IntSlider(3); seen = []; "
    "s.observe(lambda change: seen.append(__import__('threading').current_thread().name), 'value'); s"
)


@pytest.fixture
def ipython_process() -> Iterator[Spawn]:
    """Start IPython, with an option; what runs still at the end is ended."""
    started: list[Any] = []

    def begin(option: str) -> Any:
        words = ["-m", "IPython", "--no-banner", "--no-confirm-exit", "--colors=nocolor", option]
        started.append(pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=180, dimensions=(50, 200)))
        return started[-1]

    yield begin
    for each in started:
        each.close(force=True)


def pane_of_the_widget() -> Pane:
    hub = connection.find()
    assert hub is not None
    found = wait_until(lambda: widgets(hub), "a widget")
    return Pane(hub, found[-1]["session"])


def with_slider(start: Callable[..., Terminal]) -> tuple[Terminal, Pane, str]:
    """A prompt with a slider, a pane that follows it, and the slider's id."""
    ipython = start()
    ipython.load()
    ipython.cell(SLIDER)
    pane = pane_of_the_widget()
    return ipython, pane, pane.model("IntSliderModel")


def test_a_widget_answers_at_the_prompt_in_the_main_thread(start: Callable[..., Terminal]) -> None:
    ipython, pane, slider = with_slider(start)
    pane.until_handled(pane.update(slider, value=7))
    assert "(7, ['MainThread'])" in ipython.cell("s.value, seen")
    ipython.cell("%matplotlib inline")
    pane.until_handled(pane.update(slider, value=8))
    assert "8" in ipython.cell("s.value")
    pane.close()


def test_what_is_done_while_a_cell_runs_waits_for_its_end(start: Callable[..., Terminal]) -> None:
    ipython, pane, slider = with_slider(start)
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


def test_ctrl_c_at_an_idle_prompt_leaves_its_widgets_alive(start: Callable[..., Terminal]) -> None:
    ipython, pane, slider = with_slider(start)
    pane.until_handled(pane.update(slider, value=7))
    ipython.process.send("half typed")
    ipython.process.expect_exact("half typed")
    ipython.process.send("\x03")
    pane.until_handled(pane.update(slider, value=8))
    assert "(8, ['MainThread', 'MainThread'])" in ipython.cell("s.value, seen")
    pane.close()


def test_a_callback_at_the_prompt_may_raise_and_may_show_a_figure(start: Callable[..., Terminal]) -> None:
    ipython = start()
    ipython.load()
    ipython.cell(
        "import ipywidgets as w, matplotlib.pyplot as plt; s = w.IntSlider(3)\n"
        "def moved(change):\n"
        "    if change.new == 4: raise ValueError('no four')\n"
        "    plt.plot([1, 2]); plt.show()\n"
        "s.observe(moved, 'value'); s"
    )
    pane = pane_of_the_widget()
    slider = pane.model("IntSliderModel")
    pane.until_handled(pane.update(slider, value=4))
    ipython.process.expect_exact("ValueError")
    ipython.process.expect_exact("no four")
    before = len(outputs())
    pane.until_handled(pane.update(slider, value=5))
    (figure,) = wait_until(lambda: outputs()[before:], "the figure")
    assert figure["kind"] == "figure"
    assert ipython.cell("print(s.value)").endswith("5")
    pane.close()


def test_a_widget_answers_at_a_prompt_that_is_a_task_of_asyncio(start: Callable[..., Terminal]) -> None:
    ipython = start()
    ipython.load()
    ipython.cell("%gui asyncio")
    ipython.cell(SLIDER)
    pane = pane_of_the_widget()
    slider = pane.model("IntSliderModel")
    pane.until_handled(pane.update(slider, value=7))
    assert "(7, ['MainThread'])" in ipython.cell("s.value, seen")
    assert "slept" in ipython.cell("import asyncio; await asyncio.sleep(0, 'slept')")
    pane.until_handled(pane.update(slider, value=8))
    ipython.cell("%gui")
    pane.until_handled(pane.update(slider, value=9))
    assert "9" in ipython.cell("s.value")
    pane.close()


def test_at_a_simple_prompt_widgets_answer_after_each_command_which_is_said(ipython_process: Spawn) -> None:
    ipython = ipython_process("--simple-prompt")
    prompts = (f"In [{number}]: " for number in itertools.count(1))

    def cell(code: str) -> str:
        ipython.sendline(code)
        ipython.expect_exact(next(prompts))
        return str(ipython.before)

    ipython.expect_exact(next(prompts))
    cell("%load_ext ipyweb")
    cell("__import__('ipyweb').display(0).wait(180).remove()")
    said = cell(SLIDER)
    assert said.count("widgets answer after each command, since a simple prompt has no event loop") == 1
    pane = pane_of_the_widget()
    number = pane.update(pane.model("IntSliderModel"), value=7)
    while "7" not in cell("s.value"):
        time.sleep(0.1)
    pane.until_handled(number)
    pane.close()


def test_unloading_gives_comms_back(start: Callable[..., Terminal]) -> None:
    ipython = start()
    before = ipython.cell("import comm; print(comm.create_comm, comm.get_comm_manager)")
    ipython.load()
    assert ipython.cell("print(comm.create_comm, comm.get_comm_manager)") != before
    ipython.cell("%unload_ext ipyweb")
    assert ipython.cell("print(comm.create_comm, comm.get_comm_manager)") == before
